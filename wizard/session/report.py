"""The report: one typed value from which every output is printed, and which is the JSON of the outward interface.

Owns the shape (`gateway-wizard schema report`). May not know how a verdict is drawn or how it is printed.
"""

from __future__ import annotations

import msgspec

SCHEMA_VERSION = "1"


class Shape(msgspec.Struct, frozen=True):
    """A part of the report."""


class WizardPart(Shape, frozen=True):
    """The program."""

    version: str


class SessionPart(Shape, frozen=True):
    """The run. `started` is ISO 8601 with zone."""

    id: str
    started: str
    seconds: float
    user: str
    is_root: bool


class HostPart(Shape, frozen=True):
    """The machine."""

    hostname: str
    os: str
    kernel: str
    service_manager: str


class GatewayPart(Shape, frozen=True):
    """A gateway."""

    kind: str
    pid: int | None
    config: str


class ListenerPart(Shape, frozen=True):
    """A listener."""

    address: str
    tls: bool
    at: str | None


class MatchedPart(Shape, frozen=True):
    """A virtual host."""

    name: str
    matched: str
    at: str


class LocationPart(Shape, frozen=True):
    """A location."""

    pattern: str
    matched: str
    at: str


class ActionPart(Shape, frozen=True):
    """What is done with the request."""

    kind: str
    to: str | None
    status: int | None
    at: str | None


class ServerPart(Shape, frozen=True):
    """A server of an upstream."""

    address: str
    name: str | None
    role: str


class UpstreamPart(Shape, frozen=True):
    """An upstream."""

    name: str | None
    at: str | None
    servers: tuple[ServerPart, ...]


class RoutePart(Shape, frozen=True):
    """A route through one gateway."""

    gateway: GatewayPart
    listener: ListenerPart
    virtual_host: MatchedPart
    location: LocationPart
    action: ActionPart
    upstream: UpstreamPart | None
    undecided: tuple[str, ...]


class RoutesReport(Shape, frozen=True):
    """What `gateway-wizard route --json` prints.

    `notes` say why other gateways do not take the URL, and what is wrong with the configuration of any.
    """

    schema_version: str
    url: str
    routes: tuple[RoutePart, ...]
    notes: tuple[str, ...] = ()


class TargetPart(Shape, frozen=True):
    """What was walked."""

    url: str | None
    route: RoutePart | None
    further_routes: tuple[RoutePart, ...] = ()


class ObservedPart(Shape, frozen=True):
    """The symptom as the walk met it. `status` is null where no HTTP answer came."""

    status: int | None
    sender: str
    at: str
    seconds: float


class ErrorPart(Shape, frozen=True):
    """What was wrong with the input itself."""

    what: str
    where: str | None
    hint: str


class EditPart(Shape, frozen=True):
    """A change of a file as a unified diff."""

    file: str
    diff: str


class CommandPart(Shape, frozen=True):
    """A command, complete, quoted, ready to paste."""

    stage: str
    run: str
    edits: EditPart | None
    why: str
    changes: bool
    needs_root: bool
    undo: str | None
    tried: bool


class CausePart(Shape, frozen=True):
    """A cause (or, in `warnings`, something that is over or does not break the request)."""

    id: str
    title: str
    summary: str
    confidence: str
    when: str
    subject: str
    evidence: tuple[str, ...]
    explains: tuple[str, ...]
    commands: tuple[CommandPart, ...]
    first_seen: str | None = None
    last_seen: str | None = None
    consequences: tuple[str, ...] = ()  # ids folded under this cause
    because: tuple[str, ...] = ()  # the observations in sentences, in the order of the walk


class RuledOutPart(Shape, frozen=True):
    """A cause that an observation excludes."""

    id: str
    because: str
    evidence: tuple[str, ...]


class NextPart(Shape, frozen=True):
    """The observation that would decide."""

    run: str
    why: str


class OpenPart(Shape, frozen=True):
    """A cause that could not be told apart."""

    id: str
    because: str
    next: NextPart | None


class NotCheckedPart(Shape, frozen=True):
    """Something that could not be looked at."""

    what: str
    because: str
    grant: str | None


class StepPart(Shape, frozen=True):
    """A step of the walk. `state` is ok, NO or ?."""

    node: str
    check: str
    subject: str
    outcome: str
    summary: str
    seconds: float
    evidence: tuple[str, ...]
    overruled_by: str | None
    state: str
    attempt: int
    by_hand: str | None


class TimelinePart(Shape, frozen=True):
    """Something that happened. `at` is ISO 8601 in the host's zone; `first_error` marks where the fault began."""

    at: str
    what: str
    source: str
    kind: str = ""  # error, met, unit, failure, words, gateway, file, certificate, deploy, package, memory, boot, name
    first_error: bool = False


class EvidencePart(Shape, frozen=True):
    """What was asked and what came back. `excerpt` is visible text, secrets replaced."""

    what: str
    by_hand: str
    excerpt: str
    at: str
    seconds: float


class ImpactPart(Shape, frozen=True):
    """What visitors met, by the gateway's log: failures that it counts, the first and the last, and all in a sentence."""

    count: int
    first_seen: str | None
    last_seen: str | None
    said: str


class ChangePart(Shape, frozen=True):
    """What was observed of one thing in the attempt before and in the latest one. The states are ok, NO, ? or empty."""

    what: str
    before: str
    after: str
    before_state: str = ""
    after_state: str = ""


class LastingPart(Shape, frozen=True):
    """Whether what works now survives something: yes, no or ?, because of what, and a command that would change it."""

    what: str
    answer: str
    because: str
    run: str | None = None


class AfterPart(Shape, frozen=True):
    """The path walked again: in a sentence, before beside after, and whether it lasts."""

    said: str
    changes: tuple[ChangePart, ...]
    lasting: tuple[LastingPart, ...]


class WatchPart(Shape, frozen=True):
    """The visitor's request made once a second for a while, in a sentence and in numbers.

    `wrong` counts what came instead of an answer that works, by status or in a word. `logged` are failures of other
    requests in the gateway's log meanwhile; null where it could not be read.
    """

    said: str
    at: str
    seconds: float
    url: str
    good: int
    bad: int
    wrong: dict[str, int]
    logged: int | None
    ended: str
    attempt: int


class Report(Shape, frozen=True):
    """Everything that a walk found out."""

    schema_version: str
    wizard: WizardPart
    session: SessionPart
    host: HostPart
    target: TargetPart
    observed: ObservedPart | None
    verdict: str
    error: ErrorPart | None
    causes: tuple[CausePart, ...]
    warnings: tuple[CausePart, ...]
    ruled_out: tuple[RuledOutPart, ...]
    open: tuple[OpenPart, ...]
    not_checked: tuple[NotCheckedPart, ...]
    steps: tuple[StepPart, ...]
    timeline: tuple[TimelinePart, ...]
    evidence: dict[str, EvidencePart]
    impact: ImpactPart | None = None
    disputed: tuple[CausePart, ...] = ()  # a person says that these are wrong
    after: AfterPart | None = None  # there where the path was walked again
    watched: tuple[WatchPart, ...] = ()
