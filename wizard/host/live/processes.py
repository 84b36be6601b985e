"""The process table, read from /proc (proc_pid_stat(5), proc_pid_status(5), cgroups(7)).

Owns that reading. May not know what any process is for. psutil would give the same facts, but builds an object and a
dozen caches for each process and takes four to five times as long, and this table is part of every walk; where there is
no Linux /proc, `portable` asks psutil.

`started` is the boot time of this moment's clock plus the start in ticks. The boot time is not taken from /proc/stat,
whose btime has lost its fraction: a file edited half a second before its reader started would seem to be younger. A
tick is 10 ms, and so is the precision.
"""

# pathlib would cost a third of the time here:
# ruff: noqa: PTH115, PTH116, PTH208

from __future__ import annotations

import contextlib
import os
import time

import msgspec

from wizard.host.live.accounts import Accounts, accounts
from wizard.host.live.failure import failed
from wizard.host.questions import NotAnswered, Process, Processes, ProcessTable

KERNEL_THREAD = 0x00200000  # PF_KTHREAD (include/linux/sched.h)
MAX_ARGV = 1 << 16
CLOCK_SET = 0.05  # seconds by which a clock that is only slewed does not go astray during a walk
TICKS = os.sysconf("SC_CLK_TCK")


_boot = 0.0


def boot_time() -> float:
    """When this machine was started, in seconds since the epoch of the clock as it stands now.

    The same number every time, until the clock is set: what is told of a process in two attempts must be the same.
    """
    global _boot  # noqa: PLW0603 - the first look counts
    now = time.time() - time.clock_gettime(time.CLOCK_BOOTTIME)
    if abs(now - _boot) > CLOCK_SET:
        _boot = now
    return _boot


def answer_processes(_question: Processes) -> ProcessTable | NotAnswered:
    """List every process that can be seen; those that end meanwhile are left out."""
    try:
        pids = sorted(int(name) for name in os.listdir("/proc") if name.isdecimal())
    except OSError as error:
        return failed(error, "/proc")
    if not pids:
        from wizard.host.live import portable  # noqa: PLC0415 - for hosts without a Linux /proc

        return portable.processes()
    boot, names = boot_time(), accounts()
    return ProcessTable(tuple(one for pid in pids if (one := process(pid, boot, names)) is not None))


class Stat(msgspec.Struct, frozen=True):
    """The fields of /proc/PID/stat that are used. `started` is in clock ticks since boot."""

    name: str
    state: str
    ppid: int
    flags: int
    started: int


class Status(msgspec.Struct, frozen=True):
    """The ids of /proc/PID/status: effective user and group, supplementary groups."""

    uid: int
    gid: int
    groups: tuple[int, ...]


def process(pid: int, boot: float, names: Accounts) -> Process | None:
    """One process; None where it is gone. What may not be seen of it stays empty."""
    base = f"/proc/{pid}"
    try:
        seen = parse_stat(_content(f"{base}/stat"))
        status = parse_status(_content(f"{base}/status"))
    except (OSError, ValueError):
        return None
    started = round(boot + seen.started / TICKS, 2)
    if seen.flags & KERNEL_THREAD:
        return Process(
            pid, seen.ppid, seen.name, (), status.uid, status.gid, started, seen.state, user=names.user(status.uid)
        )
    argv: tuple[str, ...] = ()
    cgroup = exe = root = cwd = ""
    net_ns = mnt_ns = 0
    with contextlib.suppress(OSError):
        argv = parse_argv(_content(f"{base}/cmdline", MAX_ARGV))
        cgroup = parse_cgroup(_content(f"{base}/cgroup"))
        net_ns = os.stat(f"{base}/ns/net").st_ino  # from here on, one denial means all
        mnt_ns = os.stat(f"{base}/ns/mnt").st_ino
        root = os.readlink(f"{base}/root")
        cwd = os.readlink(f"{base}/cwd")
        exe = os.readlink(f"{base}/exe")
    return Process(
        pid=pid,
        ppid=seen.ppid,
        name=seen.name,
        argv=argv,
        uid=status.uid,
        gid=status.gid,
        started=started,
        state=seen.state,
        exe=_spelled(exe),
        groups=status.groups,
        net_ns=net_ns,
        mnt_ns=mnt_ns,
        cgroup=cgroup,
        root=_spelled(root) or "/",
        cwd=_spelled(cwd),
        user=names.user(status.uid),
    )


def _content(path: str, limit: int = 1 << 15) -> bytes:
    """The first bytes of a file in /proc: one read is one consistent picture."""
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return os.read(fd, limit)
    finally:
        os.close(fd)


def _spelled(path: str) -> str:
    return path if path.isascii() else os.fsencode(path).decode("utf-8", "backslashreplace")


def parse_stat(content: bytes) -> Stat:
    """Read /proc/PID/stat. The name may itself hold blanks and parentheses. ValueError where it is no such line."""
    start, end = content.index(b"(") + 1, content.rindex(b")")
    fields = content[end + 2 :].split()
    if len(fields) < 20:
        raise ValueError("a stat line ends early")
    return Stat(
        name=content[start:end].decode("utf-8", "backslashreplace"),
        state=fields[0].decode("ascii", "replace"),
        ppid=int(fields[1]),
        flags=int(fields[6]),
        started=int(fields[19]),
    )


def parse_status(content: bytes) -> Status:
    """Read the ids of /proc/PID/status. ValueError where they are missing."""
    uid = _line(content, b"\nUid:").split()
    gid = _line(content, b"\nGid:").split()
    if len(uid) < 2 or len(gid) < 2:
        raise ValueError("a status has no ids")
    return Status(int(uid[1]), int(gid[1]), tuple(int(one) for one in _line(content, b"\nGroups:").split()))


def _line(content: bytes, name: bytes) -> bytes:
    start = content.find(name)
    return b"" if start < 0 else content[start + len(name) :].split(b"\n", 1)[0]


def parse_argv(content: bytes) -> tuple[str, ...]:
    """Read /proc/PID/cmdline. A title that a program wrote over its argv is one word, followed by what it cleared."""
    content = content.rstrip(b"\0")
    return tuple(word.decode("utf-8", "backslashreplace") for word in content.split(b"\0")) if content else ()


def parse_cgroup(content: bytes) -> str:
    """The control group below the service manager: systemd's own hierarchy, else the unified one, else none."""
    unified = ""
    for line in content.decode("utf-8", "backslashreplace").splitlines():
        hierarchy, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if controllers == "name=systemd":
            return path
        if hierarchy == "0" and not controllers:
            unified = path
    return unified
