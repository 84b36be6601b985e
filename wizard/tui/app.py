"""The app: one worker that drives the walk, one state that the screens show, and good manners to the terminal.

Owns the worker, the keys that every screen has, signals and return codes. May not know a host: it is given a way to
make a sitting. Everything that a terminal may act on is dropped from each line before it is drawn.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import ClassVar

from textual.app import App, ScreenStackError
from textual.binding import Binding, BindingType
from textual.filter import LineFilter
from textual.message import Message
from textual.screen import Screen
from textual.worker import Worker, WorkerError

from wizard.flow.engine import Kind, Visit
from wizard.flow.language import DONT_KNOW
from wizard.session.build import exit_status
from wizard.session.events import Event
from wizard.session.evidence import by_hand_of, what_of
from wizard.session.report import Report
from wizard.session.save import SaveError
from wizard.session.session import Asked, Session
from wizard.text import Visible, one_line, visible
from wizard.tui.choice_screen import ChoiceScreen
from wizard.tui.diagnosis_screen import DiagnosisScreen
from wizard.tui.filters import Ascii, Scrub, wants_ascii
from wizard.tui.port import State, Waiting
from wizard.tui.screen import WizardScreen
from wizard.tui.sizes import fits
from wizard.tui.start_screen import StartScreen
from wizard.tui.walk_screen import WalkScreen
from wizard.views.words import took
from wizard.walk.plan import Target
from wizard.walk.runner import Answerer, Pace
from wizard.walk.sitting import Sitting

DEFECT = 70
INTERRUPTED = 130
_PAINT_AFTER = 0.05  # seconds in which events are gathered into one painting

Heard = Callable[[Event], None]
MakeSitting = Callable[[Heard, Answerer, Pace], Sitting]
Writer = Callable[[str, bytes], None]


class OpenError(Exception):
    """A session that could not be opened, in a sentence for the person."""


@dataclass(frozen=True, slots=True)
class Doors:
    """What the app may do outside itself: sit down at a host or at a saved session, and write a file."""

    sit: MakeSitting
    open_session: Callable[[str], MakeSitting] | None = None
    incidents: Mapping[str, str] = field(default_factory=dict)  # name to path
    write: Writer | None = None


class Happened(Message):
    """Something happened in a run; those of an earlier run are dropped."""

    def __init__(self, run: int) -> None:
        super().__init__()
        self.run = run


class WizardApp(App[None]):
    """The wizard on a screen."""

    TITLE = "gateway-wizard"
    ENABLE_COMMAND_PALETTE = False
    CSS = """
    Screen { background: $background; color: $foreground; }
    Screen.-too-small > * { display: none; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+c", "interrupt", show=False, priority=True),
        Binding("ctrl+z", "suspend_process", show=False, priority=True),
        Binding("ctrl+q", "leave", show=False, priority=True),
    ]

    def __init__(
        self,
        doors: Doors,
        target: Target | None = None,
        *,
        encoding: str | None = "utf-8",
        environment: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(ansi_color=True)  # so that NO_COLOR leaves no colour at all, instead of grey
        self._doors = doors
        self._first = target
        self._scrub = Scrub()
        self._ascii = Ascii(enabled=wants_ascii(os.environ if environment is None else environment, encoding))
        self._sitting = doors.sit(self._heard, self._answer, self._pace)
        self._number = 0
        self._worker: Worker[None] | None = None
        self._busy = False
        self._stepping = False
        self._released = asyncio.Event()
        self._wanted = False
        self._began = 0.0
        self._spent = 0.0
        self._report: Report | None = None
        self._said = Visible("")
        self._failure = ""
        self._painting = False
        self.copied: list[str] = []
        self.defect: Exception | None = None

    # --- the terminal ------------------------------------------------------------------------------------------------

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Textual's own filters, then ours."""
        own = [self._scrub, *([self._ascii] if self._ascii.enabled else [])]
        return [*super().get_line_filters(), *own]

    async def on_mount(self) -> None:
        """Listen to signals, show Start, look at the host."""
        self.theme = "ansi-dark"
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGHUP):  # otherwise the terminal stays in its alternate screen
            with suppress(NotImplementedError, RuntimeError, ValueError):
                loop.add_signal_handler(number, self.exit, None, 128 + number)
        self.app_resume_signal.subscribe(self, lambda _: self.refresh(layout=True))  # else blank after fg
        self.set_interval(1.0, self._tick)
        await self.push_screen(StartScreen())
        self._look()

    def _handle_exception(self, error: Exception) -> None:
        """End with a sentence instead of a traceback that shows the values of local variables."""
        self.defect = error
        if self.is_headless:
            super()._handle_exception(error)
        else:
            self.exit(None, DEFECT)

    def action_interrupt(self) -> None:
        """End the probes that run; where none runs, quit."""
        if self._busy and self._worker is not None:
            self._worker.cancel()
            self.say("Stopped. Space runs on, Enter takes the next step.")
        else:
            self.exit(None, INTERRUPTED)

    def action_leave(self) -> None:
        """Quit."""
        self.exit(None, 0)

    # --- what the screens see ----------------------------------------------------------------------------------------

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
            running=self._busy,
            stepping=self._stepping,
            wanted=self._wanted,
            elapsed=self._elapsed(),
            deadline=sitting.options.timeout,
            report=self._report,
            before=sitting.before,
            said=self._said,
        )

    @property
    def session(self) -> Session | None:
        """The session of the latest walk; None where nothing was walked."""
        return self._sitting.session() if self._sitting.walked else None

    @property
    def status(self) -> int:
        """The exit status of the latest verdict; 0 where nothing was walked to its end."""
        return exit_status(self._report) if self._report is not None else 0

    def replies(self, names: Iterable[str]) -> dict[str, Asked]:
        """Replies by their names."""
        return self._sitting.replies(names)

    def asked(self) -> tuple[Visible, ...]:
        """Everything that was asked, a line each."""
        asked = self._sitting.session().asked
        return tuple(
            visible(
                f"{one.evidence:>5}  {took(one.seconds):>7}  {what_of(one.question)}  |  {by_hand_of(one.question)}"
            )
            for one in asked
        )

    def incidents(self) -> tuple[str, ...]:
        """The recorded incidents that can be opened."""
        return tuple(self._doors.incidents)

    def _waiting(self) -> tuple[Waiting, ...]:
        now = asyncio.get_running_loop().time()
        return tuple(
            Waiting(
                one_line(
                    f"{one.visit.step.check or one.visit.step.name} of {one.visit.about.partition(' of ')[0]}", limit=48
                ),
                now - one.since,
            )
            for one in self._sitting.probing
        )

    def _elapsed(self) -> float:
        if self._sitting.replayed is not None:  # a recording has its own time, and none passes now
            return self._report.session.seconds if self._report is not None else 0.0
        return time.monotonic() - self._began if self._busy else self._spent

    # --- what the screens ask for ------------------------------------------------------------------------------------

    def say(self, said: str) -> None:
        """Show one sentence in the status line until the next thing happens."""
        self._said = one_line(said, limit=300)
        self._paint()

    def begin(self, target: Target, flow: str | None = None) -> None:
        """Walk a target on the Walk screen."""
        if self._busy:  # a second Enter, pressed before the Walk screen was there
            self._wanted = True
            return
        self._stepping = False
        self.push_screen(WalkScreen())
        self._drive(lambda: self._sitting.walk(target, flow))

    def enter(self) -> None:
        """Go on."""
        if self._busy and self._stepping:
            self._released.set()
        elif self._busy:
            self._wanted = True
            self._paint()
        elif self._report is not None:
            self.push_screen(DiagnosisScreen())
        else:
            self._stepping = True
            self._released.set()
            self._drive(self._sitting.go_on)

    def run_on(self) -> None:
        """Let the walk run by itself, or hold it before its next step."""
        if self._busy:
            self._stepping = not self._stepping
            if not self._stepping:
                self._released.set()
            self._paint()
        elif self._report is None:
            self._stepping = False
            self._drive(self._sitting.go_on)

    async def back(self) -> None:
        """Take the last step back, and hold before it."""
        await self._end_run()
        if self._sitting.back():
            self._stepping = True
            self._released.clear()
            self._drive(self._sitting.go_on)
        else:
            self.say("There is no step to take back.")

    async def end(self) -> None:
        """End the run."""
        await self._end_run()

    async def overrule(self, visit: Visit, outcome: str) -> None:
        """Take a person's word for a step, and walk on from there."""
        await self._end_run()
        self._sitting.overrule(visit, outcome)
        self._drive(self._sitting.go_on)

    async def ask_anew(self, visit: Visit) -> None:
        """Ask one step anew, and walk on."""
        await self._end_run()
        self._sitting.ask_anew(visit)
        self._drive(self._sitting.go_on)

    def skip(self, visit: Visit | None) -> None:
        """Stop waiting for a step."""
        chosen = visit or next((one for walk in self._sitting.positions() for one in walk.ready), None)
        if chosen is None or chosen.kind is Kind.ASK or not self._busy:
            self.say("Nothing is waited for.")
            return
        self._sitting.skip(chosen)
        self._released.set()

    def again(self) -> None:
        """Walk the whole path once more, and show before beside after."""
        if not self._busy and self._sitting.walked:
            self._stepping = False
            self._drive(self._sitting.again)

    def copy(self, command: Visible) -> None:
        """Send a command to the terminal's clipboard; a terminal may not take it, so it is printed at the exit too."""
        self.copied.append(command)
        self.copy_to_clipboard(command)
        self.say("Sent to the terminal's clipboard; check before pasting. It is printed at the exit too.")

    def write(self, path: str, content: str) -> None:
        """Write a file that a person named."""
        if self._doors.write is None:
            self.say("Nothing can be written from here.")
            return
        try:
            self._doors.write(path, content.encode("utf-8", "backslashreplace"))
        except SaveError as error:
            self.say(f"{error}.")
        else:
            self.say(f"Written to {path}.")

    def open(self, session: str, *, incident: bool = False) -> None:
        """Open a saved session or an incident, and walk what was recorded."""
        path = self._doors.incidents.get(session) if incident else session
        if self._doors.open_session is None or path is None:
            self.say("There is no such session.")
            return
        try:
            sit = self._doors.open_session(path)
        except OpenError as error:
            self.say(str(error))
            return
        self._sitting = sit(self._heard, self._answer, self._pace)
        self._report = None
        self._said = Visible("")
        self._number += 1
        self._look(walk=True)

    # --- the one worker ----------------------------------------------------------------------------------------------

    def _look(self, *, walk: bool = False) -> None:
        self._worker = self.run_worker(
            self._looked(walk=walk), group="session", exclusive=True, exit_on_error=False, name="look"
        )

    async def _looked(self, *, walk: bool) -> None:
        try:
            await self._sitting.look()
        except TimeoutError:
            self._failure = "The host could not be looked at in time."
        except Exception as error:  # noqa: BLE001 - a defect must not leave a broken terminal
            self._failure = f"The wizard itself failed: {type(error).__name__}: {error}"
        self._paint()
        replayed = self._sitting.replayed
        if self._first is not None and not walk:
            self.begin(self._first)
        elif replayed is not None:
            recorded = replayed.target
            by_url = recorded is not None and "://" in recorded
            self.begin(Target(url=recorded) if by_url else Target(upstream=recorded))

    def _drive(self, doing: Callable[[], Awaitable[None]]) -> None:
        self._number += 1
        self._wanted = False
        self._report = None if doing != self._sitting.again else self._report
        self._said = Visible("")
        self._busy = True
        self._began = time.monotonic()
        self._worker = self.run_worker(
            self._driven(doing, self._number), group="session", exclusive=True, exit_on_error=False, name="walk"
        )
        self._paint()

    async def _driven(self, doing: Callable[[], Awaitable[None]], run: int) -> None:
        ended = False
        try:
            await doing()
            ended = True
        except Exception as error:  # noqa: BLE001 - a defect must not leave a broken terminal
            self.defect = error
            self._said = one_line(f"The wizard itself failed: {type(error).__name__}: {error}", limit=300)
        finally:
            if run == self._number:
                self._busy = False
                self._stepping = False
                self._spent = time.monotonic() - self._began
                if ended:
                    self._report = self._sitting.report()
                self._paint()
        if ended and self._wanted and run == self._number and isinstance(self._top(), WalkScreen):
            self._wanted = False
            await self.push_screen(DiagnosisScreen())

    async def _end_run(self) -> None:
        """End the run, and wait until it has ended."""
        worker = self._worker
        if self._busy and worker is not None:
            worker.cancel()
            with suppress(WorkerError, asyncio.TimeoutError):
                await asyncio.wait_for(worker.wait(), 2.0)
        self._busy = False

    def _heard(self, event: Event) -> None:
        del event
        self.post_message(Happened(self._number))

    async def _answer(self, visit: Visit) -> str:
        """Ask the person; no answer is "don't know"."""
        choices = tuple((value, one_line(label)) for value, label in visit.step.choices if value != DONT_KNOW)
        offered = (*choices, (DONT_KNOW, Visible("I don't know")))
        screen = ChoiceScreen(visible(visit.step.ask or ""), offered, visible(visit.step.why))
        try:
            chosen = await self.push_screen_wait(screen)
        except asyncio.CancelledError:
            if self._top() is screen:
                self.pop_screen()
            raise
        return chosen or DONT_KNOW

    async def _pace(self, visit: Visit) -> None:
        """Hold before a step while a person goes step by step."""
        del visit
        if self._stepping:
            self._paint()
            await self._released.wait()
            if self._stepping:
                self._released.clear()

    # --- painting ----------------------------------------------------------------------------------------------------

    def on_happened(self, message: Happened) -> None:
        """Gather what happens into one painting."""
        if message.run == self._number:
            self._paint()

    def _paint(self) -> None:
        if not self._painting and self.is_running:
            self._painting = True
            self.set_timer(_PAINT_AFTER, self._paint_now)

    def _paint_now(self) -> None:
        self._painting = False
        top = self._top()
        if isinstance(top, WizardScreen):
            top.repaint()

    def _tick(self) -> None:
        top = self._top()
        if self._busy and isinstance(top, WizardScreen) and top.is_mounted and fits(self.size):
            top.tick(self.state)

    def _top(self) -> Screen[object] | None:
        """The screen that is shown; None where the app is coming up or going down."""
        try:
            return self.screen
        except ScreenStackError:
            return None


def stream_encoding() -> str | None:
    """The encoding of the stream that Textual draws on."""
    return getattr(sys.__stderr__, "encoding", None)
