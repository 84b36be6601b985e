"""A recording answers as the host did, and holds none of its secrets."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterable
from typing import Any, TypeVar

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.strategies import ANSWER_TYPES, ANSWERS, EVENT_TYPES, EVENTS, PLAIN, QUESTION_TYPES, QUESTIONS, built
from wizard.host.port import Host, Reply
from wizard.host.questions import (
    AskDns,
    Clock,
    Connect,
    Connected,
    FileRead,
    FilesRead,
    LogTail,
    NotAnswered,
    NotReplied,
    Process,
    Processes,
    ProcessTable,
    Ran,
    ReadFile,
    ReadGlob,
    ReadLog,
    Replied,
    Request,
    Resolve,
    Resolved,
    Run,
    TlsFailed,
    TlsHandshake,
    TlsSettings,
    Told,
    Why,
)
from wizard.host.recorded import RecordedHost, identity
from wizard.host.recording import REPORTED, RecordingHost
from wizard.host.redaction import redacted, texts
from wizard.host.secrets import Redactor
from wizard.session.evidence import excerpt_of

A = TypeVar("A")
SECRET = "q7Rt5Zx0Lm3Pw9"
BEARER = f"Bearer {SECRET}"


class ScriptedHost:
    """Answers from a list of pairs, in attempts of its own; the last answer to a question stays."""

    def __init__(self, script: Iterable[tuple[Any, Any]]) -> None:
        self._answers: dict[Any, list[Any]] = {}
        for question, answer in script:
            self._answers.setdefault(question, []).append(answer)
        self._shared: dict[Any, Reply[Any]] = {}
        self._numbers = itertools.count(1)
        self._attempt = 1

    async def ask(self, question: Any) -> Reply[Any]:  # noqa: ANN401 - a script answers anything
        if question not in self._shared:
            answers = self._answers[question]
            answer = answers.pop(0) if len(answers) > 1 else answers[0]
            number = next(self._numbers)
            self._shared[question] = Reply(number, question, answer, 100.0 + number, 0.5, self._attempt)
        return self._shared[question]

    def new_attempt(self) -> int:
        self._shared.clear()
        self._attempt += 1
        return self._attempt


def ask(host: Host, *questions: Any) -> list[Any]:  # noqa: ANN401 - of any kind
    async def all_of_them() -> list[Reply[Any]]:
        return [await host.ask(question) for question in questions]

    return asyncio.run(all_of_them())


def recording(*script: tuple[Any, Any]) -> RecordingHost:
    host = RecordingHost(ScriptedHost(script))
    ask(host, *(question for question, _ in script))
    return host


def leaks(value: object, secret: str = SECRET) -> list[str | bytes]:
    return [one for one in texts(value) if secret in (one if isinstance(one, str) else one.decode("latin-1"))]


CLOCK = (Clock(), Told(10.0, 1.0, 0))
CONF = f'proxy_set_header Authorization "{BEARER}";\nproxy_pass http://app;\n'.encode()
LOG = f'[error] failed, request: "GET /a?token={SECRET} HTTP/1.1"\n'.encode()
HEADERS = (("Host", "shop"), ("Authorization", BEARER), ("Cookie", f"sid={SECRET}"))
PARAMS = (("DB_PASSWORD", SECRET), ("QUERY_STRING", f"token={SECRET}"))
REQUEST = Request("127.0.0.1:8000", f"/a?access_token={SECRET}", HEADERS, params=PARAMS)
FILE = FileRead("/etc/nginx/nginx.conf", CONF, "/etc/nginx/nginx.conf", 1.0)
KEY = FileRead("/etc/nginx/a.key", f"{SECRET}\n".encode(), "/etc/ssl/a", 1.0)
LINKED_KEY = FileRead("/etc/nginx/a", f"{SECRET}\n".encode(), "/etc/ssl/a.key", 1.0)

PLANTED: list[tuple[Any, Any]] = [
    (Run(("systemctl", "show", "app")), Ran(0, f"Environment=PORT=1 DB_PASSWORD={SECRET}\n".encode(), b"")),
    (Run(("journalctl",)), Ran(1, b"", f"env: API_TOKEN={SECRET}".encode())),
    (Run(("app", "--password", SECRET)), Ran(0, b"", b"")),
    (ReadFile("/etc/nginx/nginx.conf"), FILE),
    (ReadFile("/etc/nginx/a.key"), KEY),
    (ReadFile("/etc/nginx/a"), LINKED_KEY),
    (ReadGlob("/etc/nginx/*"), FilesRead((FILE, KEY))),
    (ReadLog("/var/log/nginx/error.log", 900.0), LogTail("/var/log/nginx/error.log", LOG, 99, 1.0, True)),
    (Processes(), ProcessTable((Process(1, 0, "app", ("app", "--token", SECRET), 0, 0, 1.0, "S"),))),
    (Processes(), ProcessTable((Process(1, 0, "sh", ("sh", "-c", f"DB_PASSWORD={SECRET} app"), 0, 0, 1.0, "S"),))),
    (
        REQUEST,
        Replied(
            200,
            "OK",
            (("Set-Cookie", f"sid={SECRET}; Path=/"), ("Location", f"/?code={SECRET}")),
            f'{{"access_token": "{SECRET}"}}'.encode(),
            9,
            9,
            "complete",
            0.1,
            0.1,
            stderr=f"PHP message: redis://:{SECRET}@h".encode(),
            defects=(f"the header Authorization: {BEARER} is folded",),
        ),
    ),
    (
        REQUEST,
        NotReplied(
            "reading-header",
            "not-protocol",
            None,
            f"Cookie: a={SECRET}".encode(),
            1.0,
            f"pw={SECRET}&password={SECRET}",
        ),
    ),
    (
        TlsHandshake("h:443", TlsSettings()),
        TlsFailed("handshaking", None, "x", received=f"X-Api-Key: {SECRET}".encode()),
    ),
    (ReadFile("/x"), NotAnswered(Why.FAILED, f"cannot open http://bob:{SECRET}@h/", grant=f"sudo -u x TOKEN={SECRET}")),
]


@pytest.mark.parametrize(("question", "answer"), PLANTED)
def test_no_planted_secret_is_kept(question: Any, answer: Any) -> None:  # noqa: ANN401 - of any kind
    host = recording((question, answer))
    assert leaks(question) or leaks(answer)
    records = host.records()
    assert len(records) == 1
    assert leaks(records) == []
    assert type(records[0].question) is type(question)
    assert type(records[0].answer) is type(answer)
    assert len(host.records()) == 1
    assert redacted(records, Redactor(first=50)) == records


TOLD = f"http://bob:{SECRET}@h/?token={SECRET}"
TELLING = {**PLAIN, str: st.just(TOLD), bytes: st.just(TOLD.encode())}


@pytest.mark.parametrize("kind", [*QUESTION_TYPES, *ANSWER_TYPES, *EVENT_TYPES], ids=lambda kind: str(kind.__name__))
@settings(max_examples=10)
@given(data=st.data())
def test_no_field_of_any_type_keeps_a_secret(kind: type[Any], data: st.DataObject) -> None:
    value = data.draw(built(kind, TELLING))
    done = redacted(value, Redactor())
    assert type(done) is kind
    assert leaks(done) == []
    assert len(list(texts(done))) == len(list(texts(value)))


@given(st.one_of(QUESTIONS, ANSWERS, EVENTS))
def test_anything_recorded_can_be_redacted(value: object) -> None:
    done = redacted(value, Redactor())
    assert type(done) is type(value)
    assert redacted(value, Redactor()) == done


def test_what_asks_gets_the_answer_as_it_came() -> None:
    host = RecordingHost(ScriptedHost([(ReadFile("/etc/nginx/nginx.conf"), FILE)]))
    assert ask(host, ReadFile("/etc/nginx/nginx.conf"))[0].answer == FILE


def test_a_shared_answer_is_kept_once_and_each_attempt_beside_the_other() -> None:
    host = RecordingHost(ScriptedHost([CLOCK, (Clock(), Told(20.0, 1.0, 0))]))
    ask(host, Clock(), Clock())
    first = host.records()
    assert host.new_attempt() == 2
    ask(host, Clock(), Clock())
    assert [(one.number, one.attempt) for one in host.records()] == [(1, 1), (2, 2)]
    assert [one.answer for one in host.records()] == [Told(10.0, 1.0, 0), Told(20.0, 1.0, 0)]
    assert host.records()[:1] == first


def test_a_late_configuration_cleans_an_early_log() -> None:
    log = LogTail("/l", f"cannot use {SECRET}\n".encode(), 1, 1.0, True)
    host = RecordingHost(ScriptedHost([(ReadLog("/l", 9.0), log), (ReadFile("/etc/nginx/nginx.conf"), FILE)]))
    ask(host, ReadLog("/l", 9.0))
    host.records()
    ask(host, ReadFile("/etc/nginx/nginx.conf"))
    records = host.records()
    assert leaks(records) == []
    assert records[0].answer == msgspec.structs.replace(log, content=b"cannot use REDACTED-1\n")


def test_a_report_is_drawn_from_the_last_lines_of_a_long_log_and_says_the_same() -> None:
    body = b"".join(b"%063d\n" % number for number in range(400))
    content = b"a line of the log\n" * 9000 + b"-----BEGIN PRIVATE KEY-----\n" + body + LOG
    question, tail = ReadLog("/var/log/app.log", 900.0), LogTail("/var/log/app.log", content, 1, 1.0, from_start=True)
    (saved,) = recording((question, tail)).records()
    (shown,) = recording((question, tail)).records(saved=False)
    assert isinstance(saved.answer, LogTail)
    assert isinstance(shown.answer, LogTail)
    assert len(saved.answer.content) > REPORTED > len(shown.answer.content)
    assert excerpt_of(shown.answer) == excerpt_of(saved.answer)
    assert excerpt_of(shown.answer).endswith("(9390 more lines)")
    assert not leaks([saved, shown])
    assert body[-64:] not in shown.answer.content


def test_the_marks_do_not_depend_on_the_order_of_the_answers() -> None:
    script = [(ReadFile(f"/{n}"), FileRead(f"/{n}", f"password=p{n}".encode(), f"/{n}", 1.0)) for n in range(3)]
    inner = ScriptedHost(script)
    ask(inner, *(question for question, _ in script))  # numbered before they are recorded
    one, other = RecordingHost(inner), RecordingHost(inner)
    ask(one, *(question for question, _ in script))
    ask(other, *(question for question, _ in reversed(script)))
    assert one.records() == other.records()


def test_a_recording_of_a_recorded_host_continues_its_marks() -> None:
    old = recording((ReadFile("/a"), FileRead("/a", b"password=one", "/a", 1.0))).records()
    unmarked = Reply(2, ReadFile("/b"), FileRead("/b", b"password=two", "/b", 1.0), 1.0, 0.0)
    again = RecordingHost(RecordedHost([*old, unmarked]))
    ask(again, ReadFile("/b"), ReadFile("/a"))
    assert [b for one in again.records() for b in texts(one.answer) if isinstance(b, bytes)] == [
        b"password=REDACTED-1",
        b"password=REDACTED-2",
    ]


# --- replay ---------------------------------------------------------------------------------------------------


def test_a_recorded_host_answers_under_the_recorded_numbers_and_times() -> None:
    live = recording(CLOCK, (Resolve("app"), Resolved(("10.0.0.1",))))
    replies = ask(RecordedHost(live.records()), Resolve("app"), Clock(), Resolve("app"))
    assert tuple(replies[:2]) == live.records()[::-1]
    assert replies[2] is replies[0]


def test_what_was_not_asked_is_not_recorded() -> None:
    host = RecordedHost(recording(CLOCK).records())
    first, again, other = ask(host, Resolve("app"), Resolve("app"), Connect("127.0.0.1:80"))
    assert isinstance(first.answer, NotAnswered)
    assert first.answer.why is Why.NOT_RECORDED
    assert again is first
    assert (first.number, other.number) == (2, 3)
    assert first.at == 101.5
    assert ask(RecordedHost([]), Clock())[0].number == 1


def test_deadlines_and_limits_do_not_matter_and_everything_else_does() -> None:
    live = recording(
        (Connect("127.0.0.1:80"), Connected()),
        (ReadFile("/a"), FileRead("/a", b"", "/a", 1.0)),
        (AskDns("10.0.0.1", "app"), NotAnswered(Why.TIMED_OUT, "")),
    )
    host = RecordedHost(live.records())
    found = ask(host, Connect("127.0.0.1:80", seconds=9.0), ReadFile("/a", 7), AskDns("10.0.0.1", "app", seconds=0.1))
    assert [one.number for one in found] == [1, 2, 3]
    missing = ask(
        host,
        Connect("127.0.0.1:80", source="10.0.0.2"),
        ReadFile("/a", within=812),
        AskDns("10.0.0.1", "app", kind="AAAA"),
        ReadLog("/a", 900.0),
    )
    assert all(isinstance(one.answer, NotAnswered) and one.answer.why is Why.NOT_RECORDED for one in missing)


def test_the_same_limits_are_preferred_then_what_was_asked_last() -> None:
    live = recording(
        (ReadFile("/a", 1), FileRead("/a", b"x", "/a", 1.0, cut=True)),
        (ReadFile("/a", 9), FileRead("/a", b"xyz", "/a", 1.0)),
    )
    found = ask(RecordedHost(live.records()), ReadFile("/a", 1), ReadFile("/a", 9), ReadFile("/a", 50))
    assert [one.answer.content for one in found] == [b"x", b"xyz", b"xyz"]


def test_an_attempt_gets_its_own_answer_or_the_latest_earlier_one() -> None:
    inner = RecordingHost(
        ScriptedHost([CLOCK, (Clock(), Told(20.0, 1.0, 0)), (Resolve("app"), Resolved(("10.0.0.1",)))])
    )
    ask(inner, Clock())
    inner.new_attempt()
    ask(inner, Clock(), Resolve("app"))
    inner.new_attempt()
    host = RecordedHost(reversed(inner.records()))
    first, later = ask(host, Clock(), Resolve("app"))
    assert first.answer == Told(10.0, 1.0, 0)
    assert later.answer == NotAnswered(Why.NOT_RECORDED, "this was asked only in a later attempt")
    assert host.new_attempt() == 2
    assert [one.number for one in ask(host, Clock(), Resolve("app"))] == [2, 3]
    assert host.new_attempt() == 3
    assert [one.number for one in ask(host, Clock(), Resolve("app"))] == [2, 3]


def test_a_question_made_from_what_was_recorded_finds_its_answer() -> None:
    """The walk reads a header's value in the configuration and sends it: both hold the same mark on replay."""
    request = Request("127.0.0.1:8000", "/", (("Authorization", BEARER),))
    live = recording(
        (ReadFile("/etc/nginx/nginx.conf"), FILE), (request, NotReplied("connecting", "error", 111, b"", 0.1))
    )
    host = RecordedHost(live.records())
    conf = ask(host, ReadFile("/etc/nginx/nginx.conf"))[0].answer.content.decode()
    value = conf.split('"')[1]
    assert SECRET not in value
    again = msgspec.structs.replace(request, headers=(("Authorization", value),))
    assert isinstance(ask(host, again)[0].answer, NotReplied)


@given(QUESTIONS)
def test_every_question_has_an_identity(question: Any) -> None:  # noqa: ANN401 - of any kind
    assert identity(question) == identity(msgspec.structs.replace(question))
    reply: Reply[Any] = Reply(5, question, NotAnswered(Why.FAILED, ""), 1.0, 0.0)
    assert ask(RecordedHost([reply]), question) == [reply]
