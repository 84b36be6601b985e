"""What a session holds of the time before, and a moment of it.

Owns the shapes, and which answers, units and servers belong to the latest attempt. May not know what an answer tells.
A session that was recorded before anybody asked for the past gives what its other answers hold.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import TypeVar

import msgspec

from wizard.host.questions import (
    Clock,
    DirList,
    FileStat,
    ListDir,
    LogTail,
    Ran,
    ReadLog,
    Run,
    Stat,
    Told,
)
from wizard.logs.bursts import Burst
from wizard.model import Route
from wizard.session.events import AttemptStarted, Recalled, Started, StepDone
from wizard.session.session import Asked, Session

A = TypeVar("A")

SAME = 1.0  # seconds within which two sources tell of one thing


class Kind(StrEnum):
    """What sort of thing happened."""

    ERROR = "error"  # failures in the gateway's log
    MET = "met"  # what the walk's own request met
    UNIT = "unit"
    GATEWAY = "gateway"
    FAILURE = "failure"  # of a unit, or of the gateway's configuration
    WORDS = "words"  # what a unit said when it failed
    MEMORY = "memory"
    BOOT = "boot"
    FILE = "file"
    CERTIFICATE = "certificate"
    DEPLOY = "deploy"
    PACKAGE = "package"
    NAME = "name"


_LATE = {Kind.ERROR: 1, Kind.MET: 2}


class Moment(msgspec.Struct, frozen=True):
    """Something that happened: when (epoch), what (one line of visible text), and where that is written.

    `about` names the unit, file or address. `weight` is how much it may explain, from 0 to 100. `burst` are the
    failures that begin with it.
    """

    at: float
    what: str
    source: str
    kind: Kind
    about: str = ""
    weight: int = 50
    burst: Burst | None = None

    @property
    def order(self) -> tuple[int, int, float, float, str, str]:
        """In the order of time. A gateway's log counts whole seconds: its failures come last within theirs."""
        until = self.burst.last if self.burst is not None else self.at
        return int(self.at // 1), _LATE.get(self.kind, 0), self.at, until, self.what, self.source


class Scene(msgspec.Struct, frozen=True):
    """The latest attempt of a session: its answers, its routes, and what the host was asked about the past.

    `started` is when the walk began (epoch).
    """

    asked: tuple[Asked, ...]
    recalled: Recalled
    routes: tuple[Route, ...]
    steps: tuple[StepDone, ...]
    told: Told | None
    started: float

    @classmethod
    def of(cls, session: Session) -> Scene:
        """The scene of a session."""
        latest = {reply.question: reply for reply in sorted(session.asked, key=lambda one: (one.attempt, one.number))}
        told = (one.answer for one in latest.values() if isinstance(one.question, Clock))
        recalled = [event for event in session.events if isinstance(event, Recalled)]
        began = [event.at for event in session.events if isinstance(event, Started | AttemptStarted)]
        return cls(
            asked=tuple(latest.values()),
            recalled=recalled[-1] if recalled else Recalled(0.0),
            routes=tuple(one.route for one in session.subjects() if one.scope == "route" and one.route is not None),
            steps=session.steps(session.attempt),
            told=next((answer for answer in told if isinstance(answer, Told)), None),
            started=began[-1] if began else session.started,
        )

    @property
    def utc_offset(self) -> int:
        """Seconds by which the host's zone is east of UTC."""
        return self.told.utc_offset if self.told else 0

    @property
    def gateway_units(self) -> tuple[str, ...]:
        """The gateways' own units."""
        return tuple(dict.fromkeys(one.gateway.unit for one in self.routes if one.gateway.unit))

    @property
    def units(self) -> tuple[str, ...]:
        """The units behind the gateways."""
        named = [unit for step in self.steps if isinstance(unit := step.values.get("unit"), str)]
        known = (*self.recalled.units, *named)
        return tuple(dict.fromkeys(one for one in known if one and one not in self.gateway_units))

    @property
    def servers(self) -> frozenset[str]:
        """The addresses of the servers behind, as configured."""
        return frozenset(server.address for one in self.routes if one.upstream for server in one.upstream.servers)

    @property
    def by_name(self) -> bool:
        """Whether a server is configured by its name: a log then writes addresses that nobody configured."""
        return any(server.name for one in self.routes if one.upstream for server in one.upstream.servers)

    def answers(self, kind: type[A]) -> Iterator[A]:
        """The answers of a kind."""
        return (one.answer for one in self.asked if isinstance(one.answer, kind))

    def commands(self) -> Iterator[tuple[Run, Ran]]:
        """The commands that were run, with what they printed."""
        for one in self.asked:
            if isinstance(one.question, Run) and isinstance(one.answer, Ran):
                yield one.question, one.answer

    def logs(self) -> Iterator[tuple[ReadLog, LogTail]]:
        """The logs that were read."""
        for one in self.asked:
            if isinstance(one.question, ReadLog) and isinstance(one.answer, LogTail):
                yield one.question, one.answer

    def folders(self) -> Iterator[DirList]:
        """The folders that were listed."""
        return (
            one.answer for one in self.asked if isinstance(one.question, ListDir) and isinstance(one.answer, DirList)
        )

    def links(self) -> Iterator[FileStat]:
        """The links that were looked at themselves."""
        for one in self.asked:
            if isinstance(one.question, Stat) and isinstance(one.answer, FileStat) and one.answer.kind == "link":
                yield one.answer

    def stats(self) -> Iterator[FileStat]:
        """The files that were looked at, behind their links."""
        for one in self.asked:
            if isinstance(one.question, Stat) and one.question.follow and isinstance(one.answer, FileStat):
                yield one.answer
