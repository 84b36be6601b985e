"""The runner: the only place where trees, checks and time meet.

Owns concurrency, deadlines, cancelling and the order of events. May not know what a check looks at or how an event is
shown. Whatever the outcomes that are known lead to is started early and at once, and so is what every continuation
will need; outcomes are appended in the order of the walk, so that two runs over the same host give the same session.
Checks that speak to one server take turns: an application with a single worker would take another one's request for
the cause of its silence.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from contextlib import AbstractAsyncContextManager, nullcontext
from functools import partial
from typing import TypeVar

import msgspec

from wizard.checks.registry import TIMEOUT, UNKNOWN, Check, Finding, Gap, Subject
from wizard.flow.engine import Kind, Scene, Subjects, Visit, Walk, walk
from wizard.flow.language import DONT_KNOW
from wizard.flow.library import Library
from wizard.flow.vocabulary import Vocabulary
from wizard.host.port import Host
from wizard.host.questions import Ran, Run
from wizard.session.events import (
    AttemptStarted,
    Event,
    Finished,
    InputRefused,
    Overruled,
    PersonAnswered,
    Skipped,
    StepDone,
    SubjectFound,
    SubjectRef,
)
from wizard.session.observed import VARIABLES
from wizard.text import one_line
from wizard.walk.asker import Shared, WalkAsker
from wizard.walk.course import Course
from wizard.walk.history import History
from wizard.walk.plan import Plan, Target, plan

P = TypeVar("P")
Probe = asyncio.Task[tuple[Finding, tuple[int, ...], float, float]]

AT_ONCE = 24
SLOW = 0.25  # seconds
ENTRY = "walk"
AFTER = "after"  # what a second walk of the path ends with
BY_THE_PERSON = "skipped by the person"

_OTHERS = Gap(
    "what a command of the flow says",
    "others may write to the flow file or to a folder above it",
    "let only yourself (under root only root) write to the file and to every folder above it",
)

Emit = Callable[[Event], None]
Answerer = Callable[[Visit], Awaitable[str]]
Pace = Callable[[Visit], Awaitable[None]]


async def nobody_knows(visit: Visit) -> str:
    """The answer where no person is there: "don't know" is never taken for a fact."""
    del visit
    return DONT_KNOW


async def without_pause(visit: Visit) -> None:
    """The pace where no person follows step by step."""
    del visit


class Options(msgspec.Struct, frozen=True):
    """How a walk is made: seconds that logs are read back, the deadline of the whole, and answers given beforehand.

    `answers` maps flow/step, or flow/step@subject, to a value. `flow` replaces the tree that the host is walked by.
    """

    since: float = 900.0
    timeout: float = TIMEOUT
    flow: str = ENTRY
    answers: Mapping[str, str] = msgspec.field(default_factory=dict)


class Probing(msgspec.Struct, frozen=True):
    """A probe that runs: which step, and since when (seconds of the event loop's clock)."""

    visit: Visit
    since: float


class Runner:
    """Walks one target on one host, and keeps the state that a screen may steer: skip, overrule, walk again."""

    def __init__(
        self,
        host: Host,
        library: Library,
        checks: Mapping[str, Check],
        *,
        emit: Emit,
        options: Options | None = None,
        answerer: Answerer = nobody_knows,
        pace: Pace = without_pause,
        clock: Callable[[], float],
    ) -> None:
        self._host = host
        self._library = library
        self._checks = checks
        self._emit = emit
        self.options = options or Options()
        self._answerer = answerer
        self._pace = pace
        self._clock = clock
        self._shared = Shared()
        self._results: dict[tuple[str, str], str] = {}
        self._running: dict[tuple[str, str], Probe] = {}
        self._probing: dict[tuple[str, str], Probing] = {}
        self._gate = asyncio.Semaphore(AT_ONCE)
        self._turns: dict[tuple[str, int | None], asyncio.Lock] = {}
        self._subjects: dict[str, Subject] = {}
        self._course: Course | None = None
        self._looking = False
        self._attempt = 1
        self._flows: tuple[str, ...] = (self.options.flow,)
        self._expired = False
        self._deadline = 0.0
        self._history: History | None = None
        self.plan: Plan | None = None
        self.scene = Scene(library, Vocabulary(checks, VARIABLES), Subjects.of([]))

    # --- what a screen may look at ---------------------------------------------------------------------------------

    @property
    def probing(self) -> tuple[Probing, ...]:
        """The probes that run now."""
        return tuple(self._probing.values())

    def positions(self) -> tuple[Walk, ...]:
        """Where the walk stands, for each root of it."""
        return tuple(walk(self.scene, flow, key, self._results) for flow, key in self._roots())

    # --- the walk ---------------------------------------------------------------------------------------------------

    async def run(self, target: Target, *, spent: float = 0.0) -> None:
        """Walk a target to its end or its deadline, `spent` seconds of which are over. Cancelling ends every probe."""
        await self._run(lambda: self._planned(target), spent)

    async def go_on(self) -> None:
        """Walk on from where the walk stands, with a new deadline: after a person overruled a step or took one back."""
        self._expired = False
        self._shared.drop_unfinished()
        await self._run(self._has_roots)

    async def _has_roots(self) -> bool:
        return bool(self._roots())

    async def _run(self, prepare: Callable[[], Awaitable[bool]], spent: float = 0.0) -> None:
        self._deadline = asyncio.get_running_loop().time() + self.options.timeout - spent
        try:
            if await prepare():
                await self._walk()
                await self._recall()
            how = "deadline" if self._expired else "complete"
        except asyncio.CancelledError:
            self._emit(Finished(self._clock(), "cancelled"))
            raise
        else:
            self._emit(Finished(self._clock(), how))
        finally:
            self._stop_probes()

    async def again(self, target: Target) -> None:
        """Walk the path a second time with fresh evidence; the first attempt stays beside it."""
        self._attempt = self._host.new_attempt()
        self._shared = Shared()
        self._results.clear()
        self._expired = False
        self._flows = (self.options.flow, AFTER)
        self._emit(AttemptStarted(self._attempt, self._clock()))
        await self.run(target)

    async def resume(
        self, target: Target, results: Mapping[tuple[str, str], str], subjects: Collection[str], attempt: int
    ) -> None:
        """Go on with a walk that another run began, as far as the path is still the same; else walk it anew.

        Args:
            target: what is walked.
            results: outcomes and answers that stand, by (flow/step, subject).
            subjects: the keys of what was walked; none: it did not come so far.
            attempt: the attempt that goes on.
        """
        self._attempt = attempt
        if attempt > 1:
            self._flows = (self.options.flow, AFTER)
        self._results.update(results)
        await self._run(lambda: self._planned(target, frozenset(subjects)))

    def overrule(self, node: str, subject: str, outcome: str) -> None:
        """Take a person's word for a step; what follows is walked on from there."""
        self._results[node, subject] = outcome
        self._emit(Overruled(node, subject, outcome, self._attempt))

    def skip(self, node: str, subject: str, because: str = BY_THE_PERSON) -> None:
        """Stop waiting for a step; it counts as unknown."""
        check = ""
        for key, probing in list(self._probing.items()):
            if (probing.visit.node, probing.visit.about) == (node, subject):
                check = probing.visit.step.check or ""
                self._running[key].cancel()
        self._append(node, subject, UNKNOWN)
        self._emit(Skipped(node, subject, because, self._attempt, check))

    def forget(self, node: str, subject: str) -> None:
        """Take a step back: its outcome counts no longer, and is asked anew when the walk goes on."""
        self._results.pop((node, subject), None)

    def look_anew(self) -> None:
        """Let the next questions see the present, within the same attempt of the walk."""
        self._host.new_attempt()
        self._shared = Shared()

    async def _planned(self, target: Target, earlier: frozenset[str] = frozenset()) -> bool:
        asker = WalkAsker(self._host, self.options.since, self._shared, self.options.timeout)
        try:
            async with asyncio.timeout_at(self._deadline):
                self.plan = await plan(target, asker)
        except TimeoutError:
            self._expired = True
            self._emit(Skipped("survey", "host", self._not_finished(), self._attempt))
            return False
        self._subjects = {subject.key: subject for subject in self.plan.subjects()}
        references = [_reference(subject) for subject in self._subjects.values()]
        if earlier and earlier != {one.key for one in references}:  # another path: what was seen is of the old one
            self._attempt += 1
            self._results.clear()
            self._emit(AttemptStarted(self._attempt, self._clock()))
        self.scene = Scene(
            self._library,
            self.scene.vocabulary,
            Subjects.of((one.key, one.scope, one.parent) for one in references),
        )
        for one in references:
            self._emit(SubjectFound(one))
        if self.plan.problem is not None:
            self._emit(InputRefused(self.plan.problem))
        self._history = History(asker, self.plan.subjects(), self._clock()) if self.plan.routes else None
        if self._history is not None:
            self._history.begin()
        return bool(self.plan.host.gateway)

    def _roots(self) -> list[tuple[str, str]]:
        if self.plan is None:
            return []
        flows = [found for name in self._flows if (found := self._library.flows.get(name)) is not None]
        return [(flow.name, one.key) for flow in flows for one in self.plan.subjects() if one.scope == flow.scope]

    async def _walk(self) -> None:
        self._course = course = Course(self.scene, self._roots(), self._results)
        while (visit := course.next()) is not None:
            self._look_ahead()
            await self._with_person(self._pace(visit))
            if (visit.node, visit.about) not in self._results:
                await self._take(visit)

    def _append(self, node: str, about: str, outcome: str) -> None:
        """One more outcome in the order of the walk."""
        self._results[node, about] = outcome
        if self._course is not None:
            self._course.append(node, about, outcome)

    def _look_ahead(self) -> None:
        """Start what can be started."""
        self._looking = False
        for visit in self._course.ahead() if self._course is not None else ():
            self._start(visit)

    async def _with_person(self, waiting: Awaitable[P]) -> P:
        """Wait for a person; that time does not count against the deadline."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        try:
            return await waiting
        finally:
            self._deadline += loop.time() - began

    async def _take(self, visit: Visit) -> None:
        """Bring the first open step of the walk to its outcome."""
        loop = asyncio.get_running_loop()
        self._expired = self._expired or loop.time() > self._deadline
        if visit.kind is Kind.ASK:
            await self._ask_person(visit)
            return
        task = self._running.get(visit.question)
        if task is not None and not self._expired:
            await self._wait_for(task)
            if (visit.node, visit.about) in self._results:
                return
            self._expired = loop.time() > self._deadline
        if task is None or not task.done() or (task.cancelled() and self._expired):
            self._expired = True
            self._skip_expired(visit)
        elif task.cancelled():
            self.skip(visit.node, visit.about, "cancelled")
        else:
            self._done(visit, *task.result())

    async def _wait_for(self, task: Probe) -> None:
        """Wait for a probe until the deadline; while it is slow, begin what will be asked whatever it comes to."""
        loop = asyncio.get_running_loop()
        pause = SLOW
        while not task.done() and (left := self._deadline - loop.time()) > 0:
            await asyncio.wait({task}, timeout=min(left, pause))
            if not task.done() and self._course is not None:
                began = loop.time()
                self._course.look_again()
                self._look_ahead()
                pause = max(SLOW, 10 * (loop.time() - began))  # with a thousand servers it is no small thing

    def _skip_expired(self, visit: Visit) -> None:
        self._append(visit.node, visit.about, UNKNOWN)
        self._emit(Skipped(visit.node, visit.about, self._not_finished(), self._attempt, visit.step.check or ""))

    def _not_finished(self) -> str:
        return f"not finished within the {self.options.timeout:g} s of the whole run"

    async def _ask_person(self, visit: Visit) -> None:
        given = self.options.answers
        value = given.get(f"{visit.node}@{visit.subject}", given.get(visit.node))
        if value is None:
            value = DONT_KNOW if self._expired else await self._with_person(self._answerer(visit))
        if value not in dict(visit.step.choices):
            value = DONT_KNOW
        self._append(visit.node, visit.about, value)
        self._emit(PersonAnswered(visit.node, visit.about, value, self._attempt))

    async def _recall(self) -> None:
        """Take what was learned about the time before; it must not last longer than the walk may."""
        if self._history is not None:
            left = self._deadline - asyncio.get_running_loop().time()
            self._emit(await self._history.told(self._clock(), 0.0 if self._expired else left, self._attempt))

    def _done(self, visit: Visit, finding: Finding, numbers: tuple[int, ...], at: float, seconds: float) -> None:
        self._append(visit.node, visit.about, finding.outcome)
        step = StepDone(
            node=visit.node,
            check=visit.step.check or visit.node,
            subject=visit.about,
            outcome=finding.outcome,
            summary=finding.summary,
            at=at,
            seconds=round(seconds, 4),
            attempt=self._attempt,
            evidence=tuple(f"e{number}" for number in numbers),
            values=dict(finding.values),
            gaps=finding.gaps,
            by_hand=finding.by_hand,
            first_seen=finding.first_seen,
            last_seen=finding.last_seen,
        )
        self._emit(step)
        if self._history is not None:
            self._history.heard(step)

    # --- probes -----------------------------------------------------------------------------------------------------

    def _start(self, visit: Visit) -> None:
        if visit.kind is Kind.ASK or visit.question in self._running or self._expired:
            return
        task = self._running[visit.question] = asyncio.ensure_future(self._probe(visit))
        task.add_done_callback(partial(self._learn, visit))

    def _learn(self, visit: Visit, task: Probe) -> None:
        """A probe came to its end: look on from there, once for all that end in this turn of the event loop."""
        if task.cancelled() or self._course is None or self._running.get(visit.question) is not task:
            return
        self._course.learn(visit.node, visit.about, task.result()[0].outcome)
        if not self._looking:
            self._looking = True
            asyncio.get_running_loop().call_soon(self._look_ahead)

    async def _probe(self, visit: Visit) -> tuple[Finding, tuple[int, ...], float, float]:
        loop = asyncio.get_running_loop()
        asker = WalkAsker(self._host, self.options.since, self._shared, self.options.timeout)
        async with self._turn(visit), self._gate:
            began, at = loop.time(), self._clock()
            if began > self._deadline:  # others kept the processor until now
                raise asyncio.CancelledError
            self._probing[visit.question] = Probing(visit, began)
            try:
                finding = await self._finding(visit, asker)
            finally:
                self._probing.pop(visit.question, None)
        return finding, tuple(asker.numbers), at, loop.time() - began

    def _turn(self, visit: Visit) -> AbstractAsyncContextManager[object]:
        """The turn of a check that speaks to a server; every other check needs none."""
        declared, subject = self._checks.get(visit.step.check or ""), self._subjects.get(visit.about)
        if declared is None or not declared.speaks or subject is None or subject.server is None:
            return nullcontext()
        instance = subject.route.gateway if subject.route else None
        where = instance.within if instance is not None and instance.elsewhere else None
        return self._turns.setdefault((subject.server.address, where), asyncio.Lock())

    async def _finding(self, visit: Visit, asker: WalkAsker) -> Finding:
        subject = self._subjects.get(visit.about)
        if visit.kind is Kind.COMMAND:
            flow = self._library.flows.get(visit.node.partition("/")[0])
            if flow is None or not flow.trusted:
                return Finding(
                    UNKNOWN, "The command was not run: somebody else could have written it.", gaps=(_OTHERS,)
                )
            return await _command(visit, asker)
        declared = self._checks.get(visit.step.check or "")
        if declared is None or subject is None:
            return Finding(UNKNOWN, f"There is no check {visit.step.check}.")
        try:
            finding = await declared.function(subject, asker)
        except Exception as error:  # noqa: BLE001 - a defect in one check must not end the walk of the others
            defect = one_line(f"{type(error).__name__}: {error}")
            gap = Gap(f"the check {declared.name}", f"a defect of the wizard: {defect}")
            return Finding(UNKNOWN, f"The wizard itself failed here: {defect}.", gaps=(gap,))
        if finding.outcome not in declared.outcomes:
            return Finding(UNKNOWN, f"The check gave {one_line(finding.outcome)}, which it does not declare.")
        return finding

    def _stop_probes(self) -> None:
        for task in self._running.values():
            task.cancel()
        self._running.clear()
        if self._history is not None:
            self._history.cancel()
        self._shared.cancel()


async def _command(visit: Visit, asker: WalkAsker) -> Finding:
    """Run a person's own command from their flow; the host's allow-list has the last word."""
    answer = (await asker.ask(Run(visit.step.argv))).answer
    if not isinstance(answer, Ran):
        return Finding(UNKNOWN, f"The command could not be run: {one_line(answer.detail)}.")
    said = one_line(answer.out or answer.err)
    return Finding("succeeded" if answer.status == 0 else "failed", f"Exit status {answer.status}: {said}")


def _reference(subject: Subject) -> SubjectRef:
    return SubjectRef(
        key=subject.key,
        scope=str(subject.scope),
        parent=subject.parent.key if subject.parent else None,
        url=subject.url,
        route=subject.route,
        server=subject.server.address if subject.server else None,
        gateway=subject.gateway if subject.route is None else None,
        behind=subject.behind.key if subject.behind else None,
    )
