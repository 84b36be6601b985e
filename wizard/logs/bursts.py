"""When a gateway's failures began and how many there were: the events of a log as bursts, and as counts over time.

Owns where one burst ends and the next begins. May not know which failure matters, or how a log is read.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from wizard.logs.error_log import histogram
from wizard.model import LogEvent

SILENCE = 180.0  # seconds without a failure of a kind after which its next one begins a new burst
MAX_BURSTS = 24
MAX_OF_A_KIND = 3
BUCKETS = 60


class Burst(msgspec.Struct, frozen=True):
    """Failures of one kind that followed each other: how many, the first and the last (epoch).

    `upstream` and `server` are as the log writes them; `target` is what else the message names.
    """

    symptom: str
    meaning: str
    upstream: str | None
    errno: int | None
    server: str | None
    causes: tuple[str, ...]
    count: int
    first: float
    last: float
    target: str | None = None


class Counts(msgspec.Struct, frozen=True):
    """How many failures fell into each of some equal parts of the time from `start` to `end` (epoch)."""

    start: float
    end: float
    counts: tuple[int, ...] = ()


def bursts(events: Iterable[LogEvent], *, until: float) -> tuple[Burst, ...]:
    """The bursts of some events, in the order in which they began.

    Args:
        events: of a gateway's log, in any order; one without a time is left out.
        until: what was logged later is left out: it is the walk's own requests.
    """
    groups: dict[tuple[object, ...], list[LogEvent]] = {}
    for event in events:
        if event.time is not None and event.time <= until:
            groups.setdefault((event.symptom, event.upstream, event.errno, event.server, event.target), []).append(
                event
            )
    found: list[Burst] = []
    for group in groups.values():
        parts = _parted(sorted(group, key=lambda event: event.time or 0.0))
        found += [_burst(part) for part in parts[-MAX_OF_A_KIND:]]
    found.sort(key=lambda one: one.last)
    return tuple(sorted(found[-MAX_BURSTS:], key=lambda one: (one.first, one.last, one.symptom, one.upstream or "")))


def counted(events: Iterable[LogEvent], *, start: float, until: float) -> Counts:
    """How many failures there were over the time that was read."""
    times = [event.time for event in events if event.time is not None]
    return Counts(start, until, histogram(times, (start, until), BUCKETS) if until > start else ())


def _parted(events: Sequence[LogEvent]) -> list[list[LogEvent]]:
    parts: list[list[LogEvent]] = []
    for event in events:
        if parts and (event.time or 0.0) - (parts[-1][-1].time or 0.0) <= SILENCE:
            parts[-1].append(event)
        else:
            parts.append([event])
    return parts


def _burst(events: Sequence[LogEvent]) -> Burst:
    last = events[-1]
    return Burst(
        symptom=last.symptom,
        meaning=last.meaning,
        upstream=last.upstream,
        errno=last.errno,
        server=last.server,
        causes=last.causes,
        count=len(events),
        first=events[0].time or 0.0,
        last=last.time or 0.0,
        target=last.target,
    )
