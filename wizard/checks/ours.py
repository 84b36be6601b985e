"""Which lines of a gateway's log are about the walk's own request.

Owns the telling apart. May not know what a line means. nginx's error log names no User-Agent, so its lines are told apart
by the time at which the request was made, by the request line and Host, and by the connection: the same request may have
been made by somebody else a second before.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from wizard.checks.registry import Asker
from wizard.checks.visitor import request_for
from wizard.host.port import Reply
from wizard.host.questions import NotAnswered, NotReplied, Replied, Request
from wizard.model import LogEvent, Route


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
