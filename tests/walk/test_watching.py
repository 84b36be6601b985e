"""The watch: what counts as good, what others met, and that it ends by itself or where it is stopped."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest

from tests.checks.box import CLOSED, server
from tests.tui.fake import NOW, FakeHost, Story, library
from tests.tui.fake import answered as fake_answer
from wizard.host.questions import NotReplied, Replied, Request
from wizard.model import LogEvent
from wizard.session.events import Watched
from wizard.session.session import Session
from wizard.walk import watching
from wizard.walk.plan import Target
from wizard.walk.runner import Options
from wizard.walk.sitting import Sitting
from wizard.walk.watching import others

ROUTE = server().route
CART = Target(url="http://shop.example/cart")


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "PACE", 0.01)


def watched(host: FakeHost, seconds: float = 0.095) -> tuple[Sitting, list[Watched]]:
    sitting = Sitting(host, library(), Story().checks(), Options())
    told: list[Watched] = []

    async def run() -> None:
        await sitting.walk(CART)
        await sitting.watch(told.append, seconds)

    asyncio.run(run())
    return sitting, told


def test_every_answer_is_counted_and_the_last_count_is_kept() -> None:
    turns: list[int] = []

    def reply(question: Request) -> Replied | NotReplied:
        turns.append(question.turn)
        return CLOSED if question.turn == 2 else fake_answer(502 if question.turn == 3 else 200)

    sitting, told = watched(FakeHost(replies=reply))
    last = told[-1]
    assert turns == list(range(1, len(turns) + 1))
    assert (last.good, last.bad, last.wrong) == (len(turns) - 2, 2, {"closed": 1, "502": 1})
    assert last.ended == "complete"
    assert last.url == "http://shop.example/cart"
    assert sitting.events[-1] == last
    assert sitting.report().watched[-1].good == last.good


def test_nothing_of_sixty_replies_is_kept() -> None:
    host = FakeHost()
    sitting, _ = watched(host)
    assert not [reply for reply in sitting.session().asked if isinstance(reply.question, Request)]


def test_a_watch_that_is_stopped_keeps_what_it_saw() -> None:
    sitting = Sitting(FakeHost(), library(), Story().checks(), Options())

    async def run() -> None:
        await sitting.walk(CART)
        seen = asyncio.Event()
        watch = asyncio.create_task(sitting.watch(lambda _: seen.set(), 60.0))
        await seen.wait()
        watch.cancel()
        with suppress(asyncio.CancelledError):
            await watch

    asyncio.run(run())
    last = sitting.events[-1]
    assert isinstance(last, Watched)
    assert (last.ended, last.bad) == ("stopped", 0)
    assert last.good >= 1


def test_a_recording_is_not_watched() -> None:
    session = Session("s", NOW, "0.1.0", "http://shop.example/cart")
    sitting = Sitting(FakeHost(), library(), Story().checks(), Options(), replayed=session)

    async def run() -> None:
        await sitting.walk(CART)
        await sitting.watch(lambda _: None, 0.05)

    asyncio.run(run())
    assert not [event for event in sitting.events if isinstance(event, Watched)]


def test_a_slow_answer_gets_no_queue() -> None:
    at_once, most = 0, 0

    class Slow(FakeHost):
        async def glimpse(self, question):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
            nonlocal at_once, most
            at_once += 1
            most = max(most, at_once)
            await asyncio.sleep(0.03)
            at_once -= 1
            return await super().glimpse(question)

    _, told = watched(Slow())
    assert most == 1
    assert told[-1].good <= 4


# --- what others met --------------------------------------------------------------------------------------------------


def event(at: float, *, client: str = "198.51.100.7", request: str = "GET /cart HTTP/1.1", connection: int | None = 1) -> LogEvent:  # fmt: skip
    return LogEvent(
        "nginx", "connect-refused", "m", time=at, client=client, server="shop.example", request=request,
        pid=10, connection=connection,
    )  # fmt: skip


def counted(*events: LogEvent, own: int = 0) -> int:
    assert ROUTE is not None
    return others(events, ROUTE, 100.4, own)


def test_what_was_logged_before_the_watch_is_not_counted() -> None:
    assert counted(event(100.0), event(101.0)) == 1


def test_a_request_that_was_tried_on_two_servers_counts_once() -> None:
    assert counted(event(102.0), event(103.0)) == 1
    assert counted(event(102.0), event(102.0, connection=2)) == 2


def test_own_failures_are_left_out_and_no_more_than_those() -> None:
    ours = [event(101.0 + n, client="127.0.0.1", request="GET / HTTP/1.1", connection=n) for n in range(3)]
    assert counted(*ours, own=3) == 0
    assert counted(*ours, own=1) == 2
    assert counted(*ours, event(104.0, connection=9), own=3) == 1


def test_another_virtual_host_does_not_count() -> None:
    other = LogEvent("nginx", "connect-refused", "m", time=105.0, client="198.51.100.7", server="api.example")
    assert counted(other) == 0


def test_a_line_without_a_connection_counts_by_itself() -> None:
    assert counted(event(101.0, connection=None), event(101.0, connection=None)) == 2
