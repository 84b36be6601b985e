"""The steps of all flows as one graph: what each asks, what can follow it, and what may come after it at all.

Owns the structure. May not know observations. Names that lead nowhere count as ends.
"""

from __future__ import annotations

from collections.abc import Iterable

from wizard.flow.language import DONT_KNOW, Flow, Step, Target
from wizard.flow.library import Library
from wizard.flow.order import topological
from wizard.flow.vocabulary import COMMAND_OUTCOMES, UNKNOWN, Vocabulary

Node = tuple[str, str]  # flow, step
Key = tuple[str, str]  # what a step asks: ("check", name), ("person", flow/step) or ("each", scope)


class Graph:
    """All steps, what each asks, and what can follow it."""

    def __init__(self, library: Library, vocabulary: Vocabulary) -> None:
        self.flows = library.flows
        self.vocabulary = vocabulary
        self.steps: dict[Node, Step] = {
            (flow.name, step.name): step for flow in library.flows.values() for step in flow.steps
        }
        self.asking: dict[Key, list[Node]] = {}
        for node in self.steps:
            self.asking.setdefault(self.key(node), []).append(node)
        behind = (_behind(node) for node, step in self.steps.items() if step.each is not None)
        points = (*self.steps, *behind, *map(_end, self.flows))
        self._index = {node: number for number, node in enumerate(points)}
        self._reach = self._reachable()
        self._masks = {key: self._mask(nodes) for key, nodes in self.asking.items()}
        self._orders: dict[Node, list[Node]] = {}

    def key(self, node: Node) -> Key:
        """What a step asks: two steps with one key get one answer for one subject."""
        step = self.steps[node]
        if step.check is not None:
            return "check", step.check
        return ("each", step.each) if step.each is not None else ("person", "/".join(node))

    def exits(self, node: Node) -> tuple[tuple[str, Target], ...]:
        """The ways out of a step, one for each outcome; the one behind an `each` has the empty word."""
        step = self.steps[node]
        if step.next is None:
            return step.then
        return tuple((word, step.next) for word in self._words(step))

    def _words(self, step: Step) -> tuple[str, ...]:
        """What a step can come to."""
        if step.check is not None:
            known = self.vocabulary.checks.get(step.check)
            return (UNKNOWN,) if known is None else tuple(known.outcomes)
        if step.ask is not None:
            return (*(value for value, _ in step.choices), DONT_KNOW)
        return COMMAND_OUTCOMES if step.argv else ("",)

    def leads_to(self, node: Node, target: Target) -> Node | None:
        """The step behind a target, in the same frame; None where the frame ends."""
        following = (node[0], target.step or "")
        if target.flow is not None:
            following = self.start(target.flow) or ("", "")
        return following if following in self.steps else None

    def start(self, flow: str | None) -> Node | None:
        """The first step of a flow."""
        found = self.flows.get(flow or "")
        return None if found is None or (found.name, found.start) not in self.steps else (found.name, found.start)

    def inner(self, node: Node) -> Node | None:
        """The first step of the flow that an `each` runs."""
        step = self.steps[node]
        return self.start(step.flow) if step.each is not None else None

    def frame_successors(self, node: Node) -> list[Node]:
        """The steps that can follow in the same frame."""
        found = (self.leads_to(node, target) for _, target in self.exits(node))
        return [each for each in dict.fromkeys(found) if each is not None]

    def successors(self, node: Node) -> list[Node]:
        """The steps that can follow, those inside an `each` included."""
        inner = self.inner(node)
        return [*([inner] if inner is not None else []), *self.frame_successors(node)]

    def roots(self) -> list[Flow]:
        """The flows at which a walk can begin: those that a status selects, and those that no other flow leads to."""
        entered = {step.flow for step in self.steps.values() if step.each is not None}
        entered |= {target.flow for node in self.steps for _, target in self.exits(node) if target.flow is not None}
        return [flow for flow in self.flows.values() if flow.status or flow.name not in entered]

    def frame_order(self, start: Node) -> list[Node]:
        """The steps that a frame can pass, each before those that follow it."""
        if start not in self._orders:
            self._orders[start] = topological([start], self.frame_successors)
        return self._orders[start]

    def asked_from(self, node: Node, key: Key) -> bool:
        """Whether the same may be asked at a step or after it."""
        index = self._index[node]
        return bool((self._reach[index] | 1 << index) & self._masks[key])

    def reaches(self, node: Node, mask: int) -> bool:
        """Whether one of the points in a mask is this step or may come after it."""
        index = self._index[node]
        return bool((self._reach[index] | 1 << index) & mask)

    def mask(self, points: Iterable[tuple[Node, bool]]) -> int:
        """Some steps as a set of bits; True means the point behind an `each`, where its frames have ended."""
        return self._mask(
            [_behind(node) if leaving and self.steps[node].each is not None else node for node, leaving in points]
        )

    def _mask(self, nodes: list[Node]) -> int:
        return sum(1 << self._index[node] for node in set(nodes))

    def _reachable(self) -> list[int]:
        """For each step the steps that may come after it, ends of flows joined with everything that called them."""
        following: dict[Node, set[Node]] = {node: set() for node in self._index}
        for node, step in self.steps.items():
            leaving = node
            inner = self.inner(node)
            if step.each is not None:
                leaving = _behind(node)
                following[node].add(leaving)
            if inner is not None:
                following[node].add(inner)
                following[_end(inner[0])].add(leaving)
            for _, target in self.exits(node):
                after = self.leads_to(node, target)
                following[leaving].add(after or _end(node[0]))
                if target.flow in self.flows:
                    following[_end(target.flow or "")].add(_end(node[0]))
        order = topological(following, lambda node: following[node])
        reach = [0] * len(self._index)
        changed = True
        while changed:
            changed = False
            for node in reversed(order):
                index = self._index[node]
                later = reach[index]
                for each in following[node]:
                    later |= reach[self._index[each]] | 1 << self._index[each]
                changed = changed or later != reach[index]
                reach[index] = later
        return reach


def _behind(node: Node) -> Node:
    """The point behind an `each`, where its frames have ended."""
    return node[0], f"{node[1]}/"


def _end(flow: str) -> Node:
    """The point where a flow ends."""
    return flow, ""
