"""What the Walk screen shows: the strip of hops, the trail of steps, and the step that is looked at.

Owns the order of the trail and what a step tells. May not know widgets, runners or the clock; it is given positions and events.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from wizard.checks.registry import Check, Value
from wizard.flow.engine import Kind, Visit, Walk
from wizard.flow.templates import NotBoundError
from wizard.host.questions import NotAnswered, Stat
from wizard.session.events import Event, Overruled, Skipped, StepDone, SubjectRef
from wizard.session.evidence import by_hand_of, excerpt_of, what_of
from wizard.session.observed import Observed, sentence
from wizard.session.report import Report
from wizard.session.session import Asked
from wizard.text import Visible, excerpt, one_line, visible
from wizard.views.path import Path, path_of
from wizard.views.step_words import step_words
from wizard.views.words import NO, WAITING, clock, state_word, took

E = TypeVar("E", StepDone, Skipped, Overruled)

_EXCERPT = 10
_WHOLE = 400
_SEVERAL = 2
_NAMED = 4


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
    """The step that is looked at. `silent` names what was asked and had nothing to say."""

    about: Visible
    question: Visible
    word: Visible
    said: Visible
    why: Visible
    by_hand: Visible
    seen: Visible
    overruled: Visible
    evidence: tuple[EvidenceView, ...] = ()
    silent: Visible = Visible("")  # noqa: RUF009 - an immutable text


@dataclass(frozen=True, slots=True)
class WalkView:
    """The Walk screen, but for the step."""

    title: Visible
    symptom: Visible
    path: Path
    rows: tuple[TrailRow, ...]
    look_at: int


def walk_view(
    title: str,
    positions: Sequence[Walk],
    events: Iterable[Event],
    checks: Mapping[str, Check],
    at: Visit | None = None,
    report: Report | None = None,
) -> WalkView:
    """The trail of a walk, and the strip of the path that the step `at` belongs to.

    Without `at` that is the step which a person wants to see first: `look_at` is its row. Of a walk that has ended,
    which a report says, the steps that were not asked are left out.
    """
    known = tuple(events)
    observed = Observed.of(known)
    rows = trail(positions, observed, checks, ended=report is not None)
    look_at = to_look_at(rows, known, report)
    at = at or (rows[look_at].visit if rows else None)
    taken = tuple((row.visit, row.word) for row in rows if row.visit is not None)
    path = path_of(taken, observed, at.about if at is not None else None)
    return WalkView(one_line(title, limit=120), _symptom(observed), path, rows, look_at)


def trail(
    positions: Sequence[Walk], observed: Observed, checks: Mapping[str, Check], *, ended: bool = False
) -> tuple[TrailRow, ...]:
    """Every step that was taken or can be taken now, numbered in the order of the walk, each under its subject.

    Servers that are walked side by side come one after the other here.
    """
    grouped: dict[str, list[TrailRow]] = {}
    number = 0
    for position in positions:
        for visit in (*position.done, *(() if ended else position.ready)):
            if visit.reused:
                continue
            number += 1
            word = state_word(checks, visit.step.check, visit.outcome) if visit.outcome else WAITING
            label = step_words(visit.step.check or visit.step.name, visit.outcome or "")
            grouped.setdefault(visit.about, []).append(TrailRow(word, label, visit, number))
    rows: list[TrailRow] = []
    for key, steps in grouped.items():
        rows += [TrailRow(Visible(""), _subject_label(observed.subjects.get(key), key)), *steps]
    return tuple(rows)


def to_look_at(rows: Sequence[TrailRow], events: Sequence[Event], report: Report | None) -> int:
    """The row of the step that a person wants to see first.

    While a walk goes on that is the newest one. Afterwards it is the last observation on which the first cause rests,
    else the last that departs from what a working path needs.
    """
    steps = [index for index, row in enumerate(rows) if row.visit is not None]
    newest = max(steps, key=lambda index: rows[index].number, default=0)
    if report is None or not steps:
        return newest
    because = {text for cause in report.causes[:1] for text in cause.because}
    said = {(event.node, event.subject): visible(event.summary) for event in events if isinstance(event, StepDone)}
    departs = [index for index in steps if rows[index].word == NO]
    telling = [index for index in departs if said.get(_key(rows[index].visit)) in because]
    return max(telling or departs or [newest], key=lambda index: rows[index].number)


def _key(visit: Visit | None) -> tuple[str, str]:
    return (visit.observed_at or visit.node, visit.about) if visit is not None else ("", "")


def step_view(
    visit: Visit,
    events: Iterable[Event],
    checks: Mapping[str, Check],
    asked: Mapping[str, Asked],
    offset: int,
    *,
    whole: bool = False,
) -> StepView:
    """One step in full.

    Args:
        visit: the step.
        events: of the session.
        checks: by name.
        asked: the replies of the session by their names (e12).
        offset: the host's zone in seconds east of UTC.
        whole: with more than the first lines of each piece of evidence.
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
    shown = [
        EvidenceView(
            visible(what_of(reply.question)),
            visible(by_hand_of(reply.question)),
            excerpt(excerpt_of(reply.answer), _WHOLE if whole else _EXCERPT, 200),
        )
        for reply in sorted(replies, key=lambda one: _tells_little(one, done.by_hand if done else None))
    ]
    return StepView(
        about=_subject_label(observed.subjects.get(visit.about), visit.about),
        question=_filled(visit.step.question or visit.step.ask or visit.step.name, values),
        word=state_word(checks, visit.step.check, visit.outcome) if visit.outcome else WAITING,
        said=visible(said),
        why=_filled(visit.step.why, values),
        by_hand=visible(done.by_hand or "") if done else Visible(""),
        seen=Visible(f"{clock(done.at, offset, seconds=True)}, {took(done.seconds)}") if done else Visible(""),
        overruled=Visible(f"overruled: {one_line(overruled.outcome)}") if overruled else Visible(""),
        evidence=tuple(one for one in shown if one.excerpt.strip()),
        silent=_silent([one for one in shown if not one.excerpt.strip()]),
    )


def _tells_little(reply: Asked, by_hand: str | None) -> tuple[bool, bool, bool]:
    """What puts evidence behind other evidence: not what the step's command shows, no answer, only that a file is there."""
    return (
        by_hand is None or by_hand_of(reply.question) != by_hand,
        isinstance(reply.answer, NotAnswered),
        isinstance(reply.question, Stat),
    )


def _silent(nothing: Sequence[EvidenceView]) -> Visible:
    if not nothing:
        return Visible("")
    named = "; ".join(one_line(one.what, limit=80) for one in nothing[:_NAMED])
    more = f" and {len(nothing) - _NAMED} more" if len(nothing) > _NAMED else ""
    return Visible(f"nothing in: {named}{more}")


def step_text(step: StepView) -> tuple[Visible, ...]:
    """A step and all its evidence, as lines to be read one after the other."""
    lines = [step.question, step.about, Visible("")]
    lines.append(Visible(f"{step.word}  {step.said}") if step.said else Visible("not asked yet"))
    lines += [step.overruled] if step.overruled else []
    for name, said in (("why", step.why), ("by hand", step.by_hand), ("seen", step.seen)):
        lines += [Visible(f"{name}: {said}")] if said else []
    for one in step.evidence:
        lines += [Visible(""), one.what, Visible(f"by hand: {one.by_hand}"), one.excerpt]
    return (*lines, Visible(""), step.silent) if step.silent else tuple(lines)


def asked_lines(asked: Iterable[Asked]) -> tuple[Visible, ...]:
    """Everything that was asked, a line each: its name, how long it took, what it is, and the command for it."""
    return tuple(
        visible(f"{one.evidence:>5}  {took(one.seconds):>7}  {what_of(one.question)}  |  {by_hand_of(one.question)}")
        for one in asked
    )


def telling(done: StepDone, events: Sequence[Event]) -> tuple[str, ...]:
    """The evidence of a step, its own first, then what many steps rest on; evidence by name, such as e12."""
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
