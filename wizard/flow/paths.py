"""The steps of all flows as one graph, and the proof that something holds on every path that leads to a place.

Owns the exact analysis of paths. May not know which claims are made; the linter makes them. The flows must have no
cycle and their scopes must fit.

What is followed is every path from every root flow, with what was observed on it. A check that was asked before gives
the same outcome again, so a path that needs two different ones does not exist. Frames of an `each` see what was
observed before them; a walk with at most one child in each place is enough, because a claim asks for observations
of the frame's own subject and the wider ones, and further children only add observations. To stay small, only what a
claim mentions or what can be asked twice is remembered, and outcomes that cannot be told apart count as one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from wizard.flow.language import Flow, Step, Target
from wizard.flow.library import Library
from wizard.flow.order import topological
from wizard.flow.vocabulary import Vocabulary, rank

MAX_STATES = 200_000

Node = tuple[str, str]  # flow, step
Key = tuple[str, str]  # what a step asks: ("check", name), ("person", flow/step) or ("each", scope)
Site = tuple[Node, str | None]  # arriving at a step (None), or leaving it by an outcome

_NONE, _SOME = "none", "some"


class TooManyPathsError(Exception):
    """The claim cannot be proven within the limit."""


@dataclass(frozen=True, slots=True)
class Claim:
    """What must hold at some sites: one of the alternatives, and none of the exclusions (check: outcomes)."""

    alternatives: tuple[Mapping[str, frozenset[str]], ...]
    excludes: Mapping[str, frozenset[str]]

    def mentions(self, check: str) -> Iterator[frozenset[str]]:
        """Each set of outcomes that the claim names for a check."""
        for each in (*self.alternatives, self.excludes):
            if check in each:
                yield each[check]

    @property
    def checks(self) -> frozenset[str]:
        """All checks that it names."""
        return frozenset(self.excludes).union(*self.alternatives)


@dataclass(frozen=True, slots=True)
class Failure:
    """A path on which a claim does not hold: (flow/step, outcome) in order; `excluded_by` where that is the reason."""

    site: Site
    path: tuple[tuple[str, str], ...]
    excluded_by: str | None = None


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
        """The ways out of a step; the one behind an `each` has the empty word."""
        step = self.steps[node]
        return (("", step.next),) if step.each is not None and step.next is not None else step.then

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

    def repeated(self, key: Key) -> bool:
        """Whether some path may ask the same twice."""
        return any(self._reach[self._index[node]] & self._masks[key] for node in self.asking[key])

    def asked_from(self, node: Node, key: Key) -> bool:
        """Whether the same may be asked at a step or after it."""
        index = self._index[node]
        return bool((self._reach[index] | 1 << index) & self._masks[key])

    def reaches(self, node: Node, mask: int) -> bool:
        """Whether one of the points in a mask is this step or may come after it."""
        index = self._index[node]
        return bool((self._reach[index] | 1 << index) & mask)

    def mask(self, sites: frozenset[Site]) -> int:
        """The points of some sites as a set of bits."""
        return self._mask(
            [_behind(node) if word is not None and self.steps[node].each is not None else node for node, word in sites]
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


def failures(graph: Graph, claim: Claim, sites: frozenset[Site]) -> list[Failure]:
    """The sites at which a claim does not hold on every path, each with one such path.

    Raises:
        TooManyPathsError: more than MAX_STATES different states would have to be looked at.
    """
    proof = _Proof(graph, claim, sites)
    for root in graph.roots():
        start = graph.start(root.name)
        if start is not None:
            proof.frame(start, {proof.nothing: None})
    return list(proof.failures.values())


State = tuple[str, ...]  # the remembered outcome of each tracked key, empty where it was not asked


@dataclass(frozen=True, slots=True)
class Trail:
    """The way to a state: the last step with its outcome, and the way to that."""

    before: Trail | None
    node: str
    word: str


States = dict[State, Trail | None]


class _Proof:
    def __init__(self, graph: Graph, claim: Claim, sites: frozenset[Site]) -> None:
        self.failures: dict[tuple[Site, bool], Failure] = {}
        self._graph = graph
        self._claim = claim
        self._sites = sites
        self._goal = graph.mask(sites)
        self._states = 0
        mentioned = {("check", check) for check in claim.checks}
        self._tracked = [key for key in graph.asking if key in mentioned or graph.repeated(key)]
        self._slot = {key: number for number, key in enumerate(self._tracked)}
        self._passing = [key not in mentioned for key in self._tracked]
        self._again = [graph.repeated(key) for key in self._tracked]
        self._same = [self._classes(*each) for each in zip(self._tracked, self._again, strict=True)]
        self.nothing: State = ("",) * len(self._tracked)

    def frame(self, start: Node, entries: States) -> States:
        """Follow one frame from its first step; returns the states in which it can end."""
        waiting: dict[Node, States] = {start: entries}
        ended: States = {}
        for node in self._graph.frame_order(start):
            arrived = waiting.pop(node, None)
            if arrived is None or not self._graph.reaches(node, self._goal):
                continue
            states: States = {}
            for state, trail in arrived.items():
                states.setdefault(self._without_dead(node, state), trail)
            self._states += len(states)
            if self._states > MAX_STATES:
                raise TooManyPathsError
            for state, trail in states.items():
                self._judge((node, None), state, trail)
            for word, target, left in self._leave(node, states):
                following = self._graph.leads_to(node, target)
                into = ended if following is None else waiting.setdefault(following, {})
                for state, trail in left.items():
                    self._judge((node, word), state, trail)
                    into.setdefault(state, trail)
        return ended

    def _leave(self, node: Node, states: States) -> Iterator[tuple[str, Target, States]]:
        """The ways out of a step with the states in which each is taken."""
        inner = self._graph.inner(node)
        if self._graph.steps[node].each is not None:
            childless = self._after(node, _NONE, states)
            if inner is not None:
                for state, trail in self.frame(inner, self._after(node, _SOME, states)).items():
                    childless.setdefault(state, trail)
            for word, target in self._graph.exits(node):
                yield word, target, childless
            return
        for word, target in self._graph.exits(node):
            yield word, target, self._after(node, word, states)

    def _after(self, node: Node, word: str, states: States) -> States:
        """The states in which a step comes to an outcome: not those that remember another one."""
        name = "/".join(node)
        slot = self._slot.get(self._graph.key(node))
        if slot is None:
            return {state: Trail(trail, name, word) for state, trail in states.items()}
        kept = self._same[slot].get(word, word)
        told = kept if self._again[slot] else word  # one path tells one word where the same is asked twice
        found: States = {}
        for state, trail in states.items():
            if state[slot] in ("", kept):
                found.setdefault((*state[:slot], kept, *state[slot + 1 :]), Trail(trail, name, told))
        return found

    def _without_dead(self, node: Node, state: State) -> State:
        """Forget what is only remembered in case it is asked again, where it cannot be."""
        return tuple(
            "" if word and passing and not self._graph.asked_from(node, key) else word
            for word, passing, key in zip(state, self._passing, self._tracked, strict=True)
        )

    def _classes(self, key: Key, asked_again: bool) -> dict[str, str]:
        """One word for all outcomes that the claim and the steps that ask cannot tell apart."""
        first: dict[object, str] = {}
        same: dict[str, str] = {}
        nodes = self._graph.asking[key]
        words = dict.fromkeys(word for node in nodes for word, _ in self._graph.exits(node))
        if key[0] == "each":
            return {}
        for word in words:
            mentioned = (
                tuple(word in outcomes for outcomes in self._claim.mentions(key[1])) if key[0] == "check" else ()
            )
            routed = tuple(self._routed(node, word) for node in nodes) if asked_again else ()
            same[word] = first.setdefault((mentioned, routed), word)
        return same

    def _routed(self, node: Node, word: str) -> object:
        target = self._graph.steps[node].target(word)
        if target is None:
            return None
        return word if (node, word) in self._sites else (target.step, target.flow)

    def _judge(self, site: Site, state: State, trail: Trail | None) -> None:
        if site not in self._sites:
            return
        scope = self._graph.flows[site[0][0]].scope
        seen = {
            key[1]: word
            for key, word in zip(self._tracked, state, strict=True)
            if word and key[0] == "check" and self._sees(scope, key[1])
        }
        if not any(all(seen.get(check) in fit for check, fit in each.items()) for each in self._claim.alternatives):
            self.failures.setdefault((site, False), Failure(site, _told(trail)))
        for check, outcomes in self._claim.excludes.items():
            if seen.get(check) in outcomes:
                self.failures.setdefault((site, True), Failure(site, _told(trail), excluded_by=check))

    def _sees(self, scope: str, check: str) -> bool:
        own = self._graph.vocabulary.scope_of(check)
        return own is not None and rank(own) <= rank(scope)


def _told(trail: Trail | None) -> tuple[tuple[str, str], ...]:
    path: list[tuple[str, str]] = []
    while trail is not None:
        path.append((trail.node, trail.word))
        trail = trail.before
    return tuple(reversed(path))
