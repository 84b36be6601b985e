"""Where a runner stands in a walk, and what lies ahead of it.

Owns the two views of one walk: the outcomes that were appended, in the order of the walk, and those that are known
already. May not know probes, deadlines or events.
"""

from __future__ import annotations

from collections.abc import Sequence

from wizard.flow.ahead import Ahead
from wizard.flow.engine import Answers, Followed, Results, Scene, Visit


class Course:
    """One way through the trees, on which nothing is taken back: for that a new one is begun.

    Args:
        scene: flows, vocabulary and subjects.
        roots: each flow that is walked, and the key of its subject.
        results: what was appended before.
    """

    def __init__(self, scene: Scene, roots: Sequence[tuple[str, str]], results: Results) -> None:
        self._walks = [Followed(scene, flow, subject) for flow, subject in roots]
        self._appended = Answers(scene, results)
        self._ahead = Ahead(scene, roots, results)

    def next(self) -> Visit | None:
        """The first open step in the order of the walk; None at its end."""
        return next((visit for walk in self._walks for visit in walk.ready(self._appended)), None)

    def append(self, node: str, about: str, outcome: str) -> None:
        """The outcome of that step."""
        self._appended.add(node, about, outcome)
        self._ahead.learn(node, about, outcome)

    def learn(self, node: str, about: str, outcome: str) -> None:
        """An outcome that the walk has not come to."""
        self._ahead.learn(node, about, outcome)

    def look_again(self) -> None:
        """Let the next look ahead begin anew with what is known by then."""
        self._ahead.look_again()

    def ahead(self) -> tuple[Visit, ...]:
        """What can be asked now: what the known outcomes lead to, and what every way on from there needs."""
        return self._ahead.visits()
