from __future__ import annotations

import asyncio
import threading

import pytest

from wizard.host.live import host as live
from wizard.host.live.host import By, LiveHost
from wizard.host.questions import (
    Clock,
    Identity,
    Me,
    NotAnswered,
    ReadFile,
    Request,
    Resolve,
    Run,
    Stat,
    Told,
    Why,
)


class Script:
    """An answerer that counts, and answers when it is told to."""

    def __init__(self) -> None:
        self.asked: list[object] = []
        self.cancelled = 0
        self.go = asyncio.Event()

    async def __call__(self, question: object) -> Told:
        self.asked.append(question)
        try:
            await self.go.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        return Told(now=float(len(self.asked)), boot=0.0, utc_offset=0)


def test_the_same_question_is_asked_once_and_its_reply_shared() -> None:
    async def scenario() -> None:
        script = Script()
        host = LiveHost({Clock: script})
        asking = [asyncio.create_task(host.ask(Clock())) for _ in range(3)]
        await asyncio.sleep(0)
        script.go.set()
        first, *others = await asyncio.gather(*asking)
        assert all(other is first for other in others)
        assert await host.ask(Clock()) is first
        assert len(script.asked) == 1
        assert (first.number, first.evidence, first.attempt) == (1, "e1", 1)

    asyncio.run(scenario())


def test_a_new_attempt_asks_again_and_counts_on() -> None:
    async def scenario() -> None:
        script = Script()
        script.go.set()
        host = LiveHost({Clock: script})
        before = await host.ask(Clock())
        assert host.new_attempt() == 2
        after = await host.ask(Clock())
        assert (before.number, before.attempt) == (1, 1)
        assert (after.number, after.attempt) == (2, 2)
        assert len(script.asked) == 2

    asyncio.run(scenario())


def test_an_answer_that_comes_after_a_new_attempt_began_belongs_to_the_old_one() -> None:
    async def scenario() -> None:
        script = Script()
        host = LiveHost({Clock: script})
        old = asyncio.create_task(host.ask(Clock()))
        await asyncio.sleep(0)
        host.new_attempt()
        new = asyncio.create_task(host.ask(Clock()))
        await asyncio.sleep(0)
        script.go.set()
        assert (await old).attempt == 1
        assert (await new).attempt == 2
        assert len(script.asked) == 2

    asyncio.run(scenario())


def test_replies_are_numbered_in_the_order_of_asking() -> None:
    async def scenario() -> None:
        gates = {name: asyncio.Event() for name in ("a", "b", "c")}

        async def answer(question: Resolve) -> NotAnswered:
            await gates[question.name].wait()
            return NotAnswered(Why.FAILED, question.name)

        host = LiveHost({Resolve: answer})
        asking = [asyncio.create_task(host.ask(Resolve(name))) for name in "abc"]
        for name in "cba":
            await asyncio.sleep(0)
            gates[name].set()
        assert [reply.number for reply in await asyncio.gather(*asking)] == [1, 2, 3]

    asyncio.run(scenario())


def test_one_caller_that_goes_does_not_take_the_answer_from_the_others() -> None:
    async def scenario() -> None:
        script = Script()
        host = LiveHost({Clock: script})
        leaver, stayer = (asyncio.create_task(host.ask(Clock())) for _ in range(2))
        await asyncio.sleep(0)
        leaver.cancel()
        with pytest.raises(asyncio.CancelledError):
            await leaver
        script.go.set()
        assert isinstance((await stayer).answer, Told)
        assert script.cancelled == 0

    asyncio.run(scenario())


def test_work_for_which_nobody_waits_is_cancelled_and_may_be_asked_again() -> None:
    async def scenario() -> None:
        script = Script()
        host = LiveHost({Clock: script})
        asking = [asyncio.create_task(host.ask(Clock())) for _ in range(2)]
        await asyncio.sleep(0.01)
        for task in asking:
            task.cancel()
        await asyncio.gather(*asking, return_exceptions=True)
        await asyncio.sleep(0.01)
        assert script.cancelled == 1
        script.go.set()
        again = await host.ask(Clock())
        assert isinstance(again.answer, Told)
        assert again.number == 2

    asyncio.run(scenario())


def test_a_question_that_hangs_becomes_a_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "GRACE", 0.01)

    async def scenario() -> None:
        script = Script()
        host = LiveHost({Resolve: script})
        reply = await host.ask(Resolve("a", seconds=0.02))
        assert reply.answer == NotAnswered(Why.TIMED_OUT, "no answer within 0.02 s")
        assert script.cancelled == 1
        assert await host.ask(Resolve("a", seconds=0.02)) is reply

    asyncio.run(scenario())


def test_a_blocking_call_that_hangs_holds_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "GRACE", 0.01)
    release = threading.Event()
    monkeypatch.setattr("wizard.host.live.machine.answer_clock", lambda _question: release.wait(20))

    async def scenario() -> None:
        host = LiveHost({Clock: By("wizard.host.live.machine", "answer_clock", blocks=True, seconds=0.02)})
        reply = await host.ask(Clock())
        assert isinstance(reply.answer, NotAnswered)
        assert reply.answer.why is Why.TIMED_OUT

    asyncio.run(scenario())
    release.set()


def test_an_unexpected_error_becomes_an_answer_that_is_shared() -> None:
    calls = 0

    async def answer(_question: Clock) -> Told:
        nonlocal calls
        calls += 1
        raise ValueError("\x1b[31mbroken")

    async def scenario() -> None:
        host = LiveHost({Clock: answer})
        reply = await host.ask(Clock())
        assert reply.answer == NotAnswered(Why.FAILED, "ValueError: \\x1b[31mbroken")
        assert await host.ask(Clock()) is reply
        assert calls == 1

    asyncio.run(scenario())


def test_a_missing_answerer_is_an_answer_too() -> None:
    async def scenario() -> None:
        nowhere = LiveHost({Clock: By("wizard.host.live.nowhere", "answer")})
        reply = await nowhere.ask(Clock())
        assert isinstance(reply.answer, NotAnswered)
        assert reply.answer.why is Why.FAILED
        unknown = await LiveHost({}).ask(Clock())
        assert isinstance(unknown.answer, NotAnswered)

    asyncio.run(scenario())


def test_the_deadline_of_a_request_covers_its_connection() -> None:
    host = LiveHost()
    assert host._seconds(Request("127.0.0.1:1", "/", connect_seconds=2.0, seconds=3.0)) == 5.0
    assert host._seconds(Stat("/")) == live.FILE_SECONDS


def test_questions_of_this_machine_are_answered_side_by_side() -> None:
    async def scenario() -> None:
        host = LiveHost()
        clock, me, passwd, kernel = await asyncio.gather(
            host.ask(Clock()), host.ask(Identity()), host.ask(ReadFile("/etc/passwd")), host.ask(Run(("uname", "-r")))
        )
        assert isinstance(clock.answer, Told)
        assert isinstance(me.answer, Me)
        assert not isinstance(passwd.answer, NotAnswered)
        assert not isinstance(kernel.answer, NotAnswered)
        assert kernel.answer.out.decode().strip() == me.answer.kernel
        assert abs(clock.answer.now - clock.at) < 60
        assert all(reply.seconds >= 0 for reply in (clock, me, passwd))

    asyncio.run(scenario())


def test_own_commands_run_exactly_as_they_are() -> None:
    async def scenario() -> None:
        host = LiveHost(own_commands=[("echo", "mine")])
        mine = await host.ask(Run(("echo", "mine")))
        assert not isinstance(mine.answer, NotAnswered)
        assert mine.answer.out == b"mine\n"
        other = await host.ask(Run(("echo", "mine", "too")))
        assert isinstance(other.answer, NotAnswered)
        assert other.answer.why is Why.REFUSED

    asyncio.run(scenario())
