"""The hop from address to process: who listens there, in the gateway's network namespace.

Owns the check `listener`. May not know services or the rights of a path. A socket list that was read without rights is
whole as to addresses and not as to owners, so "nobody listens" may be said without root, "who" may not.
"""

from __future__ import annotations

import ipaddress
import shlex

from wizard.checks.address import ROOT_GRANT, Address, is_local, parse_address
from wizard.checks.connect import located
from wizard.checks.registry import UNKNOWN, Asker, Finding, Gap, Scope, Subject, Value, check
from wizard.host.questions import (
    Listening,
    NotAnswered,
    Processes,
    ProcessTable,
    Sockets,
    SocketTable,
)
from wizard.services.processes import unit_of
from wizard.text import one_line

_WHO = ("address", "port", "program", "pid", "evict")


async def socket_table(subject: Subject, asker: Asker) -> SocketTable | NotAnswered:
    """The listening sockets as the gateway's namespace has them."""
    instance = subject.route.gateway if subject.route else subject.gateway
    return (await asker.ask(Sockets(instance.within if instance and instance.elsewhere else None))).answer


def takes(one: Listening, address: Address) -> bool:
    """Whether a listening socket would take a connection to an address (RFC 3493 section 3.7 for dual sockets)."""
    if address.path is not None:
        return one.family == "unix" and one.path == address.path
    if one.type != "stream" or one.port != address.port or address.ip is None or one.family == "unix":
        return False
    own = ipaddress.ip_address(one.address.partition("%")[0])
    if own.is_unspecified:
        return own.version == address.ip.version or (own.version == 6 and one.dual)
    mapped = own.ipv4_mapped if isinstance(own, ipaddress.IPv6Address) else None
    return address.ip in {own, mapped}


async def named_owner(sockets: tuple[Listening, ...], asker: Asker) -> tuple[str, int]:
    """Name and pid of a socket's owner; empty and 0 where it cannot be seen."""
    pids = [pid for one in sockets for pid in one.pids]
    if not pids:
        return "", 0
    answer = (await asker.ask(Processes())).answer
    table = answer.processes if isinstance(answer, ProcessTable) else ()
    owner = min((one for one in table if one.pid in pids), key=lambda one: one.pid, default=None)
    return (owner.name, owner.pid) if owner else ("", min(pids))


@check(
    "listener",
    Scope.SERVER,
    {
        "listening": _WHO,
        "queue-full": (*_WHO, "queue", "backlog"),
        "other-address": ("address", "port", "program", "pid", "listens_on"),
        "other-family": ("address", "port", "program", "pid", "listens_on"),
        "absent": ("address", "port"),
        "not-local": ("address", "port"),
    },
    bad=("queue-full", "other-address", "other-family", "absent"),
)
async def listener(subject: Subject, asker: Asker) -> Finding:
    """Find the socket that would take the gateway's connection."""
    found = await located(subject, asker)
    address = parse_address(found.addresses[0]) if found.addresses else None
    if address is None:
        return Finding(UNKNOWN, "There is no address to look for.")
    by_hand = _by_hand(address)
    if await is_local(address, asker) is False:
        return Finding(
            "not-local",
            f"{one_line(address.text)} is not an address of this host; who listens there cannot be seen from here.",
            {"address": address.text, "port": address.port},
            by_hand=by_hand,
        )
    table = await socket_table(subject, asker)
    if isinstance(table, NotAnswered):
        return Finding(
            UNKNOWN, f"The listening sockets could not be listed: {one_line(table.detail)}.", by_hand=by_hand
        )
    values: dict[str, Value] = {"address": address.text, "port": address.port, "program": "", "pid": 0}
    gaps = (
        ()
        if table.owners_complete
        else (Gap("which process owns a socket", "not all processes can be seen", ROOT_GRANT),)
    )
    matching = tuple(one for one in table.listening if takes(one, address))
    if matching:
        return await _present(matching, address, values, gaps, asker, by_hand)
    near = tuple(
        one for one in table.listening if one.family != "unix" and one.type == "stream" and one.port == address.port
    )
    if address.path is None and near:
        program, pid = await named_owner(near, asker)
        where = ", ".join(sorted({_written(one) for one in near}))
        same_family = any(
            ipaddress.ip_address(one.address.partition("%")[0]).version == address.ip.version
            for one in near
            if address.ip
        )
        values |= {"program": program, "pid": pid, "listens_on": where}
        who = f"{one_line(program)} (pid {pid})" if pid else "a process"
        return Finding(
            "other-address" if same_family else "other-family",
            f"Nobody listens on {one_line(address.text)}; {who} listens on {one_line(where)}.",
            values,
            gaps,
            by_hand=by_hand,
        )
    return Finding("absent", f"Nobody listens on {one_line(address.text)}.", values, gaps, by_hand=by_hand)


async def _present(
    matching: tuple[Listening, ...],
    address: Address,
    values: dict[str, Value],
    gaps: tuple[Gap, ...],
    asker: Asker,
    by_hand: str,
) -> Finding:
    program, pid = await named_owner(matching, asker)
    values |= {"program": program, "pid": pid, "evict": await _evicting(pid, asker)}
    who = f"{one_line(program)} (pid {pid})" if pid else "A process"
    full = next((one for one in matching if one.backlog is not None and (one.queue or 0) > one.backlog), None)
    if full is not None:
        values |= {"queue": full.queue or 0, "backlog": full.backlog or 0}
        return Finding(
            "queue-full",
            f"{who} listens on {one_line(address.text)}, and its accept queue is full: {full.queue} wait, {full.backlog} may.",
            values,
            gaps,
            by_hand=by_hand,
        )
    return Finding("listening", f"{who} listens on {one_line(address.text)}.", values, gaps, by_hand=by_hand)


async def _evicting(pid: int, asker: Asker) -> tuple[str, ...]:
    """The argv that ends a listener: its unit is stopped where it has one, else the process is told to end."""
    table = (await asker.ask(Processes())).answer
    found = next((one for one in table.processes if one.pid == pid), None) if isinstance(table, ProcessTable) else None
    unit = unit_of(found.cgroup) if found is not None else None
    return ("systemctl", "stop", unit) if unit else ("kill", str(pid))


def _written(one: Listening) -> str:
    return f"[{one.address}]:{one.port}" if one.family == "inet6" else f"{one.address}:{one.port}"


def _by_hand(address: Address) -> str:
    if address.path is not None:
        return f"ss -Hlxp src {shlex.quote(address.path)}"
    return f"ss -Hltnp 'sport = :{address.port}'"
