"""A session: who asked which host, everything that was asked, and everything that happened.

Owns the value from which reports and screens are derived, and how its parts are found. May not know files, terminals
or how a verdict is drawn. It never changes: what is added makes a new one.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, TypeAlias

import msgspec

from wizard.host.port import Reply
from wizard.host.questions import Me
from wizard.session.events import AttemptStarted, Event, StepDone, SubjectFound, SubjectRef

Asked: TypeAlias = Reply[Any]
Option = str | int | float | bool | tuple[str, ...] | None

_NOT_IN_NAMES = re.compile(r"[^a-z0-9]+")
_EVIDENCE = re.compile(r"e([1-9][0-9]{0,9})")


class Session(msgspec.Struct, frozen=True):
    """What happened in one run, from the first question to the last event.

    `started` is seconds since the epoch, `wizard` the version of the program. `asked` is ordered by number.
    `me` is who asked, on which host (None: that could not be told). `warnings` say what was wrong with the file that
    the session was read from; they are not written again.
    """

    id: str
    started: float
    wizard: str
    target: str | None = None
    options: dict[str, Option] = {}
    me: Me | None = None
    asked: tuple[Asked, ...] = ()
    events: tuple[Event, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def attempt(self) -> int:
        """The latest attempt, from 1."""
        begun = [event.attempt for event in self.events if isinstance(event, AttemptStarted | StepDone)]
        return max([1, *begun, *(reply.attempt for reply in self.asked)])

    def reply(self, number: int) -> Asked | None:
        """The reply of that number; None where there is none."""
        return next((reply for reply in self.asked if reply.number == number), None)

    def evidence(self, name: str) -> Asked | None:
        """The reply that reports cite as `e12`; None where there is none."""
        match = _EVIDENCE.fullmatch(name)
        return self.reply(int(match[1])) if match else None

    def steps(self, attempt: int | None = None) -> tuple[StepDone, ...]:
        """The steps that came to an outcome, in the order of the walk; of one attempt, or of all."""
        return tuple(event for event in self.events if isinstance(event, StepDone) and attempt in {None, event.attempt})

    def subjects(self) -> tuple[SubjectRef, ...]:
        """What was walked, each once, in the order in which it was found."""
        found = {event.subject.key: event.subject for event in self.events if isinstance(event, SubjectFound)}
        return tuple(found.values())

    def with_event(self, *events: Event) -> Session:
        """The session in which these happened too."""
        return msgspec.structs.replace(self, events=self.events + events)

    def with_asked(self, asked: Iterable[Asked]) -> Session:
        """The session with these replies instead of its own, in the order of their numbers."""
        return msgspec.structs.replace(self, asked=tuple(sorted(asked, key=lambda reply: reply.number)))


def session_id(started: float, hostname: str, *, mark: str | None = None) -> str:
    """A name for a session: short, sorted by time, safe in file names, such as `20261123T140731Z-web-03-9f3a`.

    Args:
        started: seconds since the epoch.
        hostname: the host that is asked; only its letters and digits are used.
        mark: what tells two sessions of one second apart; four random hexadecimal digits otherwise.
    """
    stamp = datetime.fromtimestamp(started, UTC).strftime("%Y%m%dT%H%M%SZ")
    host = _NOT_IN_NAMES.sub("-", hostname.lower())[:32].strip("-") or "host"
    return f"{stamp}-{host}-{mark or secrets.token_hex(2)}"
