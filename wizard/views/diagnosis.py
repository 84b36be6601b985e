"""What the Diagnosis screen shows: causes with numbers that lead to their evidence, and commands as cards.

Owns the order and the words of that screen. May not know widgets or how a verdict is drawn; it is given reports.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from wizard.session.report import CausePart, Report, RuledOutPart
from wizard.session.summary import NO_REPAIR, stages, telling
from wizard.text import Visible, one_line, visible


@dataclass(frozen=True, slots=True)
class Said:
    """A sentence with the names of its evidence. `number` is the key that leads there; 0: none does."""

    text: Visible
    evidence: tuple[Visible, ...] = ()
    number: int = 0


@dataclass(frozen=True, slots=True)
class Card:
    """A command: what it does, what it changes and needs, how to undo it. `run` is complete, to be copied."""

    stage: Visible
    number: int
    run: Visible
    why: Visible
    marks: tuple[Visible, ...]
    undo: Visible
    diff: tuple[Visible, ...] = ()


@dataclass(frozen=True, slots=True)
class CauseView:
    """A cause or a warning."""

    id: Visible
    word: Visible
    title: Visible
    summary: Visible
    because: tuple[Said, ...]
    cards: tuple[Card, ...]
    over: Visible
    repair: Visible


@dataclass(frozen=True, slots=True)
class DiagnosisView:
    """The Diagnosis screen. `word` and `title` are its first line."""

    word: Visible
    title: Visible
    id: Visible
    target: Visible
    causes: tuple[CauseView, ...]
    observed: tuple[Said, ...]
    ruled_out: tuple[Said, ...]
    open: tuple[Said, ...]
    could_not: tuple[Said, ...]
    impact: Visible = Visible("")  # noqa: RUF009 - an immutable text
    disputed: tuple[Said, ...] = ()

    @property
    def reasons(self) -> tuple[Said, ...]:
        """Every sentence that has a number, in the order of the numbers."""
        because = (said for cause in self.causes for said in cause.because)
        return tuple(said for said in (*because, *self.observed, *self.ruled_out) if said.number)

    @property
    def cards(self) -> tuple[Card, ...]:
        """Every command, in the order of the screen."""
        return tuple(card for cause in self.causes for card in cause.cards)


def diagnosis_view(report: Report) -> DiagnosisView:
    """The Diagnosis screen for a report."""
    numbers = iter(range(1, 10))
    causes = tuple(
        [_cause(one, report, numbers, warning=False) for one in report.causes]
        + [_cause(one, report, numbers, warning=True) for one in report.warnings]
    )
    word, title, identifier = _first_line(report, causes)
    return DiagnosisView(
        word=word,
        title=title,
        id=identifier,
        target=one_line(report.target.url or "this host", limit=120),
        causes=causes,
        observed=_observed(report, numbers) if not report.causes else (),
        ruled_out=_ruled_out(report, numbers),
        open=tuple(
            Said(visible(f"{one.id}: {one.because}" + (f" Next: {one.next.run}" if one.next else "")))
            for one in report.open
        ),
        could_not=tuple(
            Said(visible(f"{one.what}: {one.because}." + (f" To change that: {one.grant}." if one.grant else "")))
            for one in report.not_checked
        ),
        impact=visible(report.impact.said) if report.impact is not None else Visible(""),
        disputed=tuple(
            Said(visible(f"{one.title} ({one.id}): you say that this is wrong, and the report says so."))
            for one in report.disputed
        ),
    )


def evidence_of(report: Report, said: Said) -> tuple[Visible, ...]:
    """What a sentence rests on: the step that came to it, and everything that was asked for it with what came back."""
    lines: list[Visible] = [said.text, Visible("")]
    for step in report.steps:
        if visible(step.summary) == said.text:
            about = one_line(step.subject.partition(" of ")[0], limit=80)
            lines.append(visible(f"Observed by {step.check.replace('-', ' ')}, about {about}: {step.outcome}"))
            if step.by_hand:
                lines.append(visible(f"by hand   {step.by_hand}", limit=2000))
            lines.append(Visible(""))
            break
    for name in said.evidence:
        part = report.evidence.get(name)
        if part is not None:
            lines.append(visible(f"{name}  {part.what}, {part.at}"))
            lines += [visible(f"  $ {part.by_hand}", limit=2000)] if part.by_hand else []
            lines += [visible(f"  {line}") for line in part.excerpt.splitlines()]
            lines.append(Visible(""))
    return tuple(lines)


def _first_line(report: Report, causes: tuple[CauseView, ...]) -> tuple[Visible, Visible, Visible]:
    none = Visible("")
    if report.causes:
        first = causes[0]
        return first.word, first.title, first.id
    if report.error is not None:
        return Visible("PROBLEM"), one_line(report.error.what, limit=300), none
    if report.verdict == "ok":
        return Visible("OK"), Visible("No fault was observed: the request is answered."), none
    if report.warnings:
        return Visible("WARNING"), causes[0].title, causes[0].id
    return Visible("UNKNOWN"), Visible("Something is wrong, and no cause could be named from here."), none


def _observed(report: Report, numbers: Iterator[int]) -> tuple[Said, ...]:
    rests = _telling(report)
    said = [
        Said(visible(step.summary), rests.get(visible(step.summary), ()), next(numbers, 0))
        for step in report.steps
        if step.state == "NO"
    ]
    if report.error is not None:
        said += [Said(visible(text)) for text in (report.error.where or "", report.error.hint) if text]
    return tuple(said)


def _cause(cause: CausePart, report: Report, numbers: Iterator[int], *, warning: bool) -> CauseView:
    evidence = _telling(report)
    cards = _cards(cause)
    return CauseView(
        id=one_line(cause.id),
        word=Visible("WARNING") if warning else one_line(cause.confidence.upper()),
        title=one_line(cause.title, limit=300),
        summary=visible(cause.summary),
        because=tuple(Said(visible(said), evidence.get(visible(said), ()), next(numbers, 0)) for said in cause.because),
        cards=cards,
        over=one_line(f"This is over: first seen {cause.first_seen}, last seen {cause.last_seen}.")
        if cause.when == "past"
        else Visible(""),
        repair=Visible("")
        if cause.when == "past" or any(card.stage == "Fix" for card in cards)
        else Visible(NO_REPAIR),
    )


def _cards(cause: CausePart) -> tuple[Card, ...]:
    headings = dict(stages(cause))
    order = list(headings)
    ordered = sorted(cause.commands, key=lambda one: order.index(one.stage) if one.stage in headings else len(order))
    cards: list[Card] = []
    for one in ordered:
        stage = Visible(headings.get(one.stage, one_line(one.stage)))
        number = sum(card.stage == stage for card in cards) + 1
        changed = f"changes {one_line(one.edits.file)}" if one.edits else "changes this host"
        marks = [Visible(changed if one.changes else "changes nothing")]
        if one.needs_root:
            marks.append(Visible("needs root"))
        cards.append(
            Card(
                stage,
                number,
                visible(one.run, limit=20000),
                visible(one.why),
                tuple(marks),
                visible(one.undo or "", limit=20000),
                tuple(visible(line) for line in one.edits.diff.splitlines()) if one.edits else (),
            )
        )
    return tuple(cards)


def _telling(report: Report) -> dict[Visible, tuple[Visible, ...]]:
    """What each sentence rests on, by the sentence as it is shown."""
    return {visible(said): tuple(one_line(name) for name in names) for said, names in telling(report).items()}


def _ruled_out(report: Report, numbers: Iterator[int]) -> tuple[Said, ...]:
    """Causes that one observation rules out stand together."""
    groups: dict[str, list[RuledOutPart]] = {}
    for one in report.ruled_out:
        groups.setdefault(one.because, []).append(one)
    rests = _telling(report)
    return tuple(
        Said(
            visible(f"{', '.join(one.id for one in group)}: {because}"),
            rests.get(visible(because), ()),
            next(numbers, 0) if group[0].evidence else 0,
        )
        for because, group in groups.items()
    )
