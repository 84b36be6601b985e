"""A reply, read from a stream: its header, its body, and how each of them ended.

Owns the reading that HTTP, uwsgi and FastCGI share, and the words for every way in which a reply stays away: closed
(FIN), reset (RST), timed-out, not-protocol, tls, error. May not know how the request was sent.
"""

from __future__ import annotations

import asyncio
import errno
import os
import re
from enum import Enum

import msgspec

from wizard.host.live.network.chunks import Chunks
from wizard.host.live.network.header import TOO_LONG, Head, end_of_header, read_cgi_header, read_http_header
from wizard.host.live.network.spoken import spoken
from wizard.host.live.network.streams import FIRST_BYTES, Stream
from wizard.host.live.network.tls import TlsBroken
from wizard.host.questions import NotReplied, Replied

LONGEST_HEADER = 256 * 1024

_GRACE_SECONDS = 0.15  # to see the whole banner of what is not HTTP
_MOST_INTERIM = 16
_FIELD_LINE = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,200}[ \t]*:")
_HTTP = b"HTTP/"


class Style(Enum):
    """What a header begins with."""

    HTTP = "status line"
    CGI = "header line"
    EITHER = "status line or header line"  # as nginx reads the reply of a uwsgi server


class NotThisProtocol(Exception):  # noqa: N818 - an observation about the peer
    """Bytes came that the protocol spoken does not have; the detail says what was expected."""


class EndedEarly(Exception):  # noqa: N818 - an observation about the peer
    """The stream was closed where the protocol does not end."""


class NoReply(Exception):  # noqa: N818 - an observation about the peer
    """No header came; carries everything of the answer but the seconds."""

    def __init__(self, phase: str, ending: str, code: int | None = None, detail: str = "") -> None:
        super().__init__(detail)
        self.phase = phase
        self.ending = ending
        self.errno = code
        self.detail = detail

    def answer(self, received: bytes, seconds: float) -> NotReplied:
        """The answer, with the first bytes that did come."""
        return NotReplied(self.phase, self.ending, self.errno, received, seconds, self.detail)


def ending_of(error: OSError) -> str:
    """The word for a connection that broke."""
    if error.errno in {errno.ECONNRESET, errno.EPIPE}:
        return "reset"
    return "timed-out" if error.errno == errno.ETIMEDOUT else "error"


def no_reply(phase: str, error: Exception) -> NoReply:
    """What an exception of a stream says, as the end of a phase."""
    if isinstance(error, TimeoutError) and not error.errno:
        return NoReply(phase, "timed-out")
    if isinstance(error, OSError):
        return NoReply(phase, ending_of(error), error.errno, os.strerror(error.errno) if error.errno else str(error))
    if isinstance(error, TlsBroken):
        return NoReply(phase, "tls", error.errno, error.detail)
    return NoReply(phase, "not-protocol" if isinstance(error, NotThisProtocol) else "closed", detail=str(error))


STREAM_ERRORS = (OSError, TlsBroken, NotThisProtocol, EndedEarly)  # TimeoutError is an OSError


class Terms(msgspec.Struct, frozen=True):
    """How a reply is to be read: times on the loop's clock."""

    method: str
    style: Style
    max_bytes: int
    begun: float
    deadline: float


async def read_reply(stream: Stream, terms: Terms) -> Replied:
    """Read a header, and the body up to `max_bytes`.

    Returns:
        The reply, whatever is wrong in its header. `seconds_to_header` and `seconds` count from `terms.begun`.

    Raises:
        NoReply: no header came.
    """
    buffer = bytearray()
    for _ in range(_MOST_INTERIM):
        head = await _read_header(stream, buffer, terms)
        if not 100 <= head.status < 200 or head.status == 101:
            break
    loop = asyncio.get_running_loop()
    seconds_to_header = loop.time() - terms.begun
    reader = _Body(head, terms)
    body, ending = await reader.read(stream, bytes(buffer))
    return Replied(
        status=head.status,
        reason=head.reason,
        headers=head.headers,
        body=bytes(body),
        body_bytes=reader.size,
        header_bytes=head.size,
        ending=ending,
        seconds_to_header=seconds_to_header,
        seconds=loop.time() - terms.begun,
        version=head.version,
        defects=(*head.defects, *reader.defects),
    )


async def _next(stream: Stream, deadline: float) -> bytes:
    async with asyncio.timeout_at(deadline):
        return await stream.receive()


async def _read_header(stream: Stream, buffer: bytearray, terms: Terms) -> Head:
    """Take one header off the front of the buffer, reading as much as that takes."""
    looked_at = 0
    while True:
        if not _may_be_header(buffer, terms.style):
            raise await _not_header(stream, terms, "no header")
        end = end_of_header(buffer, looked_at)
        if end is not None or len(buffer) >= LONGEST_HEADER:
            head = _parsed(bytes(buffer[:end]), terms.style)
            if head is None:
                raise NoReply("reading-header", "not-protocol", detail="malformed status line")
            del buffer[:end]
            return head if end is not None else _cut(head)
        looked_at = len(buffer)
        try:
            data = await _next(stream, terms.deadline)
        except NotThisProtocol as error:
            raise await _not_header(stream, terms, str(error)) from error
        except STREAM_ERRORS as error:
            raise no_reply("reading-header", error) from error
        if not data:
            raise NoReply("reading-header", "closed", detail="in the middle of the header" if buffer else "")
        buffer += data


def _may_be_header(buffer: bytearray, style: Style) -> bool:
    """Whether what has come so far can still become a header."""
    if style is Style.CGI or not buffer:
        return True
    if _HTTP.startswith(bytes(buffer[:5])):
        return True
    if style is Style.HTTP:
        return False
    line_is_there = b"\n" in buffer[:256] or len(buffer) >= 256
    return not line_is_there or bool(_FIELD_LINE.match(buffer))


def _parsed(block: bytes, style: Style) -> Head | None:
    if style is Style.CGI or (style is Style.EITHER and not block.startswith(_HTTP)):
        return read_cgi_header(block)
    return read_http_header(block)


def _cut(head: Head) -> Head:
    defects = (f"{TOO_LONG} {LONGEST_HEADER} bytes", *head.defects)
    return Head(head.status, head.reason, head.version, head.headers, head.size, None, False, defects)


async def _not_header(stream: Stream, terms: Terms, what: str) -> NoReply:
    loop = asyncio.get_running_loop()
    until = min(terms.deadline, loop.time() + _GRACE_SECONDS)
    try:
        while len(stream.first) < FIRST_BYTES and await _next(stream, until):
            pass
    except STREAM_ERRORS:
        pass
    known = spoken(stream.first)
    return NoReply("reading-header", "not-protocol", detail=f"looks like {known}" if known else what)


class _Body:
    """The body of one reply: how long it should be, and what came of it."""

    def __init__(self, head: Head, terms: Terms) -> None:
        self._terms = terms
        self._cut_header = bool(head.defects) and head.defects[0].startswith(TOO_LONG)
        self._nothing_due = terms.method == "HEAD" or head.status in {101, 204, 304}
        self._chunks = Chunks() if head.chunked else None
        self._length = head.length
        self._kept = bytearray()
        self.size = 0
        self.defects: list[str] = []

    async def read(self, stream: Stream, data: bytes) -> tuple[bytes, str]:
        """Read on from what came with the header; returns what is kept of the body, and the word for its end."""
        if self._nothing_due:
            return b"", "complete"
        if self._cut_header:
            return b"", "not-read"
        while True:
            self._take(data)
            ending = self._ending()
            if ending is None:
                try:
                    data = await _next(stream, self._terms.deadline)
                except STREAM_ERRORS as error:
                    ending = self._broken(error)
                else:
                    if not data:
                        until_close = self._chunks is None and self._length is None
                        ending = "complete" if until_close else "closed"
            if ending is not None:
                return bytes(self._kept), ending

    def _take(self, data: bytes) -> None:
        if self._chunks is not None:
            data = self._chunks.feed(data)
            if self._chunks.broken is not None:
                self.defects.append(f"broken chunk: {self._chunks.broken}")
        elif self._length is not None and self.size + len(data) > self._length:
            self.defects.append("more body than Content-Length announced")
            data = data[: self._length - self.size]
        self.size += len(data)
        self._kept += data[: max(self._terms.max_bytes - len(self._kept), 0)]

    def _ending(self) -> str | None:
        if self._chunks is not None and (self._chunks.complete or self._chunks.broken):
            return "complete" if self._chunks.complete else "closed"
        if self._length is not None and self.size >= self._length:
            return "complete"
        return "not-read" if self.size >= self._terms.max_bytes else None

    def _broken(self, error: Exception) -> str:
        ending = no_reply("reading-body", error).ending
        if ending in {"reset", "timed-out"}:
            return ending
        if ending != "closed":
            self.defects.append(f"the body ended with {error}")
        return "closed"
