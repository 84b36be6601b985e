"""After a fix: what an earlier attempt observed beside what the latest one does, whether it lasts, and what a watch saw.

Owns the comparison of two attempts of one session, and its words. May not know how a verdict is drawn. Nothing is ever
called fixed: it is said what is observed now, and what is no longer observed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from wizard.checks.registry import UNKNOWN, checks
from wizard.session.bearing import WORKING
from wizard.session.events import AttemptStarted, Event, StepDone, Watched
from wizard.session.observed import Observed
from wizard.session.report import AfterPart, ChangePart, ImpactPart, LastingPart, Report, StepPart, WatchPart
from wizard.session.spans import age
from wizard.text import one_line

NOT_ASKED = "not asked"
_LOGS = ("route-log", "log")
_AT_BOOT = {"enabled": "yes", "disabled": "no", "not-kept": "no", "blocks": "no", "none": "yes"}
_LASTS = {"gateway-at-boot", "unit-at-boot", "kept-rules"}
_CONFIGURATION = {
    "read": ("yes", "What its files say is what runs."),
    "changed": ("?", "Its files were changed after they were loaded; a restart would load them as they are now."),
    "broken": ("no", "Its files do not parse; it would not start again."),
}


def earlier_events(events: Sequence[Event]) -> tuple[Event, ...] | None:
    """The events up to the latest attempt; None where there is only one attempt."""
    begun = [index for index, event in enumerate(events) if isinstance(event, AttemptStarted)]
    return tuple(events[: begun[-1]]) if begun else None


def impact_of(observed: Observed, now: float, iso: Callable[[float], str]) -> ImpactPart | None:
    """What the gateway's log says of requests that failed; None where it says nothing. `iso` writes a time."""
    step = _logged(observed)
    if step is None:
        return None
    first, last = (iso(at) if at is not None else None for at in (step.first_seen, step.last_seen))
    return ImpactPart(_count(step), first, last, f"{_rate(step)} in the gateway's log{_last(step, now)}")


def _logged(observed: Observed) -> StepDone | None:
    """The step that read the most failures in a log."""
    found = [
        one.step
        for one in observed.order
        if one.step.check in _LOGS and one.outcome not in {"quiet", UNKNOWN} and one.step.last_seen is not None
    ]
    found = [step for step in found if _count(step)]  # none is left where all were the walk's own requests
    return max(found, key=lambda step: (_count(step), -_LOGS.index(step.check)), default=None)


def _count(step: StepDone) -> int:
    count = step.values.get("count")
    return count if isinstance(count, int) else 1


def _rate(step: StepDone) -> str:
    """How many failures in which time: a number a minute where there is a minute to speak of."""
    count = _count(step)
    span = (step.last_seen or 0.0) - (step.first_seen or 0.0)
    if count == 1 or span < 1:
        return f"{count} failure" if count == 1 else f"{count} failures"
    if span < 120:
        return f"{count} failures in {age(span)}"
    return f"{count} failures in {age(span)}, about {max(1, round(count * 60 / span))} a minute"


def _last(step: StepDone, now: float) -> str:
    return f", the last one {age(now - step.last_seen)} before this walk" if step.last_seen is not None and now else ""


# --- before and after -------------------------------------------------------------------------------------------------


def compared(before: Report, after: Report, earlier: Observed, later: Observed) -> AfterPart:
    """What two attempts observed, side by side.

    Args:
        before: the report of the earlier attempt.
        after: the report of the later one. What lasts is told only where something works that could.
        earlier: what was observed in the earlier attempt.
        later: what was observed in the later one.
    """
    changes = [*_symptoms(before, after), *_steps(before, after)]
    errors = _errors(earlier, later)
    if errors is not None:
        changes.insert(2, errors)
    works = any(one.step.check == "request" and one.outcome in WORKING for one in later.order)
    return AfterPart(_sentence(before, after), tuple(changes), tuple(_lasting(later, after)) if works else ())


def _sentence(before: Report, after: Report) -> str:
    request = next((step for step in after.steps if step.check == "request"), None)
    gone = [one.id for one in before.causes if one.id not in {cause.id for cause in after.causes}]
    named = after.causes[0].title if after.causes else ""
    if request is None or request.state == "?":
        return "The request could not be made again, so this attempt shows nothing."
    if request.state == "NO":
        same = before.causes and after.causes and before.causes[0].id == after.causes[0].id
        if same:
            return f"The request still fails, for the same cause: {named}."
        return f"The request still fails, now for another cause: {named}." if named else "The request still fails."
    if named:
        return f"The request succeeds now. Still observed: {named}."
    return f"The request succeeds now, and {gone[0]} is no longer observed." if gone else "The request succeeds."


def _symptoms(before: Report, after: Report) -> Iterator[ChangePart]:
    old, new = (next((s for s in one.steps if s.check == "request"), None) for one in (before, after))
    yield ChangePart(
        "the visitor's request", _status(before), _status(after), old.state if old else "", new.state if new else ""
    )
    yield ChangePart("cause", _chief(before), _chief(after))


def _status(report: Report) -> str:
    if report.observed is None:
        return NOT_ASKED
    return str(report.observed.status) if report.observed.status else "no answer"


def _chief(report: Report) -> str:
    if report.causes:
        return one_line(report.causes[0].id)
    return "none observed" if report.verdict in {"ok", "warning"} else "none named"


def _steps(before: Report, after: Report) -> Iterator[ChangePart]:
    """Every step of the walk that failed in either attempt or came to something else."""
    told_of_then = {name for name, declared in checks().items() if declared.past}
    hidden = {"request", *_LOGS, *_LASTS, *told_of_then}
    old = {(step.node, step.subject): step for step in before.steps if step.check not in hidden}
    new = {(step.node, step.subject): step for step in after.steps if step.check not in hidden}
    for key in (*old, *(key for key in new if key not in old)):
        earlier, later = old.get(key), new.get(key)
        step = earlier or later
        states = {one.state for one in (earlier, later) if one is not None}
        same = earlier is not None and later is not None and earlier.outcome == later.outcome
        if step is None or (same and "NO" not in states) or (None in (earlier, later) and "NO" not in states):
            continue
        yield ChangePart(
            one_line(f"{step.check.replace('-', ' ')} {step.subject.partition(' of ')[0]}", limit=80),
            _outcome(earlier),
            _outcome(later),
            earlier.state if earlier else "",
            later.state if later else "",
        )


def _outcome(step: StepPart | None) -> str:
    return one_line(step.outcome.replace("-", " ")) if step is not None else NOT_ASKED


def _errors(earlier: Observed, later: Observed) -> ChangePart | None:
    """Failures that the gateway logged before, and whether it has logged any since."""
    old, new = _logged(earlier), _logged(later)
    if old is None:
        return None
    request = next((one.step for one in later.order if one.step.check == "request"), None)
    if new is None or new.last_seen is None or request is None:
        said = "none in the log" if any(one.step.check in _LOGS for one in later.order) else NOT_ASKED
        return ChangePart("failures logged", _rate(old), said, "NO", "ok" if said != NOT_ASKED else "")
    # The log has whole seconds: a line of the second in which the request was made may be older than the request.
    quiet = request.at - new.last_seen
    said, state = (f"none for {age(quiet)}", "ok") if quiet >= 1 else ("still logged", "NO")
    if request.outcome not in WORKING and state == "ok":  # the one that was just made fails, and may not be written yet
        state = ""
    return ChangePart("failures logged", _rate(old), said, "NO", state)


def _lasting(later: Observed, after: Report) -> Iterator[LastingPart]:
    states = {one.step.check: one for one in later.order}
    kind = after.target.route.gateway.kind if after.target.route else "the gateway"
    configuration = states.get("gateway-config")
    if configuration is not None:
        answer, because = _CONFIGURATION.get(configuration.outcome, ("?", configuration.step.summary))
        yield LastingPart(f"a restart of {kind}", answer, because)
    for one in later.order:
        if one.step.check in _LASTS and one.outcome not in {"unix-socket", "no-unit", "no-manager"}:
            run = one.step.values.get("run")
            yield LastingPart(
                "a restart of this host",
                _AT_BOOT.get(one.outcome, "?"),
                one.step.summary,
                run if isinstance(run, str) and run else None,
            )


# --- a watch ----------------------------------------------------------------------------------------------------------


def watched(events: Iterable[Event], iso: Callable[[float], str]) -> tuple[WatchPart, ...]:
    """Every watch of a session. `iso` writes a time as the report does."""
    return tuple(
        WatchPart(
            watch_sentence(one),
            iso(one.at),
            one.seconds,
            one.url,
            one.good,
            one.bad,
            dict(one.wrong),
            one.logged,
            one.ended,
            one.attempt,
        )
        for one in events
        if isinstance(one, Watched)
    )


def watch_sentence(one: Watched) -> str:
    """What a watch saw: `60 of 60 good`, and what other visitors met meanwhile."""
    total = one.good + one.bad
    if not total:
        return "No request was answered before the watch was stopped."
    said = f"{one.good} of {total} good in {age(one.seconds)}"
    if one.bad:
        said += f" ({', '.join(f'{count} x {word}' for word, count in one.wrong.items())})"
    stopped = ", stopped early" if one.ended != "complete" else ""
    if one.logged is None and stopped:
        return f"{said}{stopped}."
    if one.logged is None:
        return f"{said}{stopped}; the gateway's log could not be read."
    others = "no failure of another request" if not one.logged else f"{one.logged} failures of other requests"
    others = "1 failure of another request" if one.logged == 1 else others
    return f"{said}{stopped}; {others} in the gateway's log."
