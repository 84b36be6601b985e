"""The first glance: gateways, what fails, and what could not be read."""

from __future__ import annotations

import asyncio

from tests.tui.fake import ERROR, NOW, FakeHost, Story, library
from wizard.walk.glance import Glance
from wizard.walk.runner import Options
from wizard.walk.sitting import Sitting


def glanced(host: FakeHost) -> Glance:
    return asyncio.run(Sitting(host, library(), Story().checks(), Options()).look())


def test_what_fails_is_counted_with_its_times() -> None:
    seen = glanced(FakeHost())
    (one,) = seen.failing
    assert (one.url, one.upstream, one.word, one.symptom) == (
        "http://shop.example/cart",
        "127.0.0.1:8000",
        "connect-failed",
        "connect-refused",
    )
    assert (one.status, one.count) == (502, 27)
    assert one.last == NOW - 2
    assert sum(one.histogram) == 27


def test_what_fails_most_comes_first() -> None:
    other = ERROR.format(second=30, number=99).replace("127.0.0.1:8000", "127.0.0.1:9000")
    many = "".join(ERROR.format(second=second, number=second) for second in range(3))
    seen = glanced(FakeHost(log=(many + other).encode()))
    assert [(one.upstream, one.count) for one in seen.failing] == [("127.0.0.1:8000", 3), ("127.0.0.1:9000", 1)]


def test_a_timeout_is_a_504() -> None:
    line = ERROR.format(second=1, number=1).replace(
        "connect() failed (111: Connection refused)", "upstream timed out (110: Connection timed out)"
    )
    (one,) = glanced(FakeHost(log=line.encode())).failing
    assert one.status == 504


def test_the_gateway_is_named_with_its_configuration() -> None:
    seen = glanced(FakeHost())
    assert [(one.instance.pid, one.configuration) for one in seen.gateways] == [(812, "read")]
    assert seen.routes == ("http://shop.example/cart",)
    assert seen.problem is None


def test_a_log_that_is_no_file_is_said_to_be_unread() -> None:
    host = FakeHost()
    host.config = host.config.replace(b"/var/log/nginx/error.log", b"syslog:server=unix:/dev/log")
    seen = glanced(host)
    assert seen.failing == ()
    assert len(seen.unread) == 1


def test_without_a_gateway_there_is_a_problem_with_a_way_on() -> None:
    seen = glanced(FakeHost(nginx=False))
    assert seen.gateways == ()
    assert seen.problem is not None
    assert seen.problem.hint
