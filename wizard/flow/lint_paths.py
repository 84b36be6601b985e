"""What must hold on every path: a cause where a flow ends at it, and the values that a step's texts name.

Owns the claims and their sentences. The proof is in `paths`.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from wizard.flow.language import At, Cause, Flow, Problem, Step
from wizard.flow.library import Library
from wizard.flow.lint_places import Places, names_used, variable_meant
from wizard.flow.paths import Claim, Failure, Site, TooManyPathsError, failures
from wizard.flow.step_graph import Graph
from wizard.flow.vocabulary import Vocabulary, outcome_sets

_STEPS_TOLD = 12


def path_problems(library: Library, vocabulary: Vocabulary, places: Places) -> list[Problem]:
    """Everything that does not hold on every path. The flows must have been found sound."""
    graph = Graph(library, vocabulary)
    return [*_ends(library, graph, places), *_texts(library, vocabulary, graph, places)]


def _ends(library: Library, graph: Graph, places: Places) -> Iterator[Problem]:
    sites: dict[str, dict[Site, At]] = {}
    for node, step in graph.steps.items():
        for word, target in graph.exits(node):
            if target.cause in library.causes:
                path = ("then", word) if word else ("next",)
                at = places.of_step(library.flows[node[0]], step, *path)
                sites.setdefault(target.cause or "", {})[node, word] = at
    for name, ends in sites.items():
        cause = library.causes[name]
        claim = Claim(tuple(outcome_sets(need.outcomes) for need in cause.needs), outcome_sets(cause.excludes))
        try:
            for failure in failures(graph, claim, frozenset(ends)):
                yield _unproven(cause, failure, ends[failure.site])
        except TooManyPathsError:
            yield Problem(min(ends.values()), f"too many paths lead to {name!r}: it cannot be proven to hold here")


def _unproven(cause: Cause, failure: Failure, at: At) -> Problem:
    told = _path(failure)
    if failure.excluded_by is not None:
        return Problem(at, f"{cause.id!r} is ruled out by {failure.excluded_by!r} on a path that leads here", told)
    return Problem(at, f"what {cause.id!r} needs does not hold on every path that leads here", told)


class _Use(msgspec.Struct, frozen=True):
    """A value that a text of a step names."""

    name: str
    at: At


def _texts(library: Library, vocabulary: Vocabulary, graph: Graph, places: Places) -> Iterator[Problem]:
    problems: list[Problem] = []
    used: dict[tuple[str, frozenset[str]], dict[Site, _Use]] = {}
    for node, step in graph.steps.items():
        flow = library.flows[node[0]]
        known = vocabulary.subject_variables(flow.scope)
        for text, at in _step_texts(flow, step, places):
            for name in names_used(text, at, problems):
                if name in known:
                    continue
                check, _, value = name.partition(".")
                words = vocabulary.checks.get(check)
                carrying = () if words is None else [word for word, values in words.outcomes.items() if value in values]
                if not carrying:
                    problems.append(
                        Problem(at, f"{{{name}}} is no variable that is known", variable_meant(name, known, vocabulary))
                    )
                else:
                    used.setdefault((check, frozenset(carrying)), {}).setdefault((node, None), _Use(name, at))
    for (check, outcomes), uses in used.items():
        claim = Claim(({check: outcomes},), {})
        try:
            for failure in failures(graph, claim, frozenset(uses)):
                use = uses[failure.site]
                problems.append(
                    Problem(use.at, f"{{{use.name}}} has no value on a path that leads here", _path(failure))
                )
        except TooManyPathsError:
            first = min(uses.values(), key=lambda use: use.at)
            problems.append(Problem(first.at, f"too many paths lead here to prove that {{{first.name}}} has a value"))
    yield from problems


def _step_texts(flow: Flow, step: Step, places: Places) -> Iterator[tuple[str, At]]:
    for key, text in (("question", step.question), ("why", step.why), ("ask", step.ask or "")):
        if text:
            yield text, places.of_step(flow, step, key)
    for value, label in step.choices:
        yield label, places.of_step(flow, step, "choices", value)
    for index, word in enumerate(step.argv):
        yield word, places.of_step(flow, step, "argv", str(index))


def _path(failure: Failure) -> str:
    steps = [f"{node}: {word}" if word else node for node, word in failure.path]
    shown = steps[-_STEPS_TOLD:]
    return f"for example {'... ' if len(steps) > len(shown) else ''}{', '.join(shown)}" if shown else "at the start"
