"""Where the gateway sits: as which user, in which network namespace, below which root.

Owns telling whether a view differs from where this process sits, and the place to take where it does. May not know
how a place is taken (`reach`), nor who sits there (`children`).
"""

from __future__ import annotations

import os
import pwd
from pathlib import Path
from typing import NamedTuple

from wizard.host.live.accounts import accounts
from wizard.host.live.network.reach import Place
from wizard.host.live.network.unasked import Unasked
from wizard.host.questions import NotAnswered, View, Why

GRANT = "run as root (sudo gateway-wizard)"


class Seat(NamedTuple):
    """A place that differs from ours. Two processes with the same namespaces and root share one."""

    uid: int | None
    gid: int | None
    groups: tuple[int, ...] | None
    network: int  # inode of the network namespace; 0: ours
    root: tuple[int, int, int] | None  # mount namespace, device and inode of the root directory; None: ours


def seat_of(view: View) -> tuple[Seat, Place] | None:
    """Where a view sits, or None where that is where this process sits anyway.

    A user without a stated group gets the group and the groups that the user database gives it.

    Raises:
        Unasked: the process of the view is gone, or may not be looked at.
    """
    uid, gid, groups = _identity(view)
    network, root = _surroundings(view.within) if view.within is not None else (0, None)
    if uid is None and not network and root is None:
        return None
    seat = Seat(uid, gid, groups, network, root)
    return seat, Place(
        uid,
        gid,
        groups,
        f"/proc/{view.within}/ns/net" if network else None,
        f"/proc/{view.within}/root" if root else None,
    )


def _identity(view: View) -> tuple[int | None, int | None, tuple[int, ...] | None]:
    if view.uid is None:
        return None, None, None
    gid, groups = view.gid, view.groups
    if view.uid == os.geteuid():
        if gid is None or view.uid == 0:  # groups add nothing to what root may do
            return None, None, None
        if gid == os.getegid() and {gid, *groups} == {gid, *os.getgroups()}:
            return None, None, None
    if gid is None:
        try:
            user = pwd.getpwuid(view.uid)
            gid = user.pw_gid
            groups = groups or tuple(os.getgrouplist(user.pw_name, gid))
        except KeyError:
            gid = view.uid
    return view.uid, gid, groups


def _surroundings(pid: int) -> tuple[int, tuple[int, int, int] | None]:
    process = Path("/proc") / str(pid)
    own = Path("/proc/self")
    try:
        network = (process / "ns/net").stat().st_ino
        mounts = (process / "ns/mnt").stat().st_ino
        root = (process / "root").stat()
    except PermissionError as error:
        detail = f"{own_name()} may not look into the namespaces of process {pid}"
        raise Unasked(NotAnswered(Why.DENIED, detail, error.errno, GRANT)) from error
    except OSError as error:
        raise Unasked(NotAnswered(Why.MISSING, f"process {pid} is not there", error.errno)) from error
    own_root = Path("/").stat()
    same_root = (mounts, root.st_dev, root.st_ino) == (
        (own / "ns/mnt").stat().st_ino,
        own_root.st_dev,
        own_root.st_ino,
    )
    return (
        0 if network == (own / "ns/net").stat().st_ino else network,
        None if same_root else (mounts, root.st_dev, root.st_ino),
    )


def own_name() -> str:
    """The name of the user that this process runs as."""
    return user_name(os.geteuid())


def user_name(uid: int) -> str:
    """A user's name, or `uid N` where it has none on this host."""
    return accounts().user(uid) or f"uid {uid}"


def group_name(gid: int) -> str:
    """A group's name, or `gid N` where it has none on this host."""
    return accounts().group(gid) or f"gid {gid}"
