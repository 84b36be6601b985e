"""An interrupted walk goes on where it stood: what was seen stands, what is open is asked of the present."""

from __future__ import annotations

import asyncio
from pathlib import Path

import msgspec
import pytest

from tests.tui.fake import CONFIG, HEALTHY, FakeHost, Story, library
from wizard.checks.registry import Finding
from wizard.host.recording import RecordingHost
from wizard.session.events import AttemptStarted, Finished, Overruled, Skipped, StepDone
from wizard.session.file import glimpse, load, write
from wizard.session.session import Session
from wizard.walk.plan import Target
from wizard.walk.resume import interrupted, standing
from wizard.walk.runner import Options
from wizard.walk.sitting import OtherHostError, Sitting

CART = Target(url="http://shop.example/cart")


async def asked(story: Story, check: str, times: int) -> None:
    """Wait until a check was asked so often, and those before it have come to their outcomes."""
    for _ in range(500):
        await asyncio.sleep(0.001)
        if story.asked.count(check) >= times:
            break
    await asyncio.sleep(0.05)
    assert story.asked.count(check) == times


def cut_off(at: str, path: Path, *, host: FakeHost | None = None, story: Story | None = None) -> Session:
    """A session that was ended while a check was waited for, as it comes back from its file."""
    story = story or Story()
    story.held[at] = asyncio.Event()
    sitting = Sitting(RecordingHost(host or FakeHost()), library(), story.checks(), Options())

    async def run() -> None:
        walking = asyncio.create_task(sitting.walk(CART))
        await asked(story, at, 1)
        walking.cancel()
        await asyncio.wait({walking})

    asyncio.run(run())
    write(path, sitting.session())
    return load(path)


def gone_on(saved: Session, *, host: FakeHost | None = None, story: Story | None = None) -> tuple[Sitting, Story]:
    story = story or Story()
    recording = RecordingHost(host or FakeHost(), earlier=saved.asked)
    sitting = Sitting(recording, library(), story.checks(), Options())
    asyncio.run(sitting.resume(saved))
    return sitting, story


def test_it_goes_on_in_the_middle_and_asks_only_what_is_open(tmp_path: Path) -> None:
    saved = cut_off("connect", tmp_path / "s.jsonl")
    assert [one.check for one in saved.steps()] == ["gateway", "request"]
    sitting, story = gone_on(saved)
    assert story.asked == ["connect", "listener", "service"]
    assert [one.check for one in sitting.session().steps()] == ["gateway", "request", "connect", "listener", "service"]
    assert [one.id for one in sitting.report().causes] == ["service-stopped"]


def test_the_steps_that_were_done_keep_their_evidence_and_time(tmp_path: Path) -> None:
    saved = cut_off("connect", tmp_path / "s.jsonl")
    sitting, _ = gone_on(saved)
    session = sitting.session()
    assert session.id == saved.id
    assert session.started == saved.started
    assert session.steps()[:2] == saved.steps()
    assert session.asked[: len(saved.asked)] == saved.asked
    numbers = [reply.number for reply in session.asked]
    assert len(numbers) == len(set(numbers))
    for step in session.steps():
        assert all(session.evidence(name) is not None for name in step.evidence)
    fresh = session.evidence(session.steps()[-1].evidence[0])
    assert fresh is not None
    assert fresh.number > len(saved.asked)
    assert "/looked/for/service" in str(fresh.question)


def test_a_session_that_went_on_can_be_saved_and_read_and_goes_on_no_further(tmp_path: Path) -> None:
    saved = cut_off("listener", tmp_path / "s.jsonl")
    sitting, _ = gone_on(saved)
    write(tmp_path / "t.jsonl", sitting.session())
    again = load(tmp_path / "t.jsonl")
    assert again.warnings == ()
    assert interrupted(saved.events)
    assert not interrupted(again.events)
    _, story = gone_on(again)
    assert story.asked == []


def test_what_a_person_said_still_counts(tmp_path: Path) -> None:
    story = Story()
    sitting = Sitting(RecordingHost(FakeHost()), library(), story.checks(), Options())

    async def run() -> None:
        await sitting.walk(CART)
        visit = next(one for walk in sitting.positions() for one in walk.done if one.step.check == "connect")
        sitting.overrule(visit, "connected")

    asyncio.run(run())
    write(tmp_path / "s.jsonl", sitting.session())
    gone, story = gone_on(load(tmp_path / "s.jsonl"))
    assert any(isinstance(event, Overruled) for event in gone.events)
    assert gone.report().causes == ()


def test_another_path_is_walked_anew_beside_the_old_one(tmp_path: Path) -> None:
    saved = cut_off("connect", tmp_path / "s.jsonl")
    moved = FakeHost(config=CONFIG.replace(b"127.0.0.1:8000", b"127.0.0.1:8001"))
    sitting, story = gone_on(saved, host=moved, story=Story({**Story().findings, **HEALTHY}))
    assert story.asked[0] == "gateway"
    assert [event.attempt for event in sitting.events if isinstance(event, AttemptStarted)] == [2]
    assert {one.attempt for one in sitting.session().steps()} == {1, 2}
    assert sitting.report().verdict == "ok"


def test_a_second_attempt_goes_on_beside_the_first(tmp_path: Path) -> None:
    story = Story()
    sitting = Sitting(RecordingHost(FakeHost()), library(), story.checks(), Options())

    async def run() -> None:
        await sitting.walk(CART)
        story.held["listener"] = asyncio.Event()
        walking = asyncio.create_task(sitting.again())
        await asked(story, "listener", 2)
        walking.cancel()
        await asyncio.wait({walking})

    asyncio.run(run())
    write(tmp_path / "s.jsonl", sitting.session())
    gone, anew = gone_on(load(tmp_path / "s.jsonl"))
    assert anew.asked == ["listener", "gateway-at-boot", "service"]
    after = gone.report().after
    assert after is not None
    assert [one.before for one in after.changes if one.what == "cause"] == ["service-stopped"]


def test_a_session_of_another_host_is_refused(tmp_path: Path) -> None:
    saved = cut_off("connect", tmp_path / "s.jsonl")
    with pytest.raises(OtherHostError, match=r"made on web-03, and this host is db-01"):
        gone_on(saved, host=FakeHost(hostname="db-01"))


def test_what_there_was_no_time_for_is_open_and_what_a_person_skipped_is_not() -> None:
    done = StepDone("walk/a", "a", "host", "ok", "", 1.0, 0.1)
    late = Skipped("walk/b", "host", "not finished within the 15 s of the whole run")
    skipped = Skipped("walk/c", "host", "skipped by the person")
    was = standing([done, late, skipped, Finished(2.0, "deadline")])
    assert was.events == (done, skipped)
    assert was.results == {("walk/a", "host"): "ok", ("walk/c", "host"): "unknown"}


def test_the_latest_attempt_is_what_is_gone_on_with() -> None:
    first = StepDone("walk/a", "a", "host", "ok", "", 1.0, 0.1)
    second = msgspec.structs.replace(first, outcome="not", attempt=2)
    events = (first, AttemptStarted(2, 2.0), second)
    assert standing(events).results == {("walk/a", "host"): "not"}
    assert standing(events).attempt == 2


def test_a_glimpse_tells_what_was_walked_and_whether_to_its_end(tmp_path: Path) -> None:
    saved = cut_off("connect", tmp_path / "s.jsonl")
    seen = glimpse(tmp_path / "s.jsonl")
    assert seen is not None
    assert (seen.target, seen.hostname, seen.complete) == ("http://shop.example/cart", "web-03", False)
    sitting, _ = gone_on(saved)
    write(tmp_path / "s.jsonl", sitting.session())
    seen = glimpse(tmp_path / "s.jsonl")
    assert seen is not None
    assert seen.complete
    (tmp_path / "other.txt").write_bytes(b"\x1b]0;x\x07 no session")
    assert glimpse(tmp_path / "other.txt") is None
    assert glimpse(tmp_path / "missing") is None


def test_a_finding_of_the_present_joins_those_of_the_past(tmp_path: Path) -> None:
    saved = cut_off("service", tmp_path / "s.jsonl")
    story = Story()
    story.findings["service"] = Finding("running", "shop.service runs.")
    sitting, _ = gone_on(saved, story=story)
    assert [one.outcome for one in sitting.session().steps()][-2:] == ["absent", "running"]
    assert sitting.report().causes == ()
