"""The hop from address to process: who listens there, in the gateway's network namespace.

Owns the checks `listener` and `socket-file`. May not know services. A socket list that was read without rights is
whole as to addresses and not as to owners, so "nobody listens" may be said without root, "who" may not.
"""

from __future__ import annotations

import ipaddress
import shlex

from wizard.checks.address import ROOT_GRANT, Address, is_local, parse_address, required
from wizard.checks.connect import located
from wizard.checks.registry import UNKNOWN, Asker, Finding, Gap, Scope, Subject, Value, check
from wizard.host.questions import (
    FileStat,
    Listening,
    NotAnswered,
    PathSteps,
    Processes,
    ProcessTable,
    Sockets,
    SocketTable,
    WalkPath,
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


@check(
    "socket-file",
    Scope.SERVER,
    {
        "no-unix-socket": (),
        "present": ("path", "owner", "group", "mode"),
        "missing": ("path", "missing", "folder"),
        "other-namespace": ("path", "missing", "folder", "pid", "unit", "drop-in"),
        "folder-missing": ("path", "missing", "folder"),
        "not-a-socket": ("path", "kind"),
        "not-writable": ("path", "owner", "group", "mode", "user"),
        "folder-closed": ("path", "folder", "owner", "group", "mode", "user"),
    },
    bad=("missing", "folder-missing", "other-namespace", "not-a-socket", "not-writable", "folder-closed"),
)
async def socket_file(subject: Subject, asker: Asker) -> Finding:
    """Walk the socket's path as the gateway sees it: every folder's search bit, then the socket's own write bit."""
    route, server = required(subject)
    address = parse_address(server.address)
    if address is None or address.path is None or address.path.startswith("@"):
        return Finding("no-unix-socket", "The server is no unix socket in the file system.")
    instance = route.gateway
    path = address.path
    walked = (await asker.ask(WalkPath(path, within=instance.within))).answer
    by_hand = f"namei -l {shlex.quote(path)}"
    if not isinstance(walked, PathSteps):
        return Finding(UNKNOWN, f"The path could not be walked: {one_line(walked.detail)}.", by_hand=by_hand)
    uid, groups = instance.uid, {instance.gid, *instance.groups}
    for step in walked.steps[:-1] if walked.missing is None and walked.denied is None else walked.steps:
        if step.kind == "dir" and uid is not None and not _may(step, uid, groups, 0o1):
            return Finding(
                "folder-closed",
                f"{one_line(instance.user)} may not pass through {one_line(step.path)} ({_rights(step)}).",
                {**_owned(step), "path": path, "folder": step.path, "user": instance.user},
                by_hand=by_hand,
            )
    if walked.denied is not None:
        gap = Gap(f"what is below {one_line(walked.denied)}", "permission denied", ROOT_GRANT)
        return Finding(UNKNOWN, f"{one_line(walked.denied)} cannot be looked at.", gaps=(gap,), by_hand=by_hand)
    if walked.missing is not None:
        folder = path.rpartition("/")[0] or "/"
        seen_by = await _seen_by_listener(subject, address, asker)
        if seen_by:
            return Finding(
                "other-namespace",
                f"{one_line(path)} exists for the process that listens on it (pid {seen_by}), and not for {instance.kind}.",
                {
                    "path": path,
                    "missing": walked.missing,
                    "folder": folder,
                    "pid": seen_by,
                    **await _unit_values(seen_by, asker),
                },
                by_hand=by_hand,
            )
        outcome = (
            "missing" if walked.missing == path or walked.missing.rpartition("/")[0] == folder else "folder-missing"
        )
        return Finding(
            outcome,
            f"{one_line(walked.missing)} does not exist.",
            {"path": path, "missing": walked.missing, "folder": folder},
            by_hand=by_hand,
        )
    last = walked.steps[-1]
    if last.kind != "socket":
        return Finding(
            "not-a-socket",
            f"{one_line(path)} is a {last.kind}, no socket.",
            {"path": path, "kind": last.kind},
            by_hand=by_hand,
        )
    if uid is not None and not _may(last, uid, groups, 0o2):
        return Finding(
            "not-writable",
            f"{one_line(instance.user)} may not write to {one_line(path)} ({_rights(last)}).",
            {**_owned(last), "path": path, "user": instance.user},
            by_hand=by_hand,
        )
    return Finding(
        "present", f"{one_line(path)} is there ({_rights(last)}).", {**_owned(last), "path": path}, by_hand=by_hand
    )


async def _unit_values(pid: int, asker: Asker) -> dict[str, Value]:
    table = (await asker.ask(Processes())).answer
    found = next((one for one in table.processes if one.pid == pid), None) if isinstance(table, ProcessTable) else None
    unit = unit_of(found.cgroup) if found is not None else None
    return {"unit": unit, "drop-in": f"/etc/systemd/system/{unit}.d"} if unit else {}


async def _seen_by_listener(subject: Subject, address: Address, asker: Asker) -> int:
    """The pid of a listener on that path which sees the file in its own mount namespace; 0 where there is none."""
    table = await socket_table(subject, asker)
    if not isinstance(table, SocketTable):
        return 0
    for pid in [pid for one in table.listening if takes(one, address) for pid in one.pids][:3]:
        walked = (await asker.ask(WalkPath(address.path or "/", within=pid))).answer
        if isinstance(walked, PathSteps) and walked.missing is None and walked.denied is None:
            return pid
    return 0


def _may(step: FileStat, uid: int, groups: set[int | None], bit: int) -> bool:
    """Whether the permission bits let a user pass (1) or write (2), as in path_resolution(7); root always may."""
    if uid == 0:
        return True
    if step.uid == uid:
        return bool(step.mode & (bit << 6))
    if step.gid in groups:
        return bool(step.mode & (bit << 3))
    return bool(step.mode & bit)


def _rights(step: FileStat) -> str:
    return f"{one_line(step.owner or str(step.uid))}:{one_line(step.group or str(step.gid))}, mode {step.mode:04o}"


def _owned(step: FileStat) -> dict[str, Value]:
    return {"owner": step.owner or str(step.uid), "group": step.group or str(step.gid), "mode": f"{step.mode:04o}"}


def _written(one: Listening) -> str:
    return f"[{one.address}]:{one.port}" if one.family == "inet6" else f"{one.address}:{one.port}"


def _by_hand(address: Address) -> str:
    if address.path is not None:
        return f"ss -Hlxp src {shlex.quote(address.path)}"
    return f"ss -Hltnp 'sport = :{address.port}'"
