"""The fields of a line that is structured: one JSON object (also one that is cut off), or `key=value` pairs.

Owns the decoding, whole or as far as a cut line goes. May not know what any field means.
"""

from __future__ import annotations

import re
from functools import lru_cache

import msgspec

from wizard.logs.patterns import Pattern

_PAIR = Pattern(r'"([\w.@-]{1,64})"\s{0,4}:\s{0,4}(?:"((?:[^"\\]|\\.)*+)("?)|(-?\d+(?:\.\d+)?)(?=[,}\]\s]))')
_LOGFMT = Pattern(r'(?:^|\s)([A-Za-z_][\w.-]{0,40})=(?:"((?:[^"\\]|\\.)*+)("?)|([^\s"]*))')
_OBJECT = Pattern(r"\{\s{0,20}(?:[\"}]|$)")
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", '"': '"', "\\": "\\", "/": "/", "b": "\b", "f": "\f"}
_ESCAPED = Pattern(r"\\(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|(.))", re.DOTALL)

_MESSAGES = frozenset(
    {
        "msg",
        "message",
        "log",
        "MESSAGE",
        "error",
        "err",
        "textPayload",
        "line",
        "@message",
        "body",
        "event",
        "raw",
        "text",
    }
)

Fields = dict[str, object]


def unescaped(text: str) -> str:
    r"""A text as it was before a JSON (or Go) encoder escaped it; an unknown escape is kept."""
    return _ESCAPED.sub(_one, text) if "\\" in text else text


def _one(found: re.Match[str]) -> str:
    code = found[1] or found[2]
    if code:
        return chr(int(code, 16))
    return _ESCAPES.get(found[3], found[0])


@lru_cache(maxsize=16)
def json_fields(text: str) -> Fields | None:
    """The fields of a line that is one JSON object, or that begins as one and is cut off; None where it is neither.

    Of a cut object the complete strings and numbers are returned, those of inner objects on the same level, and the
    last string as far as it goes.
    """
    if not text.startswith("{") or _OBJECT.match(text) is None:
        return None
    try:
        whole: object = msgspec.json.decode(text.encode("utf-8", "surrogatepass"))
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return partial_fields(text)
    return whole if isinstance(whole, dict) else None


def partial_fields(text: str) -> Fields | None:
    """The complete pairs in a piece of JSON; the first of each name counts.

    Only a message may be cut off at the end of the text: a piece of an address or a path is another one.
    """
    fields: Fields = {}
    for found in _PAIR.finditer(text):
        name, string, closed, number = found.groups()
        if number is not None:
            fields.setdefault(name, float(number) if "." in number else int(number[:18]))
        elif closed or (found.end() == len(text) and name in _MESSAGES):
            fields.setdefault(name, unescaped(string or ""))
    return fields or None


def logfmt_fields(text: str) -> dict[str, str]:
    """The `key=value` pairs of a line; the first of each name counts, the last may be cut off."""
    fields: dict[str, str] = {}
    for found in _LOGFMT.finditer(text):
        name, quoted, _, bare = found.groups()
        fields.setdefault(name, unescaped(quoted) if quoted is not None else bare)
    return fields


def text_of(fields: Fields, *names: str) -> str:
    """The first of the named fields that is a text and not empty."""
    for name in names:
        value = fields.get(name)
        if isinstance(value, str) and value:
            return value
    return ""


def number_of(fields: Fields, *names: str) -> int | None:
    """The first of the named fields that is a whole number."""
    for name in names:
        value = fields.get(name)
        if isinstance(value, int) and not isinstance(value, bool):
            return value
        if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 16:
            return int(value)
    return None


def inner(fields: Fields, name: str) -> Fields:
    """An object inside an object; the object itself where it was cut off before it was closed."""
    value = fields.get(name)
    return value if isinstance(value, dict) else fields
