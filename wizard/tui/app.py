"""The app: the stage of one walk, and good manners to the terminal.

Owns signals, return codes, the last filters before the terminal, and when a screen is painted. May not know a host or
how a walk is driven: it is given doors, and has a driver.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import ClassVar

from rich.console import RenderableType
from textual.app import App, ScreenStackError, SuspendNotSupported
from textual.binding import Binding, BindingType
from textual.css.query import NoMatches
from textual.filter import LineFilter
from textual.screen import Screen

from wizard.flow.engine import Visit
from wizard.flow.language import DONT_KNOW
from wizard.session.session import Session
from wizard.text import Visible, one_line, visible
from wizard.tui.after_screen import AfterScreen
from wizard.tui.choice_screen import ChoiceScreen
from wizard.tui.diagnosis_screen import DiagnosisScreen
from wizard.tui.doors import Doors, OpenError
from wizard.tui.driver import Driver
from wizard.tui.filters import Ascii, Scrub, wants_ascii
from wizard.tui.port import State
from wizard.tui.screen import WizardScreen
from wizard.tui.start_screen import StartScreen
from wizard.tui.walk_screen import WalkScreen
from wizard.walk.outside import Incident
from wizard.walk.plan import Target

DEFECT = 70
INTERRUPTED = 130
_PAINT_AFTER = 0.05  # seconds in which events are gathered into one painting


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
        saved: Session | None = None,
        encoding: str | None = "utf-8",
        environment: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(ansi_color=True)  # so that NO_COLOR leaves no colour at all, instead of grey
        self._doors = doors
        self._first = target
        self._saved = saved
        self._scrub = Scrub()
        self._ascii = Ascii(enabled=wants_ascii(os.environ if environment is None else environment, encoding))
        self._painting = False
        self.driver = Driver(doors, self)
        self.copied: list[str] = []
        self._leaving = False
        self.defect: Exception | None = None

    # --- the terminal ------------------------------------------------------------------------------------------------

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Textual's own filters, then ours."""
        own = [self._scrub, *([self._ascii] if self._ascii.enabled else [])]
        return [*super().get_line_filters(), *own]

    def _set_pointer_shape(self, shape: str) -> None:
        """The mouse stays the terminal's; an old console would print the sequence."""

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
        self.call_after_refresh(self.driver.start, self._first, self._saved)  # nobody looks at an empty screen

    async def on_unmount(self) -> None:
        """Leave no probe behind."""
        await self.driver.close()

    def exit(self, result: None = None, return_code: int = 0, message: RenderableType | None = None) -> None:
        """End the app; what its screens still do on the way down is of no consequence."""
        self._leaving = True
        super().exit(result, return_code, message)

    def _handle_exception(self, error: Exception) -> None:
        """End with a sentence instead of a traceback that shows the values of local variables."""
        if self._leaving and isinstance(error, NoMatches):
            return  # a screen that was coming up when the app began to go down has lost its widgets
        self.defect = error
        if self.is_headless:
            super()._handle_exception(error)
        else:
            self.exit(None, DEFECT)

    def panic(self, *renderables: object) -> None:
        """The same where a thread of Textual failed: it has no more to say than a traceback."""
        del renderables
        self._handle_exception(RuntimeError("the terminal could not be read any more"))

    def action_interrupt(self) -> None:
        """End the probes that run; where none runs, quit."""
        if not self.driver.interrupt():
            self.exit(None, INTERRUPTED)

    def action_leave(self) -> None:
        """Quit."""
        self.exit(None, 0)

    # --- what the screens see and ask for ----------------------------------------------------------------------------

    @property
    def state(self) -> State:
        """What is to be shown now."""
        return self.driver.state

    @property
    def incidents(self) -> Mapping[str, Incident]:
        """The recorded incidents that can be opened, by name."""
        return self._doors.incidents

    def say(self, said: str) -> None:
        """Show one sentence in the status line until the next thing happens."""
        self.driver.say(said)

    def copy(self, command: Visible) -> None:
        """Send a command to the terminal's clipboard; a terminal may not take it, so it is printed at the exit too."""
        self.copied.append(command)
        self.copy_to_clipboard(command)
        self.say("Sent to the terminal's clipboard; check before pasting. It is printed at the exit too.")

    def save(self, files: Mapping[str, bytes], *, replace: bool = False) -> None:
        """Write files and say where they are, or raise SaveError; none is replaced unless it is said to be."""
        if self._doors.write is None:
            self.say("Nothing can be written from here.")
            return
        for path, content in files.items():
            self._doors.write(path, content, replace=replace)
        self.say(f"Saved, readable by you only: {' and '.join(files)}")

    def shell(self) -> bool:
        """Give the terminal to the person's own shell until it ends; False where that cannot be."""
        if self.driver.sitting.replayed is not None or self._doors.shell is None:
            self.say("This is a recording: there is no live host behind it to open a shell on.")
            return False
        if self.driver.busy:
            self.say("Something is still being asked. Ctrl+C stops it; then the shell opens.")
            return False
        failed = ""
        try:
            with self.suspend():  # nothing may be raised in here: the screen would not come back
                try:
                    self._doors.shell()
                except OSError as error:
                    failed = error.strerror or str(error)
        except SuspendNotSupported:
            failed = "this terminal cannot be handed over"
        if failed:
            self.say(f"No shell was opened: {failed}.")
        return not failed

    def open(self, session: str, *, incident: bool = False) -> None:
        """Open a saved session or an incident, and walk what was recorded."""
        known = self._doors.incidents.get(session) if incident else None
        path = (known.path if known is not None else None) if incident else session
        if self._doors.open_session is None or path is None:
            self.say("There is no such session.")
            return
        try:
            make = self._doors.open_session(path)
        except OpenError as error:
            self.say(str(error))
            return
        self.run_worker(self.driver.sit(make), group="session", exit_on_error=False)

    def resume(self, session: str) -> None:
        """Go on with an interrupted session of this host."""
        if self._doors.resume is None:
            self.say("There is no such session.")
            return
        try:
            make, saved = self._doors.resume(session)
        except OpenError as error:
            self.say(str(error))
            return
        self.run_worker(self.driver.resume(make, saved), group="session", exit_on_error=False)

    # --- the stage of the walk ---------------------------------------------------------------------------------------

    def paint(self) -> None:
        """Show the present: what happens shortly after one another is painted at once."""
        if not self._painting and self.is_running:
            self._painting = True
            self.set_timer(_PAINT_AFTER, self._paint_now)

    def show_walk(self) -> None:
        """Show the Walk screen over Start."""
        self.push_screen(WalkScreen())

    def show_diagnosis(self) -> None:
        """Show the Diagnosis screen, unless the person has turned to something else."""
        if isinstance(self._top(), WalkScreen):
            self.push_screen(DiagnosisScreen())

    def failed(self, error: Exception) -> None:
        """Keep a defect of a walk for the exit; the screens go on."""
        self.defect = error

    def show_after(self) -> None:
        """Show the After screen."""
        if not isinstance(self._top(), AfterScreen):
            self.push_screen(AfterScreen())

    async def question(self, visit: Visit) -> str:
        """Ask the person; no answer is "don't know"."""
        choices = tuple((value, one_line(label)) for value, label in visit.step.choices if value != DONT_KNOW)
        offered = (*choices, (DONT_KNOW, Visible("I don't know")))
        screen = ChoiceScreen(visible(visit.step.ask or ""), offered, visible(visit.step.why))
        answered: asyncio.Future[str | None] = asyncio.get_running_loop().create_future()
        self.push_screen(screen, lambda chosen: None if answered.done() else answered.set_result(chosen))
        try:
            return await answered or DONT_KNOW
        except asyncio.CancelledError:
            if self._top() is screen:
                self.pop_screen()
            raise

    def _paint_now(self) -> None:
        self._painting = False
        top = self._top()
        if isinstance(top, WizardScreen):
            top.repaint()

    def _tick(self) -> None:
        top = self._top()
        if self.driver.busy and isinstance(top, WizardScreen):
            top.ticked()

    def _top(self) -> Screen[object] | None:
        """The screen that is shown; None where the app is coming up or going down."""
        try:
            return self.screen
        except ScreenStackError:
            return None
