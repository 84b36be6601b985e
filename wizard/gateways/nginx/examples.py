"""Text that a pattern matches, for the simple patterns that locations and server names mostly are.

Owns the guess; whoever uses it tries the text on the pattern. May not know where the pattern stands.
"""

from __future__ import annotations

import re

from wizard.gateways.nginx.patterns import CannotTranslateError
from wizard.gateways.nginx.patterns import pattern as compiled

_MAX_DEPTH = 20
_CLASSES = {"d": "1", "w": "a", "s": " ", "D": "a", "W": "-", "S": "a", "h": " ", "N": "a"}
_ZERO_WIDTH = frozenset("AzZbBG")
_REPEAT = re.compile(r"(?:([*+?])|\{(\d+)(?:,\d*)?\})[?+]?")
_GROUP = re.compile(r"\?(?:P?<[A-Za-z_]\w*>|'\w+'|[a-z]*(?:-[a-z]+)?:|>)")
_LOOK = re.compile(r"\?<?[=!]")
_FLAGS = re.compile(r"\?[a-zA-Z]+\)")
_POSIX = re.compile(r"\[:\^?\w+:\]")
_PREFERRED = "ab1/.-_ "


class _CannotGuessError(ValueError):
    pass


def example(pattern: str) -> str | None:
    """Text that the pattern probably matches; None where no guess was made. Repeats are as short as makes sense."""
    try:
        text, at = _alternatives(pattern, 0, 0)
    except (_CannotGuessError, IndexError):
        return None
    return text if at == len(pattern) else None


def _alternatives(pattern: str, at: int, depth: int) -> tuple[str, int]:
    """The first alternative's text, and the position behind the last one."""
    if depth > _MAX_DEPTH:
        raise _CannotGuessError
    text, at = _sequence(pattern, at, depth)
    while at < len(pattern) and pattern[at] == "|":
        _, at = _sequence(pattern, at + 1, depth)
    return text, at


def _sequence(pattern: str, at: int, depth: int) -> tuple[str, int]:
    parts: list[str] = []
    while at < len(pattern) and pattern[at] not in "|)":
        part, at = _atom(pattern, at, depth)
        repeat = _REPEAT.match(pattern, at)
        if repeat is not None:
            at = repeat.end()
            # What may be left out is left out; what is repeated at will is shown once, so that captures are not empty.
            count = int(repeat[2]) if repeat[2] else 0 if repeat[1] == "?" else 1
            part *= min(count, 64)
        parts.append(part)
    return "".join(parts), at


def _atom(pattern: str, at: int, depth: int) -> tuple[str, int]:
    char = pattern[at]
    if char in "^$":
        return "", at + 1
    if char == ".":
        return "a", at + 1
    if char == "[":
        return _class(pattern, at + 1)
    if char == "(":
        return _group(pattern, at + 1, depth)
    if char == "\\":
        escaped = pattern[at + 1]
        if escaped in _ZERO_WIDTH:
            return "", at + 2
        if escaped in _CLASSES:
            return _CLASSES[escaped], at + 2
        if escaped.isalnum():
            raise _CannotGuessError
        return escaped, at + 2
    return char, at + 1


def _group(pattern: str, at: int, depth: int) -> tuple[str, int]:
    if flags := _FLAGS.match(pattern, at):
        return "", flags.end()
    if look := _LOOK.match(pattern, at):
        _, at = _alternatives(pattern, look.end(), depth + 1)
        return "", at + 1
    if group := _GROUP.match(pattern, at):
        at = group.end()
    elif pattern.startswith("?", at):
        raise _CannotGuessError
    text, at = _alternatives(pattern, at, depth + 1)
    if pattern[at] != ")":
        raise _CannotGuessError
    return text, at + 1


def _class(pattern: str, at: int) -> tuple[str, int]:
    begin = at - 1
    at += pattern.startswith("^", at)
    at += pattern.startswith("]", at)
    while pattern[at] != "]":
        if posix := _POSIX.match(pattern, at):
            at = posix.end()
        else:
            at += 2 if pattern[at] == "\\" else 1
    try:
        one = compiled(pattern[begin : at + 1]).compiled
    except CannotTranslateError:
        raise _CannotGuessError from None
    printable = _PREFERRED + "".join(map(chr, range(33, 127)))
    chosen = next((char for char in printable if one.fullmatch(char)), None)
    if chosen is None:
        raise _CannotGuessError
    return chosen, at + 1
