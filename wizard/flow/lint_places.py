"""Where the parts of flows and causes stand, and what their texts may name.

Owns what the parts of the linter share: exact places, and the reading of templates. May not know any rule.
"""

from __future__ import annotations

from collections.abc import Iterator

from wizard.flow.language import At, Cause, Flow, Problem, Step
from wizard.flow.library import Library
from wizard.flow.reading import nearest
from wizard.flow.templates import TemplateError, parse
from wizard.flow.vocabulary import Vocabulary


class Places:
    """Finds the place of a part of a flow or cause; the whole entity's where it was not read from a file."""

    def __init__(self, library: Library) -> None:
        self._places = library.places

    def of(self, entity: Flow | Cause, *path: str, key: bool = False) -> At:
        """Where the value behind a path of keys stands (or its key); the nearest part that is known otherwise."""
        kind = ("flow", entity.name) if isinstance(entity, Flow) else ("cause", entity.name)
        for length in range(len(path), 0, -1):
            place = self._places.get((*kind, *path[:length]))
            if place is not None:
                return place.key if key and length == len(path) else place.value
        return entity.at

    def of_step(self, flow: Flow, step: Step, *path: str, key: bool = False) -> At:
        """The same for a part of a step; the step's name without a path."""
        if not path:
            return step.at
        return self.of(flow, "steps", step.name, *path, key=key)

    def lists_needs(self, cause: Cause) -> bool:
        """Whether `needs` was written as a list of alternatives, not as the only one."""
        return ("cause", cause.name, "needs", "0") in self._places


def names_used(text: str, at: At, problems: list[Problem]) -> Iterator[str]:
    """The variables of a template; a problem where the text is none."""
    try:
        yield from parse(text).variables
    except TemplateError as error:
        problems.append(Problem(at, f"{error}", f"character {error.offset + 1} of the text"))


def variable_meant(name: str, subject: frozenset[str], vocabulary: Vocabulary) -> str:
    """A hint that names the variable most like this one; empty where none is."""
    values = {
        f"{check}.{value}"
        for check, words in vocabulary.checks.items()
        for carried in words.outcomes.values()
        for value in carried
    }
    hint = nearest(name, subject | values)
    return hint if hint.startswith("did you mean") else ""


def is_shell(argv: tuple[str, ...]) -> bool:
    """Whether an argv hands a string to a shell."""
    shells = {"sh", "bash", "dash", "zsh", "ksh", "ash", "fish"}
    programs = [index for index, word in enumerate(argv) if word.rsplit("/", 1)[-1] in shells]
    return any(
        word.startswith("-") and not word.startswith("--") and "c" in word
        for index in programs
        for word in argv[index + 1 : index + 3]
    )
