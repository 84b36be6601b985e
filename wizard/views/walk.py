"""What the Walk screen shows: the strip of hops, the trail of steps, and the step that is looked at.

Owns which checks belong to which hop. May not know widgets, runners or the clock; it is given positions and events.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from wizard.checks.registry import Check, Value
from wizard.flow.engine import Kind, Visit, Walk
from wizard.flow.templates import NotBoundError
from wizard.model import Route
from wizard.session.events import Event, Overruled, Skipped, StepDone, SubjectRef
from wizard.session.evidence import by_hand_of, excerpt_of, what_of
from wizard.session.observed import Observed, sentence
from wizard.session.session import Asked
from wizard.text import Visible, excerpt, one_line, visible
from wizard.views.step_words import step_words
from wizard.views.words import NO, NOT_ASKED, OK, UNTOLD, WAITING, clock, state_word, took, worst

E = TypeVar("E", StepDone, Skipped, Overruled)

# The hop that a check tells of. One that is not listed tells of the hop that its subject stands for.
_LISTENER = frozenset({"gateway", "gateway-service", "gateway-listener", "gateway-refusal", "refused-name"})
_VIRTUAL_HOST = frozenset({"gateway-config", "loaded", "vhost", "circle"})
_NAME = frozenset({"name", "resolver", "held-address", "literal-name"})
_ANSWER = frozenset({"reply", "tls", "tls-repair", "scheme", "speech", "buffer", "patience", "allowed-clients"})
_PROGRAM = frozenset(
    {"peer", "process", "service", "app", "app-log", "memory", "repair", "workers", "limits", "dependency"}
)
_SYMPTOM = frozenset({"request", "route-log", "log", "access-log", "earlier", "handling", "own-answer"})
_OF_SCOPE = {"host": "listener", "route": "virtual-host", "server": "server"}
_EXCERPT = 10
_SEVERAL = 2


@dataclass(frozen=True, slots=True)
class Hop:
    """A hop of the path with its state: ok, NO, ?, `...` (not asked yet) or `-` (not asked)."""

    label: Visible
    word: Visible


@dataclass(frozen=True, slots=True)
class TrailRow:
    """A step of the trail, or (visit None) the heading of a subject."""

    word: Visible
    label: Visible
    visit: Visit | None = None
    number: int = 0


@dataclass(frozen=True, slots=True)
class EvidenceView:
    """What was asked for a step, and what came back."""

    what: Visible
    by_hand: Visible
    excerpt: Visible


@dataclass(frozen=True, slots=True)
class StepView:
    """The step that is looked at."""

    about: Visible
    question: Visible
    word: Visible
    said: Visible
    why: Visible
    by_hand: Visible
    seen: Visible
    overruled: Visible
    evidence: tuple[EvidenceView, ...] = ()


@dataclass(frozen=True, slots=True)
class WalkView:
    """The Walk screen, but for the step."""

    title: Visible
    symptom: Visible
    hops: tuple[Hop, ...]
    rows: tuple[TrailRow, ...]


def walk_view(
    title: str,
    positions: Sequence[Walk],
    events: Iterable[Event],
    checks: Mapping[str, Check],
    at: Visit | None = None,
    *,
    ended: bool = False,
) -> WalkView:
    """The trail of a walk, and the strip of the path that the step `at` belongs to (None: the first that fails).

    Of a walk that has ended, the steps that were not asked are left out.
    """
    observed = Observed.of(events)
    rows = trail(positions, observed, checks, ended=ended)
    subject = _focus(rows, observed, at)
    return WalkView(one_line(title, limit=120), _symptom(observed), _strip(subject, rows, observed), rows)


def trail(
    positions: Sequence[Walk], observed: Observed, checks: Mapping[str, Check], *, ended: bool = False
) -> tuple[TrailRow, ...]:
    """Every step that was taken or can be taken now, in the order of the walk, each under its subject."""
    rows: list[TrailRow] = []
    heading, number = "", 0
    for position in positions:
        for visit in (*position.done, *(() if ended else position.ready)):
            if visit.reused:
                continue
            if visit.about != heading:
                heading = visit.about
                rows.append(TrailRow(Visible(""), _subject_label(observed.subjects.get(heading), heading)))
            number += 1
            word = state_word(checks, visit.step.check, visit.outcome) if visit.outcome else WAITING
            label = step_words(visit.step.check or visit.step.name, visit.outcome or "")
            rows.append(TrailRow(word, label, visit, number))
    return tuple(rows)


def step_view(
    visit: Visit, events: Iterable[Event], checks: Mapping[str, Check], asked: Mapping[str, Asked], offset: int
) -> StepView:
    """One step in full.

    Args:
        visit: the step.
        events: of the session.
        checks: by name.
        asked: the replies of the session by their names (e12).
        offset: the host's zone in seconds east of UTC.
    """
    known = tuple(events)
    observed = Observed.of(known)
    done = _last(known, visit, StepDone)
    skipped = _last(known, visit, Skipped)
    overruled = _last(known, visit, Overruled)
    values = observed.values(visit.subject)
    said = done.summary if done else f"Not asked: {skipped.because}." if skipped else ""
    if visit.kind is Kind.ASK and visit.outcome:
        labels = dict(visit.step.choices)
        said = f"Answered: {labels.get(visit.outcome, visit.outcome)}."
    replies = [asked[name] for name in telling(done, known) if name in asked] if done else []
    return StepView(
        about=_subject_label(observed.subjects.get(visit.about), visit.about),
        question=_filled(visit.step.question or visit.step.ask or visit.step.name, values),
        word=state_word(checks, visit.step.check, visit.outcome) if visit.outcome else WAITING,
        said=visible(said),
        why=_filled(visit.step.why, values),
        by_hand=visible(done.by_hand or "") if done else Visible(""),
        seen=Visible(f"{clock(done.at, offset, seconds=True)}, {took(done.seconds)}") if done else Visible(""),
        overruled=Visible(f"overruled: {one_line(overruled.outcome)}") if overruled else Visible(""),
        evidence=tuple(
            EvidenceView(
                visible(what_of(reply.question)),
                visible(by_hand_of(reply.question)),
                excerpt(excerpt_of(reply.answer), _EXCERPT, 200),
            )
            for reply in replies
        ),
    )


def asked_lines(asked: Iterable[Asked]) -> tuple[Visible, ...]:
    """Everything that was asked, a line each: its name, how long it took, what it is, and the command for it."""
    return tuple(
        visible(f"{one.evidence:>5}  {took(one.seconds):>7}  {what_of(one.question)}  |  {by_hand_of(one.question)}")
        for one in asked
    )


def telling(done: StepDone, events: Sequence[Event]) -> tuple[str, ...]:
    """The evidence of a step, its own first, then what many steps rest on."""
    cited = Counter(name for event in events if isinstance(event, StepDone) for name in set(event.evidence))
    return tuple(sorted(done.evidence, key=lambda name: cited[name] > _SEVERAL))


def _last(events: Sequence[Event], visit: Visit, kind: type[E]) -> E | None:
    node = visit.observed_at or visit.node
    for event in reversed(events):
        if isinstance(event, kind) and (event.node, event.subject) == (node, visit.about):
            return event
    return None


def _filled(template: str, values: Mapping[str, Value]) -> Visible:
    try:
        return visible(sentence(template, values))
    except (NotBoundError, ValueError):
        return visible(template)


def _subject_label(subject: SubjectRef | None, key: str) -> Visible:
    if subject is None or subject.scope == "host":
        return Visible("this host") if key == "host" else one_line(key, limit=80)
    return one_line(subject.server or subject.url or key, limit=80)


def _symptom(observed: Observed) -> Visible:
    for one in observed.order:
        if one.step.check == "request":
            status = one.step.values.get("status")
            if isinstance(status, int) and status:
                return Visible(str(status))
            return one_line(one.outcome.replace("-", " "), limit=30)
    return Visible("")


def _focus(rows: Sequence[TrailRow], observed: Observed, at: Visit | None) -> str | None:
    """The subject whose path the strip shows: that of the step looked at, or else the first that fails."""
    servers = [one.key for one in observed.subjects.values() if one.scope == "server"]
    routes = [one.key for one in observed.subjects.values() if one.scope == "route"]
    failing = [row.visit.about for row in rows if row.visit is not None and row.word == NO]
    wanted = [at.about] if at is not None else []
    for key in (*wanted, *(key for key in failing if key in servers), *failing):
        if key in servers:
            return key
        below = [one for one in servers if observed.subjects[one].parent == key]
        if key in routes:
            return below[0] if below else key
    return next(iter([*servers, *routes]), None)


def _strip(subject: str | None, rows: Sequence[TrailRow], observed: Observed) -> tuple[Hop, ...]:
    reference = observed.subjects.get(subject) if subject is not None else None
    if reference is None or reference.route is None or subject is None:
        return ()
    lineage = observed.lineage(subject)
    route = reference.route
    words: dict[str, list[Visible]] = {}
    for row in rows:
        if row.visit is not None and row.visit.about in lineage:
            words.setdefault(_hop_of(row.visit, observed), []).append(row.word)
    over = all(WAITING not in listed for listed in words.values())

    def hop(name: str, label: str, *, given: bool = False) -> Hop:
        listed = words.get(name, [])
        word = worst([one for one in listed if one != WAITING]) or (OK if given else NOT_ASKED if over else WAITING)
        return Hop(one_line(label, limit=28), word)

    decided = not route.undecided
    hops = [
        hop("listener", f":{route.listener.address.rpartition(':')[2] or route.listener.address}"),
        Hop(_place(route), _decided(words.get("virtual-host", []), decided=decided)),
        Hop(_location(route), OK if decided else UNTOLD),
    ]
    if route.upstream is not None:
        named = any(one.name for one in route.upstream.servers if one.address == reference.server)
        if route.upstream.name is not None or named:
            hops.append(hop("name", route.upstream.name or "name", given=not words.get("name")))
        hops.append(hop("server", reference.server or "the server"))
        hops.append(hop("answer", "http" if str(route.action.kind) == "proxy" else str(route.action.kind)))
        hops.append(hop("program", "program"))
    return tuple(hops)


def _decided(words: list[Visible], *, decided: bool) -> Visible:
    seen = [word for word in words if word != WAITING]
    return worst([*seen, OK if decided else UNTOLD]) or OK


def _hop_of(visit: Visit, observed: Observed) -> str:
    check = visit.step.check or ""
    for name, members in (
        ("listener", _LISTENER),
        ("virtual-host", _VIRTUAL_HOST),
        ("name", _NAME),
        ("answer", _ANSWER),
        ("program", _PROGRAM),
        ("symptom", _SYMPTOM),
    ):
        if check in members:
            return name
    subject = observed.subjects.get(visit.about)
    return _OF_SCOPE.get(subject.scope if subject else "", "server")


def _place(route: Route) -> Visible:
    at = route.virtual_host.at
    return one_line(f"{at.file.rpartition('/')[2]}:{at.line}", limit=28)


def _location(route: Route) -> Visible:
    pattern = route.location.pattern or "(no location)"
    return one_line(f"{pattern}:{route.location.at.line}", limit=28)
