"""Replaces secrets in questions, answers and any other recorded value.

Owns which field is a header, an argument list, a file or a log. May not know how a secret looks. Works on every frozen
struct by its fields, so that an answer added later is covered too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from enum import Enum
from typing import TypeVar, cast

import msgspec

from wizard.host.questions import FileRead, LogTail
from wizard.host.secrets import Redactor, marks_in

T = TypeVar("T")

_PAIRS = {"headers", "params"}
_COMMANDS = {"argv"}
_NUMBERS = frozenset({int, float, bool})


def redacted(value: T, redactor: Redactor) -> T:
    """A value of the same type and shape, with the secrets in all its text and bytes replaced."""
    return cast("T", _walk(value, redactor))


def redacted_again(value: T, redactor: Redactor) -> T:
    """A value that was redacted before, with the secrets replaced that became known since."""
    return cast("T", _mapped(value, redactor.text_again, redactor.again)) if redactor.known else value


def highest_mark(value: object) -> int:
    """The highest number among the marks in a recorded value; 0 without any."""
    return max((marks_in(one) for one in texts(value)), default=0)


def texts(value: object) -> Iterator[str | bytes]:
    """All text and bytes in a recorded value, in no order."""
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, (str, bytes)):
            yield one
        elif isinstance(one, msgspec.Struct):
            waiting += msgspec.structs.astuple(one)
        elif isinstance(one, (tuple, list)):
            waiting += one
        elif isinstance(one, dict):
            waiting += [*one, *one.values()]


def _walk(value: object, redactor: Redactor) -> object:
    if type(value) is str:  # by far the most, then numbers: what costs a search for its kind comes last
        return redactor.text(value)
    if value is None or type(value) in _NUMBERS:
        return value
    if isinstance(value, FileRead):
        behind = redactor.file(value.real, value.content) if value.real != value.path else value.content
        content = redactor.file(value.path, behind)
        return _changed(value, lambda name, field: content if name == "content" else _field(name, field, redactor))
    if isinstance(value, LogTail):
        content = redactor.data(value.content, learn=False)
        return _changed(value, lambda name, field: content if name == "content" else _field(name, field, redactor))
    if isinstance(value, msgspec.Struct):
        return _changed(value, lambda name, field: _field(name, field, redactor))
    if isinstance(value, tuple):
        return _sequence(value, (_walk(one, redactor) for one in value))
    if isinstance(value, dict):
        return {_walk(key, redactor): _walk(one, redactor) for key, one in value.items()}
    return _leaf(value, redactor.text, redactor.data)


def _field(name: str, value: object, redactor: Redactor) -> object:
    if name in _PAIRS and isinstance(value, tuple):
        return _sequence(value, redactor.pairs(value))
    if name in _COMMANDS and isinstance(value, tuple):
        return _sequence(value, redactor.argv(value))
    return _walk(value, redactor)


def _mapped(value: object, text: Callable[[str], str], data: Callable[[bytes], bytes]) -> object:
    if isinstance(value, msgspec.Struct):
        return _changed(value, lambda _, field: _mapped(field, text, data))
    if isinstance(value, tuple):
        return _sequence(value, (_mapped(one, text, data) for one in value))
    if isinstance(value, dict):
        return {_mapped(key, text, data): _mapped(one, text, data) for key, one in value.items()}
    return _leaf(value, text, data)


def _leaf(value: object, text: Callable[[str], str], data: Callable[[bytes], bytes]) -> object:
    if isinstance(value, str):
        return value if isinstance(value, Enum) else text(value)
    return data(value) if isinstance(value, bytes) else value


def _changed(value: msgspec.Struct, change: Callable[[str, object], object]) -> msgspec.Struct:
    """A struct with its fields changed; itself where none was, which saves most of the memory."""
    different: dict[str, object] = {}
    for name in value.__struct_fields__:
        old = getattr(value, name)
        new = change(name, old)
        if new is not old:
            different[name] = new
    return msgspec.structs.replace(value, **different) if different else value


def _sequence(old: tuple[object, ...], new: Iterable[object]) -> tuple[object, ...]:
    done = tuple(new)
    return old if len(done) == len(old) and all(a is b for a, b in zip(old, done, strict=True)) else done
