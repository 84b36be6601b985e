"""One run of the command line: the one place where a failure becomes a sentence and an exit status.

Owns that, and which module does a command's work. May not know how; each module is imported when it is chosen, so that
no command pays for what another one needs.
"""

from __future__ import annotations

import gc
import importlib
import itertools
import os
import sys
import time
from collections.abc import Callable, Sequence

from wizard.cli import DEFECT, NO_INPUT, USAGE
from wizard.commands.arguments import parser, with_command
from wizard.commands.errors import InputError, UsageError
from wizard.text import visible

INTERRUPTED, PIPE_CLOSED = 128 + 2, 128 + 13
# What is read is kept to the end of a command: to look for cycles in it costs up to half of a large reading. What goes
# on for as long as a person likes looks for them, and seldom.
OBJECTS_BETWEEN_COLLECTIONS = 50_000

_WORK = {
    "wizard": "interactive.interactive",
    "replay": "interactive.interactive",
    "resume": "interactive.interactive",
    "demo": "interactive.interactive",
    "diagnose": "diagnose.diagnose",
    "report": "sessions.report",
    "compare": "sessions.compare",
    "capture-case": "sessions.capture_case",
    "fleet": "fleet.fleet",
    "route": "route.route",
    "explain": "explain.explain",
    "flow": "flows.flow",
    "cause": "flows.cause",
    "schema": "flows.schema",
}


def run(words: Sequence[str]) -> int:
    """Parse and dispatch; every failure ends in a sentence on standard error and the status of the interface."""
    began = time.monotonic()
    gc.set_threshold(OBJECTS_BETWEEN_COLLECTIONS)
    try:
        given = parser().parse_args(with_command(words))
        given.began = began
        module, _, name = _WORK[given.command].partition(".")
        if module != "interactive":
            gc.disable()
        work: Callable[[object], int] = getattr(importlib.import_module(f"wizard.commands.{module}"), name)
        return work(given)
    except UsageError as error:
        return _refused(words, str(error), "", error.hint, USAGE)
    except InputError as error:
        return _refused(words, str(error), error.where, error.hint, NO_INPUT)
    except BrokenPipeError:
        _forget_output()
        return PIPE_CLOSED
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception as error:
        if isinstance(error, ExceptionGroup) and error.split(BrokenPipeError)[1] is None:
            _forget_output()
            return PIPE_CLOSED
        if os.environ.get("GATEWAY_WIZARD_TRACEBACK"):
            raise
        what = f"the wizard itself failed: {type(error).__name__}: {error}"
        return _refused(words, what, "", "GATEWAY_WIZARD_TRACEBACK=1 shows where; please report it", DEFECT)
    finally:
        gc.enable()


def wants_json(words: Sequence[str]) -> bool:
    """Whether standard output was promised to be JSON, whatever else is wrong with the arguments."""
    return "--json" in words or "--format=json" in words or ("--format", "json") in itertools.pairwise(words)


def _refused(words: Sequence[str], what: str, where: str, hint: str, status: int) -> int:
    if wants_json(words):
        from wizard.commands.output import error_json, write  # noqa: PLC0415 - only where JSON was asked for

        try:
            write(error_json(what, where, hint, words[0] if words else ""))
        except (BrokenPipeError, InputError):
            _forget_output()
    place = f"{visible(where)}: " if where else ""
    if sys.stderr is not None:
        sys.stderr.write(f"gateway-wizard: {place}{visible(what)}\n")
        if hint:
            sys.stderr.write(f"hint: {visible(hint)}\n")
    return status


def _forget_output() -> None:
    from wizard.commands.output import forget_output  # noqa: PLC0415 - only where nobody reads any more

    forget_output()
