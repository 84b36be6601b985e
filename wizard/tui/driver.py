"""Drives the one walk that goes on: begins it, holds it before a step, takes steps back, ends it.

Owns the one task that walks, and what a person wants of it (step by step, or running; the diagnosis as soon as it is
there). May not know Textual or a screen: a stage shows what it is told to.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Protocol

import msgspec

from wizard.flow.engine import Kind, Visit
from wizard.host.threads import in_thread
from wizard.session.build import exit_status
from wizard.session.events import Event, Watched
from wizard.session.print_markdown import markdown
from wizard.session.report import Report
from wizard.session.session import Asked, Session
from wizard.text import Visible, one_line
from wizard.tui.doors import Doors, MakeSitting
from wizard.tui.port import State, Waiting
from wizard.walk.outside import Interrupted
from wizard.walk.plan import Target
from wizard.walk.sitting import OtherHostError, Sitting

_LOOKING = Visible("Looking at this host ...")
_GATHERED = 0.1  # seconds in which replies are gathered before their secrets are replaced
_PATIENCE = 2.0  # seconds that a run which was told to end may take for it


class Stage(Protocol):
    """Where a walk is shown."""

    def paint(self) -> None:
        """Show the present, soon."""
        ...

    def show_walk(self) -> None:
        """Show the Walk screen."""
        ...

    def show_diagnosis(self) -> None:
        """Show the Diagnosis screen, where the walk is still looked at."""
        ...

    async def question(self, visit: Visit) -> str:
        """Ask the person a question of the walk."""
        ...

    def failed(self, error: Exception) -> None:
        """Keep a defect for the exit."""
        ...


class Driver:
    """One person's walk, and what is said about it in the status line."""

    def __init__(self, doors: Doors, stage: Stage) -> None:
        self._doors = doors
        self._stage = stage
        self._sitting = self._seated(doors.sit)
        self._home = self._sitting
        self._walking: asyncio.Task[None] | None = None
        self._looking: asyncio.Task[None] | None = None
        self._preparing: asyncio.Task[None] | None = None
        self._unprepared = False
        self._keeping: asyncio.Task[None] | None = None
        self._stepping = False
        self._released = asyncio.Event()
        self._wanted = False
        self._began = 0.0
        self._spent = 0.0
        self._report: Report | None = None
        self._watching: Watched | None = None
        self._said = Visible("")
        self._failure = ""
        self._interrupted: Interrupted | None = None

    # --- what may be looked at ---------------------------------------------------------------------------------------

    @property
    def sitting(self) -> Sitting:
        """Who is walked: this host, or a saved session."""
        return self._sitting

    @property
    def busy(self) -> bool:
        """Whether a walk goes on."""
        return self._walking is not None and not self._walking.done()

    @property
    def state(self) -> State:
        """What is to be shown now."""
        sitting = self._sitting
        target = sitting.target
        named = (target.url or target.upstream) if target is not None else None
        return State(
            library=sitting.library,
            checks=sitting.checks,
            glance=sitting.glance,
            failure=self._failure,
            title=named or "everything that this host's gateways route",
            positions=sitting.positions(),
            events=sitting.events,
            waiting=self._waiting(),
            running=self.busy,
            stepping=self._stepping,
            wanted=self._wanted,
            elapsed=self._elapsed(),
            deadline=sitting.options.timeout,
            report=self._report,
            said=self._said,
            recorded=sitting.replayed is not None,
            away=sitting is not self._home,
            interrupted=self._interrupted,
            watching=self._watching if self.busy else None,
        )

    @property
    def session(self) -> Session | None:
        """The session of the latest walk; None where nothing was walked."""
        return self._sitting.session() if self._sitting.walked else None

    def keep(self) -> None:
        """Keep the latest session of the host that the wizard was started on."""
        if self._doors.keep is not None and self._home.replayed is None and self._home.walked:
            self._doors.keep(self._home.session())

    @property
    def status(self) -> int:
        """The exit status of the latest verdict; 0 where nothing was walked to its end."""
        return exit_status(self._report) if self._report is not None else 0

    def replies(self, names: Iterable[str]) -> dict[str, Asked]:
        """Replies by their names, without secrets."""
        return self._sitting.replies(names)

    def _waiting(self) -> tuple[Waiting, ...]:
        probing = self._sitting.probing
        if not probing:
            return ()
        now = asyncio.get_running_loop().time()
        return tuple(Waiting(one.visit, now - one.since) for one in probing)

    def _elapsed(self) -> float:
        if self._sitting.replayed is not None:  # a recording has its own time, and none passes now
            return self._report.session.seconds if self._report is not None else 0.0
        return time.monotonic() - self._began if self.busy else self._spent

    # --- what a person asks for --------------------------------------------------------------------------------------

    def say(self, said: str) -> None:
        """Show one sentence in the status line until the next thing happens."""
        self._said = one_line(said, limit=300)
        self._stage.paint()

    def start(self, target: Target | None, saved: Session | None = None) -> None:
        """Look at the host, then walk what was asked for or recorded, or go on with a saved session.

        With neither, the person chooses.
        """
        if saved is not None:
            self._looking = asyncio.create_task(self._looked(self._sitting, None), name="look")
            self._go_on_with(saved)
            return
        if self._doors.interrupted is not None:
            self._interrupted = self._doors.interrupted()
        replayed = self._sitting.replayed
        if target is None and replayed is not None:
            recorded = replayed.target
            by_url = recorded is not None and "://" in recorded
            target = Target(url=recorded) if by_url else Target(upstream=recorded)
        self._looking = asyncio.create_task(self._looked(self._sitting, target), name="look")

    def look_again(self, *, said: bool = False) -> None:
        """Look at the host once more, where nothing else goes on; a recording shows nothing new."""
        looking = self._looking is not None and not self._looking.done()
        if looking or self.busy or self._sitting.glance is None or self._sitting.replayed is not None:
            return
        if said:
            self.say(_LOOKING)
        self._looking = asyncio.create_task(self._looked(self._sitting, None), name="look")

    def begin(self, target: Target, flow: str | None = None) -> None:
        """Walk a target on the Walk screen."""
        if self.busy:  # a second Enter, pressed before the Walk screen was there
            self._wanted = True
            return
        self._stepping = False
        self._stage.show_walk()
        self._drive(lambda: self._sitting.walk(target, flow))

    def enter(self) -> None:
        """Go on: the next step, or the diagnosis where the walk has ended, or as soon as it does."""
        if self.busy and self._stepping:
            self._released.set()
        elif self.busy:
            self._wanted = True
            self._stage.paint()
        elif self._report is not None:
            self._stage.show_diagnosis()
        else:
            self._stepping = True
            self._released.set()
            self._drive(self._sitting.go_on)

    def run_on(self) -> None:
        """Let the walk run by itself, or hold it before its next step."""
        if self.busy:
            self._stepping = not self._stepping
            if not self._stepping:
                self._released.set()
            self._stage.paint()
        elif self._report is None:
            self._stepping = False
            self._drive(self._sitting.go_on)

    def interrupt(self) -> bool:
        """End the probes that run, and not the session; False where none runs."""
        if not self.busy or self._walking is None:
            return False
        watching = self._watching is not None
        self._walking.cancel()
        self.say("The watch was stopped." if watching else "Stopped. Space runs on, Enter takes the next step.")
        return True

    async def end(self) -> None:
        """End the run, and wait until it has ended."""
        walking = self._walking
        if walking is not None and not walking.done():
            walking.cancel()
            await asyncio.wait({walking}, timeout=_PATIENCE)

    async def back(self, visit: Visit | None = None) -> None:
        """Take the last step back, or a step with all that came after it, and hold before it."""
        await self.end()
        if self._sitting.back() if visit is None else self._sitting.back_to(visit):
            self._stepping = True
            self._released.clear()
            self._drive(self._sitting.go_on)
        else:
            self.say("There is no step to take back.")

    async def overrule(self, visit: Visit, outcome: str) -> None:
        """Take a person's word for a step, and walk on from there."""
        await self.end()
        self._sitting.overrule(visit, outcome)
        self._drive(self._sitting.go_on)

    async def ask_anew(self, visit: Visit) -> None:
        """Ask one step anew, and walk on."""
        await self.end()
        self._sitting.ask_anew(visit)
        self._drive(self._sitting.go_on)

    def skip(self, visit: Visit | None) -> None:
        """Stop waiting for a step; None: for the one that is waited for."""
        chosen = visit or next((one for walk in self._sitting.positions() for one in walk.ready), None)
        if chosen is None or chosen.kind is Kind.ASK or not self.busy:
            self.say("Nothing is waited for.")
            return
        self._sitting.skip(chosen)
        self._released.set()

    def again(self, *, settle: float = 0.0) -> bool:
        """Walk the whole path once more, to stand beside the attempt before; False where that cannot be.

        Args:
            settle: seconds to wait first, where something may be on its way still.
        """
        if self.busy:
            self.say("Something is still being asked.")
            return False
        if not self._sitting.again_shows:
            self.say("This is a recording: there is no live host behind it to ask again.")
            return False
        self._stepping = False
        self._drive(lambda: self._sitting.again(settle=settle), keep_report=True)
        return True

    def watch(self) -> bool:
        """Make the request once a second for a minute, and count; False where that cannot be."""
        if self.busy:
            self.say("Something is still being asked.")
            return False
        subject = self._sitting.watchable
        if subject is None:
            recorded = self._sitting.replayed is not None
            self.say(
                "This is a recording: there is no live host behind it to watch."
                if recorded
                else "There is no route here whose request could be watched."
            )
            return False
        self._stepping = False
        url = subject.url or subject.key
        self._drive(lambda: self._sitting.watch(self._counted), keep_report=True)
        self._watching = Watched(self._sitting.now(), 0.0, url, 0, 0)
        return True

    def dispute(self, cause: str) -> None:
        """Note that a person knows a cause to be wrong, or takes that back where it was noted before."""
        if self._report is None or self.busy:
            return
        wrong = cause not in {one.id for one in self._report.disputed}
        self._sitting.dispute(cause, wrong=wrong)
        self._report = self._sitting.report()
        self.keep()
        self.say(
            f"{cause} is marked as wrong; the report says so. x takes it back." if wrong else f"{cause} counts again."
        )

    def report_files(self) -> dict[str, bytes]:
        """The report by the paths that it would be saved under: Markdown and JSON, all secrets replaced."""
        if self._report is None:
            return {}
        report = self._sitting.report_for_others()
        stem = str(Path(self._doors.folder) / (report.session.id or "gateway-report"))
        return {
            f"{stem}.md": markdown(report).encode("utf-8", "backslashreplace"),
            f"{stem}.json": msgspec.json.format(msgspec.json.encode(report), indent=2) + b"\n",
        }

    async def sit(self, make: MakeSitting) -> None:
        """Sit down at a saved session, and walk what was recorded."""
        await self._move(self._seated(make))
        self.start(None)

    async def resume(self, make: MakeSitting, saved: Session) -> None:
        """Sit down at this host anew with what a saved session holds, and go on with it."""
        await self._move(self._seated(make))
        self._home = self._sitting
        self._interrupted = None
        self.start(None, saved)

    def _go_on_with(self, saved: Session) -> None:
        self._stepping = False
        self._stage.show_walk()
        self._drive(lambda: self._sitting.resume(saved))

    async def go_home(self) -> None:
        """Back to the host that the wizard was started on."""
        await self._move(self._home)

    async def close(self) -> None:
        """End everything that runs."""
        await self.end()
        for task in (self._looking, self._preparing):
            if task is not None:
                task.cancel()
        if self._keeping is not None:
            await asyncio.wait({self._keeping}, timeout=_PATIENCE)

    # --- the one task ------------------------------------------------------------------------------------------------

    def _seated(self, make: MakeSitting) -> Sitting:
        return make(self._heard, self._asked, self._pace)

    async def _move(self, sitting: Sitting) -> None:
        await self.close()
        self._sitting = sitting
        self._report, self._failure, self._said = None, "", Visible("")
        self._spent = 0.0
        self._stage.paint()

    async def _looked(self, sitting: Sitting, then: Target | None) -> None:
        failure = ""
        try:
            await sitting.look()
        except TimeoutError:
            failure = "The host could not be looked at in time."
        except Exception as error:  # noqa: BLE001 - a defect must not leave a broken terminal
            failure = f"The wizard itself failed: {type(error).__name__}: {error}"
        if sitting is not self._sitting:
            return
        self._failure = failure
        if self._said == _LOOKING:
            self._said = Visible("")
        self._stage.paint()
        if then is not None:
            self.begin(then)

    def _drive(self, doing: Callable[[], Awaitable[None]], *, keep_report: bool = False) -> None:
        self._wanted = False
        self._report = self._report if keep_report else None
        self._watching = None
        self._said = Visible("")
        self._began = time.monotonic()
        self._walking = asyncio.create_task(self._driven(doing, self._walking), name="walk")
        self._stage.paint()

    async def _driven(self, doing: Callable[[], Awaitable[None]], earlier: asyncio.Task[None] | None) -> None:
        if earlier is not None:
            with suppress(asyncio.CancelledError):
                await asyncio.wait({earlier})
        try:
            try:
                await doing()
            except asyncio.CancelledError:
                if self._report is not None:  # of a second walk or a watch that was stopped there is something to show
                    self._report = await in_thread(self._sitting.report)
                raise
            self._report = await in_thread(self._sitting.report)
            self._keeping = asyncio.create_task(in_thread(self.keep), name="keep")
        except OtherHostError as error:
            self._said = one_line(str(error), limit=300)
        except Exception as error:  # noqa: BLE001 - a defect must not leave a broken terminal
            self._stage.failed(error)
            self._said = one_line(f"The wizard itself failed: {type(error).__name__}: {error}", limit=300)
        finally:
            if asyncio.current_task() is self._walking:
                self._stepping = False
                self._spent = time.monotonic() - self._began
                asyncio.get_running_loop().call_soon(self._ended)

    def _heard(self, event: Event) -> None:
        del event
        self._stage.paint()
        self._unprepared = True
        if self._preparing is None or self._preparing.done():
            self._preparing = asyncio.create_task(self._prepared(), name="prepare")

    async def _prepared(self) -> None:
        """Replace secrets beside the walk: in a large log that takes longer than a key may wait."""
        while self._unprepared:
            await asyncio.sleep(_GATHERED)
            self._unprepared = False
            await in_thread(self._sitting.prepare)
            self._stage.paint()

    def _ended(self) -> None:
        self._stage.paint()
        if self._wanted and self._report is not None and not self.busy:
            self._wanted = False
            self._stage.show_diagnosis()

    def _counted(self, seen: Watched) -> None:
        self._watching = seen
        self._stage.paint()

    async def _asked(self, visit: Visit) -> str:
        return await self._stage.question(visit)

    async def _pace(self, visit: Visit) -> None:
        """Hold before a step while a person goes step by step."""
        del visit
        if self._stepping:
            self._stage.paint()
            await self._released.wait()
            if self._stepping:
                self._released.clear()
