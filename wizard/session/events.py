"""The events of a session: everything else is derived from this list.

Owns the shapes that are written to a session file beside questions and answers. May not know how they come about.
"""

from __future__ import annotations

import msgspec

from wizard.checks.registry import Gap, Value
from wizard.logs.bursts import Burst, Counts
from wizard.model import Broken, Instance, Route


class SubjectRef(msgspec.Struct, frozen=True):
    """A subject of the walk as it is written down: `host`, a route, or a server of one.

    `key` is unique in the session. `parent` is the key of the wider subject. `behind` is the key of the server
    through which a further gateway of a chain is reached.
    """

    key: str
    scope: str
    parent: str | None = None
    url: str | None = None
    route: Route | None = None
    server: str | None = None
    gateway: Instance | None = None
    behind: str | None = None


class Started(msgspec.Struct, frozen=True, tag_field="event", tag="started"):
    """The walk began."""

    at: float
    target: str | None
    flow: str
    since: float
    wizard: str


class SubjectFound(msgspec.Struct, frozen=True, tag_field="event", tag="subject"):
    """A subject that is walked."""

    subject: SubjectRef


class StepDone(msgspec.Struct, frozen=True, tag_field="event", tag="step"):
    """A check came to an outcome. `node` is flow/step; `evidence` are reply numbers as e1, e2."""

    node: str
    check: str
    subject: str
    outcome: str
    summary: str
    at: float
    seconds: float
    attempt: int = 1
    evidence: tuple[str, ...] = ()
    values: dict[str, Value] = {}
    gaps: tuple[Gap, ...] = ()
    by_hand: str | None = None
    first_seen: float | None = None
    last_seen: float | None = None


class PersonAnswered(msgspec.Struct, frozen=True, tag_field="event", tag="answered"):
    """A person answered a question of the flow; `dont-know` is an answer too."""

    node: str
    subject: str
    value: str
    attempt: int = 1


class Overruled(msgspec.Struct, frozen=True, tag_field="event", tag="overruled"):
    """A person knows better: the outcome of a step is replaced, and the report says by whom and what."""

    node: str
    subject: str
    outcome: str
    attempt: int = 1


class Skipped(msgspec.Struct, frozen=True, tag_field="event", tag="skipped"):
    """A step was not asked: by the person, the deadline, or a cancel. It counts as unknown.

    `check` is what it would have observed, empty where that is not known.
    """

    node: str
    subject: str
    because: str
    attempt: int = 1
    check: str = ""


class AttemptStarted(msgspec.Struct, frozen=True, tag_field="event", tag="attempt"):
    """The path is walked again from the start; earlier evidence stays beside the new."""

    attempt: int
    at: float


class Disputed(msgspec.Struct, frozen=True, tag_field="event", tag="disputed"):
    """A person knows that a cause is wrong (or, with `wrong` false, takes that back): it is no cause of the verdict."""

    at: float
    cause: str
    wrong: bool = True


class Watched(msgspec.Struct, frozen=True, tag_field="event", tag="watched"):
    """The visitor's request was made once a second for a while.

    `wrong` counts what came back instead of an answer that works: a status, or the check's word where none came.
    `logged` are the failures of other requests that the gateway's log gained meanwhile (None: it could not be read).
    `ended` is complete or stopped. `failures` are the first sentences that tell what was wrong.
    """

    at: float
    seconds: float
    url: str
    good: int
    bad: int
    wrong: dict[str, int] = {}
    failures: tuple[str, ...] = ()
    logged: int | None = None
    ended: str = "complete"
    attempt: int = 1


class Recalled(msgspec.Struct, frozen=True, tag_field="event", tag="recalled"):
    """The host was asked what happened before: which of its answers are about this path, and the failures in numbers.

    `units` serve, `gateway_units` are the gateways' own. `files` are configurations, `certificates` and keys lie on the
    path, `application` are files and folders of the programs behind. A log is kept by its last lines only, so what it
    told is written down here: `bursts`, and `counts` over the time that was read. `gaps` could not be read.
    """

    at: float
    units: tuple[str, ...] = ()
    gateway_units: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    certificates: tuple[str, ...] = ()
    application: tuple[str, ...] = ()
    bursts: tuple[Burst, ...] = ()
    counts: Counts | None = None
    gaps: tuple[Gap, ...] = ()
    attempt: int = 1


class InputRefused(msgspec.Struct, frozen=True, tag_field="event", tag="refused"):
    """The walk could not begin on this input: a broken configuration, no gateway, a URL that no gateway takes."""

    problem: Broken


class Finished(msgspec.Struct, frozen=True, tag_field="event", tag="finished"):
    """The walk ended: complete, deadline or cancelled."""

    at: float
    how: str


Event = (
    Started
    | SubjectFound
    | StepDone
    | PersonAnswered
    | Overruled
    | Skipped
    | AttemptStarted
    | Disputed
    | Watched
    | Recalled
    | InputRefused
    | Finished
)
