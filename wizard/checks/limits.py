"""What the gateway itself runs out of: connections, descriptors, a place for temporary files, an address to send from.

Owns the checks `worker-limits`, `temp-files` and `source-address`. May not know upstreams.
"""

from __future__ import annotations

import re
import shlex

from wizard.checks.address import local_addresses, parse_address
from wizard.checks.directives import holding, taken_out, with_word
from wizard.checks.handling import handling
from wizard.checks.logged import error_logs, events_of
from wizard.checks.registry import UNKNOWN, Asker, Edit, Finding, Gap, Scope, Subject, Value, check
from wizard.checks.survey import Gateway, survey
from wizard.host.questions import Connect, Connected, FileRead, FileStat, PathSteps, Ran, ReadFile, Run, WalkPath
from wizard.model import Instance, LogEvent, Route
from wizard.text import one_line

_ENOUGH_CONNECTIONS, _ENOUGH_FILES = 4096, 65536
_TEMP = frozenset({"temp-disk-full", "temp-denied"})
_OPEN_FILES = re.compile(rb"^Max open files\s+(\d+)", re.MULTILINE)
_FULL = 64  # kilobytes: less than one buffer of a body


async def _own(subject: Subject, asker: Asker) -> tuple[Route, Gateway] | None:
    route = subject.route
    gateway = (await survey(asker)).gateway_of(route.gateway) if route else None
    return (route, gateway) if route is not None and gateway is not None else None


@check(
    "worker-limits",
    Scope.ROUTE,
    {
        "enough": (),
        "connections": ("limit",),
        "connections-line": ("limit", "edit"),
        "files": ("limit",),
        "files-line": ("limit", "edit"),
    },
    bad=("connections", "connections-line", "files", "files-line"),
)
async def worker_limits(subject: Subject, asker: Asker) -> Finding:
    """Read the limit of a worker that the gateway said it has reached."""
    said = (await handling(subject, asker)).outcome
    owned = await _own(subject, asker)
    if said not in {"connections-exhausted", "no-descriptors"} or owned is None:
        return Finding("enough", "The gateway did not say that it ran out of connections or descriptors.")
    route, gateway = owned
    configuration = gateway.configuration
    if said == "connections-exhausted":
        limit = configuration.main.worker_connections if configuration else 512
        events = configuration.last("events") if configuration else None
        directive = events.last("worker_connections") if events else None
        edit = with_word(configuration, directive, str(limit), str(max(_ENOUGH_CONNECTIONS, 4 * limit)))
        words = f"A worker may have {limit} connections (worker_connections); each proxied request takes two."
        return _limited("connections", words, limit, edit)
    files = await _open_files(route.gateway, asker)
    directive = configuration.last("worker_rlimit_nofile") if configuration else None
    set_to = configuration.main.worker_rlimit_nofile if configuration else None
    limit = files or set_to or 0
    edit = with_word(configuration, directive, str(set_to), str(_ENOUGH_FILES)) if set_to else None
    return _limited("files", f"A worker may have {limit or 'too few'} files and sockets open.", limit, edit)


def _limited(word: str, sentence: str, limit: int, edit: Edit | None) -> Finding:
    values: dict[str, Value] = {"limit": limit}
    if edit is None:
        return Finding(word, sentence, values)
    return Finding(f"{word}-line", sentence, {**values, "edit": edit})


async def _open_files(instance: Instance, asker: Asker) -> int | None:
    pid = next(iter(instance.workers), instance.pid)
    answer = (await asker.ask(ReadFile(f"/proc/{pid}/limits"))).answer if pid else None
    found = _OPEN_FILES.search(answer.content) if isinstance(answer, FileRead) else None
    return int(found[1]) if found else None


@check(
    "temp-files",
    Scope.ROUTE,
    {
        "quiet": (),
        "denied": ("path", "folder", "user", "owner", "mode"),
        "missing": ("path", "folder", "user"),
        "full": ("path", "folder", "mount"),
        "fine-now": ("path", "folder"),
    },
    bad=("denied", "missing", "full"),
)
async def temp_files(subject: Subject, asker: Asker) -> Finding:
    """Look whether the gateway can write its temporary files, where it logged that it could not."""
    owned = await _own(subject, asker)
    if owned is None:
        return Finding(UNKNOWN, "There is no gateway.")
    route, gateway = owned
    event = await _last_temp(route, gateway, asker)
    if event is None or not event.target:
        return Finding("quiet", "The gateway logged no trouble with temporary files.")
    path = event.target
    walked = (await asker.ask(WalkPath(path, within=route.gateway.within))).answer
    by_hand = f"namei -l {shlex.quote(path.rpartition('/')[0] or '/')}"
    if not isinstance(walked, PathSteps):
        return Finding(UNKNOWN, f"{one_line(path)} could not be looked at: {one_line(walked.detail)}.", by_hand=by_hand)
    uid, groups = route.gateway.uid, {route.gateway.gid, *route.gateway.groups}
    user = route.gateway.user or str(uid)
    folders = [one for one in walked.steps if one.kind == "dir"]
    last = folders[-1] if folders else None
    folder = last.path if last else path.rpartition("/")[0]
    values: dict[str, Value] = {"path": path, "folder": folder, "user": user}
    for step in folders if uid is not None else ():
        if not _may(step, uid or 0, groups, 0o3 if step is last else 0o1):
            owner, mode = step.owner or str(step.uid), f"{step.mode:04o}"
            words = f"{one_line(user)} may not write in {one_line(step.path)} ({one_line(owner)}, mode {mode})."
            found = {**values, "folder": step.path, "owner": owner, "mode": mode}
            return Finding("denied", words, found, by_hand=by_hand, last_seen=event.time)
    if walked.missing is not None and walked.missing != path and event.errno == 2:
        words = f"{one_line(walked.missing)} does not exist."
        return Finding("missing", words, {**values, "folder": walked.missing}, by_hand=by_hand, last_seen=event.time)
    return await _room(folder, values, event, asker)


def _may(step: FileStat, uid: int, groups: set[int | None], bits: int) -> bool:
    """Whether a user has all of some permission bits on a folder (path_resolution(7)); root has."""
    shift = 6 if step.uid == uid else 3 if step.gid in groups else 0
    return uid == 0 or (step.mode >> shift) & bits == bits


async def _last_temp(route: Route, gateway: Gateway, asker: Asker) -> LogEvent | None:
    paths = dict.fromkeys((*((route.logs.error,) if route.logs else ()), *error_logs(gateway)))
    found: list[LogEvent] = []
    for path in paths:
        events = await events_of(gateway, path, asker)
        found += [one for one in events if one.symptom in _TEMP] if isinstance(events, tuple) else ()
    return max(found, key=lambda one: one.time or 0.0, default=None)


async def _room(folder: str, values: dict[str, Value], event: LogEvent, asker: Asker) -> Finding:
    by_hand = f"df -Pk {shlex.quote(folder)}"
    for option in ("-Pk", "-Pi"):
        answer = (await asker.ask(Run(("df", option, folder)))).answer
        if not isinstance(answer, Ran) or answer.status != 0:
            gap = Gap(f"the room in {one_line(folder)}", "df did not answer")
            return Finding(UNKNOWN, f"The room in {one_line(folder)} could not be read.", gaps=(gap,), by_hand=by_hand)
        words = answer.out.decode("utf-8", "replace").strip().split("\n")[-1].split(None, 5)
        free = int(words[3]) if len(words) == 6 and words[3].isdigit() else None
        least = _FULL if option == "-Pk" else 1
        if free is not None and free < least:
            said = f"{free} kB are" if option == "-Pk" else "no inode is"
            sentence = f"{said} free where {one_line(folder)} lies ({one_line(words[5])})."
            found = {**values, "mount": words[5]}
            return Finding("full", sentence, found, by_hand=by_hand, last_seen=event.time)
    return Finding("fine-now", f"{one_line(folder)} can be written now.", values, by_hand=by_hand)


@check(
    "source-address",
    Scope.ROUTE,
    {"none": (), "local": ("address",), "gone": ("address", "place"), "gone-line": ("address", "place", "edit")},
    bad=("gone", "gone-line"),
)
async def source_address(subject: Subject, asker: Asker) -> Finding:
    """Look whether the host has the address from which the gateway is told to connect (`proxy_bind`)."""
    owned = await _own(subject, asker)
    bind = owned[0].proxying.bind if owned and owned[0].proxying else None
    address = parse_address(bind.split()[0]) if bind and bind.strip() else None
    if owned is None or address is None or address.ip is None:
        return Finding("none", "No address to connect from is configured.")
    route, gateway = owned
    own = await local_addresses(asker)
    shown = str(address.ip)
    if own is None:
        return Finding(UNKNOWN, "The addresses of this host could not be listed.", by_hand="ip -br address")
    if shown in own or address.ip.is_loopback:
        return Finding("local", f"{shown} is an address of this host.", {"address": shown}, by_hand="ip -br address")
    configuration, at = gateway.configuration, route.action.at or route.location.at
    directive = holding(configuration, at, f"{route.action.kind}_bind") if configuration else None
    place = str(directive.at if directive else at)
    values: dict[str, Value] = {"address": shown, "place": place}
    words = f"{one_line(place)} lets the gateway connect from {shown}, which this host does not have."
    edit = taken_out(configuration, directive) if configuration and directive else None
    if edit is not None and await _connects(route, asker):
        return Finding("gone-line", words, {**values, "edit": edit}, by_hand="ip -br address")
    return Finding("gone", words, values, by_hand="ip -br address")


async def _connects(route: Route, asker: Asker) -> bool:
    """Whether the upstream takes a connection from the address that the kernel chooses."""
    for server in route.upstream.servers if route.upstream else ():
        if parse_address(server.address) is not None:
            answer = (await asker.ask(Connect(server.address, seconds=2.0))).answer
            if isinstance(answer, Connected):
                return True
    return False
