"""The last look at every line before it is drawn: nothing that a terminal acts on, and plain ASCII where it must be.

Owns the two line filters and when the second one is needed. Text was made visible long before; even if that failed,
nothing foreign leaves the process here.
"""

from __future__ import annotations

from collections.abc import Mapping

from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

from wizard.text import cells

# Controls of ECMA-48, and characters of no width that change what an eye reads: bidi, joiners, separators, tags.
_ACTING = (
    (0x00, 0x1F),
    (0x7F, 0x9F),
    (0xAD, 0xAD),
    (0x061C, 0x061C),
    (0x200B, 0x200F),
    (0x2028, 0x202E),
    (0x2060, 0x206F),
    (0xFEFF, 0xFEFF),
    (0xFFF9, 0xFFFB),
    (0xE0000, 0xE007F),
)
_DROPPED: dict[int, None] = {code: None for first, last in _ACTING for code in range(first, last + 1)}

_LINES = {
    **dict.fromkeys("─━═╌╍┄┅┈┉╴╶╸╺▁▔▂", "-"),
    **dict.fromkeys("│┃║╎╏┆┇┊┋╵╷╹╻▏▎▍▌▐▕", "|"),
    **dict.fromkeys("█▇▆▅▄▃▉▊▋▀■░▒▓", "#"),
    **dict.fromkeys("•●○◦·∙", "*"),
    **dict.fromkeys("▶►▸", ">"),
    **dict.fromkeys("◀◄◂", "<"),
    **dict.fromkeys("▲▴", "^"),
    **dict.fromkeys("▼▾", "v"),
}


class Scrub(LineFilter):
    """Drops every character that a terminal might act on."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """The same segments with the same styles, without those characters."""
        del background
        return [Segment(one.text.translate(_DROPPED), one.style, one.control) for one in segments]


class Ascii(LineFilter):
    """Writes every character in ASCII, in as many cells as it took."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """The same segments: lines and blocks become `- | #`, corners `+`, the rest `?`."""
        del background
        return [Segment(_ascii(one.text), one.style, one.control) for one in segments]


def _ascii(text: str) -> str:
    return text if text.isascii() else "".join(one if one.isascii() else _replaced(one) for one in text)


def _replaced(character: str) -> str:
    known = _LINES.get(character)
    if known is not None:
        return known
    if "\u2500" <= character <= "\u257f":  # what is left of the box drawings are corners and crossings
        return "+"
    return "?" * cells(character)


def wants_ascii(environment: Mapping[str, str], encoding: str | None) -> bool:
    """Whether the terminal may lack glyphs: the Linux console, old or unknown terminals, or no UTF-8.

    Args:
        environment: of the process.
        encoding: of the stream that is drawn on; None where it is not known.
    """
    term = environment.get("TERM", "")
    old = term in {"", "linux", "vt100", "vt102", "vt220", "ansi", "unknown"}
    return old or (encoding or "").lower().replace("-", "").replace("_", "") != "utf8"
