"""The table of the kernel's messages about memory, crashes, queues and limits.

Owns the rows. May not know where a line was read.
"""

from __future__ import annotations

from wizard.logs.signatures import row, rows

MESSAGES = rows(
    row(
        "oom-kill",
        "emory cgroup out of memory",
        "The kernel killed a process because its cgroup was at its memory limit.",
        "upstream-oom-killed",
        "container-oom-killed",
        pattern=r"emory cgroup out of memory(?:: Kill(?:ed)? process (?P<pid>\d+),? \((?P<target>[^)]*)\))?",
    ),
    row(
        "oom-kill",
        "Out of memory",
        "The kernel killed a process because the host had no memory left.",
        "upstream-oom-killed",
        "memory-pressure",
        pattern=r"Out of memory(?: \(\w+\))?: Kill(?:ed)? process (?P<pid>\d+),?(?: UID \d+,)? \((?P<target>[^)]*)\)",
    ),
    row(
        "oom-kill",
        "oom-kill:constraint=",
        "The kernel killed a process for want of memory.",
        "upstream-oom-killed",
        "container-oom-killed",
        pattern=r"CONSTRAINT_MEMCG.*task=(?P<target>[^,]*),pid=(?P<pid>\d+)",
    ),
    row(
        "oom-kill",
        "oom-kill:constraint=",
        "The kernel killed a process for want of memory.",
        "upstream-oom-killed",
        "memory-pressure",
        pattern=r"CONSTRAINT_(?:NONE|CPUSET|MEMORY_POLICY)\b(?:.*task=(?P<target>[^,]*),pid=(?P<pid>\d+))?",
    ),
    row(
        "oom-kill",
        "oom-kill:constraint=",
        "The kernel killed a process for want of memory.",
        "upstream-oom-killed",
    ),
    row(
        "oom-kill",
        " killed as a result of limit of /",
        "The kernel killed a process because its cgroup was at its memory limit.",
        "upstream-oom-killed",
        "container-oom-killed",
        pattern=r"limit of (?P<target>/\S*)",
    ),
    row(
        "oom-kill",
        "Killed process ",
        "The kernel killed a process for want of memory.",
        "upstream-oom-killed",
        pattern=r"Killed process (?P<pid>\d+),?(?: UID \d+,)? \((?P<target>[^)]*)\),?(?: UID \d+,)? total-vm:",
    ),
    row(
        "oom-kill",
        "oom_reaper: reaped process ",
        "The kernel took back the memory of a process that it had killed for want of memory.",
        "upstream-oom-killed",
        pattern=r"process (?P<pid>\d+) \((?P<target>[^)]*)\)",
    ),
    row(
        "oom-invoked",
        " invoked oom-killer: ",
        "A process asked for memory that is not there; the kernel is about to kill one.",
        "upstream-oom-killed",
        "memory-pressure",
        pattern=r"(?P<target>\S+) invoked oom-killer: ",
    ),
    row(
        "conntrack-full",
        "_conntrack: table full",
        "The table of tracked connections is full; the kernel drops packets of new ones.",
        "conntrack-table-full",
        pattern=r"(?:nf|ip)_conntrack: table full(?: in netns \d+)?, dropping packet",
    ),
    row(
        "syn-flood",
        "ossible SYN flooding on port ",
        "The queue of half-open connections of a port is full.",
        "listen-backlog-overflow",
        pattern=r"flooding on port (?P<target>\S+?)\.? ",
    ),
    row(
        "tasks-exhausted",
        "fork rejected by pids controller in",
        "A unit or container may not start another process.",
        "task-limit-reached",
        pattern=r"controller in (?P<target>/\S*)",
    ),
    row(
        "crash",
        "]: segfault at ",
        "A process crashed: it used memory that is not its own.",
        "upstream-crashed-mid-request",
        pattern=r"(?P<target>[^\s\[]+)\[(?P<pid>\d+)\]: segfault at ",
    ),
    row(
        "crash",
        "traps: ",
        "A process crashed.",
        "upstream-crashed-mid-request",
        pattern=r"traps: (?P<target>[^\[]{1,40})\[(?P<pid>\d+)\] (?:general protection|trap |divide error)",
    ),
    row(
        "task-blocked",
        " blocked for more than ",
        "A process waits for a disk or a lock and does not go on.",
        "upstream-hung",
        "cpu-or-io-saturation",
        pattern=r"task (?P<target>[^\s:]+):(?P<pid>\d+) blocked for more than \d+ seconds",
    ),
    row(
        "task-blocked",
        "soft lockup",
        "A processor was busy with one process for many seconds.",
        "cpu-or-io-saturation",
        "upstream-hung",
        pattern=r"soft lockup - CPU#\d+ stuck for \d+s! \[(?P<target>[^\]:]*):(?P<pid>\d+)",
    ),
    row(
        "no-descriptors",
        "file-max limit ",
        "The host has no file descriptor left.",
        "upstream-fd-limit",
        "gateway-fd-limit",
        errno=23,
        pattern=r"VFS: file-max limit \d+ reached",
    ),
    row(
        "syn-flood",
        "drop open request from",
        "The accept queue of a port is full; the kernel drops connections.",
        "listen-backlog-overflow",
        pattern=r"TCP: drop open request from",
    ),
    row(
        "socket-memory",
        "out of memory -- consider tuning tcp_mem",
        "The kernel has no memory left for sockets.",
        "memory-pressure",
    ),
)
