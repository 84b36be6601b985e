"""`report SESSION`: a saved session as a report, in any format, on standard output or in a private file.

Owns reading the session and writing the report. May not know how a verdict is drawn.
"""

from __future__ import annotations

import argparse

from wizard.commands.diagnose import load_session
from wizard.commands.library import known_checks, library_for
from wizard.commands.output import printed, write
from wizard.commands.run import InputError
from wizard.session.build import build, exit_status
from wizard.session.save import SaveError, write_private


def report(given: argparse.Namespace) -> int:
    """Print or write the report of a session; the exit status is the verdict's."""
    session = load_session(given.session)
    library, _ = library_for(None)
    built = build(session, library.causes.values(), known_checks())
    said = printed(built, given.format)
    if given.output is None:
        write(said)
        return exit_status(built)
    try:
        write_private(given.output, said.encode("utf-8", "backslashreplace"))
    except SaveError as error:
        raise InputError(error.what, str(error.path), error.hint) from error
    return exit_status(built)
