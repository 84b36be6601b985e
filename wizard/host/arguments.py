"""Command lines taken apart: options with their values, and the words that are none.

Owns the reading of an argv against the options that a command may have. May not know any command. An option that is not
listed letter by letter is refused: getopt_long(3) would take `--vacuum-t=1s` for `--vacuum-time=1s`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType

_NOTHING: Mapping[str, re.Pattern[str]] = MappingProxyType({})


class NotAllowed(Exception):  # noqa: N818 - the reason for a refusal, no error
    """A word of an argv that no permitted shape has; its text completes `is not run with ...`."""


def positional(
    words: Sequence[str], flags: frozenset[str], values: Mapping[str, re.Pattern[str]] = _NOTHING
) -> list[str]:
    """The words of a command line that are no options.

    Args:
        words: the command line behind the program.
        flags: the options without a value, each as it is spelled.
        values: the options with a value, and what it must look like. It may be a word of its own, stand behind `=`
            (long options), or follow the letter.

    Raises:
        NotAllowed: an option is none of those, or its value does not fit.
    """
    rest: list[str] = []
    waiting = iter(words)
    for word in waiting:
        if word == "--":
            rest.extend(waiting)
        elif word in flags:
            continue
        elif word in values:
            value = next(waiting, None)
            if value is None or not values[word].fullmatch(value):
                raise NotAllowed(f"{word} {value or ''}".rstrip())
        elif word.startswith("-") and word != "-":
            option, value = _split(word)
            if value is None or option not in values or not values[option].fullmatch(value):
                raise NotAllowed(word)
        else:
            rest.append(word)
    return rest


def _split(word: str) -> tuple[str, str | None]:
    """`--since=now` and `-n200` as option and value; None where there is no value."""
    if not word.startswith("--"):
        return word[:2], word[2:]
    option, equals, value = word.partition("=")
    return option, value if equals else None


def all_match(words: Sequence[str], pattern: re.Pattern[str]) -> None:
    """Raise NotAllowed where one of the words does not fit as a whole."""
    for word in words:
        if not pattern.fullmatch(word):
            raise NotAllowed(repr(word))
