"""Listening sockets as the kernel tells them over netlink (sock_diag(7)).

Owns the binary shapes of that protocol. May not know processes, or whether asking is harmless here (`kernel` does).
Written by hand: psutil reads /proc/net instead, which has no backlog, and pyroute2 takes thirty times as long.

For a listening TCP socket the kernel puts the accept queue into `idiag_rqueue` and its limit into `idiag_wqueue`
(net/ipv4/tcp_diag.c:tcp_diag_get_info); for a unix one both are in UNIX_DIAG_RQLEN (net/unix/diag.c).
"""

from __future__ import annotations

import ctypes
import errno
import os
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

NETLINK_SOCK_DIAG = 4
SOCK_DIAG_BY_FAMILY = 20
NLM_F_REQUEST_DUMP = 0x301
NLM_F_DUMP_INTR = 0x10
NLMSG_ERROR = 2
NLMSG_DONE = 3
LISTEN = 1 << 10  # states are bits, by the numbers of enum tcp_state
UNCONNECTED = 1 << 7  # TCP_CLOSE: a UDP socket that is bound and not connected
INET_DIAG_SKV6ONLY = 11
UNIX_DIAG_NAME = 0
UNIX_DIAG_RQLEN = 4
UNIX_DIAG_UID = 7
_SHOW = 0x01 | 0x10 | 0x40  # UDIAG_SHOW_NAME, _RQLEN, _UID (since Linux 5.3; older kernels ignore it)
CLONE_NEWNET = 0x40000000
BUFFER = 1 << 17
SECONDS = 2.0
RETRIES = 3

_HEADER = struct.Struct("=IHHII")
_INET_REQUEST = struct.Struct("=BBBBI48x")
_INET = struct.Struct("=BBBB2s2s16s16s12xIIIII")
_UNIX_REQUEST = struct.Struct("=BBHIII8x")
_UNIX = struct.Struct("=BBBxI8x")
_ATTRIBUTE = struct.Struct("=HH")

STREAM = socket.SOCK_STREAM
SEQPACKET = socket.SOCK_SEQPACKET


class Found(msgspec.Struct, frozen=True):
    """One socket: `address` for TCP and UDP, `path` for unix (@ for abstract). `type` is the SOCK_ number."""

    family: int
    inode: int
    type: int = STREAM
    address: str = ""
    port: int = 0
    path: str = ""
    uid: int | None = None
    queue: int | None = None
    backlog: int | None = None
    v6only: bool | None = None


class Channel:
    """A netlink socket to ask one network namespace. OSError where the kernel has no such part, or does not answer."""

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock
        sock.settimeout(SECONDS)

    def close(self) -> None:
        """Close it."""
        self._socket.close()

    def tcp(self, family: int) -> list[Found]:
        """Listening TCP sockets of a family."""
        request = _INET_REQUEST.pack(family, socket.IPPROTO_TCP, 0, 0, LISTEN)
        return [_inet(message, STREAM) for message in self._dump(request, _INET.size)]

    def udp(self, family: int) -> list[Found]:
        """Bound and unconnected UDP sockets of a family."""
        request = _INET_REQUEST.pack(family, socket.IPPROTO_UDP, 0, 0, UNCONNECTED)
        found = (_inet(message, socket.SOCK_DGRAM) for message in self._dump(request, _INET.size))
        return [one for one in found if one.port]

    def unix(self) -> list[Found]:
        """Listening unix sockets: stream and seqpacket."""
        request = _UNIX_REQUEST.pack(socket.AF_UNIX, 0, 0, LISTEN, 0, _SHOW)
        return [_unix(message) for message in self._dump(request, _UNIX.size)]

    def _dump(self, request: bytes, smallest: int) -> list[bytes]:
        """All messages of one dump. One that was overtaken by a change is asked for again, a few times."""
        for _ in range(RETRIES):
            messages, whole = self._dump_once(request, smallest)
            if whole:
                break
        return messages

    def _dump_once(self, request: bytes, smallest: int) -> tuple[list[bytes], bool]:
        header = _HEADER.pack(_HEADER.size + len(request), SOCK_DIAG_BY_FAMILY, NLM_F_REQUEST_DUMP, 1, 0)
        self._socket.sendto(header + request, (0, 0))
        found: list[bytes] = []
        whole = True
        while True:
            part = self._socket.recv(BUFFER)
            if not part:
                raise OSError(errno.EPIPE, os.strerror(errno.EPIPE))
            for kind, flags, body in _messages(part):
                whole = whole and not flags & NLM_F_DUMP_INTR
                if kind == NLMSG_DONE:
                    return found, whole
                if kind == NLMSG_ERROR:
                    code = -struct.unpack_from("=i", body)[0] if len(body) >= 4 else errno.EIO
                    raise OSError(code, os.strerror(code))
                if kind == SOCK_DIAG_BY_FAMILY and len(body) >= smallest:
                    found.append(body)


def _messages(part: bytes) -> Iterator[tuple[int, int, bytes]]:
    at = 0
    while at + _HEADER.size <= len(part):
        length, kind, flags, _, _ = _HEADER.unpack_from(part, at)
        if length < _HEADER.size:
            return
        yield kind, flags, part[at + _HEADER.size : at + length]
        at += (length + 3) & ~3


def _attributes(message: bytes, at: int) -> Iterator[tuple[int, bytes]]:
    while at + _ATTRIBUTE.size <= len(message):
        length, kind = _ATTRIBUTE.unpack_from(message, at)
        if length < _ATTRIBUTE.size:
            return
        yield kind, message[at + _ATTRIBUTE.size : at + length]
        at += (length + 3) & ~3


def _inet(message: bytes, kind: int) -> Found:
    family, _, _, _, port, _, address, _, _, queue, backlog, uid, inode = _INET.unpack_from(message)
    v6 = family == socket.AF_INET6
    only = next(
        (body[:1] == b"\1" for name, body in _attributes(message, _INET.size) if name == INET_DIAG_SKV6ONLY), None
    )
    listens = kind == STREAM
    return Found(
        family=family,
        inode=inode,
        type=kind,
        address=socket.inet_ntop(family, address if v6 else address[:4]),
        port=int.from_bytes(port, "big"),
        uid=uid,
        queue=queue if listens else None,
        backlog=backlog if listens else None,
        v6only=only if v6 else None,
    )


def _unix(message: bytes) -> Found:
    family, kind, _, inode = _UNIX.unpack_from(message)
    path, queue, backlog, uid = "", None, None, None
    for name, body in _attributes(message, _UNIX.size):
        if name == UNIX_DIAG_NAME:
            path = unix_name(body)
        elif name == UNIX_DIAG_RQLEN and len(body) >= 8:
            queue, backlog = struct.unpack_from("=II", body)
        elif name == UNIX_DIAG_UID and len(body) >= 4:
            uid = struct.unpack_from("=I", body)[0]
    return Found(family, inode, kind, path=path, uid=uid, queue=queue, backlog=backlog)


def unix_name(name: bytes) -> str:
    """A unix address as text: a path, or `@` and the abstract name."""
    abstract = name.startswith(b"\0")
    text = (name[1:] if abstract else name.split(b"\0", 1)[0]).decode("utf-8", "backslashreplace")
    return f"@{text}" if abstract else text


def channel(within: int | None = None) -> Channel:
    """A channel to the wizard's network namespace, or to that of a process.

    A namespace belongs to a thread: one that lives only for this opens the socket there, and the socket stays there.

    Raises:
        OSError: the namespace may not be entered (that needs CAP_SYS_ADMIN), or the process is gone.
    """
    if within is None:
        return Channel(_netlink())
    made: list[socket.socket] = []
    error: list[OSError] = []

    def enter() -> None:
        try:
            with Path(f"/proc/{within}/ns/net").open("rb") as namespace:
                _set_namespace(namespace.fileno())
            made.append(_netlink())
        except OSError as failure:
            error.append(failure)

    _in_own_thread(enter)
    if error:
        raise error[0]
    return Channel(made[0])


def _netlink() -> socket.socket:
    return socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, NETLINK_SOCK_DIAG)


def _in_own_thread(function: Callable[[], None]) -> None:
    thread = threading.Thread(target=function, name="wizard-in-namespace", daemon=True)
    thread.start()
    thread.join()


def _set_namespace(fd: int) -> None:
    """setns(2), which Python has since 3.12."""
    library = ctypes.CDLL(None, use_errno=True)
    if library.setns(fd, CLONE_NEWNET) != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
