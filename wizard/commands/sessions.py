"""Commands on saved sessions: `report`, `compare` and `capture-case`.

Owns reading the sessions and writing what comes of them. May not know how a verdict is drawn.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import msgspec

from wizard.commands.diagnose import load_session
from wizard.commands.errors import InputError
from wizard.commands.library import known_checks, library_for
from wizard.commands.output import printed, write
from wizard.session.build import build, exit_status
from wizard.session.compare import compared, differences
from wizard.session.file import dump
from wizard.session.report import Report
from wizard.session.save import SaveError, write_private
from wizard.session.session import Session
from wizard.text import visible

SAME, DIFFERENT = 0, 1


class Expected(msgspec.Struct, frozen=True):
    """What the walk over a recorded host has to come to: `causes` are their ids, best first."""

    verdict: str
    causes: tuple[str, ...]
    exit_status: int


def report(given: argparse.Namespace) -> int:
    """Print or write the report of a session; the exit status is the verdict's."""
    built = report_of(load_session(given.session))
    said = printed(built, given.format)
    if given.output is None:
        write(said)
    else:
        save(Path(given.output), said.encode("utf-8", "backslashreplace"))
    return exit_status(built)


def compare(given: argparse.Namespace) -> int:
    """Print what differs between two sessions; 0 where nothing does, as diff(1) has it, else 1."""
    first, second = report_of(load_session(given.first)), report_of(load_session(given.second))
    write(compared(first, second))
    return DIFFERENT if differences(first, second) else SAME


def capture_case(given: argparse.Namespace) -> int:
    """Write a session as a test case: the recording, and beside it what the walk has to come to."""
    session = load_session(given.session)
    built = report_of(session)
    expected = Expected(built.verdict, tuple(cause.id for cause in built.causes), exit_status(built))
    folder = Path(given.folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"the folder cannot be made: {error.strerror}", given.folder, "choose another one") from error
    save(folder / "session.jsonl", dump(session))
    save(folder / "expected.json", msgspec.json.format(msgspec.json.encode(expected), indent=2) + b"\n")
    named = ", ".join(expected.causes) or "no cause"
    write(f"{visible(given.folder)}: session.jsonl and expected.json ({expected.verdict}, {named})\n")
    return 0


def report_of(session: Session) -> Report:
    """What a session shows, drawn with the catalogue of this program."""
    library, _ = library_for(None)
    return build(session, library.causes.values(), known_checks())


def save(path: Path, data: bytes) -> None:
    """Write a private file.

    Raises:
        InputError: it could not be written.
    """
    try:
        write_private(path, data)
    except SaveError as error:
        raise InputError(error.what, str(error.path), error.hint) from error
