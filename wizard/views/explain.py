"""What pasted log lines mean: each with its program, phase, errno, upstream, and the causes that it fits.

Owns the words of that screen, and what a line would walk. May not know widgets, or how a line is recognised.
"""

from __future__ import annotations

from dataclasses import dataclass

from wizard.checks.logged import requested
from wizard.model import LogEvent, Phase
from wizard.text import Visible, one_line, visible
from wizard.views.words import stamp
from wizard.walk.plan import Target, TargetError, read_target

MOST = 2000  # lines; who pastes more wants `gateway-wizard explain`
LARGEST = 1 << 20  # characters


@dataclass(frozen=True, slots=True)
class LineView:
    """A line that was recognised. `targets` are what it names and a walk can begin with."""

    number: int
    program: Visible
    meaning: Visible
    facts: tuple[tuple[Visible, Visible], ...]
    causes: tuple[str, ...]
    targets: tuple[Target, ...]
    line: Visible


@dataclass(frozen=True, slots=True)
class ExplainView:
    """What was pasted: the lines that say something, and how many say nothing that is known."""

    lines: tuple[LineView, ...]
    unknown: int
    left_out: int


def explain_view(text: str, *, now: float | None = None, offset: int | None = None) -> ExplainView:
    """What lines of text mean.

    Args:
        text: as it was pasted.
        now: seconds since the epoch, for stamps without a year.
        offset: the zone of stamps without one, in seconds east of UTC.
    """
    from wizard.logs.recognise import explain_text  # noqa: PLC0415 - a dozen readers, for what few come for

    given = text[:LARGEST].splitlines()
    read = [
        (number, event)
        for number, event in explain_text("\n".join(given[:MOST]), zone_offset=offset, year_hint=now)
        if given[number - 1].strip()
    ]
    known = tuple(_line(number, event, offset or 0) for number, event in read if event is not None)
    return ExplainView(known, len(read) - len(known), max(0, len(given) - MOST))


def _line(number: int, event: LogEvent, offset: int) -> LineView:
    facts = (
        ("at", stamp(event.time, offset) if event.time is not None else ""),
        ("phase", event.phase.replace("-", " ") if event.phase is not Phase.NONE else ""),
        ("errno", str(event.errno) if event.errno is not None else ""),
        ("upstream", event.upstream or ""),
        ("request", event.request or ""),
        ("host", event.host or event.server or ""),
    )
    return LineView(
        number=number,
        program=one_line(event.program, limit=20),
        meaning=visible(event.meaning),
        facts=tuple((Visible(name), one_line(value, limit=300)) for name, value in facts if value),
        causes=event.causes,
        targets=_targets(event),
        line=visible(event.line or ""),
    )


def _targets(event: LogEvent) -> tuple[Target, ...]:
    """The visitor's URL, then the upstream, as far as the line names them in full."""
    found: list[Target] = []
    for word in (requested(event), event.upstream):
        try:
            target = read_target(word)
        except TargetError:
            continue
        if target != Target() and target not in found:
            found.append(target)
    return tuple(found)
