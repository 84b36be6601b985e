"""When a gateway's failures began and how many there were: the events of a log as bursts, and as counts over time.

Owns where one burst ends and the next begins. May not know which failure matters, or how a log is read.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from wizard.host.questions import LogTail
from wizard.logs.error_log import histogram
from wizard.logs.stamps import Clock
from wizard.model import LogEvent

SILENCE = 180.0  # seconds without a failure of a kind after which its next one begins a new burst
MAX_BURSTS = 24
MAX_OF_A_KIND = 3
BUCKETS = 60
_STAMP = 19  # characters of `2026/11/22 09:39:10`


class Burst(msgspec.Struct, frozen=True):
    """Failures of one kind that followed each other: how many, the first and the last (epoch).

    `upstream` and `server` are as the log writes them; `target` is what else the message names. `older` says that it
    began before what was read.
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
    older: bool = False


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


def at_the_edge(burst: Burst, start: float) -> bool:
    """Whether a burst may have begun before a time from which on the log was read."""
    return burst.first - start <= SILENCE


def extended(burst: Burst, tail: LogTail) -> Burst:
    """A burst with those of its failures that stand further back in the log.

    A line counts as one of them by what a message of nginx holds as it is: the upstream (or whatever else it names) and
    the number of the error. To read each line whole would cost a walk half a second.

    Args:
        burst: read from a shorter window.
        tail: the same log, read further back.
    """
    named = burst.upstream or burst.target
    needles = [one.encode("utf-8", "replace") for one in (named, burst.server) if one]
    needles += [b"(%d: " % burst.errno] if burst.errno else []
    if not needles:
        return msgspec.structs.replace(burst, older=True)
    clock = Clock(tail.utc_offset)
    first, count = burst.first, burst.count
    for line in reversed(tail.content.split(b"\n")):
        if not all(needle in line for needle in needles):
            continue
        at = clock.read(line[:_STAMP].decode("ascii", "replace"))
        if at is None or at >= burst.first:
            continue
        if first - at > SILENCE:
            return msgspec.structs.replace(burst, first=first, count=count)
        first, count = min(first, at), count + 1
    return msgspec.structs.replace(burst, first=first, count=count, older=not tail.from_start)


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
