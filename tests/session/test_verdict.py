"""What the observations come to: over or now, whose consequence, and once for each subject."""

from __future__ import annotations

import msgspec

from wizard.checks.all import CHECKS
from wizard.flow.language import At, Cause, Confidence, Needs
from wizard.session.events import Event, StepDone, SubjectFound, SubjectRef
from wizard.session.observed import Observed
from wizard.session.verdict import Verdict, conclude

AT = At("causes.yaml", 1, 1)
FRONT, INNER, SERVER, FAR = (
    "http://shop.example/",
    "http://inner/",
    "127.0.0.1:8080 of front",
    "127.0.0.1:8000 of inner",
)
SUBJECTS = (
    SubjectRef("host", "host"),
    SubjectRef(FRONT, "route", "host"),
    SubjectRef(SERVER, "server", FRONT, server="127.0.0.1:8080"),
    SubjectRef(INNER, "route", "host", behind=SERVER),
    SubjectRef(FAR, "server", INNER, server="127.0.0.1:8000"),
)


def cause(name: str, *alternatives: dict[str, str], sure: Confidence = Confidence.CONFIRMED) -> Cause:
    needs = tuple(
        Needs(tuple((check, (word,)) for check, word in outcomes.items()), sure, AT) for outcomes in alternatives
    )
    return Cause(name, name, name, "", needs, next(iter(alternatives[0])), AT)


def verdict(causes: list[Cause], *steps: tuple[str, str, str]) -> Verdict:
    events: list[Event] = [SubjectFound(one) for one in SUBJECTS]
    events += [StepDone(f"flow/{check}", check, about, word, "", 0.0, 0.0) for check, about, word in steps]
    return conclude(causes, Observed.of(events), {name: one.scope for name, one in CHECKS.items()})


REFUSED = cause("upstream-not-listening", {"connect": "refused"})
PASSED_ON = cause("upstream-returns-502", {"reply": "bad-gateway"})


def test_what_is_wrong_behind_a_gateway_accounts_for_its_answer() -> None:
    found = verdict(
        [REFUSED, PASSED_ON],
        ("request", FRONT, "bad-gateway"),
        ("reply", SERVER, "bad-gateway"),
        ("request", INNER, "bad-gateway"),
        ("connect", FAR, "refused"),
    )
    assert [(one.cause.id, one.subject, one.consequences) for one in found.causes] == [
        ("upstream-not-listening", FAR, ("upstream-returns-502",))
    ]


def test_what_is_wrong_before_a_gateway_does_not_account_for_what_is_behind() -> None:
    found = verdict(
        [REFUSED, PASSED_ON],
        ("request", FRONT, "bad-gateway"),
        ("connect", SERVER, "refused"),
        ("reply", FAR, "bad-gateway"),
    )
    assert [one.cause.id for one in found.causes] == ["upstream-not-listening", "upstream-returns-502"]


def test_a_fault_of_which_only_the_log_tells_is_over_where_the_request_works() -> None:
    over = cause("upstream-service-stopped", {"earlier": "stopped", "request": "ok"}, sure=Confidence.LIKELY)
    found = verdict([over], ("request", FRONT, "ok"), ("earlier", SERVER, "stopped"))
    assert [(one.cause.id, one.past) for one in found.warnings] == [("upstream-service-stopped", True)]
    assert (found.word, found.causes) == ("warning", ())


def test_a_dead_server_of_a_pool_that_works_is_a_warning_and_not_over() -> None:
    found = verdict([REFUSED], ("request", FRONT, "ok"), ("connect", SERVER, "refused"))
    assert [(one.cause.id, one.past) for one in found.warnings] == [("upstream-not-listening", False)]


def test_what_breaks_uploads_only_counts_though_the_safe_request_works() -> None:
    closed = cause("gateway-temp-dir-permission", {"temp-files": "denied"})
    steps = (("request", FRONT, "ok"), ("temp-files", FRONT, "denied"))
    assert verdict([closed], *steps).word == "warning"
    assert verdict([msgspec.structs.replace(closed, other_requests=True)], *steps).word == "cause-found"


def test_an_alternative_is_judged_at_its_own_scope() -> None:
    either = cause("gateway-config-not-reloaded", {"handling": "elsewhere"}, {"reply": "answers", "handling": "same"})
    found = verdict([either], ("request", FRONT, "bad-gateway"), ("handling", FRONT, "elsewhere"))
    assert [(one.cause.id, one.subject) for one in found.causes] == [("gateway-config-not-reloaded", FRONT)]


def test_two_entries_of_one_fault_are_told_once() -> None:
    other = msgspec.structs.replace(cause("upstream-not-listening", {"listener": "absent"}), variant="other")
    steps = (("request", FRONT, "bad-gateway"), ("connect", SERVER, "refused"), ("listener", SERVER, "absent"))
    assert len(verdict([REFUSED, other], *steps).causes) == 1


def test_a_possible_cause_hides_nothing_that_is_known_better() -> None:
    guess = msgspec.structs.replace(
        cause("gateway-wrong-vhost", {"vhost": "near-name"}, sure=Confidence.POSSIBLE),
        explains=("upstream-not-listening",),
    )
    steps = (("request", FRONT, "bad-gateway"), ("vhost", FRONT, "near-name"), ("connect", SERVER, "refused"))
    assert next(one.cause.id for one in verdict([guess, REFUSED], *steps).causes) == "upstream-not-listening"
