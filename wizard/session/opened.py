"""The part of a report that tells what could not be told apart, and the observation that would.

Owns the reasons and the next commands. May not know which causes hold.
"""

from __future__ import annotations

from wizard.session import report as shape
from wizard.session.commands import shell_line
from wizard.session.observed import Observed
from wizard.session.unexplained import unexplained
from wizard.session.verdict import Open, Verdict
from wizard.text import visible


def opened(verdict: Verdict, word: str, observed: Observed, problem: str | None) -> tuple[shape.OpenPart, ...]:
    """What could not be told apart. Where something is wrong and nothing is open, where to look next."""
    parts = [_open(one, observed) for one in verdict.open]
    if word == "unknown" and not parts:
        parts += [
            shape.OpenPart(
                one.cause, visible(one.because), shape.NextPart(visible(shell_line(one.argv)), visible(one.why))
            )
            for one in unexplained(observed, problem)
        ]
    return tuple(parts)


def _open(one: Open, observed: Observed) -> shape.OpenPart:
    found = [observed.find(check, one.subject) for check in one.missing]
    cut = [observed.cut(check, one.subject) for check in one.missing]
    said = [item.step.summary for item in found if item is not None]
    said += [f"{item.check}: {item.because}" for item in cut if item is not None]
    by_hand = next((item.step.by_hand for item in found if item is not None and item.step.by_hand), None)
    why = "Shows what the wizard could not see."
    if by_hand is None and any(item is not None for item in cut):
        by_hand, why = _with_more_time(one.subject, observed), "Walks the same path with more time."
    following = shape.NextPart(visible(by_hand), why) if by_hand else None
    return shape.OpenPart(one.cause.id, visible("; ".join(said) or "not observed"), following)


def _with_more_time(key: str, observed: Observed) -> str:
    urls = (observed.subjects[one].url for one in observed.path(key) if one in observed.subjects)
    url = next((one for one in urls if one), None)
    return shell_line(("gateway-wizard", "diagnose", *([url] if url else []), "--timeout", "60"))
