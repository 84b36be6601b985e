"""What is asked of the machine itself: one allow-listed command, the time, and who asks.

May not know what a command's output means.
"""

from __future__ import annotations

from wizard.host.questions.asking import Answer, Ask


class Ran(Answer, frozen=True, tag="ran"):
    """A command's exit status and what it printed; `cut` says that the size limit was reached."""

    status: int
    out: bytes
    err: bytes
    cut: bool = False


class Run(Ask[Ran], frozen=True, tag="run"):
    """Run one argv of the allow-list, without a shell, with a fixed environment and no standard input."""

    argv: tuple[str, ...]
    seconds: float = 5.0
    max_bytes: int = 1 << 20


class Told(Answer, frozen=True, tag="clock"):
    """Now and the time of boot in seconds since the epoch, and the local zone's offset east of UTC in seconds."""

    now: float
    boot: float
    utc_offset: int
    zone: str = ""


class Clock(Ask[Told], frozen=True, tag="clock"):
    """What time it is on the host."""


class Me(Answer, frozen=True, tag="identity"):
    """Who the wizard runs as, and on what."""

    uid: int
    user: str
    groups: tuple[str, ...]
    hostname: str
    os: str
    kernel: str
    capabilities: tuple[str, ...] = ()
    init: str = ""  # the name of process 1
    pid: int = 0
    net_ns: int = 0
    mnt_ns: int = 0


class Identity(Ask[Me], frozen=True, tag="identity"):
    """Who asks, and where."""
