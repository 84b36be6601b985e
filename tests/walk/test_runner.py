"""The runner: outcomes in the order of the walk, whatever finishes first, hangs, fails or is steered."""

from __future__ import annotations

import asyncio
import random

import pytest

from tests.walk.acting import ASKING, COMMANDING, Cast, Stage
from wizard.flow.engine import Visit
from wizard.session.events import AttemptStarted, Event, Finished, Overruled, PersonAnswered, Skipped, StepDone
from wizard.walk.plan import Target
from wizard.walk.runner import Options, Probing

ALL_GOOD = [("first", "good"), ("second", "good"), ("third", "good")]


def ending(events: list[Event]) -> str:
    """How the walk ended, and that it ended once and last."""
    ends = [event.how for event in events if isinstance(event, Finished)]
    assert len(ends) == 1
    assert isinstance(events[-1], Finished)
    return ends[0]


async def until(stage: Stage, check: str) -> Probing:
    """Wait until a check runs."""
    for _ in range(1000):
        found = next((one for one in stage.runner.probing if one.visit.step.check == check), None)
        if found is not None:
            return found
        await asyncio.sleep(0)
    raise AssertionError(f"{check} was never begun")


def test_steps_are_appended_in_the_order_of_the_walk(monkeypatch: pytest.MonkeyPatch) -> None:
    for seed in range(20):
        turns = random.Random(seed)
        cast = Cast(slow={name: turns.randrange(12) for name in ("first", "second", "third")})
        stage = Stage(monkeypatch, cast)
        asyncio.run(stage.runner.run(Target()))
        assert stage.outcomes() == ALL_GOOD
        assert ending(stage.events) == "complete"


def test_what_every_continuation_needs_is_begun_early(monkeypatch: pytest.MonkeyPatch) -> None:
    cast = Cast(slow={"first": 5})
    stage = Stage(monkeypatch, cast)
    asyncio.run(stage.runner.run(Target()))
    assert cast.begun == ["first", "third", "second"]
    assert sorted(cast.begun) == sorted(set(cast.begun))


def test_a_branch_that_is_not_taken_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    cast = Cast(outcomes={"first": "bad"})
    stage = Stage(monkeypatch, cast)
    asyncio.run(stage.runner.run(Target()))
    assert stage.outcomes() == [("first", "bad"), ("third", "good")]
    assert "second" not in cast.begun


@pytest.mark.parametrize("hung", ["first", "second", "third"])
def test_a_hung_check_ends_with_the_deadline_and_the_others_are_there(
    monkeypatch: pytest.MonkeyPatch, hung: str
) -> None:
    cast = Cast(hanging={hung})
    stage = Stage(monkeypatch, cast, options=Options(timeout=0.2))
    asyncio.run(asyncio.wait_for(stage.runner.run(Target()), 20))
    told_of = dict(stage.outcomes())
    assert told_of[hung] == "skipped"
    assert all(told_of[name] == "good" for name in ("first", "second", "third") if name < hung)
    assert ending(stage.events) == "deadline"
    assert hung in cast.ended
    skipped = [event.because for event in stage.events if isinstance(event, Skipped)]
    assert "within the 0.2 s" in skipped[0]


def test_what_is_done_counts_though_an_earlier_step_hung(monkeypatch: pytest.MonkeyPatch) -> None:
    stage = Stage(monkeypatch, Cast(hanging={"first"}), options=Options(timeout=0.2))
    asyncio.run(stage.runner.run(Target()))
    assert stage.outcomes() == [("first", "skipped"), ("third", "good")]


def test_the_walk_looks_past_a_hung_check_where_all_its_outcomes_lead_to_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tree = """\
flow: walk
title: What hangs decides nothing
for: host
steps:
  first:
    check: first
    then: {good: second, bad: second, unknown: second}
  second:
    check: second
    then: {good: third, bad: done, unknown: done}
  third:
    check: third
    then: {good: done, bad: done, unknown: done}
"""
    stage = Stage(monkeypatch, Cast(hanging={"first"}), tree=tree, options=Options(timeout=1.5))
    asyncio.run(stage.runner.run(Target()))
    assert stage.outcomes() == [("first", "skipped"), ("second", "good"), ("third", "good")]


def test_a_plan_that_hangs_is_a_deadline_too(monkeypatch: pytest.MonkeyPatch) -> None:
    stage = Stage(monkeypatch, Cast(), options=Options(timeout=0.1))

    async def hung(*_: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr("wizard.walk.runner.plan", hung)
    asyncio.run(asyncio.wait_for(stage.runner.run(Target()), 20))
    assert ending(stage.events) == "deadline"
    assert stage.outcomes() == [("survey", "skipped")]


def test_cancelling_ends_every_probe(monkeypatch: pytest.MonkeyPatch) -> None:
    cast = Cast(hanging={"first", "third"})
    stage = Stage(monkeypatch, cast)

    async def cancelled() -> None:
        task = asyncio.ensure_future(stage.runner.run(Target()))
        await until(stage, "third")
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert len(asyncio.all_tasks()) <= 3  # this one, and the probes that are being ended
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert len(asyncio.all_tasks()) == 1

    asyncio.run(cancelled())
    assert sorted(cast.ended) == ["first", "third"]
    assert ending(stage.events) == "cancelled"


def test_a_person_skips_what_takes_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    stage = Stage(monkeypatch, Cast(hanging={"first"}))

    async def skipping() -> None:
        task = asyncio.ensure_future(stage.runner.run(Target()))
        probing = await until(stage, "first")
        stage.runner.skip(probing.visit.node, probing.visit.about)
        await asyncio.wait_for(task, 20)

    asyncio.run(skipping())
    assert stage.outcomes() == [("first", "skipped"), ("third", "good")]
    assert ending(stage.events) == "complete"


def test_a_person_overrules_and_the_walk_goes_on_from_there(monkeypatch: pytest.MonkeyPatch) -> None:
    cast = Cast(outcomes={"first": "bad"})
    stage = Stage(monkeypatch, cast)

    async def overruling() -> None:
        await stage.runner.run(Target())
        stage.runner.overrule("walk/first", "host", "good")
        await stage.runner.go_on()

    asyncio.run(overruling())
    assert stage.outcomes() == [("first", "bad"), ("third", "good"), ("second", "good")]
    assert [event.outcome for event in stage.events if isinstance(event, Overruled)] == ["good"]
    assert cast.begun.count("first") == 1


def test_a_step_that_was_taken_back_is_asked_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    cast = Cast(outcomes={"first": "bad"})
    stage = Stage(monkeypatch, cast)

    async def back() -> None:
        await stage.runner.run(Target())
        stage.runner.forget("walk/first", "host")
        cast.outcomes["first"] = "good"
        await stage.runner.go_on()

    asyncio.run(back())
    assert stage.outcomes() == [("first", "bad"), ("third", "good"), ("first", "good"), ("second", "good")]


def test_a_second_attempt_asks_everything_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    cast = Cast(outcomes={"first": "bad"})
    stage = Stage(monkeypatch, cast)

    async def twice() -> None:
        await stage.runner.run(Target())
        cast.outcomes["first"] = "good"
        await stage.runner.again(Target())

    asyncio.run(twice())
    assert stage.outcomes(1) == [("first", "bad"), ("third", "good")]
    assert stage.outcomes(2) == ALL_GOOD
    assert [event.attempt for event in stage.events if isinstance(event, AttemptStarted)] == [2]
    assert stage.host.attempt == 2


def test_a_defect_of_one_check_leaves_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    stage = Stage(monkeypatch, Cast(failing={"first"}))
    asyncio.run(stage.runner.run(Target()))
    assert stage.outcomes() == [("first", "unknown"), ("third", "good")]
    first = next(event for event in stage.events if isinstance(event, StepDone))
    assert "RuntimeError" in first.summary
    assert "\x1b" not in first.summary
    assert first.gaps


def test_an_outcome_that_was_not_declared_counts_as_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    stage = Stage(monkeypatch, Cast(outcomes={"first": "splendid"}))
    asyncio.run(stage.runner.run(Target()))
    assert stage.outcomes()[0] == ("first", "unknown")


# --- a person ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answers", "value", "asked"),
    [
        ({}, "dont-know", "third"),
        ({"walk/deployed": "yes"}, "yes", "first"),
        ({"walk/deployed@host": "no", "walk/deployed": "yes"}, "no", "second"),
        ({"walk/deployed@other": "no"}, "dont-know", "third"),
        ({"walk/deployed": "maybe"}, "dont-know", "third"),
        ({"walk/deployed": "dont-know"}, "dont-know", "third"),
    ],
)
def test_answers_that_were_given_beforehand(
    monkeypatch: pytest.MonkeyPatch, answers: dict[str, str], value: str, asked: str
) -> None:
    stage = Stage(monkeypatch, Cast(), tree=ASKING, options=Options(timeout=60.0, answers=answers))
    asyncio.run(stage.runner.run(Target()))
    assert stage.outcomes() == [("deployed", value), (asked, "good")]


def test_the_time_that_a_person_takes_is_not_the_walks(monkeypatch: pytest.MonkeyPatch) -> None:
    async def slowly(visit: Visit) -> str:
        assert visit.step.ask
        await asyncio.sleep(0.4)
        return "yes"

    stage = Stage(monkeypatch, Cast(slow={"first": 3}), tree=ASKING, options=Options(timeout=0.2), answerer=slowly)
    asyncio.run(stage.runner.run(Target()))
    assert stage.outcomes() == [("deployed", "yes"), ("first", "good")]
    assert ending(stage.events) == "complete"


def test_a_person_who_was_asked_is_written_down(monkeypatch: pytest.MonkeyPatch) -> None:
    async def knows(visit: Visit) -> str:
        return visit.step.choices[1][0]

    stage = Stage(monkeypatch, Cast(), tree=ASKING, answerer=knows)
    asyncio.run(stage.runner.run(Target()))
    (answered,) = (event for event in stage.events if isinstance(event, PersonAnswered))
    assert (answered.node, answered.subject, answered.value) == ("walk/deployed", "host", "no")


@pytest.mark.parametrize(("trusted", "asked"), [(True, 1), (False, 0)])
def test_a_persons_own_command_needs_a_file_that_nobody_else_writes(
    monkeypatch: pytest.MonkeyPatch, trusted: bool, asked: int
) -> None:
    stage = Stage(monkeypatch, Cast(), tree=COMMANDING, trusted=trusted)
    asyncio.run(stage.runner.run(Target()))
    assert stage.outcomes() == [("walk/own", "unknown")]  # this host refuses it: its allow-list has the last word
    assert len(stage.host.asked) == asked
