"""The packets of one TCP connection attempt, as each netfilter hook sees them.

Owns which packets pass which hooks of this host in which order, and what is known of each. May not know rules. Facts:
net/netfilter; a packet over loopback passes output and postrouting, then prerouting and input; a nat chain sees only
the first packet of a connection; the socket's owner is known while a packet leaves, and not while a first one enters.
"""

from __future__ import annotations

import ipaddress
import re
from enum import StrEnum

import msgspec
from msgspec.structs import replace

FIN, SYN, RST, PSH, ACK, URG, ECN, CWR = 1, 2, 4, 8, 16, 32, 64, 128
TCP = 6


class Hook(StrEnum):
    """Where netfilter looks at packets."""

    INGRESS = "ingress"
    PREROUTING = "prerouting"
    INPUT = "input"
    FORWARD = "forward"
    OUTPUT = "output"
    POSTROUTING = "postrouting"
    EGRESS = "egress"


class Stage(StrEnum):
    """Which packet of the handshake: the request, the server's answer, or all that follows."""

    REQUEST = "request"
    REPLY = "reply"
    DATA = "data"


class Path(StrEnum):
    """Which way a connection takes through this host."""

    LOCAL = "local"  # from here to here, over loopback
    OUTGOING = "outgoing"
    INCOMING = "incoming"
    FORWARDED = "forwarded"


class Span(msgspec.Struct, frozen=True):
    """A number of which only the bounds are known; both are the same where it is known."""

    low: int
    high: int

    @classmethod
    def of(cls, number: int) -> Span:
        """A known number."""
        return cls(number, number)

    def within(self, low: int, high: int) -> bool | None:
        """Whether the number lies in a range; None where that depends on the number."""
        if low <= self.low and self.high <= high:
            return True
        return False if self.high < low or high < self.low else None


ANY_PORT = Span(0, 65535)
EPHEMERAL = Span(32768, 60999)  # net.ipv4.ip_local_port_range where nobody changed it


class Connection(msgspec.Struct, frozen=True):
    """A TCP connection that is attempted: addresses as text, and from and to whom.

    `source` is the address that the kernel chooses (empty where unknown). `uid` and `gid` are those of the process
    that connects, `listener_uid` that of the one that answers, None where unknown. `interface` is the one it leaves
    or enters by; `onward` the second one of a forwarded connection. `ports` are those that the client's side may have.
    """

    destination: str
    port: int
    source: str = ""
    path: Path = Path.LOCAL
    uid: int | None = None
    gid: int | None = None
    listener_uid: int | None = None
    listener_gid: int | None = None
    interface: str = "lo"
    onward: str = ""
    ports: Span = EPHEMERAL

    @property
    def family(self) -> int:
        """4 or 6."""
        return 6 if ":" in self.destination else 4


class Packet(msgspec.Struct, frozen=True):
    """What is known of one packet at one hook. Interfaces are empty where there is none.

    `uid` is None where it is not known, and `owned` says whether the packet has a socket at all (None: not known).
    """

    family: int
    source: Span
    destination: Span
    sport: Span
    dport: Span
    flags: int
    state: str
    stage: Stage
    hook: Hook
    iif: str = ""
    oif: str = ""
    uid: int | None = None
    gid: int | None = None
    owned: bool | None = False
    local_source: bool | None = None
    local_destination: bool | None = None
    translated: bool = False
    mark: Span = Span(0, 0)  # a packet begins without one; only programs with CAP_NET_ADMIN give it another

    @property
    def loops(self) -> bool:
        """Whether it came in over loopback."""
        return self.iif == "lo"

    def at(self, hook: Hook) -> Packet:
        """The same packet at another hook."""
        return replace(self, hook=hook)


_LOOPBACK = 0x7F000001
_IPV4 = re.compile(r"(?:0|[1-9][0-9]{0,2})(?:\.(?:0|[1-9][0-9]{0,2})){3}")


def address(text: str) -> int | None:
    """An address as a number, None for what is none (a scope is left out)."""
    if _IPV4.fullmatch(text):  # rules have thousands, and `ipaddress` takes ten times as long
        first, second, third, fourth = map(int, text.split("."))
        if max(first, second, third, fourth) <= 255:
            return first << 24 | second << 16 | third << 8 | fourth
    try:
        return int(ipaddress.ip_address(text.partition("%")[0]))
    except ValueError:
        return None


def _addresses(connection: Connection) -> tuple[Span, Span]:
    highest = 2**32 - 1 if connection.family == 4 else 2**128 - 1
    destination = address(connection.destination)
    source = address(connection.source) if connection.source else None
    if source is None and destination is not None and connection.path is Path.LOCAL:
        # To any address of 127.0.0.0/8 the kernel speaks as 127.0.0.1, to another of its own as that one.
        source = _LOOPBACK if connection.family == 4 and destination >> 24 == 127 else destination
    return (
        Span(0, highest) if source is None else Span.of(source),
        Span(0, highest) if destination is None else Span.of(destination),
    )


def packets(connection: Connection) -> list[Packet]:
    """Every packet of the handshake and the first after it, at every hook of this host, in order."""
    source, destination = _addresses(connection)
    port = Span.of(connection.port)
    here = connection.path in (Path.LOCAL, Path.OUTGOING)
    there = connection.path in (Path.LOCAL, Path.INCOMING)
    request = Packet(
        family=connection.family,
        source=source,
        destination=destination,
        sport=connection.ports,
        dport=port,
        flags=SYN,
        state="new",
        stage=Stage.REQUEST,
        hook=Hook.OUTPUT,
        local_source=here,
        local_destination=there,
    )
    reply = replace(
        request,
        source=destination,
        destination=source,
        sport=port,
        dport=connection.ports,
        flags=SYN | ACK,
        state="established",
        stage=Stage.REPLY,
        local_source=there,
        local_destination=here,
    )
    data = replace(request, flags=ACK, state="established", stage=Stage.DATA)
    asker, server = (connection.uid, connection.gid), (connection.listener_uid, connection.listener_gid)
    passes = ((request, asker, True), (reply, server, False), (data, asker, True))
    return [packet for first, owner, onward in passes for packet in _passing(first, owner, connection, onward=onward)]


def _passing(
    packet: Packet, owner: tuple[int | None, int | None], connection: Connection, *, onward: bool
) -> list[Packet]:
    """One packet at each hook that it passes; `onward` says that it travels from client to server."""
    face, other = connection.interface, connection.onward
    leaving = replace(packet, oif=face, uid=owner[0], gid=owner[1], owned=True)
    # The answer finds the socket that waits for it before the input hook (tcp_early_demux), a first packet does not.
    entering = replace(packet, iif=face, owned=False if packet.stage is Stage.REQUEST else None)
    out = [leaving.at(Hook.OUTPUT), leaving.at(Hook.POSTROUTING), leaving.at(Hook.EGRESS)]
    into = [
        replace(entering, hook=Hook.INGRESS, owned=False),
        replace(entering, hook=Hook.PREROUTING, owned=False),
        entering.at(Hook.INPUT),
    ]
    if connection.path is Path.LOCAL:
        return out + into
    if connection.path is Path.FORWARDED:
        first, second = (face, other) if onward else (other, face)
        passing = replace(packet, iif=first)
        return [
            passing.at(Hook.INGRESS),
            passing.at(Hook.PREROUTING),
            replace(passing, hook=Hook.FORWARD, oif=second),
            replace(passing, hook=Hook.POSTROUTING, oif=second),
            replace(packet, hook=Hook.EGRESS, oif=second),
        ]
    return out if onward == (connection.path is Path.OUTGOING) else into
