"""What differs between two reports: verdict, symptom, causes, and what each step came to.

Owns the comparison and its wording. May not know files, or how a verdict is drawn. Times, numbers of evidence and
durations differ between any two runs and are no difference.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import msgspec

from wizard.session.around import said, since, stamps
from wizard.session.report import CausePart, Report, StepPart
from wizard.text import one_line

_LABEL = 10


class Difference(msgspec.Struct, frozen=True):
    """One thing that differs: the kind of thing, which one, and what it was in either session (None: not there)."""

    kind: str
    name: str
    first: str | None
    second: str | None


def differences(first: Report, second: Report) -> tuple[Difference, ...]:
    """Everything that differs, in the order in which a person asks for it."""
    facts = (
        ("verdict", first.verdict, second.verdict),
        ("host", first.host.hostname, second.host.hostname),
        ("target", first.target.url, second.target.url),
        ("observed", _symptom(first), _symptom(second)),
    )
    found = [Difference(kind, "", one, other) for kind, one, other in facts if one != other]
    found += _paired("cause", _concluded(first.causes), _concluded(second.causes))
    found += _paired("warning", _concluded(first.warnings), _concluded(second.warnings))
    found += _paired("step", _outcomes(first), _outcomes(second))
    return tuple(found)


def compared(first: Report, second: Report) -> str:
    """The differences as text, each session in a line of its own first, and what changed on the host between them."""
    lines = [_line("A", _headline(first)), _line("B", _headline(second)), ""]
    found = differences(first, second)
    if not found:
        lines.append("No difference was found in verdict, causes and steps.")
    telling = [one for one in found if not _is_quiet(one, first, second)]
    lines += _told(telling)
    if len(telling) < len(found):
        count = len(found) - len(telling)
        lines.append(
            _line("", f"and {count} step{'s' if count > 1 else ''} that only one of them asked, with nothing wrong")
        )
    between = since(first, second)
    lines += [
        _line("" if index else "between", f"{stamp}  {said(one)}")
        for index, (stamp, one) in enumerate(zip(stamps(between), between, strict=True))
    ]
    return "\n".join(lines) + "\n"


def _is_quiet(one: Difference, first: Report, second: Report) -> bool:
    """Whether a step was asked in one session only, and came to nothing wrong: how far a walk goes depends on the fault."""
    if one.kind != "step" or (one.first is not None and one.second is not None):
        return False
    asked = (*first.steps, *second.steps)
    return all(step.state == "ok" for step in asked if _name(step) == one.name)


def _told(found: Iterable[Difference]) -> Iterator[str]:
    label = ""
    for one in found:
        name = f"{one.name}: " if one.name else ""
        if one.first is None:
            said = f"{name}only in B: {one.second}"
        elif one.second is None:
            said = f"{name}only in A: {one.first}"
        else:
            said = f"{name}{one.first} -> {one.second}"
        yield _line("" if one.kind == label else one.kind, said)
        label = one.kind


def _line(label: str, said: str) -> str:
    return label.ljust(_LABEL) + one_line(said, limit=400)


def _headline(report: Report) -> str:
    about = report.target.url or "everything that fails"
    return f"{report.session.started}  {report.host.hostname or 'unknown host'}  {about}: {report.verdict}"


def _symptom(report: Report) -> str | None:
    seen = report.observed
    if seen is None:
        return None
    return f"{seen.status} from {seen.sender}" if seen.status is not None else f"no answer: {seen.sender}"


def _concluded(causes: Iterable[CausePart]) -> dict[str, str]:
    return {f"{one.id} ({one.subject})": f"{one.confidence}, {one.when}" for one in causes}


def _outcomes(report: Report) -> dict[str, str]:
    """What each step of the latest attempt came to."""
    return {_name(step): step.outcome + (" (overruled)" if step.overruled_by else "") for step in report.steps}


def _name(step: StepPart) -> str:
    return f"{step.check} of {step.subject}"


def _paired(kind: str, first: Mapping[str, str], second: Mapping[str, str]) -> list[Difference]:
    names = dict.fromkeys([*first, *second])
    return [
        Difference(kind, name, first.get(name), second.get(name))
        for name in names
        if first.get(name) != second.get(name)
    ]
