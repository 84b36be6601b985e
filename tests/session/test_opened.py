"""What stays open has a reason and a next step: what the deadline cut off, and a fault that no cause accounts for."""

from __future__ import annotations

import pytest

from tests.session.making import AT, PLACE, URL, A, B, cause, named, server, step, subjects, verdict
from wizard.checks.registry import Edit
from wizard.flow.language import Command, Confidence, Stage
from wizard.session.events import Event, Skipped, StepDone
from wizard.session.observed import Observed
from wizard.session.opened import opened
from wizard.session.unexplained import unexplained

LATE = "not finished within the 15 s of the whole run"
CUT = Skipped("server/peer", server(), LATE, check="peer")
SILENT = (step("request", URL, "gateway-timeout"), step("reply", server(), "silent"))
HUNG = cause("hung", (Confidence.LIKELY, {"reply": "silent"}), excludes={"peer": "answers-trivial"})
SLOW = cause("slow", {"reply": "silent", "peer": "answers-trivial"})


def edited(subject: str, edit: Edit) -> StepDone:
    """A buffer that can be made larger."""
    return step("buffer", subject, "editable", edit=edit, size=65536)


def test_what_the_deadline_cut_off_leaves_a_cause_open_with_its_next_step() -> None:
    drawn = verdict([SLOW], *SILENT, CUT)
    assert [(one.cause.id, one.missing) for one in drawn.open] == [("slow", ("peer",))]
    (part,) = opened(drawn, "unknown", Observed.of((*subjects(), *SILENT, CUT)), None)
    assert LATE in part.because
    assert part.next is not None
    assert part.next.run == f"gateway-wizard diagnose {URL} --timeout 60"


def test_a_cause_is_less_sure_where_what_excludes_it_was_cut_off() -> None:
    assert [one.confidence for one in verdict([HUNG], *SILENT).causes] == [Confidence.LIKELY]
    assert [one.confidence for one in verdict([HUNG], *SILENT, CUT).causes] == [Confidence.POSSIBLE]


@pytest.mark.parametrize("outcome", ["bad-gateway", "gateway-timeout", "server-error", "closed", "waiting", "no-answer", "handshake-failed", "unknown"])  # fmt: skip
def test_a_request_that_fails_for_no_known_reason_is_followed_further(outcome: str) -> None:
    found = unexplained(Observed.of((*subjects(), step("request", URL, outcome))), None)
    assert found
    assert all(one.because and one.argv and one.why for one in found)


@pytest.mark.parametrize("outcome", ["ok", "client-error"])
def test_a_request_that_works_leaves_nothing_to_look_for(outcome: str) -> None:
    assert unexplained(Observed.of((*subjects(), step("request", URL, outcome))), None) == ()


def test_where_nothing_could_be_walked_the_problem_itself_is_said() -> None:
    (one,) = unexplained(Observed.of(subjects()[:1]), "No gateway takes it.")
    assert one.because == "No gateway takes it."


def test_nothing_is_added_where_a_cause_is_named() -> None:
    events: tuple[Event, ...] = SILENT
    drawn = verdict([HUNG], *events)
    assert opened(drawn, drawn.word, Observed.of((*subjects(), *events)), None) == ()


def test_one_change_that_repairs_two_servers_is_one_cause() -> None:
    fix = Command(Stage.FIX, "Holds the header.", AT, edit="buffer.edit")
    big = cause("too-big", {"reply": "header-too-big"}, commands=(fix,))
    same = Edit(PLACE.file, PLACE.line, "a", "b")
    both = (step("reply", server(A), "header-too-big"), step("reply", server(B), "header-too-big"))
    fails = step("request", URL, "bad-gateway")
    one = verdict([big], fails, *both, edited(server(A), same), edited(server(B), same))
    assert named(one) == ["too-big"]
    assert server(B) in {seen.step.subject for seen in one.causes[0].explains}
    other = Edit(PLACE.file, PLACE.line + 1, "a", "b")
    two = verdict([big], fails, *both, edited(server(A), same), edited(server(B), other))
    assert named(two) == ["too-big", "too-big"]
