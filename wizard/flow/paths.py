"""The proof that something holds on every path that leads to a place.

Owns the exact analysis of paths. May not know which claims are made; the linter makes them. The flows must have no
cycle and their scopes must fit.

What is followed is every path from every root flow, with what was observed on it. A check that was asked before gives
the same outcome again, so a path that needs two different ones does not exist. Frames of an `each` see what was
observed before them; a walk with at most one child in each place is enough, because a claim asks for observations
of the frame's own subject and the wider ones, and further children only add observations.

To stay small, only what a claim mentions is remembered at first, and outcomes that cannot be told apart count as one.
That follows too many paths. Where it finds a failure on a path that contradicts itself, what the path contradicts
itself in is remembered too, and the proof begins again: what is left at the end is exact.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec

from wizard.flow.language import Target
from wizard.flow.step_graph import Graph, Key, Node
from wizard.flow.vocabulary import rank

MAX_STATES = 200_000

Fact = tuple[Key, str]  # what was asked, and the outcome

Site = tuple[Node, str | None]  # arriving at a step (None), or leaving it by an outcome

_NONE, _SOME = "none", "some"


class TooManyPathsError(Exception):
    """The claim cannot be proven within the limit."""


class Claim(msgspec.Struct, frozen=True):
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


class Failure(msgspec.Struct, frozen=True):
    """A path on which a claim does not hold: (flow/step, outcome) in order; `excluded_by` where that is the reason."""

    site: Site
    path: tuple[tuple[str, str], ...]
    excluded_by: str | None = None


def failures(graph: Graph, claim: Claim, sites: frozenset[Site]) -> list[Failure]:
    """The sites at which a claim does not hold on every path, each with one such path.

    Raises:
        TooManyPathsError: more than MAX_STATES different states would have to be looked at.
    """
    found: dict[tuple[Site, bool], Failure] = {}
    starts = [start for start in (graph.start(root.name) for root in graph.roots()) if start is not None]
    waiting: list[tuple[Node, frozenset[Site], frozenset[Fact]]] = [(start, sites, frozenset()) for start in starts]
    budget = MAX_STATES
    while waiting:
        start, asked, remembered = waiting.pop()
        proof = _Proof(graph, claim, asked, remembered, budget)
        proof.frame(start, {proof.nothing: None})
        budget = proof.budget
        for place, failure in proof.failures.items():
            contradictions = _contradictions(graph, failure)
            if not contradictions:
                found.setdefault(place, failure)
            elif place not in found:
                waiting.append((start, frozenset([failure.site]), remembered | contradictions))
    return list(found.values())


def _contradictions(graph: Graph, failure: Failure) -> set[Fact]:
    """What a path asks twice with different outcomes, and the outcomes: no walk takes such a path."""
    words: dict[Key, str] = {}
    found: set[Fact] = set()
    for node, word in failure.path:
        flow, _, step = node.partition("/")
        key = graph.key((flow, step))
        first = words.setdefault(key, word)
        if first != word:
            found |= {(key, first), (key, word)}
    return found


State = tuple[str, ...]  # the remembered outcome of each tracked key, empty where it was not asked


class Trail(msgspec.Struct, frozen=True):
    """The way to a state: the last step with its outcome, and the way to that."""

    before: Trail | None
    node: str
    word: str


States = dict[State, Trail | None]


class _Proof:
    """Follows all paths, and more than there are: only `remembered` outcomes of a key are told from its others."""

    def __init__(
        self, graph: Graph, claim: Claim, sites: frozenset[Site], remembered: frozenset[Fact], budget: int
    ) -> None:
        self.failures: dict[tuple[Site, bool], Failure] = {}
        self._graph = graph
        self._claim = claim
        self._sites = sites
        self._goal = graph.mask((node, word is not None) for node, word in sites)
        self.budget = budget
        mentioned = {("check", check) for check in claim.checks}
        self._tracked = [key for key in graph.asking if key in mentioned or any(key == each for each, _ in remembered)]
        self._slot = {key: number for number, key in enumerate(self._tracked)}
        self._passing = [number for number, key in enumerate(self._tracked) if key not in mentioned]
        self._same = [self._classes(key, {word for each, word in remembered if each == key}) for key in self._tracked]
        self.nothing: State = ("",) * len(self._tracked)

    def frame(self, start: Node, entries: States) -> States:
        """Follow one frame from its first step; returns the states in which it can end."""
        waiting: dict[Node, States] = {start: entries}
        ended: States = {}
        for node in self._graph.frame_order(start):
            arrived = waiting.pop(node, None)
            if arrived is None or not self._graph.reaches(node, self._goal):
                continue
            states = self._without_dead(node, arrived)
            self.budget -= len(states)
            if self.budget < 0:
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
        found: States = {}
        for state, trail in states.items():
            if state[slot] in ("", kept):
                found.setdefault((*state[:slot], kept, *state[slot + 1 :]), Trail(trail, name, word))
        return found

    def _without_dead(self, node: Node, states: States) -> States:
        """Forget what is only remembered in case it is asked again, where it cannot be."""
        dead = {slot for slot in self._passing if not self._graph.asked_from(node, self._tracked[slot])}
        if not dead:
            return states
        found: States = {}
        for state, trail in states.items():
            found.setdefault(tuple("" if slot in dead else word for slot, word in enumerate(state)), trail)
        return found

    def _classes(self, key: Key, told_apart: set[str]) -> dict[str, str]:
        """One word for all outcomes of a key that need not be told apart."""
        first: dict[object, str] = {}
        words = dict.fromkeys(word for node in self._graph.asking[key] for word, _ in self._graph.exits(node))
        mentions = tuple(self._claim.mentions(key[1])) if key[0] == "check" else ()
        return {
            word: first.setdefault((tuple(word in each for each in mentions), word if word in told_apart else ""), word)
            for word in words
        }

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
