"""Typed access to nodes: each read gives a value, or notes a problem with its exact place.

Owns what a name, a sentence, a switch and a list of words look like in a data file. May not know which keys flows or
causes have. All problems of a file are collected; a value that was wrong comes back as a neutral one.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from enum import StrEnum
from typing import TypeVar

from wizard.flow.language import At, Problem
from wizard.flow.nodes import Fields, Items, Node, Text

NAME = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_NUMBER = re.compile(r"-?[0-9]{1,6}")
_KINDS = {Text: "a text", Items: "a list", Fields: "a map"}

E = TypeVar("E", bound=StrEnum)


def nearest(word: str, valid: Iterable[str]) -> str:
    """A hint that names the valid word most like this one, or all of them where there are few."""
    names = sorted(valid)
    close = difflib.get_close_matches(word[:80], names, n=1, cutoff=0.6)
    if close:
        return f"did you mean {close[0]}?"
    return f"one of: {', '.join(names)}" if 0 < len(names) <= 12 else ""


class Reader:
    """Reads nodes and collects what is wrong with them."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def note(self, at: At, what: str, hint: str = "") -> None:
        """Add a problem."""
        self.problems.append(Problem(at, what, hint))

    def fields(
        self, node: Node | None, what: str, allowed: Iterable[str], required: Iterable[str] = ()
    ) -> Fields | None:
        """A map with known keys. Unknown and missing keys are noted; None where the node is no map."""
        fields = self.map(node, what)
        if fields is None:
            return None
        known = set(allowed)
        for key, _ in fields.entries:
            if key.text not in known:
                self.note(key.at, f"{what} has no {key.text!r}", nearest(key.text, known))
        present = {key.text for key, _ in fields.entries}
        for key_name in required:
            if key_name not in present:
                self.note(fields.at, f"{what} lacks {key_name!r}")
        return fields

    def map(self, node: Node | None, what: str) -> Fields | None:
        """A map with any keys."""
        if node is None or isinstance(node, Fields):
            return node
        self._wrong(node, f"{what} is a map")
        return None

    def items(self, node: Node | None, what: str) -> tuple[Node, ...]:
        """A list."""
        if node is None:
            return ()
        if isinstance(node, Items):
            if not node.items:
                self.note(node.at, f"{what} is an empty list")
            return node.items
        self._wrong(node, f"{what} is a list")
        return ()

    def text(self, node: Node | None, what: str) -> str:
        """A text that is not empty, without the newline that a block ends with."""
        if node is None:
            return ""
        if not isinstance(node, Text):
            self._wrong(node, f"{what} is a text")
            return ""
        text = node.text.strip()
        if not text:
            self.note(node.at, f"{what} is empty")
        return text

    def line(self, node: Node | None, what: str) -> str:
        """A text on one line; folded lines count as one."""
        return " ".join(self.text(node, what).split())

    def name(self, node: Node | None, what: str) -> str:
        """A name in kebab-case."""
        text = self.text(node, what)
        if text and node is not None and not NAME.fullmatch(text):
            self.note(node.at, f"{what} is written in lower case with dashes, not {_short(text)!r}")
        return text

    def names(self, node: Node | None, what: str) -> tuple[str, ...]:
        """One name or a list of different names."""
        if node is None:
            return ()
        nodes = node.items if isinstance(node, Items) else (node,)
        if not nodes:
            self.note(node.at, f"{what} is an empty list")
        found: dict[str, None] = {}
        for each in nodes:
            name = self.name(each, what)
            if name in found:
                self.note(each.at, f"{what} names {name!r} twice")
            found[name] = None
        return tuple(found)

    def words(self, node: Node | None, what: str) -> tuple[str, ...]:
        """The words of an argv: a list of texts, each kept as written."""
        if isinstance(node, Text):
            self.note(node.at, f"{what} is a list of words, never one line for a shell")
            return ()
        words = []
        for each in self.items(node, what):
            if isinstance(each, Text):
                words.append(each.text)
            else:
                self._wrong(each, f"a word of {what} is a text")
        return tuple(words)

    def switch(self, node: Node | None, what: str) -> bool:
        """`true` or `false`; false where it is not given."""
        if node is None:
            return False
        text = self.text(node, what)
        if text not in ("true", "false"):
            self.note(node.at, f"{what} is true or false, not {_short(text)!r}")
        return text == "true"

    def number(self, node: Node | None, what: str) -> int:
        """A whole number; 0 where it is not given."""
        if node is None:
            return 0
        text = self.text(node, what)
        if not _NUMBER.fullmatch(text):
            self.note(node.at, f"{what} is a whole number, not {_short(text)!r}")
            return 0
        return int(text)

    def choice(self, node: Node | None, what: str, words: type[E], default: E) -> E:
        """One word of an enumeration."""
        if node is None:
            return default
        text = self.text(node, what)
        try:
            return words(text)
        except ValueError:
            self.note(node.at, f"{_short(text)!r} is no {what}", nearest(text, [str(word) for word in words]))
            return default

    def _wrong(self, node: Node, expected: str) -> None:
        self.note(node.at, f"{expected}, and this is {_KINDS[type(node)]}")


def _short(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:57]}..."
