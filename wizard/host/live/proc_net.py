"""Listening sockets as /proc/net tells them: what can be seen without asking the kernel for anything new.

Owns the text tables tcp, tcp6, udp, udp6, unix and snmp (proc_pid_net(5)). May not know processes. They have the accept
queue of a TCP listener but not its limit, neither for unix, and not whether an IPv6 listener takes IPv4 too.
"""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterable
from pathlib import Path

from wizard.host.live.sock_diag import SEQPACKET, STREAM, Found

_LISTEN = b"0A"
_CLOSED = b"07"
_ACCEPTS = 0x10000  # __SO_ACCEPTCON


def folder(within: int | None) -> Path:
    """Where the tables of a network namespace are: a process shows those of its own."""
    return Path("/proc") / ("thread-self" if within is None else str(within)) / "net"


def tcp(base: Path, family: int) -> list[Found]:
    """Listening TCP sockets. The kernel lists them first, so that the rest is not even read."""
    found: list[Found] = []
    for line in _lines(base / ("tcp6" if family == socket.AF_INET6 else "tcp")):
        fields = line.split()
        if len(fields) > 3 and fields[3] != _LISTEN:
            break
        one = _inet(fields, family, STREAM)
        if one is not None:
            found.append(one)
    return found


def udp(base: Path, family: int) -> list[Found]:
    """Bound and unconnected UDP sockets."""
    rows = (line.split() for line in _lines(base / ("udp6" if family == socket.AF_INET6 else "udp")))
    found = (_inet(fields, family, socket.SOCK_DGRAM) for fields in rows if len(fields) > 3 and fields[3] == _CLOSED)
    return [one for one in found if one is not None and one.port]


def unix(base: Path) -> list[Found]:
    """Listening unix sockets. Raises OSError where the table cannot be read."""
    with (base / "unix").open("rb") as table:
        rows = [line.rstrip(b"\n").split(None, 7) for line in table]
    return [one for one in map(_unix, rows) if one is not None]


def established(base: Path) -> int:
    """How many TCP connections of the namespace are established or half closed (tcpCurrEstab of RFC 4022)."""
    names: list[bytes] = []
    for line in _raw_lines(base / "snmp"):
        if not line.startswith(b"Tcp:"):
            continue
        if not names:
            names = line.split()
            continue
        values = dict(zip(names, line.split(), strict=False))
        value = values.get(b"CurrEstab", b"")
        return int(value) if value.isdigit() else 0
    return 0


def _lines(path: Path) -> Iterable[bytes]:
    """The rows below a table's heading; none where the kernel has no such table (IPv6 switched off)."""
    lines = iter(_raw_lines(path))
    next(lines, None)
    return lines


def _raw_lines(path: Path) -> Iterable[bytes]:
    try:
        with path.open("rb") as table:
            yield from table
    except OSError:
        return


def _inet(fields: list[bytes], family: int, kind: int) -> Found | None:
    if len(fields) < 10:
        return None
    address, _, port = fields[1].partition(b":")
    queue = fields[4].partition(b":")[2]
    try:
        return Found(
            family=family,
            inode=int(fields[9]),
            type=kind,
            address=inet_address(address, family),
            port=int(port, 16),
            uid=int(fields[7]),
            queue=int(queue, 16) if kind == STREAM else None,
        )
    except (ValueError, OSError):
        return None


def inet_address(text: bytes, family: int) -> str:
    """An address as /proc/net writes it: words of four bytes in the byte order of the machine, in hexadecimal."""
    raw = bytes.fromhex(text.decode("ascii", "replace"))
    if sys.byteorder == "little":
        raw = b"".join(raw[at : at + 4][::-1] for at in range(0, len(raw), 4))
    return socket.inet_ntop(family, raw)


def _unix(fields: list[bytes]) -> Found | None:
    """One row: Num RefCount Protocol Flags Type St Inode Path. Abstract names have `@` where they have a NUL."""
    try:
        flags, kind, inode = int(fields[3], 16), int(fields[4], 16), int(fields[6])
    except (ValueError, IndexError):
        return None
    if not flags & _ACCEPTS or kind not in {STREAM, SEQPACKET}:
        return None
    path = fields[7].decode("utf-8", "backslashreplace") if len(fields) > 7 else ""
    return Found(socket.AF_UNIX, inode, kind, path=path)
