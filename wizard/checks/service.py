"""The last hop: which service should answer at the address, in what state it is, and where its processes listen.

Owns the checks `service` and `app`. May not know how ownership is inferred. A resemblance of names is a reason to look
at a unit, not a proof that it is the one.
"""

from __future__ import annotations

import re

import msgspec

from wizard.checks.address import Address, parse_address, required
from wizard.checks.connect import located
from wizard.checks.edits import replaced
from wizard.checks.registry import UNKNOWN, Asker, Edit, Finding, Gap, Scope, Subject, Value, check
from wizard.checks.reply import reply
from wizard.checks.survey import Survey, survey
from wizard.gateways.nginx.samples import routes_of
from wizard.host.questions import Listening, NotAnswered, Process, Processes, ProcessTable, Sockets, SocketTable
from wizard.model import Route
from wizard.services import systemd
from wizard.services.journal import decisive, last_words, quoted
from wizard.services.manager import UP, UnitCondition
from wizard.services.ownership import Certainty, Claim, How, Owners, owners
from wizard.services.processes import listeners_of, unit_of, where
from wizard.services.unitstate import UnitState
from wizard.text import one_line

_YOUNG = 60.0  # seconds: a unit that was started this long ago may still be on its way to its listener
_VALUES = ("unit", "because", "ended", "said", "restarts")
_DOWN = (
    UnitCondition.FAILED_AT_START,
    UnitCondition.FAILED_LATER,
    UnitCondition.CRASH_LOOPING,
    UnitCondition.STOPPED,
    UnitCondition.MASKED,
    UnitCondition.BAD_UNIT,
    UnitCondition.EXITED,
    UnitCondition.STARTING,
)
_ENDED = frozenset({UnitCondition.FAILED_AT_START, UnitCondition.FAILED_LATER, UnitCondition.CRASH_LOOPING})
_ANSWERED = frozenset({"answers", "client-error", UNKNOWN})
_TAKEN = re.compile(r"address already in use|EADDRINUSE|connection in use|unable to bind|could not bind", re.IGNORECASE)
_SKIPPED = re.compile(r"unmet condition|condition check resulted in", re.IGNORECASE)
_MAX_RIVALS = 4
_INFRASTRUCTURE = frozenset(
    [
        "sshd",
        "systemd",
        "systemd-resolve",
        "systemd-resolved",
        "dnsmasq",
        "unbound",
        "named",
        "mysqld",
        "mariadbd",
        "postgres",
        "redis-server",
        "memcached",
        "mongod",
        "master",
        "exim4",
        "cupsd",
        "chronyd",
        "ntpd",
        "rpcbind",
        "docker-proxy",
        "dockerd",
        "containerd",
        "node_exporter",
        "node-exporter",
        "zabbix_agentd",
        "beam.smp",
        "epmd",
        "nginx",
        "apache2",
        "httpd",
        "haproxy",
        "caddy",
        "traefik",
        "envoy",
        "rsyslogd",
        "dovecot",
        "slapd",
    ]
)


async def ownership(subject: Subject, asker: Asker, endpoint: str, *, further: bool = False) -> Owners:
    """Who serves an endpoint of this host, with what the gateways call it as hints; `further`: who should, too."""
    route, server = required(subject)
    seen = await survey(asker)
    busy = await _busy(asker)

    async def make(inner: Asker) -> Owners:
        return await owners(
            inner,
            endpoint,
            hints=_hints(route),
            busy=busy - {endpoint, server.address},
            skip=tuple(one.instance.unit for one in seen.gateways if one.instance.unit and one.instance.pid),
            further=further,
        )

    return await asker.once(f"{'all ' if further else ''}owners {endpoint}", make)


def _hints(route: Route) -> tuple[str, ...]:
    host = route.virtual_host.name.lstrip("*.~^").split(".", 1)[0]
    location = route.location.pattern.strip("/^~$ ").split("/", 1)[0]
    upstream = route.upstream.name if route.upstream and route.upstream.name else ""
    return tuple(word for word in (upstream, host, location) if len(word) > 2)


async def _busy(asker: Asker) -> frozenset[str]:
    """The addresses of all upstreams of this host's gateways."""
    seen = await survey(asker)

    async def make(_: Asker) -> frozenset[str]:
        samples = (
            sample
            for gateway in seen.gateways
            if gateway.configuration is not None
            for sample in routes_of(gateway.configuration, gateway.instance)
        )
        upstreams = (sample.route.upstream for sample in samples if sample.route is not None)
        return frozenset(server.address for one in upstreams if one is not None for server in one.servers)

    return await asker.once("busy", make)


def claimed(found: Owners) -> Claim | None:
    """The best claim of a unit that rests on more than on being somewhere else."""
    useful = (
        claim
        for claim in found.claims
        if claim.service and claim.how not in {How.ELSEWHERE, How.SAME_PORT} and claim.certainty >= Certainty.WEAK
    )
    return next(useful, None)


@check(
    "service",
    Scope.SERVER,
    {
        **{str(word): _VALUES for word in (*_DOWN, *sorted(UP), UnitCondition.STOPPING)},
        "condition-unmet": _VALUES,
        "requirement-ended": (*_VALUES, "requires"),
        "requirement-failed": (*_VALUES, "requires"),
        "displaced": _VALUES,
        "just-started": _VALUES,
        "just-restarted": _VALUES,
        "resembles-only": _VALUES,
        "no-unit": (),
        "no-manager": (),
    },
    bad=("condition-unmet", "requirement-ended", "requirement-failed", "displaced", *(str(word) for word in _DOWN)),
)
async def service(subject: Subject, asker: Asker) -> Finding:
    """Find the unit that should answer at the address, and its state."""
    found = await located(subject, asker)
    endpoint = found.addresses[0] if found.addresses else ""
    if parse_address(endpoint) is None:
        return Finding(UNKNOWN, "There is no address whose service could be looked for.")
    if not await systemd.present(asker):
        return Finding("no-manager", "No service manager that the wizard knows runs here.", by_hand="ps -ef")
    owned = await ownership(subject, asker, endpoint)
    gaps = tuple(Gap(what, "not permitted", grant) for what, grant in owned.gaps)
    claim = claimed(owned)
    if claim is not None and claim.certainty < Certainty.STRONG and await _spoken_for(subject, asker, claim):
        claim = None
    if claim is None or claim.service is None:
        return Finding(
            "no-unit",
            f"No unit says that it serves {one_line(endpoint)}.",
            gaps=gaps,
            by_hand="systemctl list-units --type=service --all",
        )
    pushed_out = await _pushed_out(subject, asker, endpoint, claim)
    claim = pushed_out or claim
    unit = await _asked_for(claim, asker)
    state = await systemd.state(asker, unit)
    by_hand = f"systemctl status {unit}"
    if isinstance(state, NotAnswered):
        return Finding(
            UNKNOWN, f"{one_line(unit)} could not be asked for: {one_line(state.detail)}.", gaps=gaps, by_hand=by_hand
        )
    told = await _told(state, unit, claim, asker)
    told = msgspec.structs.replace(told, gaps=(*gaps, *told.gaps), by_hand=by_hand)
    holder = next((one for one in owned.claims if one.how is How.LISTENS), None)
    if told.outcome in _ENDED and holder is not None and holder.unit != unit:
        return msgspec.structs.replace(told, outcome="displaced", summary=f"{told.summary} {holder.because} instead.")
    return told


async def _told(state: UnitState, unit: str, claim: Claim, asker: Asker) -> Finding:
    """What the state of the unit comes to."""
    clock = (await survey(asker)).clock
    condition = state.condition(clock.now if clock else None)
    is_its = claim.certainty is not Certainty.WEAK
    held_back = await _held_back(state, asker) if is_its and condition is UnitCondition.STOPPED else None
    said, gaps = await _last_said(unit, condition if held_back is None else UnitCondition.FAILED_AT_START, asker)
    values: dict[str, Value] = {
        "unit": unit,
        "because": claim.because,
        "ended": state.ended_words(),
        "said": said,
        "restarts": state.restarts,
    }
    if condition in {UnitCondition.NOT_FOUND, UnitCondition.UNKNOWN}:
        return Finding("no-unit", f"There is no unit {one_line(unit)}.", gaps=gaps)
    if held_back is not None:
        word, requires = held_back
        reason = f"{one_line(requires)}, which it requires, is down" if requires else "a condition of it is not met"
        words = f" Its journal: {said}" if said else ""
        sentence = f"{one_line(unit)} was not started ({claim.because}): {reason}.{words}"
        return Finding(word, sentence, {**values, "requires": requires} if requires else values, gaps)
    ended = values["ended"] if condition not in {UnitCondition.RUNNING, UnitCondition.STOPPED} else ""
    told = f"; it {ended}" if ended else ""
    words = f" It last said: {said}" if said else ""
    sentence = f"{one_line(unit)} is {str(condition).replace('-', ' ')}{told} ({claim.because}).{words}"
    if not is_its:
        return Finding("resembles-only", sentence, values, gaps)
    since = state.started_at or state.active_since
    age = clock.now - since if clock is not None and since is not None else None
    if condition is UnitCondition.RUNNING and age is not None and age < _YOUNG:
        word = "just-restarted" if state.restarts else "just-started"
        again = f", restarted {state.restarts} times" if state.restarts else ""
        return Finding(word, f"{one_line(unit)} runs since {age:.0f} s{again} ({claim.because}).", values, gaps)
    return Finding(str(condition), sentence, values, gaps)


async def _asked_for(claim: Claim, asker: Asker) -> str:
    """The unit whose state tells: where a socket unit should listen, that one, unless the service behind it failed."""
    unit = claim.service or ""
    if claim.how is not How.SOCKET_UNIT or claim.unit is None:
        return unit
    found = await systemd.states(asker, (claim.unit, unit))
    socket, behind = (found.get(claim.unit), found.get(unit)) if not isinstance(found, NotAnswered) else (None, None)
    if socket is None or socket.active == "active" or (behind is not None and behind.condition() in _ENDED):
        return unit
    return claim.unit


async def _held_back(state: UnitState, asker: Asker) -> tuple[str, str] | None:
    """Why a start of a unit that is not running does not lead to a process: the outcome, and the unit that it requires."""
    if state.condition_unmet or await _was_skipped(state.id, asker):
        return "condition-unmet", ""
    down = await systemd.down_requirements(asker, state.id)
    if not down:
        return None
    died = all(one.condition() is UnitCondition.FAILED_LATER for one in down)
    return ("requirement-ended" if died else "requirement-failed"), down[0].id


async def _was_skipped(unit: str, asker: Asker) -> bool:
    """Whether its last start was skipped: systemd forgets the result of conditions when it drops a unit from memory."""
    lines = await last_words(asker, unit, lines=40)
    told = [line for line in lines if line.from_manager] if not isinstance(lines, NotAnswered) else []
    return bool(told) and _SKIPPED.search(told[-1].message) is not None


async def _spoken_for(subject: Subject, asker: Asker, claim: Claim) -> bool:
    """Whether a unit that only resembles is set to another server of the same pool: then it is not this one's."""
    route, server = required(subject)
    others = [
        one.address for one in (route.upstream.servers if route.upstream else ()) if one.address != server.address
    ]
    for other in others[:_MAX_RIVALS]:
        if parse_address(other) is None:
            continue
        owned = await ownership(subject, asker, other)
        if any(one.service == claim.service and one.certainty >= Certainty.STRONG for one in owned.claims):
            return True
    return False


async def _pushed_out(subject: Subject, asker: Asker, endpoint: str, holder: Claim) -> Claim | None:
    """The unit that should listen where another one does: set to that address, and it failed because it is taken.

    Looked for only where what listens there does not answer well: two units may take turns on one address.
    """
    if holder.how is not How.LISTENS or holder.unit is None or (await reply(subject, asker)).outcome in _ANSWERED:
        return None
    owned = await ownership(subject, asker, endpoint, further=True)
    rivals = {
        claim.service: claim
        for claim in reversed(owned.claims)
        if claim.service not in {None, holder.service} and claim.how is How.CONFIGURED
    }
    for unit, claim in list(rivals.items())[:_MAX_RIVALS]:
        state = await systemd.state(asker, unit or "")
        if not isinstance(state, UnitState) or state.condition() not in _ENDED:
            continue
        lines = await last_words(asker, unit or "", lines=40)
        if not isinstance(lines, NotAnswered) and any(_TAKEN.search(line.message) for line in lines):
            return claim
    return None


async def _last_said(unit: str, condition: UnitCondition, asker: Asker) -> tuple[str, tuple[Gap, ...]]:
    if condition in {UnitCondition.RUNNING, UnitCondition.STOPPED, UnitCondition.LISTENING}:
        return "", ()
    lines = await last_words(asker, unit, lines=40)
    if isinstance(lines, NotAnswered):
        return "", (Gap(f"the journal of {one_line(unit)}", one_line(lines.detail), lines.grant),)
    line = decisive(lines)
    return (quoted(line) if line is not None else ""), ()


_PLACE = ("listens", "program", "unit")


@check(
    "app",
    Scope.SERVER,
    {
        "here": (),
        "other-port": (*_PLACE, "edit"),
        "other-address": (*_PLACE, "edit"),
        "other-path": (*_PLACE, "edit"),
        "nowhere": (),
        "several": ("listens",),
    },
    bad=("other-port", "other-address", "other-path"),
)
async def app(subject: Subject, asker: Asker) -> Finding:
    """Look for the application at another address than the one that the gateway asks."""
    found = await located(subject, asker)
    address = parse_address(found.addresses[0]) if found.addresses else None
    if address is None:
        return Finding(UNKNOWN, "There is no address to compare with.")
    by_hand = "ss -Hlxp" if address.path is not None else "ss -Hltnp"
    sockets = (await asker.ask(Sockets())).answer
    table = (await asker.ask(Processes())).answer
    if isinstance(sockets, NotAnswered) or isinstance(table, NotAnswered):
        return Finding(UNKNOWN, "Listening sockets and processes could not be listed.", by_hand=by_hand)
    owned = await ownership(subject, asker, address.text)
    best = owned.best
    if best is not None and best.how is How.LISTENS:
        return Finding("here", f"{best.because}.", by_hand=by_hand)
    seen = await survey(asker)
    _, server = required(subject)
    candidates = _candidates(address, owned, sockets, table, await _busy(asker) - {server.address, address.text})
    if not candidates:
        return Finding("nowhere", "No process that could be the application listens anywhere else.", by_hand=by_hand)
    distinct = {where(one) for one, _ in candidates}
    if len(distinct) > 1:
        places = ", ".join(sorted(distinct)[:6])
        return Finding(
            "several",
            f"Several applications listen elsewhere: {one_line(places)}.",
            {"listens": places},
            by_hand=by_hand,
        )
    return _elsewhere(subject, seen, address, candidates[0], by_hand)


def _elsewhere(
    subject: Subject, seen: Survey, address: Address, chosen: tuple[Listening, Process | None], by_hand: str
) -> Finding:
    one, process = chosen
    listens = where(one)
    unit = (unit_of(process.cgroup) if process else None) or ""
    program = f"{process.name} (pid {process.pid})" if process else "a process"
    values: dict[str, Value] = {"listens": listens, "program": program, "unit": unit}
    edit = _repoint(subject, seen, address, one)
    if edit is not None:
        values["edit"] = edit
    if address.path is not None:
        outcome = "other-path"
    else:
        outcome = "other-address" if one.port == address.port else "other-port"
    who = f"{one_line(unit)}, {one_line(program)}," if unit else one_line(program)
    return Finding(outcome, f"{who} listens on {one_line(listens)} instead.", values, by_hand=by_hand)


def _repoint(subject: Subject, seen: Survey, address: Address, one: Listening) -> Edit | None:
    route, server = required(subject)
    gateway = seen.gateway_of(route.gateway)
    configuration = gateway.configuration if gateway else None
    place = server.at or route.action.at
    if address.path is not None:
        return replaced(configuration, place, address.path, one.path)
    host, _, port = server.address.rpartition(":")
    if one.port != address.port:
        return replaced(configuration, place, f"{host}:{port}", f"{host}:{one.port}")
    target = f"[{one.address}]" if one.family == "inet6" else one.address
    return replaced(configuration, place, f"{host}:{port}", f"{target}:{one.port}")


def _candidates(
    address: Address, owned: Owners, sockets: SocketTable, table: ProcessTable, busy: frozenset[str]
) -> list[tuple[Listening, Process | None]]:
    """Sockets that could be the application's: of the unit that claims the address, else of any application."""
    claim = claimed(owned)
    if claim is not None and claim.unit is not None:
        own = listeners_of(claim.service or claim.unit, table.processes, sockets)
        mine = [(one, _owner(one, table)) for one in own if _comparable(one, address)]
        if mine or claim.certainty >= Certainty.STRONG:
            return mine
    # Another route of the gateway uses this port, whichever way it writes the address.
    taken = {other.port for text in busy if (other := parse_address(text)) is not None and other.ip is not None}
    return [
        (one, owner)
        for one in sockets.listening
        if _comparable(one, address) and where(one) not in busy and (one.family == "unix" or one.port not in taken)
        if (owner := _owner(one, table)) is not None and owner.name not in _INFRASTRUCTURE
        if address.path is None or _alike(one.path, address.path)
    ]


def _comparable(one: Listening, address: Address) -> bool:
    if one.type != "stream":
        return False
    if address.path is not None:
        return one.family == "unix" and bool(one.path) and not one.path.startswith("@") and one.path != address.path
    return one.family != "unix"


def _alike(one: str, other: str) -> bool:
    """Whether two socket paths look like the same service's: one folder, or one file name."""
    folder, _, name = one.rpartition("/")
    other_folder, _, other_name = other.rpartition("/")
    return (folder == other_folder and folder not in {"", "/run", "/tmp", "/var/run"}) or name == other_name  # noqa: S108 - compared with, never written to


def _owner(one: Listening, table: ProcessTable) -> Process | None:
    return next((process for process in table.processes if process.pid in one.pids), None)
