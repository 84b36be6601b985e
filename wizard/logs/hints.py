"""What stands around a line: the time, program and process that its surroundings name.

Owns the value that passes from the unwrapping of a line to the reader of a program. May not know either.
"""

from __future__ import annotations

import msgspec

from wizard.logs.stamps import Clock


class Hints(msgspec.Struct, frozen=True):
    """What was said around a line, and how strictly it is to be read. `program` is the tag as printed (`php-fpm8.2`); `unit` a systemd unit."""

    time: float | None = None
    program: str = ""
    pid: int | None = None
    clock: Clock = msgspec.field(default_factory=Clock)
    loose: bool = True  # also what has lost its frame; False: only lines that begin as the program's own do


PLAIN = Hints()


def later(time: float | None, hints: Hints) -> float | None:
    """The innermost time that could be read: it is nearest to the event."""
    return hints.time if time is None else time


def name_of(program: str) -> str:
    """A program's name as its surroundings print it: without a folder; nothing for a dash."""
    return program.rpartition("/")[2] if program != "-" else ""
