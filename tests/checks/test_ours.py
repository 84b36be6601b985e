"""The walk's own request is told from a visitor's by time, request and connection."""

from __future__ import annotations

import asyncio

from msgspec.structs import replace as altered

from tests.checks.asking import NOW, FakeAsker
from tests.checks.subjects import subject
from wizard.checks.ours import without_own
from wizard.host.questions import Replied, Request
from wizard.model import LogEvent, Server

ROUTE = subject(Server("127.0.0.1:8000")).route
ANSWER = Replied(502, "Bad Gateway", (), b"", 0, 100, "complete", 0.1, 0.1)
OWN = LogEvent("nginx", "connect-refused", "refused", time=NOW, pid=11, connection=9, request="GET / HTTP/1.1")


def left(*events: LogEvent) -> list[LogEvent]:
    assert ROUTE is not None
    return list(asyncio.run(without_own(events, ROUTE, FakeAsker({Request: ANSWER}))))


def test_the_last_connection_with_the_same_request_is_its_own() -> None:
    visitor = altered(OWN, connection=7)
    assert left(visitor, OWN) == [visitor]


def test_all_lines_of_its_own_request_are_left_out() -> None:
    assert left(altered(OWN, upstream="127.0.0.1:8001"), OWN) == []


def test_another_request_and_another_time_are_somebody_elses() -> None:
    other = altered(OWN, request="POST / HTTP/1.1")
    before = altered(OWN, time=NOW - 60)
    assert left(other, before) == [other, before]


def test_a_line_of_the_second_before_is_somebody_elses_though_its_own_is_not_there_yet() -> None:
    visitor = altered(OWN, time=NOW - 1)
    assert left(visitor) == [visitor]
