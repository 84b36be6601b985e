"""The tests that rules are made of: a field of a packet, and what it is compared with.

Owns the fields, their kinds of values, and three-valued comparison. May not know the syntax of nftables or iptables;
both are read into these.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterable
from enum import Enum
from typing import Final

import msgspec

from wizard.firewall.packet import ACK, CWR, ECN, FIN, PSH, RST, SYN, TCP, URG, Packet, Span, Stage, address
from wizard.firewall.rules import Test


class Missing(Enum):
    """Why a field has no value."""

    ABSENT = "absent"  # such a packet has no such field: no comparison with it holds
    UNKNOWN = "unknown"


ABSENT, UNKNOWN = Missing.ABSENT, Missing.UNKNOWN

Value = Span | str | Missing
Getter = Callable[[Packet], Value]
Fits = Callable[[Value], bool | None]


class Kind(Enum):
    """What kind of values a field has, and so how constants are written for it."""

    NUMBER = "number"
    ADDRESS = "address"
    PROTOCOL = "protocol"
    INTERFACE = "interface"
    FLAGS = "flags"
    WORD = "word"
    OPAQUE = "opaque"


FLAGS = {"fin": FIN, "syn": SYN, "rst": RST, "psh": PSH, "ack": ACK, "urg": URG, "ecn": ECN, "cwr": CWR}
PROTOCOLS = {
    "ip": 0, "icmp": 1, "igmp": 2, "tcp": 6, "udp": 17, "gre": 47, "esp": 50, "ah": 51, "icmpv6": 58, "ipv6-icmp": 58,
    "sctp": 132, "udplite": 136, "dccp": 33, "comp": 108, "ipcomp": 108, "vrrp": 112, "ospf": 89, "all": -1,
}  # fmt: skip


class Field(msgspec.Struct, frozen=True):
    """A field of a packet: its name in findings, its kind, and how it is had."""

    name: str
    kind: Kind
    get: Getter


def _of_family(family: int, get: Callable[[Packet], Span]) -> Getter:
    return lambda packet: get(packet) if packet.family == family else ABSENT


def _owner(get: Callable[[Packet], int | None]) -> Getter:
    def value(packet: Packet) -> Value:
        if packet.owned is False:
            return ABSENT
        number = get(packet)
        return UNKNOWN if number is None or packet.owned is None else Span.of(number)

    return value


def _kind_of_address(local: Callable[[Packet], bool | None]) -> Getter:
    def value(packet: Packet) -> Value:
        known = local(packet)
        return UNKNOWN if known is None else "local" if known else "unicast"

    return value


def _route_back(packet: Packet) -> Value:
    # The way back of a packet over loopback is loopback itself (net/ipv4/netfilter/nft_fib_ipv4.c).
    return Span.of(1) if packet.loops else UNKNOWN


# A TCP segment of a handshake is whole; the bit that forbids fragments may be set.
UNKNOWN_FRAGMENT: Final = Span(0, 0x4000)

SADDR4 = Field("saddr", Kind.ADDRESS, _of_family(4, lambda p: p.source))
DADDR4 = Field("daddr", Kind.ADDRESS, _of_family(4, lambda p: p.destination))
SADDR6 = Field("saddr", Kind.ADDRESS, _of_family(6, lambda p: p.source))
DADDR6 = Field("daddr", Kind.ADDRESS, _of_family(6, lambda p: p.destination))
SPORT = Field("sport", Kind.NUMBER, lambda p: p.sport)
DPORT = Field("dport", Kind.NUMBER, lambda p: p.dport)
TCP_FLAGS = Field("flags", Kind.FLAGS, lambda p: Span.of(p.flags))
L4PROTO = Field("protocol", Kind.PROTOCOL, lambda _: Span.of(TCP))
PROTOCOL4 = Field("protocol", Kind.PROTOCOL, _of_family(4, lambda _: Span.of(TCP)))
PROTOCOL6 = Field("protocol", Kind.PROTOCOL, _of_family(6, lambda _: Span.of(TCP)))
VERSION4 = Field("version", Kind.NUMBER, _of_family(4, lambda _: Span.of(4)))
VERSION6 = Field("version", Kind.NUMBER, _of_family(6, lambda _: Span.of(6)))
FRAGMENT4 = Field("frag-off", Kind.NUMBER, _of_family(4, lambda _: UNKNOWN_FRAGMENT))
NFPROTO = Field("family", Kind.WORD, lambda p: "ipv4" if p.family == 4 else "ipv6")
ETHERTYPE = Field("family", Kind.WORD, lambda p: "ip" if p.family == 4 else "ip6")
IIF = Field("iif", Kind.INTERFACE, lambda p: p.iif)
OIF = Field("oif", Kind.INTERFACE, lambda p: p.oif)
IIFTYPE = Field("iiftype", Kind.WORD, lambda p: ABSENT if not p.iif else "loopback" if p.iif == "lo" else UNKNOWN)
OIFTYPE = Field("oiftype", Kind.WORD, lambda p: ABSENT if not p.oif else "loopback" if p.oif == "lo" else UNKNOWN)
UID = Field("uid", Kind.NUMBER, _owner(lambda p: p.uid))
GID = Field("gid", Kind.NUMBER, _owner(lambda p: p.gid))
CT_STATE = Field("state", Kind.WORD, lambda p: p.state)
CT_DIRECTION = Field("direction", Kind.WORD, lambda p: "reply" if p.stage is Stage.REPLY else "original")
SOURCE_KIND = Field("source-kind", Kind.WORD, _kind_of_address(lambda p: p.local_source))
DESTINATION_KIND = Field("destination-kind", Kind.WORD, _kind_of_address(lambda p: p.local_destination))
ROUTE_BACK = Field("route-back", Kind.NUMBER, _route_back)
MARK = Field("mark", Kind.NUMBER, lambda p: p.mark)
CT_STATUS = Field("status", Kind.WORD, lambda p: "dnat" if p.translated else "")
OTHER_PROTOCOL = Field("other", Kind.OPAQUE, lambda _: ABSENT)
OPAQUE = Field("", Kind.OPAQUE, lambda _: UNKNOWN)


def never(_: Packet) -> bool | None:
    """A test that never holds."""
    return False


def unknown(_: Packet) -> bool | None:
    """A test of something that is not known."""
    return None


def always(_: Packet) -> bool | None:
    """A test that always holds."""
    return True


ANY_MARK = Span(0, 2**32 - 1)


# --- comparing ------------------------------------------------------------------------------------------------


class _InRange(msgspec.Struct, frozen=True, gc=False):
    """A number within bounds. A value and no closure: a blocklist has one for each line, and a closure is thrice as large."""

    low: int
    high: int

    def __call__(self, value: Value) -> bool | None:
        return value.within(self.low, self.high) if isinstance(value, Span) else None


def in_range(low: int, high: int) -> Fits:
    """A number within bounds."""
    return _InRange(low, high)


def is_word(word: str) -> Fits:
    """A word."""
    return lambda value: value == word if isinstance(value, str) else None


def is_interface(name: str, wildcard: str = "*") -> Fits:
    """An interface by name; a name that ends with the wildcard stands for all that begin so."""
    if name.endswith(wildcard):
        start = name[:-1]
        return lambda value: value.startswith(start) if isinstance(value, str) else None
    return is_word(name)


def any_of(parts: Iterable[Fits]) -> Fits:
    """One of several."""
    kept = tuple(parts)

    def fits(value: Value) -> bool | None:
        open_ = False
        for part in kept:
            found = part(value)
            if found:
                return True
            open_ = open_ or found is None
        return None if open_ else False

    return fits


class _Compare(msgspec.Struct, frozen=True, gc=False):
    """A test of one field; a value for the same reason."""

    field: Field
    fits: Fits
    negated: bool

    def __call__(self, packet: Packet) -> bool | None:
        value = self.field.get(packet)
        if value is ABSENT:
            return False
        if value is UNKNOWN:
            return None
        found = self.fits(value)
        return found if found is None or not self.negated else not found


def compare(field: Field, fits: Fits, *, negated: bool = False) -> Test:
    """A test of one field."""
    return _Compare(field, fits, negated)


def masked(field: Field, mask: int) -> Field:
    """A field of which only some bits are looked at; it stays known only where the field is."""

    def get(packet: Packet) -> Value:
        value = field.get(packet)
        if isinstance(value, Span):
            if value.low == value.high:
                return Span.of(value.low & mask)
            return Span.of(0) if value is UNKNOWN_FRAGMENT and not mask & 0x4000 else UNKNOWN
        return value if isinstance(value, Missing) else UNKNOWN

    return Field(field.name, field.kind if field.kind is Kind.FLAGS else Kind.NUMBER, get)


def has_flags(mask: int) -> Fits:
    """Any of several flags."""

    def fits(value: Value) -> bool | None:
        return bool(value.low & mask) if isinstance(value, Span) and value.low == value.high else None

    return fits


def network(text: str, length: int | None = None) -> tuple[int, int] | None:
    """An address, a network (`10.0.0.0/8`) or a range (`10.0.0.1-10.0.0.9`) as the lowest and highest number."""
    if length is None and "-" in text:
        low, _, high = text.partition("-")
        first, last = network(low), network(high)
        return (first[0], last[1]) if first and last else None
    if length is None and "/" not in text:
        number = address(text)
        return None if number is None else (number, number)
    if length is None:
        text, _, mask = text.partition("/")
        length = int(mask) if mask.isascii() and mask.isdigit() and len(mask) < 4 else None
        if length is None:  # a mask that is spelled out
            return _masked_network(f"{text}/{mask}")
    number, bits = address(text), 128 if ":" in text else 32
    if number is None or not 0 <= length <= bits:
        return None
    rest = (1 << (bits - length)) - 1
    return (number & ~rest, number | rest)


def _masked_network(text: str) -> tuple[int, int] | None:
    try:
        found = ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None
    return int(found.network_address), int(found.broadcast_address)
