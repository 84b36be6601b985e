"""The parts of a session are found by their names."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from tests.strategies import TEXT
from wizard.host.port import Reply
from wizard.host.questions import Clock, Told
from wizard.session.events import AttemptStarted, StepDone, SubjectFound, SubjectRef
from wizard.session.session import Session, session_id

EMPTY = Session("x", 1.0, "0.1.0")


def step(node: str, attempt: int = 1) -> StepDone:
    return StepDone(node, "connect", "host", "refused", "", 1.0, 0.0, attempt)


def reply(number: int, attempt: int = 1) -> Reply[Told]:
    return Reply(number, Clock(), Told(1.0, 1.0, 0), 1.0, 0.0, attempt)


def test_replies_are_found_by_number_and_as_evidence() -> None:
    session = EMPTY.with_asked([reply(12), reply(3)])
    assert [one.number for one in session.asked] == [3, 12]
    found = session.evidence("e12")
    assert found is not None
    assert found.evidence == "e12"
    assert session.reply(4) is None
    for name in ("e4", "12", "e", "e012", "e-1", "e1_2", "e9999999999999999999", ""):
        assert session.evidence(name) is None


def test_steps_belong_to_their_attempt() -> None:
    session = EMPTY.with_event(step("a"), AttemptStarted(2, 5.0), step("a", 2), step("b", 2))
    assert [one.node for one in session.steps(1)] == ["a"]
    assert [one.node for one in session.steps(2)] == ["a", "b"]
    assert len(session.steps()) == 3
    assert session.attempt == 2
    assert EMPTY.attempt == 1
    assert EMPTY.with_asked([reply(1, 3)]).attempt == 3


def test_a_subject_is_named_once_as_last_described() -> None:
    host, later = SubjectRef("host", "host"), SubjectRef("host", "host", url="https://x/")
    session = EMPTY.with_event(SubjectFound(host), SubjectFound(SubjectRef("a", "route")), SubjectFound(later))
    assert session.subjects() == (later, SubjectRef("a", "route"))


def test_adding_makes_a_new_session() -> None:
    longer = EMPTY.with_event(step("a"))
    assert EMPTY.events == ()
    assert longer.events == (step("a"),)


def test_an_id_says_when_and_where() -> None:
    assert session_id(1795443251.9, "web-03", mark="9f3a") == "20261123T141411Z-web-03-9f3a"
    assert session_id(1.0, "web") != session_id(1.0, "web") or session_id(1.0, "web") != session_id(1.0, "web")


@given(TEXT, st.floats(0, 4e9))
def test_an_id_is_a_safe_and_short_file_name(hostname: str, started: float) -> None:
    name = session_id(started, hostname)
    assert re.fullmatch(r"[0-9]{8}T[0-9]{6}Z-[a-z0-9]([a-z0-9-]*[a-z0-9])?-[0-9a-f]{4}", name)
    assert len(name) < 60


@given(st.lists(st.floats(0, 4e9), max_size=9))
def test_ids_sort_by_time(times: list[float]) -> None:
    names = [session_id(int(time), "h", mark="0000") for time in sorted(times)]
    assert names == sorted(names)
