"""Finds secrets in what a host answers, and replaces them by marks."""

from __future__ import annotations

from wizard.host.secrets.redactor import Redactor, marks_in

__all__ = ["Redactor", "marks_in"]
