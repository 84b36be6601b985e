"""Processes as services: which service a process belongs to, and where it listens.

Owns the join of process table, socket table and control groups, and the state of a service that no service manager
runs. May not know how a service manager is asked.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

import msgspec

from wizard.host.questions import Listening, NotAnswered, Process, Processes, ProcessTable, SocketTable, Why
from wizard.services.manager import Asks, UnitCondition
from wizard.services.mentions import Endpoint, serves

_SERVICE = re.compile(r"/([^/]+\.service)(?=/|$)")
_USER_MANAGER = re.compile(r"^user@\d+\.service$")
_CONTAINER = re.compile(r"/(?:docker|libpod|crio|cri-containerd)[-/]([0-9a-f]{12,64})(?:\.scope)?(?=/|$)|/lxc/([^/]+)")


def unit_of(cgroup: str) -> str | None:
    """The system service in a control group path (`/system.slice/shop.service`); None where there is none.

    A service of a user's own manager is none: systemctl without `--user` does not know it.
    """
    found = _SERVICE.findall(cgroup)
    if not found or (len(found) > 1 and any(_USER_MANAGER.match(name) for name in found)):
        return None
    return None if _USER_MANAGER.match(found[-1]) or container_of(cgroup) else str(found[-1])


def container_of(cgroup: str) -> str | None:
    """The id of the container in a control group path, None where there is none."""
    match = _CONTAINER.search(cgroup)
    return (match[1] or match[2]) if match else None


def where(listening: Listening) -> str:
    """An address as it is written: `127.0.0.1:8000`, `[::]:8000`, `unix:/run/app.sock`."""
    if listening.family == "unix":
        return f"unix:{listening.path}"
    return (
        f"[{listening.address}]:{listening.port}"
        if ":" in listening.address
        else (f"{listening.address}:{listening.port}")
    )


def accepts(listening: Listening, wanted: Endpoint) -> bool:
    """Whether a listening socket takes connections to an endpoint."""
    if listening.type != "stream":
        return False
    if wanted.is_unix or listening.family == "unix":
        return listening.family == "unix" and bool(wanted.path) and listening.path == wanted.path
    if listening.port != wanted.port:
        return False
    if listening.address == "::":
        return listening.dual or ":" in wanted.host or wanted.host in ("", "localhost")
    if listening.address == "0.0.0.0":
        return ":" not in wanted.host
    return listening.address == wanted.host or (
        wanted.host in ("", "localhost") and serves(listening.address, "localhost")
    )


def listeners_of(unit: str, processes: Iterable[Process], sockets: SocketTable) -> tuple[Listening, ...]:
    """Where the processes of one unit listen (streams only), in the order of the socket table."""
    pids = {process.pid for process in processes if unit_of(process.cgroup) == unit}
    return tuple(found for found in sockets.listening if found.type == "stream" and pids.intersection(found.pids))


def listening_units(processes: Iterable[Process], sockets: SocketTable) -> Mapping[str, tuple[Listening, ...]]:
    """Every unit whose processes listen, with where they do."""
    unit_by_pid = {process.pid: unit for process in processes if (unit := unit_of(process.cgroup))}
    found: dict[str, list[Listening]] = {}
    for listening in sockets.listening:
        if listening.type != "stream":
            continue
        for unit in dict.fromkeys(unit_by_pid[pid] for pid in listening.pids if pid in unit_by_pid):
            found.setdefault(unit, []).append(listening)
    return {unit: tuple(places) for unit, places in found.items()}


# --- without a service manager ----------------------------------------------------------------------------------


class PlainState(msgspec.Struct, frozen=True):
    """A program that no service manager runs: its name, its processes, the eldest first."""

    id: str
    processes: tuple[Process, ...] = ()

    @property
    def main_pid(self) -> int:
        """The eldest process, 0 where none runs."""
        return self.processes[0].pid if self.processes else 0

    def condition(self, now: float | None = None) -> UnitCondition:
        """Running or not found; a program that is not there leaves nothing that could tell more."""
        del now
        return UnitCondition.RUNNING if self.processes else UnitCondition.NOT_FOUND


class PlainProcesses:
    """The process table in the place of a service manager."""

    name = "none"

    async def present(self, ask: Asks) -> bool:
        """Whether the process table can be read."""
        return isinstance((await ask.ask(Processes())).answer, ProcessTable)

    async def state(self, ask: Asks, unit: str) -> PlainState | NotAnswered:
        """The processes of that name."""
        answer = (await ask.ask(Processes())).answer
        if isinstance(answer, NotAnswered):
            return NotAnswered(Why.FAILED, answer.detail) if answer.why is Why.NOT_RECORDED else answer
        named = [process for process in answer.processes if process.name == unit]
        return PlainState(unit, tuple(sorted(named, key=lambda process: (process.started, process.pid))))
