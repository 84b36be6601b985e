"""What the screens may do outside themselves, as functions that are given to them.

Owns the shape of these doors. May not know who stands behind them: a live host, a file, or a test.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from wizard.session.events import Event
from wizard.session.session import Session
from wizard.walk.outside import Incident, Interrupted, Write
from wizard.walk.runner import Answerer, Pace
from wizard.walk.sitting import Sitting

Heard = Callable[[Event], None]
MakeSitting = Callable[[Heard, Answerer, Pace], Sitting]


class OpenError(Exception):
    """A session that could not be opened, in a sentence for the person."""


@dataclass(frozen=True, slots=True)
class Doors:
    """What the wizard may do outside itself.

    `sit` sits down at the host that it was started on. `open_session` sits down at a saved session, by its path, or
    raises OpenError. `incidents` are recorded incidents by name. `write` writes a file that the person named, replacing
    one that is there only where it is told to, or raises SaveError. `keep` keeps a session whose walk has ended, and
    never fails. `interrupted` looks for a session that did not come to its end, and `resume` sits down at this host with
    what such a file holds, or raises OpenError. `shell` gives the terminal to the person's own shell until it ends, or
    raises OSError. `folder` is where reports go.
    """

    sit: MakeSitting
    open_session: Callable[[str], MakeSitting] | None = None
    incidents: Mapping[str, Incident] = field(default_factory=dict)
    write: Write | None = None
    keep: Callable[[Session], None] | None = None
    interrupted: Callable[[], Interrupted | None] | None = None
    resume: Callable[[str], tuple[MakeSitting, Session]] | None = None
    shell: Callable[[], int] | None = None
    folder: str = ""
