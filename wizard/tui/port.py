"""What the screens may ask of the app, and the state that it shows them.

Owns the seam between screens and app, so that a screen is shown and tested with any state. May not know Textual's
widgets, or how a walk is driven.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from wizard.checks.registry import Check
from wizard.flow.engine import Visit, Walk
from wizard.flow.library import Library
from wizard.session.events import Event
from wizard.session.report import Report
from wizard.session.session import Asked
from wizard.text import Visible
from wizard.walk.glance import Glance
from wizard.walk.plan import Target


@dataclass(frozen=True, slots=True)
class Waiting:
    """A probe that is waited for: what it asks, and for how many seconds already."""

    what: Visible
    seconds: float


@dataclass(frozen=True, slots=True)
class State:
    """Everything that a screen shows, at one moment.

    `running` says that a walk goes on by itself or waits for Enter (`stepping`). `wanted` says that the diagnosis opens
    when the walk ends. `elapsed` and `deadline` are seconds. `report` is there when a walk has ended.
    """

    library: Library
    checks: Mapping[str, Check]
    glance: Glance | None = None
    failure: str = ""
    title: str = ""
    positions: tuple[Walk, ...] = ()
    events: tuple[Event, ...] = ()
    waiting: tuple[Waiting, ...] = ()
    running: bool = False
    stepping: bool = False
    wanted: bool = False
    elapsed: float = 0.0
    deadline: float = 0.0
    report: Report | None = None
    before: Report | None = None
    said: Visible = Visible("")  # noqa: RUF009 - an immutable text

    @property
    def offset(self) -> int:
        """The host's zone in seconds east of UTC."""
        return self.glance.utc_offset if self.glance is not None else 0


class Wizard(Protocol):
    """The app as the screens know it."""

    @property
    def state(self) -> State:
        """What is to be shown now."""
        ...

    def say(self, said: str) -> None:
        """Show one sentence in the status line."""
        ...

    def begin(self, target: Target, flow: str | None = None) -> None:
        """Walk a target, on the Walk screen."""
        ...

    def enter(self) -> None:
        """Go on: the next step, or the diagnosis where the walk has ended, or as soon as it does."""
        ...

    def run_on(self) -> None:
        """Let the walk run by itself, or hold it before its next step."""
        ...

    async def back(self) -> None:
        """Take the last step back and hold."""
        ...

    async def end(self) -> None:
        """End the run."""
        ...

    async def overrule(self, visit: Visit, outcome: str) -> None:
        """Take a person's word for a step, and walk on."""
        ...

    async def ask_anew(self, visit: Visit) -> None:
        """Ask one step anew, and walk on."""
        ...

    def skip(self, visit: Visit | None) -> None:
        """Stop waiting for a step; None: for the one that is waited for."""
        ...

    def again(self) -> None:
        """Walk the whole path once more."""
        ...

    def copy(self, command: Visible) -> None:
        """Send a command to the terminal's clipboard, and keep it for the exit."""
        ...

    def write(self, path: str, content: str) -> None:
        """Write a file that a person named."""
        ...

    def replies(self, names: Iterable[str]) -> dict[str, Asked]:
        """Replies by their names."""
        ...

    def asked(self) -> tuple[Visible, ...]:
        """Everything that was asked, a line each."""
        ...

    def incidents(self) -> tuple[str, ...]:
        """The recorded incidents that can be opened."""
        ...

    def open(self, session: str, *, incident: bool = False) -> None:
        """Open a saved session, or an incident by its name."""
        ...
