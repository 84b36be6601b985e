"""The bytes of one connection, as they come.

Owns sending and receiving on a connected socket, the first bytes received (what did the peer really say), and the
end of a stream told apart: FIN is an empty read, RST and everything else an OSError. May not know any protocol.
"""

from __future__ import annotations

import socket
from typing import Protocol, Self

from wizard.host.live.network.connecting import readable, writable

FIRST_BYTES = 512
READ_SIZE = 65536


class Stream(Protocol):
    """Bytes both ways."""

    @property
    def first(self) -> bytes:
        """The first bytes that came, below any encryption."""
        ...

    async def send(self, data: bytes) -> None:
        """Send everything, or raise OSError."""
        ...

    async def receive(self) -> bytes:
        """What came next; empty at the end of the stream. OSError where the connection broke."""
        ...


class Wire:
    """A stream over a socket that it owns; leave the `with` block to close it."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._first = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._sock.close()

    @property
    def first(self) -> bytes:
        """The first bytes that came."""
        return self._first

    async def send(self, data: bytes) -> None:
        """Send everything; OSError where the peer has gone."""
        rest = memoryview(data)
        while rest:
            try:
                rest = rest[self._sock.send(rest) :]
            except BlockingIOError:
                await writable(self._sock)

    async def receive(self) -> bytes:
        """What came next; empty after FIN. ConnectionResetError after RST."""
        while True:
            try:
                data = self._sock.recv(READ_SIZE)
            except BlockingIOError:
                await readable(self._sock)
                continue
            if len(self._first) < FIRST_BYTES:
                self._first = (self._first + data)[:FIRST_BYTES]
            return data
