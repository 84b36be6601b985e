"""A small cast for the runner: checks that can be held, a tree, and a plan, without a host behind them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

import pytest

from wizard.checks.registry import Asker, Check, Finding, Scope, Subject
from wizard.flow.language import Flow
from wizard.flow.library import Library
from wizard.flow.load import read_flow
from wizard.host.port import Reply
from wizard.host.questions import Ask, NotAnswered, Why
from wizard.model import Instance
from wizard.session.events import Event, PersonAnswered, Skipped, StepDone
from wizard.walk.plan import Plan, Target
from wizard.walk.runner import Answerer, Options, Runner, nobody_knows

A = TypeVar("A")

TREE = """\
flow: walk
title: A small walk
for: host
steps:
  first:
    check: first
    then: {good: second, bad: third, unknown: third}
  second:
    check: second
    then: {good: third, bad: third, unknown: third}
  third:
    check: third
    then: {good: done, bad: done, unknown: done}
"""
ASKING = """\
flow: walk
title: A person is asked
for: host
steps:
  deployed:
    ask: Was something deployed?
    choices: {yes: Yes, no: No}
    then: {yes: first, no: second, dont-know: third}
  first:
    check: first
    then: {good: done, bad: done, unknown: done}
  second:
    check: second
    then: {good: done, bad: done, unknown: done}
  third:
    check: third
    then: {good: done, bad: done, unknown: done}
"""


COMMANDING = """\
flow: walk
title: A command of one's own
for: host
steps:
  own:
    argv: [rm, -rf, /]
    then: {succeeded: done, failed: done, unknown: done}
"""


class NoHost:
    """Answers nothing, and counts attempts."""

    def __init__(self) -> None:
        self.attempt = 1
        self.asked: list[object] = []

    async def ask(self, question: Ask[A]) -> Reply[A]:
        """Note the question."""
        self.asked.append(question)
        answer = NotAnswered(Why.REFUSED, "there is no host")
        return Reply(len(self.asked), question, answer, 1.0, 0.0, self.attempt)

    def new_attempt(self) -> int:
        """Go on to the next one."""
        self.attempt += 1
        return self.attempt


@dataclass
class Cast:
    """The checks of the tree: what each comes to, which ones hang, and what became of them."""

    outcomes: dict[str, str] = field(default_factory=dict)
    hanging: set[str] = field(default_factory=set)
    failing: set[str] = field(default_factory=set)
    slow: dict[str, int] = field(default_factory=dict)  # turns of the event loop
    begun: list[str] = field(default_factory=list)
    ended: list[str] = field(default_factory=list)

    def checks(self) -> dict[str, Check]:
        """The declared checks."""
        outcomes: Mapping[str, tuple[str, ...]] = {"unknown": (), "good": (), "bad": ()}
        names = ("first", "second", "third")
        return {name: Check(name, Scope.HOST, outcomes, self._function(name), frozenset({"bad"})) for name in names}

    def _function(self, name: str) -> Any:  # noqa: ANN401 - a check function of this name
        async def function(subject: Subject, asker: Asker) -> Finding:
            del subject, asker
            self.begun.append(name)
            try:
                if name in self.hanging:
                    await asyncio.Event().wait()
                for _ in range(self.slow.get(name, 0)):
                    await asyncio.sleep(0)
                if name in self.failing:
                    raise RuntimeError("a defect\x1b[31m")
            finally:
                self.ended.append(name)
            return Finding(self.outcomes.get(name, "good"), f"{name} was looked at.")

        return function


class Stage:
    """A runner on a plan with nothing but a host."""

    def __init__(
        self,
        monkeypatch: pytest.MonkeyPatch,
        cast: Cast,
        *,
        tree: str = TREE,
        options: Options | None = None,
        answerer: Answerer = nobody_knows,
        trusted: bool = True,
    ) -> None:
        async def planned(target: Target, asker: Asker) -> Plan:
            del target, asker
            return Plan(Subject(Scope.HOST, "host", gateway=Instance("nginx", 1, "/etc/nginx/nginx.conf")))

        monkeypatch.setattr("wizard.walk.runner.plan", planned)
        self.events: list[Event] = []
        self.host = NoHost()
        self.runner = Runner(
            self.host,
            Library(flows={"walk": flow_of(tree, trusted=trusted)}),
            cast.checks(),
            emit=self.events.append,
            options=options or Options(timeout=60.0),
            answerer=answerer,
            clock=lambda: 1.0,
        )

    def outcomes(self, attempt: int = 1) -> list[tuple[str, str]]:
        """What was appended, in order: check and outcome, or what happened instead."""
        return list(told(self.events, attempt))


def told(events: Iterable[Event], attempt: int = 1) -> Iterable[tuple[str, str]]:
    """The events of steps in short."""
    for event in events:
        match event:
            case StepDone(attempt=own) if own == attempt:
                yield event.check, event.outcome
            case Skipped(attempt=own) if own == attempt:
                yield event.node.rpartition("/")[2], "skipped"
            case PersonAnswered(attempt=own) if own == attempt:
                yield event.node.rpartition("/")[2], event.value


def flow_of(text: str, *, trusted: bool = True) -> Flow:
    """A tree."""
    flow = read_flow("walk.yaml", text, trusted=trusted).flow
    assert flow is not None
    return flow
