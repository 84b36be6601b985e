"""gateway-wizard walks a request's path on the box that answers 502, and names one cause with its evidence."""

from __future__ import annotations

__version__ = "0.1.0"
