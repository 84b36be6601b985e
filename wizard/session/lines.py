"""One record as one line of JSON, and back.

Owns what JSON has no words for. Paths, arguments and headers may hold bytes that are no UTF-8; Python keeps those as
lone surrogates (PEP 383), which no JSON text can hold. They are written as U+F8FE and four hexadecimal digits, and so
is U+F8FE itself. May not know files.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeVar

import msgspec

T = TypeVar("T")

_ESCAPE = "\uf8fe"
_IN_BYTES = _ESCAPE.encode()
_NOT_WRITABLE = re.compile(f"[{_ESCAPE}\ud800-\udfff]")
_WRITTEN = re.compile(f"{_ESCAPE}([0-9a-f]{{4}})")


def line_of(value: object) -> bytes:
    """A value as one line of JSON, without a line break."""
    try:
        line = msgspec.json.encode(value)
    except UnicodeEncodeError:
        line = b""
    if line and _IN_BYTES not in line:
        return line
    return msgspec.json.encode(_mapped(msgspec.to_builtins(value), _escaped))


def value_of(line: bytes, kind: type[T]) -> T:
    """A line read as a value of a type.

    Raises:
        msgspec.MsgspecError: the line is no JSON, or no such value.
        RecursionError: it is nested too deeply.
    """
    if _IN_BYTES not in line and b"\\uf8fe" not in line.lower():
        return msgspec.json.decode(line, type=kind)
    return msgspec.convert(_mapped(msgspec.json.decode(line), _unescaped), type=kind)


def _escaped(text: str) -> str:
    return _NOT_WRITABLE.sub(lambda match: f"{_ESCAPE}{ord(match[0]):04x}", text)


def _unescaped(text: str) -> str:
    return _WRITTEN.sub(lambda match: chr(int(match[1], 16)), text)


def _mapped(value: object, change: Callable[[str], str]) -> object:
    if isinstance(value, str):
        return change(value)
    if isinstance(value, dict):
        return {_mapped(key, change): _mapped(one, change) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_mapped(one, change) for one in value]
    return value
