"""What the screens may ask of the app, and the state that it shows them.

Owns the seam between screens and app, so that a screen is shown and tested with any state. May not know Textual's
widgets, or how a walk is driven.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from wizard.checks.registry import Check
from wizard.flow.engine import Visit, Walk
from wizard.flow.library import Library
from wizard.session.events import Event, Watched
from wizard.session.report import Report
from wizard.text import Visible
from wizard.walk.glance import Glance
from wizard.walk.outside import Incident, Interrupted

if TYPE_CHECKING:
    from wizard.tui.driver import Driver


@dataclass(frozen=True, slots=True)
class Waiting:
    """A probe that is waited for, and for how many seconds already."""

    visit: Visit
    seconds: float


@dataclass(frozen=True, slots=True)
class State:
    """Everything that a screen shows, at one moment.

    `running` says that a walk goes on by itself or waits for Enter (`stepping`). `wanted` says that the diagnosis opens
    when the walk ends. `watching` is what a watch that goes on has counted. `elapsed` and `deadline` are seconds.
    `report` is there when a walk has ended. `recorded` says that a saved session answers, and not this host; `away` that
    the wizard was started on something else. `interrupted` is a session of this host that can be gone on with.
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
    said: Visible = Visible("")  # noqa: RUF009 - an immutable text
    recorded: bool = False
    away: bool = False
    interrupted: Interrupted | None = None
    watching: Watched | None = None

    @property
    def offset(self) -> int:
        """The host's zone in seconds east of UTC."""
        return self.glance.utc_offset if self.glance is not None else 0


class Wizard(Protocol):
    """The app as the screens know it: what is shown, who drives the walk, and the way out."""

    @property
    def state(self) -> State:
        """What is to be shown now."""
        ...

    @property
    def driver(self) -> Driver:
        """Who steers the walk."""
        ...

    def say(self, said: str) -> None:
        """Show one sentence in the status line."""
        ...

    def copy(self, command: Visible) -> None:
        """Send a command to the terminal's clipboard, and keep it for the exit."""
        ...

    def save(self, files: Mapping[str, bytes], *, replace: bool = False) -> None:
        """Write files and say where they are, or raise SaveError; none is replaced unless it is said to be."""
        ...

    def shell(self) -> bool:
        """Give the terminal to the person's own shell until it ends; False where that cannot be."""
        ...

    def show_after(self) -> None:
        """Show the After screen."""
        ...

    @property
    def incidents(self) -> Mapping[str, Incident]:
        """The recorded incidents that can be opened, by name."""
        ...

    def open(self, session: str, *, incident: bool = False) -> None:
        """Open a saved session by its path, or an incident by its name."""
        ...

    def resume(self, session: str) -> None:
        """Go on with an interrupted session, by its path."""
        ...
