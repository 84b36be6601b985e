"""Two attempts of one session side by side, what lasts, and what a watch saw."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from tests.session.making import URL, A, cause, server, step, subjects
from wizard.checks.registry import checks
from wizard.flow.language import Cause
from wizard.session.after import watch_sentence
from wizard.session.build import build, exit_status
from wizard.session.events import AttemptStarted, Disputed, Event, Finished, Started, StepDone, Watched
from wizard.session.report import AfterPart, LastingPart, Report
from wizard.session.session import Session

STOPPED = cause("upstream-service-stopped", {"service": "stopped", "connect": "refused"})
WRONG = cause("upstream-wrong-port", {"connect": "refused"})
BROKEN = (
    step("request", URL, "bad-gateway", status=502, seconds=0.1, sender="nginx"),
    step("connect", server(), "refused"),
    step("service", server(), "stopped", unit="shop.service"),
)


def again(*steps: StepDone) -> tuple[Event, ...]:
    return (AttemptStarted(2, 60.0), *(replace(one, attempt=2, at=61.0) for one in steps))


def working(**also: str) -> tuple[Event, ...]:
    seen = {"connect": "connected", "service": "running", **also}
    request = step("request", URL, "ok", status=200, seconds=0.1, sender="shop")
    host = {"gateway-config", "gateway-at-boot"}
    return again(request, *(step(name, "host" if name in host else server(), word) for name, word in seen.items()))


def reported(*events: Event, catalogue: tuple[Cause, ...] = (STOPPED,)) -> Report:
    started = Started(1.0, URL, "walk", 900.0, "0.1.0")
    session = Session("s", 1.0, "0.1.0", URL, events=(started, *subjects(), *BROKEN, *events))
    return build(session, catalogue, checks())


def after(*events: Event) -> AfterPart:
    made = reported(*events).after
    assert made is not None
    return made


def rows(part: AfterPart) -> dict[str, tuple[str, str]]:
    return {one.what: (one.before, one.after) for one in part.changes}


def test_one_attempt_has_nothing_beside_it() -> None:
    assert reported(Finished(2.0, "complete")).after is None


def test_before_stands_beside_after() -> None:
    part = after(*working())
    assert rows(part) == {
        "the visitor's request": ("502", "200"),
        "cause": ("upstream-service-stopped", "none observed"),
        f"connect {A}": ("refused", "connected"),
        f"service {A}": ("stopped", "running"),
    }
    assert part.said == "The request succeeds now, and upstream-service-stopped is no longer observed."


def test_what_was_not_asked_the_second_time_is_said_so() -> None:
    part = after(*again(step("request", URL, "ok", status=200, seconds=0.1, sender="shop")))
    assert rows(part)[f"connect {A}"] == ("refused", "not asked")


def test_a_request_that_still_fails_is_never_called_better() -> None:
    part = after(*again(*BROKEN))
    assert part.said == "The request still fails, for the same cause: The title of upstream-service-stopped."
    assert rows(part)["the visitor's request"] == ("502", "502")


def test_what_lasts_is_told_only_where_something_works() -> None:
    enabled = replace(step("unit-at-boot", server(), "enabled"), attempt=2)
    assert after(*working(), enabled).lasting
    assert after(*again(*BROKEN), enabled).lasting == ()


def test_a_silent_log_speaks_for_nothing_while_the_request_fails() -> None:
    logged = replace(step("route-log", URL, "connect-failed", count=2), first_seen=-2.0, last_seen=0.0)
    row = next(one for one in after(logged, *again(*BROKEN, logged)).changes if one.what == "failures logged")
    assert (row.after, row.after_state) == ("none for 61 s", "")


def test_an_attempt_without_the_request_shows_nothing() -> None:
    assert after(*again(step("connect", server(), "connected"))).said.startswith("The request could not be made again")


@pytest.mark.parametrize(
    ("last", "said", "state"),
    [(60.5, "still logged", "NO"), (59.0, "none for 2 s", "ok"), (20.0, "none for 41 s", "ok")],
)
def test_failures_in_the_log_are_counted_before_and_looked_for_after(last: float, said: str, state: str) -> None:
    logged = replace(step("route-log", URL, "connect-failed", count=90), first_seen=-180.0, last_seen=0.0)
    later = replace(logged, first_seen=-180.0, last_seen=last)
    request = step("request", URL, "ok", status=200, seconds=0.1, sender="shop")
    part = after(logged, *again(request, later))
    row = next(one for one in part.changes if one.what == "failures logged")
    assert (row.before, row.after, row.after_state) == ("90 failures in 3 min, about 30 a minute", said, state)


def test_the_walks_own_requests_are_no_failures_of_visitors() -> None:
    own = replace(step("route-log", URL, "connect-failed", count=0), first_seen=-2.0, last_seen=0.0)
    assert reported(own).impact is None
    assert "failures logged" not in [one.what for one in after(own, *working()).changes]


def test_the_impact_is_what_the_log_says() -> None:
    logged = replace(step("route-log", URL, "connect-failed", count=27), first_seen=-29.0, last_seen=-1.0)
    impact = reported(logged).impact
    assert impact is not None
    assert impact.said == "27 failures in 28 s in the gateway's log, the last one 2 s before this walk"
    assert impact.last_seen == "1969-12-31T23:59:59.000Z"
    assert reported().impact is None


def lasting(check: str, outcome: str, run: str = "") -> LastingPart:
    subject = "host" if check in {"gateway-config", "gateway-at-boot"} else server()
    (found,) = after(*working(), replace(step(check, subject, outcome, run=run), attempt=2)).lasting
    return found


@pytest.mark.parametrize(
    ("check", "outcome", "what", "answer"),
    [
        ("gateway-config", "read", "a restart of nginx", "yes"),
        ("gateway-config", "changed", "a restart of nginx", "?"),
        ("gateway-config", "broken", "a restart of nginx", "no"),
        ("unit-at-boot", "enabled", "a restart of this host", "yes"),
        ("unit-at-boot", "disabled", "a restart of this host", "no"),
        ("unit-at-boot", "not-kept", "a restart of this host", "no"),
        ("unit-at-boot", "not-said", "a restart of this host", "?"),
        ("gateway-at-boot", "unknown", "a restart of this host", "?"),
        ("kept-rules", "blocks", "a restart of this host", "no"),
        ("kept-rules", "none", "a restart of this host", "yes"),
        ("kept-rules", "may-block", "a restart of this host", "?"),
    ],
)
def test_what_lasts_is_said_of_each_restart(check: str, outcome: str, what: str, answer: str) -> None:
    found = lasting(check, outcome)
    assert (found.what, found.answer) == (what, answer)


def test_what_would_make_it_last_is_named() -> None:
    assert lasting("unit-at-boot", "disabled", run="systemctl enable shop").run == "systemctl enable shop"


def test_a_disputed_cause_gives_way_to_what_it_explained() -> None:
    both = (replace(STOPPED, explains=("upstream-wrong-port",)), WRONG)
    assert [one.id for one in reported(catalogue=both).causes] == ["upstream-service-stopped"]
    report = reported(Disputed(2.0, "upstream-service-stopped"), catalogue=both)
    assert [one.id for one in report.causes] == ["upstream-wrong-port"]
    assert [one.id for one in report.disputed] == ["upstream-service-stopped"]
    assert report.ruled_out[0].because == "A person at the keyboard says that it is wrong."


def test_where_the_only_cause_is_disputed_none_is_named() -> None:
    report = reported(Disputed(2.0, "upstream-service-stopped"))
    assert (report.verdict, report.causes, exit_status(report)) == ("unknown", (), 3)


def test_a_dispute_is_taken_back() -> None:
    report = reported(Disputed(2.0, "upstream-service-stopped"), Disputed(3.0, "upstream-service-stopped", wrong=False))
    assert [one.id for one in report.causes] == ["upstream-service-stopped"]
    assert report.disputed == ()


@pytest.mark.parametrize(
    ("seen", "said"),
    [
        (Watched(1.0, 60.2, URL, 60, 0, logged=0), "60 of 60 good in 60 s; no failure of another request in the gateway's log."),
        (
            Watched(1.0, 60.2, URL, 57, 3, {"502": 2, "closed": 1}, logged=1),
            "57 of 60 good in 60 s (2 x 502, 1 x closed); 1 failure of another request in the gateway's log.",
        ),
        (
            Watched(1.0, 9.9, URL, 9, 0, ended="stopped"),
            "9 of 9 good in 9 s, stopped early.",
        ),
        (Watched(1.0, 0.1, URL, 0, 0, ended="stopped"), "No request was answered before the watch was stopped."),
    ],
)  # fmt: skip
def test_a_watch_ends_in_a_sentence(seen: Watched, said: str) -> None:
    assert watch_sentence(seen) == said
    (part,) = reported(seen).watched
    assert (part.said, part.good, part.bad) == (said, seen.good, seen.bad)
