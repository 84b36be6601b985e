"""Where the application listens, where it does not listen at the address that the gateway asks.

Owns the check `app`. May not know in what state a service is. What listens elsewhere and is spoken for by another route
is no candidate.
"""

from __future__ import annotations

from wizard.checks.address import ROOT_GRANT, Address, parse_address, required
from wizard.checks.connect import located
from wizard.checks.edits import replaced
from wizard.checks.registry import UNKNOWN, Asker, Edit, Finding, Gap, Scope, Subject, Value, check
from wizard.checks.service import busy_addresses, claimed, ownership
from wizard.checks.survey import Survey, survey
from wizard.host.questions import Listening, NotAnswered, Process, Processes, ProcessTable, Sockets, SocketTable
from wizard.model import ActionKind
from wizard.services.ownership import Certainty, How, Owners
from wizard.services.processes import listeners_of, unit_of, where
from wizard.text import one_line

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

_PLACE = ("listens", "program", "unit")


@check(
    "app",
    Scope.SERVER,
    {
        "here": (),
        "other-port": (*_PLACE, "edit"),
        "other-address": (*_PLACE, "edit"),
        "other-path": (*_PLACE, "edit"),
        "port-instead": (*_PLACE, "edit"),
        "path-instead": (*_PLACE, "edit"),
        "nowhere": (),
        "several": ("listens",),
    },
    bad=("other-port", "other-address", "other-path", "port-instead", "path-instead"),
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
    candidates = _candidates(
        address, owned, sockets, table, await busy_addresses(asker) - {server.address, address.text}
    )
    if not candidates:
        candidates = _of_the_other_kind(address, owned, sockets, table, subject)
    if not candidates and not sockets.owners_complete:
        gap = Gap("which process owns a socket", "not all processes can be seen", ROOT_GRANT)
        return Finding(UNKNOWN, "Whose the other sockets are cannot be seen.", gaps=(gap,), by_hand=by_hand)
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
        outcome = "other-path" if one.family == "unix" else "port-instead"
    elif one.family == "unix":
        outcome = "path-instead"
    else:
        outcome = "other-address" if one.port == address.port else "other-port"
    who = f"{one_line(unit)}, {one_line(program)}," if unit else one_line(program)
    return Finding(outcome, f"{who} listens on {one_line(listens)} instead.", values, by_hand=by_hand)


def _repoint(subject: Subject, seen: Survey, address: Address, one: Listening) -> Edit | None:
    route, server = required(subject)
    gateway = seen.gateway_of(route.gateway)
    configuration = gateway.configuration if gateway else None
    place = server.at or route.action.at
    if one.family == "unix" or address.path is not None:
        old = f"unix:{address.path}" if one.family != "unix" else address.path or server.address
        return replaced(configuration, place, old, one.path if address.path and one.family == "unix" else where(one))
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


def _of_the_other_kind(
    address: Address, owned: Owners, sockets: SocketTable, table: ProcessTable, subject: Subject
) -> list[tuple[Listening, Process | None]]:
    """Where the same service listens on a port instead of a path, or on a path instead of a port: where it has one such.

    A pool of PHP-FPM may be told either; nothing else speaks FastCGI by default.
    """
    claim = claimed(owned)
    route, _ = required(subject)
    unit = claim.service if claim is not None and claim.certainty >= Certainty.MEDIUM else None
    if unit is not None:
        own = listeners_of(unit, table.processes, sockets)
    elif route.action.kind is ActionKind.FASTCGI:
        pids = {one.pid for one in table.processes if one.name.startswith("php-fpm")}
        own = tuple(one for one in sockets.listening if pids & set(one.pids))
    else:
        return []
    other = [one for one in own if one.type == "stream" and (one.family == "unix") != (address.path is not None)]
    other = [one for one in other if not one.path.startswith("@") and (one.family != "unix" or one.path)]
    return [(other[0], _owner(other[0], table))] if len({where(one) for one in other}) == 1 else []


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
