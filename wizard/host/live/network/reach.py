"""One socket, begun to connect: in this process, or in a child that sits where the gateway sits.

Owns making a socket and starting its connection without ever waiting for it, and the child's program. The file is
used in two ways: imported, and sent as source to a bare interpreter by `children`. So it imports nothing but the
standard library, and little of that. May not know deadlines, questions or answers.

What a child is told and what it answers, one packet each on a SOCK_SEQPACKET pair:

* first the `Place` to take (marshal); answered by `REPLY` with number 0, the errno, and the step that failed;
* then any number of `(number, Peer)`, or `(number, None)` to forget one; each peer is answered by `REPLY` with its
  number, the errno and the microseconds that the connection took, and with the connected socket where errno is 0.

The child ends when the other end of the pair is closed.
"""

from __future__ import annotations

import errno
import marshal
import os
import select
import socket
import struct
import sys
import time
from typing import NamedTuple

REPLY = struct.Struct("!IiI")
STEPS = ("its network namespace", "its root directory", "its groups", "its user")

_CLONE_NEWNET = 0x40000000
_IP_BIND_ADDRESS_NO_PORT = 24  # linux/in.h; the name is missing from the socket module of 3.11
_LONGEST_PACKET = 65536


class Peer(NamedTuple):
    """Where to connect to, the local address to bind first (an empty one binds nothing), and the type of the socket."""

    family: int
    address: str
    port: int
    source: str = ""
    source_port: int = 0
    type: int = int(socket.SOCK_STREAM)  # a plain number: what is sent to the child has to be one


class Place(NamedTuple):
    """Where to sit: user, group, groups (None: unchanged), and the `/proc` paths of a network namespace and a root."""

    uid: int | None
    gid: int | None
    groups: tuple[int, ...] | None
    network: str | None
    root: str | None


class Begun(NamedTuple):
    """A connection that was begun. `errno` is 0 (connected), EINPROGRESS (wait for it to become writable) or an error.

    `sock` is None where there is an error. `made` is False where not even the socket could be made.
    """

    sock: socket.socket | None
    errno: int
    made: bool = True


def begin(peer: Peer) -> Begun:
    """Make a non-blocking socket and start to connect it, with nginx's ways: an explicit source takes no port early.

    A unix socket is connected or refused at once; a full backlog is EAGAIN (unix(7)), as a non-blocking gateway
    sees it. Never raises.
    """
    try:
        sock = socket.socket(peer.family, peer.type | socket.SOCK_NONBLOCK)
    except OSError as error:
        return Begun(None, error.errno or errno.EIO, made=False)
    try:
        if peer.source:
            if not peer.source_port:
                sock.setsockopt(socket.IPPROTO_IP, _IP_BIND_ADDRESS_NO_PORT, 1)
            sock.bind(_sockaddr(peer.family, peer.source, peer.source_port))
        code = sock.connect_ex(_sockaddr(peer.family, peer.address, peer.port))
    except OSError as error:  # a path that does not fit sun_path has no errno
        code = error.errno or errno.ENAMETOOLONG
    if code in {0, errno.EINPROGRESS}:
        return Begun(sock, code)
    sock.close()
    return Begun(None, code)


def outcome(sock: socket.socket) -> int:
    """The errno of a connection that has come to its end; 0 where it is connected.

    A connection to a local port where nobody listens can meet itself, when the kernel happens to pick that very port
    as its source (TCP's simultaneous open): nobody answered, so it counts as refused.
    """
    code = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    if code or sock.family == socket.AF_UNIX:
        return code
    try:
        met_itself = bool(sock.getsockname() == sock.getpeername())
    except OSError as error:
        return error.errno or errno.ENOTCONN
    return errno.ECONNREFUSED if met_itself else 0


def _sockaddr(family: int, address: str, port: int) -> str | tuple[str, int] | tuple[str, int, int, int]:
    if family == socket.AF_UNIX:
        return f"\0{address[1:]}" if address.startswith("@") else address
    if family == socket.AF_INET6:
        literal, _, scope = address.partition("%")
        return (literal, port, 0, (int(scope) if scope.isdecimal() else socket.if_nametoindex(scope)) if scope else 0)
    return (address, port)


# --- the child ------------------------------------------------------------------------------------------------


def take(place: Place) -> tuple[int, int]:
    """Sit down in a place, for good. Returns 0 and 0, or the errno and the index in `STEPS` of what was not allowed.

    The root is entered through its directory, which shows that process' mounts too (PrivateTmp), without joining
    the mount namespace.
    """
    step = 0
    try:
        root = os.open(place.root, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC) if place.root else -1
        if place.network:
            _enter_network(place.network)
        step = 1
        if root >= 0:
            os.fchdir(root)
            os.chroot(".")
            os.chdir("/")
            os.close(root)
        step = 2
        if place.groups is not None:
            os.setgroups(place.groups)
        if place.gid is not None:
            os.setresgid(place.gid, place.gid, place.gid)
        step = 3
        if place.uid is not None:
            os.setresuid(place.uid, place.uid, place.uid)
    except OSError as error:
        return error.errno or errno.EIO, step
    return 0, 0


def _enter_network(path: str) -> None:
    import ctypes  # noqa: PLC0415 - 3 ms that only a child in another namespace pays; os.setns came with 3.12

    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        if ctypes.CDLL(None, use_errno=True).setns(descriptor, _CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "setns")
    finally:
        os.close(descriptor)


class _Waiting(NamedTuple):
    number: int
    sock: socket.socket
    begun: float


def serve(channel: socket.socket) -> None:
    """Connect whatever the channel asks for, all at the same time, until its other end is closed."""
    poll = select.epoll()
    poll.register(channel.fileno(), select.EPOLLIN)
    waiting: dict[int, _Waiting] = {}
    while True:
        for descriptor, _ in poll.poll():
            if descriptor in waiting:
                number, sock, begun = waiting.pop(descriptor)
                poll.unregister(descriptor)
                _tell(channel, number, Begun(sock, outcome(sock)), begun)
            elif descriptor == channel.fileno():
                packet = channel.recv(_LONGEST_PACKET)
                if not packet:
                    return
                number, wanted = marshal.loads(packet)  # noqa: S302 - from the parent, over a private socket pair
                if wanted is None:
                    _forget(number, waiting, poll)
                else:
                    _begin(channel, number, Peer(*wanted), waiting, poll)


def _begin(channel: socket.socket, number: int, peer: Peer, waiting: dict[int, _Waiting], poll: select.epoll) -> None:
    now = time.monotonic()
    begun = begin(peer)
    if begun.sock is None or not begun.errno:
        _tell(channel, number, begun, now)
        return
    waiting[begun.sock.fileno()] = _Waiting(number, begun.sock, now)
    poll.register(begun.sock.fileno(), select.EPOLLOUT)


def _forget(number: int, waiting: dict[int, _Waiting], poll: select.epoll) -> None:
    for descriptor in [key for key, value in waiting.items() if value.number == number]:
        poll.unregister(descriptor)
        waiting.pop(descriptor).sock.close()


def _tell(channel: socket.socket, number: int, ended: Begun, begun: float) -> None:
    packet = REPLY.pack(number, ended.errno, min(int((time.monotonic() - begun) * 1e6), 0xFFFFFFFF))
    if ended.sock is None or ended.errno:
        channel.send(packet)
    else:
        socket.send_fds(channel, [packet], [ended.sock.fileno()])
    if ended.sock is not None:
        ended.sock.close()


def main() -> None:
    """Be the child: the number of the channel's descriptor is the first argument."""
    channel = socket.socket(fileno=int(sys.argv[1]))
    try:
        code, step = take(Place(*marshal.loads(channel.recv(_LONGEST_PACKET))))  # noqa: S302 - as above
        channel.send(REPLY.pack(0, code, step))
        if not code:
            serve(channel)
    except ConnectionError:
        return  # the parent has gone


if __name__ == "__main__":
    main()
