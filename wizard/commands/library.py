"""The trees and causes that a run uses: the program's own, a person's own, and one that was named.

Owns where they come from in a run. May not know what they say.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from pathlib import Path

from wizard.checks import all as all_checks
from wizard.checks.registry import Check
from wizard.commands.errors import InputError, UsageError
from wizard.flow import compiled
from wizard.flow.data import compiled_flows, flows_root, own_flows
from wizard.flow.language import Problem
from wizard.flow.library import Library
from wizard.flow.trust import decide
from wizard.flow.vocabulary import Vocabulary
from wizard.host.questions import PathSteps, WalkPath
from wizard.session.observed import VARIABLES
from wizard.walk.runner import ENTRY


def known_checks() -> dict[str, Check]:
    """Every declared check by name."""
    return dict(all_checks.CHECKS)


def library_for(named: str | None) -> tuple[Library, str]:
    """The library, and the name of the flow to begin with.

    Args:
        named: what `--flow` says: the name of a flow, a path of a file, or nothing.

    Raises:
        InputError: the file cannot be read or has problems.
        UsageError: there is no flow of that name.
    """
    own = [folder for folder in own_flows(os.environ) if folder.is_dir()]
    is_file = named is not None and ("/" in named or named.endswith((".yaml", ".yml")))
    library = compiled.read(flows_root(), compiled_flows()) if not own and not is_file else None
    if library is None:
        library = _as_written(own, named if is_file else None)
    name = ENTRY if named is None else (Path(named).stem if is_file else named)
    if name not in library.flows:
        raise UsageError(f"there is no flow {name!r}", f"there are: {', '.join(library.flows)}")
    return library, name


def _as_written(own: Sequence[Path], file: str | None) -> Library:
    """The program's own trees, those of a person's folders, and those of one file, read as they were written."""
    from wizard.flow.folders import Source, load_library  # noqa: PLC0415 - reading YAML costs more than a walk

    sources = [Source(flows_root())]
    sources += [Source(folder, trusted=all(map(_trusted, folder.glob("*.yaml")))) for folder in own]
    if file is not None:
        path = Path(file)
        if not path.is_file():
            raise InputError(f"there is no flow file {file}", file, "gateway-wizard flow list names the flows")
        sources.append(Source(path, trusted=_trusted(path)))
    library = load_library(*sources)
    problems = library.problems or (_problems_in(library, file) if file is not None else ())
    if problems:
        first = problems[0]
        raise InputError(first.what, str(first.at), first.hint or "gateway-wizard flow lint lists every problem")
    return library


def _trusted(path: Path) -> bool:
    """Whether nobody else could have written a file, so that the commands in it may run."""
    from wizard.host.live.host import LiveHost  # noqa: PLC0415 - only where there is a flow of one's own

    whole = str(path.absolute())

    async def walked() -> object:
        return (await LiveHost().ask(WalkPath(whole))).answer

    steps = asyncio.run(walked())
    if not isinstance(steps, PathSteps) or steps.missing is not None or steps.denied is not None:
        return False
    return decide(steps.steps, os.geteuid()).granted


def _problems_in(library: Library, file: str) -> list[Problem]:
    """What the linter says about one file: the program's own trees were proved before they were shipped."""
    from wizard.flow.lint import lint  # noqa: PLC0415 - only where there is a file to prove

    found = lint(library, Vocabulary(known_checks(), VARIABLES))
    return [problem for problem in found if problem.at.file == file]
