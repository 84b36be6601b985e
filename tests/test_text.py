"""What leaves the text door is safe, bounded, and stays the same when it passes again."""

from __future__ import annotations

import shlex
import subprocess
import unicodedata
from collections.abc import Callable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.payloads import PAYLOADS
from wizard import text
from wizard.text import cells, excerpt, one_line, shell_word, visible

NAMES = sorted(PAYLOADS)
ANY_TEXT = st.text(st.characters(codec=None, categories=None), max_size=300)
FOREIGN = st.one_of(st.binary(max_size=300), ANY_TEXT, st.sampled_from(NAMES).map(lambda name: PAYLOADS[name][:5000]))
DOORS: dict[str, Callable[[bytes | str], str]] = {
    "visible": visible,
    "one_line": one_line,
    "excerpt": excerpt,
    "excerpt-tail": lambda foreign: excerpt(foreign, 3, 40, tail=True),
    "shell_word": lambda foreign: shell_word(
        foreign if isinstance(foreign, str) else foreign.decode("utf-8", "surrogateescape")
    ),
}


def acting(shown: str, allowed: str = "\n") -> list[str]:
    """The characters that a terminal might act on, by Unicode's own categories."""
    return [
        f"U+{ord(x):04X}"
        for x in shown
        if x not in allowed and unicodedata.category(x) in {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}
    ]


def longest_stack(shown: str) -> int:
    """The most combining marks that stand on one character."""
    longest = marks = 0
    for character in shown:
        marks = marks + 1 if unicodedata.category(character) in {"Mn", "Me"} else 0
        longest = max(longest, marks)
    return longest


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("name", NAMES)
def test_no_payload_gets_through(door: str, name: str) -> None:
    shown = DOORS[door](PAYLOADS[name])
    assert acting(shown, allowed="\n" if door in {"visible", "excerpt", "excerpt-tail"} else "") == []
    assert longest_stack(shown) <= text.MAX_MARKS


def test_every_acting_code_point_is_spelled_and_every_other_one_kept() -> None:
    everything = [chr(code) for code in range(0x110000)]
    shown = visible("\n".join(x for x in everything if x != "\n"))
    assert acting(shown) == []
    for plain in "aZ09~ äßñ漢語שخक":
        assert visible(plain) == plain


@given(FOREIGN, st.sampled_from(sorted(DOORS)))
def test_nothing_gets_through(foreign: bytes | str, door: str) -> None:
    shown = DOORS[door](foreign)
    assert acting(shown) == []
    assert longest_stack(shown) <= text.MAX_MARKS


@given(FOREIGN, st.integers(0, 120))
@example("\x1b" * 100, 40)
@example(("o" + "\u0301" * 9) * 20, 50)
def test_visible_is_bounded_and_idempotent(foreign: bytes | str, limit: int) -> None:
    shown = visible(foreign, limit=limit)
    assert all(len(line) <= limit for line in shown.split("\n"))
    assert visible(shown, limit=limit) == shown
    assert shown.count("\n") == (foreign.count(b"\n") if isinstance(foreign, bytes) else foreign.count("\n"))


@given(FOREIGN, st.integers(0, 120))
def test_one_line_is_one_bounded_line_and_idempotent(foreign: bytes | str, limit: int) -> None:
    shown = one_line(foreign, limit=limit)
    assert "\n" not in shown
    assert len(shown) <= limit
    assert one_line(shown, limit=limit) == shown


@given(FOREIGN, st.integers(1, 9), st.integers(1, 60), st.booleans())
def test_an_excerpt_fits_its_box_and_is_idempotent(foreign: bytes | str, lines: int, columns: int, tail: bool) -> None:
    shown = excerpt(foreign, lines, columns, tail=tail)
    assert len(shown.split("\n")) <= lines
    assert all(cells(line) <= columns for line in shown.split("\n"))
    if not shown.endswith("\n"):  # a last empty line is one newline more in what is read again
        assert excerpt(shown, lines, columns, tail=tail) == shown


@given(st.binary(max_size=200))
def test_bytes_and_undecodable_text_read_alike(foreign: bytes) -> None:
    assert visible(foreign) == visible(foreign.decode("utf-8", "surrogateescape"))
    assert one_line(foreign) == one_line(foreign.decode("utf-8", "surrogateescape"))


@given(st.text(max_size=4000), st.integers(1, 300))
def test_one_line_says_the_same_whether_or_not_it_reads_on(foreign: str, limit: int) -> None:
    whole = visible(foreign, limit=10**6).replace("\n", "\\n")
    kept = max(0, limit - 3)
    assert one_line(foreign, limit=limit)[:kept] == whole[:kept]


@pytest.mark.parametrize(
    ("foreign", "shown"),
    [
        (b"a\x1b[31m", "a\\x1b[31m"),
        (b"\xff\xe9", "\\xff\\xe9"),
        ("\udcff", "\\xff"),
        ("a\u202eb", "a\\u202eb"),
        ("\U000e0041", "\\U000e0041"),
        (b"a\r\nb\rc", "a\nb\\x0dc"),
        (b"a\tb", "a    b"),
        ("proxy_pass\u00a0http://app;", "proxy_pass\\xa0http://app;"),
        ("é漢字 שלום", "é漢字 שלום"),
        (b"[emerg] bind()", "[emerg] bind()"),
    ],
)
def test_spelling(foreign: bytes | str, shown: str) -> None:
    assert visible(foreign) == shown


def test_a_cut_line_says_how_much_is_gone() -> None:
    shown = visible("x" * 5000, limit=100)
    kept = shown.count("x")
    assert shown == "x" * kept + f" [{5000 - kept} characters cut]"
    spelled = visible("\x1b" * 5000, limit=100)
    kept = spelled.count("\\x1b")
    assert spelled == "\\x1b" * kept + f" [{5000 - kept} characters cut]"


def test_an_excerpt_keeps_the_end_that_was_asked_for() -> None:
    log = "".join(f"line {n}\n" for n in range(10))
    assert excerpt(log, 3).split("\n") == ["line 0", "line 1", "[8 more lines]"]
    assert excerpt(log, 3, tail=True).split("\n") == ["[8 more lines]", "line 8", "line 9"]
    assert excerpt(log, 10).split("\n")[-1] == "line 9"
    assert excerpt("漢" * 50, 1, 11) == "漢" * 4 + "..."


def test_the_work_grows_with_the_size_not_faster(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = 0
    spell = text._spelled_out

    def counted(value: str, tabs: int) -> str:
        nonlocal seen
        seen += len(value)
        return spell(value, tabs)

    monkeypatch.setattr(text, "_spelled_out", counted)

    def work(foreign: str) -> int:
        nonlocal seen
        seen = 0
        visible(foreign)
        return seen

    for piece in ("A", "\x1b", "o" + "\u0301" * 9, "漢", "x\n", "\x1b" * 2001 + "\n"):
        assert work(piece * (100_000 // len(piece) * 8)) <= 9 * work(piece * (100_000 // len(piece))) + 100_000
    assert work("\x1b" * 1_000_000) < 1_000_000, "a long line is not spelled out beyond its limit"


@pytest.mark.parametrize("name", NAMES)
def test_a_shell_word_is_what_the_shell_reads(name: str) -> None:
    value = PAYLOADS[name].split(b"\0")[0][:20_000].decode("utf-8", "surrogateescape")
    done = subprocess.run(
        ["bash", "-c", f"printf %s {shell_word(value)}x"], capture_output=True, check=True, env={"LC_ALL": "C.UTF-8"}
    )
    assert done.stdout == value.encode("utf-8", "surrogateescape") + b"x"


@given(st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E)))
def test_a_plain_shell_word_is_quoted_as_by_the_library(value: str) -> None:
    assert shell_word(value) == shlex.quote(value)
    assert shlex.split(shell_word(value)) == [value]


@pytest.mark.parametrize(
    ("value", "word"),
    [
        ("nginx.service", "nginx.service"),
        ("", "''"),
        ("a b", "'a b'"),
        ("it's", "'it'\"'\"'s'"),
        ("a\nb", "$'a\\nb'"),
        ("a\x1b[31m'!\\", "$'a\\033[31m\\'\\041\\\\'"),
        ("\u202e", "$'\\342\\200\\256'"),
        ("\udcff", "$'\\377'"),
        ("/srv/設定", "'/srv/設定'"),
    ],
)
def test_shell_words(value: str, word: str) -> None:
    assert shell_word(value) == word
