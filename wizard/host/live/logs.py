"""The end of a log: what was written to it in the last seconds, whole lines only.

Owns the search for the start of that window and the step into the rotated file before it. May not know what lines mean.

The start is found without reading the file: in growing steps back from the end until a stamp is old enough, then by
bisection. Lines without a stamp belong to the one above. Where a clock was set back the window is longer than asked
for, because nothing tells the two runs apart.
"""

from __future__ import annotations

import os
import re
import stat
import time
import zlib
from typing import Protocol

import msgspec

from wizard.host.live import paths
from wizard.host.live.files import names_in, not_looked_up, spelled
from wizard.host.live.stamps import Stamp, stamps
from wizard.host.live.zone import Zone, zone_of
from wizard.host.questions import LogTail, NotAnswered, ReadLog, StampKind, Why
from wizard.text import one_line

STEP = 1 << 16  # bytes of the first step back
CHUNK = 1 << 13  # bytes that are first searched for a stamp
MOST_UNSTAMPED = 1 << 20  # bytes without a stamp after which the search for one ends
MAX_UNPACKED = 256 << 20  # bytes of a compressed log: a longer one is not looked into
# What logrotate(8) calls the file before: NAME.1, NAME-20261122, NAME-20261122-1795472489, each perhaps compressed.
_ROTATED = re.compile(r"(?:\.[01]|-\d{8}(?:-\d{1,12})?)(?:\.gz)?")


class Source(Protocol):
    """Bytes of a known number that can be read anywhere."""

    @property
    def size(self) -> int:
        """How many there are."""
        ...

    def read(self, start: int, length: int) -> bytes:
        """Some of them; fewer at the end."""
        ...


class OpenFile(msgspec.Struct, frozen=True):
    """An open file, up to the size that it had when it was looked at: what is appended meanwhile is not seen."""

    fd: int
    size: int

    def read(self, start: int, length: int) -> bytes:
        """Some bytes of it; fewer where it was cut off meanwhile."""
        parts: list[bytes] = []
        left = min(length, self.size - start)
        while left > 0:
            part = os.pread(self.fd, min(left, paths.CHUNK), start)
            if not part:
                break
            parts.append(part)
            start += len(part)
            left -= len(part)
        return b"".join(parts)


class Unpacked(msgspec.Struct, frozen=True):
    """The end of a compressed file in memory; `cut` says that its beginning was dropped."""

    content: bytes
    cut: bool

    @property
    def size(self) -> int:
        """How many bytes were kept."""
        return len(self.content)

    def read(self, start: int, length: int) -> bytes:
        """Some bytes of it."""
        return self.content[start : start + length]


class Window(msgspec.Struct, frozen=True):
    """What is searched for: the lines since a moment (epoch), with stamps of a kind, read in a zone."""

    since: float
    kind: StampKind
    zone: Zone

    def start(self, source: Source, limit: int) -> tuple[int, bool]:
        """Where the window begins in a source, and whether the limit (bytes from the end) cut older lines off.

        It begins at 0 where nothing in the source is too old, and at its end where everything is.
        """
        lowest = max(0, source.size - limit)
        old = self._old_place(source, lowest)
        if old is None:
            return _line_start(source, lowest), lowest > 0
        return self._first_young(source, old), False

    def _next(self, source: Source, place: int, end: int) -> Stamp | None:
        """The first stamped line that begins at or behind a place, and before `end`; places are those of the source."""
        length = CHUNK
        base = max(0, place - 1)  # where that byte is a newline, a line begins at the place itself
        while True:
            text = source.read(base, length)
            whole = len(text) if base + len(text) >= source.size else text.rfind(b"\n") + 1
            begin = 0 if place == 0 else text.find(b"\n") + 1
            if begin or place == 0:
                found = next(stamps(self.kind, text[:whole], self.zone, begin), None)
                if found is not None:
                    return Stamp(base + found.line, found.time) if base + found.line < end else None
            if length >= MOST_UNSTAMPED or base + length >= end:
                return None
            length *= 4

    def _old_place(self, source: Source, lowest: int) -> int | None:
        """The start of a line that is too old, at or behind `lowest`; None where there is none."""
        step = STEP
        place = source.size
        while place > lowest:
            place = max(lowest, source.size - step)
            seen = self._next(source, place, source.size)
            if seen is not None and seen.time < self.since:
                return seen.line
            step *= 2
        return None

    def _first_young(self, source: Source, old: int) -> int:
        """The start of the first young line behind an old one; the source's end where there is none."""
        young = source.size
        while young - old > CHUNK:
            middle = (old + young) // 2
            seen = self._next(source, middle, young)
            if seen is not None and seen.time < self.since:
                old = seen.line
            else:
                young = middle
        behind = self._next(source, young, source.size)
        end = source.size if behind is None else behind.line
        text = source.read(old, end - old)
        young_lines = (one.line for one in stamps(self.kind, text, self.zone) if one.time >= self.since)
        return old + next(young_lines, end - old)


def _line_start(source: Source, place: int) -> int:
    """The start of the first whole line from a place on."""
    at = max(0, place - 1)
    if place == 0:
        return 0
    while part := source.read(at, CHUNK):
        newline = part.find(b"\n")
        if newline >= 0:
            return at + newline + 1
        at += len(part)
    return source.size


def answer_read_log(question: ReadLog) -> LogTail | NotAnswered:
    """Read the end of a log, and where that reaches back to its first line, the end of the file before it."""
    now = time.time()
    try:
        zone = zone_of(question.within)
        window = Window(now - question.since, question.stamp, zone)
        with paths.found(question.path, question.within) as place, paths.opened(place) as fd:
            seen = os.fstat(fd)
            source = OpenFile(fd, seen.st_size)
            start, cut = window.start(source, question.max_bytes)
            content = source.read(start, source.size - start)
    except paths.NotRegularError as error:
        return NotAnswered(Why.REFUSED, f"{one_line(question.path)}: {error}")
    except OSError as error:
        return not_looked_up(error, question.path, question.within)
    if start == 0 and not cut:
        before, cut = _before(question, window, question.max_bytes - len(content))
        content = before + content
    return LogTail(
        path=spelled(question.path),
        content=content,
        size=seen.st_size,
        mtime=seen.st_mtime,
        from_start=not cut,
        utc_offset=zone.offset(now),
    )


def _before(question: ReadLog, window: Window, limit: int) -> tuple[bytes, bool]:
    """The part of the window in the rotated file before a log, and whether any of it is missing."""
    try:
        path = _rotated(question.path, question.within, window.since)
        if path is None:
            return b"", False
        with paths.found(path, question.within) as place, paths.opened(place) as fd:
            source: Source = OpenFile(fd, os.fstat(fd).st_size)
            lost = False
            if path.endswith(".gz"):
                source = unpacked = _unpack(fd, limit)
                lost = unpacked.cut
            start, cut = window.start(source, limit)
            return source.read(start, source.size - start), cut or (lost and start == 0)
    except (OSError, paths.NotRegularError, zlib.error):
        return b"", True


def _rotated(path: str, within: int | None, since: float) -> str | None:
    """The youngest rotated file beside a log, if it was written to in the window; of two the uncompressed one."""
    folder, _, name = path.rpartition("/")
    candidates: list[tuple[float, bool, str]] = []
    with paths.found(folder or "/", within) as place:
        fd = paths.listed(place)
        try:
            for other in names_in(fd):
                if not other.startswith(name) or not _ROTATED.fullmatch(other[len(name) :]):
                    continue
                seen = os.stat(other, dir_fd=fd)
                if stat.S_ISREG(seen.st_mode) and seen.st_mtime >= since:
                    candidates.append((seen.st_mtime, not other.endswith(".gz"), f"{folder}/{other}"))
        finally:
            os.close(fd)
    return max(candidates)[2] if candidates else None


def _unpack(fd: int, limit: int) -> Unpacked:
    """The last bytes of a gzip file (RFC 1952, of several members too). zlib.error where it is none, or too long."""
    kept = bytearray()
    total = 0
    packed = b""
    unpacker = zlib.decompressobj(wbits=31)
    while packed := packed or os.read(fd, paths.CHUNK):
        part = unpacker.decompress(packed, paths.CHUNK)
        packed = unpacker.unconsumed_tail
        if unpacker.eof:
            packed = unpacker.unused_data
            unpacker = zlib.decompressobj(wbits=31)
        total += len(part)
        if total > MAX_UNPACKED:
            raise zlib.error("longer than what is looked into")
        kept += part
        if len(kept) > 2 * limit + paths.CHUNK:
            del kept[: len(kept) - limit]
    kept += unpacker.flush()
    del kept[: max(0, len(kept) - limit)]
    return Unpacked(bytes(kept), cut=total > limit)
