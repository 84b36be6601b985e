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
