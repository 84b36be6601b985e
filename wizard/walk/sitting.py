"""One person at one host: a runner that is steered, and the session that comes of it.

Owns the joining of host, runner and session for the screen and the plain lines, and what going back means for the
list of events. May not know how anything is shown, or what a check looks at.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Protocol, TypeVar

from msgspec.structs import replace

from wizard import __version__
from wizard.checks.registry import Check, Subject
from wizard.checks.survey import survey
from wizard.flow.engine import Visit, Walk
from wizard.flow.library import Library
from wizard.host.port import Host, Reply
from wizard.host.questions import Ask, Identity, Me
from wizard.session.bearing import WORKING
from wizard.session.build import build
from wizard.session.events import (
    AttemptStarted,
    Disputed,
    Event,
    Overruled,
    PersonAnswered,
    Skipped,
    Started,
    StepDone,
    Watched,
)
from wizard.session.redact import without_secrets
from wizard.session.report import Report
from wizard.session.session import Asked, Session, session_id
from wizard.text import one_line
from wizard.walk.asker import Shared, WalkAsker
from wizard.walk.glance import Glance, glance
from wizard.walk.plan import Target, read_target
from wizard.walk.resume import standing
from wizard.walk.runner import Answerer, Options, Pace, Probing, Runner, nobody_knows, without_pause
from wizard.walk.watching import SECONDS, watch

A = TypeVar("A")

_OF_A_STEP = (StepDone, PersonAnswered, Overruled, Skipped)


class OtherHostError(Exception):
    """A session that was made on another host cannot be gone on with here."""

    def __init__(self, made: str, here: str) -> None:
        self.made = made
        self.here = here
        super().__init__(
            f"This session was made on {one_line(made, limit=64)}, and this host is {one_line(here, limit=64)}. "
            "Go on with it there; replay shows it anywhere."
        )


class RecordingHost(Protocol):
    """A host that keeps what it was asked and what it answered."""

    def records(self) -> tuple[Asked, ...]:
        """Every reply so far, without secrets."""
        ...

    def ready(self) -> tuple[Asked, ...]:
        """The replies whose secrets are replaced already."""
        ...

    async def ask(self, question: Ask[A]) -> Reply[A]:
        """Answer one question."""
        ...

    async def glimpse(self, question: Ask[A]) -> Reply[A]:
        """Answer one question, and keep nothing of it."""
        ...

    def new_attempt(self) -> int:
        """Forget shared answers."""
        ...


class _Unkept:
    """The host for what is only counted: nothing that it answers is kept."""

    def __init__(self, host: RecordingHost) -> None:
        self._host = host

    async def ask(self, question: Ask[A]) -> Reply[A]:
        return await self._host.glimpse(question)

    def new_attempt(self) -> int:
        return self._host.new_attempt()


class Sitting:
    """What screens and plain lines steer: look at the host, walk a target, take a step back, walk again.

    Nothing here may be called while a walk or a watch runs, but for `skip`, `session`, `report` and what only looks.
    """

    def __init__(
        self,
        host: RecordingHost,
        library: Library,
        checks: Mapping[str, Check],
        options: Options,
        *,
        replayed: Session | None = None,
        heard: Callable[[Event], None] | None = None,
        answerer: Answerer = nobody_knows,
        pace: Pace = without_pause,
    ) -> None:
        self.library = library
        self.checks = checks
        self.options = options
        self._flow = options.flow
        self.replayed = replayed
        self._recorded_now = replayed.started if replayed is not None else 0.0
        self.target: Target | None = None
        self.glance: Glance | None = None
        self._host = host
        self._heard = heard
        self._answerer = answerer
        self._pace = pace
        self._events: list[Event] = []
        self._me: Me | None = None
        self._runner: Runner | None = None
        self._started = self.now()
        self._id = replayed.id if replayed is not None else ""

    # --- what may be looked at at any time ---------------------------------------------------------------------------

    def now(self) -> float:
        """Seconds since the epoch; a recorded host has no present but its own."""
        return time.time() if self.replayed is None else self._recorded_now

    @property
    def walked(self) -> bool:
        """Whether a walk was begun."""
        return self._runner is not None

    @property
    def events(self) -> tuple[Event, ...]:
        """What happened in the walk so far."""
        return tuple(self._events)

    @property
    def probing(self) -> tuple[Probing, ...]:
        """The probes that run now."""
        return self._runner.probing if self._runner is not None else ()

    def positions(self) -> tuple[Walk, ...]:
        """Where the walk stands."""
        return self._runner.positions() if self._runner is not None else ()

    def replies(self, names: Iterable[str]) -> dict[str, Asked]:
        """The replies of these names (e12), without secrets, as far as `prepare` has come to them."""
        asked = {reply.evidence: reply for reply in self._host.ready()}
        return {name: asked[name] for name in names if name in asked}

    def prepare(self) -> None:
        """Replace the secrets in what was asked so far; may run in a thread while a walk goes on."""
        self._host.records()

    def session(self) -> Session:
        """Everything so far as a session, ready to be written."""
        me = self._me or (self.replayed.me if self.replayed else None)
        if not self._id:
            self._id = session_id(self._started, me.hostname if me else "")
        return Session(
            id=self._id,
            started=self._started,
            wizard=__version__,
            target=_text(self.target),
            options={"since": self.options.since, "timeout": self.options.timeout, "flow": self.options.flow},
            me=me,
            asked=self._host.records(),
            events=self.events,
        )

    def report(self) -> Report:
        """What the session shows."""
        return build(self.session(), self.library.causes.values(), self.checks)

    def report_for_others(self) -> Report:
        """The same, with all secrets replaced: what a person typed or a check said may hold one too."""
        return build(without_secrets(self.session()), self.library.causes.values(), self.checks)

    # --- what is done ------------------------------------------------------------------------------------------------

    async def look(self) -> Glance:
        """Take a glance at the host. Only the first is kept in the session; a later one sees the present."""
        host: Host = self._host
        if self.glance is not None:
            self._host.new_attempt()
            host = _Unkept(self._host)
        async with self._asker(host) as asker:
            self.glance = await glance(asker)
        return self.glance

    async def walk(self, target: Target, flow: str | None = None) -> None:
        """Walk a target to its end, as a new session."""
        if self._runner is not None:
            self._host.new_attempt()
        self.options = replace(self.options, flow=flow or self._flow)
        self.target = target
        self._recorded_now = self.replayed.started if self.replayed is not None else 0.0
        self._events.clear()
        self._started = self.now()
        self._id = self.replayed.id if self.replayed is not None else ""
        runner = self._runner = self._new_runner()
        await self._identify()
        self._emit(Started(self._started, _text(target), self.options.flow, self.options.since, __version__))
        await runner.run(target)

    async def resume(self, saved: Session) -> None:
        """Go on with an interrupted walk: its steps stand with their evidence and time, what is open is asked now.

        Where the path is no longer the one that was walked, it is walked anew, as a further attempt.

        Args:
            saved: the session; the host of this sitting was given its replies.

        Raises:
            OtherHostError: it was made on another host.
        """
        await self._identify()
        if self._me is not None and saved.me is not None and self._me.hostname != saved.me.hostname:
            raise OtherHostError(saved.me.hostname, self._me.hostname)
        was = standing(saved.events)
        flow = saved.options.get("flow")
        if isinstance(flow, str) and flow in self.library.flows:
            self.options = replace(self.options, flow=flow)
        self.target = read_target(saved.target)
        self._id, self._started = saved.id, saved.started
        self._events[:] = was.events or [
            Started(saved.started, saved.target, self.options.flow, self.options.since, __version__)
        ]
        runner = self._runner = self._new_runner()
        await runner.resume(self.target, was.results, was.subjects, was.attempt)

    async def go_on(self) -> None:
        """Walk on from where the walk stands."""
        if self._runner is not None:
            await self._runner.go_on()

    async def again(self, *, settle: float = 0.0) -> None:
        """Walk the whole path once more with fresh evidence; what was found before stands beside it.

        Args:
            settle: seconds to wait first. A live host is given them, a recording needs none.
        """
        if self._runner is None or self.target is None:
            return
        if self.replayed is None:
            await asyncio.sleep(settle)
        if self.replayed is not None:
            later = [reply.at for reply in self.replayed.asked if reply.attempt > self._attempt]
            self._recorded_now = min(later, default=self._recorded_now)
        await self._runner.again(self.target)

    @property
    def again_shows(self) -> bool:
        """Whether walking again can show anything new: of a recording only where it holds a later attempt."""
        if self.replayed is None:
            return self.walked
        return any(reply.attempt > self._attempt for reply in self.replayed.asked)

    async def watch(self, tell: Callable[[Watched], None], seconds: float = SECONDS) -> None:
        """Make the visitor's request once a second, and keep what came of it, also where it was stopped before."""
        subject = self.watchable
        if subject is None:
            return
        latest: list[Watched] = []

        def heard(seen: Watched) -> None:
            latest[:] = [seen]
            tell(seen)

        try:
            async with self._asker() as asker:
                gateway = (await survey(asker)).gateway_of(subject.route.gateway if subject.route else None)
            host = _Unkept(self._host)
            await watch(host, subject, gateway, heard, self.now, attempt=self._attempt, seconds=seconds)
        finally:
            for seen in latest:
                self._emit(seen)

    def dispute(self, cause: str, *, wrong: bool = True) -> None:
        """Note that a person knows a cause to be wrong, or takes that back."""
        self._emit(Disputed(self.now(), cause, wrong))

    def overrule(self, visit: Visit, outcome: str) -> None:
        """Take a person's word for a step."""
        if self._runner is not None:
            self._runner.overrule(visit.node, visit.about, outcome)

    def skip(self, visit: Visit) -> None:
        """Stop waiting for a step; it counts as unknown."""
        if self._runner is not None:
            self._runner.skip(visit.node, visit.about)

    def back(self) -> bool:
        """Take the last step back; False where there is none."""
        last = next((event for event in reversed(self._events) if isinstance(event, _OF_A_STEP)), None)
        if last is None:
            return False
        self._take_back(last.node, last.subject)
        return True

    def back_to(self, visit: Visit) -> bool:
        """Take a step back, and all that came after it; False where it was not taken."""
        asked = (visit.observed_at or visit.node, visit.about)
        taken = [event for event in self._events if isinstance(event, _OF_A_STEP)]
        first = next((at for at, one in enumerate(taken) if (one.node, one.subject) == asked), None)
        if first is None:
            return False
        for event in taken[first:]:
            self._take_back(event.node, event.subject)
        return True

    def ask_anew(self, visit: Visit) -> None:
        """Take one step back, wherever it stands, so that it is asked anew of the present."""
        if self._runner is not None:
            self._runner.look_anew()
            self._take_back(visit.observed_at or visit.node, visit.about)

    @property
    def watchable(self) -> Subject | None:
        """The route whose request failed first, or else the first route; None where no live host was walked."""
        if self._runner is None or self._runner.plan is None or self.replayed is not None:
            return None
        failed = {
            event.subject
            for event in self._events
            if isinstance(event, StepDone) and event.check == "request" and event.outcome not in WORKING
        }
        routes = self._runner.plan.routes
        return next((one for one in routes if one.key in failed), next(iter(routes), None))

    @property
    def _attempt(self) -> int:
        """The latest attempt of the walk."""
        begun = [event.attempt for event in self._events if isinstance(event, AttemptStarted)]
        return begun[-1] if begun else 1

    def _new_runner(self) -> Runner:
        return Runner(
            self._host,
            self.library,
            self.checks,
            emit=self._emit,
            options=self.options,
            answerer=self._answerer,
            pace=self._pace,
            clock=self.now,
        )

    async def _identify(self) -> None:
        me = (await self._host.ask(Identity())).answer
        self._me = me if isinstance(me, Me) else None

    def _take_back(self, node: str, subject: str) -> None:
        assert self._runner is not None  # noqa: S101 - there are events only after a walk was begun
        begun = [index for index, event in enumerate(self._events) if isinstance(event, AttemptStarted)]
        start = begun[-1] if begun else 0
        self._events[start:] = [
            event
            for event in self._events[start:]
            if not (isinstance(event, _OF_A_STEP) and (event.node, event.subject) == (node, subject))
        ]
        self._runner.forget(node, subject)

    def _emit(self, event: Event) -> None:
        self._events.append(event)
        if self._heard is not None:
            self._heard(event)

    @asynccontextmanager
    async def _asker(self, host: Host | None = None) -> AsyncIterator[WalkAsker]:
        shared = Shared()
        try:
            async with asyncio.timeout(self.options.timeout):
                yield WalkAsker(host or self._host, self.options.since, shared)
        finally:
            shared.cancel()


def _text(target: Target | None) -> str | None:
    return None if target is None else target.url or target.upstream
