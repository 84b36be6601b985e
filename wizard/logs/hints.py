"""What stands around a line: the time, program and process that its surroundings name.

Owns the value that passes from the unwrapping of a line to the reader of a program. May not know either.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from wizard.logs.stamps import Clock


@dataclass(frozen=True, slots=True)
class Hints:
    """What was said around a line. `program` is the tag as printed (`php-fpm8.2`); `unit` a systemd unit."""

    time: float | None = None
    program: str = ""
    pid: int | None = None
    clock: Clock = field(default_factory=Clock)
    terminated: bool = False  # the surroundings show that the line's end was not cut off


PLAIN = Hints()
