"""The table of listening sockets of one network namespace, with the processes that hold them.

Owns the choice of the source (netlink where asking it loads no module, /proc/net elsewhere) and the join with the
owners. May not know who should listen where.

A unix socket is found by its path from every network namespace, but each lists only its own: the listener of a unit
with PrivateNetwork= is missing from the host's table. Such listeners are added where their path is the same file here.
"""

# ruff: noqa: PTH116 - a string suffices

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from wizard.host.live import proc_net, sock_diag
from wizard.host.live.failure import failed
from wizard.host.live.kernel import Kernel, kernel
from wizard.host.live.owners import Owners, owners
from wizard.host.live.paths import found as place_of
from wizard.host.live.sock_diag import Channel, Found
from wizard.host.questions import Listening, NotAnswered, Sockets, SocketTable

MAX_NAMESPACES = 64

_FAMILIES = {socket.AF_INET: "inet", socket.AF_INET6: "inet6", socket.AF_UNIX: "unix"}
_TYPES = {socket.SOCK_STREAM: "stream", socket.SOCK_DGRAM: "dgram", socket.SOCK_SEQPACKET: "seqpacket"}


def answer_sockets(question: Sockets) -> SocketTable | NotAnswered:
    """List listening TCP and unix sockets and bound UDP sockets, each with its owners."""
    if not Path("/proc/self/net").exists():
        from wizard.host.live import portable  # noqa: PLC0415 - for hosts without a Linux /proc

        return portable.sockets()
    base = proc_net.folder(question.within)
    try:
        netns = _namespace(question.within)
        if not base.is_dir():
            raise ProcessLookupError(3, "")
        holders = owners()
    except OSError as error:
        return failed(error, f"process {question.within}" if question.within else "/proc")
    modules = kernel()
    with _channel(question.within, netns, modules) as channel:
        found, unix_listed = _found(base, channel, modules)
    foreign, foreign_listed = _unix_elsewhere(holders, netns, question.within)
    rows = [_listening(one, holders, found) for one in (*found, *foreign)]
    rows.sort(key=lambda row: (row.family, row.type, row.port, row.address, row.path, row.inode))
    return SocketTable(
        listening=tuple(rows),
        owners_complete=holders.complete,
        netns=netns,
        established=proc_net.established(base),
        unix_complete=unix_listed and foreign_listed,
    )


def _namespace(within: int | None) -> int:
    """The inode of a network namespace, 0 where it may not be seen. Raises OSError where the process is gone."""
    try:
        return os.stat(f"/proc/{within or 'self'}/ns/net").st_ino
    except PermissionError:
        return 0


def _found(base: Path, channel: Channel | None, modules: Kernel) -> tuple[list[Found], bool]:
    """All sockets of a namespace, and whether the unix ones could be listed."""

    def asked(module: str, ask: Callable[[Channel], list[Found]]) -> list[Found] | None:
        if channel is None or not modules.may_ask(module):
            return None
        try:
            return ask(channel)
        except OSError:
            return None

    found: list[Found] = []
    for family in (socket.AF_INET, socket.AF_INET6):
        tcp = asked("tcp_diag", partial(Channel.tcp, family=family))
        udp = asked("udp_diag", partial(Channel.udp, family=family))
        found += proc_net.tcp(base, family) if tcp is None else tcp
        found += proc_net.udp(base, family) if udp is None else udp
    unix = asked("unix_diag", Channel.unix)
    if unix is None:
        try:
            unix = proc_net.unix(base)
        except OSError:
            return found, False
    return found + unix, True


@contextlib.contextmanager
def _channel(within: int | None, netns: int, modules: Kernel) -> Iterator[Channel | None]:
    """A channel to a namespace, None where it may not be asked or entered: /proc/PID/net shows it all the same."""
    hidden = within is not None and netns == 0
    if hidden or not any(modules.may_ask(name) for name in ("tcp_diag", "udp_diag", "unix_diag")):
        yield None
        return
    try:
        channel = sock_diag.channel(within if netns != _namespace(None) else None)
    except OSError:
        yield None
        return
    try:
        yield channel
    finally:
        channel.close()


def _listening(one: Found, holders: Owners, others: list[Found]) -> Listening:
    return Listening(
        family=_FAMILIES[socket.AddressFamily(one.family)],
        address=one.address,
        port=one.port,
        path=one.path,
        inode=one.inode,
        uid=one.uid,
        queue=one.queue,
        backlog=one.backlog,
        pids=holders.of(one.inode),
        dual=one.address == "::" and not _v6only(one, others),
        type=_TYPES[socket.SocketKind(one.type)],
    )


def _v6only(one: Found, others: list[Found]) -> bool:
    """Whether an IPv6 listener takes IPv6 only: netlink says it.

    Elsewhere it is a guess: a twin on 0.0.0.0 could not exist beside a socket that takes both; else the default of
    net.ipv6.bindv6only holds. (A program may have set IPV6_V6ONLY itself, as nginx does.)
    """
    if one.v6only is not None:
        return one.v6only
    if any((other.address, other.port, other.type) == ("0.0.0.0", one.port, one.type) for other in others):
        return True
    try:
        return Path("/proc/sys/net/ipv6/bindv6only").read_text("ascii").strip() == "1"
    except OSError:
        return False


def _unix_elsewhere(holders: Owners, netns: int, within: int | None) -> tuple[list[Found], bool]:
    """Listeners of other network namespaces whose path is the same file here, and whether all could be looked at."""
    found: list[Found] = []
    complete = True
    others = [pid for inode, pid in holders.namespaces.items() if inode != netns] if netns else []
    for pid in others[:MAX_NAMESPACES]:
        try:
            listed = proc_net.unix(proc_net.folder(pid))
        except OSError:
            complete = False
            continue
        found += [one for one in listed if _same_file(one, holders.of(one.inode), within)]
    return found, complete and len(others) <= MAX_NAMESPACES


def _same_file(one: Found, pids: tuple[int, ...], within: int | None) -> bool:
    if not one.path.startswith("/") or not pids:
        return False
    try:
        with place_of(one.path, within) as here, place_of(one.path, pids[0]) as there:
            return os.path.samestat(os.fstat(here.fd), os.fstat(there.fd))
    except OSError:
        return False
