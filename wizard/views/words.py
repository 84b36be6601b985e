"""The words that every screen shares: the three states of a step, ages, and times of day.

Owns how a number becomes a word. May not know screens, sessions or the clock.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from wizard.checks.registry import UNKNOWN, Check
from wizard.session import spans
from wizard.text import Visible, cells

OK = Visible("ok")
NO = Visible("NO")
UNTOLD = Visible("?")
WAITING = Visible("...")
NOT_ASKED = Visible("-")
_WORST = (NO, UNTOLD, OK)
_LEVELS = ".:|"
age = spans.age


def state_word(checks: Mapping[str, Check], check: str | None, outcome: str) -> Visible:
    """`ok`, `NO` or `?` for the outcome of a check; an answer of a person is `ok`."""
    if outcome == UNKNOWN:
        return UNTOLD
    declared = checks.get(check or "")
    return NO if declared is not None and outcome in declared.bad else OK


def worst(words: list[Visible]) -> Visible | None:
    """The state that counts where several checks looked at the same hop; None where none did."""
    return next((word for word in _WORST if word in words), None)


def took(seconds: float) -> Visible:
    """How long a probe took: `0.2 ms`, `11 ms`, `3.2 s`."""
    if seconds >= 1:
        return Visible(f"{seconds:.1f} s")
    return Visible(f"{seconds * 1000:.0f} ms" if seconds >= 0.001 else f"{seconds * 1000:.1f} ms")


def clock(at: float, offset: int, *, seconds: bool = False) -> Visible:
    """The time of day on the host, `offset` seconds east of UTC; empty where the time is unknown."""
    if not at:
        return Visible("")
    try:
        local = datetime.fromtimestamp(at, UTC) + timedelta(seconds=offset)
    except (OverflowError, OSError, ValueError):
        return Visible("")
    return Visible(local.strftime("%H:%M:%S" if seconds else "%H:%M"))


def stamp(at: float, offset: int) -> Visible:
    """The day and the time of day on the host; empty where the time is unknown."""
    time = clock(at, offset, seconds=True)
    return Visible(f"{datetime.fromtimestamp(at, UTC) + timedelta(seconds=offset):%Y-%m-%d} {time}") if time else time


def spark(counts: tuple[int, ...]) -> Visible:
    """Counts as a row of plain characters: `.` nothing, `:` some, `|` more than half of the most."""
    most = max(counts, default=0)
    return Visible("".join(_LEVELS[0 if not one else 2 if 2 * one > most else 1] for one in counts))


def merged(counts: tuple[int, ...], parts: int) -> tuple[int, ...]:
    """Counts of equal spans of time in fewer spans, as far as their number can be divided so."""
    size = len(counts) // parts if parts and len(counts) % parts == 0 else 0
    return tuple(sum(counts[at : at + size]) for at in range(0, len(counts), size)) if size > 1 else counts


def cut(text: Visible, width: int) -> Visible:
    """One line of visible text within a number of cells; `...` marks a cut."""
    if cells(text) <= width:
        return text
    kept = ""
    room = max(0, width - 3)
    for character in text:
        room -= cells(character)
        if room < 0:
            break
        kept += character
    return Visible((kept + "...")[: max(0, width)])


def padded(text: Visible, width: int) -> Visible:
    """Visible text cut or filled up to exactly so many cells."""
    short = cut(text, width)
    return Visible(short + " " * (width - cells(short)))
