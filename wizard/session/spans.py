"""Spans of time in words, as short as an eye wants them.

Owns how a number of seconds becomes a word. May not know what took that long.
"""

from __future__ import annotations

from wizard.text import Visible


def age(seconds: float) -> Visible:
    """A span of time: `2 s`, `3 min`, `5 h`, `3 d`."""
    whole = max(0, int(seconds))
    if whole < 100:
        return Visible(f"{whole} s")
    if whole < 5400:
        return Visible(f"{whole // 60} min")
    return Visible(f"{whole // 3600} h" if whole < 172800 else f"{whole // 86400} d")
