"""The two ways in which a command ends before it has a result: wrong usage, and input that cannot be read.

Owns these exceptions. `wizard.commands.run` makes sentences and exit statuses of them.
"""

from __future__ import annotations


class UsageError(Exception):
    """Wrong usage: what, and what to type instead."""

    def __init__(self, what: str, hint: str = "") -> None:
        super().__init__(what)
        self.hint = hint


class InputError(Exception):
    """A file that cannot be read, or is no valid session or flow: what, where, and what to do next."""

    def __init__(self, what: str, where: str = "", hint: str = "") -> None:
        super().__init__(what)
        self.where = where
        self.hint = hint
