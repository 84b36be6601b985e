"""Addresses as configured, and where a server of an upstream really is."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.checks.asking import FakeAsker
from tests.checks.subjects import NGINX, seen, subject
from wizard.checks.address import (
    Lookup,
    gateway_view,
    is_local,
    join_port,
    lookup,
    nameservers,
    parse_address,
    required,
    split_port,
)
from wizard.checks.name import name_resolves
from wizard.checks.registry import UNKNOWN, Scope, Subject
from wizard.host.questions import HERE, AskDns, DnsAnswered, NotAnswered, Ran, Resolve, Resolved, Run, Why
from wizard.model import Instance, Server


def looked_up(asker: FakeAsker, one: Subject) -> Lookup:
    return asyncio.run(lookup(one, asker))


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("127.0.0.1:8000", "127.0.0.1", 8000),
        ("[::1]:8000", "[::1]", 8000),
        ("::1", "::1", 0),
        ("[::1]", "[::1]", 0),
        ("app.internal", "app.internal", 0),
        ("app.internal:8000", "app.internal", 8000),
        ("app.internal:http", "app.internal:http", 0),
        ("app:\u0662", "app:\u0662", 0),
        ("", "", 0),
    ],
)
def test_host_and_port(text: str, host: str, port: int) -> None:
    assert split_port(text) == (host, port)


@pytest.mark.parametrize(
    ("text", "shown", "loopback"),
    [
        ("127.0.0.1:8000", "127.0.0.1:8000", True),
        ("127.9.9.9:8000", "127.9.9.9:8000", True),
        ("[::1]:8000", "[::1]:8000", True),
        ("[0:0::1]:8000", "[::1]:8000", True),
        ("10.0.0.7:80", "10.0.0.7:80", False),
        ("0.0.0.0:80", "0.0.0.0:80", False),
    ],
)
def test_addresses(text: str, shown: str, loopback: bool) -> None:
    address = parse_address(text)
    assert address is not None
    assert (address.text, address.is_loopback, address.path) == (shown, loopback, None)


def test_paths_and_names() -> None:
    address = parse_address("unix:/run/app.sock:")  # nginx: a URI may follow the second colon
    assert address is not None
    assert (address.path, address.ip, address.is_loopback) == ("/run/app.sock", None, False)
    for name in ("app.internal:8000", "localhost:80", "256.0.0.1:80", "1.2.3:80", ""):
        assert parse_address(name) is None


@given(st.ip_addresses(), st.integers(1, 65535))
def test_an_address_is_read_as_it_is_written(ip: object, port: int) -> None:
    written = join_port(str(ip), port)
    address = parse_address(written)
    assert address is not None
    assert (str(address.ip), address.port, address.text) == (str(ip), port, written)


def test_a_literal_is_not_looked_up() -> None:
    for text in ("127.0.0.1:8000", "unix:/run/app.sock"):
        assert looked_up(FakeAsker(), subject(Server(text))) == Lookup("literal", (text,))


@pytest.mark.parametrize(
    ("answer", "word"),
    [
        (Resolved(("10.0.0.7", "10.0.0.7", "::1")), "resolves"),
        (Resolved((), "EAI_NONAME"), "no-such-name"),
        (Resolved((), "EAI_NODATA"), "no-address"),
        (Resolved((), "EAI_AGAIN"), "server-failed"),
        (NotAnswered(Why.TIMED_OUT, "nothing came"), "no-answer"),
    ],
)
def test_a_name_at_start_is_what_the_system_says(answer: object, word: str) -> None:
    found = looked_up(FakeAsker({Resolve: answer}), subject(Server("app.internal:8000", "app.internal")))
    assert found.word == word
    assert found.addresses == (("10.0.0.7:8000", "[::1]:8000") if word == "resolves" else ())


def test_a_failing_system_resolver_is_told_by_its_servers() -> None:
    silent = NotAnswered(Why.TIMED_OUT, "nothing came")
    files = {"/etc/resolv.conf": "# by hand\nnameserver 10.0.0.53\n nameserver ::1\nnameserver\noptions ndots:1\n"}
    asker = FakeAsker({Resolve: Resolved((), "EAI_AGAIN"), AskDns: silent}, files)
    assert asyncio.run(nameservers(asker)) == ("10.0.0.53:53", "[::1]:53")
    found = looked_up(asker, subject(Server("app.internal:8000", "app.internal")))
    assert (found.word, found.server) == ("no-answer", "10.0.0.53:53")
    asker = FakeAsker({Resolve: Resolved((), "EAI_AGAIN"), AskDns: DnsAnswered("SERVFAIL", ())}, files)
    assert looked_up(asker, subject(Server("app.internal:8000", "app.internal"))).word == "server-failed"


@pytest.mark.parametrize(
    ("why", "asked"),
    [(Why.TIMED_OUT, True), (Why.FAILED, True), (Why.NOT_RECORDED, False), (Why.CANCELLED, False), (Why.DENIED, False)],
)
def test_a_question_that_was_not_put_is_no_silence(why: Why, asked: bool) -> None:
    about = subject(Server("app.internal:8000", "app.internal"))
    asker = FakeAsker({Resolve: NotAnswered(why, "as it was")})
    assert looked_up(asker, about).asked is asked
    assert seen(name_resolves, about, asker).outcome == ("no-answer" if asked else UNKNOWN)


@pytest.mark.parametrize(
    ("rcode", "system", "word"),
    [
        ("NXDOMAIN", Resolved((), "EAI_NONAME"), "no-such-name"),
        ("NXDOMAIN", Resolved(("10.0.0.7",)), "hosts-only"),
        ("NOERROR", Resolved((), "EAI_NODATA"), "no-address"),
        ("SERVFAIL", Resolved(("10.0.0.7",)), "server-failed"),
        ("REFUSED", Resolved(()), "server-failed"),
    ],
)
def test_a_name_at_run_time_is_what_the_gateways_resolver_says(rcode: str, system: Resolved, word: str) -> None:
    one = subject(Server("app.internal:8000", "app.internal"), resolvers=("10.0.0.53:53",), named_at_run_time=True)
    found = looked_up(FakeAsker({AskDns: DnsAnswered(rcode, ()), Resolve: system}), one)
    assert (found.word, found.server) == (word, "10.0.0.53:53")
    assert found.elsewhere == (("10.0.0.7",) if word == "hosts-only" else ())


def test_without_a_resolver_a_name_at_run_time_leads_nowhere() -> None:
    one = subject(Server("app.internal:8000", "app.internal"), named_at_run_time=True)
    assert looked_up(FakeAsker(), one).word == "no-resolver"
    resolving = subject(Server("app.internal:8000", "app.internal", resolves=True), resolvers=("10.0.0.53",))
    found = looked_up(FakeAsker({AskDns: DnsAnswered("NOERROR", ("10.0.0.7",))}), resolving)
    assert (found.word, found.addresses[0]) == ("resolves", "10.0.0.7:8000")


@pytest.mark.parametrize(
    ("address", "listed", "local"),
    [
        ("127.0.0.1:80", None, True),
        ("unix:/run/app.sock", None, True),
        ("0.0.0.0:80", None, True),
        ("10.0.0.7:80", '[{"addr_info":[{"local":"10.0.0.7"},{"local":"fe80::1"}]},{}]', True),
        ("10.0.0.8:80", '[{"addr_info":[{"local":"10.0.0.7"}]}]', False),
        ("10.0.0.7:80", None, None),
        ("10.0.0.7:80", "not JSON", None),
    ],
)
def test_whether_packets_stay_here(address: str, listed: str | None, local: bool | None) -> None:
    parsed = parse_address(address)
    assert parsed is not None
    answers: dict[type[object], object] = {Run: Ran(0, listed.encode(), b"")} if listed is not None else {}
    assert asyncio.run(is_local(parsed, FakeAsker(answers))) is local


def test_the_gateways_view() -> None:
    view = gateway_view(NGINX)
    assert (view.uid, view.gid, view.groups, view.within) == (33, 33, (4,), 100)
    assert gateway_view(None) == HERE
    assert gateway_view(Instance("nginx", None, "/etc/nginx/nginx.conf", uid=33)) == HERE
    with pytest.raises(ValueError, match="no server"):
        required(Subject(Scope.HOST, "host"))
