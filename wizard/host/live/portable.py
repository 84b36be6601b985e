"""Processes and sockets where there is no Linux /proc: asked of psutil.

Owns that fallback. May not be used where /proc can be read: psutil is several times slower there, and knows neither
accept queues nor unix listeners. Imported by nobody before it is needed.
"""

from __future__ import annotations

import psutil

from wizard.host.live.failure import ROOT_GRANT
from wizard.host.questions import Listening, NotAnswered, Process, ProcessTable, SocketTable, Why

_STATES = {
    psutil.STATUS_RUNNING: "R",
    psutil.STATUS_SLEEPING: "S",
    psutil.STATUS_DISK_SLEEP: "D",
    psutil.STATUS_STOPPED: "T",
    psutil.STATUS_ZOMBIE: "Z",
    psutil.STATUS_IDLE: "I",
}
_ATTRIBUTES = ["pid", "ppid", "name", "cmdline", "uids", "gids", "create_time", "status", "exe", "cwd", "username"]


def processes() -> ProcessTable:
    """All processes, without namespaces and control groups."""
    found: list[Process] = []
    for one in psutil.process_iter(_ATTRIBUTES):
        known = one.info
        uids, gids = known["uids"], known["gids"]
        found.append(
            Process(
                pid=known["pid"],
                ppid=known["ppid"] or 0,
                name=known["name"] or "",
                argv=tuple(known["cmdline"] or ()),
                uid=uids.effective if uids else -1,
                gid=gids.effective if gids else -1,
                started=known["create_time"] or 0.0,
                state=_STATES.get(known["status"], "?"),
                exe=known["exe"] or "",
                cwd=known["cwd"] or "",
                user=known["username"] or "",
            )
        )
    return ProcessTable(tuple(found))


def sockets() -> SocketTable | NotAnswered:
    """Listening TCP and bound UDP sockets; queues are not known, and no unix sockets."""
    try:
        connections = psutil.net_connections("inet")
    except psutil.AccessDenied:
        return NotAnswered(Why.DENIED, "the list of sockets may not be read", grant=ROOT_GRANT)
    owners: dict[tuple[str, str, int, str], set[int]] = {}
    for one in connections:
        stream = one.type.name == "SOCK_STREAM"
        if not one.laddr or (stream and one.status != psutil.CONN_LISTEN) or (not stream and one.raddr):
            continue
        family = "inet6" if one.family.name == "AF_INET6" else "inet"
        key = (family, one.laddr.ip, one.laddr.port, "stream" if stream else "dgram")
        owners.setdefault(key, set()).update({one.pid} if one.pid else set())
    return SocketTable(
        listening=tuple(
            Listening(family=family, address=address, port=port, pids=tuple(sorted(pids)), type=kind)
            for (family, address, port, kind), pids in sorted(owners.items())
        ),
        owners_complete=all(owners.values()),
        established=sum(one.status == psutil.CONN_ESTABLISHED for one in connections),
        unix_complete=False,
    )
