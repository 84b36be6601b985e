"""The command line: arguments in, and the decision between screen, plain lines and machine output.

Owns names and meanings of options and the exit status of wrong usage. May not know what a command does: each one is
imported when it is used, so that `--version` stays cheap and nothing of a screen is loaded without a terminal.
"""

from __future__ import annotations

import sys

from wizard import __version__

OK, USAGE, NO_INPUT, DEFECT = 0, 64, 66, 70
COMMANDS = (
    "diagnose", "replay", "resume", "compare", "fleet", "capture-case", "report", "demo", "route", "explain", "flow",
    "cause", "schema",
)  # fmt: skip


def main(argv: list[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    words = sys.argv[1:] if argv is None else argv
    if words in (["--version"], ["-V"]):
        return _version()
    from wizard.commands.run import run

    return run(words)


def _version() -> int:
    try:
        print(f"gateway-wizard {__version__}", flush=True)
    except OSError:  # nobody reads, or the disk is full: there is nothing to add to that
        sys.stdout = None  # what is buffered is not written once more on leaving
        return NO_INPUT
    return OK
