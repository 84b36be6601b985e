"""The entry to the screens: prepares the terminal, runs the app, saves the session, prints what cannot be lost.

Owns what happens before Textual is imported and after it has given the terminal back. May not know a live host.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping, MutableMapping

from wizard.checks.registry import Check
from wizard.flow.library import Library
from wizard.host.recorded import RecordedHost
from wizard.host.recording import RecordingHost
from wizard.session.file import SessionFileError
from wizard.session.session import Session
from wizard.text import one_line, visible
from wizard.tui.doors import Doors, MakeSitting, OpenError
from wizard.walk.outside import Outside
from wizard.walk.plan import Target
from wizard.walk.runner import Options
from wizard.walk.sitting import RecordingHost as Recording
from wizard.walk.sitting import Sitting


def start(
    host: Recording,
    library: Library,
    checks: Mapping[str, Check],
    target: Target | None,
    options: Options,
    session: Session | None,
    *,
    doors: Outside | None = None,
    resumed: bool = False,
) -> int:
    """Show the wizard until the person leaves it.

    Args:
        host: who is asked, live or recorded.
        library: trees and causes.
        checks: by name.
        target: what is walked at once; None: Start asks.
        options: of every walk.
        session: the saved session that is replayed or, if `resumed`, gone on with; None: the host is live.
        doors: the ways out of the wizard.
        resumed: whether the session goes on, on the live host.

    Returns:
        The exit status: that of the last verdict, or 128+n where signal n ended it.
    """
    prepare(os.environ)
    from wizard.tui.app import DEFECT, WizardApp  # noqa: PLC0415
    from wizard.tui.keyboard import read_any_bytes  # noqa: PLC0415

    read_any_bytes()

    outside = doors or Outside()

    def sits(at: Recording, replayed: Session | None) -> MakeSitting:
        return lambda heard, answerer, pace: Sitting(
            at, library, checks, options, replayed=replayed, heard=heard, answerer=answerer, pace=pace
        )

    def loaded(path: str) -> Session:
        try:
            return outside.load(path)
        except SessionFileError as error:
            raise OpenError(f"{one_line(path)}: {error.what}. Please {error.hint}.") from error

    def open_session(path: str) -> MakeSitting:
        opened = loaded(path)
        return sits(RecordingHost(RecordedHost(opened.asked)), opened)

    def resume(path: str) -> tuple[MakeSitting, Session]:
        if outside.live is None:
            raise OpenError("There is no live host to go on with it.")
        saved = loaded(path)
        return sits(RecordingHost(outside.live(), earlier=saved.asked), None), saved

    app = WizardApp(
        Doors(
            sits(host, None if resumed else session),
            open_session,
            dict(outside.incidents),
            outside.write,
            outside.keep,
            outside.interrupted,
            resume,
            outside.shell,
            outside.folder,
        ),
        target,
        saved=session if resumed else None,
        encoding=getattr(sys.__stderr__, "encoding", None),
    )
    try:
        app.run(mouse=False)
    finally:
        app.driver.keep()
    _say_copied(app.copied)
    if app.return_code == DEFECT or (app.defect is not None and not app.return_code):
        sys.stderr.write(f"gateway-wizard: the wizard itself failed: {visible(repr(app.defect))}\n")
        return DEFECT
    return app.return_code or app.driver.status


def _say_copied(copied: Iterable[str]) -> None:
    """Print what a clipboard may have lost; where the terminal is gone, nothing is written on leaving either."""
    try:
        for command in dict.fromkeys(copied):
            sys.stdout.write(f"{command}\n")
        sys.stdout.flush()
        sys.stderr.flush()
    except OSError:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        for stream in (sys.stdout, sys.stderr):
            os.dup2(nowhere, stream.fileno())


def prepare(environment: MutableMapping[str, str]) -> None:
    """Set what Textual reads when it is imported: no animation, no keyboard protocol that an old terminal prints."""
    environment.setdefault("TEXTUAL_ANIMATIONS", "none")
    environment.setdefault("TEXTUAL_SMOOTH_SCROLL", "0")
    if environment.get("TERM", "").startswith(("linux", "screen", "vt")):
        environment.setdefault("TEXTUAL_DISABLE_KITTY_KEY", "1")
    if environment.get("NO_COLOR") == "":  # only a value that is not empty counts (no-color.org)
        del environment["NO_COLOR"]
