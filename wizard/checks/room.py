"""Whether what serves an address has room for another request: workers, file descriptors, tasks, allowed clients.

Owns the checks `workers`, `limits` and `allowed-clients`. May not know causes. A waiting connection proves that nobody
takes it; who does not take it, and how many there are, is the process table's to say.
"""

from __future__ import annotations

import asyncio
import ipaddress
import re
from pathlib import PurePosixPath

from wizard.checks.address import gateway_view, required
from wizard.checks.edits import AROUND
from wizard.checks.registry import UNKNOWN, Asker, Edit, Finding, Gap, Scope, Subject, Value, check
from wizard.checks.serving import Serving, fpm_of, pool_of, serving
from wizard.checks.waiting import OPEN, read_connections
from wizard.host.questions import (
    Connect,
    Connected,
    DirList,
    FileRead,
    FileStat,
    ListDir,
    Process,
    Ran,
    ReadFile,
    Run,
    Stat,
)
from wizard.services import phpfpm, systemd
from wizard.services.unitstate import UnitState
from wizard.text import one_line

_PREFORK = re.compile(r"^(?:gunicorn|uwsgi|unicorn|puma|passenger|hypercorn)", re.IGNORECASE)
_SPARE = 3  # descriptors below the limit at which the next request fails: its socket, a file, a pipe
_MAX_OPEN = 20_000


@check(
    "workers",
    Scope.SERVER,
    {
        "all-busy": ("busy", "limit", "queue", "program", "setting", "file"),
        "queueing": ("queue", "program"),
        "room": ("program",),
        "not-pooled": (),
    },
    bad=("all-busy",),
)
async def workers(subject: Subject, asker: Asker) -> Finding:
    """Compare what waits at the listener with the workers that there are and may be."""
    who = await serving(subject, asker)
    if who is None or not who.owners:
        return Finding("not-pooled", "Which processes take requests there cannot be seen.")
    by_hand = "ss -ltnp" if who.address.path is None else "ss -lxp"
    fpm = await fpm_of(who, asker)
    if fpm is not None:
        return _of_fpm(fpm, who, by_hand)
    program = _prefork(who)
    if program is None:
        return Finding("not-pooled", "What listens there has no fixed number of workers that is known.")
    if who.queue == 0:
        return Finding("room", "Nothing waits to be accepted.", {"program": program}, by_hand=by_hand)
    if all(one.state.startswith("T") for one in who.workers):
        return _queueing(who.queue, program, by_hand)  # stopped by a signal is not busy
    count = len(who.workers)
    if count < 2 and not await _others_wait(who, asker):
        # A single worker that holds one request is that request's story, not one of too few workers.
        return _queueing(who.queue, program, by_hand)
    said = f"All {count} workers of {one_line(program)} are busy, and {who.queue} connections wait."
    return _busy(said, count, count, who.queue, (program, "workers", ""), by_hand)


def _of_fpm(fpm: phpfpm.Fpm, who: Serving, by_hand: str) -> Finding:
    pool = pool_of(fpm, who)
    most = pool.number("pm.max_children") if pool else None
    name = pool.name if pool else ""
    children = [one for one in who.processes if phpfpm.pool_of(one) == name]
    if who.queue == 0:
        return Finding("room", "Nothing waits to be accepted.", {"program": f"pool {name}"}, by_hand=by_hand)
    stopped = bool(children) and all(one.state.startswith("T") for one in children)
    if pool is None or most is None or len(children) < most or stopped:
        return _queueing(who.queue, f"pool {name}", by_hand)
    line = pool.find("pm.max_children")
    said = f"All {most} processes of the pool {one_line(name)} are busy, and {who.queue} connections wait."
    place = line.file if line else ""
    return _busy(said, len(children), most, who.queue, (f"pool {name}", "pm.max_children", place), by_hand)


def _busy(said: str, busy: int, limit: int, queue: int, named: tuple[str, str, str], by_hand: str) -> Finding:
    program, setting, file = named
    values: dict[str, Value] = {
        "busy": busy,
        "limit": limit,
        "queue": queue,
        "program": program,
        "setting": setting,
        "file": file,
    }
    return Finding("all-busy", said, values, by_hand=by_hand)


def _queueing(queue: int, program: str, by_hand: str) -> Finding:
    waits = "connection waits" if queue == 1 else "connections wait"
    said = f"{queue} {waits} to be accepted."
    return Finding("queueing", said, {"queue": queue, "program": program}, by_hand=by_hand)


def _prefork(who: Serving) -> str | None:
    """The server that works with a number of processes, by the words of its command line."""
    for one in who.owners:
        for word in one.argv[:4]:
            match = _PREFORK.match(PurePosixPath(word).name)
            if match is not None:
                return match[0].lower()
    return None


async def _others_wait(who: Serving, asker: Asker) -> bool:
    """Whether clients wait at the listener whose connections are open and that no process has taken."""
    if who.address.path is not None:
        return False
    answer = (await asker.ask(Run(OPEN))).answer
    if not isinstance(answer, Ran) or answer.status != 0:
        return False
    suffix = f":{who.address.port}"
    return any(not one.pids and one.local.endswith(suffix) for one in read_connections(answer.out))


# --- limits ---------------------------------------------------------------------------------------------------


@check(
    "limits",
    Scope.SERVER,
    {
        "descriptors": ("pid", "program", "used", "limit", "unit"),
        "tasks": ("used", "limit", "unit"),
        "within": (),
        "unseen": (),
    },
    bad=("descriptors", "tasks"),
)
async def limits(subject: Subject, asker: Asker) -> Finding:
    """Compare what the processes have open, and how many tasks there are, with what they may have."""
    who = await serving(subject, asker)
    if who is None or not who.owners:
        return Finding("unseen", "Which process listens there cannot be seen.")
    counted = await asyncio.gather(*(_descriptors(one, asker) for one in who.owners[:8]))
    known = [one for one in counted if one is not None]
    for process, (used, limit) in zip(who.owners, (one or (0, 0) for one in counted), strict=False):
        if limit and used >= limit - _SPARE:
            return Finding(
                "descriptors",
                f"{one_line(process.name)} (pid {process.pid}) has {used} of {limit} file descriptors open.",
                {"pid": process.pid, "program": process.name, "used": used, "limit": limit, "unit": who.unit or ""},
                by_hand=f"ls /proc/{process.pid}/fd | wc -l; grep 'open files' /proc/{process.pid}/limits",
            )
    state = await systemd.state(asker, who.unit) if who.unit and await systemd.present(asker) else None
    if isinstance(state, UnitState) and state.tasks_max and state.tasks is not None and state.tasks >= state.tasks_max:
        return Finding(
            "tasks",
            f"{one_line(state.id)} has {state.tasks} of {state.tasks_max} tasks.",
            {"used": state.tasks, "limit": state.tasks_max, "unit": who.unit or ""},
            by_hand=f"systemctl show -p TasksCurrent,TasksMax {who.unit}",
        )
    if not known:
        gap = Gap("the open files of the process that listens", "not permitted", "run as root: sudo gateway-wizard")
        return Finding("unseen", "How many files it has open cannot be seen.", gaps=(gap,))
    return Finding("within", "File descriptors and tasks are below their limits.")


async def _descriptors(process: Process, asker: Asker) -> tuple[int, int] | None:
    """How many descriptors a process has open, and how many it may (proc_pid_limits(5))."""
    folder = f"/proc/{process.pid}/fd"
    read = (await asker.ask(ReadFile(f"/proc/{process.pid}/limits"))).answer
    limit = read_limit(read.content) if isinstance(read, FileRead) else None
    if limit is None:
        return None
    # Since Linux 6.2 the size of the folder is the number of descriptors.
    seen = (await asker.ask(Stat(folder))).answer
    if isinstance(seen, FileStat) and seen.size:
        return seen.size, limit
    listed = (await asker.ask(ListDir(folder, max_entries=min(limit, _MAX_OPEN)))).answer
    return (len(listed.entries), limit) if isinstance(listed, DirList) else None


def read_limit(content: bytes) -> int | None:
    """The soft limit of open files in `/proc/PID/limits`; None where there is none."""
    match = re.search(rb"^Max open files\s+(\d{1,12})\s", content, re.MULTILINE)
    return int(match[1]) if match else None


# --- allowed clients --------------------------------------------------------------------------------------------


@check(
    "allowed-clients",
    Scope.SERVER,
    {
        "excluded": ("source", "clients", "pool", "file", "unit", "edit"),
        "included": ("source", "clients"),
        "no-list": (),
    },
    bad=("excluded",),
)
async def allowed_clients(subject: Subject, asker: Asker) -> Finding:
    """Compare the address that the gateway connects from with `listen.allowed_clients` of the PHP-FPM pool."""
    route, _ = required(subject)
    who = await serving(subject, asker)
    fpm = await fpm_of(who, asker) if who is not None and who.owners else None
    pool = pool_of(fpm, who) if fpm is not None and who is not None else None
    line = pool.find("listen.allowed_clients") if pool else None
    listed = line is not None and line.value not in {"", "any"}
    if who is None or pool is None or line is None or not listed or who.address.path is not None:
        return Finding("no-list", "What serves the address keeps no list of clients that is known.")
    answer = (await asker.ask(Connect(who.address.text, gateway_view(route.gateway)))).answer
    local = answer.local if isinstance(answer, Connected) else ""
    source = local.rpartition(":")[0].strip("[]") or (str(who.address.ip) if who.address.is_loopback else "")
    by_hand = f"grep -n allowed_clients {one_line(line.file)}"
    if not source:
        return Finding(UNKNOWN, "The address that the gateway connects from is not known.", by_hand=by_hand)
    values: dict[str, Value] = {"source": source, "clients": line.value}
    if source in clients_of(line.value):
        said = f"The pool {one_line(pool.name)} takes connections from {one_line(source)}."
        return Finding("included", said, values, by_hand=by_hand)
    values |= {"pool": pool.name, "file": line.file, "unit": who.unit or ""}
    edit = await _with_client(line, source, asker)
    if edit is not None:
        values["edit"] = edit
    return Finding(
        "excluded",
        f"The pool {one_line(pool.name)} takes connections from {one_line(line.value)} only; "
        f"the gateway comes from {one_line(source)}.",
        values,
        by_hand=by_hand,
    )


def clients_of(value: str) -> frozenset[str]:
    """The addresses of such a list in one notation each; PHP-FPM compares addresses, not networks."""
    found = set()
    for word in value[:10_000].split(","):
        try:
            ip = ipaddress.ip_address(word.strip())
        except ValueError:
            continue
        found.add(str(ip.ipv4_mapped if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped else ip))
    return frozenset(found)


async def _with_client(line: phpfpm.Line, source: str, asker: Asker) -> Edit | None:
    """The edit that adds an address to the list."""
    read = (await asker.ask(ReadFile(line.file))).answer
    if not isinstance(read, FileRead):
        return None
    text = read.content.decode("utf-8", "replace").splitlines()
    index = line.line - 1
    if not 0 <= index < len(text) or text[index] != line.raw or line.value not in line.raw:
        return None
    start = line.raw.rindex(line.value)
    after = f"{line.raw[:start]}{line.value},{source}{line.raw[start + len(line.value) :]}"
    return Edit(
        file=read.real or line.file,
        line=line.line,
        before=line.raw,
        after=after,
        above=tuple(text[max(0, index - AROUND) : index]),
        below=tuple(text[index + 1 : index + 1 + AROUND]),
    )
