r"""The only door by which foreign bytes become text that may be shown, saved or printed.

Owns the decision which characters may reach a terminal. May not know where the bytes come from. Control characters
become visible (`\x1b`) instead of being dropped: an escape sequence in a log line is itself evidence.

Everything here is total (no input raises), takes time linear in its input, and is idempotent on its own output.
"""

from __future__ import annotations

import re
import shlex
import unicodedata
from bisect import bisect_right
from functools import cache
from typing import NewType

Visible = NewType("Visible", str)

MAX_LINE = 2000
MAX_MARKS = 4  # no living script stacks more combining marks on one letter

# What a terminal might act on, or an eye would miss: the Unicode categories Cc (but for newline), Cf, Cs, Co, Zl, Zp,
# every space but the plain one, noncharacters, and the default-ignorable fillers, selectors and tags.
# Spelled out, because categories differ between Python's versions.
_ACTS = (
    "[\x00-\x09\x0b-\x1f\x7f-\xa0\xad\u034f\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u115f\u1160\u1680"
    "\u17b4\u17b5\u180b-\u180f\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000\u3164\ud800-\uf8ff\ufdd0-\ufdef"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\ufffe\uffff\U000110bd\U000110cd\U00013430-\U0001343f"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    + "".join(f"{chr(plane + 0xFFFE)}{chr(plane + 0xFFFF)}" for plane in range(0x10000, 0xE0000, 0x10000))
    + "\U000e0000-\U000e0fff\U000efffe-\U0010ffff]"
)
_MAYBE_MARKS = re.compile(rf"[^\x00-\u02ff]{{{MAX_MARKS + 1},}}")
_HALF_SPELLED = re.compile(r"\\(?:x[0-9a-f]?|u[0-9a-f]{0,3}|U[0-9a-f]{0,7})?\Z")
_NEEDS_QUOTES = re.compile(r"[^ -~]")
_ANSI_C = {"\\": "\\\\", "'": "\\'", "\n": "\\n", "\t": "\\t", "\r": "\\r", "!": "\\041"}


def visible(foreign: bytes | str, *, limit: int = MAX_LINE, tabs: int = 4) -> Visible:
    r"""Foreign bytes or text as text that no terminal acts on.

    Args:
        foreign: bytes (read as UTF-8, anything else spelled `\xNN`) or text (with `surrogateescape` read alike).
        limit: characters per line; a longer line is cut and says how many characters were dropped.
        tabs: a tab becomes this many spaces.

    Returns:
        The text, newlines kept (`\r\n` counts as one), no line longer than `limit`.
    """
    lines = _decoded(foreign).replace("\r\n", "\n").split("\n")
    return Visible("\n".join(_bounded(line, limit, tabs) for line in lines))


def one_line(foreign: bytes | str, *, limit: int = 200) -> Visible:
    """Foreign text on one line of at most `limit` characters: newlines become visible too."""
    # No character shown stands for more than two that were read (CR LF), nor a character for more than four bytes:
    # the rest of a large input need not be looked at.
    head = foreign[: 8 * (limit + 1)] if isinstance(foreign, bytes) else foreign[: 2 * (limit + 1)]
    text = _spelled_out(_decoded(head).replace("\r\n", "\n"), 4).replace("\n", "\\n")
    return Visible(text if len(text) <= limit else text[: max(0, limit - 3)] + "..."[:limit])


def excerpt(foreign: bytes | str, lines: int = 12, columns: int = 120, *, tail: bool = False) -> Visible:
    """The first (or last) lines of foreign text, for a box of a known size.

    Args:
        foreign: bytes or text.
        lines: how many lines at most, the note about dropped lines among them.
        columns: the width of a line in terminal cells; wide characters take two.
        tail: keep the end, as for a log.
    """
    text = _decoded(foreign).replace("\r\n", "\n").removesuffix("\n")
    total = text.count("\n") + 1
    lines = max(1, lines)
    if total <= lines:
        kept = text.split("\n")
    elif tail:
        kept = text.rsplit("\n", lines - 1)[1:]
    else:
        kept = text.split("\n", lines - 1)[:-1]
    shown = [_fitted(line, columns) for line in kept]
    if total > lines:
        note = _fitted(f"[{total - len(kept)} more lines]", columns)
        shown.insert(0 if tail else len(shown), note)
    return Visible("\n".join(shown))


def cells(text: str) -> int:
    """How many terminal cells one line of visible text takes (Unicode TR 11: wide and fullwidth take two)."""
    return len(text) if text.isascii() else sum(map(_cell, text))


def shell_word(value: str) -> str:
    r"""A value as one word of a shell command: exact to paste, and safe to show.

    Plain words stay as they are, others are quoted as by `shlex.quote`. A value with a character that `visible` would
    spell out becomes `$'...'` (bash, zsh, busybox, and sh since POSIX.1-2024) with that character's bytes in octal.
    No argument of a program can hold NUL; the shell ends the word there, as execve(2) would.
    """
    if not _NEEDS_QUOTES.search(value):
        return shlex.quote(value)
    shown = _spelled_out(value, 0)
    if shown == value and "\n" not in value:
        return shlex.quote(value)
    parts, marks = [], 0
    for character in value:
        marks = marks + 1 if _is_mark(character) else 0
        if character in _ANSI_C:
            parts.append(_ANSI_C[character])
        elif _acts().match(character) or marks > MAX_MARKS:
            parts.extend(f"\\{octet:03o}" for octet in _octets(character))
        else:
            parts.append(character)
    return "$'" + "".join(parts) + "'"


def _decoded(foreign: bytes | str) -> str:
    return foreign.decode("utf-8", "surrogateescape") if isinstance(foreign, bytes) else foreign


def _octets(character: str) -> bytes:
    code = ord(character)
    escaped = 0xDC80 <= code <= 0xDCFF
    return bytes([code - 0xDC00]) if escaped else character.encode("utf-8", "surrogatepass")


def _spelled(match: re.Match[str]) -> str:
    return _spelling(match[0])


def _spelling(character: str) -> str:
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:  # a byte that was not UTF-8 (PEP 383)
        code -= 0xDC00
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def _is_mark(character: str) -> bool:
    return character >= "\u0300" and unicodedata.category(character) in {"Mn", "Me"}


def _thinned(match: re.Match[str]) -> str:
    parts, marks = [], 0
    for character in match[0]:
        marks = marks + 1 if _is_mark(character) else 0
        parts.append(_spelling(character) if marks > MAX_MARKS else character)
    return "".join(parts)


@cache
def _acts() -> re.Pattern[str]:
    """The pattern takes longer to compile than a short run takes to print, and most runs meet ASCII only."""
    return re.compile(_ACTS)


def _spelled_out(text: str, tabs: int) -> str:
    text = text.replace("\t", " " * tabs) if tabs else text
    if text.isascii() and text.replace("\n", "").isprintable():
        return text
    text = _acts().sub(_spelled, text)
    return text if text.isascii() else _MAYBE_MARKS.sub(_thinned, text)


def _cut(line: str, room: int, tabs: int) -> tuple[str, int]:
    """As much of a line as fits into `room` characters when spelled out, and how many of its own those are.

    What a character becomes depends only on those before it, so that the length grows with the count: bisection.
    """
    head = line[: room + 1]
    spelled = _spelled_out(head, tabs)
    if spelled == head:
        return head[:room], min(room, len(head))
    count = bisect_right(range(len(head) + 1), room, key=lambda n: len(_spelled_out(head[:n], tabs))) - 1
    return _spelled_out(head[:count], tabs), count


def _bounded(line: str, limit: int, tabs: int) -> str:
    if len(line) <= limit:
        spelled = _spelled_out(line, tabs)
        if len(spelled) <= limit:
            return spelled
    longest_note = len(f" [{len(line)} characters cut]")
    if limit <= longest_note:
        return _cut(line, max(0, limit - 3), tabs)[0] + "..."[: max(0, limit)]
    shown, count = _cut(line, limit - longest_note, tabs)
    return f"{shown} [{len(line) - count} characters cut]"


def _cell(character: str) -> int:
    if character < "\u0300":
        return 1
    if _is_mark(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _fitted(line: str, columns: int) -> str:
    """One line spelled out within a number of cells; `...` marks a cut."""
    # Marks take no cell, and a letter carries MAX_MARKS of them at most.
    shown = _spelled_out(line[: (columns + 1) * (MAX_MARKS + 1)], 4)
    if cells(shown) <= columns:
        return shown
    dots = "..."[: max(0, columns)]
    room, end = columns - len(dots), 0
    for character in shown:
        room -= _cell(character)
        if room < 0:
            break
        end += 1
    return _HALF_SPELLED.sub("", shown[:end]) + dots
