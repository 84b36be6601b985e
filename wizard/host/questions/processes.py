"""What is asked of the kernel's tables: who listens, and what runs.

May not know what a process is for.
"""

from __future__ import annotations

import msgspec

from wizard.host.questions.asking import Answer, Ask


class Listening(msgspec.Struct, frozen=True):
    """One listening socket. `queue` is what waits to be accepted, `backlog` how many may wait.

    `family` is inet, inet6 or unix; `address` is the IP as text, `path` the unix path (@ for abstract).
    `pids` is empty where the owner could not be seen; `dual` says that an inet6 socket takes IPv4 too.
    """

    family: str
    address: str = ""
    port: int = 0
    path: str = ""
    inode: int = 0
    uid: int | None = None
    queue: int | None = None
    backlog: int | None = None
    pids: tuple[int, ...] = ()
    dual: bool = False
    type: str = "stream"  # stream or dgram (udp is listed for resolvers)


class SocketTable(Answer, frozen=True, tag="sockets"):
    """All listening sockets of one network namespace. `owners_complete` is False where some pids were hidden."""

    listening: tuple[Listening, ...]
    owners_complete: bool
    netns: int = 0
    established: int = 0
    unix_complete: bool = True


class Sockets(Ask[SocketTable], frozen=True, tag="sockets"):
    """List listening sockets in this network namespace, or in the one of process `within`."""

    within: int | None = None


class Process(msgspec.Struct, frozen=True):
    """One process. Ids are those of this PID namespace; `started` is seconds since the epoch.

    `net_ns`, `mnt_ns` are inode numbers (0 where hidden); `cgroup` is the path below the service manager.
    """

    pid: int
    ppid: int
    name: str
    argv: tuple[str, ...]
    uid: int
    gid: int
    started: float
    state: str
    exe: str = ""
    groups: tuple[int, ...] = ()
    net_ns: int = 0
    mnt_ns: int = 0
    cgroup: str = ""
    root: str = "/"
    cwd: str = ""
    user: str = ""


class ProcessTable(Answer, frozen=True, tag="processes"):
    """All processes that can be seen."""

    processes: tuple[Process, ...]


class Processes(Ask[ProcessTable], frozen=True, tag="processes"):
    """List processes."""
