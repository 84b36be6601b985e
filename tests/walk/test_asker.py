"""What a check gets to ask with: evidence is complete, and what is costly is made once."""

from __future__ import annotations

import asyncio

import pytest

from tests.walk.acting import NoHost
from wizard.checks.registry import Asker
from wizard.host.questions import Clock, Identity
from wizard.walk.asker import Shared, WalkAsker


def test_everything_asked_becomes_evidence_once_and_in_order() -> None:
    host = NoHost()
    asker = WalkAsker(host, 900.0, Shared())

    async def asking() -> None:
        await asker.ask(Clock())
        await asker.ask(Identity())

    asyncio.run(asking())
    assert asker.numbers == [1, 2]


def test_what_is_shared_is_made_once_and_is_evidence_of_all() -> None:
    host, shared = NoHost(), Shared()
    made: list[int] = []

    async def make(asker: Asker) -> str:
        await asker.ask(Clock())
        made.append(1)
        await asyncio.sleep(0)
        return "tree"

    async def both() -> None:
        first, second = WalkAsker(host, 900.0, shared), WalkAsker(host, 900.0, shared)
        got = await asyncio.gather(first.once("tree", make), second.once("tree", make))
        assert set(got) == {"tree"}
        assert first.numbers == second.numbers == [1]

    asyncio.run(both())
    assert made == [1]


def test_one_who_gives_up_does_not_end_it_for_the_others() -> None:
    host, shared = NoHost(), Shared()
    gate = asyncio.Event()

    async def make(asker: Asker) -> str:
        await asker.ask(Clock())
        await gate.wait()
        return "tree"

    async def one_leaves() -> str:
        first, second = WalkAsker(host, 900.0, shared), WalkAsker(host, 900.0, shared)
        leaving = asyncio.ensure_future(first.once("tree", make))
        staying = asyncio.ensure_future(second.once("tree", make))
        await asyncio.sleep(0)
        leaving.cancel()
        gate.set()
        return await staying

    assert asyncio.run(one_leaves()) == "tree"


def test_a_defect_is_everybodys() -> None:
    shared = Shared()

    async def make(asker: Asker) -> str:
        raise ValueError(f"broken for {type(asker).__name__}")

    async def both() -> None:
        for _ in range(2):
            with pytest.raises(ValueError, match="broken"):
                await WalkAsker(NoHost(), 900.0, shared).once("tree", make)

    asyncio.run(both())


def test_what_was_not_finished_is_made_again_when_the_walk_goes_on() -> None:
    shared = Shared()
    tries: list[int] = []

    async def make(asker: Asker) -> int:
        del asker
        tries.append(1)
        if len(tries) == 1:
            await asyncio.Event().wait()
        return len(tries)

    async def interrupted() -> int:
        asker = WalkAsker(NoHost(), 900.0, shared)
        waiting = asyncio.ensure_future(asker.once("tree", make))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        shared.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        shared.drop_unfinished()
        return await asker.once("tree", make)

    assert asyncio.run(interrupted()) == 2
