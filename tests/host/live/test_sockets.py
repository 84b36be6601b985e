from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.host.live.places import as_nobody, needs_namespaces, needs_root, unshared
from wizard.host.live import portable, proc_net, sock_diag, sockets
from wizard.host.live.kernel import Kernel
from wizard.host.questions import Listening, NotAnswered, Sockets, SocketTable, Why

IPV6_V6ONLY = 26


def table(within: int | None = None) -> SocketTable:
    answer = sockets.answer_sockets(Sockets(within))
    assert isinstance(answer, SocketTable), answer
    return answer


def held_by(pid: int, within: int | None = None) -> list[Listening]:
    return [one for one in table(within).listening if pid in one.pids]


@pytest.fixture(params=["netlink", "proc"])
def source(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both ways to the table: netlink, and /proc/net where asking netlink would load modules."""
    if request.param == "proc":
        monkeypatch.setattr(sockets, "kernel", lambda: Kernel(loads_modules=True))
    return str(request.param)


@contextlib.contextmanager
def listening(
    family: int, address: tuple[str, int] | str, kind: int = socket.SOCK_STREAM, backlog: int = 7
) -> Iterator[socket.socket]:
    with socket.socket(family, kind) as listener:
        if family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, IPV6_V6ONLY, 1 if backlog % 2 else 0)
        listener.bind(address)
        if kind != socket.SOCK_DGRAM:
            listener.listen(backlog)
        yield listener


def test_a_tcp_listener_is_found_with_its_queue_and_owner(source: str) -> None:
    with listening(socket.AF_INET, ("127.0.0.1", 0), backlog=5) as listener:
        port = listener.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)), socket.create_connection(("127.0.0.1", port)):
            found = next(one for one in table().listening if one.port == port and one.type == "stream")
    assert (found.family, found.address, found.uid, found.pids) == ("inet", "127.0.0.1", os.getuid(), (os.getpid(),))
    assert found.queue == 2
    assert found.backlog == (5 if source == "netlink" else None)
    assert not found.dual


@pytest.mark.parametrize("v6only", [True, False])
def test_an_ipv6_listener_says_whether_it_takes_ipv4_too(v6only: bool) -> None:
    with listening(socket.AF_INET6, ("::", 0), backlog=3 if v6only else 4) as listener:
        port = listener.getsockname()[1]
        found = next(one for one in held_by(os.getpid()) if one.port == port)
    assert (found.family, found.address, found.dual) == ("inet6", "::", not v6only)


def test_without_netlink_a_twin_tells_that_an_ipv6_listener_is_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sockets, "kernel", lambda: Kernel(loads_modules=True))
    with listening(socket.AF_INET6, ("::", 0), backlog=3) as listener:
        port = listener.getsockname()[1]
        with listening(socket.AF_INET, ("0.0.0.0", port)):
            found = next(one for one in held_by(os.getpid()) if one.port == port and one.family == "inet6")
    assert not found.dual


def test_unix_listeners_of_all_kinds_are_found(tmp_path: Path, source: str) -> None:
    with (
        listening(socket.AF_UNIX, str(tmp_path / "s"), backlog=9),
        listening(socket.AF_UNIX, str(tmp_path / "q"), socket.SOCK_SEQPACKET),
        listening(socket.AF_UNIX, f"\0wizard-{os.getpid()}"),
        listening(socket.AF_UNIX, str(tmp_path / "d"), socket.SOCK_DGRAM),
        socket.socket(socket.AF_UNIX) as bound,
        socket.socket(socket.AF_UNIX) as client,
    ):
        bound.bind(str(tmp_path / "bound"))
        client.connect(str(tmp_path / "s"))
        found = {one.path: one for one in held_by(os.getpid()) if one.family == "unix"}
    assert set(found) == {str(tmp_path / "s"), str(tmp_path / "q"), f"@wizard-{os.getpid()}"}
    assert found[str(tmp_path / "q")].type == "seqpacket"
    stream = found[str(tmp_path / "s")]
    assert stream.type == "stream"
    assert (stream.queue, stream.backlog) == ((1, 9) if source == "netlink" else (None, None))


@pytest.mark.usefixtures("source")
def test_bound_udp_sockets_are_listed() -> None:
    with (
        listening(socket.AF_INET, ("127.0.0.1", 0), socket.SOCK_DGRAM) as resolver,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client,
    ):
        port = resolver.getsockname()[1]
        client.connect(("127.0.0.1", port))
        found = [one for one in held_by(os.getpid()) if one.type == "dgram"]
    assert [(one.address, one.port) for one in found] == [("127.0.0.1", port)]


def test_both_sources_tell_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with (
        listening(socket.AF_INET, ("127.0.0.1", 0)),
        listening(socket.AF_INET6, ("::1", 0)),
        listening(socket.AF_UNIX, str(tmp_path / "s")),
        listening(socket.AF_INET6, ("::1", 0), socket.SOCK_DGRAM),
    ):
        netlink = held_by(os.getpid())
        monkeypatch.setattr(sockets, "kernel", lambda: Kernel(loads_modules=True))
        proc = held_by(os.getpid())
    assert len(netlink) == 4
    assert [(one.family, one.address, one.port, one.path, one.inode, one.type) for one in netlink] == [
        (one.family, one.address, one.port, one.path, one.inode, one.type) for one in proc
    ]


def test_psutil_tells_the_same_where_there_is_no_proc() -> None:
    with listening(socket.AF_INET, ("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        answer = portable.sockets()
    assert isinstance(answer, SocketTable)
    found = next(one for one in answer.listening if one.port == port)
    assert (found.family, found.address, found.type, found.pids) == ("inet", "127.0.0.1", "stream", (os.getpid(),))


@needs_root
def test_without_rights_the_owners_are_incomplete() -> None:
    with listening(socket.AF_INET, ("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        seen = as_nobody(table)
    found = next(one for one in seen.listening if one.port == port)
    assert (found.uid, found.queue) == (0, 0)
    assert os.getpid() not in found.pids
    assert not seen.owners_complete


def test_a_process_that_is_gone_is_an_answer() -> None:
    answer = sockets.answer_sockets(Sockets(2**22 - 1))
    assert isinstance(answer, NotAnswered)
    assert answer.why is Why.MISSING


# --- other network namespaces ---------------------------------------------------------------------------------

LISTEN = """
import socket, sys
tcp = socket.socket(); tcp.bind(("0.0.0.0", 8000)); tcp.listen(3)
unix = socket.socket(socket.AF_UNIX); unix.bind({path!r}); unix.listen(2)
hidden = socket.socket(socket.AF_UNIX); hidden.bind("\\0elsewhere"); hidden.listen(2)
"""


@needs_namespaces
def test_the_table_of_another_namespace_is_that_of_its_process(tmp_path: Path, source: str) -> None:
    path = str(tmp_path / "app.sock")
    with unshared("-n", script=LISTEN.format(path=path)) as pid:
        there = table(pid)
        netns = Path(f"/proc/{pid}/ns/net").stat().st_ino
    found = {one.port or one.path: one for one in there.listening if pid in one.pids}
    assert set(found) == {8000, path, "@elsewhere"}
    assert found[8000].address == "0.0.0.0"
    assert found[8000].backlog == (3 if source == "netlink" else None)
    assert there.netns == netns != Path("/proc/self/ns/net").stat().st_ino
    assert not any(os.getpid() in one.pids for one in there.listening)


@needs_namespaces
def test_a_unix_listener_of_another_namespace_is_found_by_its_file(tmp_path: Path) -> None:
    path = str(tmp_path / "app.sock")
    with unshared("-n", script=LISTEN.format(path=path)) as pid:
        here = table()
    found = [one for one in here.listening if pid in one.pids]
    assert [(one.family, one.path) for one in found] == [("unix", path)]
    assert here.unix_complete


@needs_namespaces
def test_the_same_path_in_another_mount_namespace_is_another_file(tmp_path: Path) -> None:
    path = str(tmp_path / "app.sock")
    hidden = f"import subprocess; subprocess.run(['mount', '-t', 'tmpfs', 'none', {str(tmp_path)!r}], check=True)\n"
    with unshared("-n", "-m", script=hidden + LISTEN.format(path=path)) as pid:
        assert not [one for one in table().listening if pid in one.pids]


@needs_namespaces
def test_established_connections_are_those_of_the_namespace() -> None:
    script = """
import socket, subprocess, sys
subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
server = socket.create_server(("127.0.0.1", 8000))
clients = [socket.create_connection(("127.0.0.1", 8000)) for _ in range(3)]
"""
    with unshared("-n", script=script) as pid:
        assert table(pid).established == 6


@needs_root
def test_without_rights_another_namespace_is_still_shown(tmp_path: Path) -> None:
    with unshared("-n", script=LISTEN.format(path=str(tmp_path / "s"))) as pid:
        seen = as_nobody(lambda: table(pid))
    assert [(one.address, one.port) for one in seen.listening if one.family == "inet"] == [("0.0.0.0", 8000)]
    assert seen.netns == 0


# --- hostile input --------------------------------------------------------------------------------------------


@given(st.lists(st.binary(max_size=120), max_size=8))
def test_a_broken_table_gives_no_error(rows: list[bytes]) -> None:
    for row in rows:
        fields = row.split()
        proc_net._inet(fields, socket.AF_INET, socket.SOCK_STREAM)
        proc_net._inet(fields, socket.AF_INET6, socket.SOCK_STREAM)
        assert proc_net._unix(fields) is None or fields


@given(st.binary(max_size=300))
def test_a_broken_message_ends(part: bytes) -> None:
    assert len(list(sock_diag._messages(part))) <= len(part) // 16
    assert len(list(sock_diag._attributes(part, 0))) <= len(part) // 4


def test_addresses_are_read_in_the_byte_order_of_the_machine() -> None:
    assert proc_net.inet_address(b"0100007F", socket.AF_INET) == "127.0.0.1"
    assert proc_net.inet_address(b"B80D0120000000000000000001000000", socket.AF_INET6) == "2001:db8::1"


def test_abstract_names_begin_with_an_at_sign() -> None:
    assert sock_diag.unix_name(b"\0app") == "@app"
    assert sock_diag.unix_name(b"/run/app.sock\0") == "/run/app.sock"
