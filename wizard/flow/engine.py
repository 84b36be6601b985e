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

from wizard.flow.language import Step, Target
from wizard.flow.library import Library
from wizard.flow.trees import Node, Trees
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
    trees: Trees = msgspec.field(default_factory=lambda: Trees({}))  # those of the library

    def __post_init__(self) -> None:
        msgspec.structs.force_setattr(self, "trees", Trees(self.library.flows))


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
    followed = Followed(scene, flow, subject)
    answers = Answers(scene, results)
    ready: dict[tuple[str, str], Visit] = {}
    for visit in followed.ready(answers):
        ready.setdefault(visit.question, visit)
    done: list[Visit] = []
    ended: list[End] = []
    for passed in followed.behind():
        if isinstance(passed, Visit):
            done.append(passed)
        else:
            ended.append(passed)
    return Walk(tuple(done), tuple(ready.values()), tuple(ended), followed.open())


class Answers:
    """Results by the question that they answer: looked up also under another step that asked the same."""

    def __init__(self, scene: Scene, results: Results) -> None:
        self._scene = scene
        self._results: dict[tuple[str, str], str] = {}
        self._shared: dict[tuple[str, str], tuple[str, str]] = {}
        for (node, about), outcome in results.items():
            self.add(node, about, outcome)

    def add(self, node: str, about: str, outcome: str) -> None:
        """One more result, after those that are there."""
        self._results[node, about] = outcome
        flow, _, name = node.partition("/")
        step = self._scene.trees.step((flow, name))
        if step is not None and step.check is not None:
            self._shared.setdefault((step.check, about), (outcome, node))

    def of(self, node: str, about: str) -> str | None:
        """The result that was given under that step."""
        return self._results.get((node, about))

    def visit(self, at: Node, step: Step, subject: str, depth: int) -> Visit:
        """The visit of a step that is no `each`, with its outcome where there is one."""
        node = f"{at[0]}/{at[1]}"
        if step.check is None:
            kind = Kind.ASK if step.ask is not None else Kind.COMMAND
            outcome = self._results.get((node, subject), "")
            return Visit(node, step, subject, subject, kind, depth, outcome, node if outcome else "")
        about = self._scene.subjects.at_scope(subject, self._scene.vocabulary.scope_of(step.check))
        own = self._results.get((node, about))
        outcome, source = (own, node) if own is not None else self._shared.get((step.check, about), ("", ""))
        return Visit(node, step, subject, about, Kind.CHECK, depth, outcome, source)


class _Frame(msgspec.Struct):
    """One flow run for one subject: where it stands (None: it has ended), and what is behind it, in order."""

    subject: str
    depth: int
    at: Node | None
    passed: set[Node] = msgspec.field(default_factory=set)
    behind: list[Visit | End | _Frame] = msgspec.field(default_factory=list)
    children: list[_Frame] | None = None


class Followed:
    """A walk that is followed while results come: what is behind is not looked at again.

    For results that are only ever added to; where one is taken back or changed, a new one has to be begun.
    """

    def __init__(self, scene: Scene, flow: str, subject: str) -> None:
        self._scene = scene
        self._root = self._entered(flow, subject, 0)

    def ready(self, answers: Answers) -> Iterator[Visit]:
        """Go on as far as there are answers; what the open frames ask, in the order of the walk.

        Frames behind the one whose visit was taken last are gone on with only when more is taken.
        """
        return self._advance(self._root, answers)

    def open(self) -> tuple[Open, ...]:
        """The frames that have not ended, inner ones first."""
        found: list[Open] = []
        _collect(self._root, found)
        return tuple(found)

    def behind(self) -> Iterator[Visit | End]:
        """What was visited, and where frames ended, in the order of the walk."""
        stack: list[Iterator[Visit | End | _Frame]] = [iter(self._root.behind)]
        while stack:
            following = next(stack[-1], None)
            if following is None:
                stack.pop()
            elif isinstance(following, _Frame):
                stack.append(iter(following.behind))
            else:
                yield following

    def _entered(self, name: str, subject: str, depth: int) -> _Frame:
        start = self._scene.trees.start(name)
        if start is None:
            return _Frame(subject, depth, None, behind=[End(subject, None, name)])
        return _Frame(subject, depth, start, {start})

    def _advance(self, frame: _Frame, answers: Answers) -> Iterator[Visit]:
        while frame.at is not None:
            step = self._scene.trees.known(frame.at)
            if step.each is None:
                visit = answers.visit(frame.at, step, frame.subject, frame.depth)
                if not visit.outcome:
                    yield visit
                    return
                frame.behind.append(visit)
                self._go(frame, step.target(visit.outcome), visit.node, visit.outcome)
                continue
            if frame.children is None:
                below = self._scene.subjects.below(frame.subject, step.each)
                frame.children = [self._entered(step.flow or "", child, frame.depth + 1) for child in below]
                frame.behind += frame.children
            for child in frame.children:
                yield from self._advance(child, answers)
            if any(child.at is not None for child in frame.children):
                return
            frame.children = None
            self._go(frame, step.next, f"{frame.at[0]}/{frame.at[1]}", "")

    def _go(self, frame: _Frame, target: Target | None, via: str, outcome: str) -> None:
        assert frame.at is not None  # noqa: S101 - a frame that has ended goes nowhere
        to = self._scene.trees.leads_to(frame.at[0], target)
        if to is None or to in frame.passed:
            frame.at = None
            frame.behind.append(End(frame.subject, target.cause if target is not None else None, via, outcome))
            return
        frame.at = to
        frame.passed.add(to)


def _collect(frame: _Frame, found: list[Open]) -> None:
    if frame.at is None:
        return
    for child in frame.children or ():
        _collect(child, found)
    found.append(Open(frame.subject, frame.at[0], frame.at[1], frame.depth))
