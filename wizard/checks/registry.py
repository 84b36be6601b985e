"""What a check is, what it is asked about, and the list of all checks by name.

Owns `Check`, `Subject`, `Finding` and the registry. May not know a gateway, a flow, or a screen. A check is a named
async function from a subject to one of its declared outcomes, with what it saw as values.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from enum import StrEnum
from typing import Protocol, TypeVar

import msgspec

from wizard.host.port import Reply
from wizard.host.questions import Ask
from wizard.model import Instance, Place, Route, Server

A = TypeVar("A")

TIMEOUT = 15.0  # seconds that a whole walk may take
UNKNOWN = "unknown"


class Scope(StrEnum):
    """What a check is asked about. A wider subject's observations hold for every narrower one below it."""

    HOST = "host"
    ROUTE = "route"
    SERVER = "server"


class Subject(msgspec.Struct, frozen=True):
    """What is asked about: the whole host, one route through one gateway, or one server of that route's upstream.

    `key` names it in outputs and on the command line: `host`, a URL, an endpoint. `url` is the request that is
    walked. `parent` is the wider subject. A server subject has a `route` and a `server`. The route of a further
    gateway of a chain is reached through the server `behind`.
    """

    scope: Scope
    key: str
    url: str | None = None
    gateway: Instance | None = None
    route: Route | None = None
    server: Server | None = None
    parent: Subject | None = None
    behind: Subject | None = None

    def lineage(self) -> tuple[Subject, ...]:
        """This subject and the wider ones, narrowest first."""
        return (self,) if self.parent is None else (self, *self.parent.lineage())


class Edit(msgspec.Struct, frozen=True):
    """A change of one line of a file: the real file behind links, its line, and a few lines around it."""

    file: str
    line: int
    before: str
    after: str
    above: tuple[str, ...] = ()
    below: tuple[str, ...] = ()


Value = str | int | float | bool | Edit | tuple[str, ...]


class Gap(msgspec.Struct, frozen=True):
    """Something that could not be seen: what, because of what, and the smallest grant that would change it."""

    what: str
    because: str
    grant: str | None = None


class Finding(msgspec.Struct, frozen=True):
    """What a check saw: one declared outcome, one sentence that claims no more than was observed, and values.

    `values` are what commands and titles may name; each outcome's are declared. `when` is the epoch of the fault
    where the evidence is old (a log line); `gaps` are parts that could not be seen.
    """

    outcome: str
    summary: str
    values: Mapping[str, Value] = msgspec.field(default_factory=dict)
    gaps: tuple[Gap, ...] = ()
    by_hand: str | None = None
    first_seen: float | None = None
    last_seen: float | None = None
    at: Place | None = None


class Asker(Protocol):
    """What a check may do: ask the host. Everything asked becomes evidence of its finding."""

    async def ask(self, question: Ask[A]) -> Reply[A]:
        """Ask one question."""
        ...

    async def once(self, name: str, make: Callable[[Asker], Awaitable[A]]) -> A:
        """Make something costly once per attempt (a parsed configuration, say) and share it.

        What `make` asked becomes evidence for everyone who uses the result.
        """
        ...

    @property
    def since(self) -> float:
        """How many seconds logs are read back."""
        ...

    @property
    def timeout(self) -> float:
        """The deadline of the whole walk in seconds."""
        ...


CheckFunction = Callable[[Subject, Asker], Awaitable[Finding]]


class Check(msgspec.Struct, frozen=True):
    """A declared check: its outcomes with the values that each one carries, and the command an admin would type."""

    name: str
    scope: Scope
    outcomes: Mapping[str, tuple[str, ...]]
    function: CheckFunction
    bad: frozenset[str]  # outcomes shown as NO; unknown is shown as ?, every other as ok
    past: bool = False  # it reads what was written down: an outcome tells of then, not of now
    speaks: bool = False  # it sends something to the server that it is about, which may answer one at a time


_CHECKS: dict[str, Check] = {}


def check(
    name: str,
    scope: Scope,
    outcomes: Mapping[str, tuple[str, ...]],
    *,
    bad: tuple[str, ...] = (),
    past: bool = False,
    speaks: bool = False,
) -> Callable[[CheckFunction], CheckFunction]:
    """Declare an async function to be the check `name`.

    Args:
        name: what is observed, in kebab-case (`connect`, not `firewall`).
        scope: what it is asked about.
        outcomes: each possible outcome with the names of the values it always carries; `unknown` is added.
        bad: the outcomes in which reality departs from what a working path needs.
        past: whether it reads what was written down, so that an outcome tells of then and not of now.
        speaks: whether it sends something to the server that it is about, which may answer one at a time.
    """

    def declare(function: CheckFunction) -> CheckFunction:
        if name in _CHECKS:
            raise ValueError(f"two checks are called {name!r}")
        complete = {UNKNOWN: (), **outcomes}
        strangers = [word for word in bad if word not in complete]
        if strangers:
            raise ValueError(f"check {name!r} calls outcomes bad that it does not declare: {strangers}")
        _CHECKS[name] = Check(name, scope, complete, function, frozenset(bad), past, speaks)
        return function

    return declare


def checks() -> Mapping[str, Check]:
    """All declared checks by name. The modules that declare them must have been imported (`wizard.checks.all`)."""
    return _CHECKS
