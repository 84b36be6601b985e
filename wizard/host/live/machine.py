"""The clock of the host, and who the wizard is on it.

Owns those two answers. May not know what rights are needed for what.
"""

# ruff: noqa: PTH116 - a string suffices

from __future__ import annotations

import os
import shlex
import time

from wizard.host.live import paths
from wizard.host.live.accounts import accounts
from wizard.host.live.processes import boot_time
from wizard.host.live.zone import zone_of
from wizard.host.questions import Clock, Identity, Me, Told

# Bit by bit (include/uapi/linux/capability.h).
CAPABILITIES = (
    "chown", "dac_override", "dac_read_search", "fowner", "fsetid", "kill", "setgid", "setuid", "setpcap",
    "linux_immutable", "net_bind_service", "net_broadcast", "net_admin", "net_raw", "ipc_lock", "ipc_owner",
    "sys_module", "sys_rawio", "sys_chroot", "sys_ptrace", "sys_pacct", "sys_admin", "sys_boot", "sys_nice",
    "sys_resource", "sys_time", "sys_tty_config", "mknod", "lease", "audit_write", "audit_control", "setfcap",
    "mac_override", "mac_admin", "syslog", "wake_alarm", "block_suspend", "audit_read", "perfmon", "bpf",
    "checkpoint_restore",
)  # fmt: skip


def answer_clock(_question: Clock) -> Told:
    """What time it is, and in which zone the host writes it."""
    now, zone = time.time(), zone_of()
    return Told(now=now, boot=boot_time(), utc_offset=zone.offset(now), zone=zone.name)


def answer_identity(_question: Identity) -> Me:
    """Who the wizard runs as (effective ids), and on what."""
    system, names, uid = os.uname(), accounts(), os.geteuid()
    groups = sorted({os.getegid(), *os.getgroups()})
    return Me(
        uid=uid,
        user=names.user(uid) or str(uid),
        groups=tuple(names.group(gid) or str(gid) for gid in groups),
        hostname=system.nodename,
        os=parse_os_release(_content("/etc/os-release") or _content("/usr/lib/os-release")) or system.sysname,
        kernel=system.release,
        capabilities=parse_capabilities(_content("/proc/self/status")),
        init=_content("/proc/1/comm").decode("utf-8", "backslashreplace").strip(),
        pid=os.getpid(),
        net_ns=_inode("/proc/self/ns/net"),
        mnt_ns=_inode("/proc/self/ns/mnt"),
    )


def parse_os_release(content: bytes) -> str:
    """The PRETTY_NAME of os-release(5), else its NAME; empty where it has neither."""
    values: dict[str, str] = {}
    for line in content.decode("utf-8", "backslashreplace").splitlines():
        name, equals, value = line.strip().partition("=")
        if not equals or name not in {"PRETTY_NAME", "NAME"}:
            continue
        try:
            values[name] = "".join(shlex.split(value))
        except ValueError:
            values[name] = value.strip("\"'")
    return values.get("PRETTY_NAME") or values.get("NAME", "")


def parse_capabilities(status: bytes) -> tuple[str, ...]:
    """The effective capabilities of /proc/PID/status by name (`cap_net_admin`), in the order of their bits."""
    for line in status.splitlines():
        name, _, value = line.partition(b":")
        if name == b"CapEff":
            try:
                bits = int(value, 16)
            except ValueError:
                return ()
            return tuple(f"cap_{name}" for bit, name in enumerate(CAPABILITIES) if bits >> bit & 1)
    return ()


def _content(path: str) -> bytes:
    try:
        with paths.found(path) as place:
            return paths.read(place, 1 << 16)[0]
    except (OSError, paths.NotRegularError):
        return b""


def _inode(path: str) -> int:
    try:
        return os.stat(path).st_ino
    except OSError:
        return 0
