"""What a walk is certain to ask, whatever comes: it can be asked now.

Owns that look ahead. May not know a clock, the host, or who asks.
"""

from __future__ import annotations

from collections.abc import Iterable

from wizard.flow.engine import Answers, Followed, Open, Results, Scene, Visit
from wizard.flow.order import post_dominators
from wizard.flow.trees import Node


class Ahead:
    """Follows a walk on the outcomes that are known, whether or not it has come to them, and beyond."""

    def __init__(self, scene: Scene, roots: Iterable[tuple[str, str]], results: Results) -> None:
        """Begin.

        Args:
            scene: flows, vocabulary and subjects.
            roots: each flow that is walked, and the key of its subject.
            results: what is known so far.
        """
        self._scene = scene
        self._walks = [Followed(scene, flow, subject) for flow, subject in roots]
        self._answers = Answers(scene, results)
        self._looked: set[Open] = set()
        self._more = True

    def learn(self, node: str, about: str, outcome: str) -> None:
        """One more outcome is known."""
        if self._answers.of(node, about) != outcome:
            self._answers.add(node, about, outcome)
            self._more = True

    def look_again(self) -> None:
        """Let the next call look at every way on, with what was learnt since: where a frame waits, that leads further."""
        self._looked.clear()
        self._more = True

    def visits(self) -> tuple[Visit, ...]:
        """What can be asked now, each question once: what open frames ask, then what all their ways on ask.

        Nothing where nothing was learnt since the last call. Ways on are looked at where a frame has come to a new step.
        """
        if not self._more:
            return ()
        self._more = False
        found: dict[tuple[str, str], Visit] = {}
        for walk in self._walks:
            for visit in walk.ready(self._answers):
                found.setdefault(visit.question, visit)
        for frame in [frame for walk in self._walks for frame in walk.open()]:
            if frame not in self._looked:
                self._looked.add(frame)
                for visit in self._certain((frame.flow, frame.step), frame.subject, frame.depth, skip_children=True):
                    found.setdefault(visit.question, visit)
        return tuple(found.values())

    def _certain(self, start: Node, subject: str, depth: int, *, skip_children: bool = False) -> list[Visit]:
        """The unanswered checks on every way on from a step, those inside its `each` included.

        They are found in the post-dominator tree of the steps ahead, with the outcomes that are known taken as decided.
        """
        trees = self._scene.trees
        decided: dict[Node, tuple[Node | None, ...]] = {}

        def following(node: Node) -> tuple[Node | None, ...]:
            if node not in decided:
                step = trees.known(node)
                outcome = "" if step.each is not None else self._answers.visit(node, step, subject, 0).outcome
                to = (trees.leads_to(node[0], step.target(outcome)),) if outcome else trees.following(node)
                decided[node] = to
            return decided[node]

        nearest = post_dominators([start], following)
        found: list[Visit] = []
        node: Node | None = start
        while node is not None:
            step = trees.known(node)
            if step.each is not None and not (skip_children and node == start):
                inner = trees.start(step.flow or "")
                for child in self._scene.subjects.below(subject, step.each):
                    found += self._certain(inner, child, depth + 1) if inner is not None else []
            elif step.check is not None:
                visit = self._answers.visit(node, step, subject, depth)
                if not visit.outcome:
                    found.append(visit)
            node = nearest.get(node)
        return found
