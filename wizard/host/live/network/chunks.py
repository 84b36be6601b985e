"""The chunked transfer coding (RFC 9112, 7.1), decoded as it comes.

Owns the state between two reads. Pure; linear in what is fed, whatever the sizes of chunks and reads are.
"""

from __future__ import annotations

import re

_LONGEST_LINE = 4096
_LONGEST_TRAILER = 65536
_SIZE = re.compile(rb"[ \t]*([0-9A-Fa-f]{1,15})[ \t]*(?:;[^\n]*)?\r?")


class Chunks:
    """A decoder for one body. Feed it until it is `complete`, or `broken` says what was wrong."""

    def __init__(self) -> None:
        self.complete = False
        self.broken: str | None = None
        self._buffer = bytearray()
        self._left = 0  # bytes of the present chunk that are still to come
        self._line_due = False  # the line end after a chunk's data is still to come
        self._trailer = False
        self._trailer_size = 0

    def feed(self, data: bytes) -> bytes:
        """Take what came and return the body's bytes in it."""
        self._buffer += data
        body = bytearray()
        at = 0
        while not self.complete and self.broken is None:
            if self._left:
                piece = self._buffer[at : at + self._left]
                if not piece:
                    break
                body += piece
                at += len(piece)
                self._left -= len(piece)
                self._line_due = not self._left
                continue
            end = self._buffer.find(b"\n", at, at + _LONGEST_LINE)
            if end < 0:
                if len(self._buffer) - at >= _LONGEST_LINE:
                    self.broken = "a chunk's size line does not end"
                break
            self._take_line(bytes(self._buffer[at:end]))
            at = end + 1
        del self._buffer[:at]
        return bytes(body)

    def _take_line(self, line: bytes) -> None:
        if self._line_due:
            self._line_due = False
            if line not in {b"", b"\r"}:
                self.broken = "a chunk is longer than its size says"
        elif self._trailer:
            self._trailer_size += len(line) + 1
            self.complete = line in {b"", b"\r"}
            if self._trailer_size > _LONGEST_TRAILER:
                self.broken = "the trailer does not end"
        else:
            size = _SIZE.fullmatch(line)
            if size is None:
                self.broken = "a chunk's size is no hexadecimal number"
            else:
                self._left = int(size[1], 16)
                self._trailer = not self._left
