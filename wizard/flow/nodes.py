"""YAML as nodes with positions: mappings, sequences and texts, nothing else.

Owns the subset of YAML that data files may use. May not know flows or causes. Every scalar stays the text that was
written, so that `no`, `22:22` and `502` mean what the author sees. Anchors, aliases, tags, merge keys, duplicate keys
and control characters are refused: a file means exactly what its lines say, and its size is the size of its meaning.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from typing import Protocol

import msgspec
import yaml

from wizard.flow.language import At, Path, Place, Problem

MAX_CHARACTERS = 1 << 20
MAX_DEPTH = 20

# libyaml reads about ten times as fast; the pure reader accepts the same files.
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Mark(Protocol):
    line: int
    column: int


class Text(msgspec.Struct, frozen=True):
    """A scalar as written. `quoted` tells an empty text from nothing at all."""

    at: At
    text: str
    quoted: bool = False


class Items(msgspec.Struct, frozen=True):
    """A sequence."""

    at: At
    items: tuple[Node, ...]


class Fields(msgspec.Struct, frozen=True):
    """A mapping from text keys, in the order of the file."""

    at: At
    entries: tuple[tuple[Text, Node], ...]

    def get(self, key: str) -> Node | None:
        """The value of a key; None where it is not there."""
        return next((value for name, value in self.entries if name.text == key), None)


Node = Text | Items | Fields


class Refused(Exception):  # noqa: N818 - it carries a problem of the file, not an error of the program
    """The file is not in the subset."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(str(problem))
        self.problem = problem


def read(file: str, text: str) -> Node:
    """The one document of a file.

    Raises:
        Refused: the text is no YAML, or uses what data files may not use.
    """
    if len(text) > MAX_CHARACTERS:
        raise Refused(Problem(At(file, 1, 1), f"the file is longer than {MAX_CHARACTERS} characters"))
    if not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text):
        raise Refused(Problem(_first_unreadable(file, text), "a character that YAML does not allow"))
    try:
        return _Builder(file).build(yaml.parse(text, Loader=_Loader))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        what = " ".join(filter(None, (error.context, error.problem)))
        raise Refused(Problem(_at(file, mark), f"no valid YAML: {what}")) from None
    except yaml.YAMLError:
        raise Refused(Problem(_first_unreadable(file, text), "a character that YAML does not allow")) from None


def places(node: Node) -> Iterator[tuple[Path, Place]]:
    """Where everything below a node stands, by its path of keys and indexes (from "0")."""
    waiting: list[tuple[Path, Node]] = [((), node)]
    while waiting:
        path, each = waiting.pop()
        if isinstance(each, Fields):
            for key, value in each.entries:
                yield (*path, key.text), Place(key.at, value.at)
                waiting.append(((*path, key.text), value))
        elif isinstance(each, Items):
            for index, value in enumerate(each.items):
                yield (*path, str(index)), Place(value.at, value.at)
                waiting.append(((*path, str(index)), value))


def _at(file: str, mark: _Mark | None) -> At:
    return At(file, 1, 1) if mark is None else At(file, mark.line + 1, mark.column + 1)


def _first_unreadable(file: str, text: str) -> At:
    for number, line in enumerate(text.split("\n"), 1):
        for column, character in enumerate(line, 1):
            if _is_control(character):
                return At(file, number, column)
    return At(file, 1, 1)


def _is_control(character: str) -> bool:
    """Whether a terminal might act on a character, or an eye miss it."""
    return character not in "\n\t" and unicodedata.category(character) in {"Cc", "Cf", "Cs", "Zl", "Zp"}


class _Open(msgspec.Struct):
    """A collection whose end has not been read yet. `key` is the key that waits for its value."""

    at: At
    mapping: bool
    items: list[Node]
    entries: dict[str, tuple[Text, Node]]
    key: Text | None = None


class _Builder:
    """Makes nodes of parser events, so that nesting is bounded before it costs a stack."""

    def __init__(self, file: str) -> None:
        self._file = file
        self._open: list[_Open] = []
        self._root: Node | None = None

    def build(self, events: Iterator[yaml.Event]) -> Node:
        documents = 0
        for event in events:
            at = _at(self._file, event.start_mark)
            match event:
                case yaml.DocumentStartEvent():
                    documents += 1
                    if documents > 1:
                        raise Refused(Problem(at, "a second document: a file holds one"))
                case yaml.AliasEvent():
                    raise Refused(Problem(at, "an alias: write the value out"))
                case yaml.ScalarEvent():
                    self._plain(event, at)
                    self._add(Text(at, self._checked(event.value, at), quoted=bool(event.style)))
                case yaml.MappingStartEvent() | yaml.SequenceStartEvent():
                    self._plain(event, at)
                    if len(self._open) >= MAX_DEPTH:
                        raise Refused(Problem(at, f"nested deeper than {MAX_DEPTH} levels"))
                    self._open.append(_Open(at, isinstance(event, yaml.MappingStartEvent), [], {}))
                case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
                    done = self._open.pop()
                    node = Fields(done.at, tuple(done.entries.values())) if done.mapping else None
                    self._add(node or Items(done.at, tuple(done.items)))
        if self._root is None:
            raise Refused(Problem(At(self._file, 1, 1), "the file is empty"))
        return self._root

    def _plain(self, event: yaml.ScalarEvent | yaml.CollectionStartEvent, at: At) -> None:
        if event.anchor is not None:
            raise Refused(Problem(at, "an anchor: write each value out where it is used"))
        if event.tag is not None:
            raise Refused(Problem(at, "a tag: every value is read as the text that stands there"))

    def _checked(self, text: str, at: At) -> str:
        if not text.isprintable() and any(_is_control(character) for character in text):
            raise Refused(Problem(at, "a control character or an invisible one in a text"))
        return text

    def _add(self, node: Node) -> None:
        if not self._open:
            self._root = node
            return
        parent = self._open[-1]
        if not parent.mapping:
            parent.items.append(node)
        elif parent.key is not None:
            parent.entries[parent.key.text] = (parent.key, node)
            parent.key = None
        else:
            parent.key = self._as_key(parent, node)

    def _as_key(self, parent: _Open, node: Node) -> Text:
        if not isinstance(node, Text):
            raise Refused(Problem(node.at, "a key is a single word, not a list or a map"))
        if node.text == "<<" and not node.quoted:
            raise Refused(Problem(node.at, "a merge key: write the entries out"))
        earlier = parent.entries.get(node.text)
        if earlier is not None:
            first = earlier[0].at
            raise Refused(Problem(node.at, f"the key {node.text!r} stands here twice", f"first on line {first.line}"))
        return node
