"""A connection to one address, with the errno that the kernel gives, from where the gateway sits.

Owns waiting for a connection that was begun, in this process or in a child (`children`). Non-blocking, because the
errno of a blocking connect differs and comes late (an ICMP reject on loopback takes a second), and because a full
backlog of a unix socket would block instead of answering EAGAIN. May not know what is spoken afterwards.
"""

from __future__ import annotations

import asyncio
import errno
import os
import socket
from typing import NamedTuple

from wizard.host.live.network import reach
from wizard.host.live.network.children import Arrived, child_in
from wizard.host.live.network.endpoints import read_endpoint, read_source
from wizard.host.live.network.reach import Begun, Peer
from wizard.host.live.network.threads import in_thread
from wizard.host.live.network.unasked import Unasked
from wizard.host.live.network.views import seat_of
from wizard.host.questions import HERE, Connect, Connected, ConnectFailed, NotAnswered, View, Why

# What is ours to run out of, and says nothing about the peer.
_OUR_OWN = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOMEM})


class Opened(NamedTuple):
    """A connected, non-blocking socket, and the seconds that the connection took."""

    sock: socket.socket
    seconds: float


class NotOpened(Exception):  # noqa: N818 - an observation, not an error of the program
    """The connection was not made: the kernel's errno, or None where nothing came before the deadline."""

    def __init__(self, code: int | None, seconds: float) -> None:
        super().__init__(os.strerror(code) if code else "timed out")
        self.errno = code
        self.seconds = seconds


async def answer_connect(question: Connect) -> Connected | ConnectFailed | NotAnswered:
    """Connect and close again, without sending a byte."""
    try:
        opened = await open_socket(question.endpoint, question.view, question.seconds, question.source)
    except NotOpened as failure:
        return ConnectFailed(failure.errno, failure.seconds)
    except Unasked as unasked:
        return unasked.answer
    with opened.sock as sock:
        return Connected(local_name(sock), opened.seconds)


async def open_socket(
    endpoint: str, view: View = HERE, seconds: float = 3.0, source: str | None = None, *, datagram: bool = False
) -> Opened:
    """Connect to `ip:port`, `[v6]:port` or `unix:/path`; the caller owns the socket, of TCP or for one datagram's way.

    Raises:
        NotOpened: the connection was not made.
        Unasked: the text is no address, or the view cannot be taken.
    """
    peer = _peer(endpoint, source)
    if datagram:
        peer = peer._replace(type=int(socket.SOCK_DGRAM))
    loop = asyncio.get_running_loop()
    begun_at = loop.time()
    seat = seat_of(view)
    try:
        async with asyncio.timeout(seconds):
            arrived = await (_directly(peer) if seat is None else child_in(*seat).connect(peer))
    except TimeoutError:
        raise NotOpened(None, loop.time() - begun_at) from None
    if arrived.sock is None:
        if arrived.errno in _OUR_OWN:
            detail = f"this process could not make a socket: {os.strerror(arrived.errno)}"
            raise Unasked(NotAnswered(Why.FAILED, detail, arrived.errno))
        raise NotOpened(arrived.errno, arrived.seconds)
    return Opened(arrived.sock, arrived.seconds)


def _peer(endpoint: str, source: str | None) -> Peer:
    target = read_endpoint(endpoint)
    if target is None:
        raise Unasked(NotAnswered(Why.FAILED, f"{endpoint!r} is neither an address with a port nor unix:/path"))
    if not source or target.family == socket.AF_UNIX:
        return Peer(*target)
    local = read_source(source)
    if local is None:
        raise Unasked(NotAnswered(Why.FAILED, f"{source!r} is no local address"))
    if local.family != target.family:
        raise Unasked(NotAnswered(Why.FAILED, f"{source!r} and {endpoint!r} are of different families"))
    return Peer(*target, local.address, local.port)


async def _directly(peer: Peer) -> Arrived:
    loop = asyncio.get_running_loop()
    begun_at = loop.time()
    if peer.family == socket.AF_UNIX:  # the lookup of a path can hang (a dead network file system)
        begun = await in_thread(lambda: reach.begin(peer), _give_back)
    else:
        begun = reach.begin(peer)
    if begun.sock is None or not begun.errno:
        return Arrived(begun.sock, begun.errno, loop.time() - begun_at)
    sock, kept = begun.sock, False
    try:
        await writable(sock)
        code = reach.outcome(sock)
        kept = not code
        return Arrived(sock if kept else None, code, loop.time() - begun_at)
    finally:
        if not kept:
            sock.close()


def _give_back(begun: Begun) -> None:
    if begun.sock is not None:
        begun.sock.close()


async def writable(sock: socket.socket) -> None:
    """Wait until a socket can be written to, or has failed. Leaves nothing registered behind, however it ends."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[None] = loop.create_future()
    loop.add_writer(sock, _wake, future)
    try:
        await future
    finally:
        loop.remove_writer(sock)


async def readable(sock: socket.socket) -> None:
    """Wait until a socket can be read from, has ended or has failed. Leaves nothing registered behind."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[None] = loop.create_future()
    loop.add_reader(sock, _wake, future)
    try:
        await future
    finally:
        loop.remove_reader(sock)


def _wake(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


def local_name(sock: socket.socket) -> str:
    """The local end of a connection as `ip:port`, `[v6]:port`, or the path (empty where it has none)."""
    try:
        name = sock.getsockname()
    except OSError:
        return ""
    if isinstance(name, (str, bytes)):
        return name if isinstance(name, str) else os.fsdecode(name)
    host, port = name[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
