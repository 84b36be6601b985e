"""The verdict: three-valued, folded, ranked, and never surer than what was observed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.session.making import URL, A, B, cause, named, server, step, subjects, verdict, warned
from wizard.flow.language import Cause, Confidence
from wizard.session.events import AttemptStarted, Overruled, StepDone
from wizard.session.verdict import Conclusion

FAILS = step("request", URL, "bad-gateway")
WORKS = step("request", URL, "ok")
REFUSED = step("connect", server(), "refused")
ABSENT = step("listener", server(), "absent")
NOBODY = cause("nobody", {"connect": "refused", "listener": "absent"})
STOPPED = cause("stopped", {"connect": "refused", "listener": "absent", "service": "stopped"}, explains=("nobody",))


# --- three values ------------------------------------------------------------------------------------------------


def test_a_cause_is_named_where_everything_that_it_needs_was_observed() -> None:
    drawn = verdict([NOBODY], FAILS, REFUSED, ABSENT)
    assert (drawn.word, named(drawn)) == ("cause-found", ["nobody"])
    assert drawn.causes[0].subject == server()
    assert [one.step.check for one in drawn.causes[0].evidence] == ["connect", "listener"]


def test_what_was_not_asked_is_no_observation() -> None:
    drawn = verdict([NOBODY], FAILS, REFUSED)
    assert (drawn.word, drawn.causes, drawn.open, drawn.ruled_out) == ("unknown", (), (), ())


def test_what_could_not_be_told_leaves_a_cause_open() -> None:
    drawn = verdict([NOBODY], FAILS, REFUSED, step("listener", server(), "unknown"))
    assert (drawn.word, drawn.causes) == ("unknown", ())
    assert [(one.cause.id, one.missing) for one in drawn.open] == [("nobody", ("listener",))]


def test_what_speaks_against_a_cause_rules_it_out() -> None:
    drawn = verdict([NOBODY], FAILS, REFUSED, step("listener", server(), "listening"))
    assert [(one.cause.id, one.by.step.check) for one in drawn.ruled_out] == [("nobody", "listener")]
    assert not drawn.causes
    assert not drawn.open


def test_a_cause_for_which_nothing_speaks_is_not_mentioned() -> None:
    drawn = verdict([NOBODY], WORKS, step("connect", server(), "connected"), step("listener", server(), "listening"))
    assert (drawn.word, drawn.causes, drawn.open, drawn.ruled_out) == ("ok", (), (), ())


def test_an_excluding_observation_wins() -> None:
    one = cause("nobody", {"connect": "refused", "listener": "absent"}, excludes={"packet-path": "rejects"})
    drawn = verdict([one], FAILS, REFUSED, ABSENT, step("packet-path", server(), "rejects"))
    assert (named(drawn), [each.by.step.check for each in drawn.ruled_out]) == ([], ["packet-path"])
    assert named(verdict([one], FAILS, REFUSED, ABSENT, step("packet-path", server(), "unknown"))) == ["nobody"]


def test_facts_of_wider_subjects_hold_below_and_never_the_other_way() -> None:
    one = cause("both", {"gateway": "running", "request": "bad-gateway", "connect": "refused"})
    assert named(verdict([one], step("gateway", "host", "running"), FAILS, REFUSED)) == ["both"]
    beside = cause("beside", {"connect": "refused", "listener": "absent"})
    assert named(verdict([beside], FAILS, REFUSED, step("listener", server(B), "absent"))) == []


def test_the_surest_alternative_counts() -> None:
    one = cause("nobody", (Confidence.POSSIBLE, {"connect": "refused"}), {"connect": "refused", "listener": "absent"})
    assert [each.confidence for each in verdict([one], FAILS, REFUSED).causes] == [Confidence.POSSIBLE]
    assert [each.confidence for each in verdict([one], FAILS, REFUSED, ABSENT).causes] == [Confidence.CONFIRMED]


# --- folding and rank -----------------------------------------------------------------------------------------------


def test_a_consequence_is_folded_under_its_cause() -> None:
    drawn = verdict([NOBODY, STOPPED], FAILS, REFUSED, ABSENT, step("service", server(), "stopped"))
    assert named(drawn) == ["stopped"]
    assert drawn.causes[0].consequences == ("nobody",)
    assert "request" in [one.step.check for one in drawn.causes[0].explains]


@pytest.mark.parametrize(("priority", "kept"), [(9, ["left"]), (0, ["ended", "left"])])
def test_two_causes_that_account_for_each_other_do_not_both_vanish(priority: int, kept: list[str]) -> None:
    needs = {"connect": "refused", "listener": "absent"}
    left = cause("left", needs, explains=("ended",), priority=priority)
    ended = cause("ended", needs, explains=("left",))
    assert sorted(named(verdict([left, ended], FAILS, REFUSED, ABSENT))) == kept


def test_the_same_consequence_on_another_server_is_a_fault_of_its_own() -> None:
    other = [step("connect", server(B), "refused"), step("listener", server(B), "absent")]
    drawn = verdict([NOBODY, STOPPED], FAILS, REFUSED, ABSENT, step("service", server(), "stopped"), *other)
    assert sorted((one.cause.id, one.subject) for one in drawn.causes) == [
        ("nobody", server(B)),
        ("stopped", server(A)),
    ]


def test_what_is_only_possible_hides_nothing_that_is_known_better() -> None:
    weak = cause("weak", (Confidence.POSSIBLE, {"connect": "refused"}), explains=("nobody",))
    drawn = verdict([weak, NOBODY], FAILS, REFUSED, ABSENT)
    assert named(drawn) == ["nobody", "weak"]


def test_what_is_over_explains_nothing_that_is_there_now() -> None:
    over = cause("over", {"earlier": "died"}, explains=("nobody",))
    now = cause("nobody", {"listener": "absent"})
    drawn = verdict([over, now], WORKS, ABSENT, step("earlier", server(), "died"))
    assert sorted(warned(drawn)) == ["nobody", "over"]


def test_a_fault_behind_a_server_accounts_for_its_bad_answer() -> None:
    inner = "http://inner.example/"
    found = subjects(URL, inner, behind=server())
    answers = cause("answers-502", {"reply": "bad-gateway"})
    drawn = verdict(
        [answers, NOBODY],
        FAILS,
        step("reply", server(), "bad-gateway"),
        step("request", inner, "bad-gateway"),
        step("connect", server(A, inner), "refused"),
        step("listener", server(A, inner), "absent"),
        found=found,
    )
    assert named(drawn) == ["nobody"]
    assert drawn.causes[0].consequences == ("answers-502",)


def test_the_surer_cause_comes_first_then_the_order_of_the_pool_then_priority() -> None:
    likely = cause("likely", (Confidence.LIKELY, {"connect": "refused"}), priority=9)
    second = cause("second", {"connect": "refused"})
    first = cause("first", {"connect": "refused"}, priority=5)
    drawn = verdict([likely, second, first], FAILS, REFUSED, step("connect", server(B), "refused"))
    assert named(drawn) == ["first", "second", "first", "second", "likely", "likely"]
    assert [one.subject for one in drawn.causes][:4] == [server(A), server(A), server(B), server(B)]


def test_the_route_that_fails_comes_before_the_one_that_works() -> None:
    other = "http://api.example/"
    one = cause("refuses", {"connect": "refused"})
    drawn = verdict(
        [one],
        WORKS,
        step("request", other, "bad-gateway"),
        REFUSED,
        step("connect", server(A, other), "refused"),
        found=subjects(URL, other),
    )
    assert [each.subject for each in drawn.causes] == [server(A, other)]
    assert [each.subject for each in drawn.warnings] == [server(A)]


# --- now and then -----------------------------------------------------------------------------------------------------


def test_what_only_a_log_tells_is_over_where_the_request_works() -> None:
    one = cause("died", {"earlier": "died"})
    logged = step("earlier", server(), "died")
    drawn = verdict([one], WORKS, logged)
    assert (drawn.word, warned(drawn), drawn.warnings[0].past) == ("warning", ["died"], True)
    drawn = verdict([one], FAILS, logged)
    assert (drawn.word, named(drawn), drawn.causes[0].past) == ("cause-found", ["died"], False)


def test_one_dead_server_of_a_pool_is_a_warning_and_not_over() -> None:
    drawn = verdict([NOBODY], WORKS, REFUSED, ABSENT)
    assert (drawn.word, warned(drawn)) == ("warning", ["nobody"])
    assert not drawn.warnings[0].past


def test_what_breaks_other_requests_counts_though_the_safe_one_works() -> None:
    uploads = cause("uploads", {"temp-files": "denied"}, other_requests=True)
    drawn = verdict([uploads], WORKS, step("temp-files", URL, "denied"))
    assert (drawn.word, named(drawn)) == ("cause-found", ["uploads"])


# --- the word ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("steps", "word"),
    [
        ([], "unknown"),  # nothing was looked at
        ([step("request", URL, "unknown")], "unknown"),
        ([WORKS], "ok"),
        ([step("request", URL, "client-error")], "ok"),
        ([WORKS, step("connect", server(), "unknown")], "ok"),  # it succeeds end to end though a step could not look
        ([FAILS], "unknown"),
        ([FAILS, step("reply", server(A), "answers"), step("reply", server(B), "answers")], "unknown"),
        ([step("request", URL, "unknown"), step("reply", server(A), "answers")], "unknown"),
        (
            [step("request", URL, "unknown"), step("reply", server(A), "answers"), step("reply", server(B), "answers")],
            "ok",  # the path was walked to its end
        ),
    ],
)
def test_ok_needs_coverage(steps: list[StepDone], word: str) -> None:
    assert verdict([NOBODY], *steps).word == word


def test_a_person_overrules_a_step() -> None:
    drawn = verdict([NOBODY], FAILS, REFUSED, ABSENT, Overruled("flow/listener", server(), "listening"))
    assert named(drawn) == []
    drawn = verdict(
        [NOBODY], FAILS, REFUSED, step("listener", server(), "unknown"), Overruled("flow/listener", server(), "absent")
    )
    assert named(drawn) == ["nobody"]
    assert drawn.causes[0].evidence[1].overruled == "absent"


def test_a_later_attempt_replaces_the_earlier_one() -> None:
    drawn = verdict([NOBODY], FAILS, REFUSED, ABSENT, AttemptStarted(2, 2.0), step("request", URL, "ok", attempt=2))
    assert (drawn.word, drawn.causes) == ("ok", ())


# --- what holds of every verdict ----------------------------------------------------------------------------------------

_OUTCOMES = {
    "connect": ["connected", "refused", "timed-out", "unknown"],
    "listener": ["listening", "absent", "unknown"],
    "service": ["running", "stopped", "unknown"],
    "reply": ["answers", "closed", "unknown"],
}
_CATALOGUE = [
    NOBODY,
    STOPPED,
    cause("closes", {"connect": "connected", "reply": "closed"}),
    cause("times-out", (Confidence.LIKELY, {"connect": "timed-out"}), excludes={"listener": "listening"}),
]
_OBSERVED = st.fixed_dictionaries(
    {
        **{(check, server(a)): st.sampled_from([None, *words]) for check, words in _OUTCOMES.items() for a in (A, B)},
        ("request", URL): st.sampled_from([None, "ok", "bad-gateway", "unknown"]),
    }
)


@given(_OBSERVED)
def test_every_conclusion_rests_on_what_was_observed(outcomes: dict[tuple[str, str], str | None]) -> None:
    drawn = verdict(_CATALOGUE, *(step(*key, word) for key, word in outcomes.items() if word is not None))
    for one in (*drawn.causes, *drawn.warnings):
        seen = {each.step.check: each.outcome for each in one.evidence}
        assert any(
            all(seen.get(check) in words for check, words in needs.outcomes) and needs.certainty == one.confidence
            for needs in one.cause.needs
        )
        assert all(outcomes[each.step.check, each.step.subject] == each.outcome for each in one.evidence)
        assert one.cause.id not in one.consequences
    assert all(outcomes[check, one.subject] == "unknown" for one in drawn.open for check in one.missing)
    concluded = {one.cause.id for one in (*drawn.causes, *drawn.warnings)}
    assert not concluded & {one.cause.id for one in drawn.ruled_out}
    assert not concluded & {one.cause.id for one in drawn.open}
    assert (drawn.word == "cause-found") == bool(drawn.causes)
    if drawn.word == "ok":
        assert not drawn.warnings
        assert outcomes["request", URL] != "bad-gateway"


@given(_OBSERVED, st.data())
def test_looking_less_never_makes_it_surer(outcomes: dict[tuple[str, str], str | None], data: st.DataObject) -> None:
    catalogue = [one for one in _CATALOGUE if not one.excludes and not one.explains]
    asked = [key for key, word in outcomes.items() if word is not None]
    hidden = data.draw(st.sets(st.sampled_from(asked))) if asked else set()
    less = {key: ("unknown" if key in hidden else word) for key, word in outcomes.items()}
    assert _concluded(catalogue, less) <= _concluded(catalogue, outcomes)


def _concluded(catalogue: list[Cause], outcomes: dict[tuple[str, str], str | None]) -> set[tuple[str, str]]:
    drawn = verdict(catalogue, *(step(*key, word) for key, word in outcomes.items() if word is not None))
    found: list[Conclusion] = [*drawn.causes, *drawn.warnings]
    return {(one.cause.id, one.subject) for one in found}
