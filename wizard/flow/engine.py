"""Where a walk stands: a pure function of flows, subjects and what has been observed.

Owns the meaning of flows when they run. May not know a clock, the host, events, or how a check works. Going back is
asking again with one result less.

A frame is one flow run for one subject. It goes from step to step while there are results, and stops at the first step
without one. `each` opens a frame for every child of its subject, side by side, and goes on when all have ended.
Handing over to another flow keeps the frame. A check of a wider scope is asked about the wider subject, so frames side
by side share it; what was observed once of a subject holds at every other step that asks the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from types import MappingProxyType

import msgspec

from wizard.flow.language import Flow, Step, Target
from wizard.flow.library import Library
from wizard.flow.order import post_dominators
from wizard.flow.vocabulary import Vocabulary

Results = Mapping[tuple[str, str], str]  # (node, key of the subject asked about) -> outcome, or a person's answer


class Subjects(msgspec.Struct, frozen=True):
    """What is walked, as a tree: the scope of each subject by key, the wider subject, and the narrower ones in order."""

    scopes: Mapping[str, str]
    parents: Mapping[str, str | None]
    children: Mapping[str, tuple[str, ...]]

    @classmethod
    def of(cls, subjects: Iterable[tuple[str, str, str | None]]) -> Subjects:
        """Build the tree from (key, scope, key of the parent), parents first.

        Raises:
            ValueError: a key comes twice, or before its parent.
        """
        scopes: dict[str, str] = {}
        parents: dict[str, str | None] = {}
        children: dict[str, tuple[str, ...]] = {}
        for key, scope, parent in subjects:
            if key in scopes:
                raise ValueError(f"two subjects are called {key!r}")
            if parent is not None and parent not in scopes:
                raise ValueError(f"{key!r} comes before its parent {parent!r}")
            scopes[key], parents[key], children[key] = scope, parent, ()
            if parent is not None:
                children[parent] = (*children[parent], key)
        return cls(MappingProxyType(scopes), MappingProxyType(parents), MappingProxyType(children))

    def at_scope(self, key: str, scope: str | None) -> str:
        """The subject of that scope among this one and the wider ones; this one where there is none."""
        current: str | None = key
        while current is not None:
            if self.scopes.get(current) == scope:
                return current
            current = self.parents.get(current)
        return key

    def below(self, key: str, scope: str | None) -> tuple[str, ...]:
        """The narrower subjects of that scope directly below."""
        return tuple(child for child in self.children.get(key, ()) if self.scopes.get(child) == scope)


class Scene(msgspec.Struct, frozen=True):
    """What does not change while a walk goes on (subjects are added as they are found)."""

    library: Library
    vocabulary: Vocabulary
    subjects: Subjects


class Kind(StrEnum):
    """What a step asks."""

    CHECK = "check"
    ASK = "ask"
    COMMAND = "command"


class Visit(msgspec.Struct, frozen=True):
    """A step reached for a subject. Results are given under (`node`, `about`).

    `about` is who is asked: the subject, or the wider one that a check is declared for. `depth` counts the `each`
    around it. `outcome` is empty while there is none; `reused` says that it was observed at the step `observed_at`.
    """

    node: str
    step: Step
    subject: str
    about: str
    kind: Kind
    depth: int
    outcome: str = ""
    observed_at: str = ""

    @property
    def reused(self) -> bool:
        """Whether the outcome comes from an earlier step that asked the same."""
        return self.observed_at not in ("", self.node)

    @property
    def question(self) -> tuple[str, str]:
        """What two visits share that are answered by one observation."""
        return (f"check {self.step.check}" if self.kind is Kind.CHECK else self.node, self.about)


class End(msgspec.Struct, frozen=True):
    """A frame that ended: for which subject, at which cause (None: at none), and from which step by which outcome."""

    subject: str
    cause: str | None
    via: str
    outcome: str = ""


class Open(msgspec.Struct, frozen=True):
    """A frame that has not ended: its subject, and the step at which it stands."""

    subject: str
    flow: str
    step: str
    depth: int


class Walk(msgspec.Struct, frozen=True):
    """A position: what is behind, what can be asked now, and which frames ended.

    `done` is in the order of the walk, which does not depend on the order of results. `ready` holds each question
    once. `open` lists frames that have not ended, inner ones first.
    """

    done: tuple[Visit, ...]
    ready: tuple[Visit, ...]
    ended: tuple[End, ...]
    open: tuple[Open, ...]

    @property
    def finished(self) -> bool:
        """Whether nothing is left to ask."""
        return not self.open


class _Frame(msgspec.Struct):
    subject: str
    depth: int
    flow: Flow
    step: Step
    passed: set[str] = msgspec.field(default_factory=set)
    children: Iterator[str] | None = None
    blocked: bool = False


def walk(scene: Scene, flow: str, subject: str, results: Results) -> Walk:
    """The position of a walk.

    A flow that was not linted ends, without a cause, where a name leads nowhere or a step comes again.

    Args:
        scene: flows, vocabulary and subjects.
        flow: the name of the flow that is walked.
        subject: the key of its subject.
        results: outcomes and answers by (node, subject asked about), in the order in which they came. Where two steps
            asked the same and got different words (a person overruled one), each keeps its own and others take the
            first.
    """
    return _Walker(scene, results).run(flow, subject)


class _Answers:
    """Looks results up, also under another step that asked the same."""

    def __init__(self, scene: Scene, results: Results) -> None:
        self._scene = scene
        self._results = results
        self._shared: dict[tuple[str, str], tuple[str, str]] = {}
        for (node, about), outcome in results.items():
            flow, _, name = node.partition("/")
            step = _step(scene.library.flows.get(flow), name)
            if step is not None and step.check is not None:
                self._shared.setdefault((step.check, about), (outcome, node))

    def visit(self, flow: str, step: Step, subject: str, depth: int) -> Visit:
        """The visit of a step that is no `each`, with its outcome where there is one."""
        node = f"{flow}/{step.name}"
        if step.check is None:
            kind = Kind.ASK if step.ask is not None else Kind.COMMAND
            outcome = self._results.get((node, subject), "")
            return Visit(node, step, subject, subject, kind, depth, outcome, node if outcome else "")
        about = self._scene.subjects.at_scope(subject, self._scene.vocabulary.scope_of(step.check))
        own = self._results.get((node, about))
        outcome, source = (own, node) if own is not None else self._shared.get((step.check, about), ("", ""))
        return Visit(node, step, subject, about, Kind.CHECK, depth, outcome, source)


class _Walker:
    """One evaluation; the stack holds a frame and those of the `each` steps around it."""

    def __init__(self, scene: Scene, results: Results) -> None:
        self._scene = scene
        self._answers = _Answers(scene, results)
        self._done: list[Visit] = []
        self._ready: dict[tuple[str, str], Visit] = {}
        self._ended: list[End] = []
        self._open: list[Open] = []
        self._stack: list[_Frame] = []

    def run(self, flow: str, subject: str) -> Walk:
        self._enter(flow, subject, depth=0)
        while self._stack:
            self._advance(self._stack[-1])
        return Walk(tuple(self._done), tuple(self._ready.values()), tuple(self._ended), tuple(self._open))

    def _enter(self, name: str, subject: str, depth: int) -> None:
        flow = self._scene.library.flows.get(name)
        step = None if flow is None else flow.step(flow.start)
        if flow is None or step is None:
            self._ended.append(End(subject, None, name))
            return
        self._stack.append(_Frame(subject, depth, flow, step, {f"{flow.name}/{step.name}"}))

    def _advance(self, frame: _Frame) -> None:
        flow, step = frame.flow, frame.step
        if step.each is None:
            visit = self._answers.visit(flow.name, step, frame.subject, frame.depth)
            if not visit.outcome:
                self._ready.setdefault(visit.question, visit)
                self._block(frame)
                return
            self._done.append(visit)
            self._go(frame, step.target(visit.outcome), visit.node, visit.outcome)
            return
        if frame.children is None:
            frame.children = iter(self._scene.subjects.below(frame.subject, step.each))
        child = next(frame.children, None)
        if child is not None:
            self._enter(step.flow or "", child, frame.depth + 1)
        elif frame.blocked:
            self._block(frame)
        else:
            frame.children = None
            self._go(frame, step.next, f"{flow.name}/{step.name}", "")

    def _go(self, frame: _Frame, target: Target | None, via: str, outcome: str) -> None:
        flow, step = _leads_to(self._scene.library, frame.flow, target)
        node = f"{flow.name}/{step.name}" if step is not None else ""
        if step is None or node in frame.passed:
            self._ended.append(End(frame.subject, target.cause if target is not None else None, via, outcome))
            self._stack.pop()
            return
        frame.flow, frame.step = flow, step
        frame.passed.add(node)

    def _block(self, frame: _Frame) -> None:
        self._stack.pop()
        self._open.append(Open(frame.subject, frame.flow.name, frame.step.name, frame.depth))
        if self._stack:
            self._stack[-1].blocked = True


def foreseen(scene: Scene, position: Walk, results: Results) -> tuple[Visit, ...]:
    """The checks that every continuation of a walk will ask, beyond those that are ready: they can be started now.

    They are found in the post-dominator tree of the steps ahead, with the outcomes that are known taken as decided.

    Args:
        scene: flows, vocabulary and subjects.
        position: the walk so far.
        results: the same results that it was computed from.
    """
    ahead = _Ahead(scene, results)
    found: dict[tuple[str, str], Visit] = {}
    for frame in position.open:
        for visit in ahead.certain(frame):
            found.setdefault(visit.question, visit)
    for visit in position.ready:
        found.pop(visit.question, None)
    return tuple(found.values())


_Node = tuple[str, str]  # flow, step


class _Ahead:
    """Finds what is certain to be asked. Frames of one subject share most of the steps ahead."""

    def __init__(self, scene: Scene, results: Results) -> None:
        self._scene = scene
        self._answers = _Answers(scene, results)
        self._followed: dict[tuple[_Node, str], list[_Node | None]] = {}

    def certain(self, frame: Open) -> list[Visit]:
        """The unanswered checks on every way on from where a frame stands, those inside its `each` included."""
        return self._after((frame.flow, frame.step), frame.subject, frame.depth, skip_children=True)

    def _after(self, start: _Node, subject: str, depth: int, *, skip_children: bool = False) -> list[Visit]:
        nearest = post_dominators([start], lambda node: self._following(node, subject))
        found: list[Visit] = []
        node: _Node | None = start
        while node is not None:
            step = _step(self._scene.library.flows.get(node[0]), node[1])
            if step is not None and step.each is not None and not (skip_children and node == start):
                inner = self._scene.library.flows.get(step.flow or "")
                for child in self._scene.subjects.below(subject, step.each):
                    found += self._after((inner.name, inner.start), child, depth + 1) if inner is not None else []
            elif step is not None and step.check is not None:
                visit = self._answers.visit(node[0], step, subject, depth)
                if not visit.outcome:
                    found.append(visit)
            node = nearest.get(node)
        return found

    def _following(self, node: _Node, subject: str) -> list[_Node | None]:
        known = self._followed.get((node, subject))
        if known is None:
            known = self._followed[node, subject] = self._targets(node, subject)
        return known

    def _targets(self, node: _Node, subject: str) -> list[_Node | None]:
        flow = self._scene.library.flows.get(node[0])
        step = _step(flow, node[1])
        if flow is None or step is None:
            return [None]
        if step.each is not None:
            return [self._resolve(flow, step.next)]
        outcome = self._answers.visit(flow.name, step, subject, 0).outcome
        if outcome:
            return [self._resolve(flow, step.target(outcome))]
        targets = [target for _, target in step.then] if step.next is None else [step.next]
        return list(dict.fromkeys(self._resolve(flow, target) for target in targets)) or [None]

    def _resolve(self, flow: Flow, target: Target | None) -> _Node | None:
        following, step = _leads_to(self._scene.library, flow, target)
        return None if step is None else (following.name, step.name)


def _leads_to(library: Library, flow: Flow, target: Target | None) -> tuple[Flow, Step | None]:
    """The step that a target of a flow leads to; None where the frame ends there."""
    if target is not None and target.flow is not None:
        other = library.flows.get(target.flow)
        return (flow, None) if other is None else (other, other.step(other.start))
    return flow, _step(flow, target.step) if target is not None and target.step is not None else None


def _step(flow: Flow | None, name: str) -> Step | None:
    return None if flow is None else flow.step(name)
