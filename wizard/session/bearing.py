"""How observations bear on requests: whether a fault is now, and whether it breaks what visitors ask.

Owns the reading of time and of the one request that was made. May not know which causes there are.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from wizard.checks.registry import Scope, checks
from wizard.session.observed import Observation, Observed

WORKING = frozenset({"ok", "client-error"})
_LATELY = 60.0  # seconds


class Bearing(msgspec.Struct, frozen=True):
    """Whether a fault is over, and whether it breaks requests."""

    past: bool
    breaks_request: bool


def bearing_of(evidence: Iterable[Observation], subject: str, observed: Observed, *, other_requests: bool) -> Bearing:
    """Whether a fault is now, and whether it breaks requests: one dead server of a pool may break none.

    It is over where the request works and nothing wrong was seen but in what was logged. A cause that breaks other
    requests than the safe one that was made counts, though that one works, where something is wrong now too.
    """
    works = not request_fails(subject, observed)
    wrong = [observation for observation in evidence if is_bad(observation)]
    past = works and bool(wrong) and all(_is_logged(observation) for observation in wrong)
    breaks = not works or (not past and (other_requests or _fails_now_and_then(subject, observed)))
    return Bearing(past, breaks)


def is_bad(observation: Observation) -> bool:
    """Whether reality departs from what a working path needs."""
    declared = checks().get(observation.step.check)
    return declared is not None and observation.outcome in declared.bad


def request_fails(subject: str, observed: Observed) -> bool:
    """Whether the request for a subject did not come out well, or was not made."""
    outcome = observed.outcome("request", subject)
    return outcome is None or outcome not in WORKING


def walked(route: str, observed: Observed) -> bool:
    """Whether the path was walked to its end without the request: every server of the route answered directly."""
    servers = [key for key, subject in observed.subjects.items() if subject.parent == route]
    return bool(servers) and all(observed.outcome("reply", key) in {"answers", "client-error"} for key in servers)


def _fails_now_and_then(subject: str, observed: Observed) -> bool:
    """Whether the one request that was made was lucky: others failed in the last minute, and no server is as it should be.

    A gateway's workers hold answers of their own, of a resolver for one; so the same request may work and fail.
    """
    made = observed.find("request", subject)
    route = next((key for key in observed.lineage(subject) if observed.subjects[key].scope == Scope.ROUTE), None)
    if made is None or route is None:
        return False
    seen = [one for one in observed.order if observed.related(one.step.subject, route) and is_bad(one)]
    servers = [key for key, one in observed.subjects.items() if one.parent == route]
    wrong_now = {one.step.subject for one in seen if one.step.last_seen is None}
    lately = any(one.step.last_seen is not None and made.step.at - one.step.last_seen < _LATELY for one in seen)
    return lately and bool(servers) and all(server in wrong_now for server in servers)


def _is_logged(observation: Observation) -> bool:
    """Whether it tells of the time at which something was logged, and not of now."""
    declared = checks().get(observation.step.check)
    return declared is not None and declared.past
