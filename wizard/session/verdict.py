"""The verdict: which causes the observations confirm, which they rule out, and which stay open.

Owns how conclusions are drawn: three-valued, folded, ranked. May not know how anything is printed or asked. A cause
counts where one of its alternatives holds whole; a missing observation never counts as one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum

import msgspec
from msgspec.structs import replace

from wizard.checks.registry import UNKNOWN, Edit, Scope
from wizard.flow.language import Cause, Confidence, Needs
from wizard.session.bearing import WORKING, bearing_of, is_bad, request_fails, walked
from wizard.session.observed import Observation, Observed

_SURE = {Confidence.CONFIRMED: 2, Confidence.LIKELY: 1, Confidence.POSSIBLE: 0}
_WIDTH = {Scope.HOST: 0, Scope.ROUTE: 1, Scope.SERVER: 2}


class Truth(StrEnum):
    """Whether something holds, as far as was observed."""

    HOLDS = "holds"
    FAILS = "fails"
    OPEN = "open"  # an observation came back unknown, or did not come in time
    UNASKED = "unasked"  # no step on this path asked


class Conclusion(msgspec.Struct, frozen=True):
    """A cause that holds for a subject."""

    cause: Cause
    subject: str
    confidence: Confidence
    evidence: tuple[Observation, ...]
    consequences: tuple[str, ...] = ()
    explains: tuple[Observation, ...] = ()
    past: bool = False
    breaks_request: bool = True


class RuledOut(msgspec.Struct, frozen=True):
    """A cause that was plausible, and the observation against it."""

    cause: Cause
    subject: str
    by: Observation


class Open(msgspec.Struct, frozen=True):
    """A cause that holds as far as was seen, and the observation that is missing."""

    cause: Cause
    subject: str
    missing: tuple[str, ...]


class Verdict(msgspec.Struct, frozen=True):
    """What the observations come to. `word` is ok, warning, cause-found or unknown."""

    word: str
    causes: tuple[Conclusion, ...]
    warnings: tuple[Conclusion, ...]
    ruled_out: tuple[RuledOut, ...]
    open: tuple[Open, ...]
    disputed: tuple[Conclusion, ...] = ()  # held, and a person says that they are wrong


def conclude(causes: Iterable[Cause], observed: Observed, scopes: Mapping[str, Scope]) -> Verdict:
    """Draw the verdict.

    A cause that a person disputes takes no part: what it would explain stands for itself again.

    Args:
        causes: the catalogue.
        observed: the observations of the latest attempt.
        scopes: the scope of every check by name.
    """
    held: list[Conclusion] = []
    ruled_out: list[RuledOut] = []
    still_open: list[Open] = []
    for cause in causes:
        for one in _judged(cause, observed, scopes):
            if isinstance(one, Conclusion):
                held.append(one)
            elif isinstance(one, RuledOut):
                ruled_out.append(one)
            else:
                still_open.append(one)
    believed = [one for one in held if one.cause.id not in observed.disputed]
    timed = [_timed(one, observed) for one in believed]
    ranked = sorted(_folded(timed, observed), key=lambda one: _rank(one, observed))
    concluded = _by_repair(_once_each(ranked), observed)
    found = tuple(one for one in concluded if one.breaks_request and not one.past)
    warnings = tuple(one for one in concluded if not (one.breaks_request and not one.past))
    named = {one.cause.id for one in concluded} | {word for one in concluded for word in one.consequences}
    return Verdict(
        _word(found, warnings, observed),
        found,
        warnings,
        tuple(_once(one for one in ruled_out if one.cause.id not in named)),
        tuple(one for one in still_open if one.cause.id not in named),
        tuple(_timed(one, observed) for one in held if one.cause.id in observed.disputed),
    )


def _once_each(ranked: Iterable[Conclusion]) -> list[Conclusion]:
    """Each cause once for a subject: of two variants that hold the one that ranks first."""
    kept: dict[tuple[str, str], Conclusion] = {}
    for one in ranked:
        kept.setdefault((one.cause.id, one.subject), one)
    return list(kept.values())


def _by_repair(ranked: Iterable[Conclusion], observed: Observed) -> list[Conclusion]:
    """One cause for the servers that one change of one line repairs: printed for each of them it would be made twice."""
    kept: list[Conclusion] = []
    edits: dict[tuple[str, tuple[Edit, ...]], int] = {}
    for one in ranked:
        values = observed.values(one.subject)
        named = (values.get(command.edit) for command in one.cause.commands if command.edit is not None)
        key = one.cause.id, tuple(edit for edit in named if isinstance(edit, Edit))
        if key[1] and key in edits:
            first = kept[edits[key]]
            kept[edits[key]] = replace(first, explains=(*first.explains, *one.evidence))
        else:
            edits[key] = len(kept)
            kept.append(one)
    return kept


def _once(ruled_out: Iterable[RuledOut]) -> Iterable[RuledOut]:
    seen: set[str] = set()
    for one in ruled_out:
        if one.cause.id not in seen:
            seen.add(one.cause.id)
            yield one


def _judged(cause: Cause, observed: Observed, scopes: Mapping[str, Scope]) -> list[Conclusion | RuledOut | Open]:
    """What a cause comes to, for each subject at which one of its alternatives can be found.

    Each alternative is judged at the narrowest scope that it asks about. Where alternatives of two scopes hold on one
    path, the surer one counts, of equals the wider.
    """
    by_scope: dict[Scope, list[Needs]] = {}
    for needs in cause.needs:
        by_scope.setdefault(_scope_of(needs, scopes), []).append(needs)
    found: list[Conclusion | RuledOut | Open] = []
    for scope in sorted(by_scope, key=_WIDTH.__getitem__):
        for key, subject in observed.subjects.items():
            judged = _judge(cause, by_scope[scope], key, observed) if subject.scope == scope else None
            if judged is not None:
                found.append(judged)
    conclusions = [one for one in found if isinstance(one, Conclusion)]
    weaker = {id(one) for one in conclusions if any(_outdone(one, other, observed) for other in conclusions)}
    return [one for one in found if id(one) not in weaker]


def _outdone(one: Conclusion, other: Conclusion, observed: Observed) -> bool:
    """Whether another conclusion of the same cause, about a wider or narrower subject on one path, says it better."""
    if one.subject == other.subject or not observed.related(one.subject, other.subject):
        return False
    sure, surer = _SURE[one.confidence], _SURE[other.confidence]
    return surer > sure or (surer == sure and other.subject in observed.lineage(one.subject))


def _scope_of(needs: Needs, scopes: Mapping[str, Scope]) -> Scope:
    """The narrowest scope among the checks of an alternative."""
    asked = {scopes[check] for check, _ in needs.outcomes if check in scopes}
    return max(asked, key=_WIDTH.__getitem__, default=Scope.ROUTE)


def truth(check: str, outcomes: tuple[str, ...], subject: str, observed: Observed) -> Truth:
    """Whether a check came to one of some outcomes for a subject."""
    found = observed.outcome(check, subject)
    if found is None:
        return Truth.UNASKED if observed.cut(check, subject) is None else Truth.OPEN
    if found in outcomes:
        return Truth.HOLDS
    return Truth.OPEN if found == UNKNOWN else Truth.FAILS


def _judge(
    cause: Cause, alternatives: Iterable[Needs], subject: str, observed: Observed
) -> Conclusion | RuledOut | Open | None:
    against = _excluding(cause, subject, observed)
    best: Conclusion | None = None
    opened: Open | None = None
    contradicted: RuledOut | None = None
    for needs in alternatives:
        truths = {check: truth(check, outcomes, subject, observed) for check, outcomes in needs.outcomes}
        holding = [check for check, value in truths.items() if value is Truth.HOLDS]
        if all(value is Truth.HOLDS for value in truths.values()):
            if against is not None:
                return RuledOut(cause, subject, against)
            if best is None or _SURE[needs.certainty] > _SURE[best.confidence]:
                best = Conclusion(cause, subject, needs.certainty, _evidence(needs, subject, observed))
            continue
        if not _plausible(holding, observed, subject):
            continue
        failing = next((check for check, value in truths.items() if value is Truth.FAILS), None)
        if failing is not None:
            by = observed.find(failing, subject)
            contradicted = contradicted or (RuledOut(cause, subject, by) if by else None)
        elif Truth.OPEN in truths.values():
            missing = tuple(check for check, value in truths.items() if value is Truth.OPEN)
            opened = opened or Open(cause, subject, missing)
    if best is not None:
        return _doubted(best, observed)
    if against is not None and (opened or contradicted):
        return RuledOut(cause, subject, against)
    return opened or contradicted


def _doubted(one: Conclusion, observed: Observed) -> Conclusion:
    """A conclusion that is less sure where what would exclude it was not observed in time."""
    unseen = any(
        observed.outcome(check, one.subject) is None and observed.cut(check, one.subject) is not None
        for check, _ in one.cause.excludes
    )
    lower = unseen and one.confidence is not Confidence.CONFIRMED
    return replace(one, confidence=Confidence.POSSIBLE) if lower else one


def _plausible(holding: list[str], observed: Observed, subject: str) -> bool:
    """Whether something wrong was seen that this cause would explain: what is merely normal speaks for nothing."""
    return any((found := observed.find(check, subject)) is not None and is_bad(found) for check in holding)


def _excluding(cause: Cause, subject: str, observed: Observed) -> Observation | None:
    for check, outcomes in cause.excludes:
        if truth(check, outcomes, subject, observed) is Truth.HOLDS:
            return observed.find(check, subject)
    return None


def _evidence(needs: Needs, subject: str, observed: Observed) -> tuple[Observation, ...]:
    found = (observed.find(check, subject) for check, _ in needs.outcomes)
    return tuple(one for one in found if one is not None)


def _folded(held: list[Conclusion], observed: Observed) -> list[Conclusion]:
    """Put consequences under their causes: a cause that another one on the same path explains is not listed itself."""
    kept: list[Conclusion] = []
    for one in held:
        over = [other for other in held if other is not one and _is_over(other, one, observed)]
        if not over:
            kept.append(one)
    return [_over(one, held, observed) for one in kept]


def _is_over(cause: Conclusion, consequence: Conclusion, observed: Observed) -> bool:
    """Whether a conclusion hides another one. Of two that account for each other the one of higher priority stays."""
    if not _accounts_for(cause, consequence, observed):
        return False
    return not _accounts_for(consequence, cause, observed) or cause.cause.priority > consequence.cause.priority


def _accounts_for(cause: Conclusion, consequence: Conclusion, observed: Observed) -> bool:
    """Whether one conclusion is a consequence of another: by what the cause says, or by where it stands in a chain.

    A cause that is over explains nothing that is there now, and one that is only possible hides nothing known better.
    """
    if cause.past and not consequence.past:
        return False
    if cause.confidence is Confidence.POSSIBLE and consequence.confidence is not Confidence.POSSIBLE:
        return False
    if consequence.cause.id in cause.cause.explains and observed.related(cause.subject, consequence.subject):
        return True
    return _lies_behind(cause, consequence, observed)


def _lies_behind(cause: Conclusion, consequence: Conclusion, observed: Observed) -> bool:
    """Whether a cause stands further on the path than a server whose bad answer is all that is wrong with it.

    What a further gateway answers is made by what is wrong behind it.
    """
    further = consequence.subject in observed.path(cause.subject)
    further = further and consequence.subject not in observed.lineage(cause.subject)
    return further and any(one.step.check == "reply" and is_bad(one) for one in consequence.evidence)


def _over(one: Conclusion, held: list[Conclusion], observed: Observed) -> Conclusion:
    """A conclusion with its consequences folded under it."""
    under = [other for other in held if other is not one and _accounts_for(one, other, observed)]
    return replace(
        one,
        consequences=tuple(dict.fromkeys(other.cause.id for other in under)),
        explains=_explained(one, under, observed),
    )


def _explained(one: Conclusion, under: list[Conclusion], observed: Observed) -> tuple[Observation, ...]:
    """What else a cause accounts for: the bad observations on its path that are not its own evidence."""
    own = {id(observation) for observation in one.evidence}
    found = [observation for other in under for observation in other.evidence if id(observation) not in own]
    for observation in observed.order:
        if (
            is_bad(observation)
            and id(observation) not in own
            and observed.related(observation.step.subject, one.subject)
        ):
            found.append(observation)  # noqa: PERF401 - the condition is easier to read in a loop
    return tuple({id(observation): observation for observation in found}.values())


def _rank(one: Conclusion, observed: Observed) -> tuple[int, int, int, int]:
    failing = 0 if request_fails(one.subject, observed) else 1
    position = list(observed.subjects).index(one.subject)
    return failing, -_SURE[one.confidence], position, -one.cause.priority


def _timed(one: Conclusion, observed: Observed) -> Conclusion:
    """Say whether the fault is now, and whether it breaks requests."""
    bearing = bearing_of(one.evidence, one.subject, observed, other_requests=one.cause.other_requests)
    return replace(one, past=bearing.past, breaks_request=bearing.breaks_request)


def _word(found: tuple[Conclusion, ...], warnings: tuple[Conclusion, ...], observed: Observed) -> str:
    if found:
        return "cause-found"
    routes = [key for key, subject in observed.subjects.items() if subject.scope == Scope.ROUTE]
    outcomes = [observed.outcome("request", key) for key in routes]
    if any(outcome is not None and outcome not in {*WORKING, UNKNOWN} for outcome in outcomes):
        return "unknown"
    if warnings:
        return "warning"
    # What lies behind an answer that was good needs no answer of its own.
    front = [key for key in routes if observed.subjects[key].behind is None]
    unseen = [key for key in front or routes if observed.outcome("request", key) in {None, UNKNOWN}]
    if not routes or any(not walked(key, observed) for key in unseen):
        return "unknown"
    return "ok"
