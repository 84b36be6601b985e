"""The proof that flows and causes agree with each other and with the checks, before anything runs.

Owns the order of the proofs and their one result. The parts are `lint_flows` (what holds of a flow by itself),
`lint_causes` (what holds of the catalogue) and `lint_paths` (what holds on every path). May not know files beyond the
places of names, nor any check beyond its declaration.
"""

from __future__ import annotations

from wizard.flow.language import Problem
from wizard.flow.library import Library
from wizard.flow.lint_causes import cause_problems
from wizard.flow.lint_flows import flow_problems
from wizard.flow.lint_paths import path_problems
from wizard.flow.lint_places import Places
from wizard.flow.vocabulary import Vocabulary


def lint(library: Library, vocabulary: Vocabulary) -> list[Problem]:
    """Everything that is wrong with a library, those of loading included, in order of place.

    The paths are only followed where the flows themselves are sound: no cycle, every name leads somewhere, and the
    scopes fit.

    Args:
        library: flows and causes as loaded.
        vocabulary: the checks and the variables of subjects.
    """
    places = Places(library)
    of_flows = flow_problems(library, vocabulary, places)
    problems = [*library.problems, *of_flows, *cause_problems(library, vocabulary, places)]
    if not of_flows:
        problems += path_problems(library, vocabulary, places)
    return sorted(set(problems))
