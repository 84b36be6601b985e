"""The session file: JSON Lines, one header, then one line for each reply and each event, then one that says the end.

Owns the format and its version. May not know what the records mean. A file comes from anywhere: what is wrong with it
is said with its line, and reading takes no more memory than the size limit allows.

    {"gateway-wizard-session": 1, "wizard": "0.1.0", "id": "...", "started": 1795443251.2, "target": "https://..."}
    {"asked": {"number": 1, "question": {"ask": "clock"}, "answer": {"answer": "clock", ...}, "at": ..., ...}}
    {"event": "started", ...}
    {"end": {"asked": 1, "events": 1}}

Within a version fields may be added; an unknown one is ignored.
"""

from __future__ import annotations

import os
import stat
import zlib
from math import isfinite
from pathlib import Path
from typing import Any

import msgspec

from wizard.host.port import Reply
from wizard.host.questions import AnyAnswer, AnyQuestion, Me
from wizard.host.secrets import Redactor
from wizard.session.events import Event, StepDone
from wizard.session.lines import line_of, value_of
from wizard.session.redact import without_secrets
from wizard.session.save import write_private
from wizard.session.session import Option, Session
from wizard.text import one_line

VERSION = 1
LARGEST = 1 << 28  # bytes, after decompression
_END = 1 << 16

_GZIP = b"\x1f\x8b"
_ANOTHER_FILE = "name a file that gateway-wizard wrote with --record"


class SessionFileError(Exception):
    """A file that is no readable session: the path, the line (0: the file as a whole), what is wrong, what to do."""

    def __init__(self, path: str, line: int, what: str, hint: str) -> None:
        self.path = path
        self.line = line
        self.what = what
        self.hint = hint
        place = f"{one_line(path)}:{line}" if line else one_line(path)
        super().__init__(f"{place}: {what}; {hint}")


class _Version(msgspec.Struct, frozen=True):
    version: int = msgspec.field(name="gateway-wizard-session")
    wizard: str = ""


class _Header(msgspec.Struct, frozen=True):
    version: int = msgspec.field(name="gateway-wizard-session")
    wizard: str
    id: str
    started: float
    target: str | None = None
    options: dict[str, Option] = {}
    me: Me | None = None


class _Asked(msgspec.Struct, frozen=True):
    number: int
    question: AnyQuestion
    answer: AnyAnswer
    at: float
    seconds: float
    attempt: int = 1


class _AskedLine(msgspec.Struct, frozen=True):
    asked: _Asked


class _Count(msgspec.Struct, frozen=True):
    asked: int
    events: int


class _EndLine(msgspec.Struct, frozen=True):
    end: _Count


def dump(session: Session, redactor: Redactor | None = None) -> bytes:
    """A session as the content of a session file, with all secrets replaced."""
    session = without_secrets(session, redactor)
    header = _Header(VERSION, session.wizard, session.id, session.started, session.target, session.options, session.me)
    lines = [
        line_of(header),
        *(b'{"asked":' + line_of(reply) + b"}" for reply in session.asked),
        *(line_of(_writable(event)) for event in session.events),
        line_of(_EndLine(_Count(len(session.asked), len(session.events)))),
    ]
    return b"\n".join(lines) + b"\n"


def write(path: str | Path, session: Session, redactor: Redactor | None = None) -> None:
    """Write a session file, for its owner only, whole or not at all; compressed where the name ends in `.gz`.

    Secrets are replaced whatever the caller did before.

    Args:
        path: where to; a file there is replaced, a link is not followed.
        session: what happened.
        redactor: the one of the recording, so that its marks go on.

    Raises:
        SaveError: the file was not written.
    """
    data = dump(session, redactor)
    if str(path).endswith(".gz"):
        packer = zlib.compressobj(wbits=16 + zlib.MAX_WBITS)  # gzip, without a time: equal sessions are equal files
        data = packer.compress(data) + packer.flush()
    write_private(path, data)


def load(path: str | Path, *, largest: int = LARGEST) -> Session:
    """Read a session file, compressed or not.

    A file whose end is missing is read up to there, and the session's `warnings` say so.

    Raises:
        SessionFileError: it is missing, unreadable, damaged, too large, of a newer version, or something else.
    """
    name = str(path)
    data, warnings = _unpacked(name, _content(name, largest), largest)
    return _session(name, data, warnings)


class Glimpse(msgspec.Struct, frozen=True):
    """What a session file says at its two ends: what was walked on which host, since when, and whether to its end."""

    target: str | None
    hostname: str
    started: float
    complete: bool


def glimpse(path: str | Path) -> Glimpse | None:
    """The ends of an uncompressed session file, without reading what lies between; None where it is none."""
    try:
        with Path(path).open("rb") as stream:
            header = value_of(stream.readline(_END), _Header)
            stream.seek(max(0, stream.seek(0, os.SEEK_END) - _END))
            lines = stream.read().split(b"\n")
    except (OSError, ValueError, RecursionError, msgspec.MsgspecError):
        return None
    finished = next((line for line in reversed(lines) if line.startswith(b'{"event":"finished"')), b"")
    hostname = header.me.hostname if header.me is not None else ""
    return Glimpse(header.target, hostname, header.started, finished.endswith(b'"how":"complete"}'))


def _writable(event: Event) -> Event:
    """The event with numbers that JSON has no word for (infinity) as words."""
    if not isinstance(event, StepDone) or all(not isinstance(v, float) or isfinite(v) for v in event.values.values()):
        return event
    values = {k: str(v) if isinstance(v, float) and not isfinite(v) else v for k, v in event.values.items()}
    return msgspec.structs.replace(event, values=values)


def _content(path: str, largest: int) -> bytes:
    try:
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        with os.fdopen(file, "rb") as stream:
            if not stat.S_ISREG(os.fstat(file).st_mode):
                raise SessionFileError(path, 0, "it is not a regular file", _ANOTHER_FILE)
            data = stream.read(largest + 1)
    except FileNotFoundError as error:
        raise SessionFileError(path, 0, "there is no such file", "check the name") from error
    except PermissionError as error:
        hint = "read it as its owner: session files are private"
        raise SessionFileError(path, 0, "it may not be read", hint) from error
    except (OSError, ValueError) as error:
        words = error.strerror if isinstance(error, OSError) and error.strerror else "the name is no path"
        raise SessionFileError(path, 0, f"it cannot be read ({words})", _ANOTHER_FILE) from error
    if len(data) > largest:
        raise SessionFileError(path, 0, f"it is larger than {largest} bytes", "record a shorter time (--since)")
    return data


def _unpacked(path: str, data: bytes, largest: int) -> tuple[bytes, list[str]]:
    if not data.startswith(_GZIP):
        return data, []
    unpacker = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
    try:
        plain = unpacker.decompress(data, largest + 1)
    except zlib.error as error:
        raise SessionFileError(path, 0, "it is damaged: gzip cannot unpack it", "copy it again") from error
    if len(plain) > largest:
        raise SessionFileError(path, 0, f"it unpacks to more than {largest} bytes", "record a shorter time (--since)")
    return plain, [] if unpacker.eof else ["the compressed file is cut off"]


def _session(path: str, data: bytes, warnings: list[str]) -> Session:
    lines = data.split(b"\n")
    header = _header(path, lines[0])
    asked: dict[int, Reply[Any]] = {}
    events: list[Event] = []
    end: _Count | None = None
    for number, line in enumerate(lines[1:], 2):
        if not line.strip():
            continue
        try:
            if line.startswith(b'{"asked":'):
                one = value_of(line, _AskedLine).asked
                if one.number in asked:
                    raise SessionFileError(path, number, f"a second reply is numbered {one.number}", _COPY_AGAIN)
                asked[one.number] = Reply(one.number, one.question, one.answer, one.at, one.seconds, one.attempt)
            elif line.startswith(b'{"end":'):
                end = value_of(line, _EndLine).end
            else:
                events.append(value_of(line, _EVENT))
        except (msgspec.MsgspecError, RecursionError, ValueError) as error:
            if number == len(lines):  # no line break: the writer or the copy was interrupted here
                warnings.append(f"line {number} is cut off and was left out")
                continue
            raise SessionFileError(
                path, number, f"the record is damaged ({one_line(str(error))})", _hint(header)
            ) from error
    if end is None:
        warnings.append("the file ends early: what came later is missing")
    elif (end.asked, end.events) != (len(asked), len(events)):
        warnings.append("records are missing in the middle of the file")
    return Session(
        id=header.id,
        started=header.started,
        wizard=header.wizard,
        target=header.target,
        options=header.options,
        me=header.me,
        asked=tuple(asked[number] for number in sorted(asked)),
        events=tuple(events),
        warnings=tuple(warnings),
    )


def _header(path: str, line: bytes) -> _Header:
    try:
        version = value_of(line, _Version)
    except (msgspec.MsgspecError, RecursionError, ValueError) as error:
        what = "it is empty" if not line.strip() else "it is no session file"
        raise SessionFileError(path, 1, what, _ANOTHER_FILE) from error
    if version.version > VERSION:
        what = f"it was written in format {version.version}, and this program reads {VERSION}"
        raise SessionFileError(path, 1, what, f"use gateway-wizard {one_line(version.wizard)} or newer")
    try:
        return value_of(line, _Header)
    except (msgspec.MsgspecError, RecursionError, ValueError) as error:
        raise SessionFileError(path, 1, f"the header is damaged ({one_line(str(error))})", _COPY_AGAIN) from error


_COPY_AGAIN = "copy or record it again"
_EVENT: Any = Event


def _hint(header: _Header) -> str:
    return f"it was written by gateway-wizard {one_line(header.wizard, limit=40)}; copy or record it again"
