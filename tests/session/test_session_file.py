"""A session comes back from its file as it was, and a file that is none says what is wrong with it."""

from __future__ import annotations

import gzip
import os
import stat
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.payloads import PAYLOADS
from tests.strategies import ANSWERS, EVENTS, QUESTIONS, TEXT, built
from wizard.host.port import Reply
from wizard.host.questions import Clock, FileRead, Me, ReadFile, Run, Told
from wizard.session import file as session_file
from wizard.session.events import Finished, Started, StepDone
from wizard.session.file import SessionFileError, dump, load, write
from wizard.session.lines import line_of, value_of
from wizard.session.session import Session

CLOCK = Reply(1, Clock(), Told(10.0, 1.0, 0), 10.0, 0.1)
ME = Me(0, "root", ("root",), "web-03", "Debian 12", "6.1")
STARTED = Started(10.0, "https://shop.example/", "502", 900.0, "0.1.0")
SESSION = Session("20261123T140731Z-web-03-9f3a", 10.0, "0.1.0", "https://shop.example/", {"since": 900.0}, ME)
FULL = SESSION.with_asked([CLOCK]).with_event(STARTED, Finished(11.0, "complete"))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "walk.session"


def refusal(path: Path) -> SessionFileError:
    with pytest.raises(SessionFileError) as caught:
        load(path)
    error = caught.value
    assert error.path == str(path)
    assert error.what
    assert error.hint
    return error


@pytest.mark.parametrize("name", ["walk.session", "walk.session.gz"])
def test_a_session_comes_back(tmp_path: Path, name: str) -> None:
    write(tmp_path / name, FULL)
    assert load(tmp_path / name) == FULL
    assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600


def test_a_compressed_file_is_gzip(tmp_path: Path) -> None:
    write(tmp_path / "a.gz", FULL)
    assert gzip.decompress((tmp_path / "a.gz").read_bytes()) == dump(FULL)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(QUESTIONS, ANSWERS), max_size=4), st.lists(EVENTS, max_size=4), TEXT, built(Me))
def test_every_question_answer_and_event_comes_back(
    pairs: list[tuple[Any, Any]], events: list[Any], target: str, me: Me
) -> None:
    # Lines, not files: what redaction does to random text is another test's matter.
    for question, answer in pairs:
        reply: Reply[Any] = Reply(7, question, answer, 1.5, 0.25, 2)
        back = value_of(line_of({"asked": reply}), session_file._AskedLine).asked
        assert (back.question, back.answer) == (question, answer)
        assert (back.number, back.at, back.seconds, back.attempt) == (7, 1.5, 0.25, 2)
    for event in events:
        assert value_of(line_of(event), session_file._EVENT) == event
    header = session_file._Header(1, "0.1.0", "x", 1.0, target, {}, me)
    assert value_of(line_of(header), session_file._Header) == header


@settings(max_examples=30)
@given(st.lists(st.tuples(QUESTIONS, ANSWERS), max_size=3), st.lists(EVENTS, max_size=3))
def test_writing_what_was_read_changes_nothing(pairs: list[tuple[Any, Any]], events: list[Any]) -> None:
    asked = [Reply(n, q, a, 1.0, 0.0) for n, (q, a) in enumerate(pairs, 1)]
    session = msgspec.structs.replace(SESSION.with_asked(asked), events=tuple(events))
    once = dump(session)
    again = session_file._session("x", once, [])
    assert again.warnings == ()
    assert dump(again) == once


@pytest.mark.parametrize("name", sorted(PAYLOADS))
def test_hostile_content_comes_back(name: str, path: Path) -> None:
    content = PAYLOADS[name]
    text = content.decode("utf-8", "surrogateescape")[:5000]
    asked: list[Reply[Any]] = [
        Reply(1, ReadFile("/var/log/x"), FileRead("/var/log/x", content, "/var/log/x", 1.0), 1.0, 0.0),
        Reply(2, Run(("journalctl", text)), Told(1.0, 1.0, 0, text), 1.0, 0.0),
    ]
    step = StepDone("502/x", "x", text, "ok", text, 1.0, 0.0, values={"text": text})
    session = SESSION.with_asked(asked).with_event(step)
    write(path, session)
    assert load(path) == session


def test_infinite_values_do_not_spoil_the_file(path: Path) -> None:
    step = StepDone("502/x", "x", "host", "ok", "", 1.0, 0.0, values={"rate": float("inf"), "n": 1.5})
    write(path, SESSION.with_event(step))
    assert load(path).steps()[0].values == {"rate": "inf", "n": 1.5}


def test_a_torn_last_line_is_said_and_left_out(path: Path) -> None:
    whole = dump(FULL)
    end = whole.rindex(b'{"end"')
    path.write_bytes(whole[: end - 5])
    session = load(path)
    assert session.asked == FULL.asked
    assert session.events == FULL.events[:1]
    assert session.warnings == (
        "line 4 is cut off and was left out",
        "the file ends early: what came later is missing",
    )


@pytest.mark.parametrize("size", range(0, 700, 7))
def test_a_file_cut_anywhere_is_read_or_refused_in_words(path: Path, size: int) -> None:
    path.write_bytes(dump(FULL)[:-size] if size else dump(FULL))
    if b"\n" not in path.read_bytes():
        assert refusal(path).line == 1
        return
    session = load(path)
    assert bool(session.warnings) == (size > 0)
    assert session.events == FULL.events[: len(session.events)]


def test_a_cut_compressed_file_is_said(tmp_path: Path) -> None:
    path = tmp_path / "a.gz"
    write(path, FULL)
    path.write_bytes(path.read_bytes()[:-12])
    assert "the compressed file is cut off" in load(path).warnings
    path.write_bytes(b"\x1f\x8bnot gzip")
    assert "gzip" in refusal(path).what


def test_damage_in_the_middle_names_its_line(path: Path) -> None:
    lines = dump(FULL).split(b"\n")
    lines[2] = lines[2].replace(b'"at":10.0', b'"at":"noon"')
    path.write_bytes(b"\n".join(lines))
    error = refusal(path)
    assert error.line == 3
    assert str(error).startswith(f"{path}:3: ")


@pytest.mark.parametrize(
    "line",
    [
        b'{"asked":{"number":2,"question":{"ask":"telepathy"},"answer":{"answer":"ran"},"at":1,"seconds":1}}',
        b'{"event":"unheard-of"}',
        b'{"asked":' + b"[" * 100_000,
        b"[" * 100_000,
        b"{}",
        b"null",
        b"\xff\xfe",
        b'"\\ud800"',
        b'{"event":"finished","at":1e999,"how":"\xef\xa3\xbed800"}{',
    ],
)
def test_a_foreign_line_is_refused(path: Path, line: bytes) -> None:
    lines = dump(FULL).split(b"\n")
    path.write_bytes(b"\n".join([*lines[:2], line, *lines[2:]]))
    assert refusal(path).line == 3


def test_one_number_cannot_name_two_replies(path: Path) -> None:
    lines = dump(FULL).split(b"\n")
    path.write_bytes(b"\n".join([*lines[:2], lines[1], *lines[2:]]))
    assert "second reply" in refusal(path).what


def test_missing_lines_are_noticed(path: Path) -> None:
    lines = dump(FULL).split(b"\n")
    path.write_bytes(b"\n".join([lines[0], *lines[2:]]))
    assert load(path).warnings == ("records are missing in the middle of the file",)


def test_unknown_fields_of_a_later_version_are_ignored(path: Path) -> None:
    path.write_bytes(dump(FULL).replace(b'"at":10.0', b'"at":10.0,"mood":"calm"'))
    assert load(path) == FULL


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"", "it is empty"),
        (b"2026/11/22 09:39:10 [error] ...\n", "it is no session file"),
        (b'{"schema_version": "1"}\n', "it is no session file"),
        (b"[" * 100_000, "it is no session file"),
        (b"\x00" * 1000, "it is no session file"),
        (b'{"gateway-wizard-session":2,"wizard":"9.0"}\n', "it was written in format 2, and this program reads 1"),
        (b'{"gateway-wizard-session":1,"wizard":"0.1.0"}\n', "the header is damaged"),
    ],
)
def test_what_is_no_session_is_refused(path: Path, content: bytes, what: str) -> None:
    path.write_bytes(content)
    error = refusal(path)
    assert error.line == 1
    assert error.what.startswith(what)


def test_a_newer_file_names_the_version_to_use(path: Path) -> None:
    path.write_bytes(b'{"gateway-wizard-session":2,"wizard":"9.0\\u001b[31m"}\n')
    assert refusal(path).hint == "use gateway-wizard 9.0\\x1b[31m or newer"


def test_what_cannot_be_opened_is_refused(tmp_path: Path) -> None:
    assert refusal(tmp_path / "missing").what == "there is no such file"
    assert refusal(tmp_path).what == "it cannot be read (Is a directory)"
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    assert refusal(fifo).what == "it is not a regular file"
    assert refusal(tmp_path / ("x" * 300)).line == 0
    assert refusal(tmp_path / "nul\0").what == "it cannot be read (the name is no path)"


def test_size_is_limited_before_and_after_unpacking(tmp_path: Path) -> None:
    path = tmp_path / "bomb.gz"
    path.write_bytes(gzip.compress(b"\n" * 1_000_000))
    with pytest.raises(SessionFileError, match="unpacks to more"):
        load(path, largest=100_000)
    path.write_bytes(b"x" * 1000)
    with pytest.raises(SessionFileError, match="larger than"):
        load(path, largest=999)


def test_a_written_file_holds_no_secret_whatever_came_in(path: Path) -> None:
    conf = b'proxy_set_header Authorization "Bearer q7Rt5Zx0Lm3P";\n'
    asked = Reply(1, ReadFile("/etc/x"), FileRead("/etc/x", conf, "/etc/x", 1.0), 1.0, 0.0)
    step = StepDone("a/b", "c", "host", "ok", "sent q7Rt5Zx0Lm3P", 1.0, 0.0, by_hand="curl -H 'X: q7Rt5Zx0Lm3P' h")
    session = msgspec.structs.replace(SESSION, target="https://u:q7Rt5Zx0Lm3P@h/?code=Ab3").with_asked([asked])
    write(path, session.with_event(step))
    back = load(path)
    assert b"q7Rt5Zx0Lm3P" not in path.read_bytes()
    assert back.target == "https://u:REDACTED-1@h/?code=REDACTED-2"
    assert back.steps()[0].by_hand == "curl -H 'X: REDACTED-1' h"
    write(path, back)
    assert load(path) == back
