"""The Logs screen as values: what the gateway, the units and the kernel wrote about this path, merged by time.

Owns which lines are about the path, the order, and which of them decides. Pure: only the recorded answers of a session
are looked at, nothing is asked.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Iterator, Sequence

import msgspec

from wizard.host.questions import LogTail, StampKind
from wizard.logs.error_log import read_error_log
from wizard.logs.packages import is_log
from wizard.logs.stamps import Clock
from wizard.session.past.failures import of_path
from wizard.session.past.scene import Kind, Moment, Scene
from wizard.session.past.units import journal_lines, kills, unit_states
from wizard.session.session import Session
from wizard.session.timeline import Timeline, timeline
from wizard.text import Visible, one_line, visible
from wizard.views.words import clock

MOST = 1500  # lines; those that are nearest to the decisive one
KERNEL = "kernel"
_NEAR = 600.0  # seconds before the first error in which an end of a unit may have led to it
_LARGE = 1 << 19  # bytes of a log
_MAX_LINE = 4000
_REQUESTS = re.compile(r"access|requests?[._-]", re.IGNORECASE)
_PROGRAMS = frozenset({StampKind.NONE, StampKind.ISO})
_TELLING = (Kind.WORDS, Kind.MEMORY, Kind.FAILURE, Kind.UNIT)
_ENDS = 80  # the weight of a unit's end; a restart weighs less


class LogLine(msgspec.Struct, frozen=True):
    """One line: when (epoch; None: it carries no time), on the host's clock, who wrote it, and what it says.

    `about` names the unit or upstream, `of_gateway` says that it stands in the gateway's log. `decisive` marks the line that tells most, `first_error` where the fault began.
    """

    at: float | None
    time: Visible
    source: Visible
    text: Visible
    about: str = ""
    of_gateway: bool = False
    decisive: bool = False
    first_error: bool = False


class LogView(msgspec.Struct, frozen=True):
    """The lines in the order of time, who wrote any, the line to look at first, and what may be missing."""

    lines: tuple[LogLine, ...] = ()
    sources: tuple[Visible, ...] = ()
    cursor: int = 0
    note: Visible = Visible("")


def log_view(session: Session | None, causes: Sequence[str] = ()) -> LogView:
    """The lines of a session that are about the walked path.

    Args:
        session: what was recorded so far; None: nothing was walked.
        causes: the ids of the causes, best first: they tell which failure is the fault.
    """
    scene = Scene.of(session) if session is not None else None
    if session is None or scene is None or not scene.routes:
        return LogView(note=Visible("No path was walked yet, so no line is known to be about it."))
    lines = sorted(_all(scene), key=_order)
    if not lines:
        return LogView(note=Visible("Nothing was logged about this path in the time that was read."))
    lines, cursor = _marked(lines, timeline(session, causes))
    start = max(0, min(cursor - MOST // 2, len(lines) - MOST))
    kept = tuple(lines[start : start + MOST])
    note = f"{len(lines) - len(kept)} lines farther away are left out." if len(kept) < len(lines) else ""
    sources = tuple(dict.fromkeys(one.source for one in kept))
    return LogView(kept, sources, cursor - start, Visible(note))


def _order(one: LogLine) -> tuple[bool, int, bool, float]:
    """By time; the gateway's lines, which count whole seconds, last within theirs. What has no time comes at the end."""
    at = one.at or 0.0
    return one.at is None, int(at // 1), one.of_gateway, at


def matches(lines: Iterable[LogLine], wanted: str) -> tuple[int, ...]:
    """The lines that hold a text, whatever its case; none for an empty text."""
    sought = wanted.casefold()
    return tuple(index for index, one in enumerate(lines) if sought and sought in f"{one.source} {one.text}".casefold())


def log_lines(view: LogView, around: int = 12) -> tuple[Visible, ...]:
    """The lines near the decisive one, for the plain mode."""
    near = view.lines[max(0, view.cursor - around) : view.cursor + around + 1]
    said = [Visible(f"{_mark(one)}{one.time or '--:--:--'} {one.source}: {one.text}") for one in near]
    return (*said, *([view.note] if view.note else []))


def _mark(one: LogLine) -> str:
    if one.decisive:
        return "decisive: "
    return "first error: " if one.first_error else ""


# --- the lines ------------------------------------------------------------------------------------------------


def _all(scene: Scene) -> Iterator[LogLine]:
    began = min((one.first for one in scene.recalled.bursts), default=None)
    yield from _gateway(scene, began)
    yield from _journal(scene)
    yield from _own_files(scene)


def _gateway(scene: Scene, began: float | None) -> Iterator[LogLine]:
    """The gateway's error log: what is about the path's virtual hosts and servers, and what is about no request."""
    seen: set[str] = set()  # a log may have been read for several windows
    for question, tail in scene.logs():
        if question.stamp is not StampKind.NGINX_ERROR:
            continue
        for event in read_error_log(_around(tail, began), everything=True):
            if event.line not in seen and of_path(event, scene):
                seen.add(event.line)
                line = _line(event.time, event.program, event.line, scene, event.upstream or "")
                yield msgspec.structs.replace(line, of_gateway=True)


def _around(tail: LogTail, began: float | None) -> LogTail:
    """Of a large log what was written from shortly before the first failure on, and its end."""
    content, start = tail.content, max(0, len(tail.content) - _LARGE)
    if not start:
        return tail
    if began is not None:
        stamp = time.strftime("%Y/%m/%d %H:%M:%S", time.gmtime(began + tail.utc_offset)).encode()
        found = content.find(stamp)
        begin = max(0, found - _LARGE // 2) if found >= 0 else start
        content = content[begin : begin + _LARGE] + b"\n" + content[max(begin + _LARGE, len(content) - _LARGE // 4) :]
    else:
        content = content[start:]
    return msgspec.structs.replace(tail, content=content)


def _journal(scene: Scene) -> Iterator[LogLine]:
    """What the path's units said, what systemd said of them, and the kernel's lines about kills that they felt."""
    units = (*scene.units, *scene.gateway_units)
    lines = journal_lines(scene)
    for line in lines:
        if line.unit in units:
            yield _line(line.time, "systemd" if line.from_manager else line.unit, line.message, scene, line.unit)
    for kill, own in kills(scene, lines, unit_states(scene)):
        yield _line(kill.time, KERNEL, kill.line, scene, own or kill.task)


def _own_files(scene: Scene) -> Iterator[LogLine]:
    """The logs that the programs behind the gateway write themselves; a line without a stamp is as old as the one above."""
    for question, tail in scene.logs():
        name = question.path.rpartition("/")[2]
        if question.stamp not in _PROGRAMS or _REQUESTS.search(name) or is_log(question.path):
            continue
        reader, at = Clock(tail.utc_offset, tail.mtime), None
        for raw in tail.content.split(b"\n"):
            text = raw[:_MAX_LINE].decode("utf-8", "backslashreplace")
            if text.strip():
                at = reader.read(text.lstrip("[ ")[:40]) or at
                yield _line(at, name, text, scene)


def _line(at: float | None, source: str, text: str, scene: Scene, about: str = "") -> LogLine:
    said = visible(text.strip(), limit=_MAX_LINE).replace("\n", " | ")
    when = clock(at, scene.utc_offset, seconds=True) if at is not None else Visible("")
    return LogLine(at, when, one_line(source, limit=40), Visible(said), about)


# --- which one decides ----------------------------------------------------------------------------------------


def _marked(lines: list[LogLine], found: Timeline) -> tuple[list[LogLine], int]:
    """The lines with their marks, and where to look first: the decisive one, else the first error, else the last."""
    error = found.moments[found.first_error] if found.first_error is not None else None
    first = _place(lines, error)
    decisive = next((place for one in _candidates(found, error) if (place := _place(lines, one)) is not None), first)
    if first is not None:
        lines[first] = msgspec.structs.replace(lines[first], first_error=True)
    if decisive is None:
        return lines, len(lines) - 1
    lines[decisive] = msgspec.structs.replace(lines[decisive], decisive=True)
    return lines, decisive


def _candidates(found: Timeline, error: Moment | None) -> list[Moment]:
    """What a unit said or what became of it shortly before the first error, the most telling first.

    In a loop of crashes the words of the latest round may stand behind the first error.
    """
    if error is None:
        return []
    near = [
        one
        for one in found.moments
        if one.kind in _TELLING and abs(error.at - one.at) <= _NEAR and (one.kind is Kind.WORDS or one in found.before)
        if one.kind is not Kind.UNIT or one.weight >= _ENDS
    ]
    return sorted(near, key=lambda one: (_TELLING.index(one.kind), -one.at))


def _place(lines: Sequence[LogLine], moment: Moment | None) -> int | None:
    """The line that a moment was read from."""
    if moment is None:
        return None
    same = [n for n, one in enumerate(lines) if one.at == moment.at and one.about == moment.about]
    exact = [n for n in same if lines[n].text in moment.what or moment.what.endswith(lines[n].text)]
    return next(iter([*exact, *same]), None)
