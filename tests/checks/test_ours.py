"""The walk's own request is told from a visitor's by time, request and connection."""

from __future__ import annotations

import asyncio

from msgspec.structs import replace

from tests.checks.asking import CONFIG, LOG, NOW, FakeAsker, log_of, logged, replied, subject_of
from tests.checks.subjects import subject
from wizard.checks.logged import log, route_log
from wizard.checks.ours import WINDOW, lately, with_own, without_own
from wizard.checks.registry import Scope
from wizard.host.questions import LogTail, ReadLog, Replied, Request
from wizard.model import LogEvent, Route, Server

ROUTE = subject(Server("127.0.0.1:8000")).route
ANSWER = Replied(502, "Bad Gateway", (), b"", 0, 100, "complete", 0.1, 0.1)
OWN = LogEvent("nginx", "connect-refused", "refused", time=NOW, pid=11, connection=9, request="GET / HTTP/1.1")


def left(*events: LogEvent) -> list[LogEvent]:
    assert ROUTE is not None
    return list(asyncio.run(without_own(events, ROUTE, FakeAsker({Request: ANSWER}))))


def test_the_last_connection_with_the_same_request_is_its_own() -> None:
    visitor = replace(OWN, connection=7)
    assert left(visitor, OWN) == [visitor]


def test_all_lines_of_its_own_request_are_left_out() -> None:
    assert left(replace(OWN, upstream="127.0.0.1:8001"), OWN) == []


def test_another_request_and_another_time_are_somebody_elses() -> None:
    other = replace(OWN, request="POST / HTTP/1.1")
    before = replace(OWN, time=NOW - 60)
    assert left(other, before) == [other, before]


def test_a_line_of_the_second_before_is_somebody_elses_though_its_own_is_not_there_yet() -> None:
    visitor = replace(OWN, time=NOW - 1)
    assert left(visitor) == [visitor]


TOO_BIG = logged(
    "upstream sent too big header while reading response header from upstream", upstream="http://127.0.0.1:8000/"
)
SITE = """events { }
http { server { listen 80; server_name shop.example; location / { proxy_pass http://127.0.0.1:8000; } } }
"""


def said(status: int) -> tuple[str, str]:
    """What the log says of the route and of its server where its window was read before the walk's request was made."""

    def read(question: ReadLog) -> LogTail:
        return log_of(TOO_BIG) if question.since == WINDOW else log_of()

    asker = FakeAsker({Request: replied(status), ReadLog: read}, {CONFIG: SITE})

    async def run() -> tuple[str, str]:
        about = await subject_of(asker, "http://shop.example/")
        assert about.route is not None
        server = replace(about, scope=Scope.SERVER, server=Server("127.0.0.1:8000"))
        return (await route_log(about, asker)).outcome, (await log(server, asker)).outcome

    return asyncio.run(run())


def test_what_a_failed_request_left_in_the_log_counts_though_the_log_was_read_before_it_was_made() -> None:
    assert said(502) == ("header-too-big", "header-too-big")


def test_after_a_request_that_went_well_the_log_is_not_read_once_more() -> None:
    assert said(200) == ("quiet", "quiet")


def test_lines_that_were_read_before_count_once() -> None:
    assert ROUTE is not None
    asker = FakeAsker({Request: ANSWER, ReadLog: log_of(TOO_BIG)})
    events = asyncio.run(_lately(ROUTE, asker))
    assert len(events) == 1
    events = (replace(events[0], line=""),)
    assert asyncio.run(with_own(events, ROUTE, LOG, asker)) == events


async def _lately(route: Route, asker: FakeAsker) -> tuple[LogEvent, ...]:
    found = await lately(route, LOG, asker)
    assert isinstance(found, tuple)
    return found
