from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.host.live.network.servers import Handler, Serve, read_request, replying
from wizard import __version__
from wizard.host.live.network import answer_request
from wizard.host.questions import NotAnswered, NotReplied, Protocol, Replied, Request, TlsSettings, Why

Answer = Replied | NotReplied | NotAnswered


def ask(question: Request) -> Answer:
    return asyncio.run(answer_request(question))


def replied(endpoint: str, *, method: str = "GET", seconds: float = 3.0, max_bytes: int = 65536) -> Replied:
    headers = (("Host", "app.test"),)
    answer = ask(Request(endpoint, "/", headers, method=method, seconds=seconds, max_bytes=max_bytes))
    assert isinstance(answer, Replied), answer
    return answer


def not_replied(endpoint: str, seconds: float = 3.0) -> NotReplied:
    answer = ask(Request(endpoint, "/", (("Host", "app.test"),), seconds=seconds))
    assert isinstance(answer, NotReplied), answer
    return answer


def reset(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def hold(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while connection.recv(4096):
            pass


def then(reply: bytes, end: Handler) -> Handler:
    def handle(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(reply)
        time.sleep(0.1)
        end(connection)

    return handle


# --- the request ----------------------------------------------------------------------------------------------


def test_the_request_as_nginx_sends_it(serve: Serve) -> None:
    seen: list[bytes] = []
    endpoint = serve(replying(b"HTTP/1.0 204 No Content\r\n\r\n", seen))
    headers = (("Host", "shop_app"), ("X-Real-IP", "192.0.2.1"), ("User-Agent", "curl"), ("x-two", "b"), ("x-two", "a"))
    answer = ask(Request(endpoint, "/a%20b/../c?x=%zz&\u00fc", headers, version="1.0"))
    assert isinstance(answer, Replied)
    assert seen[0].decode() == (
        "GET /a%20b/../c?x=%zz&\u00fc HTTP/1.0\r\nHost: shop_app\r\nX-Real-IP: 192.0.2.1\r\nx-two: b\r\nx-two: a\r\n"
        f"User-Agent: gateway-wizard/{__version__}\r\nConnection: close\r\n\r\n"
    )


def test_a_connection_header_of_the_gateway_is_kept(serve: Serve) -> None:
    seen: list[bytes] = []
    endpoint = serve(replying(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n\x81\0", seen))
    answer = ask(Request(endpoint, "/", (("Connection", "upgrade"), ("Upgrade", "websocket"))))
    assert isinstance(answer, Replied)
    assert (answer.status, answer.body, answer.ending) == (101, b"", "complete")
    assert b"close" not in seen[0]


def test_a_proxy_header_comes_first(serve: Serve) -> None:
    seen: list[bytes] = []
    endpoint = serve(replying(b"HTTP/1.1 200 OK\r\n\r\n", seen))
    ask(Request(endpoint, "/", preamble=b"PROXY UNKNOWN\r\n"))
    assert seen[0].startswith(b"PROXY UNKNOWN\r\nGET / HTTP/1.1\r\n")


@pytest.mark.parametrize(
    "question",
    [
        Request("127.0.0.1:1", "/", method="POST"),
        Request("127.0.0.1:1", "/", method="GET / HTTP/1.1\r\nX: "),
        Request("127.0.0.1:1", "/ HTTP/1.1\r\nEvil: 1"),
        Request("127.0.0.1:1", "/", (("X", "a\nb"),)),
        Request("127.0.0.1:1", "/", (("X: a", "b"),)),
        Request("127.0.0.1:1", "/", (("Content-Length", "5"),)),
        Request("127.0.0.1:1", "/", (("transfer-encoding", "chunked"),)),
        Request("127.0.0.1:1", "/", version="2"),
        Request("127.0.0.1:1", "/", preamble=b"DELETE / HTTP/1.1\r\n\r\n"),
        Request("127.0.0.1:1", "/", preamble=b"PROXY UNKNOWN\r\nDELETE / HTTP/1.1\r\n\r\n"),
        Request("127.0.0.1:1", "/", protocol=Protocol.FASTCGI, params=(("REQUEST_METHOD", "POST"),)),
        Request("127.0.0.1:1", "/", protocol=Protocol.UWSGI, params=(("CONTENT_LENGTH", "7"),)),
    ],
)
def test_what_could_change_something_is_refused(question: Request) -> None:
    answer = ask(question)
    assert isinstance(answer, NotAnswered)
    assert answer.why is Why.REFUSED


# --- the header -----------------------------------------------------------------------------------------------


def test_a_reply(serve: Serve, tmp_path: Path) -> None:
    reply = b"HTTP/1.1 503 Try Later\r\nContent-Length: 2\r\nX-A: 1\r\nx-a:2\r\n\r\nhi"
    answer = replied(serve(replying(reply), path=tmp_path / "app.sock"))
    assert (answer.status, answer.reason, answer.version) == (503, "Try Later", "1.1")
    assert answer.headers == (("Content-Length", "2"), ("X-A", "1"), ("x-a", "2"))
    assert (answer.body, answer.body_bytes, answer.ending) == (b"hi", 2, "complete")
    assert answer.header_bytes == len(reply) - 2
    assert answer.defects == ()
    assert 0 <= answer.seconds_to_header <= answer.seconds


def test_a_reply_that_comes_byte_by_byte(serve: Serve) -> None:
    def drip(connection: socket.socket) -> None:
        read_request(connection)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in b"HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n2;x=y\r\nab\r\n1\r\nc\r\n0\r\nT: 1\r\n\r\n":
            connection.sendall(bytes([byte]))
            time.sleep(0.001)

    answer = replied(serve(drip))
    assert (answer.status, answer.body, answer.ending, answer.defects) == (200, b"abc", "complete", ())


def test_interim_replies_are_passed_over(serve: Serve) -> None:
    interim = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n"
    answer = replied(serve(replying(interim + b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")))
    assert (answer.status, answer.headers) == (200, (("Content-Length", "0"),))


def test_endless_interim_replies_end(serve: Serve) -> None:
    answer = replied(serve(replying(b"HTTP/1.1 100 Continue\r\n\r\n" * 100)))
    assert answer.status == 100


def test_a_big_header_is_measured(serve: Serve) -> None:
    header = (
        b"HTTP/1.1 200 OK\r\n" + b"".join(b"Set-Cookie: c%d=%s\r\n" % (n, b"v" * 990) for n in range(100)) + b"\r\n"
    )
    answer = replied(serve(replying(header + b"body")))
    assert (answer.status, answer.header_bytes, answer.body) == (200, len(header), b"body")
    assert len(answer.headers) == 100


def test_a_header_without_end_is_cut(serve: Serve) -> None:
    answer = replied(serve(replying(b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 60000)))
    assert (answer.status, answer.ending) == (200, "not-read")
    assert answer.header_bytes >= 256 * 1024
    assert answer.defects[0].startswith("header longer than")


@pytest.mark.parametrize(
    ("lines", "defect"),
    [
        (b"Content-Length: 2\r\nContent-Length: 2\r\n", "two Content-Length headers"),
        (b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n", "Content-Length together with Transfer-Encoding"),
        (b"Transfer-Encoding: identity\r\n", "unknown Transfer-Encoding: identity"),
        (b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "two Transfer-Encoding headers"),
        (b"Content-Length: 2, 2\r\n", "invalid Content-Length: 2, 2"),
        (b"Content-Length: -1\r\n", "invalid Content-Length: -1"),
        (b"Bad Name: 1\r\n", "space in the header name on header line 2"),
        (b"A: 1\r\nB\xe4d: 1\r\n", "invalid character in the header name on header line 3"),
        (b"B\x01d: 1\r\n", "control character in the header name on header line 2"),
        (b": 1\r\n", "empty header name on header line 2"),
        (b"PHP Warning\r\n", "no colon on header line 2"),
        (b"A: x\0y\r\n", "NUL byte on header line 2"),
        (b"A: x\ry\r\n", "bare carriage return on header line 2"),
        (b"A: x\r\n  y\r\n", "folded header line on header line 3"),
    ],
)
def test_defects_do_not_hide_the_reply(serve: Serve, lines: bytes, defect: str) -> None:
    answer = replied(serve(replying(b"HTTP/1.1 200 OK\r\n" + lines + b"\r\n2\r\nok\r\n0\r\n\r\n")))
    assert answer.status == 200
    assert defect in answer.defects


# --- the body -------------------------------------------------------------------------------------------------


def test_a_body_until_the_end(serve: Serve) -> None:
    answer = replied(serve(replying(b"HTTP/1.0 200 OK\r\n\r\nall of it")))
    assert (answer.body, answer.ending) == (b"all of it", "complete")


def test_a_head_request_reads_no_body(serve: Serve) -> None:
    answer = replied(serve(then(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", hold)), method="HEAD")
    assert (answer.body_bytes, answer.ending) == (0, "complete")


@pytest.mark.parametrize(
    ("reply", "end", "ending"),
    [
        (b"Content-Length: 9\r\n\r\nabc", lambda _: None, "closed"),
        (b"Content-Length: 9\r\n\r\nabc", reset, "reset"),
        (b"Content-Length: 9\r\n\r\nabc", hold, "timed-out"),
        (b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", lambda _: None, "closed"),
        (b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", hold, "timed-out"),
        (b"\r\nabc", reset, "reset"),
        (b"Content-Length: 3\r\n\r\nabc", hold, "complete"),
        (b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", hold, "complete"),
    ],
)
def test_how_a_body_ends(serve: Serve, reply: bytes, end: Handler, ending: str) -> None:
    answer = replied(serve(then(b"HTTP/1.1 200 OK\r\n" + reply, end)), seconds=0.6)
    assert (answer.body, answer.ending) == (b"abc", ending)


def test_a_broken_chunk_is_a_defect(serve: Serve) -> None:
    answer = replied(serve(replying(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n<html>not chunked\r\n")))
    assert answer.ending == "closed"
    assert answer.defects == ("broken chunk: a chunk's size is no hexadecimal number",)


def test_a_body_is_read_up_to_its_limit(serve: Serve) -> None:
    def endless(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        for _ in range(2000):
            connection.sendall(b"x" * 65536)

    endpoint = serve(endless)
    answer = replied(endpoint, max_bytes=1000)
    assert (len(answer.body), answer.ending) == (1000, "not-read")
    assert replied(endpoint, max_bytes=0).body == b""


# --- no reply -------------------------------------------------------------------------------------------------


def test_closed_reset_and_silent(serve: Serve) -> None:
    def close_at_once(connection: socket.socket) -> None:
        read_request(connection)

    closed = not_replied(serve(close_at_once))
    assert (closed.phase, closed.ending, closed.errno, closed.received) == ("reading-header", "closed", None, b"")
    broken = not_replied(serve(then(b"", reset)))
    assert (broken.phase, broken.ending, broken.errno) == ("reading-header", "reset", 104)
    silent = not_replied(serve(hold), seconds=0.3)
    assert (silent.phase, silent.ending, silent.errno) == ("reading-header", "timed-out", None)


def test_half_a_header_is_none(serve: Serve) -> None:
    answer = not_replied(serve(replying(b"HTTP/1.1 200 OK\r\nServer: x\r\n")))
    assert (answer.ending, answer.received[:15]) == ("closed", b"HTTP/1.1 200 OK")


@pytest.mark.parametrize(
    ("banner", "detail"),
    [
        (b"SSH-2.0-OpenSSH_9.2\r\n", "looks like SSH"),
        (b"\x15\x03\x01\x00\x02\x02\x46", "looks like a TLS alert"),
        (b"\x00\x00\x12\x04\x00\x00\x00\x00\x00" + b"\0" * 18, "looks like HTTP/2"),
        (b"J\0\0\0\x0a8.0.36\0", "looks like MySQL"),
        (b"-ERR unknown command\r\n", "looks like Redis"),
        (b"220 mail.test ESMTP\r\n", "looks like SMTP, FTP or the like"),
        (b"\x01\x06\x00\x01\x00\x10\x00\x00", "looks like FastCGI"),
        (b"<html>bare</html>", "no header"),
        (b"HTTP/1.1 abc\r\n\r\n", "malformed status line"),
        (b"HTTP/1.1 99999 x\r\n\r\n", "malformed status line"),
    ],
)
def test_what_is_no_http(serve: Serve, banner: bytes, detail: str) -> None:
    answer = not_replied(serve(then(banner, hold)))
    assert (answer.phase, answer.ending, answer.received) == ("reading-header", "not-protocol", banner)
    assert answer.detail == detail


def test_connecting_fails(tmp_path: Path) -> None:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        refused = not_replied("{}:{}".format(*sock.getsockname()))
    assert (refused.phase, refused.ending, refused.errno) == ("connecting", "error", 111)
    missing = not_replied(f"unix:{tmp_path}/no.sock")
    assert (missing.phase, missing.errno) == ("connecting", 2)


def test_tls_to_a_plain_server(serve: Serve) -> None:
    def bad_request(connection: socket.socket) -> None:
        connection.recv(4096)
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")

    answer = ask(Request(serve(bad_request), "/", tls=TlsSettings()))
    assert isinstance(answer, NotReplied)
    assert (answer.phase, answer.ending) == ("handshaking", "tls")
    assert answer.received.startswith(b"HTTP/1.1 400")


def test_an_early_reply_counts_even_where_the_peer_takes_no_request(serve: Serve) -> None:
    def early(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
        connection.shutdown(socket.SHUT_WR)
        hold(connection)

    assert replied(serve(early)).status == 400


def test_cancelling_closes_the_connection(serve: Serve) -> None:
    ended: list[bytes] = []

    def wait(connection: socket.socket) -> None:
        read_request(connection)
        ended.append(connection.recv(1))

    async def walk(endpoint: str) -> None:
        task = asyncio.create_task(answer_request(Request(endpoint, "/")))
        await asyncio.sleep(0.1)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        await asyncio.sleep(0.1)

    asyncio.run(walk(serve(wait)))
    assert ended == [b""]


def test_nothing_heavy_is_imported_for_a_request() -> None:
    program = "import sys, wizard.host.live.network; print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    assert not {"httpx", "h11", "dns", "psutil", "textual"} & set(loaded)
