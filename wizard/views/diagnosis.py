"""What the Diagnosis screen shows: causes with their evidence, commands as cards, and before beside after.

Owns the order and the words of that screen. May not know widgets or how a verdict is drawn; it is given reports.
"""

from __future__ import annotations

from dataclasses import dataclass

from wizard.session.report import CausePart, CommandPart, Report
from wizard.text import Visible, one_line, visible

_STAGES = {"fix": "Fix", "verify": "Verify", "inspect": "Look", "prevent": "Lasting"}
_ORDER = tuple(_STAGES)
_SEVERAL = 2


@dataclass(frozen=True, slots=True)
class Said:
    """A sentence with the names of its evidence."""

    text: Visible
    evidence: tuple[Visible, ...] = ()


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
class Change:
    """A line of the comparison of two attempts."""

    what: Visible
    before: Visible
    after: Visible


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
    changes: tuple[Change, ...] = ()

    @property
    def cards(self) -> tuple[Card, ...]:
        """Every command, in the order of the screen."""
        return tuple(card for cause in self.causes for card in cause.cards)


def diagnosis_view(report: Report, before: Report | None = None) -> DiagnosisView:
    """The Diagnosis screen for a report, with what an earlier attempt showed beside it."""
    causes = tuple(
        [_cause(one, report, warning=False) for one in report.causes]
        + [_cause(one, report, warning=True) for one in report.warnings]
    )
    word, title, identifier = _first_line(report, causes)
    return DiagnosisView(
        word=word,
        title=title,
        id=identifier,
        target=one_line(report.target.url or "this host", limit=120),
        causes=causes,
        observed=_observed(report) if not report.causes else (),
        ruled_out=_grouped([(one.id, one.because) for one in report.ruled_out]),
        open=tuple(
            Said(visible(f"{one.id}: {one.because}" + (f" Next: {one.next.run}" if one.next else "")))
            for one in report.open
        ),
        could_not=tuple(
            Said(visible(f"{one.what}: {one.because}." + (f" To change that: {one.grant}." if one.grant else "")))
            for one in report.not_checked
        ),
        changes=_changes(before, report) if before is not None else (),
    )


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


def _observed(report: Report) -> tuple[Said, ...]:
    common = _common(report)
    said = [Said(visible(step.summary), _telling(step.evidence, common)) for step in report.steps if step.state == "NO"]
    if report.error is not None:
        said += [Said(visible(text)) for text in (report.error.where or "", report.error.hint) if text]
    return tuple(said)


def _cause(cause: CausePart, report: Report, *, warning: bool) -> CauseView:
    common = _common(report)
    evidence = {visible(step.summary): _telling(step.evidence, common) for step in report.steps}
    cards = _cards(cause.commands)
    return CauseView(
        id=one_line(cause.id),
        word=Visible("WARNING") if warning else one_line(cause.confidence.upper()),
        title=one_line(cause.title, limit=300),
        summary=visible(cause.summary),
        because=tuple(Said(visible(said), evidence.get(visible(said), ())) for said in cause.because),
        cards=cards,
        over=one_line(f"This is over: first seen {cause.first_seen}, last seen {cause.last_seen}.")
        if cause.when == "past"
        else Visible(""),
        repair=Visible("")
        if any(card.stage == "Fix" for card in cards)
        else Visible("No command on this host repairs it for certain. Look first."),
    )


def _cards(commands: tuple[CommandPart, ...]) -> tuple[Card, ...]:
    ordered = sorted(commands, key=lambda one: _ORDER.index(one.stage) if one.stage in _ORDER else len(_ORDER))
    cards: list[Card] = []
    for one in ordered:
        stage = Visible(_STAGES.get(one.stage, one_line(one.stage)))
        number = sum(card.stage == stage for card in cards) + 1
        marks = [Visible("changes this host" if one.changes else "changes nothing")]
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


def _common(report: Report) -> frozenset[str]:
    """The evidence that several steps rest on, such as the gateway's configuration."""
    cited = [name for step in report.steps for name in set(step.evidence)]
    return frozenset(name for name in cited if cited.count(name) > _SEVERAL)


def _telling(evidence: tuple[str, ...], common: frozenset[str]) -> tuple[Visible, ...]:
    """A step's own evidence first, then what it shares with many."""
    own = [name for name in evidence if name not in common]
    return tuple(one_line(name) for name in (own or evidence))


def _grouped(pairs: list[tuple[str, str]]) -> tuple[Said, ...]:
    """Causes that one observation rules out stand together."""
    groups: dict[str, list[str]] = {}
    for identifier, because in pairs:
        groups.setdefault(because, []).append(identifier)
    return tuple(Said(visible(f"{', '.join(ids)}: {because}")) for because, ids in groups.items())


def _changes(before: Report, after: Report) -> tuple[Change, ...]:
    """The verdict, the visitor's request, and every step whose outcome differs between two attempts."""
    rows = [
        Change(Visible("what the visitor gets"), _status(before), _status(after)),
        Change(Visible("cause"), _chief(before), _chief(after)),
    ]
    old = {(step.node, step.subject): step for step in before.steps}
    new = {(step.node, step.subject): step for step in after.steps}
    missing = Visible("not asked")
    for key in (*old, *(key for key in new if key not in old)):
        earlier, later = old.get(key), new.get(key)
        if earlier is not None and later is not None and earlier.outcome == later.outcome:
            continue
        step = later or earlier
        assert step is not None  # noqa: S101 - the key comes from one of the two
        rows.append(
            Change(
                one_line(f"{step.check.replace('-', ' ')} {step.subject.partition(' of ')[0]}", limit=80),
                one_line(f"{earlier.state} {earlier.outcome}") if earlier else missing,
                one_line(f"{later.state} {later.outcome}") if later else missing,
            )
        )
    return tuple(rows)


def _status(report: Report) -> Visible:
    if report.observed is None:
        return Visible("not asked")
    return Visible(str(report.observed.status)) if report.observed.status else Visible("no answer")


def _chief(report: Report) -> Visible:
    if report.causes:
        return one_line(report.causes[0].id)
    return Visible("none observed") if report.verdict in {"ok", "warning"} else Visible("none named")
