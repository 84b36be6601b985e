"""The way through the file system to a unix socket: is it there for the gateway, and may the gateway use it?

Owns the check `socket-file`. May not know services, or who listens. The path is walked as the gateway sees it; where that
is not what this shell sees, or what the listener sees, one of the units hides a part of it. To connect one needs the
search bit of every folder on the way and the write bit of the socket (path_resolution(7), unix(7)).
"""

from __future__ import annotations

import shlex

import msgspec

from wizard.checks.address import ROOT_GRANT, Address, parse_address, required
from wizard.checks.connect import connect
from wizard.checks.listen import socket_table, takes
from wizard.checks.registry import UNKNOWN, Asker, Finding, Gap, Scope, Subject, Value, check
from wizard.checks.service import claimed, ownership
from wizard.host.questions import FileStat, PathSteps, Processes, ProcessTable, SocketTable, Stat, WalkPath
from wizard.model import Instance
from wizard.services import systemd
from wizard.services.processes import unit_of
from wizard.services.sandbox import Lifted, Sandbox, sandbox
from wizard.text import one_line

_OWNED = ("path", "owner", "group", "mode")
_HIDDEN = ("path", "setting", "unit", "drop-in", "lines")
_SETFACL = "/usr/bin/setfacl"


class Hiding(msgspec.Struct, frozen=True):
    """The unit that hides a path from its processes, and the setting; `served` says that it is the application's."""

    unit: str
    lifted: Lifted
    served: bool


@check(
    "socket-file",
    Scope.SERVER,
    {
        "no-unix-socket": (),
        "present": _OWNED,
        "missing": ("path", "missing", "folder"),
        "hidden-from-gateway": _HIDDEN,
        "other-namespace": _HIDDEN,
        "folder-missing": ("path", "missing", "folder"),
        "not-a-socket": ("path", "kind"),
        "not-writable": (*_OWNED, "user"),
        "listed-out": (*_OWNED, "user", "let-in"),
        "folder-closed": (*_OWNED, "folder", "user", "second", "third", "regroup", "widen"),
        "folder-hidden": (*_HIDDEN, "folder", "user"),
    },
    bad=(
        "missing",
        "folder-missing",
        "hidden-from-gateway",
        "other-namespace",
        "not-a-socket",
        "not-writable",
        "listed-out",
        "folder-closed",
        "folder-hidden",
    ),
)
async def socket_file(subject: Subject, asker: Asker) -> Finding:
    """Walk the socket's path as the gateway sees it: every folder's search bit, then the socket's own write bit."""
    route, server = required(subject)
    address = parse_address(server.address)
    if address is None or address.path is None or address.path.startswith("@"):
        return Finding("no-unix-socket", "The server is no unix socket in the file system.")
    path, instance = address.path, route.gateway
    by_hand = f"namei -l {shlex.quote(path)}"
    walked = (await asker.ask(WalkPath(path, within=instance.within))).answer
    if not isinstance(walked, PathSteps):
        finding = await _unseen(subject, address, asker)
        if finding is not None:
            return msgspec.structs.replace(finding, by_hand=by_hand)
        gap = Gap(f"{one_line(path)} as {instance.kind} sees it", one_line(walked.detail), walked.grant or ROOT_GRANT)
        said = f"The path could not be walked as {instance.kind} sees it: {one_line(walked.detail)}."
        return Finding(UNKNOWN, said, gaps=(gap,), by_hand=by_hand)
    closed = _closed(walked, instance)
    if closed:
        finding = await _behind_closed(closed, walked, subject, address, asker)
    elif walked.denied is not None:
        gap = Gap(f"what is below {one_line(walked.denied)}", "permission denied", ROOT_GRANT)
        finding = Finding(UNKNOWN, f"{one_line(walked.denied)} cannot be looked at.", gaps=(gap,))
    elif walked.missing is not None:
        finding = await _missing(walked.missing, subject, address, asker)
    else:
        finding = await _there(walked.steps[-1], subject, path, asker)
    return msgspec.structs.replace(finding, by_hand=by_hand)


def _closed(walked: PathSteps, instance: Instance) -> list[FileStat]:
    """The folders on the way through which the gateway may not pass."""
    whole = walked.missing is None and walked.denied is None
    steps = walked.steps[:-1] if whole else walked.steps
    found = [one for one in steps if one.kind == "dir" and not _may(one, instance, 0o1)]
    return list({one.path: one for one in found}.values())


async def _behind_closed(
    closed: list[FileStat], walked: PathSteps, subject: Subject, address: Address, asker: Asker
) -> Finding:
    route, _ = required(subject)
    instance, path, first = route.gateway, address.path or "/", closed[0]
    values: dict[str, Value] = {**_owned(first), "path": path, "folder": first.path, "user": instance.user}
    said = f"{one_line(instance.user)} may not pass through {one_line(first.path)} ({_rights(first)})."
    hiding = await _of_gateway(instance, first.path, asker)
    if hiding is not None and await _differs(first, asker):
        said = f"{one_line(hiding.unit)} hides {one_line(first.path)} from {instance.kind}: {one_line(hiding.lifted.setting)}."
        return Finding("folder-hidden", said, {**values, **_told(hiding)})
    for name, one in zip(("second", "third"), closed[1:], strict=False):
        values[name] = ("chmod", "o+x", one.path)
    last = walked.steps[-1]
    if walked.missing is None and walked.denied is None and last.kind == "socket" and not _may(last, instance, 0o2):
        values |= {"regroup": ("chgrp", str(instance.gid), path), "widen": ("chmod", "g+rw", path)}
        said += f" The socket itself is closed too ({_rights(last)})."
    return Finding("folder-closed", said, values)


async def _differs(step: FileStat, asker: Asker) -> bool:
    """Whether a folder of the gateway's view is another one than this shell sees at that path."""
    ours = (await asker.ask(Stat(step.path))).answer
    return not isinstance(ours, FileStat) or (ours.inode, ours.mode) != (step.inode, step.mode)


async def _missing(missing: str, subject: Subject, address: Address, asker: Asker) -> Finding:
    route, _ = required(subject)
    instance, path = route.gateway, address.path or "/"
    folder = path.rpartition("/")[0] or "/"
    ours = (await asker.ask(WalkPath(path))).answer
    if isinstance(ours, PathSteps) and ours.missing is None and ours.denied is None and ours.steps[-1].kind == "socket":
        hiding = await _of_gateway(instance, path, asker)
        if hiding is not None:
            return _hidden(hiding, path, instance)
    seen_by = await _seen_by_listener(subject, address, asker)
    hiding = await _of_listener(subject, address, seen_by, asker)
    if hiding is not None and await _served(subject, address, asker):
        return _hidden(hiding, path, instance)
    values: dict[str, Value] = {"path": path, "missing": missing, "folder": folder}
    if seen_by:
        said = (
            f"{one_line(path)} exists for the process that listens on it (pid {seen_by}), and not for {instance.kind}."
        )
        return Finding("other-namespace", said, {**values, "setting": "a mount namespace of its own"})
    outcome = "missing" if missing == path or missing.rpartition("/")[0] == folder else "folder-missing"
    return Finding(outcome, f"{one_line(missing)} does not exist.", values)


async def _unseen(subject: Subject, address: Address, asker: Asker) -> Finding | None:
    """What the units say where the gateway's own view may not be taken."""
    route, _ = required(subject)
    path = address.path or "/"
    for hiding in (
        await _of_gateway(route.gateway, path, asker),
        await _of_listener(subject, address, 0, asker),
    ):
        if hiding is not None and await _served(subject, address, asker):
            return _hidden(hiding, path, route.gateway)
    return None


async def _there(last: FileStat, subject: Subject, path: str, asker: Asker) -> Finding:
    route, _ = required(subject)
    instance = route.gateway
    if last.kind != "socket":
        said = f"{one_line(path)} is a {last.kind}, no socket."
        return Finding("not-a-socket", said, {"path": path, "kind": last.kind})
    values: dict[str, Value] = {**_owned(last), "path": path}
    if not _may(last, instance, 0o2):
        said = f"{one_line(instance.user)} may not write to {one_line(path)} ({_rights(last)})."
        return Finding("not-writable", said, {**values, "user": instance.user})
    tried = await connect(subject, asker)
    if tried.outcome == UNKNOWN and tried.gaps:  # what was walked may not be what the gateway sees
        hiding = await _of_gateway(instance, path, asker)
        if hiding is not None:
            return _hidden(hiding, path, instance)
    if tried.outcome == "denied" and not tried.gaps:
        said = f"The mode of {one_line(path)} lets {one_line(instance.user)} in ({_rights(last)}), and the kernel does not."
        values["user"] = instance.user
        if isinstance((await asker.ask(Stat(_SETFACL))).answer, FileStat):
            values["let-in"] = ("setfacl", "-m", f"u:{instance.uid}:rw", path)
        return Finding("listed-out", said, values)
    return Finding("present", f"{one_line(path)} is there ({_rights(last)}).", values)


# --- what a unit hides ------------------------------------------------------------------------------------------


async def _of_gateway(instance: Instance, path: str, asker: Asker) -> Hiding | None:
    return await _hiding(instance.unit, path, asker, served=False)


async def _of_listener(subject: Subject, address: Address, pid: int, asker: Asker) -> Hiding | None:
    table = (await asker.ask(Processes())).answer
    found = next((one for one in table.processes if one.pid == pid), None) if isinstance(table, ProcessTable) else None
    unit = unit_of(found.cgroup) if found is not None else None
    if unit is None and await systemd.present(asker):
        claim = claimed(await ownership(subject, asker, address.text))
        unit = claim.service if claim is not None else None
    return await _hiding(unit, address.path or "/", asker, served=True)


async def _hiding(unit: str | None, path: str, asker: Asker, *, served: bool) -> Hiding | None:
    if unit is None or not await systemd.present(asker):
        return None
    found = await sandbox(asker, unit)
    lifted = found.hides(path) if isinstance(found, Sandbox) else None
    return Hiding(unit, lifted, served) if lifted is not None else None


async def _served(subject: Subject, address: Address, asker: Asker) -> bool:
    """Whether anybody listens on a socket of that path, wherever its file is seen."""
    table = await socket_table(subject, asker)
    return isinstance(table, SocketTable) and any(takes(one, address) for one in table.listening)


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


def _hidden(hiding: Hiding, path: str, instance: Instance) -> Finding:
    who = "other-namespace" if hiding.served else "hidden-from-gateway"
    said = f"{one_line(path)} is served, and {instance.kind} does not see it: {one_line(hiding.unit)} has {one_line(hiding.lifted.setting)}."
    return Finding(who, said, {"path": path, **_told(hiding)})


def _told(hiding: Hiding) -> dict[str, Value]:
    return {
        "setting": f"{hiding.unit} has {hiding.lifted.setting}",
        "unit": hiding.unit,
        "drop-in": f"/etc/systemd/system/{hiding.unit}.d",
        "lines": hiding.lifted.drop_in,
    }


# --- rights -----------------------------------------------------------------------------------------------------


def _may(step: FileStat, instance: Instance, bit: int) -> bool:
    """Whether the permission bits let the gateway pass (1) or write (2); root always may, and an unseen user too."""
    uid, groups = instance.uid, {instance.gid, *instance.groups}
    if uid is None or uid == 0:
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
