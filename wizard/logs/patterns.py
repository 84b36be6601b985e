"""Regular expressions that are compiled when they are first used.

Owns the delay: the readers of twelve programs hold two hundred expressions, a log needs few of them, and compiling all
takes longer than reading a short log. May not know what any expression matches.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

Match = re.Match[Any]
_METHODS = ("match", "search", "fullmatch", "finditer", "findall", "sub")


class Pattern:
    """An expression over text or bytes; ASCII digits and words only, unless `flags` say otherwise.

    Used as a `re.Pattern` is.
    """

    __slots__ = (*_METHODS, "flags", "pattern")

    match: Callable[..., Match | None]
    search: Callable[..., Match | None]
    fullmatch: Callable[..., Match | None]
    finditer: Callable[..., Iterator[Match]]
    findall: Callable[..., list[Any]]
    sub: Callable[..., str]

    def __init__(self, pattern: str | bytes, flags: re.RegexFlag = re.ASCII) -> None:
        self.pattern = pattern
        self.flags = flags

    def __getattr__(self, name: str) -> object:
        """Compiles it: called only where a method is not there yet."""
        if name not in _METHODS:
            raise AttributeError(name)
        compiled: Any = re.compile(self.pattern, self.flags)
        for method in _METHODS:
            setattr(self, method, getattr(compiled, method))
        return getattr(compiled, name)
