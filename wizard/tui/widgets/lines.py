"""Visible text with a role becomes styled content: the one place where colours are named.

Owns the palette: the eight base colours, bold and reverse, nothing else, so that the Linux console and a terminal
without colours show the same. Words carry the state; a colour only repeats it.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable

from textual.content import Content

from wizard.text import Visible, cells
from wizard.views.words import cut

PLAIN = ""
STRONG = "bold"
ROLES = {
    "ok": "ansi_green",
    "NO": "bold ansi_red",
    "?": "ansi_yellow",
    "...": "",
    "-": "",
    "CONFIRMED": "bold ansi_red",
    "LIKELY": "bold ansi_red",
    "POSSIBLE": "bold ansi_yellow",
    "UNKNOWN": "bold ansi_yellow",
    "PROBLEM": "bold ansi_yellow",
    "WARNING": "bold ansi_yellow",
    "OK": "bold ansi_green",
}

Span = tuple[Visible, str]


def role(word: Visible) -> str:
    """The style that repeats what a word of state says."""
    return ROLES.get(word, PLAIN)


def line(*spans: Span) -> Content:
    """One line of spans: text and style."""
    return Content("").join([Content.styled(text, style) for text, style in spans])


def stacked(lines: Iterable[Content]) -> Content:
    """Lines below one another."""
    return Content("\n").join(lines)


def wrapped(text: Visible, width: int, *, style: str = PLAIN, indent: int = 0) -> list[Content]:
    """Visible text in as many lines as it needs; nothing of it is lost."""
    made: list[Content] = []
    for paragraph in text.split("\n"):
        parts = _wrapped(paragraph, max(10, width - indent)) or [""]
        made += [Content(" " * indent + part).stylize(style, indent) for part in parts]
    return made


def _wrapped(paragraph: str, width: int) -> list[str]:
    if paragraph.isascii():
        return textwrap.wrap(paragraph, width, break_on_hyphens=False, drop_whitespace=True)
    parts, current = [], ""
    for word in paragraph.split(" "):
        candidate = f"{current} {word}" if current else word
        while cells(candidate) > width:
            if current:
                parts.append(current)
                current, candidate = "", word
                continue
            head = _head(candidate, width)
            parts.append(head)
            candidate = candidate[len(head) :]
        current = candidate
    return [*parts, current] if current else parts


def _head(text: str, width: int) -> str:
    room = width
    for index, character in enumerate(text):
        room -= cells(character)
        if room < 0:
            return text[: max(1, index)]
    return text


def labelled(label: Visible, text: Visible, width: int, *, left: int = 11, style: str = PLAIN) -> list[Content]:
    """A label at the left edge, and text that wraps beside it."""
    lines = wrapped(text, width, indent=left, style=style)
    first = Content.styled(label.ljust(left)[:left], STRONG)
    return [Content("").join([first, lines[0][left:]]), *lines[1:]]


def spread(left: Visible, right: Visible, width: int) -> Content:
    """One line with text at both edges; the left one is cut where both do not fit."""
    shown = cut(right, width)
    begin = cut(left, max(0, width - cells(shown) - 2))
    gap = Visible(" " * max(0, width - cells(begin) - cells(shown)))
    return line((begin, STRONG), (gap, PLAIN), (shown, PLAIN))
