"""Trees that are easy to walk: every step by its name, and where each leads.

Owns that index, and what a flow that was not linted means where a name leads nowhere. May not know results or subjects.
"""

from __future__ import annotations

from collections.abc import Mapping

from wizard.flow.language import Flow, Step, Target

Node = tuple[str, str]  # flow, step


class Trees:
    """The steps of some flows."""

    def __init__(self, flows: Mapping[str, Flow]) -> None:
        self._flows = flows
        self._steps = {(name, step.name): step for name, flow in flows.items() for step in reversed(flow.steps)}
        self._following: dict[Node, tuple[Node | None, ...]] = {}

    def step(self, node: Node) -> Step | None:
        """The step at a node, None where there is none."""
        return self._steps.get(node)

    def known(self, node: Node) -> Step:
        """The step at a node that was reached."""
        return self._steps[node]

    def start(self, name: str) -> Node | None:
        """Where a flow begins; None where there is no such flow, or it has no such step."""
        flow = self._flows.get(name)
        return self._found((flow.name, flow.start)) if flow is not None else None

    def leads_to(self, flow: str, target: Target | None) -> Node | None:
        """The step that a target of a flow leads to; None where the frame ends there."""
        if target is None:
            return None
        if target.flow is not None:
            return self.start(target.flow)
        return self._found((flow, target.step)) if target.step is not None else None

    def following(self, node: Node) -> tuple[Node | None, ...]:
        """Every step that may come after one, None for the end of the frame."""
        known = self._following.get(node)
        if known is None:
            known = self._following[node] = self._targets(node)
        return known

    def _targets(self, node: Node) -> tuple[Node | None, ...]:
        step = self._steps[node]
        if step.each is not None or step.next is not None:
            return (self.leads_to(node[0], step.next),)
        return tuple(dict.fromkeys(self.leads_to(node[0], target) for _, target in step.then)) or (None,)

    def _found(self, node: Node) -> Node | None:
        return node if node in self._steps else None
