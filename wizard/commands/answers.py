"""The answers that were given before anybody asks: `--answer` and `--answers`.

Owns reading them, and that each one fits a question of the trees: a misspelt one would silently count as "don't know".
"""

from __future__ import annotations

import argparse
import difflib
from collections.abc import Mapping
from pathlib import Path

from wizard.commands.errors import InputError, UsageError
from wizard.flow.language import DONT_KNOW, Step
from wizard.flow.library import Library

_LARGEST = 1 << 20
_FORM = "write FLOW/STEP=VALUE or FLOW/STEP@SUBJECT=VALUE"


def answers_of(given: argparse.Namespace, library: Library) -> Mapping[str, str]:
    """The answers by FLOW/STEP or FLOW/STEP@SUBJECT; those of the command line win over those of the file.

    Raises:
        UsageError: an answer of the command line fits no question.
        InputError: the file cannot be read, or one of its lines is no answer to a question.
    """
    answers: dict[str, str] = {}
    for number, node, value in _lines(given.answers) if given.answers else ():
        problem = _problem(node, value, library)
        if problem is not None:
            raise InputError(problem[0], f"{given.answers}:{number}", problem[1])
        answers[node] = value
    for node, value in given.answer:
        problem = _problem(node, value, library)
        if problem is not None:
            raise UsageError(*problem)
        answers[node] = value
    return answers


def _lines(name: str) -> list[tuple[int, str, str]]:
    try:
        with Path(name).open(encoding="utf-8") as stream:
            text = stream.read(_LARGEST)
    except OSError as error:
        raise InputError(f"the answers could not be read: {error.strerror}", name, "check the name") from error
    except UnicodeDecodeError as error:
        raise InputError("the answers are no UTF-8 text", name, _FORM) from error
    found: list[tuple[int, str, str]] = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        node, equals, value = line.rpartition("=")  # a subject may be a URL with an = in it, a value is one word
        if not equals:
            raise InputError("a line that is no answer", f"{name}:{number}", _FORM)
        found.append((number, node.strip(), value.strip()))
    return found


def _problem(node: str, value: str, library: Library) -> tuple[str, str] | None:
    """What is wrong with an answer, and what would fit; None where it fits."""
    questions = _questions(library)
    name = node.partition("@")[0]
    step = questions.get(name)
    if step is None:
        close = difflib.get_close_matches(name, questions, n=2)
        hint = f"did you mean {' or '.join(close)}?" if close else f"questions: {', '.join(questions) or 'none'}"
        return f"no question is called {name!r}", hint
    values = [*dict(step.choices), DONT_KNOW]
    if value not in values:
        return f"{value!r} is no answer to {name}", f"it takes {', '.join(dict.fromkeys(values))}"
    return None


def _questions(library: Library) -> dict[str, Step]:
    return {
        f"{flow.name}/{step.name}": step
        for flow in library.flows.values()
        for step in flow.steps
        if step.ask is not None
    }
