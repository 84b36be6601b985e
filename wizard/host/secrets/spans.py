"""A secret's place in a text, and all such places of one text.

A span never holds a line break, so that a replacement keeps the lines, and never the quotes, semicolons or braces
around a value, so that what is replaced still parses.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple


class Span(NamedTuple):
    """From, up to and without. `bare_number` asks for quotes around the replacement (JSON has no bare words)."""

    start: int
    end: int
    bare_number: bool = False


def merged(found: Iterable[Span]) -> list[Span]:
    """The spans in order, those that overlap as one."""
    done: list[Span] = []
    for span in sorted(found):
        if done and span.start < done[-1].end:
            done[-1] = Span(done[-1].start, max(done[-1].end, span.end))
        elif span.end > span.start:
            done.append(span)
    return done
