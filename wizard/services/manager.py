"""What a service manager is asked for, whichever one it is.

Owns the words in which the state of a service is told and the protocol that every service manager here follows. May
not know systemd, OpenRC, or how a question reaches the host.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Protocol, TypeVar

from wizard.host.port import Reply
from wizard.host.questions import Ask, NotAnswered

A = TypeVar("A")


class Asks(Protocol):
    """Whoever can ask the host."""

    async def ask(self, question: Ask[A]) -> Reply[A]:
        """Ask one question."""
        ...


class UnitCondition(StrEnum):
    """What was observed of a service. None of them says that it works."""

    RUNNING = "running"
    STARTING = "starting"  # its start is not finished
    STOPPING = "stopping"
    LISTENING = "listening"  # a socket unit that waits for its first connection
    EXITED = "exited"  # counts as active, and no process is left
    CRASH_LOOPING = "crash-looping"  # ends and is started again, or was until its manager gave up
    FAILED_AT_START = "failed-at-start"
    FAILED_LATER = "failed-later"  # it ran, then died
    STOPPED = "stopped"
    NOT_FOUND = "not-found"
    MASKED = "masked"
    BAD_UNIT = "bad-unit"  # its file is there and cannot be used
    UNKNOWN = "unknown"


UP = frozenset({UnitCondition.RUNNING, UnitCondition.LISTENING})

_SAID = {
    UnitCondition.RUNNING: "runs",
    UnitCondition.LISTENING: "waits for its first connection",
    UnitCondition.EXITED: "has exited",
    UnitCondition.CRASH_LOOPING: "starts and ends again and again",
    UnitCondition.FAILED_AT_START: "failed at its start",
    UnitCondition.FAILED_LATER: "ran and failed",
    UnitCondition.NOT_FOUND: "is not known to its service manager",
    UnitCondition.BAD_UNIT: "has a unit file that cannot be used",
}


def condition_said(condition: UnitCondition) -> str:
    """What is observed of a service, as the rest of a sentence that begins with its name."""
    return _SAID.get(condition, f"is {condition}")


class ServiceState(Protocol):
    """The state of one service, in the terms that all service managers share."""

    @property
    def id(self) -> str:
        """The name under which the service manager knows it."""
        ...

    @property
    def main_pid(self) -> int:
        """Its main process, 0 where none runs."""
        ...

    def condition(self, now: float | None = None) -> UnitCondition:
        """What was observed of it; `now` in seconds since the epoch."""
        ...


class ServiceManager(Protocol):
    """A service manager that can be asked about its services."""

    @property
    def name(self) -> str:
        """Its name as reports use it: systemd, openrc, supervisor."""
        ...

    async def present(self, ask: Asks) -> bool:
        """Whether it runs the services of this host."""
        ...

    async def state(self, ask: Asks, unit: str) -> ServiceState | NotAnswered:
        """The state of one service."""
        ...
