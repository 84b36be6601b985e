"""Where the kernel sends packets: routes, addresses of this host, neighbours, interfaces.

Owns the questions put to `ip` and the reading of its JSON. May not know what is connected to. Facts: ip-route(8); the
errno of a route that leads nowhere (net/ipv4/fib_semantics.c, fib_props): blackhole EINVAL, unreachable EHOSTUNREACH,
prohibit EACCES, and ENETUNREACH where there is none.
"""

from __future__ import annotations

import ipaddress
import json
from enum import StrEnum
from typing import Any

import msgspec

from wizard.firewall.packet import Path
from wizard.firewall.read import Asks
from wizard.host.questions import NotAnswered, Run, Why


class Way(StrEnum):
    """What the kernel does with packets to an address."""

    LOCAL = "local"  # it is an address of this host
    LINK = "link"  # on a network of this host
    VIA = "via"  # through a router
    NONE = "none"
    BLACKHOLE = "blackhole"
    UNREACHABLE = "unreachable"
    PROHIBIT = "prohibit"


_DEAD = frozenset({Way.BLACKHOLE, Way.UNREACHABLE, Way.PROHIBIT})
LEADS_NOWHERE = _DEAD | {Way.NONE}

_BY_WORDS = (
    ("Network is unreachable", Way.NONE),
    ("Invalid argument", Way.BLACKHOLE),
    ("No route to host", Way.UNREACHABLE),
    ("Permission denied", Way.PROHIBIT),
)
ERRNO = {Way.NONE: "ENETUNREACH", Way.BLACKHOLE: "EINVAL", Way.UNREACHABLE: "EHOSTUNREACH", Way.PROHIBIT: "EACCES"}


class RouteTo(msgspec.Struct, frozen=True):
    """The kernel's answer: the way, the interface, the own address that it speaks as, the router."""

    address: str
    way: Way
    device: str = ""
    source: str = ""
    gateway: str = ""
    said: str = ""

    @property
    def path(self) -> Path:
        """The way through netfilter's hooks."""
        return Path.LOCAL if self.way is Way.LOCAL else Path.OUTGOING


class DeadRoute(msgspec.Struct, frozen=True):
    """A route or rule that leads nowhere, with the commands that take it away and put it back."""

    words: str
    command: tuple[str, ...]
    undo: tuple[str, ...]


class Neighbour(msgspec.Struct, frozen=True):
    """What is known of a host on the same network: REACHABLE, STALE, FAILED, INCOMPLETE ..."""

    address: str
    device: str
    state: str
    link_address: str = ""

    @property
    def absent(self) -> bool:
        """Whether it did not answer when its link address was asked for."""
        return self.state in ("FAILED", "INCOMPLETE")

    @property
    def fixed(self) -> bool:
        """Whether a person wrote it down: it tells nothing of who is there."""
        return self.state in ("PERMANENT", "NOARP")


class Interface(msgspec.Struct, frozen=True):
    """An interface: whether it is switched on, whether it has a carrier, its addresses (`10.0.0.1/24`), its MTU."""

    name: str
    up: bool
    carrier: bool
    addresses: tuple[str, ...] = ()
    mtu: int = 0


async def route_to(ask: Asks, address: str, uid: int | None = None, mark: int = 0) -> RouteTo | NotAnswered:
    """How the kernel routes to an address, as a user where one is given, and for packets with a mark."""
    if not _is_address(address):
        return NotAnswered(Why.FAILED, "not an IP address")
    words: tuple[str, ...] = ("ip", "-j", "route", "get", address.partition("%")[0])
    words += () if uid is None else ("uid", str(uid))
    words += ("mark", hex(mark)) if mark else ()
    answer = (await ask.ask(Run(words))).answer
    if isinstance(answer, NotAnswered):
        return answer
    if answer.status == 0:
        found = _list(answer.out)
        return read_route(address, found[0]) if found else NotAnswered(Why.FAILED, "ip route get printed no route")
    said = answer.err.decode("utf-8", "replace").strip()
    way = next((way for words_, way in _BY_WORDS if words_ in said), None)
    return NotAnswered(Why.FAILED, said) if way is None else RouteTo(address, way, said=said)


async def dead_route(ask: Asks, address: str, uid: int | None = None, mark: int = 0) -> DeadRoute | NotAnswered | None:
    """The route or rule that leads packets to an address nowhere, None where none says so.

    The rules are followed in their order, each into its table, until one decides (ip-rule(8)).
    """
    family = "-6" if ":" in address else "-4"
    rules = await _ask(ask, "ip", "-j", family, "rule")
    routes = await _ask(ask, "ip", "-j", family, "route", "show", "table", "all")
    if isinstance(rules, NotAnswered):
        return rules
    if isinstance(routes, NotAnswered):
        return routes
    for rule in rules:
        if not _applies(rule, address, uid, mark):
            continue
        if str(rule.get("action", "")) in _DEAD:
            return _dead_rule(rule, family)
        table = str(rule.get("table", "main"))
        best = _best([one for one in routes if str(one.get("table", "main")) == table], address)
        if best is None or _length(str(best.get("dst", ""))) <= _suppressed(rule):
            continue
        if str(best.get("type", "")) not in _DEAD:
            return None
        words = [str(best["type"]), str(best.get("dst", ""))]
        words += ["metric", str(best["metric"])] if isinstance(best.get("metric"), int) else []
        words += ["table", table] if table != "main" else []
        command, undo = (("ip", family, "route", verb, *words) for verb in ("del", "add"))
        return DeadRoute(" ".join(words), command, undo)
    return None


def _best(routes: list[dict[str, Any]], address: str) -> dict[str, Any] | None:
    """The most specific route to an address, of equal ones the one with the lowest metric."""
    covering = [one for one in routes if _covers(str(one.get("dst", "")), address)]

    def rank(one: dict[str, Any]) -> tuple[int, int]:
        metric = one.get("metric")
        return _length(str(one.get("dst", ""))), -(metric if isinstance(metric, int) else 0)

    return max(covering, key=rank, default=None)


def _suppressed(rule: dict[str, Any]) -> int:
    """The prefix length up to which a rule's routes do not count (`suppress_prefixlength`); -2 where all do."""
    length = rule.get("suppress_prefixlen")
    return -2 if not isinstance(length, int) else length or -1


async def neighbour(ask: Asks, address: str) -> Neighbour | NotAnswered | None:
    """What the kernel knows of a host on the same network, None where it knows nothing."""
    found = await _ask(ask, "ip", "-j", "neigh", "show")
    if isinstance(found, NotAnswered):
        return found
    for entry in found:
        if _same(str(entry.get("dst", "")), address):
            states = entry.get("state")
            state = str(states[0]) if isinstance(states, list) and states else ""
            return Neighbour(address, str(entry.get("dev", "")), state, str(entry.get("lladdr", "")))
    return None


async def interfaces(ask: Asks) -> tuple[Interface, ...] | NotAnswered:
    """The interfaces of this host."""
    found = await _ask(ask, "ip", "-j", "addr")
    return found if isinstance(found, NotAnswered) else tuple(map(read_interface, found))


def read_route(address: str, entry: dict[str, Any]) -> RouteTo:
    """One entry of `ip -j route get`."""
    kind = entry.get("type")
    via = entry.get("via")  # a router of the other family
    gateway = entry.get("gateway") or (via.get("host", "") if isinstance(via, dict) else "")
    if kind in (Way.LOCAL, Way.BLACKHOLE, Way.UNREACHABLE, Way.PROHIBIT):
        way = Way(str(kind))
    else:
        way = Way.VIA if gateway else Way.LINK
    return RouteTo(address, way, str(entry.get("dev", "")), str(entry.get("prefsrc", "")), str(gateway))


def read_interface(entry: dict[str, Any]) -> Interface:
    """One entry of `ip -j addr`."""
    flags = entry.get("flags")
    flags = [str(flag) for flag in flags] if isinstance(flags, list) else []
    infos = entry.get("addr_info")
    addresses = [
        f"{info.get('local', '')}/{info.get('prefixlen', '')}"
        for info in (infos if isinstance(infos, list) else [])
        if isinstance(info, dict)
    ]
    mtu = entry.get("mtu")
    return Interface(
        name=str(entry.get("ifname", "")),
        up="UP" in flags,
        carrier="LOWER_UP" in flags,
        addresses=tuple(addresses),
        mtu=mtu if isinstance(mtu, int) else 0,
    )


def _applies(rule: dict[str, Any], address: str, uid: int | None, mark: int) -> bool:
    """Whether a rule is for what a user sends to an address; one that asks for more is taken not to be."""
    target = _target(rule)
    if target != "all" and not _covers(target, address):
        return False
    first, last = rule.get("uid_start"), rule.get("uid_end")
    if isinstance(first, int) and isinstance(last, int) and (uid is None or not first <= uid <= last):
        return False
    if "fwmark" in rule:
        wanted, mask = _hex(rule["fwmark"]), _hex(rule.get("fwmask", "0xffffffff"))
        if wanted is None or mask is None or mark & mask != wanted:
            return False
    return str(rule.get("src", "all")) == "all" and not {"iif", "oif", "ipproto", "sport", "dport"} & set(rule)


def _target(rule: dict[str, Any]) -> str:
    target = str(rule.get("dst", "all"))
    return f"{target}/{rule['dstlen']}" if "dstlen" in rule else target


def _hex(text: object) -> int | None:
    try:
        return int(str(text), 0)
    except ValueError:
        return None


def _dead_rule(rule: dict[str, Any], family: str) -> DeadRoute:
    target = _target(rule)
    words = ["priority", str(rule.get("priority", 0))]
    words += [] if target == "all" else ["to", target]
    words += ["fwmark", str(rule["fwmark"])] if "fwmark" in rule else []
    words += ["uidrange", f"{rule['uid_start']}-{rule['uid_end']}"] if "uid_start" in rule else []
    words.append(str(rule["action"]))
    command, undo = (("ip", family, "rule", verb, *words) for verb in ("del", "add"))
    return DeadRoute(" ".join(words), command, undo)


async def _ask(ask: Asks, *argv: str) -> list[dict[str, Any]] | NotAnswered:
    answer = (await ask.ask(Run(argv))).answer
    if isinstance(answer, NotAnswered):
        return answer
    if answer.status != 0:
        return NotAnswered(Why.FAILED, answer.err.decode("utf-8", "replace").strip() or f"{argv[0]} failed")
    return _list(answer.out)


def _list(printed: bytes) -> list[dict[str, Any]]:
    try:
        found = json.loads(printed or b"[]")
    except (ValueError, RecursionError):
        return []
    return [entry for entry in found if isinstance(entry, dict)] if isinstance(found, list) else []


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _same(one: str, other: str) -> bool:
    try:
        return ipaddress.ip_address(one) == ipaddress.ip_address(other.partition("%")[0])
    except ValueError:
        return False


def _covers(network: str, address: str) -> bool:
    if network == "default":
        return True
    try:
        return ipaddress.ip_address(address.partition("%")[0]) in ipaddress.ip_network(network, strict=False)
    except (ValueError, TypeError):
        return False


def _length(network: str) -> int:
    try:
        return -1 if network == "default" else ipaddress.ip_network(network, strict=False).prefixlen
    except ValueError:
        return -1
