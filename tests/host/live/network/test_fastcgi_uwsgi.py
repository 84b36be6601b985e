from __future__ import annotations

import asyncio
import socket
import struct
import time
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.host.live.network.servers import Handler, Serve, read_request
from wizard import __version__
from wizard.host.live.network import answer_request
from wizard.host.live.network.fastcgi import Record, Records, fastcgi_request
from wizard.host.live.network.replies import NotThisProtocol
from wizard.host.live.network.uwsgi import uwsgi_request
from wizard.host.questions import NotAnswered, NotReplied, Protocol, Replied, Request

END = (3, b"\0\0\0\0\0\0\0\0")


def record(kind: int, content: bytes, request: int = 1, padding: int = 0) -> bytes:
    return struct.pack("!BBHHBx", 1, kind, request, len(content), padding) + content + bytes(padding)


def read_exactly(connection: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        more = connection.recv(size - len(data))
        if not more:
            raise ConnectionError
        data += more
    return data


def params_of(connection: socket.socket) -> dict[str, str]:
    """Read a whole FastCGI request, by the specification and not by the code under test."""
    block, ended = b"", False
    while True:
        version, kind, request, length, padding = struct.unpack("!BBHHBx", read_exactly(connection, 8))
        assert (version, request) == (1, 1)
        content = read_exactly(connection, length)
        read_exactly(connection, padding)
        if kind == 1:
            assert content == b"\0\1\0\0\0\0\0\0"
        elif kind == 4:
            block, ended = block + content, not content
        elif kind == 5:
            assert ended
            assert content == b""
            break
    found, at = {}, 0
    while at < len(block):
        sizes = []
        for _ in range(2):
            if block[at] < 128:
                sizes.append(block[at])
                at += 1
            else:
                sizes.append(int.from_bytes(block[at : at + 4], "big") & 0x7FFFFFFF)
                at += 4
        name, value = block[at : at + sizes[0]], block[at + sizes[0] : at + sum(sizes)]
        found[name.decode()] = value.decode()
        at += sum(sizes)
    return found


def responder(*records: tuple[int, bytes], seen: list[dict[str, str]] | None = None) -> Handler:
    def handle(connection: socket.socket) -> None:
        params = params_of(connection)
        if seen is not None:
            seen.append(params)
        connection.sendall(b"".join(record(kind, content, padding=3) for kind, content in records))

    return handle


def ask(endpoint: str, protocol: Protocol, *params: tuple[str, str], seconds: float = 3.0) -> Replied | NotReplied:
    question = Request(endpoint, "/index.php?a=1", protocol=protocol, params=params, seconds=seconds)
    answer = asyncio.run(answer_request(question))
    assert not isinstance(answer, NotAnswered), answer
    return answer


# --- FastCGI --------------------------------------------------------------------------------------------------


def test_a_fastcgi_reply(serve: Serve) -> None:
    seen: list[dict[str, str]] = []
    output = b"Status: 404 Not Found\r\nContent-Type: text/html\r\n\r\nFile not found.\n"
    handler = responder(
        (7, b"Primary "), (7, b"script unknown"), (6, output[:9]), (6, output[9:]), (6, b""), END, seen=seen
    )
    long = "x" * 300
    answer = ask(serve(handler), Protocol.FASTCGI, ("SCRIPT_FILENAME", "/srv/a.php"), ("LONG", long))
    assert isinstance(answer, Replied)
    assert (answer.status, answer.reason, answer.ending) == (404, "Not Found", "complete")
    assert (answer.body, answer.stderr) == (b"File not found.\n", b"Primary script unknown")
    assert answer.header_bytes == output.index(b"\r\n\r\n") + 4
    assert seen[0]["SCRIPT_FILENAME"] == "/srv/a.php"
    assert seen[0]["LONG"] == long
    assert seen[0]["REQUEST_METHOD"] == "GET"
    assert seen[0]["REQUEST_URI"] == "/index.php?a=1"
    assert seen[0]["HTTP_USER_AGENT"] == f"gateway-wizard/{__version__}"


def test_the_reply_ends_with_the_end_record_and_not_with_the_connection(serve: Serve) -> None:
    def keep_open(connection: socket.socket) -> None:
        params_of(connection)
        connection.sendall(record(6, b"X: 1\r\n\r\nbody") + record(*END))
        connection.recv(1)

    answer = ask(serve(keep_open), Protocol.FASTCGI)
    assert isinstance(answer, Replied)
    assert (answer.status, answer.body, answer.ending) == (200, b"body", "complete")


def test_a_closed_connection_cuts_the_body(serve: Serve) -> None:
    answer = ask(serve(responder((6, b"X: 1\r\n\r\nbody"))), Protocol.FASTCGI)
    assert isinstance(answer, Replied)
    assert (answer.body, answer.ending) == (b"body", "closed")


@pytest.mark.parametrize(
    ("records", "ending", "detail"),
    [
        ((), "closed", ""),
        (
            ((7, b"PHP Fatal\x1b error"), END),
            "closed",
            "FastCGI's END_REQUEST came without a header; stderr: PHP Fatal\\x1b error",
        ),
        (((3, b"\0\0\0\0\2\0\0\0"),), "closed", "FastCGI request refused: overloaded"),
        (((6, b"no header at all"), END), "closed", "in the middle of the header"),
        (((1, b"12345678"),), "not-protocol", "no FastCGI record"),
    ],
)
def test_no_fastcgi_reply(serve: Serve, records: Iterable[tuple[int, bytes]], ending: str, detail: str) -> None:
    answer = ask(serve(responder(*records)), Protocol.FASTCGI)
    assert isinstance(answer, NotReplied)
    assert (answer.phase, answer.ending, answer.detail) == ("reading-header", ending, detail)


def test_fastcgi_to_an_http_server(serve: Serve) -> None:
    def http(connection: socket.socket) -> None:
        connection.recv(4096)
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")

    def waits(connection: socket.socket) -> None:
        read_request(connection)

    answer = ask(serve(http), Protocol.FASTCGI)
    assert isinstance(answer, NotReplied)
    assert (answer.ending, answer.detail) == ("not-protocol", "looks like HTTP/1")
    assert answer.received.startswith(b"HTTP/1.1 400")
    silent = ask(serve(waits), Protocol.FASTCGI, seconds=0.3)
    assert isinstance(silent, NotReplied)
    assert silent.ending == "timed-out"


@given(
    st.lists(st.tuples(st.sampled_from([6, 7]), st.binary(max_size=50), st.integers(0, 9)), max_size=6),
    st.integers(1, 20),
)
def test_records_come_back_however_they_are_cut(records: list[tuple[int, bytes, int]], size: int) -> None:
    wire = b"".join(record(kind, content, padding=padding) for kind, content, padding in records)
    reader = Records()
    found = [one for at in range(0, len(wire), size) for one in reader.feed(wire[at : at + size])]
    assert found == [Record(kind, content) for kind, content, _ in records]


@given(st.lists(st.binary(max_size=40), max_size=8))
def test_any_bytes_are_records_or_another_protocol(parts: list[bytes]) -> None:
    reader = Records()
    try:
        found = [one for part in parts for one in reader.feed(part)]
    except NotThisProtocol:
        return
    assert sum(len(one.content) + 8 for one in found) <= sum(map(len, parts))


def test_many_small_records_take_linear_time() -> None:
    begun = time.process_time()
    assert len(Records().feed(record(6, b"x") * 100_000)) == 100_000
    assert time.process_time() - begun < 20


def test_parameters_of_more_than_one_record() -> None:
    wire = fastcgi_request(tuple((f"N{n}", "v" * 1000) for n in range(200)))
    kinds, at = [], 0
    while at < len(wire):
        _, kind, _, length, padding = struct.unpack_from("!BBHHBx", wire, at)
        kinds.append((kind, length > 0))
        at += 8 + length + padding
    assert kinds == [(1, True), (4, True), (4, True), (4, True), (4, True), (4, False), (5, False)]


# --- uwsgi ----------------------------------------------------------------------------------------------------


def uwsgi_server(reply: bytes, seen: list[bytes]) -> Handler:
    def handle(connection: socket.socket) -> None:
        modifier, size, second = struct.unpack("<BHB", read_exactly(connection, 4))
        assert (modifier, second) == (0, 0)
        seen.append(read_exactly(connection, size))
        connection.sendall(reply)

    return handle


def test_a_uwsgi_reply(serve: Serve) -> None:
    seen: list[bytes] = []
    endpoint = serve(uwsgi_server(b"HTTP/1.1 200 OK\r\nContent-Type: a/b\r\n\r\nhello", seen))
    answer = ask(endpoint, Protocol.UWSGI, ("REQUEST_METHOD", "HEAD"), ("HTTP_HOST", "app.test"))
    assert isinstance(answer, Replied)
    assert (answer.status, answer.body, answer.ending) == (200, b"hello", "complete")
    assert seen[0].startswith(b"\x0e\x00REQUEST_METHOD\x04\x00HEAD\x09\x00HTTP_HOST\x08\x00app.test")
    assert b"\x09\x00PATH_INFO\x0a\x00/index.php" in seen[0]


def test_a_uwsgi_reply_without_a_status_line(serve: Serve) -> None:
    answer = ask(serve(uwsgi_server(b"Status: 500 Oops\r\n\r\n", [])), Protocol.UWSGI)
    assert isinstance(answer, Replied)
    assert answer.status == 500


def test_uwsgi_to_something_else(serve: Serve) -> None:
    answer = ask(serve(uwsgi_server(b"<html>\n<body>", [])), Protocol.UWSGI)
    assert isinstance(answer, NotReplied)
    assert answer.ending == "not-protocol"


def test_a_packet_has_its_limit() -> None:
    assert uwsgi_request((("A", "b"),)) == b"\0\x06\0\0\x01\0A\x01\0b"
    for params in ((("A", "b" * 70000),), tuple((f"N{n}", "v" * 1000) for n in range(70))):
        question = Request("127.0.0.1:1", "/", protocol=Protocol.UWSGI, params=params)
        assert isinstance(asyncio.run(answer_request(question)), NotAnswered)
