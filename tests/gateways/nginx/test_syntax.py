"""The lexical rules: words as nginx reads them, lines, errors with nginx's own words, and hostile input."""

from __future__ import annotations

import os
import random
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wizard.gateways.nginx.syntax import MAX_DEPTH, parse
from wizard.gateways.nginx.tree import Directive


def words(text: str) -> list[tuple[str, ...]]:
    parsed = parse(text.encode(), "f")
    assert parsed.broken is None
    return [(one.name, *one.args) for one in parsed.directives]


def error(text: str | bytes) -> tuple[str, int] | None:
    broken = parse(text.encode() if isinstance(text, str) else text, "f").broken
    if broken is None:
        return None
    assert broken.at is not None
    return broken.what, broken.at.line


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a b c;", ("a", "b", "c")),
        ("a\tb\r\n  c\n;", ("a", "b", "c")),
        ('a "b c" \'d "e"\';', ("a", "b c", 'd "e"')),
        (r'a "q\"q" \'x\' \;y b\tc \\d \.php$;', ("a", 'q"q', "'x'", r"\;y", "b\tc", r"\d", r"\.php$")),
        ("a b\"c d'e;", ("a", 'b"c', "d'e")),
        ("a b#c # d ;\n e;", ("a", "b#c", "e")),
        ("a ${b}c $d{}", ("a", "${b}c", "$d")),
        ("a x$${{b;", ("a", "x$${{b")),
        ("a b}c {}", ("a", "b}c")),
        ('if ($a = "b") {}', ("if", "($a", "=", "b", ")")),
        ('a "";', ("a", "")),
        ("log_format m '$a '\n '\"$b\"';", ("log_format", "m", "$a ", '"$b"')),
        ('a "b\nc";', ("a", "b\nc")),
        ('"a" b;', ("a", "b")),
        ("map_hash é;", ("map_hash", "é")),
        ("a \x0bb\x0c;", ("a", "\x0bb\x0c")),
        ("a b\xa0c;", ("a", "b\xa0c")),
    ],
)
def test_words(text: str, expected: tuple[str, ...]) -> None:
    assert words(text) == [expected]


def test_bytes_that_are_no_text_come_back_as_they_were() -> None:
    parsed = parse(b"root /srv/\xff\xfe;", "f")
    assert parsed.directives[0].args[0].encode("utf-8", "surrogateescape") == b"/srv/\xff\xfe"


def test_lines_and_blocks() -> None:
    parsed = parse(
        b"# c\nhttp {\r\n  server { # x\n    listen 80;\n    server_name a\n      b;\n  }\n}\nuser www;\n", "f"
    )
    http, user = parsed.directives
    assert http.block is not None
    server = http.block[0]
    assert server.block is not None
    assert [(one.name, one.line, one.last_line) for one in (http, server, *server.block, user)] == [
        ("http", 2, 2),
        ("server", 3, 3),
        ("listen", 4, 4),
        ("server_name", 5, 6),
        ("user", 9, 9),
    ]


def test_a_block_of_lua_is_passed_over_whole() -> None:
    text = """
location / { content_by_lua_block {
  local s = "}" -- } a comment }
  --[[ } long } ]] local t = [==[ }} ]==] local u = '\\'}'
  if x then y = { a = { 1 } } end
} }
user www;"""
    parsed = parse(text.encode(), "f")
    assert parsed.broken is None
    location, user = parsed.directives
    assert location.block is not None
    assert (location.block[0].name, location.block[0].block) == ("content_by_lua_block", None)
    assert (user.name, user.line) == ("user", 7)


@pytest.mark.parametrize(
    ("text", "what", "line"),
    [
        ("a b\n}", 'unexpected "}"', 2),
        ("a;\n}", 'unexpected "}"', 2),
        (";", 'unexpected ";"', 1),
        ("a {\n {", 'unexpected "{"', 2),
        ("a {\n b;\n", 'unexpected end of file, expecting "}"', 3),
        ("a {\n b", 'unexpected end of file, expecting ";" or "}"', 2),
        ('a "b"c;', 'unexpected "c"', 1),
        ('a "b;\n', 'unexpected end of file, expecting ";" or "}"', 2),
        ("a '" + "b" * 5000 + "';", 'too long parameter, probably missing terminating "\'" character', 1),
        ("a " + "b" * 4096 + ";", 'too long parameter "bbbbbbbbbb..." started', 1),
        ("\n#" + "c" * 5000 + "\na;", 'too long parameter "#ccccccccc..." started', 2),
        ("content_by_lua_block { [[ }", 'unexpected end of file, expecting "}"', 1),
    ],
)
def test_errors(text: str, what: str, line: int) -> None:
    assert error(text) == (what, line)


def test_a_byte_order_mark_is_refused_and_what_follows_is_read() -> None:
    parsed = parse(b"\xef\xbb\xbfuser www;", "f")
    assert parsed.broken is not None
    assert parsed.broken.what == 'unknown directive "\\ufeffuser"'
    assert parsed.directives[0].name == "user"


def test_a_lost_semicolon_is_pointed_at() -> None:
    broken = parse(b"server {\n  root /srv\n}\n", "f").broken
    assert broken is not None
    assert broken.hint == 'a ";" is missing after "root /srv" (line 2)'


def test_what_stands_before_an_error_is_kept() -> None:
    parsed = parse(b"a { b 1; c }", "f")
    assert parsed.broken is not None
    block = parsed.directives[0].block
    assert block is not None
    assert [(one.name, *one.args) for one in block] == [("b", "1")]


def test_depth_is_bounded() -> None:
    assert error("a {" * 5000) == ("blocks are nested too deeply", 1)
    assert error("a {" * MAX_DEPTH + "}" * MAX_DEPTH) is None


@given(st.binary(max_size=300))
def test_any_bytes_are_read(content: bytes) -> None:
    parsed = parse(content, "f")
    assert parsed.broken is None or parsed.broken.at is not None
    assert all(isinstance(one, Directive) for one in parsed.directives)


PIECES = ["a", "bc", " ", "\n", "\t", "\r\n", ";", ";", "{", "}", '"', "'", "\\", '\\"', "\\n", "\\\\", "$", "${", "${a}",
          "#", "# c\n", ")", "(", 'x"y', '"q"', "'s'", '"a b";', "\\;", "\\ ", '"a\nb"', "=", ",", '"\\', "x" * 300]  # fmt: skip


@given(st.lists(st.sampled_from(PIECES), max_size=40))
def test_every_piece_of_syntax_in_any_order_is_read(pieces: list[str]) -> None:
    text = "".join(pieces)
    parsed = parse(text.encode(), "f")
    broken = parsed.broken
    if broken is not None and broken.at is not None:
        assert 1 <= broken.at.line <= text.count("\n") + 1


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1), min_size=1, max_size=6))
def test_quoted_words_come_back(words_in: list[str]) -> None:
    quoted = " ".join('"' + word.replace("\\", "\\\\").replace('"', '\\"') + '"' for word in words_in)
    assert words(f"{quoted};") == [tuple(words_in)]


def test_work_grows_with_size_and_no_faster() -> None:
    for piece in ('"', "\\", "${", "a ", "}", "#", "'\\", "a{", " \n", "--[[ ", "content_by_lua_block {"):
        parse((piece * 100_000).encode(), "f")
        parse(b"content_by_lua_block {" + (piece * 100_000).encode(), "f")


@pytest.mark.lab
@pytest.mark.skipif(shutil.which("nginx") is None or os.geteuid() != 0, reason="needs root and nginx")
def test_errors_are_those_of_nginx(tmp_path: Path) -> None:
    """Inside `types` nginx takes any words, so that what it refuses there is the syntax."""
    pick = random.Random(7)
    differences: list[object] = []
    compared = 0
    for _ in range(250):
        inner = "".join(pick.choice(PIECES) for _ in range(pick.randint(1, 14)))
        text = f"events {{}}\nhttp {{ types {{\n{inner}\n}}\n}}\n"
        config = tmp_path / "nginx.conf"
        config.write_text(text)
        argv = [
            "unshare",
            "-n",
            "nginx",
            "-t",
            "-c",
            str(config),
            "-p",
            str(tmp_path),
            "-e",
            "stderr",
            "-g",
            f"pid {tmp_path}/p;",
        ]
        done = subprocess.run(argv, capture_output=True, text=True, errors="surrogateescape", check=False)
        refused = re.search(r"\[emerg\] \S+ (.*) in \S+:(\d+)$", done.stderr, re.MULTILINE)
        if refused is not None and not re.match(r'unexpected (?!"\{")|too long', refused[1]):
            continue
        compared += 1
        theirs = (refused[1], int(refused[2])) if refused is not None else None
        ours = error(text)
        if theirs != ours and "emerg" not in done.stderr.replace(refused[0] if refused else "", ""):
            differences.append((inner, theirs, ours))
    assert differences == []
    assert compared > 100
