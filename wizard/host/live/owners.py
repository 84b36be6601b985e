"""Which processes hold which sockets: the descriptors of every process (proc_pid_fd(5)).

Owns that scan. May not know what a socket is for. It is what `ss -p` does, and costs about as much: one readlink(2) for
each open descriptor of the host.
"""

# pathlib would double the time of the scan:
# ruff: noqa: PTH116, PTH208

from __future__ import annotations

import os
from collections.abc import Collection

import msgspec


class Owners(msgspec.Struct):
    """Pids by the inode of the socket that they hold; `complete` is False where a process could not be looked into.

    `namespaces` are the network namespaces seen, each with one process in it; `hidden_namespaces` says that those of
    some processes could not be seen.
    """

    pids: dict[int, list[int]] = msgspec.field(default_factory=dict)
    complete: bool = True
    namespaces: dict[int, int] = msgspec.field(default_factory=dict)
    hidden_namespaces: bool = False

    def of(self, inode: int) -> tuple[int, ...]:
        """The processes that hold a socket, in the order of their numbers."""
        return tuple(dict.fromkeys(self.pids.get(inode, ())))


def owners() -> Owners:
    """Look at the descriptors of every process that can be seen."""
    found = Owners()
    pids = sorted(int(name) for name in os.listdir("/proc") if name.isdecimal())
    found.complete = _shows_everyone(pids)
    for pid in pids:
        _namespace(found, pid)
        _sockets(found, pid)
    return found


def _shows_everyone(pids: Collection[int]) -> bool:
    """Whether /proc hides nobody: with hidepid= (proc(5)) not even process 1 is shown to others than root."""
    return 1 in pids


def _namespace(found: Owners, pid: int) -> None:
    try:
        found.namespaces.setdefault(os.stat(f"/proc/{pid}/ns/net").st_ino, pid)
    except PermissionError:
        found.hidden_namespaces = True
    except OSError:
        pass


def _sockets(found: Owners, pid: int) -> None:
    folder = f"/proc/{pid}/fd"
    try:
        names = os.listdir(folder)
    except PermissionError:
        found.complete = False
        return
    except OSError:
        return  # it has ended
    readlink, pids = os.readlink, found.pids
    for name in names:
        try:
            target = readlink(f"{folder}/{name}")
        except OSError:
            continue
        if target.startswith("socket:["):
            pids.setdefault(int(target[8:-1]), []).append(pid)
