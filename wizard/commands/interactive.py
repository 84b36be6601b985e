"""The interactive commands: the decision between the screen and plain lines, and the host or session that is opened.

Owns that decision: the screen needs a terminal at standard input and standard error (Textual reads one and draws on
the other), and a terminal that can move its cursor. May not import Textual before it is made.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

import msgspec
from msgspec.structs import replace

from wizard.commands.diagnose import live_host, load_session, options_of, target_of
from wizard.commands.errors import InputError, UsageError
from wizard.commands.kept import export_folder, folder, interrupted, keep, latest
from wizard.commands.library import known_checks, library_for
from wizard.commands.output import write
from wizard.host.port import Host
from wizard.host.recorded import RecordedHost
from wizard.host.recording import RecordingHost
from wizard.session.session import Session
from wizard.walk.outside import Incident, Interrupted, Outside


def wants_plain(given: argparse.Namespace) -> bool:
    """Whether to talk in lines: asked for, or no terminal that could show a screen."""
    streams = sys.stdin, sys.stderr  # None where the caller closed them
    terminal = all(stream is not None and stream.isatty() for stream in streams)
    return bool(given.plain) or not terminal or os.environ.get("TERM", "dumb") in {"dumb", ""}


def interactive(given: argparse.Namespace) -> int:
    """Open the wizard on this host, on a saved session, or on an incident that ships with it."""
    session = _session(given)
    if given.command == "demo" and session is None:
        write(_incidents())
        return 0
    library, flow = library_for(getattr(given, "flow", None))
    text = getattr(given, "target", None) or (session.target if session else None)
    target = target_of(text)
    options = options_of(given, session, flow)
    resumed = given.command == "resume"
    host: Host = RecordedHost(session.asked) if session is not None and not resumed else live_host()
    recording = RecordingHost(host, earlier=session.asked if session is not None and resumed else ())
    titles = _titles()
    outside = Outside(
        keep=keep if session is None or resumed else None,
        incidents={name: Incident(str(path), titles.get(name, "")) for name, path in incidents().items()},
        interrupted=_left,
        live=live_host,
        folder=export_folder(),
    )
    if wants_plain(given):
        from wizard.plain.talk import talk  # noqa: PLC0415 - only where there is no screen

        return talk(recording, library, known_checks(), target, options, session, resumed=resumed, outside=outside)
    from wizard.commands.own_shell import shell_in_place  # noqa: PLC0415 - only where there is a screen
    from wizard.tui.start import start  # noqa: PLC0415 - Textual is imported only where there is a screen

    doors = replace(outside, shell=shell_in_place if session is None or resumed else None)
    walked = target if text else None
    return start(recording, library, known_checks(), walked, options, session, doors=doors, resumed=resumed)


def _left() -> Interrupted | None:
    found = interrupted()
    return Interrupted(str(found[0]), found[1].target, found[1].started) if found is not None else None


def incidents_folder() -> Path:
    """Where the recorded incidents lie."""
    return Path(__file__).resolve().parents[1] / "_incidents"


def incidents() -> dict[str, Path]:
    """The recorded incidents that ship with the program, by name."""
    return {path.name.partition(".")[0]: path for path in sorted(incidents_folder().glob("*.jsonl*"))}


def _incidents() -> str:
    found = incidents()
    if not found:
        return "No incident ships with this copy.\n"
    titles = _titles()
    width = max(len(name) for name in found)
    lines = [f"  {name.ljust(width)}  {titles.get(name, '')}".rstrip() for name in found]
    return "Recorded real incidents. Open one with: gateway-wizard demo NAME\n" + "\n".join(lines) + "\n"


def _titles() -> dict[str, str]:
    try:
        return msgspec.json.decode((incidents_folder() / "titles.json").read_bytes(), type=dict[str, str])
    except (OSError, msgspec.MsgspecError):
        return {}


def _session(given: argparse.Namespace) -> Session | None:
    if given.command == "demo":
        if given.incident is None:
            return None
        found = incidents()
        if given.incident not in found:
            raise UsageError(f"there is no incident {given.incident!r}", "gateway-wizard demo lists them")
        return load_session(str(found[given.incident]))
    if given.command in {"replay", "resume"}:
        path = given.session or latest()
        if path is None:
            raise InputError("no interrupted session was found", str(folder()), "give the path of a session file")
        return load_session(str(path))
    return None
