"""Which lines of a gateway's log are about the walk's own request.

Owns the telling apart. May not know what a line means. nginx's error log names no User-Agent, so its lines are told apart
by the time at which the request was made, by the request line and Host, and by the connection: the same request may have
been made by somebody else a second before. A log that was read while the request was made may lack its lines, so what
was written since is read once more.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from functools import partial

from wizard.checks.registry import Asker
from wizard.checks.visitor import request_for
from wizard.host.port import Reply
from wizard.host.questions import LogTail, NotAnswered, NotReplied, ReadLog, Replied, Request, StampKind
from wizard.host.threads import beside
from wizard.logs.error_log import read_error_log
from wizard.model import LogEvent, Route

WINDOW = 150.0  # seconds: longer than any request of a walk
MAX_LOG = 4 << 20
_SERVER_ERROR = 500


def timely(
    events: Iterable[LogEvent], made: Reply[Replied | NotReplied] | Reply[Replied | NotReplied | NotAnswered]
) -> list[LogEvent]:
    """The lines of the time at which a request was made; times in the log are whole seconds."""
    began, ended = math.floor(made.at) - 1.0, made.at + made.seconds + 1.0
    return [one for one in events if one.time is not None and began <= one.time <= ended]


def about(event: LogEvent, question: Request) -> bool:
    """Whether a line is about a request like this one."""
    host = next((value for name, value in question.headers if name.lower() == "host"), "")
    line = f"{question.method} {question.target} HTTP/{question.version}"
    return event.request == line and (event.host is None or event.host.lower() == host.lower())


def latest(events: Sequence[LogEvent]) -> list[LogEvent]:
    """The lines of the last connection."""
    return [one for one in events if (one.pid, one.connection) == (events[-1].pid, events[-1].connection)]


async def lately(route: Route, path: str, asker: Asker) -> tuple[LogEvent, ...] | NotAnswered:
    """The failures of the last minutes in a gateway's error log. Ask once the request is answered: its lines are there then."""

    async def make(inner: Asker) -> tuple[LogEvent, ...] | NotAnswered:
        tail = (await inner.ask(ReadLog(path, WINDOW, StampKind.NGINX_ERROR, MAX_LOG, route.gateway.within))).answer
        if not isinstance(tail, LogTail):
            return tail
        return await beside(len(tail.content), partial(read_error_log, tail))

    return await asker.once(f"lately {route.gateway.pid} {path}", make)


async def with_own(events: tuple[LogEvent, ...], route: Route, path: str, asker: Asker) -> tuple[LogEvent, ...]:
    """The lines with those about a request of this walk that failed, where they were read before it was made."""
    question = request_for(route, asker.timeout)
    if question is None:
        return events
    made = await asker.ask(question)
    if isinstance(made.answer, Replied) and made.answer.status < _SERVER_ERROR:
        return events
    written = await lately(route, path, asker)
    if isinstance(written, NotAnswered):
        return events
    known = {_what(one) for one in timely(events, made)}
    return (*events, *(one for one in timely(written, made) if _what(one) not in known))


def _what(event: LogEvent) -> tuple[object, ...]:
    """What tells one line of nginx from another: of two reads one may have kept the line itself."""
    return event.time, event.pid, event.connection, event.symptom, event.errno, event.upstream, event.target


async def without_own(events: Sequence[LogEvent], route: Route, asker: Asker) -> tuple[LogEvent, ...]:
    """The lines without those about the request that this walk made to the gateway."""
    question = request_for(route, asker.timeout)
    if question is None or not events:
        return tuple(events)
    made = await asker.ask(question)
    # The log may have been read before the request was made: nothing older than it is taken for its own.
    began = math.floor(made.at)
    own = [one for one in timely(events, made) if about(one, question) and one.time is not None and one.time >= began]
    mine = {id(one) for one in latest(own)} if own else set()
    return tuple(one for one in events if id(one) not in mine)
