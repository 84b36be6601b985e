"""The ways out of the wizard that are given to it: where sessions are kept, files written, and other sessions opened.

Owns their shape, for the screens and the plain lines alike. May not know who stands behind them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

import msgspec

from wizard.host.port import Host
from wizard.session.file import load as load_file
from wizard.session.save import write_private
from wizard.session.session import Session


class Write(Protocol):
    """Writes a file."""

    def __call__(self, path: str, data: bytes, *, replace: bool = True) -> None:
        """Write it, or raise SaveError; ExistsError where one is there that is not to be replaced."""
        ...


class Incident(msgspec.Struct, frozen=True):
    """A recorded incident: its file, and what happened, in a line."""

    path: str
    title: str = ""


class Interrupted(msgspec.Struct, frozen=True):
    """A session of this host that did not come to its end: its file, what it walked, since when (epoch)."""

    path: str
    target: str | None
    started: float


class Outside(msgspec.Struct, frozen=True):
    """The ways out of the wizard.

    `keep` is given the session whenever a walk has ended, and at the end, however it came. `load` reads a session file,
    or raises SessionFileError. `write` writes a file that the person named, or raises SaveError. `incidents` are
    recorded incidents by name. `interrupted` looks for a session to go on with, for which `live` is this host anew.
    `shell` gives the terminal to the person's own shell until it ends. `folder` is where reports are saved.
    """

    keep: Callable[[Session], None] | None = None
    load: Callable[[str], Session] = load_file
    write: Write = write_private
    incidents: Mapping[str, Incident] = {}
    interrupted: Callable[[], Interrupted | None] | None = None
    live: Callable[[], Host] | None = None
    shell: Callable[[], int] | None = None
    folder: str = ""
