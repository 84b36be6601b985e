"""One route from several possible ones: what all of them agree on, and why they differ.

Owns when a route counts as decided: as soon as only one upstream can be meant. May not know how the possible routes
came about.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import msgspec

from wizard.model import Action, ActionKind, Route
from wizard.text import one_line

MAX_TOLD = 8

T = TypeVar("T")
Taken = tuple[tuple[str, str], ...]  # for each open question of a walk: why it was open, and the answer in words


def agreed(routes: Sequence[tuple[Route, Taken]], *, cut: bool) -> Route:
    """What can be said for certain.

    Args:
        routes: each possible route, with the open questions on its way and how it answered them.
        cut: whether there are more possibilities than were tried.
    """
    first = routes[0][0]
    if len(routes) == 1:
        return first
    outcomes = {_outcome(route): route for route, _ in reversed(routes)}
    if len(outcomes) == 1 and not cut:
        return first
    why = _why(routes, cut=cut)
    upstreams = {(route.action.kind, route.upstream) for route, _ in routes if route.upstream is not None}
    open_walk = any(route.action.kind is ActionKind.UNDECIDED for route, _ in routes)
    if len(upstreams) == 1 and not cut and not open_walk:
        passed = next(route for route, _ in routes if route.upstream is not None)
        return msgspec.structs.replace(passed, undecided=why)
    if not upstreams and not cut and all(route.action.kind is ActionKind.STATIC for route, _ in routes):
        return msgspec.structs.replace(first, action=_common_file([route.action for route, _ in routes]))
    return msgspec.structs.replace(
        first,
        action=Action(ActionKind.UNDECIDED, None, _common([route.action.at for route, _ in routes])),
        location=first.location,
        upstream=None,
        proxying=None,
        undecided=why,
        steps=(),
    )


def _outcome(route: Route) -> object:
    return route.action, route.upstream, route.location, route.proxying, route.undecided


def _common_file(actions: Sequence[Action]) -> Action:
    return Action(
        ActionKind.STATIC,
        _common([action.to for action in actions]),
        actions[0].at,
        _common([action.status for action in actions]),
    )


def _common(values: Sequence[T]) -> T | None:
    return values[0] if all(value == values[0] for value in values) else None


def _why(routes: Sequence[tuple[Route, Taken]], *, cut: bool) -> tuple[str, ...]:
    """Each open question once, and for each different outcome the first answers that lead to it."""
    reasons = dict.fromkeys(reason for _, taken in routes for reason, _ in taken)
    told: dict[str, str] = {}
    for route, taken in routes:
        outcome = "; ".join(route.undecided) or _words(route)
        told.setdefault(outcome, ", ".join(words for _, words in taken))
    lines = [f"{outcome}, if {answers}" for outcome, answers in told.items() if answers]
    more = ("there are more possibilities than were tried",) if cut else ()
    return (*list(reasons)[:MAX_TOLD], *lines[:MAX_TOLD], *more)


def _words(route: Route) -> str:
    action = route.action
    if route.upstream is not None:
        return f"{action.kind} to {one_line(action.to or '')}"
    if action.kind is ActionKind.STATIC:
        return f"a file ({one_line(action.to)})" if action.to else "a file"
    return f"answer {action.status}"
