from __future__ import annotations

import ctypes

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wizard.host.live.wildcards import compile_wildcard, has_wildcards, literal

FNM_PATHNAME, FNM_PERIOD = 1, 4
LIBC = ctypes.CDLL(None)


def libc_matches(pattern: bytes, name: bytes) -> bool:
    return int(LIBC.fnmatch(pattern, name, FNM_PATHNAME | FNM_PERIOD)) == 0


@pytest.mark.parametrize(
    ("pattern", "name", "fits"),
    [
        (b"*.conf", b"shop.conf", True),
        (b"*.conf", b".hidden.conf", False),
        (b".*.conf", b".hidden.conf", True),
        (b"*", b"..", False),
        (b"?.conf", b"a.conf", True),
        (b"?.conf", b".conf", False),
        (b"[0-9][0-9]-*.conf", b"10-shop.conf", True),
        (b"[!a]*", b"a.conf", False),
        (b"[^a]*", b"b.conf", True),
        (b"[]]x", b"]x", True),
        (b"[.]conf", b".conf", False),
        (b"[[:digit:]]*", b"7up", True),
        (b"\\*.conf", b"*.conf", True),
        (b"\\*.conf", b"a.conf", False),
        (b"[a", b"[a", True),
        (b"*.conf", b"shop.conf.dpkg-old", False),
        (b"", b"", True),
        (b"caf\xc3?", b"caf\xc3\xa9", True),
    ],
)
def test_a_name_fits_as_in_glob(pattern: bytes, name: bytes, fits: bool) -> None:
    assert compile_wildcard(pattern).matches(name) is fits


TEXT = st.text(alphabet="ab-.*?[]!^\\", max_size=9).map(str.encode)


@settings(max_examples=600)
@given(TEXT, st.text(alphabet="ab-.]\\!^", max_size=7).map(str.encode))
def test_what_fits_is_what_the_c_library_says(pattern: bytes, name: bytes) -> None:
    assert compile_wildcard(pattern).matches(name) is libc_matches(pattern, name)


@settings(max_examples=400)
@given(st.text(alphabet="ab.", max_size=12).map(str.encode), st.text(alphabet="ab.*?", max_size=12).map(str.encode))
def test_stars_and_question_marks_fit_as_in_the_c_library(name: bytes, pattern: bytes) -> None:
    assert compile_wildcard(pattern).matches(name) is libc_matches(pattern, name)


def test_many_stars_take_no_time() -> None:
    assert not compile_wildcard(b"*a" * 60 + b"b").matches(b"a" * 255)


@pytest.mark.parametrize(
    ("component", "expected"),
    [
        ("*.conf", True),
        ("a?c", True),
        ("[ab]", True),
        ("[ab", False),
        ("\\*", False),
        ("plain", False),
        ("\\[a]", False),
    ],
)
def test_a_pattern_is_told_from_a_name(component: str, expected: bool) -> None:
    assert has_wildcards(component) is expected


def test_backslashes_quote_in_a_name() -> None:
    assert literal("a\\*b\\\\c") == "a*b\\c"
    assert literal("end\\") == "end\\"
