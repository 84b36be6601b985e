"""Hostile input costs bounded work and never raises."""

from __future__ import annotations

import importlib
import pkgutil
import re
import re._constants as opcodes  # type: ignore[import-not-found,unused-ignore]
import re._parser as parser  # type: ignore[import-not-found,unused-ignore]
import sys
from collections.abc import Callable, Iterator
from functools import partial
from types import FrameType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import wizard.logs
from wizard.logs.joining import MAX_LINE
from wizard.logs.patterns import Pattern
from wizard.logs.recognise import explain_line, explain_text
from wizard.logs.shapes import told_lines
from wizard.logs.signatures import Signature

UNITS = [
    "[",
    '"',
    '\\"',
    "{",
    '{"a":',
    "/",
    "0/",
    "1.",
    "> ",
    "- ",
    "\x1b[31m",
    "a=",
    "read tcp a->b: ",
    "(111)",
    "\x00",
]
HEADS = [
    "",
    "2026/11/22 09:28:09 [error] 1#1: *3 ",
    "[Sun Nov 22 09:30:09.071784 2026] [proxy:error] [pid 1:tid 1] ",
    '{"logger":"http.log.error","msg":"',
    "192.0.2.7:60428 [22/Nov/2026:09:28:54.523] f ",
]


@pytest.mark.parametrize("head", HEADS)
def test_a_megabyte_is_cut(head: str) -> None:
    event = explain_line(head + "x" * (1 << 20))
    assert event is None or len(event.line) <= MAX_LINE


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=400))
def test_bytes_never_raise(data: bytes) -> None:
    assert [number for number, _ in explain_text(data)] == list(
        range(1, len(data.split(b"\n")) + (not data.endswith(b"\n")))
    )[: data.count(b"\n") + (0 if data.endswith(b"\n") or not data else 1)]


@settings(max_examples=200, deadline=None)
@given(head=st.sampled_from(HEADS), text=st.text(max_size=300))
def test_text_never_raises(head: str, text: str) -> None:
    event = explain_line(head + text, zone_offset=0)
    assert event is None or event.program


def _calls(work: Callable[[], object]) -> int:
    count = 0

    def count_call(_frame: FrameType, event: str, _argument: Any) -> None:  # noqa: ANN401 - the signature of a profiler
        nonlocal count
        count += event in {"call", "c_call"}

    sys.setprofile(count_call)
    try:
        work()
    finally:
        sys.setprofile(None)
    return count


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("head", HEADS)
def test_calls_grow_at_most_with_the_length(head: str, unit: str) -> None:
    explain_line(head + unit * 10)  # compiles what is compiled once
    short, long = (_calls(partial(explain_line, (head + unit * (size // len(unit)))[:size])) for size in (2000, 4000))
    assert long <= 3 * short + 300


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("head", HEADS)
def test_what_is_remembered_costs_no_more_than_the_length(head: str, unit: str) -> None:
    def calls(size: int) -> int:
        line = (head + unit * (size // len(unit)))[:size].replace("\n", " ").encode()
        return _calls(lambda: list(told_lines(b"\n".join([line] * 3))))

    calls(200)  # compiles what is compiled once
    short, long = calls(1500), calls(3000)
    assert long <= 3 * short + 1000


def test_usual_line_is_searched_by_few_patterns() -> None:
    line = (
        "2026/11/22 09:28:09 [error] 146#146: *3 connect() failed (111: Connection refused) while connecting to "
        'upstream, client: 192.0.2.7, server: x, request: "GET / HTTP/1.1", upstream: "http://127.0.0.1:9001/", host: "x"'
    )
    explain_line(line)
    assert _calls(partial(explain_line, line)) < 60


def _is_pattern(value: object) -> bool:
    return isinstance(value, (re.Pattern, Pattern))


def _text(pattern: str | bytes) -> str:
    return pattern if isinstance(pattern, str) else pattern.decode("ascii")


def _patterns() -> Iterator[str]:
    for module_info in pkgutil.walk_packages(wizard.logs.__path__, "wizard.logs."):
        module = importlib.import_module(module_info.name)
        for value in vars(module).values():
            if isinstance(value, tuple):
                yield from (row.pattern for row in value if isinstance(row, Signature) and row.pattern)
                yield from (_text(one[-1].pattern) for one in value if isinstance(one, tuple) and _is_pattern(one[-1]))
            elif _is_pattern(value):
                yield _text(value.pattern)


def _nested(tree: Any, inside: bool) -> bool:  # noqa: ANN401 - the parser's tree has no types
    """Whether an unbounded repetition that can backtrack holds another one."""
    for code, argument in tree:
        if code in {opcodes.MAX_REPEAT, opcodes.MIN_REPEAT}:
            _, most, inner = argument
            unbounded = most is opcodes.MAXREPEAT
            if (unbounded and inside) or _nested(inner, inside or unbounded):
                return True
        parts = [argument[3]] if code is opcodes.SUBPATTERN else argument[1] if code is opcodes.BRANCH else []
        if any(_nested(part, inside) for part in parts):
            return True
    return False


def test_no_pattern_repeats_a_repetition() -> None:
    patterns = set(_patterns())
    assert len(patterns) > 250
    assert [pattern for pattern in patterns if _nested(parser.parse(pattern), False)] == []
