"""What steering a walk does to the list of events."""

from __future__ import annotations

import asyncio

from tests.tui.fake import NOW, FakeHost, Story, library
from wizard.checks.registry import Finding
from wizard.session.events import Finished, Started
from wizard.session.session import Session
from wizard.walk.plan import Target
from wizard.walk.runner import Options
from wizard.walk.sitting import Sitting

CART = Target(url="http://shop.example/cart")


def sat(story: Story | None = None, replayed: Session | None = None) -> Sitting:
    return Sitting(FakeHost(), library(), (story or Story()).checks(), Options(), replayed=replayed)


def steps(sitting: Sitting) -> list[str]:
    return [f"{one.check} {one.outcome}" for one in sitting.session().steps()]


def test_a_session_tells_who_asked_what_and_how_it_ended() -> None:
    sitting = sat()
    asyncio.run(sitting.walk(CART))
    session = sitting.session()
    assert session.target == "http://shop.example/cart"
    assert session.me is not None
    assert session.id.endswith(session.id[-4:])
    assert "-web-03-" in session.id
    assert isinstance(session.events[0], Started)
    assert isinstance(session.events[-1], Finished)
    assert session.id == sitting.session().id


def test_back_drops_the_last_step_and_going_on_asks_it_again() -> None:
    story = Story()
    sitting = sat(story)

    async def walk() -> None:
        await sitting.walk(CART)
        assert sitting.back()
        assert steps(sitting)[-1] == "listener absent"
        story.findings["service"] = Finding("running", "It runs.")
        await sitting.go_on()

    asyncio.run(walk())
    assert steps(sitting)[-1] == "service running"
    assert sitting.report().causes == ()


def test_back_before_the_first_step_does_nothing() -> None:
    assert not sat().back()


def test_asking_one_step_anew_leaves_the_others_as_they_were() -> None:
    story = Story()
    sitting = sat(story)

    async def walk() -> None:
        await sitting.walk(CART)
        visit = next(one for walk in sitting.positions() for one in walk.done if one.step.check == "listener")
        story.findings["listener"] = Finding("present", "Somebody listens.")
        sitting.ask_anew(visit)
        await sitting.go_on()

    asyncio.run(walk())
    assert story.asked.count("listener") == 2
    assert story.asked.count("connect") == 1
    assert "listener present" in steps(sitting)


def test_an_overruled_step_leads_another_way_and_keeps_its_observation() -> None:
    sitting = sat()

    async def walk() -> None:
        await sitting.walk(CART)
        visit = next(one for walk in sitting.positions() for one in walk.done if one.step.check == "connect")
        sitting.overrule(visit, "connected")
        await sitting.go_on()

    asyncio.run(walk())
    step = next(one for one in sitting.report().steps if one.check == "connect")
    assert (step.outcome, step.overruled_by) == ("connected", "connected")
    assert step.summary == "Connecting to 127.0.0.1:8000 as www-data: refused."
    assert sitting.report().causes == ()


def test_a_second_walk_is_a_session_of_its_own_that_sees_the_present() -> None:
    sitting = sat()

    async def walk() -> str:
        await sitting.walk(CART)
        first = sitting.session().id
        await sitting.walk(Target())
        return first

    first = asyncio.run(walk())
    assert sitting.session().id != first
    assert sitting.session().target is None
    assert len(steps(sitting)) == 5


def test_a_replayed_session_keeps_its_name_and_its_time() -> None:
    replayed = Session(id="20261123T140731Z-web-03-9f3a", started=NOW, wizard="0.1.0")
    sitting = sat(replayed=replayed)
    asyncio.run(sitting.walk(CART))
    assert sitting.session().id == replayed.id
    assert sitting.session().started == NOW
    assert sitting.now() == NOW
