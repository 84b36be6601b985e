"""Where results go: one object of JSON, or text, on standard output and nothing else ever.

Owns the choice of a format's printer, which is imported where it is chosen. May not know how a report came about.
"""

from __future__ import annotations

import os
import shutil
import sys
import time

import msgspec

from wizard import __version__
from wizard.commands.errors import InputError
from wizard.session.report import (
    SCHEMA_VERSION,
    ErrorPart,
    HostPart,
    Report,
    SessionPart,
    TargetPart,
    WizardPart,
)
from wizard.text import visible


def printed(report: Report, form: str) -> str:
    """A report in one of the formats of the command line."""
    match form:
        case "json":
            return as_json(report)
        case "short":
            from wizard.session.print_text import short  # noqa: PLC0415

            return short(report)
        case "markdown":
            from wizard.session.print_markdown import markdown  # noqa: PLC0415

            return markdown(report)
        case "html":
            from wizard.session.print_html import html  # noqa: PLC0415

            return html(report)
        case "nagios":
            from wizard.session.print_nagios import nagios  # noqa: PLC0415

            return nagios(report)
        case _:
            from wizard.session.print_text import text  # noqa: PLC0415

            return text(report, width=min(shutil.get_terminal_size((100, 24)).columns, 120))


def write(said: str) -> None:
    """Write to standard output whole, in the terminal's own encoding where it has another one.

    Raises:
        BrokenPipeError: whoever read it has gone.
        InputError: it cannot be written to: the disk is full, or the caller closed it.
    """
    if sys.stdout is None:
        raise InputError("standard output is closed", "", "name a place for the result: gateway-wizard ... > FILE")
    encoding = sys.stdout.encoding or "utf-8"
    try:
        sys.stdout.write(said if said.isascii() else said.encode(encoding, "backslashreplace").decode(encoding))
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        forget_output()
        raise InputError(f"standard output cannot be written: {error.strerror}") from error


def forget_output() -> None:
    """Let what is still buffered go nowhere, so that leaving the program does not try to write it once more."""
    if sys.stdout is not None:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def error_json(what: str, where: str, hint: str, command: str = "diagnose") -> str:
    """The JSON of a run that could not begin, in the shape that the command prints otherwise."""
    from wizard.session.build import iso  # noqa: PLC0415 - not for every command that prints

    error = ErrorPart(visible(what), visible(where) if where else None, visible(hint))
    shapes: dict[str, dict[str, object]] = {"route": {"url": None, "routes": ()}, "explain": {"lines": ()}}
    empty = shapes.get(command)
    if empty is not None:
        return as_json({"schema_version": SCHEMA_VERSION, **empty, "error": error})
    return as_json(
        Report(
            schema_version=SCHEMA_VERSION,
            wizard=WizardPart(__version__),
            session=SessionPart("", iso(time.time()), 0.0, os.environ.get("USER", ""), os.geteuid() == 0),
            host=HostPart(os.uname().nodename, "", os.uname().release, "none"),
            target=TargetPart(None, None),
            observed=None,
            verdict="unknown",
            error=error,
            causes=(),
            warnings=(),
            ruled_out=(),
            open=(),
            not_checked=(),
            steps=(),
            timeline=(),
            evidence={},
        )
    )


def as_json(value: object) -> str:
    """A value as indented JSON with a line break at its end."""
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode() + "\n"
