"""The entry to the screens: prepares the terminal, runs the app, saves the session, prints what cannot be lost.

Owns what happens before Textual is imported and after it has given the terminal back. May not know a live host.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, MutableMapping

from wizard.checks.registry import Check
from wizard.flow.library import Library
from wizard.host.recorded import RecordedHost
from wizard.host.recording import RecordingHost
from wizard.session.file import SessionFileError
from wizard.session.file import load as load_file
from wizard.session.save import write_private
from wizard.session.session import Session
from wizard.text import one_line, visible
from wizard.walk.plan import Target
from wizard.walk.runner import Options
from wizard.walk.sitting import RecordingHost as Recording
from wizard.walk.sitting import Sitting

Load = Callable[[str], Session]
Save = Callable[[Session], None]
Write = Callable[[str, bytes], None]


def start(
    host: Recording,
    library: Library,
    checks: Mapping[str, Check],
    target: Target | None,
    options: Options,
    session: Session | None,
    *,
    save: Save | None = None,
    load: Load = load_file,
    write: Write = write_private,
    incidents: Mapping[str, str] | None = None,
) -> int:
    """Show the wizard until the person leaves it.

    Args:
        host: who is asked, live or recorded.
        library: trees and causes.
        checks: by name.
        target: what is walked at once; None: Start asks.
        options: of every walk.
        session: the saved session that is replayed; None: the host is live.
        save: is given the session whenever a walk has ended, and at the end, however it came.
        load: reads a session file, or raises SessionFileError.
        write: writes a file that the person named, or raises SaveError.
        incidents: recorded incidents, name to path.

    Returns:
        The exit status: that of the last verdict, or 128+n where signal n ended it.
    """
    prepare(os.environ)
    from wizard.tui.app import DEFECT, WizardApp  # noqa: PLC0415
    from wizard.tui.doors import Doors, MakeSitting, OpenError  # noqa: PLC0415

    def sits(at: Recording, replayed: Session | None) -> MakeSitting:
        return lambda heard, answerer, pace: Sitting(
            at, library, checks, options, replayed=replayed, heard=heard, answerer=answerer, pace=pace
        )

    def open_session(path: str) -> MakeSitting:
        try:
            opened = load(path)
        except SessionFileError as error:
            raise OpenError(f"{one_line(path)}: {error.what}. Please {error.hint}.") from error
        return sits(RecordingHost(RecordedHost(opened.asked)), opened)

    doors = Doors(sits(host, session), open_session, dict(incidents or {}), write, save)
    app = WizardApp(doors, target, encoding=getattr(sys.__stderr__, "encoding", None))
    try:
        app.run(mouse=False)
    finally:
        app.driver.keep()
    for command in dict.fromkeys(app.copied):
        sys.stdout.write(f"{command}\n")
    sys.stdout.flush()
    if app.return_code == DEFECT or (app.defect is not None and not app.return_code):
        sys.stderr.write(f"gateway-wizard: the wizard itself failed: {visible(repr(app.defect))}\n")
        return DEFECT
    return app.return_code or app.driver.status


def prepare(environment: MutableMapping[str, str]) -> None:
    """Set what Textual reads when it is imported: no animation, no keyboard protocol that an old terminal prints."""
    environment.setdefault("TEXTUAL_ANIMATIONS", "none")
    environment.setdefault("TEXTUAL_SMOOTH_SCROLL", "0")
    if environment.get("TERM", "").startswith(("linux", "screen", "vt")):
        environment.setdefault("TEXTUAL_DISABLE_KITTY_KEY", "1")
    if environment.get("NO_COLOR") == "":  # only a value that is not empty counts (no-color.org)
        del environment["NO_COLOR"]
