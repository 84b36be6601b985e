"""The path of a request as a strip of hops: those that all servers share, and those of each server.

Owns which checks tell of which hop, and which path is shown. May not know widgets or how wide a terminal is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from wizard.flow.engine import Visit
from wizard.model import Route
from wizard.session.events import SubjectRef
from wizard.session.observed import Observed
from wizard.text import Visible, one_line
from wizard.views.words import NO, NOT_ASKED, OK, UNTOLD, WAITING, worst

# The hop that a check tells of. One that is not listed tells of the hop that its subject stands for.
_LISTENER = frozenset(
    {
        "gateway",
        "gateway-service",
        "gateway-listener",
        "gateway-refusal",
        "gateway-at-boot",
        "refused-name",
        "port-owner",
        "door",
        "worker-limits",
        "temp-files",
    }
)
_VIRTUAL_HOST = frozenset({"gateway-config", "loaded", "vhost", "circle", "handling"})
_LOCATION = frozenset({"own-answer"})
_NAME = frozenset({"name", "resolver", "held-address", "literal-name"})
_ANSWER = frozenset({"reply", "tls", "tls-repair", "scheme", "speech", "buffer", "patience", "allowed-clients"})
_PROGRAM = frozenset(
    {
        "peer",
        "process",
        "service",
        "app",
        "app-log",
        "memory",
        "repair",
        "workers",
        "limits",
        "dependency",
        "unit-at-boot",
    }
)
_SYMPTOM = frozenset({"request", "route-log", "log", "earlier"})
_OF_SCOPE = {"host": "listener", "route": "virtual-host", "server": "server"}
_LONGEST = 28

Taken = Sequence[tuple[Visit, Visible]]  # the steps of a walk with their words


@dataclass(frozen=True, slots=True)
class Hop:
    """A hop of the path with its state: ok, NO, ?, `...` (not told yet) or `-` (not asked).

    A `firm` label is shortened last: of an address every character counts.
    """

    label: Visible
    word: Visible
    firm: bool = False


@dataclass(frozen=True, slots=True)
class Branch:
    """The hops from one server on; `looked_at` where the step that is looked at belongs to it."""

    hops: tuple[Hop, ...]
    looked_at: bool

    @property
    def word(self) -> Visible:
        """The state that counts for the whole branch."""
        words = [hop.word for hop in self.hops]
        return worst(words) or (WAITING if WAITING in words else NOT_ASKED)


@dataclass(frozen=True, slots=True)
class Path:
    """The hops that every request takes, then one branch for each server of the upstream."""

    shared: tuple[Hop, ...] = ()
    branches: tuple[Branch, ...] = ()

    @property
    def hops(self) -> tuple[Hop, ...]:
        """The way through the server that is looked at."""
        chosen = next((one for one in self.branches if one.looked_at), next(iter(self.branches), None))
        return (*self.shared, *(chosen.hops if chosen is not None else ()))


def path_of(taken: Taken, observed: Observed, about: str | None) -> Path:
    """The path that the subject `about` belongs to; None: the first that fails."""
    key = _focus(taken, observed, about)
    reference = observed.subjects.get(key) if key is not None else None
    if key is None or reference is None or reference.route is None:
        return Path()
    route_key = key if reference.scope == "route" else reference.parent or key
    shared = _words(taken, observed, observed.lineage(route_key))
    over = not any(word == WAITING for _, word in taken)
    servers = [
        one for one in observed.subjects.values() if one.scope == "server" and one.parent == route_key and one.server
    ]
    return Path(
        _shared(reference, shared, over=over, through_name=not servers),
        tuple(
            Branch(_branch(one, _words(taken, observed, (one.key,)), observed, over=over), one.key == key)
            for one in servers
        ),
    )


def _shared(
    reference: SubjectRef, words: dict[str, list[Visible]], *, over: bool, through_name: bool
) -> tuple[Hop, ...]:
    route = reference.route
    assert route is not None  # noqa: S101 - asked before
    decided = not route.undecided
    address = route.listener.address
    hops = [
        _hop(words, "listener", f":{address.rpartition(':')[2] or address}", over=over),
        Hop(_place(route), worst([*_told(words.get("virtual-host", [])), OK if decided else UNTOLD]) or OK),
        Hop(_location(route), worst([*_told(words.get("location", [])), OK if decided else UNTOLD]) or OK),
    ]
    if route.upstream is not None and route.upstream.name is not None:
        hops.append(Hop(one_line(route.upstream.name, limit=_LONGEST), OK))
    elif route.upstream is None and through_name:
        hops.append(Hop(one_line(str(route.action.kind), limit=_LONGEST), OK if decided else UNTOLD))
    return tuple(hops)


def _branch(
    reference: SubjectRef, words: dict[str, list[Visible]], observed: Observed, *, over: bool
) -> tuple[Hop, ...]:
    route = reference.route
    upstream = route.upstream if route is not None else None
    hops: list[Hop] = []
    name = next((one.name for one in (upstream.servers if upstream else ()) if one.address == reference.server), None)
    if name:
        hops.append(_hop(words, "name", name, over=over, given=True))
    elif words.get("name") and NO in words["name"]:
        hops.append(_hop(words, "name", "name", over=over))
    kind = str(route.action.kind) if route is not None else "proxy"
    service = observed.find("service", reference.key)
    unit = service.step.values.get("unit") if service is not None else None
    server = _hop(words, "server", reference.server or "the server", over=over)
    hops += [
        replace(server, firm=True),
        _hop(words, "answer", "http" if kind == "proxy" else kind, over=over),
        _hop(words, "program", str(unit) if unit else "program", over=over),
    ]
    return tuple(hops)


def _words(taken: Taken, observed: Observed, keys: Sequence[str]) -> dict[str, list[Visible]]:
    """The words of the steps about these subjects, by the hop that each tells of."""
    words: dict[str, list[Visible]] = {}
    for visit, word in taken:
        if visit.about in keys:
            words.setdefault(_hop_of(visit, observed), []).append(word)
    return words


def _hop(words: dict[str, list[Visible]], name: str, label: str, *, over: bool, given: bool = False) -> Hop:
    """A hop is told once all that was begun about it is told; a step that departs tells at once."""
    listed = words.get(name, [])
    told = worst(_told(listed))
    if told is not None and (told == NO or WAITING not in listed):
        word = told
    else:
        word = WAITING if WAITING in listed or not over else OK if given else NOT_ASKED
    return Hop(one_line(label, limit=_LONGEST), word)


def _told(words: list[Visible]) -> list[Visible]:
    return [word for word in words if word != WAITING]


def _focus(taken: Taken, observed: Observed, about: str | None) -> str | None:
    """The subject whose path is shown: the one that is looked at, else the first server that fails."""
    servers = [one.key for one in observed.subjects.values() if one.scope == "server"]
    routes = [one.key for one in observed.subjects.values() if one.scope == "route"]
    failing = [visit.about for visit, word in taken if word == NO]
    wanted = [about] if about is not None else []
    for key in (*wanted, *(key for key in failing if key in servers), *failing):
        if key in servers:
            return key
        below = [one for one in servers if observed.subjects[one].parent == key]
        if key in routes:
            return below[0] if below else key
    return next(iter([*servers, *routes]), None)


def _hop_of(visit: Visit, observed: Observed) -> str:
    check = visit.step.check or ""
    for name, members in (
        ("listener", _LISTENER),
        ("virtual-host", _VIRTUAL_HOST),
        ("location", _LOCATION),
        ("name", _NAME),
        ("answer", _ANSWER),
        ("program", _PROGRAM),
        ("symptom", _SYMPTOM),
    ):
        if check in members:
            return name
    subject = observed.subjects.get(visit.about)
    return _OF_SCOPE.get(subject.scope if subject else "", "server")


def _place(route: Route) -> Visible:
    at = route.virtual_host.at
    return one_line(f"{at.file.rpartition('/')[2]}:{at.line}", limit=_LONGEST)


def _location(route: Route) -> Visible:
    pattern = route.location.pattern or "(no location)"
    return one_line(f"{pattern}:{route.location.at.line}", limit=_LONGEST)
