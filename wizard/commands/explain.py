"""`explain`: log lines in, and out what each one means: program, phase, errno, upstream, and the causes it fits.

Owns reading the input and the two forms of the answer: groups of lines for a person, each line for a program. May not
know how a line is recognised.
"""

from __future__ import annotations

import argparse
import errno
import shutil
import sys
import textwrap
import time
import zlib
from collections.abc import Iterable, Iterator
from functools import lru_cache
from io import BytesIO
from pathlib import Path

import msgspec

from wizard.commands.errors import InputError
from wizard.commands.output import write
from wizard.logs.groups import Group, Grouped, grouped
from wizard.logs.shapes import Meaning, Told, told_lines
from wizard.session.report import SCHEMA_VERSION
from wizard.text import one_line, shell_word

MAX_INPUT = 256 << 20
_GZIP = b"\x1f\x8b"
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
_PACKED = {b"\x28\xb5\x2f\xfd": "zstd", b"\xfd7zXZ\x00": "xz", b"BZh": "bzip2"}
_MOST_UNEXPLAINED = 10  # groups of errors that nobody can explain; the largest ones are shown
_MOST_UPSTREAMS = 8
_SAMPLE = 300  # characters
_WIDEST = 100


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
    data = _read(given.file)
    # Stamps without a zone or a year are read as this host writes them.
    told = list(told_lines(data, zone_offset=time.localtime().tm_gmtoff, year_hint=time.time()))
    write(_json(told) if given.json else "".join(_text(data, told)))
    return 0 if any(meaning is not None for _, meaning, _ in told) else 3


def _read(name: str) -> bytes:
    if name == "-":
        if sys.stdin.isatty():
            sys.stderr.write("Paste the lines, then press Ctrl-D.\n")
        return _plain(sys.stdin.buffer.read(MAX_INPUT), "standard input")
    try:
        with Path(name).open("rb") as stream:
            return _plain(stream.read(MAX_INPUT), name)
    except OSError as error:
        raise InputError(
            f"the log could not be read: {error.strerror}", name, "give a file, or - for standard input"
        ) from error


def _plain(data: bytes, name: str) -> bytes:
    """A log as bytes of text: a rotated one is unpacked as far as it goes, and UTF-16 is made UTF-8."""
    if data.startswith(_GZIP):
        try:
            return zlib.decompressobj(wbits=zlib.MAX_WBITS | 16).decompress(data, MAX_INPUT)
        except zlib.error as error:
            raise InputError("the log is packed and could not be unpacked", name, f"zcat {shell_word(name)}") from error
    if data.startswith(_UTF_16):
        return data.decode("utf-16", "replace").encode()
    for start, program in _PACKED.items():
        if data.startswith(start):
            hint = f"{program} -dc {shell_word(name)} | gateway-wizard explain"
            raise InputError(f"the log is packed with {program}", name, hint)
    return data


# --- for a program ----------------------------------------------------------------------------------------------------


def _json(told: Iterable[Told]) -> str:
    """An `Explained`, one line of text for each entry. What lines have in common is encoded once."""
    encoded: dict[int, tuple[str, str]] = {}  # by the identity of a meaning: all lines that say it share the value
    entries: list[str] = []
    for number, meaning, at in told:
        around = encoded.get(id(meaning))
        if around is None:
            around = encoded[id(meaning)] = _common(meaning)
        entries.append(f'{{"line": {number}, {around[0]}, "time": {_time(at)}, {around[1]}')
    lines = "\n    " + ",\n    ".join(entries) + "\n  " if entries else ""
    return f'{{\n  "schema_version": "{SCHEMA_VERSION}",\n  "lines": [{lines}]\n}}\n'


def _common(meaning: Meaning | None) -> tuple[str, str]:
    """What stands before the time of a line, and what behind it."""
    if meaning is None:
        line = Line(0, None, None, "none", None, None, "", ())
    else:
        upstream = one_line(meaning.upstream) if meaning.upstream is not None else None
        line = Line(
            0, meaning.program, None, str(meaning.phase), meaning.errno, upstream, meaning.meaning, meaning.causes
        )
    text = msgspec.json.format(msgspec.json.encode(line), indent=0).decode()
    gateway, _, rest = text.removeprefix('{"line": 0, ').partition(', "time": null, ')
    return gateway, rest


@lru_cache(maxsize=65536)
def _time(at: int | None) -> str:
    return "null" if at is None else time.strftime('"%Y-%m-%dT%H:%M:%SZ"', time.gmtime(at))


# --- for a person -----------------------------------------------------------------------------------------------------


def _text(data: bytes, told: list[Told]) -> Iterator[str]:
    """What failed, the most frequent first, then errors that nobody can explain, then how many lines are neither."""
    empty = {number for number, line in enumerate(BytesIO(data), 1) if not line.strip()}
    found = grouped(one for one in told if one[1] is not None or one[0] not in empty)
    width = _width()
    for group in found.failures:
        yield from _group(group, width)
    if found.unexplained:
        yield from _unexplained(data, found, width)
    if found.failures:
        yield "gateway-wizard cause ID says more of a cause.\n"
    if found.harmless:
        count = sum(number for _, number in found.harmless)
        by_program = ", ".join(f"{name} {number:,}" for name, number in found.harmless)
        yield f"{_lines(count)} no failure: {by_program}.\n"
    if found.unknown:
        known = found.failures or found.unexplained or found.harmless
        yield f"{_lines(found.unknown)} not recognised.\n" if known else "No line was recognised.\n"
    elif not told:
        yield "There is no line.\n"


def _group(group: Group, width: int, sample: str = "") -> Iterator[str]:
    meaning = group.meaning
    facts = [meaning.program, meaning.phase if meaning.phase != "none" else ""]
    if meaning.errno is not None:
        name = errno.errorcode.get(meaning.errno)
        facts.append(f"errno {meaning.errno}" + (f" {name}" if name else ""))
    if len(group.upstreams) == 1:
        facts.insert(2, one_line(*group.upstreams))
    yield ", ".join(fact for fact in facts if fact) + "\n"
    yield _wrapped(meaning.meaning, width)
    if meaning.causes:
        yield _wrapped(f"consistent with: {', '.join(meaning.causes)}", width)
    if len(group.upstreams) > 1:
        yield _wrapped(f"upstreams: {', '.join(_upstreams(group))}", width)
    if sample:
        yield _wrapped(sample, width)
    yield _wrapped(_where(group), width) + "\n"


def _unexplained(data: bytes, found: Grouped, width: int) -> Iterator[str]:
    """Errors that are in no table, each with a line that says it: the words are all there is to go by."""
    shown = found.unexplained[:_MOST_UNEXPLAINED]
    wanted = {group.last_line for group in shown}
    said = {number: line for number, line in enumerate(BytesIO(data), 1) if number in wanted}
    for group in shown:
        yield from _group(group, width, one_line(said[group.last_line].strip(), limit=_SAMPLE))
    left = sum(group.count for group in found.unexplained[_MOST_UNEXPLAINED:])
    if left:
        yield f"{_lines(left)} errors that no known fault explains, and not shown.\n"


def _upstreams(group: Group) -> Iterator[str]:
    """The upstreams that most lines name, each with their number."""
    shown = group.upstreams.most_common(_MOST_UPSTREAMS)
    for upstream, count in shown:
        yield f"{one_line(upstream)} ({count:,})"
    if len(group.upstreams) > len(shown):
        yield f"and {len(group.upstreams) - len(shown):,} more"


def _where(group: Group) -> str:
    """How many lines say so, since when and until when."""
    if group.count == 1:
        return f"line {group.first_line}" + (f", {_clock(group.first)}" if group.first is not None else "")
    lines = f"{group.count:,} lines, {group.first_line} to {group.last_line}"
    if group.first is None or group.last is None:
        return lines
    first, last = _clock(group.first), _clock(group.last)
    return f"{lines}, from {first} to {last[-8:] if last[:10] == first[:10] else last}"


def _lines(count: int) -> str:
    return f"{count:,} {'line is' if count == 1 else 'lines are'}"


def _clock(at: int) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(at))


def _wrapped(said: str, width: int) -> str:
    return (
        textwrap.fill(
            said, width, initial_indent="  ", subsequent_indent="    ", break_long_words=False, break_on_hyphens=False
        )
        + "\n"
    )


def _width() -> int:
    return min(shutil.get_terminal_size((_WIDEST, 24)).columns, _WIDEST)
