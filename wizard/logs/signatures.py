"""What a row of a table of messages is, and how a row is found for a message.

Owns the shape of the tables and the search. May not know any program's wording.

A row is found by a literal (`anchor`) first and by its pattern only where the literal is there: no line is ever matched
against one large alternation, which costs a hundred times as much (and backtracks on hostile lines).
"""

from __future__ import annotations

import re
from functools import cache

import msgspec

from wizard.model import Phase

UNSURE: Phase | None = None  # the phase of a line that was cut before it was named


class Signature(msgspec.Struct, frozen=True):
    """One class of messages of one program.

    Attributes:
        symptom: a stable word for the class, in kebab-case.
        anchor: a literal that every such message contains, in any version.
        meaning: what happened, in one sentence for a person.
        causes: ids of the catalogue that are consistent with such a line; none where it is no failure.
        phase: what the program was doing, where the message itself says it.
        during: the phases in which the row applies; empty: any, also an unknown one.
        errnos: the errnos with which the row applies; empty: any, also none.
        errno: the errno that the wording stands for, where no number or text is printed.
        pattern: what else must match, compiled when it is first needed. Its named groups `upstream`, `target` and `status` are taken over.
    """

    symptom: str
    anchor: str
    meaning: str
    causes: tuple[str, ...] = ()
    phase: Phase | None = None
    during: tuple[Phase, ...] = ()
    errnos: tuple[int, ...] = ()
    errno: int | None = None
    pattern: str = ""


class Match(msgspec.Struct, frozen=True):
    """A row that applies, and what its pattern found."""

    row: Signature
    groups: dict[str, str] = msgspec.field(default_factory=dict)


Numbered = tuple[tuple[str, Signature], ...]  # rows of Apache, each with the numbers under which it is printed


def rows(*lines: Signature) -> tuple[Signature, ...]:
    """A table in order of precedence: the first row that applies wins."""
    return lines


def row(
    symptom: str,
    anchor: str,
    meaning: str,
    *causes: str,
    phase: Phase | None = None,
    during: tuple[Phase, ...] = (),
    errnos: tuple[int, ...] = (),
    errno: int | None = None,
    pattern: str = "",
) -> Signature:
    """A row, written shortly; `pattern` is searched in the message (ASCII digits and words only)."""
    return Signature(symptom, anchor, meaning, causes, phase, during, errnos, errno, pattern)


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.ASCII)


def find(
    table: tuple[Signature, ...], message: str, phase: Phase | None = UNSURE, errno: int | None = None
) -> Match | None:
    """The first row of a table that applies to a message.

    Args:
        table: rows in order of precedence.
        message: one message, without what its program puts before it.
        phase: what the line says the program was doing; None where that part was cut off.
        errno: the errno that the line prints, if any.
    """
    for candidate in table:
        if candidate.anchor not in message:
            continue
        if candidate.during and phase not in candidate.during:
            continue
        if candidate.errnos and errno not in candidate.errnos:
            continue
        if not candidate.pattern:
            return Match(candidate)
        if found := _compiled(candidate.pattern).search(message):
            return Match(candidate, {name: text for name, text in found.groupdict().items() if text is not None})
    return None
