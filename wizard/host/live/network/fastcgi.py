"""One request in FastCGI, and the records of its reply.

Owns records, parameters and the two output streams of a responder (FastCGI 1.0 specification, sections 3 and 6).
What comes on the first stream is a CGI reply, read elsewhere. May not know what the parameters mean.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

from wizard.host.live.network.replies import EndedEarly, NotThisProtocol
from wizard.host.live.network.streams import Stream

_RECORD = struct.Struct("!BBHHBx")
_VERSION, _REQUEST, _RESPONDER = 1, 1, 1
_BEGIN, _END, _PARAMS, _STDIN, _STDOUT, _STDERR = 1, 3, 4, 5, 6, 7
_MANAGEMENT = frozenset({10, 11})  # GET_VALUES_RESULT and UNKNOWN_TYPE, with request 0
_LONGEST_CONTENT = 0xFFFF
_MOST_STDERR = 16384
_PROTOCOL_STATUS = {1: "cannot multiplex connections", 2: "overloaded", 3: "unknown role"}


class Record(NamedTuple):
    """One record without its padding."""

    kind: int
    content: bytes


class Records:
    """A reader of records. Keeps what is no whole record yet; linear in what is fed."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[Record]:
        """The whole records in what has come so far.

        Raises:
            NotThisProtocol: the bytes are no records that a responder sends.
        """
        self._buffer += data
        found: list[Record] = []
        at = 0
        while len(self._buffer) - at >= _RECORD.size:
            version, kind, request, length, padding = _RECORD.unpack_from(self._buffer, at)
            _check(version, kind, request)
            end = at + _RECORD.size + length
            if len(self._buffer) < end + padding:
                break
            found.append(Record(kind, bytes(self._buffer[at + _RECORD.size : end])))
            at = end + padding
        if at == 0 and self._buffer and self._buffer[0] != _VERSION:
            raise NotThisProtocol("no FastCGI record")
        del self._buffer[:at]
        return found


def _check(version: int, kind: int, request: int) -> None:
    mine = request == _REQUEST and kind in {_END, _STDOUT, _STDERR}
    if version != _VERSION or not (mine or (request == 0 and kind in _MANAGEMENT)):
        raise NotThisProtocol("no FastCGI record")


def fastcgi_request(params: tuple[tuple[str, str], ...]) -> bytes:
    """A whole responder request without a body: BEGIN_REQUEST, the parameters, and both streams' ends."""
    block = b"".join(_pair(name, value) for name, value in params)
    pieces = [block[at : at + _LONGEST_CONTENT] for at in range(0, len(block), _LONGEST_CONTENT)]
    return b"".join(
        (
            _record(_BEGIN, struct.pack("!HB5x", _RESPONDER, 0)),
            *(_record(_PARAMS, piece) for piece in pieces),
            _record(_PARAMS, b""),
            _record(_STDIN, b""),
        )
    )


def _record(kind: int, content: bytes) -> bytes:
    padding = -len(content) % 8
    return _RECORD.pack(_VERSION, kind, _REQUEST, len(content), padding) + content + bytes(padding)


def _pair(name: str, value: str) -> bytes:
    raw_name, raw_value = (text.encode("utf-8", "surrogateescape") for text in (name, value))
    return _size(len(raw_name)) + _size(len(raw_value)) + raw_name + raw_value


def _size(length: int) -> bytes:
    return bytes([length]) if length < 128 else (length | 1 << 31).to_bytes(4, "big")


class Output:
    """The responder's output as a stream of its own: it ends where the responder says so, not where the peer closes."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._records = Records()
        self.ended = False
        self.stderr = b""

    @property
    def first(self) -> bytes:
        """The first bytes of the connection below."""
        return self._stream.first

    async def send(self, data: bytes) -> None:
        """Send on the connection below."""
        await self._stream.send(data)

    async def receive(self) -> bytes:
        """What came next on STDOUT; empty after END_REQUEST.

        Raises:
            NotThisProtocol: what came is no FastCGI.
            EndedEarly: the connection was closed before END_REQUEST, or the responder refused the request.
        """
        while not self.ended:
            data = await self._stream.receive()
            if not data:
                raise EndedEarly("closed before FastCGI's END_REQUEST" if self._stream.first else "")
            output = bytearray()
            for kind, content in self._records.feed(data):
                if kind == _STDOUT:
                    output += content
                elif kind == _STDERR:
                    self.stderr = (self.stderr + content)[:_MOST_STDERR]
                elif kind == _END:
                    self._end(content, has_output=bool(output))
            if output:
                return bytes(output)
        return b""

    def _end(self, content: bytes, *, has_output: bool) -> None:
        self.ended = True
        status = content[4] if len(content) > 4 else 0
        if status and not has_output:
            raise EndedEarly(f"FastCGI request refused: {_PROTOCOL_STATUS.get(status, f'status {status}')}")
