"""`flow`, `cause` and `schema`: the data and the shapes of the program, shown.

Owns how they are listed. May not know how flows run.
"""

from __future__ import annotations

import argparse
import difflib
import json
from pathlib import Path

import msgspec

from wizard.commands.errors import InputError, UsageError
from wizard.commands.library import known_checks, library_for
from wizard.commands.output import write
from wizard.flow.data import flows_root
from wizard.flow.folders import Source, load_library
from wizard.flow.graph import dot, tree
from wizard.flow.language import Cause
from wizard.flow.lint import lint
from wizard.flow.schemas import DRAFT, causes_schema, flow_schema
from wizard.flow.vocabulary import Vocabulary
from wizard.session.events import Event
from wizard.session.observed import VARIABLES
from wizard.session.report import Report, RoutesReport
from wizard.text import visible


def flow(given: argparse.Namespace) -> int:
    """List, show, draw or lint decision trees."""
    match given.action:
        case "list":
            library, _ = library_for(None)
            width = max(len(name) for name in library.flows)
            write("".join(f"{name.ljust(width)}  {one.title}\n" for name, one in library.flows.items()))
            return 0
        case "lint":
            return _lint(given.names)
        case _:
            return _shown(given)


def _shown(given: argparse.Namespace) -> int:
    library, _ = library_for(None)
    if not given.names:
        raise UsageError(f"flow {given.action} needs the name of a flow", f"there are: {', '.join(library.flows)}")
    for name in given.names:
        one = library.flows.get(name)
        if one is None:
            raise UsageError(f"there is no flow {name!r}", _nearest(name, list(library.flows)))
        write(tree(one) if given.action == "show" else dot(one))
    return 0


def _lint(names: list[str]) -> int:
    for name in names:
        if not Path(name).exists():
            raise InputError(f"there is no file {name}", name)
    sources = [Source(flows_root()), *(Source(Path(name)) for name in names)]
    library = load_library(*sources)
    problems = list(library.problems) or list(lint(library, Vocabulary(known_checks(), VARIABLES)))
    for problem in problems:
        write(f"{visible(str(problem))}\n")
    if problems:
        write(f"{len(problems)} problems\n")
        return 2
    write(f"{len(library.flows)} flows and {len(library.causes)} causes: no problem found\n")
    return 0


def cause(given: argparse.Namespace) -> int:
    """Print the article of a cause; one that is told of several kinds of server has a part for each."""
    library, _ = library_for(None)
    found = [one for name, one in library.causes.items() if given.id in {name, one.id}]
    if not found:
        raise UsageError(f"there is no cause {given.id!r}", _nearest(given.id, [*library.causes]))
    parts = "\n".join(_article(one) for one in found)
    write(f"{found[0].id}\n\n{parts}")
    return 0


def _article(one: Cause) -> str:
    lines = [visible(one.article.strip()), ""]
    if one.commands:
        lines.append("Commands, with this host's values filled in by a diagnosis:")
        lines += [
            f"  {command.stage}: {visible(' '.join(command.run) or f'edit {command.edit}')}" for command in one.commands
        ]
    lines += [f"Not: {visible(harmful)}. {visible(because)}" for harmful, because in one.refused]
    return "\n".join(lines).rstrip() + "\n"


def _nearest(name: str, names: list[str]) -> str:
    close = difflib.get_close_matches(name, names, n=3)
    return f"did you mean {' or '.join(close)}?" if close else "gateway-wizard flow list names them"


def schema(given: argparse.Namespace) -> int:
    """Print a JSON Schema."""
    shapes: dict[str, object] = {"report": Report, "route": RoutesReport, "session": Event}
    if given.what == "explain":
        from wizard.commands.explain import Explained  # noqa: PLC0415 - only where it is asked for

        shapes["explain"] = Explained
    files = {"flow": flow_schema, "causes": causes_schema}
    if given.what in files:
        drawn = files[given.what]()
    else:
        drawn = {"$schema": DRAFT, **msgspec.json.schema(shapes[given.what])}
    write(json.dumps(drawn, indent=2) + "\n")
    return 0
