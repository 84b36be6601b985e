"""Hypothesis strategies for everything that is recorded, made from the types themselves."""

from __future__ import annotations

import types
import typing
from collections.abc import Mapping
from enum import Enum
from typing import Any

import msgspec
from hypothesis import strategies as st

from wizard.host.questions import AnyAnswer, AnyQuestion
from wizard.session.events import Event

# Text as it comes from a host: any character, undecodable bytes as lone surrogates, and the file's own escape.
TEXT = st.text(st.characters(codec=None, categories=None), max_size=12) | st.sampled_from(
    ["", "\udcff", "\uf8fe", "\uf8fed800", "\ud800", "a\x00b", "é漢"]
)
_FLOATS = st.floats(allow_nan=False, allow_infinity=False)
_INTEGERS = st.integers(-(2**63), 2**63 - 1)
PLAIN: dict[object, st.SearchStrategy[Any]] = {
    str: TEXT,
    int: _INTEGERS,
    float: _FLOATS,
    bool: st.booleans(),
    bytes: st.binary(max_size=12),
    type(None): st.none(),
}


def built(kind: Any, plain: Mapping[object, st.SearchStrategy[Any]] = PLAIN) -> st.SearchStrategy[Any]:  # noqa: ANN401 - a type as get_type_hints gives it
    """Values of a type: a struct, a union, a tuple, a dictionary, an enumeration or a plain one."""
    origin = typing.get_origin(kind)
    if kind in plain:
        return plain[kind]
    if origin in {typing.Union, types.UnionType}:
        return st.one_of([built(one, plain) for one in typing.get_args(kind)])
    if origin is tuple:
        inner = typing.get_args(kind)
        if inner[-1] is Ellipsis:
            return st.lists(built(inner[0], plain), max_size=2).map(tuple)
        return st.tuples(*(built(one, plain) for one in inner))
    if origin is dict:
        key, value = typing.get_args(kind)
        return st.dictionaries(built(key, plain), built(value, plain), max_size=2)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return st.sampled_from(list(kind))
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        hints = typing.get_type_hints(kind)
        return st.builds(kind, **{name: built(hints[name], plain) for name in kind.__struct_fields__})
    raise TypeError(f"no strategy for {kind!r}")


QUESTION_TYPES: tuple[type[Any], ...] = typing.get_args(AnyQuestion)
ANSWER_TYPES: tuple[type[Any], ...] = typing.get_args(AnyAnswer)
EVENT_TYPES: tuple[type[Any], ...] = typing.get_args(Event)
QUESTIONS = built(AnyQuestion)
ANSWERS = built(AnyAnswer)
EVENTS = built(Event)
