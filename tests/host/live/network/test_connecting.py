from __future__ import annotations

import asyncio
import errno
import os
import socket
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wizard.host.live.network import answer_connect
from wizard.host.live.network.endpoints import Endpoint, read_endpoint, read_source
from wizard.host.questions import Connect, Connected, ConnectFailed, NotAnswered, View, Why


def connect(endpoint: str, seconds: float = 3.0, source: str | None = None, view: View | None = None) -> object:
    return asyncio.run(answer_connect(Connect(endpoint, view or View(), seconds, source)))


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def open_files() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def test_connects_and_tells_the_local_end() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        answer = connect("{}:{}".format(*server.getsockname()))
        assert isinstance(answer, Connected)
        peer, address = server.accept()
        with peer:
            assert answer.local == "{}:{}".format(*address)
            assert peer.recv(1) == b""


def test_connects_over_ipv6() -> None:
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as server:
        answer = connect(f"[::1]:{server.getsockname()[1]}")
    assert isinstance(answer, Connected)
    assert answer.local.startswith("[::1]:")


def test_binds_the_source() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        endpoint = "{}:{}".format(*server.getsockname())
        answer = connect(endpoint, source="127.0.0.7")
        assert isinstance(answer, Connected)
        assert answer.local.startswith("127.0.0.7:")
        foreign = connect(endpoint, source="192.0.2.77")
    assert isinstance(foreign, ConnectFailed)
    assert foreign.errno == errno.EADDRNOTAVAIL


def test_refused_where_nobody_listens() -> None:
    answer = connect(f"127.0.0.1:{free_port()}")
    assert isinstance(answer, ConnectFailed)
    assert answer.errno == errno.ECONNREFUSED


def test_a_connection_that_meets_itself_counts_as_refused() -> None:
    port = free_port()
    answer = connect(f"127.0.0.1:{port}", source=f"127.0.0.1:{port}")
    assert isinstance(answer, ConnectFailed)
    assert answer.errno == errno.ECONNREFUSED


def test_a_full_accept_queue_is_silence_with_no_errno() -> None:
    with socket.socket() as server, socket.socket() as first, socket.socket() as second:
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        for client in (first, second):
            client.setblocking(False)
            client.connect_ex(server.getsockname())
        answer = connect("{}:{}".format(*server.getsockname()), seconds=0.4)
    assert isinstance(answer, ConnectFailed)
    assert answer.errno is None


def test_unix_socket(tmp_path: Path) -> None:
    path = tmp_path / "app.sock"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        server.listen()
        assert isinstance(connect(f"unix:{path}"), Connected)


def test_unix_socket_in_the_abstract_namespace() -> None:
    name = f"wizard-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(f"\0{name}")
        server.listen()
        assert isinstance(connect(f"unix:@{name}"), Connected)


def unix_errno(path: Path | str) -> int | None:
    answer = connect(f"unix:{path}")
    assert isinstance(answer, ConnectFailed)
    return answer.errno


def test_unix_errnos(tmp_path: Path) -> None:
    assert unix_errno(tmp_path / "missing.sock") == errno.ENOENT
    stale = tmp_path / "stale.sock"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(stale))
    assert unix_errno(stale) == errno.ECONNREFUSED
    (tmp_path / "file").touch()
    assert unix_errno(tmp_path / "file") == errno.ECONNREFUSED
    assert unix_errno(tmp_path / "file" / "below") == errno.ENOTDIR
    assert unix_errno("/" + "x" * 200) == errno.ENAMETOOLONG
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as datagrams:
        datagrams.bind(str(tmp_path / "dgram"))
        assert unix_errno(tmp_path / "dgram") == errno.EPROTOTYPE


def test_a_full_unix_backlog_is_eagain_and_does_not_block(tmp_path: Path) -> None:
    path = tmp_path / "full.sock"
    with socket.socket(socket.AF_UNIX) as server, socket.socket(socket.AF_UNIX) as first:
        server.bind(str(path))
        server.listen(0)
        first.connect(str(path))
        assert unix_errno(path) == errno.EAGAIN


@pytest.mark.parametrize(
    "endpoint", ["localhost:80", "127.0.0.1", "unix:relative", "[127.0.0.1]:80", "::1:80", "1.2.3.4:0"]
)
def test_what_is_no_address_is_not_asked(endpoint: str) -> None:
    answer = connect(endpoint)
    assert isinstance(answer, NotAnswered)
    assert answer.why is Why.FAILED


def test_many_at_once_and_cancelled_leave_nothing_behind() -> None:
    async def walk() -> list[object]:
        with socket.create_server(("127.0.0.1", 0), backlog=64) as server:
            endpoint = "{}:{}".format(*server.getsockname())
            before = open_files()
            tasks = [asyncio.create_task(answer_connect(Connect(endpoint))) for _ in range(20)]
            hanging = [asyncio.create_task(answer_connect(Connect("unix:/nowhere"))) for _ in range(5)]
            await asyncio.sleep(0)
            for task in hanging:
                task.cancel()
            ended = await asyncio.gather(*tasks, *hanging, return_exceptions=True)
            await asyncio.sleep(0.05)
            assert open_files() == before
            return list(ended)

    ended = asyncio.run(walk())
    assert sum(isinstance(answer, Connected) for answer in ended) == 20
    assert sum(isinstance(answer, asyncio.CancelledError) for answer in ended) == 5


@given(st.text())
def test_reading_an_endpoint_never_raises(text: str) -> None:
    for found in (read_endpoint(text), read_endpoint(f"unix:{text}"), read_source(text)):
        assert found is None or isinstance(found, Endpoint)


@given(st.ip_addresses(), st.integers(1, 65535))
def test_every_address_with_a_port_is_an_endpoint(address: object, port: int) -> None:
    text = f"[{address}]:{port}" if ":" in str(address) else f"{address}:{port}"
    found = read_endpoint(text)
    assert found is not None
    assert (found.address, found.port) == (str(address), port)
