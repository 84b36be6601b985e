"""Connections made from where the gateway sits, by a child that sits there.

Owns the children, one per place, started when first needed and serving any number of connections at the same time;
the connected socket comes back over SCM_RIGHTS. A socket keeps the namespace and the user it was made with
(`ip netns`, `meta skuid`), so TLS and HTTP may then be spoken in this process.

A child rather than a switch in this process: credentials, root and namespace belong to the whole process
(credentials(7), setns(2)), and forking a process with threads is not safe. May not know what is spoken over a connection.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import inspect
import marshal
import os
import socket
import subprocess
import sys
import weakref
from typing import NamedTuple, cast

from wizard.host.live.network import reach
from wizard.host.live.network.reach import Peer, Place
from wizard.host.live.network.unasked import Unasked
from wizard.host.live.network.views import GRANT, Seat, group_name, own_name, user_name
from wizard.host.questions import NotAnswered, Why

_NOT_ALLOWED = frozenset({errno.EPERM, errno.EACCES})
_IDLE_SECONDS = 60.0
_SECONDS_TO_DIE = 1.0
_SECONDS_UNTIL_ROOM = 0.005  # the channel takes a few hundred packets at once


class Arrived(NamedTuple):
    """What became of a connection made elsewhere: the connected socket, or the errno; and the seconds it took."""

    sock: socket.socket | None
    errno: int
    seconds: float


class Child:
    """A process that sits in one place and connects from there.

    Its life is a task of the running loop: it ends with the loop, after a minute without work, or when it is lost.
    """

    def __init__(self, place: Place) -> None:
        """Start the process; it gets ready while the caller goes on.

        Raises:
            OSError: no process or no socket pair could be made.
        """
        self._place = place
        self._loop = asyncio.get_running_loop()
        self._asked = 0
        self._pending: dict[int, asyncio.Future[Arrived]] = {}
        self._ready: asyncio.Future[tuple[int, int]] = self._loop.create_future()
        self._over = asyncio.Event()
        self.ended = False
        self._channel, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._channel.setblocking(False)
        try:
            self._process = _start(theirs)
        except OSError:
            self._channel.close()
            raise
        finally:
            theirs.close()
        self._loop.add_reader(self._channel, self._on_packet)
        self._tell(tuple(place))
        self._task = self._loop.create_task(self._live())

    async def connect(self, peer: Peer) -> Arrived:
        """Connect from this place. Waits as long as it takes; the caller's deadline cancels it.

        Raises:
            Unasked: the place could not be taken, or the child was lost.
        """
        await self._seated()
        self._asked += 1
        number = self._asked
        future: asyncio.Future[Arrived] = self._loop.create_future()
        self._pending[number] = future
        try:
            while not self._tell((number, (int(peer.family), *peer[1:]))):  # marshal takes no enum
                if self.ended:
                    raise Unasked(NotAnswered(Why.FAILED, "the connecting process ended"))
                await asyncio.sleep(_SECONDS_UNTIL_ROOM)
            return await future
        except asyncio.CancelledError:
            if future.done() and not future.cancelled() and future.exception() is None:
                _close(future.result().sock)
            # A path lookup cannot be cancelled (a dead network file system): what hangs in one is given up whole.
            if peer.family == socket.AF_UNIX or not self._tell((number, None)):
                self.end()
            raise
        finally:
            self._pending.pop(number, None)

    async def _seated(self) -> None:
        code, step = await asyncio.shield(self._ready)
        if not code:
            return
        what = reach.STEPS[step] if step < len(reach.STEPS) else "its place"
        who = "" if self._place.uid is None else f" to connect as {user_name(self._place.uid)}"
        who += f":{group_name(self._place.gid)}" if who and self._place.gid is not None else ""
        detail = f"{own_name()} may not take {what}{who}: {os.strerror(code)}"
        if code in _NOT_ALLOWED:
            raise Unasked(NotAnswered(Why.DENIED, detail, code, GRANT))
        gone = code in {errno.ENOENT, errno.ESRCH}
        raise Unasked(NotAnswered(Why.MISSING if gone else Why.FAILED, detail, code))

    @property
    def is_reusable(self) -> bool:
        """Whether another connection may be asked of it: it lives, or it will never be allowed to take its place."""
        return not self.ended or (self._ready.done() and self._ready.result()[0] in _NOT_ALLOWED)

    def end(self) -> None:
        """End the process now, and whatever waits for it."""
        self._over.set()
        if self.ended:
            return
        self.ended = True
        self._loop.remove_reader(self._channel)
        self._channel.close()
        self._process.kill()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_SECONDS_TO_DIE)
        if not self._ready.done():
            self._ready.set_result((errno.EIO, len(reach.STEPS)))
        for future in self._pending.values():
            if not future.done():
                future.set_exception(Unasked(NotAnswered(Why.FAILED, "the connecting process ended")))

    async def _live(self) -> None:
        try:
            while not self._over.is_set():
                asked_before = self._asked
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(_IDLE_SECONDS):
                        await self._over.wait()
                if self._asked == asked_before and not self._pending:
                    return
        finally:
            self.end()

    def _tell(self, what: tuple[object, ...]) -> bool:
        try:
            self._channel.send(marshal.dumps(cast("tuple[int, ...]", what)))
        except OSError:
            return False
        return True

    def _on_packet(self) -> None:
        try:
            packet, descriptors, _, _ = socket.recv_fds(
                self._channel, reach.REPLY.size, 4, socket.MSG_DONTWAIT | socket.MSG_CMSG_CLOEXEC
            )
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            packet, descriptors = b"", []
        sock = _socket_of(descriptors)
        if len(packet) != reach.REPLY.size:
            _close(sock)
            self.end()
            return
        number, code, detail = reach.REPLY.unpack(packet)
        future = self._pending.get(number)
        if number == 0 and not self._ready.done():
            self._ready.set_result((code, detail))
        elif future is not None and not future.done() and (sock is None) == bool(code):
            future.set_result(Arrived(sock, code, detail / 1e6))
            return
        _close(sock)


def _socket_of(descriptors: list[int]) -> socket.socket | None:
    """The one socket that came over; anything else that came is closed."""
    sock = None
    for descriptor in descriptors:
        if sock is None:
            with contextlib.suppress(OSError):
                sock = socket.socket(fileno=descriptor)
                sock.setblocking(False)
                continue
        os.close(descriptor)
    return sock


def _close(sock: socket.socket | None) -> None:
    if sock is not None:
        sock.close()


def _start(theirs: socket.socket) -> subprocess.Popen[bytes]:
    # The program goes in over standard input, so that it works from a zip file too and no command line shows it.
    process = subprocess.Popen(
        [sys.executable, "-I", "-S", "-", str(theirs.fileno())],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        pass_fds=(theirs.fileno(),),
        cwd="/",
        env={name: value for name, value in os.environ.items() if name == "LD_LIBRARY_PATH"},
        start_new_session=True,
    )
    if process.stdin is not None:
        with contextlib.suppress(OSError), process.stdin as program:
            program.write(inspect.getsource(reach).encode())
    return process


_CHILDREN: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, dict[Seat, Child]] = weakref.WeakKeyDictionary()


def child_in(seat: Seat, place: Place) -> Child:
    """The running loop's child in a place, started where there is none.

    Raises:
        Unasked: no child could be started.
    """
    children = _CHILDREN.setdefault(asyncio.get_running_loop(), {})
    child = children.get(seat)
    if child is None or not child.is_reusable:
        try:
            child = children[seat] = Child(place)
        except OSError as error:
            detail = f"no process could be started: {error.strerror}"
            raise Unasked(NotAnswered(Why.FAILED, detail, error.errno)) from error
    return child


def end_children() -> None:
    """End all children of the running loop, at the end of a walk."""
    for child in _CHILDREN.pop(asyncio.get_running_loop(), {}).values():
        child.end()
