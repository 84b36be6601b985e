"""The watch after a repair: the visitor's request once a second, good and bad answers counted, until a minute is over.

Owns its pace and what counts. May not know screens. It asks what the walk's own `request` asks, so "good" means the
same; a next request is made when the last one has come back, so that a slow application gets no queue from here.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import TypeVar, cast

import msgspec
from msgspec.structs import replace

from wizard.checks.logged import events_of, of_route
from wizard.checks.registry import TIMEOUT, Asker, Finding, Subject
from wizard.checks.request import request
from wizard.checks.survey import Gateway
from wizard.checks.visitor import entrance, request_for
from wizard.host.port import Host, Reply
from wizard.host.questions import Ask, Request
from wizard.model import LogEvent, Route
from wizard.session.bearing import WORKING
from wizard.session.events import Watched
from wizard.walk.asker import Shared, WalkAsker

A = TypeVar("A")

SECONDS = 60.0
PACE = 1.0
LOOK_AT_LOG = 5.0  # seconds between two looks at the gateway's log
MOST_FAILURES = 5

Tell = Callable[[Watched], None]


class _Turn(msgspec.Struct):
    """Asks for the check, so that each turn is a question of its own."""

    host: Host
    turn: int
    since: float = 0.0
    timeout: float = TIMEOUT

    async def ask(self, question: Ask[A]) -> Reply[A]:
        return await self.host.ask(cast("Ask[A]", _in_turn(question, self.turn)))

    async def once(self, name: str, make: Callable[[Asker], Awaitable[A]]) -> A:
        del name
        return await make(self)


def _in_turn(question: object, turn: int) -> object:
    return replace(question, turn=turn) if isinstance(question, Request) else question


async def watch(
    host: Host,
    subject: Subject,
    gateway: Gateway | None,
    tell: Tell,
    clock: Callable[[], float],
    *,
    attempt: int = 1,
    seconds: float = SECONDS,
) -> None:
    """Watch one route, and tell after each answer what was counted so far.

    Args:
        host: who is asked; its replies are not kept.
        subject: the route.
        gateway: whose error log is read beside; None: none is.
        tell: is given the count. The last one of a watch that was not cancelled has `ended` complete.
        clock: seconds since the epoch.
        attempt: of the walk that this watch belongs to.
        seconds: how long.
    """
    loop = asyncio.get_running_loop()
    start, begun = loop.time(), clock()
    seen = Watched(begun, 0.0, subject.url or subject.key, 0, 0, ended="stopped", attempt=attempt)
    looked, turn = start, 0
    while (spent := loop.time() - start) < seconds:
        turn += 1
        finding = await request(subject, _Turn(host, turn))
        seen = replace(_counted(seen, finding), seconds=loop.time() - start)
        if loop.time() - looked >= LOOK_AT_LOG:
            looked = loop.time()
            seen = await _with_log(seen, host, subject, gateway, begun)
        tell(seen)
        next_turn = min(seconds, (spent // PACE + 1) * PACE)
        await asyncio.sleep(max(0.0, start + next_turn - loop.time()))
    seen = await _with_log(seen, host, subject, gateway, begun)
    tell(replace(seen, seconds=loop.time() - start, ended="complete"))


def _counted(seen: Watched, finding: Finding) -> Watched:
    if finding.outcome in WORKING:
        return replace(seen, good=seen.good + 1)
    word = str(finding.values.get("status") or finding.outcome.replace("-", " "))
    wrong = dict(Counter(seen.wrong) + Counter({word: 1}))
    failures = tuple(dict.fromkeys((*seen.failures, finding.summary)))[:MOST_FAILURES]
    return replace(seen, bad=seen.bad + 1, wrong=wrong, failures=failures)


async def _with_log(seen: Watched, host: Host, subject: Subject, gateway: Gateway | None, begun: float) -> Watched:
    route = subject.route
    if route is None or gateway is None:
        return seen
    asker = WalkAsker(host, seen.seconds + 2.0, Shared())
    events = await events_of(gateway, route.logs.error if route.logs else None, asker)
    return replace(seen, logged=others(events, route, begun, seen.bad)) if isinstance(events, tuple) else seen


def others(events: tuple[LogEvent, ...], route: Route, begun: float, own: int) -> int:
    """How many requests of others failed by the log.

    Args:
        events: of the gateway's error log.
        route: what is watched.
        begun: when the watch began. A log has whole seconds, so what was logged in that second is left out.
        own: how many of the watch's own requests failed; as many that look like them are taken out.
    """
    asked = request_for(route)
    line = f"GET {asked.target} HTTP/1.1" if asked is not None else ""
    address = entrance(route)
    ours = {"127.0.0.1", "::1", "unix:", str(address.ip) if address is not None and address.ip is not None else ""}
    alike: set[object] = set()
    other: set[object] = set()
    for number, event in enumerate(events):
        if event.time is None or event.time < int(begun) + 1 or not of_route(event, route):
            continue
        # A request that was tried on several servers has a line for each, all of one connection.
        key = (event.pid, event.connection) if event.connection is not None else number
        (alike if event.request == line and (event.client or "") in ours else other).add(key)
    return len(other) + max(0, len(alike) - own)
