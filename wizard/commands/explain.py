"""`explain`: log lines in, and out what each one means: program, phase, errno, upstream, and the causes it fits.

Owns reading the input and the two forms of the answer. May not know how a line is recognised.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path

import msgspec

from wizard.commands.errors import InputError
from wizard.commands.output import as_json, write
from wizard.logs.recognise import explain_text
from wizard.model import LogEvent
from wizard.session.report import SCHEMA_VERSION
from wizard.text import one_line

MAX_INPUT = 256 << 20


class Line(msgspec.Struct, frozen=True):
    """What one line means; `gateway` is null for a line that no known program wrote."""

    line: int
    gateway: str | None
    time: str | None
    phase: str
    errno: int | None
    upstream: str | None
    meaning: str
    causes: tuple[str, ...]


class Explained(msgspec.Struct, frozen=True):
    """What `gateway-wizard explain --json` prints."""

    schema_version: str
    lines: tuple[Line, ...]


def explain(given: argparse.Namespace) -> int:
    """Explain a file or standard input; 0 where something was recognised, 3 where nothing was."""
    # Stamps without a zone or a year are read as this host writes them.
    read = explain_text(_read(given.file), zone_offset=time.localtime().tm_gmtoff, year_hint=time.time())
    found = [_line(number, event) for number, event in read]
    if given.json:
        write(as_json(Explained(SCHEMA_VERSION, tuple(found))))
    else:
        write("".join(_text(found)))
    return 0 if any(one.gateway for one in found) else 3


def _read(name: str) -> bytes:
    if name == "-":
        return sys.stdin.buffer.read(MAX_INPUT)
    try:
        with Path(name).open("rb") as stream:
            return stream.read(MAX_INPUT)
    except OSError as error:
        raise InputError(
            f"the log could not be read: {error.strerror}", name, "give a file, or - for standard input"
        ) from error


def _line(number: int, event: LogEvent | None) -> Line:
    if event is None:
        return Line(number, None, None, "none", None, None, "", ())
    return Line(
        line=number,
        gateway=event.program,
        time=_iso(event.time) if event.time is not None else None,
        phase=str(event.phase),
        errno=event.errno,
        upstream=_shown(event.upstream) if event.upstream is not None else None,
        meaning=event.meaning,
        causes=event.causes,
    )


@lru_cache(maxsize=4096)
def _iso(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


@lru_cache(maxsize=4096)
def _shown(upstream: str) -> str:
    return one_line(upstream)


def _text(found: list[Line]) -> Iterator[str]:
    known = [one for one in found if one.gateway is not None]
    for one in known:
        facts = [one.gateway or "", one.phase if one.phase != "none" else "", one.upstream or ""]
        number = f"errno {one.errno}" if one.errno is not None else ""
        yield f"line {one.line}: {', '.join(fact for fact in [*facts, number] if fact)}\n  {one.meaning}\n"
        if one.causes:
            yield f"  consistent with: {', '.join(one.causes)}\n"
    missed = len(found) - len(known)
    if missed:
        yield f"{missed} lines were not recognised.\n" if known else "No line was recognised.\n"
