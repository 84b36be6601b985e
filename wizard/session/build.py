"""The report, built from a session: a pure function, so that an old session shows what newer code makes of it.

Owns what goes into each part of the outward JSON. May not know how it is printed, and asks nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta, timezone

from msgspec.structs import replace

from wizard.checks.registry import UNKNOWN, Check, Gap, Value
from wizard.checks.visitor import curl
from wizard.flow.language import Cause
from wizard.flow.templates import NotBoundError
from wizard.model import Route
from wizard.session import after
from wizard.session import report as shape
from wizard.session.commands import printed
from wizard.session.door import through_the_door
from wizard.session.events import AttemptStarted, Finished, InputRefused, Recalled, Started
from wizard.session.evidence import by_hand_of, excerpt_of, what_of
from wizard.session.observed import Observation, Observed, sentence
from wizard.session.opened import opened
from wizard.session.session import Session
from wizard.session.timeline import Timeline, timeline
from wizard.session.verdict import Conclusion, Verdict, conclude
from wizard.text import one_line, visible

_A_DAY = 86400
STATES = {True: "NO", False: "ok"}


def iso(at: float) -> str:
    """Seconds since the epoch as ISO 8601 in UTC."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def build(session: Session, causes: Iterable[Cause], checks: Mapping[str, Check]) -> shape.Report:
    """Everything that a session shows, as the report; of a path that was walked again, beside what was before."""
    causes = tuple(causes)
    report, observed = _attempt(session, causes, checks)
    earlier = after.earlier_events(session.events)
    if earlier is not None:
        before, observed_before = _attempt(replace(session, events=earlier), causes, checks)
        report = replace(report, after=after.compared(before, report, observed_before, observed))
    return through_the_door(report)


def _attempt(session: Session, causes: Iterable[Cause], checks: Mapping[str, Check]) -> tuple[shape.Report, Observed]:
    """The report of the latest attempt of a session, and what was observed in it."""
    observed = Observed.of(session.events)
    verdict = conclude(causes, observed, {name: check.scope for name, check in checks.items()})
    cite = _Citations(session)
    steps = tuple(_step(one, checks, cite) for one in observed.order)
    routes = [one.route for one in observed.subjects.values() if one.scope == "route" and one.route is not None]
    refused = next((event.problem for event in session.events if isinstance(event, InputRefused)), None)
    word = verdict.word if refused is None or verdict.causes else "unknown"
    me = session.me
    report = shape.Report(
        schema_version=shape.SCHEMA_VERSION,
        wizard=shape.WizardPart(session.wizard),
        session=shape.SessionPart(
            id=session.id,
            started=iso(session.started),
            seconds=round(_ended(session) - session.started, 3),
            user=one_line(me.user) if me else "",
            is_root=bool(me and me.uid == 0),
        ),
        host=shape.HostPart(
            hostname=one_line(me.hostname) if me else "",
            os=one_line(me.os) if me else "",
            kernel=one_line(me.kernel) if me else "",
            service_manager=_service_manager(me.init if me else ""),
        ),
        target=shape.TargetPart(
            url=_url(session, routes),
            route=route_part(routes[0]) if routes else None,
            further_routes=tuple(route_part(one) for one in routes[1:]),
        ),
        observed=_observed(observed),
        verdict=word,
        error=None
        if refused is None
        else shape.ErrorPart(
            visible(refused.what), visible(str(refused.at)) if refused.at else None, visible(refused.hint)
        ),
        causes=tuple(_cause(one, observed, cite) for one in verdict.causes),
        warnings=tuple(_cause(one, observed, cite) for one in verdict.warnings),
        ruled_out=_ruled_out(verdict, cite),
        open=opened(verdict, word, observed, refused.what if refused is not None else None),
        not_checked=_not_checked(observed, _unread(session) if word != "ok" else ()),
        steps=steps,
        timeline=_timeline(timeline(session, [one.cause.id for one in (*verdict.causes, *verdict.warnings)])),
        evidence={},
        impact=after.impact_of(observed, _begun(session), iso),
        disputed=tuple(_cause(one, observed, cite) for one in verdict.disputed),
        watched=after.watched(session.events, iso),
    )
    return replace(report, evidence=cite.parts()), observed  # last: now every part has cited what it rests on


def exit_status(report: shape.Report) -> int:
    """The exit status that a report stands for: 0 ok, 1 warnings only, 2 a cause, 3 wrong and not named."""
    return {"ok": 0, "warning": 1, "cause-found": 2}.get(report.verdict, 3)


class _Citations:
    """Names evidence in the order in which steps cite it, so that two equal walks cite equally."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._names: dict[str, str] = {}

    def names(self, evidence: Iterable[str]) -> tuple[str, ...]:
        return tuple(self._names.setdefault(one, f"e{len(self._names) + 1}") for one in evidence)

    def parts(self) -> dict[str, shape.EvidencePart]:
        found: dict[str, shape.EvidencePart] = {}
        for original, name in self._names.items():
            reply = self._session.reply(int(original[1:]))
            if reply is not None:
                found[name] = shape.EvidencePart(
                    what=what_of(reply.question),
                    by_hand=by_hand_of(reply.question),
                    excerpt=excerpt_of(reply.answer),
                    at=iso(reply.at),
                    seconds=round(reply.seconds, 4),
                )
        return found


def route_part(route: Route) -> shape.RoutePart:
    """A route in the shape of the outward interface."""
    upstream = route.upstream
    return shape.RoutePart(
        gateway=shape.GatewayPart(route.gateway.kind, route.gateway.pid, visible(route.gateway.config)),
        listener=shape.ListenerPart(visible(route.listener.address), route.listener.tls, _place(route.listener.at)),
        virtual_host=shape.MatchedPart(
            visible(route.virtual_host.name), route.virtual_host.matched, visible(str(route.virtual_host.at))
        ),
        location=shape.LocationPart(
            visible(route.location.pattern), route.location.matched, visible(str(route.location.at))
        ),
        action=shape.ActionPart(
            str(route.action.kind),
            visible(route.action.to) if route.action.to is not None else None,
            route.action.status,
            _place(route.action.at),
        ),
        upstream=None
        if upstream is None
        else shape.UpstreamPart(
            visible(upstream.name) if upstream.name is not None else None,
            _place(upstream.at),
            tuple(
                shape.ServerPart(visible(one.address), visible(one.name) if one.name else None, str(one.role))
                for one in upstream.servers
            ),
        ),
        undecided=tuple(visible(one) for one in route.undecided),
    )


def _place(at: object) -> str | None:
    return None if at is None else visible(str(at))


def _begun(session: Session) -> float:
    """When the latest attempt began."""
    return max([session.started, *(event.at for event in session.events if isinstance(event, AttemptStarted))])


def _ended(session: Session) -> float:
    ends = [event.at for event in session.events if isinstance(event, Finished)]
    last = [reply.at + reply.seconds for reply in session.asked]
    return float(max([session.started, *ends, *(last if not ends else [])]))


def _service_manager(init: str) -> str:
    return init if init in {"systemd", "openrc-init", "runit", "s6-svscan"} else "none"


def _url(session: Session, routes: list[Route]) -> str | None:
    started = next((event for event in session.events if isinstance(event, Started)), None)
    if routes:
        return visible(routes[0].url)
    return visible(started.target) if started and started.target else None


def _observed(observed: Observed) -> shape.ObservedPart | None:
    found = [one for one in observed.order if one.step.check == "request" and one.outcome != UNKNOWN]
    bad = [one for one in found if one.outcome not in {"ok", "client-error"}]
    step = next(iter([*bad, *found]), None)
    if step is None:
        return None
    values = step.step.values
    status, seconds = values.get("status"), values.get("seconds")
    return shape.ObservedPart(
        status=status if isinstance(status, int) else None,
        sender=str(values.get("sender", "")) or step.step.summary,
        at=iso(step.step.at),
        seconds=float(seconds) if isinstance(seconds, int | float) else 0.0,
    )


def _step(one: Observation, checks: Mapping[str, Check], cite: _Citations) -> shape.StepPart:
    declared = checks.get(one.step.check)
    state = "?" if one.outcome == UNKNOWN else STATES[declared is not None and one.outcome in declared.bad]
    return shape.StepPart(
        node=one.step.node,
        check=one.step.check,
        subject=visible(one.step.subject),
        outcome=one.outcome,
        summary=visible(one.step.summary),
        seconds=one.step.seconds,
        evidence=cite.names(one.step.evidence),
        overruled_by=one.overruled,
        state=state,
        attempt=one.step.attempt,
        by_hand=one.step.by_hand and visible(one.step.by_hand),
    )


def _cause(one: Conclusion, observed: Observed, cite: _Citations) -> shape.CausePart:
    values = observed.values(one.subject)
    seen = [(item.step.first_seen, item.step.last_seen) for item in one.evidence]
    first = min((first for first, _ in seen if first is not None), default=None)
    last = max((last for _, last in seen if last is not None), default=None)
    commands = printed(one, observed, values)
    if not any(command.stage == "verify" for command in commands):
        commands = (*commands, *_verify(one, observed))
    subject = observed.subjects.get(one.subject)
    return shape.CausePart(
        id=one.cause.id,
        title=_said(one.cause.title, values),
        summary=_said(one.cause.summary, values),
        confidence=str(one.confidence),
        when="past" if one.past else "now",
        subject=visible((subject.server or subject.url or subject.key) if subject else one.subject),
        evidence=cite.names(name for item in one.evidence for name in item.step.evidence),
        explains=cite.names(name for item in one.explains for name in item.step.evidence),
        commands=commands,
        first_seen=iso(first) if first is not None else None,
        last_seen=iso(last) if last is not None else None,
        consequences=one.consequences,
        because=tuple(dict.fromkeys(visible(item.step.summary) for item in one.evidence)),
    )


def _said(template: str, values: Mapping[str, Value]) -> str:
    try:
        return sentence(template, values)
    except NotBoundError as error:
        return template.replace(f"{{{error.name}}}", "it")


def _verify(one: Conclusion, observed: Observed) -> tuple[shape.CommandPart, ...]:
    """The visitor's request once more: what every fix has to make succeed."""
    keys = [*reversed(observed.path(one.subject)), *observed.subjects]
    found = (observed.subjects[key] for key in keys if key in observed.subjects)
    route = next((subject.route for subject in found if subject.scope == "route" and subject.route), None)
    if route is None:
        return ()
    return (
        shape.CommandPart(
            stage="verify",
            run=curl(route),
            edits=None,
            why="Makes the visitor's request once more and prints its status.",
            changes=False,
            needs_root=False,
            undo=None,
            tried=False,
        ),
    )


def _timeline(found: Timeline) -> tuple[shape.TimelinePart, ...]:
    zone = timezone(timedelta(seconds=found.utc_offset)) if 0 < abs(found.utc_offset) < _A_DAY else UTC
    return tuple(
        shape.TimelinePart(
            at=datetime.fromtimestamp(one.at, zone).isoformat(timespec="seconds").removesuffix("+00:00")
            + ("Z" if zone is UTC else ""),
            what=one.what,
            source=one.source,
            kind=str(one.kind),
            first_error=index == found.first_error,
        )
        for index, one in enumerate(found.moments)
    )


def _ruled_out(verdict: Verdict, cite: _Citations) -> tuple[shape.RuledOutPart, ...]:
    disputed = (
        shape.RuledOutPart(one.cause.id, "A person at the keyboard says that it is wrong.", ())
        for one in verdict.disputed
    )
    observed = (
        shape.RuledOutPart(one.cause.id, visible(one.by.step.summary), cite.names(one.by.step.evidence))
        for one in verdict.ruled_out
    )
    return (*disputed, *observed)


def _unread(session: Session) -> tuple[Gap, ...]:
    """What of the time before could not be read; where nothing is wrong, nobody asks for it."""
    return next((event.gaps for event in reversed(session.events) if isinstance(event, Recalled)), ())


def _not_checked(observed: Observed, more: Iterable[Gap]) -> tuple[shape.NotCheckedPart, ...]:
    parts: dict[tuple[str, str], shape.NotCheckedPart] = {}

    def add(gap: Gap) -> None:
        shown = shape.NotCheckedPart(visible(gap.what), visible(gap.because), gap.grant and visible(gap.grant))
        parts.setdefault((gap.what, gap.because), shown)

    for one in observed.order:
        for gap in one.step.gaps:
            add(gap)
        if one.outcome == UNKNOWN and not one.step.gaps:
            parts.setdefault(
                (one.step.check, one.step.summary),
                shape.NotCheckedPart(
                    f"{one.step.check} of {visible(one.step.subject)}", visible(one.step.summary), None
                ),
            )
    for skipped in observed.skipped:
        parts.setdefault(
            (skipped.node, skipped.subject),
            shape.NotCheckedPart(f"{skipped.node} of {visible(skipped.subject)}", visible(skipped.because), None),
        )
    for gap in more:
        add(gap)
    return tuple(parts.values())
