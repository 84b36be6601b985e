from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections.abc import Callable, Iterator

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest

from wizard.host.live.network import answer_dns
from wizard.host.questions import AskDns, DnsAnswered, NotAnswered, Why

Answer = Callable[[bytes], list[bytes]]


@contextlib.contextmanager
def server(udp: Answer, tcp: Answer | None = None) -> Iterator[int]:
    with socket.socket() as listener, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams:
        listener.bind(("127.0.0.1", 0))
        port = int(listener.getsockname()[1])
        if tcp is not None:
            listener.listen()
        datagrams.bind(("127.0.0.1", port))
        stop = threading.Event()
        threads = [threading.Thread(target=answer_datagrams, args=(datagrams, udp, stop))]
        if tcp is not None:
            threads.append(threading.Thread(target=answer_connections, args=(listener, tcp, stop)))
        for thread in threads:
            thread.start()
        try:
            yield port
        finally:
            stop.set()
            for thread in threads:
                thread.join(5)


def answer_datagrams(sock: socket.socket, answer: Answer, stop: threading.Event) -> None:
    sock.settimeout(0.05)
    while not stop.is_set():
        with contextlib.suppress(TimeoutError):
            query, peer = sock.recvfrom(4096)
            for packet in answer(query):
                sock.sendto(packet, peer)


def answer_connections(listener: socket.socket, answer: Answer, stop: threading.Event) -> None:
    listener.settimeout(0.05)
    while not stop.is_set():
        with contextlib.suppress(TimeoutError):
            connection, _ = listener.accept()
            with connection:
                connection.settimeout(3)
                for packet in answer(connection.recv(4096)[2:]):
                    framed = len(packet).to_bytes(2, "big") + packet
                    connection.sendall(framed[:1])
                    connection.sendall(framed[1:])


def reply(*records: str, rcode: dns.rcode.Rcode = dns.rcode.NOERROR, cut: bool = False) -> Answer:
    def answer(query: bytes) -> list[bytes]:
        response = dns.message.make_response(dns.message.from_wire(query))
        response.set_rcode(rcode)
        for record in records:
            name, ttl, kind, data = record.split(maxsplit=3)
            response.answer.append(dns.rrset.from_text(name, int(ttl), "IN", kind, data))
        if cut:
            response.flags |= dns.flags.TC
        return [response.to_wire()]

    return answer


def ask(port: int, name: str = "app.test", kind: str = "A", seconds: float = 3.0) -> DnsAnswered | NotAnswered:
    return asyncio.run(answer_dns(AskDns("127.0.0.1", name, kind, port, seconds)))


def test_addresses_behind_aliases() -> None:
    records = [
        "app.test. 300 CNAME a.test.",
        "a.test. 60 CNAME b.test.",
        "b.test. 30 A 192.0.2.1",
        "c.test. 1 A 192.0.2.9",
    ]
    with server(reply(*records)) as port:
        assert ask(port) == DnsAnswered("NOERROR", ("192.0.2.1",), 30, ("a.test", "b.test"))


def test_aliases_in_a_circle_end() -> None:
    with server(reply("app.test. 5 CNAME b.test.", "b.test. 5 CNAME app.test.")) as port:
        answer = ask(port)
    assert isinstance(answer, DnsAnswered)
    assert answer.addresses == ()


@pytest.mark.parametrize("rcode", ["NXDOMAIN", "SERVFAIL", "REFUSED", "NOERROR"])
def test_an_empty_answer_has_its_rcode(rcode: str) -> None:
    with server(reply(rcode=dns.rcode.from_text(rcode))) as port:
        assert ask(port) == DnsAnswered(rcode, (), None, ())


def test_a_cut_answer_is_asked_for_over_tcp() -> None:
    with server(reply(cut=True), reply("app.test. 9 A 192.0.2.5", "app.test. 9 A 192.0.2.6")) as port:
        answer = ask(port)
    assert isinstance(answer, DnsAnswered)
    assert set(answer.addresses) == {"192.0.2.5", "192.0.2.6"}


def test_a_cut_answer_without_tcp_is_no_answer() -> None:
    with server(reply(cut=True)) as port:
        answer = ask(port)
    assert isinstance(answer, NotAnswered)
    assert answer.errno == 111


def test_other_kinds_come_as_text() -> None:
    with server(reply("_http._tcp.app.test. 9 SRV 10 5 8080 b.test.")) as port:
        answer = ask(port, "_http._tcp.app.test", "SRV")
    assert isinstance(answer, DnsAnswered)
    assert answer.addresses == ("10 5 8080 b.test.",)


def test_silence_is_asked_twice_and_then_told() -> None:
    seen: list[bytes] = []

    def drop(query: bytes) -> list[bytes]:
        seen.append(query)
        return []

    with server(drop) as port:
        answer = ask(port, seconds=0.5)
    assert isinstance(answer, NotAnswered)
    assert answer.why is Why.TIMED_OUT
    assert len(seen) == 2
    assert seen[0] == seen[1]


def test_a_forged_answer_is_passed_over() -> None:
    def forge(query: bytes) -> list[bytes]:
        good = reply("app.test. 9 A 192.0.2.5")(query)[0]
        other = dns.message.make_response(dns.message.make_query("other.test", "A"))
        other.id = dns.message.from_wire(query).id
        return [b"", b"\0", bytes([good[0] ^ 1]) + good[1:], other.to_wire(), good]

    with server(forge) as port:
        answer = ask(port)
    assert isinstance(answer, DnsAnswered)
    assert answer.addresses == ("192.0.2.5",)


def test_nobody_on_the_port_is_refused() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        port = int(sock.getsockname()[1])
    answer = ask(port)
    assert isinstance(answer, NotAnswered)
    assert (answer.why, answer.errno) == (Why.FAILED, 111)


def test_what_is_no_dns_message_is_told() -> None:
    with server(lambda query: [query[:2] + b"\x80\0\xff\xff\xff\xff\0\0\0\0garbage"]) as port:
        answer = ask(port)
    assert isinstance(answer, NotAnswered)
    assert answer.why is Why.FAILED


@pytest.mark.parametrize(("name", "kind"), [("a" * 64, "A"), ("a..b", "A"), ("app.test", "NOSUCH")])
def test_what_cannot_be_asked_for_is_not_asked(name: str, kind: str) -> None:
    answer = ask(53, name, kind)
    assert isinstance(answer, NotAnswered)
    assert answer.why is Why.FAILED


def test_a_server_is_an_address() -> None:
    answer = asyncio.run(answer_dns(AskDns("resolver.test", "app.test")))
    assert isinstance(answer, NotAnswered)
