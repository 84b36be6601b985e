"""Which unit serves an endpoint, or should: the inference that links an address in a gateway to a service.

Owns the claims, their ranking and the order in which cheap evidence is looked at before dear. May not know gateways;
what they call the service comes in as hints. A claim is not a verdict: `CERTAIN` is what the kernel or systemd says,
`STRONG` what the service's own configuration or journal says, `MEDIUM` and `WEAK` are resemblance.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from enum import IntEnum, StrEnum

import msgspec

from wizard.host.questions import NotAnswered, Process, Processes, ProcessTable, Sockets, SocketTable
from wizard.model import Place
from wizard.services import configured, instances, journal, names, processes, systemd, unitfiles
from wizard.services.manager import Asks
from wizard.services.mentions import Endpoint, Mention, Strength, in_argv, in_message, is_loopback, read_endpoint
from wizard.services.unitfiles import UnitFile
from wizard.text import one_line

_MAX_VENDOR = 32
_MAX_JOURNALS = 8


class Certainty(IntEnum):
    """How sure a claim is; a higher one wins."""

    WEAK = 1
    MEDIUM = 2
    STRONG = 3
    CERTAIN = 4


class How(StrEnum):
    """What a claim rests on."""

    LISTENS = "listens"  # a process of the unit listens there
    SOCKET_UNIT = "socket-unit"  # a socket unit of systemd listens there, or is meant to
    CONFIGURED = "configured"  # its command, environment or configuration names that address
    RUNS = "runs"  # a running process was told that address on its command line
    LOGGED = "logged"  # it once said in the journal that it listens there
    SAME_PORT = "same-port"  # it listens on that port of another address
    DIRECTORY = "directory"  # the socket's folder is its runtime directory
    NAMED = "named"  # its name resembles what the gateway calls it
    ELSEWHERE = "elsewhere"  # it listens on an address that no other route uses


class Claim(msgspec.Struct, frozen=True):
    """One reason to think that a unit serves an endpoint.

    `because` is a sentence part in visible text; `at` the line that says so; `listens` where the unit's processes
    listen now; `activates` the service that a socket unit starts. Without a unit, `pid` is the process. `host` is
    the address that a configuration binds, where it names one.
    """

    unit: str | None
    how: How
    certainty: Certainty
    because: str
    at: Place | None = None
    pid: int | None = None
    listens: tuple[str, ...] = ()
    activates: str | None = None
    host: str = ""

    @property
    def service(self) -> str | None:
        """The service that answers: the unit itself, or the one that its socket starts."""
        return self.activates or self.unit


class Owners(msgspec.Struct, frozen=True):
    """All claims to an endpoint, best first, and what could not be looked at (what, and the smallest grant)."""

    endpoint: str
    claims: tuple[Claim, ...] = ()
    gaps: tuple[tuple[str, str | None], ...] = ()

    @property
    def best(self) -> Claim | None:
        """The best claim."""
        return self.claims[0] if self.claims else None

    def of(self, unit: str) -> tuple[Claim, ...]:
        """The claims of one unit."""
        return tuple(claim for claim in self.claims if unit in (claim.unit, claim.activates))


class _Scene(msgspec.Struct, frozen=True):
    endpoint: Endpoint
    hints: tuple[str, ...]
    busy: frozenset[str]
    skip: frozenset[str]
    sockets: SocketTable | None
    processes: tuple[Process, ...]


async def owners(
    ask: Asks,
    endpoint: str,
    *,
    hints: Iterable[str] = (),
    busy: Iterable[str] = (),
    skip: Iterable[str] = (),
    further: bool = False,
) -> Owners:
    """Who serves an endpoint of this host, or should.

    Args:
        ask: whoever can ask the host.
        endpoint: `127.0.0.1:8000` or `unix:/run/app.sock`.
        hints: what the gateway calls the service: names of upstream, virtual host, location, folder.
        busy: endpoints that other routes use; who listens there is spoken for.
        skip: units that are no candidates (the gateways themselves).
        further: look for the units that are configured for it too, where another one listens.

    Returns:
        The claims, best first. A certain claim by a listening process ends the search, unless it is to go further.
    """
    wanted = read_endpoint(endpoint)
    if wanted is None:
        return Owners(endpoint)
    socket_reply, process_reply = await asyncio.gather(ask.ask(Sockets()), ask.ask(Processes()))
    sockets, table = socket_reply.answer, process_reply.answer
    gaps: list[tuple[str, str | None]] = []
    for what, answer in (("the listening sockets", sockets), ("the processes", table)):
        if isinstance(answer, NotAnswered):
            gaps.append((f"{what} could not be listed: {answer.detail}", answer.grant))
    scene = _Scene(
        endpoint=wanted,
        hints=(*hints, *(names.hints_of_path(wanted.path) if wanted.is_unix else ())),
        busy=frozenset(busy),
        skip=frozenset(skip),
        sockets=sockets if isinstance(sockets, SocketTable) else None,
        processes=table.processes if isinstance(table, ProcessTable) else (),
    )
    claims = [*_by_listeners(scene), *_by_argv(scene)]
    if (further or not _settled(claims)) and await systemd.present(ask):
        found, more_gaps = await _by_units(ask, scene, claims)
        claims += found
        gaps += more_gaps
    claims += _elsewhere(scene)
    return Owners(endpoint, _ranked(claims, scene), tuple(gaps))


def _settled(claims: Sequence[Claim]) -> bool:
    return any(claim.certainty is Certainty.CERTAIN and claim.unit is not None for claim in claims)


def _ranked(claims: Iterable[Claim], scene: _Scene) -> tuple[Claim, ...]:
    places = _places(scene)
    order = list(How)
    kept = [
        msgspec.structs.replace(claim, listens=tuple(places.get(claim.service or "", ())))
        for claim in claims
        if claim.unit not in scene.skip or claim.certainty is Certainty.CERTAIN
    ]
    support: dict[str, int] = {}
    for claim in kept:
        name = claim.service or f"pid {claim.pid}"
        support[name] = support.get(name, 0) + claim.certainty
    return tuple(
        sorted(
            kept,
            key=lambda c: (-c.certainty, order.index(c.how), -support[c.service or f"pid {c.pid}"], c.unit or "~"),
        )
    )


def _places(scene: _Scene) -> Mapping[str, tuple[str, ...]]:
    if scene.sockets is None:
        return {}
    found = processes.listening_units(scene.processes, scene.sockets)
    return {unit: tuple(processes.where(place) for place in places) for unit, places in found.items()}


# --- what the kernel knows ------------------------------------------------------------------------------------


def _by_listeners(scene: _Scene) -> list[Claim]:
    claims: list[Claim] = []
    by_pid = {process.pid: process for process in scene.processes}
    for listening in scene.sockets.listening if scene.sockets else ():
        exact = processes.accepts(listening, scene.endpoint)
        near = not scene.endpoint.is_unix and listening.type == "stream" and listening.port == scene.endpoint.port
        if not exact and not near:
            continue
        how, certainty = (How.LISTENS, Certainty.CERTAIN) if exact else (How.SAME_PORT, Certainty.STRONG)
        seen: set[str | int] = set()
        for pid in listening.pids:
            process = by_pid.get(pid)
            unit = processes.unit_of(process.cgroup) if process else None
            if pid == 1 or process is None or (unit or process.name) in seen:
                continue  # process 1 holds the sockets of socket units, which are found by their files
            seen.add(unit or process.name)
            because = f"{one_line(process.name, limit=40)} (pid {pid}) listens on {processes.where(listening)}"
            claims.append(Claim(unit, how, certainty, because, pid=pid))
    return claims


def _by_argv(scene: _Scene) -> list[Claim]:
    claims = []
    seen: set[str] = set()
    for process in scene.processes[:5000]:
        unit = processes.unit_of(process.cgroup)
        mention = in_argv(process.argv, scene.endpoint)
        key = unit or process.name
        if mention is None or key in seen or (unit and names.is_core(unit)):
            continue
        seen.add(key)
        because = f"{one_line(process.name, limit=40)} (pid {process.pid}) was started with {one_line(mention.words)}"
        claims.append(Claim(unit, How.RUNS, _certainty(mention), because, pid=process.pid, host=mention.host))
    return claims


def _certainty(mention: Mention) -> Certainty:
    return Certainty.WEAK if mention.strength is Strength.FAINT else Certainty.STRONG


def _elsewhere(scene: _Scene) -> list[Claim]:
    if scene.sockets is None:
        return []
    claims = []
    for unit, places in processes.listening_units(scene.processes, scene.sockets).items():
        if unit in scene.skip or names.is_core(unit):
            continue
        free = [
            processes.where(place)
            for place in places
            if (place.family == "unix") == scene.endpoint.is_unix
            and processes.where(place) not in scene.busy
            and not processes.accepts(place, scene.endpoint)
            and not place.path.startswith("@")
        ]
        if free:
            because = f"{one_line(unit)} listens on {one_line(', '.join(free[:3]))}, which no other route uses"
            claims.append(Claim(unit, How.ELSEWHERE, Certainty.WEAK, because))
    return claims


# --- what units say -------------------------------------------------------------------------------------------


async def _by_units(
    ask: Asks, scene: _Scene, known: Sequence[Claim]
) -> tuple[list[Claim], list[tuple[str, str | None]]]:
    local, vendor, listed = await asyncio.gather(
        unitfiles.local_units(ask), unitfiles.vendor_names(ask), systemd.list_units(ask)
    )
    rows = () if isinstance(listed, NotAnswered) else listed
    gaps = (
        [(f"the units could not be listed: {listed.detail}", listed.grant)] if isinstance(listed, NotAnswered) else []
    )
    chosen = _chosen_vendor(scene, local, vendor, rows)
    brought = await unitfiles.read_vendor(ask, chosen, vendor)
    units = _joined(local, brought, rows)
    units.update(await instances.unloaded(ask, local, units, scene.endpoint))
    candidates = [unit for unit in units.values() if unit.name not in scene.skip and not names.is_core(unit.name)]
    claims = [claim for unit in candidates if (claim := _by_socket_unit(unit, scene))]
    found = await asyncio.gather(*(configured.mention_of(ask, unit, scene.endpoint) for unit in candidates))
    for unit, told in zip(candidates, found, strict=True):
        if told is not None:
            because = f"{one_line(unit.name)} is set to {one_line(told.mention.words)}"
            certainty = _certainty(told.mention)
            claims.append(Claim(unit.name, How.CONFIGURED, certainty, because, at=told.at, host=told.mention.host))
    claims += [claim for unit in candidates for claim in _by_resemblance(unit, scene)]
    quiet = {claim.unit for claim in (*known, *claims) if claim.certainty >= Certainty.STRONG}
    if not quiet:
        claims += await _by_journal(ask, scene, [unit.name for unit in candidates], rows)
    return claims, gaps


def _chosen_vendor(
    scene: _Scene, local: Mapping[str, UnitFile], vendor: Mapping[str, str], rows: Sequence[systemd.Listed]
) -> tuple[str, ...]:
    """The few units of packages that are worth reading: alike in name, in trouble, or loaded and stopped."""
    alike = [
        name
        for name in vendor
        if name not in local and any(names.likeness(name, hint) for hint in scene.hints) and not names.is_core(name)
    ]
    overridden = [name for name, unit in local.items() if not unit.path]
    pools = [name for name in vendor if configured.keeps_pools(name)]
    states = [
        row.unit
        for row in sorted(rows, key=lambda row: (row.active == "inactive", row.active == "active"))
        if row.load == "loaded" and row.unit not in local and not names.is_core(row.unit)
    ]
    every = [name for name in dict.fromkeys((*overridden, *alike, *pools, *states)) if not name.endswith("@.service")]
    return tuple(every[:_MAX_VENDOR])


def _joined(
    local: Mapping[str, UnitFile], brought: Mapping[str, UnitFile], rows: Sequence[systemd.Listed]
) -> dict[str, UnitFile]:
    units = dict(brought)
    for name, unit in local.items():
        base = brought.get(name) if not unit.path else None
        joined = unit if base is None else UnitFile(name, base.path, (*base.settings, *unit.settings), local=True)
        if not unitfiles.instance_of(name)[1] and "@." in name:
            loaded = [row.unit for row in rows if unitfiles.instance_of(row.unit)[0] == name]
            units.update((instance, unitfiles.instantiate(joined, instance)) for instance in loaded)
        else:
            units[name] = joined
    return units


def _by_socket_unit(unit: UnitFile, scene: _Scene) -> Claim | None:
    if not unit.name.endswith(".socket"):
        return None
    for setting in unit.all("ListenStream"):
        value = setting.value.removeprefix("unix:")
        listening = Endpoint(port=int(value)) if value.isascii() and value.isdigit() else read_endpoint(value)
        if listening is None:
            continue
        wanted = scene.endpoint
        if wanted.is_unix:
            hit = listening.path.replace("/var/run/", "/run/", 1) == wanted.path.replace("/var/run/", "/run/", 1)
        else:
            hit = listening.port == wanted.port and (
                listening.host in ("", "0.0.0.0", "::", "[::]", wanted.host)
                or (is_loopback(listening.host) and is_loopback(wanted.host))
            )
        if hit:
            started = unit.last("Service") or f"{unit.name.removesuffix('.socket')}.service"
            because = f"{one_line(unit.name)} listens on {one_line(setting.value)} and starts {one_line(started)}"
            place = Place(setting.file, setting.line)
            return Claim(unit.name, How.SOCKET_UNIT, Certainty.CERTAIN, because, at=place, activates=started)
    return None


def _by_resemblance(unit: UnitFile, scene: _Scene) -> list[Claim]:
    if not unit.name.endswith(".service"):
        return []
    claims = []
    folder = scene.endpoint.path.rpartition("/")[0].replace("/var/run/", "/run/", 1)
    kept = [f"/run/{name}" for name in unit.last("RuntimeDirectory").split()]
    if folder and folder in kept:
        because = f"{folder} is the runtime directory of {unit.name}"
        claims.append(Claim(unit.name, How.DIRECTORY, Certainty.MEDIUM, one_line(because)))
    likenesses = [(names.likeness(unit.name, hint), hint) for hint in scene.hints]
    best = max(likenesses, default=(0, ""), key=lambda pair: pair[0])
    if best[0]:
        certainty = Certainty.MEDIUM if best[0] == 2 else Certainty.WEAK
        because = f"the name {unit.name} resembles {best[1]}"
        claims.append(Claim(unit.name, How.NAMED, certainty, one_line(because)))
    return claims


async def _by_journal(
    ask: Asks, scene: _Scene, candidates: Sequence[str], rows: Sequence[systemd.Listed]
) -> list[Claim]:
    running = {row.unit for row in rows if row.active == "active" and row.sub == "running"}
    quiet = sorted((name for name in candidates if name.endswith(".service")), key=lambda name: name in running)
    if not quiet:
        return []
    lines = await journal.last_words(ask, *quiet[:_MAX_JOURNALS], lines=journal.MAX_LINES)
    if isinstance(lines, NotAnswered):
        return []
    latest: dict[str, journal.JournalLine] = {}
    for line in lines:
        if not line.from_manager and in_message(line.message, scene.endpoint):
            latest[line.unit] = line
    return [
        Claim(unit, How.LOGGED, Certainty.STRONG, f"{one_line(unit)} said: {journal.quoted(line)}")
        for unit, line in latest.items()
    ]
