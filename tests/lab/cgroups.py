"""A control group of its own for a guest that boots systemd, in whatever hierarchies this host has.

Debian 12 mounts the unified hierarchy; other hosts mount the old ones beside it. A guest gets one group in each, and
a namespace that makes that group look like the root. May not know what runs in it.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

MOUNTS = Path("/sys/fs/cgroup")


@dataclass(frozen=True, slots=True)
class Hierarchy:
    """One mounted hierarchy: where the host has it, its filesystem type, and the options that mount it again."""

    at: Path
    kind: str
    options: str


def hierarchies() -> list[Hierarchy]:
    """The hierarchies mounted at or below /sys/fs/cgroup, from /proc/self/mountinfo (proc(5))."""
    found = []
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        head, _, tail = line.partition(" - ")
        target = Path(head.split()[4])
        kind, _, options = tail.split(maxsplit=2)
        if kind in {"cgroup", "cgroup2"} and target.is_relative_to(MOUNTS):
            wanted = [word for word in options.split(",") if word not in {"rw", "ro"}] if kind == "cgroup" else []
            controllers = [word for word in wanted if not word.startswith(("release_agent=", "nsdelegate"))]
            found.append(Hierarchy(target, kind, ",".join(controllers)))
    return found


def move_into(name: str) -> list[int]:
    """Makes the group in every hierarchy, moves this process there, and returns the way back.

    The descriptors are opened first: a group outside the coming namespace can only be reached through them.
    """
    way_back = []
    for hierarchy in hierarchies():
        group = hierarchy.at / name
        group.mkdir(exist_ok=True)
        for setting in ("cpuset.cpus", "cpuset.mems"):
            if hierarchy.kind == "cgroup" and (group / setting).exists():
                (group / setting).write_text((hierarchy.at / setting).read_text())
        if hierarchy.kind == "cgroup2":
            _enable_controllers(hierarchy.at)
        way_back.append(os.open(_own_group(hierarchy) / "cgroup.procs", os.O_WRONLY))
        (group / "cgroup.procs").write_text("0")
    return way_back


def move_back(way: list[int]) -> None:
    """Leaves the group to the guest: in the unified hierarchy systemd insists on a root without processes."""
    for descriptor in way:
        with suppress(OSError):
            os.write(descriptor, b"0")
        os.close(descriptor)


def show_in(target: Path, mount: Callable[[str, Path, str, int, str], None]) -> None:
    """Mounts the hierarchies afresh inside the namespace, laid out below `target` as on the host."""
    found = hierarchies()
    if [hierarchy.at for hierarchy in found] == [MOUNTS]:
        mount("cgroup2", target, "cgroup2", 0, "")
        return
    mount("tmpfs", target, "tmpfs", 0, "mode=755")
    for hierarchy in found:
        place = target / hierarchy.at.relative_to(MOUNTS)
        place.mkdir()
        mount(hierarchy.kind, place, hierarchy.kind, 0, hierarchy.options)


def remove(name: str) -> None:
    """Removes the groups of a guest that is gone."""
    for hierarchy in hierarchies():
        for folder, _, _ in os.walk(hierarchy.at / name, topdown=False):
            with suppress(OSError):
                Path(folder).rmdir()


def _enable_controllers(root: Path) -> None:
    for controller in (root / "cgroup.controllers").read_text().split():
        with suppress(OSError):  # one that the host keeps for itself
            (root / "cgroup.subtree_control").write_text(f"+{controller}")


def _own_group(hierarchy: Hierarchy) -> Path:
    controllers = set(hierarchy.options.split(",")) if hierarchy.kind == "cgroup" else {""}
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        _, names, path = line.split(":", 2)
        if controllers & set(names.split(",")):
            return hierarchy.at / path.lstrip("/")
    return hierarchy.at
