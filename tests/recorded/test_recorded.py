"""Recorded hosts: the walk over what a real guest answered comes to the verdict that was right for it."""

from __future__ import annotations

import asyncio
import json

import msgspec
import pytest

from tests.recorded.cases import CASES, FOLDER, SHIPPED, Case
from tests.recorded.replaying import reported, walked
from wizard.commands.library import known_checks, library_for
from wizard.commands.sessions import Expected
from wizard.host.questions import Processes, ProcessTable
from wizard.host.recorded import RecordedHost
from wizard.host.recording import RecordingHost
from wizard.host.redaction import redacted, texts
from wizard.host.secrets import Redactor
from wizard.session.build import exit_status
from wizard.session.file import load
from wizard.walk.plan import read_target
from wizard.walk.runner import Options
from wizard.walk.sitting import Sitting

LARGEST = 200_000

each_case = pytest.mark.parametrize("case", CASES.values(), ids=list(CASES))


@each_case
def test_the_walk_comes_to_the_verdict_that_was_right(case: Case) -> None:
    expected = msgspec.json.decode(case.expected.read_bytes(), type=Expected)
    report = reported(walked(load(case.session)))
    told = [f"{step.check} {step.subject}: {step.outcome} {step.summary}" for step in report.steps]
    assert (report.verdict, exit_status(report)) == (expected.verdict, expected.exit_status), told
    assert [cause.id for cause in report.causes][:1] == list(expected.causes[:1]), told


@each_case
def test_a_healthy_host_comes_out_clean(case: Case) -> None:
    report = reported(walked(load(case.session)))
    assert (report.verdict == "ok" and not report.causes and not report.warnings) == case.healthy


@each_case
def test_two_walks_are_equal(case: Case) -> None:
    session = load(case.session)
    first, second = reported(walked(session)), reported(walked(session))
    plain = [msgspec.to_builtins(report) for report in (first, second)]
    for one in plain:
        for step in one["steps"]:
            step["seconds"] = 0
    assert plain[0] == plain[1]


@each_case
def test_a_recording_is_whole_small_and_tells_nothing_of_its_maker(case: Case) -> None:
    session = load(case.session)
    assert session.warnings == ()
    assert case.session.stat().st_size <= LARGEST
    for said in texts(session):
        shown = said if isinstance(said, str) else said.decode("utf-8", "replace")
        assert not any(word in shown for word in ("/.venv/", "site-packages", "/.pyenv/", "tests/lab"))
        assert "PRIVATE KEY-----\nM" not in shown
    assert redacted(session.asked, Redactor()) == session.asked


def test_every_recording_belongs_to_a_case() -> None:
    assert {path.parent.name for path in FOLDER.glob("*/expected.json")} == set(CASES)
    assert {path.name.partition(".")[0] for path in SHIPPED.glob("*.jsonl.gz")} == {
        case.name for case in CASES.values() if case.title
    }
    titles: dict[str, str] = json.loads((SHIPPED / "titles.json").read_text())
    assert titles == {case.name: case.title for case in CASES.values() if case.title}


def test_no_guest_shows_the_program_that_made_it() -> None:
    for case in CASES.values():
        tables = [reply.answer for reply in load(case.session).asked if isinstance(reply.question, Processes)]
        argv = [
            word for table in tables if isinstance(table, ProcessTable) for one in table.processes for word in one.argv
        ]
        assert argv
        assert not any("tests.lab" in word for word in argv)


@pytest.mark.parametrize("name", [name for name in CASES if b"cause-found" in CASES[name].expected.read_bytes()])
def test_an_answer_that_is_missing_never_makes_a_fault_look_fine(name: str) -> None:
    session = load(CASES[name].session)
    for kind in {type(reply.question) for reply in session.asked}:
        left = tuple(reply for reply in session.asked if not isinstance(reply.question, kind))
        report = reported(walked(session.with_asked(left)))
        assert report.verdict != "ok", kind


@pytest.mark.parametrize("name", [case.name for case in CASES.values() if case.repaired])
def test_a_second_walk_over_a_repaired_host_shows_before_and_after(name: str) -> None:
    session = load(CASES[name].session)
    library, flow = library_for(None)
    host = RecordingHost(RecordedHost(session.asked))
    sitting = Sitting(host, library, known_checks(), Options(flow=flow), replayed=session)

    async def twice() -> bool:
        await sitting.walk(read_target(session.target))
        first = sitting.again_shows
        await sitting.again()
        return first and not sitting.again_shows

    assert asyncio.run(twice())
    report = sitting.report()
    expected = msgspec.json.decode(CASES[name].expected.read_bytes(), type=Expected)
    assert report.after is not None
    assert report.after.said == f"The request succeeds now, and {expected.causes[0]} is no longer observed."
    rows = {one.what: (one.before, one.after) for one in report.after.changes}
    assert rows["the visitor's request"] == ("502", "200")
    assert rows["failures logged"][1].startswith("none for ")
    assert {one.what for one in report.after.lasting} == {"a restart of nginx", "a restart of this host"}
    assert not [step for step in report.steps if "not asked when it was recorded" in step.summary]
