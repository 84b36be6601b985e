"""nginx's error log as the walk reads it: the events of a window, and the bursts that they form.

Owns the joining of messages that hold newlines, the times of a window over a clock change, and the grouping.
May not know checks or screens; takes a tail that the host has read.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from io import BytesIO

import msgspec
from msgspec.structs import force_setattr

from wizard.host.questions import LogTail
from wizard.logs import nginx
from wizard.logs.hints import Hints
from wizard.logs.stamps import Clock
from wizard.model import LogEvent, Phase

MAX_LINE = 8192  # nginx cuts a message at 2048 bytes (NGX_MAX_ERROR_STR); what holds newlines may be longer
_STARTS = re.compile(rb"\d{4}/\d\d/\d\d \d\d:\d\d:\d\d ")
_TURNED_BACK = 1500.0  # seconds by which a later line may stand before an earlier one only if the clock was put back
_HOUR = 3600.0
_PATHS = 5
BUCKETS = 30


class Cluster(msgspec.Struct, frozen=True):
    """Events of one kind about one upstream.

    `first`, `last` are seconds since the epoch (None: no line had a time). `histogram` counts events in equal parts of
    the window, oldest first. `requests` are the first distinct request lines, `sample` is the newest line.
    """

    program: str
    symptom: str
    meaning: str
    phase: Phase
    errno: int | None
    upstream: str | None
    server: str | None
    causes: tuple[str, ...]
    count: int
    first: float | None
    last: float | None
    sample: str
    requests: tuple[str, ...] = ()
    histogram: tuple[int, ...] = ()
    target: str | None = None
    connections: int = 0  # how many different client connections were hit


def read_error_log(tail: LogTail, *, everything: bool = False, samples: bool = False) -> tuple[LogEvent, ...]:
    """The failures in the tail of an nginx error log, oldest first.

    Args:
        tail: the tail; its stamps are read `tail.utc_offset` seconds east of UTC. nginx writes no zone: where the
            clock was put back inside the window, lines before the change are recognised by time running backwards
            and are moved by an hour; where it was put forward nothing shows, and lines before it are an hour late.
        everything: also messages that are no failure of the path (`notice`, `other`, false leads).
        samples: of each kind only the newest event has its `line`, the one that `cluster` quotes; the lines of a busy
            quarter of an hour are most of what its events weigh.

    Returns:
        Events with times in seconds since the epoch. Lines that are none of nginx's are left out.
    """
    hints = Hints(clock=Clock(tail.utc_offset))
    found = (event for line in _records(tail.content) if (event := nginx.read(line, hints)) is not None)
    events = list(_with_samples(found) if samples else found)
    return tuple(event for event in _straightened(events) if everything or event.causes)


def _with_samples(events: Iterable[LogEvent]) -> Iterator[LogEvent]:
    """The events, the lines of which are dropped as soon as a newer one of their kind comes."""
    newest: dict[tuple[object, ...], LogEvent] = {}
    for event in events:
        kind = (event.symptom, event.upstream, event.server, event.host, event.errno, event.target)
        known = newest.get(kind)
        if known is None or _is_newer(event.time or 0.0, known.time or 0.0):
            newest[kind] = event
            dropped = known
        else:
            dropped = event
        if dropped is not None:
            force_setattr(dropped, "line", "")  # nobody else has seen it yet
        yield event


def _is_newer(time: float, known: float) -> bool:
    """Whether an event is of a later second than the one before it, or the clock was put back between them."""
    return time > known or known - time > _TURNED_BACK


def _records(content: bytes) -> Iterator[str]:
    """Whole records: a line that does not begin with a stamp belongs to the one before it."""
    pending: list[bytes] = []
    size = 0
    for ended in BytesIO(content):  # one at a time: a window of 10 MB is not held a second time
        line = ended.removesuffix(b"\n")
        if _STARTS.match(line) is None:
            if pending and line and size < MAX_LINE:
                pending.append(line[:MAX_LINE])
                size += len(line)
            continue
        if pending:
            yield _text(pending)
        pending, size = [line[:MAX_LINE]], len(line)
    if pending:
        yield _text(pending)


def _text(lines: Sequence[bytes]) -> str:
    return b"\n".join(lines).rstrip(b"\r").decode("utf-8", "backslashreplace")


def _straightened(events: Sequence[LogEvent]) -> list[LogEvent]:
    """Times before a clock that was put back, moved an hour earlier: a log is written in order."""
    straight: list[LogEvent] = []
    later: float | None = None
    moved = 0.0
    for event in reversed(events):
        time = event.time
        if time is not None:
            time -= moved
            if later is not None and _TURNED_BACK < time - later <= _HOUR:
                moved += _HOUR
                time -= _HOUR
            later = time
        straight.append(event if time == event.time else msgspec.structs.replace(event, time=time))
    straight.reverse()
    return straight


def cluster(
    events: Iterable[LogEvent], *, window: tuple[float, float] | None = None, buckets: int = BUCKETS
) -> tuple[Cluster, ...]:
    """Events grouped by program, upstream, virtual host and symptom; the group that was seen last comes first.

    Args:
        events: of any program, in any order.
        window: the seconds since the epoch that the histogram covers; None: from the first to the last event.
        buckets: how many parts the histogram has.
    """
    groups: dict[tuple[object, ...], list[LogEvent]] = {}
    times: list[float] = []
    for event in events:
        key = (event.program, event.upstream, event.server, event.symptom, event.errno, event.target)
        groups.setdefault(key, []).append(event)
        if event.time is not None:
            times.append(event.time)
    if window is None:
        window = (min(times), max(times)) if times else (0.0, 0.0)
    clusters = [_cluster(group, window, buckets) for group in groups.values()]
    clusters.sort(key=lambda group: (-(group.last or 0.0), -group.count, group.symptom, group.upstream or ""))
    return tuple(clusters)


def _cluster(group: Sequence[LogEvent], window: tuple[float, float], buckets: int) -> Cluster:
    times = [event.time for event in group if event.time is not None]
    newest = max(group, key=lambda event: event.time or 0.0)
    requests: dict[str, None] = {}
    for event in group:
        if event.request is not None:
            requests.setdefault(event.request)
            if len(requests) == _PATHS:
                break
    return Cluster(
        program=newest.program,
        symptom=newest.symptom,
        meaning=newest.meaning,
        phase=newest.phase,
        errno=newest.errno,
        upstream=newest.upstream,
        server=newest.server,
        causes=newest.causes,
        count=len(group),
        first=min(times, default=None),
        last=max(times, default=None),
        sample=newest.line,
        requests=tuple(requests),
        histogram=histogram(times, window, buckets),
        target=newest.target,
        connections=len({(event.pid, event.connection) for event in group if event.connection is not None}),
    )


def histogram(times: Iterable[float], window: tuple[float, float], buckets: int = BUCKETS) -> tuple[int, ...]:
    """How many of the times fall into each equal part of the window; a time outside is not counted."""
    start, end = window
    counts = [0] * max(buckets, 1)
    width = (end - start) / len(counts)
    for time in times:
        if not start <= time <= end:
            continue
        counts[min(int((time - start) / width), len(counts) - 1) if width > 0 else len(counts) - 1] += 1
    return tuple(counts)
