r"""PCRE patterns of a configuration as Python patterns that match the same bytes.

Owns the translation of syntax, and the judgement which patterns cannot be used: what Python cannot express, and what
could take unbounded time. May not know where a pattern is used. nginx compiles without UTF mode, so that a pattern
works on bytes: one character a byte, `\\w`, `\\d`, `\\s` and case folding in ASCII only.
"""

from __future__ import annotations

import re
from functools import lru_cache

import msgspec

from wizard.gateways.nginx.octets import octets

MAX_PATTERN = 4096
MAX_SUBJECT = 8192
MAX_STEPS = 10**9

# A repeated group that itself repeats something: the shape that can take exponential time. Groups of the form
# `/[^/]+` or `[^/]+/` cannot: where one round ends is never in doubt.
_NESTED_REPEAT = re.compile(r"(?<!\\)[*+}](?:[^()\\]|\\.)*\)(?:[*+]|\{\d*,)")
_CLEAR_ROUND = re.compile(r"\((?:\?:|\?P<\w+>)?(?:(\\?[/.,;_-])\[\^\1\][*+]|\[\^(\\?[/.,;_-])\][*+]\2)\)[*+?]")
_REPEAT = re.compile(r"(?<!\\)(?:[*+]|\{\d+,\})(?!\+)")

_POSIX = {
    "alpha": "a-zA-Z",
    "digit": "0-9",
    "alnum": "a-zA-Z0-9",
    "upper": "A-Z",
    "lower": "a-z",
    "space": r"\t-\r ",
    "blank": r"\t ",
    "punct": r"!-/:-@\[-`{-~",
    "xdigit": "0-9A-Fa-f",
    "word": r"\w",
    "cntrl": r"\x00-\x1f\x7f",
    "print": r"\x20-\x7e",
    "graph": r"\x21-\x7e",
    "ascii": r"\x00-\x7f",
}
_OUTSIDE = {
    "h": r"[\t \xa0]",
    "H": r"[^\t \xa0]",
    "v": r"[\n\x0b\f\r\x85]",
    "V": r"[^\n\x0b\f\r\x85]",
    "R": r"(?>\r\n|[\n\x0b\f\r\x85])",
    "N": r"[^\n]",
    "z": r"\Z",
    "Z": r"(?=\n?\Z)",
    "e": r"\x1b",
}
_INSIDE = {"h": r"\t \xa0", "v": r"\n\x0b\f\r\x85", "e": r"\x1b", "b": r"\x08"}
_QUANTIFIER = re.compile(r"\{(\d+)(,?)(\d*)\}")
_NAMED = re.compile(r"\(\?(?:P?<([A-Za-z_]\w*)>|'([A-Za-z_]\w*)')")
_FLAGS = re.compile(r"\(\?([imsx]*)(?:-([imsx]+))?([:)])")
_KNOWN_GROUP = re.compile(r"\(\?(?:[:=!>]|<[=!])")
_NAMED_BACK = re.compile(r"\\k(?:<(\w+)>|\{(\w+)\}|'(\w+)')|\\g\{([A-Za-z_]\w*)\}")
_NUMBERED_BACK = re.compile(r"\\g(?:\{(\d+)\}|(\d+))")
_HEX = re.compile(r"\\x(?:\{([0-9A-Fa-f]{1,2})\}|([0-9A-Fa-f]{0,2}))")
_CONTROL = re.compile(r"\\c([@-_a-z])")


class CannotTranslateError(ValueError):
    """A pattern that this program cannot match; the message says why."""


class Pattern(msgspec.Struct, frozen=True):
    """A compiled pattern: its source as configured, and the names of its groups, which are variables (lower case)."""

    source: str
    compiled: re.Pattern[str]
    names: tuple[tuple[str, int], ...]
    repeats: int  # how many parts repeat at will; more than any subject bears where repeats are nested

    def takes_too_long(self, subject: str) -> bool:
        """Whether a subject could keep the matcher busy for longer than anyone waits."""
        return len(subject) > MAX_SUBJECT or len(subject) ** self.repeats > MAX_STEPS

    def match(self, subject: str) -> re.Match[str] | None:
        """The first match in a subject of one character a byte."""
        return self.compiled.search(subject)


@lru_cache(maxsize=4096)
def pattern(source: str, *, caseless: bool = False) -> Pattern:
    """Compile a pattern as it stands in the configuration.

    Raises:
        CannotTranslateError: it is no valid pattern, or one that Python cannot match as PCRE does.
    """
    if len(source) > MAX_PATTERN:
        raise CannotTranslateError("the pattern is too long")
    text = _Translator(octets(source)).translate()
    try:
        compiled = re.compile(text, re.ASCII | (re.IGNORECASE if caseless else 0))
    except (re.error, OverflowError, RecursionError) as problem:
        raise CannotTranslateError(str(problem)) from None
    plain = _CLEAR_ROUND.sub("", text)
    repeats = 20 if _NESTED_REPEAT.search(plain) else len(_REPEAT.findall(plain))
    names = tuple((name.lower(), number) for name, number in compiled.groupindex.items())
    return Pattern(source, compiled, names, repeats)


class _Translator:
    """Walks a pattern once, from left to right, and writes what Python reads the same way."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._at = 0
        self._out: list[str] = []
        # For each open group: the flag groups (?i: that a bare (?i) opened in it, repeated after each |.
        self._open: list[list[str]] = [[]]

    def translate(self) -> str:
        source = self._source
        while self._at < len(source):
            char = source[self._at]
            if char == "\\":
                self._escape()
            elif char == "[":
                self._class()
            elif char == "(":
                self._group()
            elif char == ")":
                if len(self._open) < 2:
                    raise CannotTranslateError("unmatched parentheses")
                self._out.append(")" * len(self._open.pop()) + ")")
                self._at += 1
            elif char == "|":
                flags = self._open[-1]
                self._out.append(")" * len(flags) + "|" + "".join(flags))
                self._at += 1
            elif char == "{" and not _QUANTIFIER.match(source, self._at):
                self._out.append(r"\{")
                self._at += 1
            else:
                self._out.append(char)
                self._at += 1
        if len(self._open) != 1:
            raise CannotTranslateError("missing closing parenthesis")
        return "".join(self._out) + ")" * len(self._open[0])

    def _take(self, found: re.Match[str], text: str) -> None:
        self._out.append(text)
        self._at = found.end()

    def _escape(self) -> None:
        source, at = self._source, self._at
        if at + 1 >= len(source):
            raise CannotTranslateError("\\ at end of pattern")
        char = source[at + 1]
        if char == "Q":
            end = source.find("\\E", at + 2)
            literal = source[at + 2 : end if end >= 0 else len(source)]
            self._out.append(re.escape(literal))
            self._at = end + 2 if end >= 0 else len(source)
        elif char == "E":
            self._at += 2
        elif found := _NAMED_BACK.match(source, at):
            self._take(found, f"(?P={found[1] or found[2] or found[3] or found[4]})")
        elif found := _NUMBERED_BACK.match(source, at):
            self._take(found, f"(?:\\{found[1] or found[2]})")
        elif found := _HEX.match(source, at):
            self._take(found, f"\\x{(found[1] or found[2] or '0'):0>2}")
        elif found := _CONTROL.match(source, at):
            self._take(found, re.escape(chr(ord(found[1].upper()) ^ 0x40)))
        elif char in _OUTSIDE:
            self._out.append(_OUTSIDE[char])
            self._at += 2
        elif char in "GKXCpPoLlUugk":
            raise CannotTranslateError(f"\\{char} is not supported")
        else:
            self._out.append(source[at : at + 2])
            self._at += 2

    def _class(self) -> None:
        source = self._source
        self._at += 1
        self._out.append("[")
        if source.startswith("^", self._at):
            self._out.append("^")
            self._at += 1
        first = True
        while self._at < len(source):
            char = source[self._at]
            if char == "]" and not first:
                self._out.append("]")
                self._at += 1
                return
            first = False
            if char == "[" and (found := re.compile(r"\[:(\^?)(\w+):\]").match(source, self._at)):
                if found[1] or found[2] not in _POSIX:
                    raise CannotTranslateError(f"{found[0]} is not supported")
                self._take(found, _POSIX[found[2]])
            elif char == "\\":
                self._class_escape()
            else:
                # Python reads some doubled signs inside a class as set operations; an escaped sign is only itself.
                self._out.append("\\" + char if char in "[]&~|" else char)
                self._at += 1
        raise CannotTranslateError("missing terminating ]")

    def _class_escape(self) -> None:
        source, at = self._source, self._at
        if at + 1 >= len(source):
            raise CannotTranslateError("missing terminating ]")
        char = source[at + 1]
        if found := _HEX.match(source, at):
            self._take(found, f"\\x{(found[1] or found[2] or '0'):0>2}")
        elif found := _CONTROL.match(source, at):
            self._take(found, re.escape(chr(ord(found[1].upper()) ^ 0x40)))
        elif char in _INSIDE:
            self._out.append(_INSIDE[char])
            self._at += 2
        elif char in "HVNRXpPQEo":
            raise CannotTranslateError(f"\\{char} in a class is not supported")
        else:
            self._out.append(source[at : at + 2])
            self._at += 2

    def _group(self) -> None:
        source, at = self._source, self._at
        if source.startswith("(*", at):
            raise CannotTranslateError("verbs such as (*UTF8) are not supported")
        if found := _NAMED.match(source, at):
            self._take(found, f"(?P<{found[1] or found[2]}>")
            self._open.append([])
        elif (found := _FLAGS.match(source, at)) and (found[1] or found[2] or found[3] == ")"):
            self._flags(found)
        elif source.startswith("(?#", at):
            end = source.find(")", at)
            if end < 0:
                raise CannotTranslateError("missing ) after (?# comment")
            self._at = end + 1
        elif source.startswith("(?", at):
            if not _KNOWN_GROUP.match(source, at):
                raise CannotTranslateError(f"{source[at : at + 4]} is not supported")
            width = 4 if source.startswith("(?<", at) else 3
            self._out.append(source[at : at + width])
            self._at += width
            self._open.append([])
        else:
            self._out.append("(")
            self._at += 1
            self._open.append([])

    def _flags(self, found: re.Match[str]) -> None:
        text = found[1] + (f"-{found[2]}" if found[2] else "")
        if found[3] == ":":
            self._take(found, f"(?{text}:")
            self._open.append([])
        elif text:
            self._take(found, f"(?{text}:")
            self._open[-1].append(f"(?{text}:")
        else:
            self._at = found.end()
