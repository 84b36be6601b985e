"""The timeline: what changed before the first error, chosen from everything that a session tells of the time before.

Owns the choice: which failure is the fault's first, how far back is looked, what is folded, what is left out where
there is too much. A pure function of the session. May not know how a moment is read from an answer, or how it is shown.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from wizard.logs.bursts import Counts
from wizard.session.past.failures import logged, of_failures
from wizard.session.past.files import of_files
from wizard.session.past.packages import of_packages
from wizard.session.past.scene import Kind, Moment, Scene
from wizard.session.past.units import of_units, unit_states
from wizard.session.session import Session

DAY = 86400.0
MOST = 40
_LOOPING = frozenset({Kind.FAILURE, Kind.UNIT, Kind.GATEWAY, Kind.WORDS, Kind.MEMORY})
_AHEAD = 5.0  # seconds by which a clock may be ahead
_CONSEQUENCES = frozenset({"no-live-upstreams", "upstream-disabled"})


class Timeline(msgspec.Struct, frozen=True):
    """The chosen moments in the order of time; which one is the fault's first error (None: none was seen).

    `utc_offset` is the host's zone, in seconds east of UTC. `counts` are the failures over the time that was read.
    """

    moments: tuple[Moment, ...] = ()
    first_error: int | None = None
    utc_offset: int = 0
    counts: Counts | None = None

    @property
    def before(self) -> tuple[Moment, ...]:
        """What happened before the first error, oldest first."""
        return self.moments[: self.first_error] if self.first_error is not None else ()


def timeline(session: Session, causes: Sequence[str] = ()) -> Timeline:
    """What changed before the first error.

    Args:
        session: a walk, finished or not.
        causes: the ids of the causes that the session comes to, best first: they tell which failure is the fault.
    """
    scene = Scene.of(session)
    if not scene.routes:
        return Timeline()
    states = unit_states(scene)
    told = (*of_units(scene, states), *of_files(scene, states), *of_packages(scene), *of_failures(scene))
    until = max([scene.started, *(reply.at + reply.seconds for reply in scene.asked)]) + _AHEAD
    found = _apart(one for one in told if one.at <= until)
    fault = _fault(found, causes)
    since = (fault.at if fault is not None else scene.started) - DAY
    seen = _folded([one for one in found if since <= one.at])
    kept = sorted(_most_telling(seen, fault), key=lambda one: one.order)
    first = kept.index(fault) if fault is not None and fault in kept else None
    return Timeline(tuple(kept), first, scene.utc_offset, logged(scene)[1])


def _apart(told: Iterable[Moment]) -> list[Moment]:
    """The moments in order, without those that say the same in the same second."""
    return list({(one.at // 1, one.what): one for one in sorted(told, key=lambda one: one.order)}.values())


def _fault(found: Iterable[Moment], causes: Sequence[str]) -> Moment | None:
    """The moment with which the fault began: the first failure of the kind that the first cause explains, and lasts.

    Of several kinds the one that was seen last counts, as in the verdict; a consequence only where nothing else is there.
    """
    errors = [one for one in found if one.burst is not None]
    if not errors:
        return next((one for one in found if one.kind is Kind.MET), None)

    def telling(one: Moment) -> tuple[int, bool, float]:
        burst = one.burst
        assert burst is not None  # noqa: S101 - chosen above
        rank = next((len(causes) - n for n, cause in enumerate(causes) if cause in burst.causes), 0)
        return rank, burst.symptom not in _CONSEQUENCES, burst.last

    return max(errors, key=telling)


def _folded(found: Sequence[Moment]) -> list[Moment]:
    """Rounds of a loop as one line: the same words about one unit again and again, with nothing else between."""
    rounds: dict[tuple[str, str], list[Moment]] = {}
    for one in found:
        if one.kind in _LOOPING:
            rounds.setdefault((one.about, one.what), []).append(one)
    looping = {about for (about, _), group in rounds.items() if len(group) > 2}
    kept: list[Moment] = []
    for one in found:
        group = rounds.get((one.about, one.what), [])
        if one.about not in looping or len(group) < 2:
            kept.append(one)
        elif one is group[0]:
            kept.append(msgspec.structs.replace(one, what=f"{one.what} ({len(group)} times)"))
    return kept


def _most_telling(found: Sequence[Moment], fault: Moment | None) -> list[Moment]:
    """At most `MOST` moments: the fault, then by weight, and of equal ones those that are nearer to it."""
    if len(found) <= MOST:
        return list(found)
    near = fault.at if fault is not None else found[-1].at
    ranked = sorted(found, key=lambda one: (one != fault, -one.weight, abs(one.at - near)))
    return ranked[:MOST]
