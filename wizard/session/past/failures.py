"""The failures that the gateway logged, as moments: the first and the last of each burst, with how many they were.

Owns how a burst is told in a line. May not know which burst is the fault.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from wizard.checks.registry import UNKNOWN
from wizard.host.questions import LogTail
from wizard.logs.bursts import Burst, Counts, bursts, counted
from wizard.logs.error_log import read_error_log
from wizard.model import LogEvent
from wizard.session.bearing import WORKING
from wizard.session.past.scene import Kind, Moment, Scene
from wizard.text import one_line

SOURCE = "error log"
_LARGEST = 1 << 20  # bytes of a log that are read here; a walk that is over has written down what it told
_OF_THE_GATEWAY = frozenset(
    {
        "name-not-resolved-at-start", "configuration-refused", "configuration-test-failed", "module-missing",
        "port-in-use", "listen-failed", "worker-cannot-start", "tls-key-unreadable",
    }
)  # fmt: skip


def logged(scene: Scene) -> tuple[tuple[Burst, ...], Counts | None]:
    """The bursts of failures of the path, and how many there were over the time that was read."""
    if scene.recalled.counts is not None:
        return scene.recalled.bursts, scene.recalled.counts
    wanted = {one.logs.error for one in scene.routes if one.logs is not None and one.logs.error}
    found: dict[str, LogEvent] = {}  # a log may have been read for several windows
    since = 0.0
    for question, answer in scene.logs():
        if question.path in wanted:
            found.update((one.line, one) for one in read_error_log(_end_of(answer)) if of_path(one, scene))
            since = max(since, question.since)
    counts = counted(found.values(), start=scene.started - since, until=scene.started) if found else None
    return bursts(found.values(), until=scene.started), counts


def _end_of(tail: LogTail) -> LogTail:
    start = len(tail.content) - _LARGEST
    return tail if start <= 0 else msgspec.structs.replace(tail, content=tail.content[start:])


def of_failures(scene: Scene) -> Iterator[Moment]:
    """The bursts as moments, what the gateway said of its own configuration, and what this walk met itself."""
    for one in logged(scene)[0]:
        if one.symptom in _OF_THE_GATEWAY:
            what = one_line(f"the gateway said: {one.meaning}")
            yield Moment(one.first, what, SOURCE, Kind.FAILURE, one.symptom, 84)
        else:
            yield from _burst(one)
    for step in scene.steps:
        if step.check == "request" and step.outcome not in {*WORKING, UNKNOWN}:
            status = step.values.get("status")
            met = f"met {status}" if isinstance(status, int) and status else "got no answer"
            where = f" at {step.subject}" if len(scene.routes) > 1 else ""
            what = one_line(f"this walk {met}{where}")
            yield Moment(step.at, what, "this walk", Kind.MET, step.subject, 88)
        if step.check == "held-address" and step.outcome == "differs":
            what = one_line(step.summary.rstrip("."))
            yield Moment(step.at, what, "name lookup", Kind.NAME, step.subject, 70)


def _burst(one: Burst) -> Iterator[Moment]:
    about = one.upstream or ""
    words = f"'{one.symptom.replace('-', ' ')}'" + (f" from {about}" if about else "")
    first = f"first of {one.count} {words}" if one.count > 1 else f"the only {words}"
    if one.older:
        first = f"{one.count} {words} from here on, and earlier ones that were not read"
    yield Moment(one.first, one_line(first), SOURCE, Kind.ERROR, about, 60, one)
    if one.last > one.first:
        yield Moment(one.last, one_line(f"last of {one.count} {words}"), SOURCE, Kind.ERROR, about, 35)


def of_path(event: LogEvent, scene: Scene) -> bool:
    """Whether a failure is one of the walked routes: of their virtual hosts and, where it names one, of their servers."""
    names = {one.virtual_host.name.lower() for one in scene.routes}
    if event.server and event.server.lower() not in names:
        return False
    return event.upstream is None or not scene.servers or scene.by_name or event.upstream in scene.servers
