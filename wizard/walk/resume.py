"""What of an interrupted session still stands when it is gone on with: its steps, and what a person said.

Owns that choice: pure functions of saved events. May not know hosts, files or how a walk goes on.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from wizard.checks.registry import UNKNOWN
from wizard.session.events import (
    AttemptStarted,
    Event,
    Finished,
    InputRefused,
    Overruled,
    PersonAnswered,
    Skipped,
    StepDone,
    SubjectFound,
)
from wizard.walk.runner import BY_THE_PERSON


class Standing(msgspec.Struct, frozen=True):
    """What goes on.

    `results` are the outcomes and answers of the latest attempt by (flow/step, subject), `attempt` is its number, and
    `subjects` are the keys of what it walked.
    """

    events: tuple[Event, ...]
    results: dict[tuple[str, str], str]
    attempt: int
    subjects: frozenset[str]


def standing(events: Iterable[Event]) -> Standing:
    """What of the events of an interrupted walk still stands.

    The end of the earlier run, what it refused, and steps that it had no time for do not: they are looked at anew.
    """
    kept = tuple(event for event in events if _stands(event))
    latest = kept[_latest_attempt(kept) :]
    results: dict[tuple[str, str], str] = {}
    attempt = 1
    for event in latest:
        match event:
            case AttemptStarted(attempt=number):
                attempt = number
            case StepDone(node=node, subject=subject, outcome=outcome):
                results[node, subject] = outcome
            case Overruled(node=node, subject=subject, outcome=outcome):
                results[node, subject] = outcome
            case PersonAnswered(node=node, subject=subject, value=value):
                results[node, subject] = value
            case Skipped(node=node, subject=subject):
                results[node, subject] = UNKNOWN
            case _:
                pass
    return Standing(kept, results, attempt, _subjects(latest) or _subjects(kept))


def interrupted(events: Iterable[Event]) -> bool:
    """Whether a walk did not come to its end."""
    last = next((event for event in reversed(tuple(events)) if isinstance(event, Finished)), None)
    return last is None or last.how != "complete"


def _stands(event: Event) -> bool:
    if isinstance(event, Skipped):
        return event.because == BY_THE_PERSON
    return not isinstance(event, Finished | InputRefused)


def _latest_attempt(events: Sequence[Event]) -> int:
    return max((index for index, event in enumerate(events) if isinstance(event, AttemptStarted)), default=0)


def _subjects(events: Iterable[Event]) -> frozenset[str]:
    return frozenset(event.subject.key for event in events if isinstance(event, SubjectFound))
