"""The argument parser: every command and option of the outward interface.

Owns options and their limits. May not know what a command does with them.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from typing import NoReturn

from wizard import __version__
from wizard.cli import COMMANDS
from wizard.commands.errors import UsageError
from wizard.text import one_line

FORMATS = ("text", "short", "json", "markdown", "html", "nagios")
_SPAN = re.compile(r"(\d{1,6}(?:\.\d{1,3})?)(ms|s|m|h|d)?")
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, None: 1.0}


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UsageError(message, f"{self.prog} --help lists the options")


def span(text: str) -> float:
    """A span of time as typed (`15m`, `90`, `1.5h`) in seconds.

    Raises:
        argparse.ArgumentTypeError: it is none, or longer than 90 days.
    """
    match = _SPAN.fullmatch(text.strip())
    seconds = float(match[1]) * _UNITS[match[2]] if match else 0.0
    if not 0 < seconds <= 90 * 86400:
        raise argparse.ArgumentTypeError(f"{one_line(text)!r} is no span of time: write 90s, 15m or 2h")
    return seconds


def _answer(text: str) -> tuple[str, str]:
    node, equals, value = text.rpartition("=")  # a subject may be a URL with an = in it, a value is one word
    if not equals or "/" not in node:
        raise argparse.ArgumentTypeError(
            f"{one_line(text)!r} is no answer: write FLOW/STEP=VALUE or FLOW/STEP@SUBJECT=VALUE"
        )
    return node.strip(), value.strip()


def parser() -> argparse.ArgumentParser:
    """The whole command line."""
    top = _Parser(
        prog="gateway-wizard",
        allow_abbrev=False,
        description="Walks a request's path on the box that answers 502, names one cause, prints the repair.",
        epilog="Without a command it opens the wizard on the screen. A TARGET is a URL, a host name, or an upstream.",
    )
    top.add_argument("--version", "-V", action="version", version=f"gateway-wizard {__version__}")
    commands = top.add_subparsers(dest="command", metavar="COMMAND", parser_class=_Parser)

    wizard = commands.add_parser("wizard", help="the interactive wizard (the default)")
    _target(wizard)
    _walking(wizard)
    wizard.add_argument("--plain", action="store_true", help="lines with numbered choices instead of a screen")

    diagnose = commands.add_parser("diagnose", help="the same walk without a screen")
    _target(diagnose)
    _walking(diagnose)
    _format(diagnose)
    diagnose.add_argument("--answer", metavar="NODE[@SUBJECT]=VALUE", action="append", type=_answer, default=[])
    diagnose.add_argument("--answers", metavar="FILE", help="answers, one NODE=VALUE a line")
    diagnose.add_argument("--record", metavar="FILE", help="write the session")
    diagnose.add_argument("--from", dest="source", metavar="SESSION", help="diagnose a recorded session")
    diagnose.add_argument("--plan", action="store_true", help="print everything that would be asked, and stop")

    for name, said in (("replay", "open a recorded session"), ("resume", "go on with an interrupted one")):
        one = commands.add_parser(name, help=said)
        one.add_argument("session", nargs="?" if name == "resume" else None)
        one.add_argument("--plain", action="store_true")

    report = commands.add_parser("report", help="a session as a report")
    report.add_argument("session")
    report.add_argument("--format", choices=FORMATS, default="text")
    report.add_argument("-o", "--output", metavar="FILE")

    compare = commands.add_parser("compare", help="what differs between two sessions")
    compare.add_argument("first", metavar="A")
    compare.add_argument("second", metavar="B")

    fleet = commands.add_parser("fleet", help="many hosts' sessions side by side")
    fleet.add_argument("folder", metavar="DIR")

    case = commands.add_parser("capture-case", help="a session as a recorded-host test case")
    case.add_argument("session", metavar="SESSION")
    case.add_argument("folder", metavar="DIR")

    demo = commands.add_parser("demo", help="a recorded real incident, no gateway needed")
    demo.add_argument("incident", nargs="?")
    demo.add_argument("--plain", action="store_true")

    route = commands.add_parser("route", help="how this host's gateways route a URL; sends nothing")
    route.add_argument("url")
    route.add_argument("--json", action="store_true")
    route.add_argument("--from", dest="source", metavar="SESSION")

    explain = commands.add_parser("explain", help="log lines in, what each means out")
    explain.add_argument("file", nargs="?", default="-")
    explain.add_argument("--json", action="store_true")

    flow = commands.add_parser("flow", help="the decision trees")
    flow.add_argument("action", choices=("list", "show", "graph", "lint"))
    flow.add_argument("names", nargs="*", metavar="NAME|FILE")

    cause = commands.add_parser("cause", help="the article behind a cause id")
    cause.add_argument("id")

    schema = commands.add_parser("schema", help="the JSON Schemas")
    schema.add_argument(
        "what", nargs="?", choices=("report", "session", "flow", "causes", "route", "explain"), default="report"
    )
    for one in commands.choices.values():
        one.allow_abbrev = False  # what is short for one option today may be short for two tomorrow
    return top


def _target(one: argparse.ArgumentParser) -> None:
    one.add_argument("target", nargs="?", metavar="TARGET", help="a URL, a host name, or an upstream")


def _walking(one: argparse.ArgumentParser) -> None:
    one.add_argument("--since", type=span, default=None, metavar="15m", help="how far back logs are read (15 minutes)")
    one.add_argument("--timeout", type=span, metavar="15", help="the deadline of the whole run in seconds (15)")
    one.add_argument("--flow", default=None, metavar="NAME|FILE", help="another decision tree")


def _format(one: argparse.ArgumentParser) -> None:
    group = one.add_mutually_exclusive_group()
    group.add_argument("--format", choices=FORMATS, default=None)
    group.add_argument("--json", dest="format", action="store_const", const="json")


def with_command(words: Sequence[str]) -> list[str]:
    """The arguments with the default command put in: what is no command is a target of the wizard."""
    if not words or words[0] in {"-h", "--help"} or words[0] in COMMANDS or words[0] == "wizard":
        return list(words) or ["wizard"]
    return ["wizard", *words]
