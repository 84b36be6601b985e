"""nftables: the ruleset that `nft -j list ruleset` prints, as values.

Owns the JSON of libnftables (libnftables-json(5)). May not know how rules are evaluated or repaired. An expression that
is not known here becomes a test without an answer: it never makes a rule look as if it did or did not match.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from itertools import chain
from typing import Any

from msgspec.structs import replace

from wizard.firewall import matching as t
from wizard.firewall import nft_text
from wizard.firewall.packet import Packet, Span
from wizard.firewall.rules import NOTHING, Act, Chain, Rule, Source, Test, Verdict

# What libnftables prints is JSON of no fixed type.
Json = Any

_MAX_NESTING = 20
_FAMILIES = frozenset({"ip", "ip6", "inet", "netdev"})

_PAYLOAD = {
    ("ip", "saddr"): t.SADDR4, ("ip", "daddr"): t.DADDR4, ("ip", "protocol"): t.PROTOCOL4, ("ip", "version"): t.VERSION4,
    ("ip", "frag-off"): t.FRAGMENT4, ("ip6", "saddr"): t.SADDR6, ("ip6", "daddr"): t.DADDR6,
    ("ip6", "nexthdr"): t.PROTOCOL6, ("ip6", "version"): t.VERSION6, ("tcp", "sport"): t.SPORT, ("tcp", "dport"): t.DPORT,
    ("th", "sport"): t.SPORT, ("th", "dport"): t.DPORT, ("tcp", "flags"): t.TCP_FLAGS,
}  # fmt: skip
_FAMILY_OF = {"ip": 4, "ip6": 6}
_NOT_TCP = frozenset({"udp", "udplite", "icmp", "icmpv6", "igmp", "sctp", "dccp", "esp", "ah", "comp", "arp", "gre"})
_META = {
    "iif": t.IIF, "iifname": t.IIF, "oif": t.OIF, "oifname": t.OIF, "iiftype": t.IIFTYPE, "oiftype": t.OIFTYPE,
    "mark": t.MARK, "skuid": t.UID, "skgid": t.GID, "l4proto": t.L4PROTO, "nfproto": t.NFPROTO, "protocol": t.ETHERTYPE,
}  # fmt: skip
_CT = {"state": t.CT_STATE, "direction": t.CT_DIRECTION, "status": t.CT_STATUS}
# Statements that leave the packet to the next one.
_PASSIVE = frozenset({
    "counter", "log", "continue", "mangle", "set", "ct helper", "ct timeout", "ct expectation", "secmark", "flow", "dup",
    "meter", "last", "map", "notrack", "snat", "masquerade", "optstrip", "reset",
})  # fmt: skip
_PASSIVE_TARGETS = frozenset({"LOG", "NFLOG", "MARK", "CONNMARK", "TCPMSS", "TOS", "DSCP", "CT", "TRACE", "AUDIT"})
# Statements that hold for some packets and not for others.
_CHANCE = frozenset({"limit", "quota", "ct count", "connlimit"})
_MOST_SHARED = 2048  # of the tests that were written last: a blocklist writes thousands, and none of them twice
_ICMPX = {"port-unreachable": "port-unreachable", "admin-prohibited": "admin-prohibited", "no-route": "no-route",
          "host-unreachable": "host-unreachable"}  # fmt: skip


def read_ruleset(printed: bytes) -> tuple[Chain, ...] | None:
    """Read what `nft -j -a list ruleset` printed; None where it is no such JSON (cut off, another program)."""
    try:
        objects = json.loads(printed)["nftables"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    if not isinstance(objects, list):
        return None
    return _Reader().read(sorted(objects, key=_is_rule))


def read_listing(heads: bytes, listed: bytes) -> tuple[Chain, ...] | None:
    """Read the chains that `nft -j list chains` printed, with the rules of what `nft -a list ruleset` printed."""
    try:
        chains = json.loads(heads)["nftables"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    if not isinstance(chains, list):
        return None
    return _Reader().read(chain(chains, nft_text.objects(listed)))


def _is_rule(item: Json) -> bool:
    return isinstance(item, dict) and "rule" in item


class _Reader:
    """Joins the objects of a ruleset: a set comes before the rules that ask it. Rules do not outlive their JSON."""

    def __init__(self) -> None:
        self._sets: dict[tuple[str, str, str], list[Json]] = {}
        self._heads: list[Mapping[str, Json]] = []
        self._rules: dict[tuple[str, str, str], list[Rule]] = {}
        self._tests: dict[tuple[str, str, str], tuple[Test, frozenset[str]]] = {}
        self._exact: dict[frozenset[str], frozenset[str]] = {}

    def read(self, objects: Iterable[Json]) -> tuple[Chain, ...]:
        for item in objects:
            if not isinstance(item, dict) or len(item) != 1:
                continue
            ((what, body),) = item.items()
            if isinstance(body, dict):
                self._take(what, body)
        return tuple(self._chains())

    def _take(self, what: str, body: Mapping[str, Json]) -> None:
        if what in ("set", "map"):
            elements = body.get("elem")
            self._sets[_key(body, "name")] = elements if isinstance(elements, list) else []
        elif what == "chain":
            self._heads.append(body)
        elif what == "rule":
            before = self._rules.setdefault(_key(body, "chain"), [])
            before.append(self._rule(body, len(before) + 1))

    def _chains(self) -> Iterable[Chain]:
        for head in self._heads:
            family, table, name = _key(head, "name")
            if family not in _FAMILIES:
                continue
            devices = head.get("dev", [])
            yield Chain(
                family=family,
                table=table,
                name=name,
                source=Source.NFT,
                rules=tuple(self._rules.get((family, table, name), ())),
                hook=_word(head.get("hook")),
                kind=_word(head.get("type")),
                priority=head["prio"] if isinstance(head.get("prio"), int) else 0,
                policy=Verdict(Act.DROP if head.get("policy") == "drop" else Act.ACCEPT),
                devices=tuple(map(_word, devices)) if isinstance(devices, list) else (_word(devices),),
            )

    def _rule(self, body: Mapping[str, Json], position: int) -> Rule:
        family, table, chain = _key(body, "chain")
        handle = body.get("handle")
        verdict = NOTHING
        choices: tuple[tuple[Test, Verdict], ...] = ()
        tests: list[Test] = []
        exact: set[str] = set()
        marks: Span | None = None
        statements = body.get("expr")
        for statement in statements if isinstance(statements, list) else []:
            if not isinstance(statement, dict) or len(statement) != 1:
                tests.append(t.unknown)
                continue
            ((what, value),) = statement.items()
            if what == "match":
                test, pinned = self._match_once(value, (family, table))
                tests.append(test)
                exact |= pinned
            elif what in _CHANCE or _is_conditional(what, value):
                tests.append(t.unknown)
            elif what == "vmap":
                choices = tuple(self._choices(value, (family, table)))
            elif what == "mangle":
                marks = _marks(value) or marks
            elif what not in _PASSIVE:
                verdict = _verdict(what, value)
                tests += _implied(what, value)
        return Rule(
            family=family,
            table=table,
            chain=chain,
            position=position,
            tests=tuple(tests),
            verdict=verdict,
            handle=handle if isinstance(handle, int) else None,
            text=_word(body.get("text")),
            comment=_word(body.get("comment")),
            choices=choices,
            exact=self._exact.setdefault(frozenset(exact), frozenset(exact)),
            marks=marks,
        )

    # --- tests --------------------------------------------------------------------------------------------------

    def _match_once(self, body: Json, at: tuple[str, str]) -> tuple[Test, frozenset[str]]:
        """A comparison; where its text is known, rules of a table that are written alike share it."""
        text = body.get("text") if isinstance(body, dict) else None
        if not isinstance(text, str):
            return self._match(body, at)
        known = self._tests.get((*at, text))
        if known is None:
            if len(self._tests) >= _MOST_SHARED:
                self._tests.clear()
            known = self._tests[*at, text] = self._match(body, at)
        return known

    def _match(self, body: Json, at: tuple[str, str]) -> tuple[Test, frozenset[str]]:
        if not isinstance(body, dict):
            return t.unknown, frozenset()
        left, right, op = body.get("left"), body.get("right"), body.get("op")
        pinned: frozenset[str] = frozenset()
        if isinstance(left, dict) and "concat" in left:
            test = self._concat(left["concat"], right, at)
            return (_negated(test) if op == "!=" else test), pinned
        field = _field(left)
        fits = self._fits(field, right, at, op=op if isinstance(op, str) else "==")
        if fits is None:
            return t.compare(replace(field, get=_open(field)), lambda _: None), pinned
        if op in ("==", "in") and isinstance(right, (int, str)) and not str(right).startswith("@"):
            pinned = frozenset({field.name})
        return t.compare(field, fits, negated=op == "!="), pinned

    def _fits(
        self, field: t.Field, right: Json, at: tuple[str, str], *, op: str = "==", depth: int = 0
    ) -> t.Fits | None:
        if depth > _MAX_NESTING or field.kind is t.Kind.OPAQUE:
            return None
        if op in ("<", ">", "<=", ">="):
            number = _number(field, right)
            if number is None:
                return None
            low, high = {"<": (0, number - 1), "<=": (0, number), ">": (number + 1, 2**128), ">=": (number, 2**128)}[op]
            return t.in_range(low, high)
        if field.kind is t.Kind.FLAGS:
            return _fits_flags(right, op)
        parts = self._elements(right, at)
        if parts is None:
            return _fits_one(field, right)
        fits = [self._fits(field, part, at, depth=depth + 1) or (lambda _: None) for part in parts]
        return t.any_of(fits)

    def _elements(self, right: Json, at: tuple[str, str]) -> list[Json] | None:
        """The elements that a constant stands for, None where it is a single one."""
        if isinstance(right, list):
            return right
        if isinstance(right, str) and right.startswith("@"):
            return self._sets.get((*at, right[1:]), [right])
        if isinstance(right, dict) and isinstance(right.get("set"), list):
            elements: list[Json] = right["set"]
            return elements
        if isinstance(right, dict) and "elem" in right:
            element = right["elem"]
            return [element.get("val")] if isinstance(element, dict) else [element]
        return None

    def _concat(self, fields: Json, right: Json, at: tuple[str, str], depth: int = 0) -> Test:
        if not isinstance(fields, list) or depth > _MAX_NESTING:
            return t.unknown
        elements = self._elements(right, at)
        if elements is not None:
            if right in elements:
                return t.unknown
            return _any([self._concat(fields, element, at, depth + 1) for element in elements])
        parts = right.get("concat") if isinstance(right, dict) else None
        if not isinstance(parts, list) or len(parts) != len(fields):
            return t.unknown
        return _all(
            [self._match({"op": "==", "left": f, "right": p}, at)[0] for f, p in zip(fields, parts, strict=True)]
        )

    def _choices(self, body: Json, at: tuple[str, str]) -> Iterable[tuple[Test, Verdict]]:
        if not isinstance(body, dict):
            return
        key, data = body.get("key"), body.get("data")
        pairs = self._elements(data, at)
        if pairs is None or data in pairs:
            yield t.unknown, Verdict(Act.HAND_OVER)
            return
        for pair in pairs:
            if not isinstance(pair, list) or len(pair) != 2 or not isinstance(pair[1], dict) or len(pair[1]) != 1:
                yield t.unknown, Verdict(Act.HAND_OVER)
                continue
            ((what, value),) = pair[1].items()
            matched = pair[0]
            test = t.always if matched == "*" else self._match({"op": "==", "left": key, "right": matched}, at)[0]
            yield test, _verdict(what, value)


# --- parts ----------------------------------------------------------------------------------------------------


def _key(body: Mapping[str, Json], name: str) -> tuple[str, str, str]:
    return _word(body.get("family")), _word(body.get("table")), _word(body.get(name))


def _word(value: Json) -> str:
    return value if isinstance(value, str) else ""


def _is_conditional(what: str, value: Json) -> bool:
    """A set that is updated under a limit, or a match of iptables, of which only the name is printed."""
    if not isinstance(value, dict):
        return False
    return (what == "set" and bool(value.get("stmt"))) or (what == "xt" and value.get("type") == "match")


def _marks(value: Json) -> Span | None:
    """The mark that a statement sets, every one where it is computed; None where it sets something else."""
    if not isinstance(value, dict) or value.get("key") != {"meta": {"key": "mark"}}:
        return None
    given = value.get("value")
    return Span.of(given) if isinstance(given, int) and not isinstance(given, bool) else t.ANY_MARK


def _implied(what: str, value: Json) -> list[Test]:
    """The family that a rejection by ICMP is only made for: nft leaves the test itself out of its listing."""
    kind = value.get("type") if what == "reject" and isinstance(value, dict) else None
    family = {"icmp": "ipv4", "icmpv6": "ipv6"}.get(kind) if isinstance(kind, str) else None
    return [t.compare(t.NFPROTO, t.is_word(family))] if family else []


def _open(field: t.Field) -> t.Getter:
    """A field whose comparison has no answer, but which may still be absent."""
    return lambda packet: t.ABSENT if field.get(packet) is t.ABSENT else t.UNKNOWN


def _field(left: Json, depth: int = 0) -> t.Field:
    if not isinstance(left, dict) or len(left) != 1 or depth > _MAX_NESTING:
        return t.OPAQUE
    ((what, body),) = left.items()
    if what == "&" and isinstance(body, list) and len(body) == 2:
        field = _field(body[0], depth + 1)
        mask = _number(field, body[1])
        return t.OPAQUE if mask is None else t.masked(field, mask)
    if not isinstance(body, dict):
        return t.OPAQUE
    if what == "payload":
        return _payload(body)
    key = _word(body.get("key"))
    if what == "meta":
        return _META.get(key, t.OPAQUE)
    if what == "ct" and "dir" not in body:
        return _CT.get(key, t.OPAQUE)
    return _fib(body) if what == "fib" else t.OPAQUE


def _payload(body: Mapping[str, Json]) -> t.Field:
    if "base" in body:
        if body.get("base") == "th" and body.get("len") == 16 and body.get("offset") in (0, 16):
            return t.SPORT if body["offset"] == 0 else t.DPORT
        return t.OPAQUE
    protocol, name = _word(body.get("protocol")), _word(body.get("field"))
    if protocol in _NOT_TCP:
        return t.OTHER_PROTOCOL
    found = _PAYLOAD.get((protocol, name))
    if found is not None:
        return found
    family = _FAMILY_OF.get(protocol)
    # Another field of the IP header: not known, but only packets of that family have it.
    return (
        t.OPAQUE
        if family is None
        else replace(t.OPAQUE, get=lambda packet: t.UNKNOWN if packet.family == family else t.ABSENT)
    )


def _fib(body: Mapping[str, Json]) -> t.Field:
    flags = body.get("flags")
    flags = {flags} if isinstance(flags, str) else set(flags) if isinstance(flags, list) else set()
    if body.get("result") == "type" and "mark" not in flags:
        return t.DESTINATION_KIND if "daddr" in flags else t.SOURCE_KIND
    return t.ROUTE_BACK if "saddr" in flags else t.OPAQUE


def _number(field: t.Field, right: Json) -> int | None:
    if isinstance(right, bool):
        return int(right)
    if isinstance(right, int):
        return right
    if isinstance(right, list):
        bits = [_number(field, part) for part in right[:64]]
        return None if None in bits else sum({bit for bit in bits if bit is not None})
    if isinstance(right, str):
        if field.kind is t.Kind.FLAGS:
            return t.FLAGS.get(right)
        if field.kind is t.Kind.PROTOCOL:
            return t.PROTOCOLS.get(right)
        found = t.network(right)
        return found[0] if found and found[0] == found[1] else None
    return None


def _fits_one(field: t.Field, right: Json) -> t.Fits | None:
    if isinstance(right, dict):
        return _fits_bounds(field, right)
    if field is t.ROUTE_BACK:
        # The absence of a route is printed as false, its presence as true.
        if isinstance(right, bool):
            return t.in_range(1, 2**32) if right else t.in_range(0, 0)
        return t.in_range(0, 0) if right == 0 else None
    if field is t.CT_STATUS:
        return t.is_word("dnat") if right == "dnat" else None  # the other words are not known of a packet
    if field.kind is t.Kind.INTERFACE:
        return t.is_interface(right) if isinstance(right, str) else None
    if field.kind is t.Kind.WORD:
        return t.is_word(right) if isinstance(right, str) else None
    if field.kind is t.Kind.ADDRESS and isinstance(right, str):
        bounds = t.network(right)
        return t.in_range(*bounds) if bounds else None
    number = _number(field, right)
    return None if number is None else t.in_range(number, number)


def _fits_bounds(field: t.Field, right: Mapping[str, Json]) -> t.Fits | None:
    prefix, bounds = right.get("prefix"), right.get("range")
    if isinstance(prefix, dict) and isinstance(prefix.get("len"), int):
        found = t.network(_word(prefix.get("addr")), prefix["len"])
        return t.in_range(*found) if found else None
    if isinstance(bounds, list) and len(bounds) == 2:
        low, high = (_number(field, bound) for bound in bounds)
        return None if low is None or high is None else t.in_range(low, high)
    return None


def _fits_flags(right: Json, op: str) -> t.Fits | None:
    if isinstance(right, dict) and isinstance(right.get("set"), list):
        found = [_fits_flags(part, "==") for part in right["set"]]
        return None if None in found else t.any_of(fits for fits in found if fits is not None)
    if isinstance(right, dict) and isinstance(right.get("|"), list):
        right = right["|"]
    bits = _number(t.TCP_FLAGS, right)
    if bits is None:
        return None
    return t.has_flags(bits) if op == "in" else t.in_range(bits, bits)


def _negated(test: Test) -> Test:
    def negated(packet: Packet) -> bool | None:
        found = test(packet)
        return None if found is None else not found

    return negated


def _any(tests: list[Test]) -> Test:
    def any_holds(packet: Packet) -> bool | None:
        found = [test(packet) for test in tests]
        return True if True in found else None if None in found else False

    return any_holds


def _all(tests: list[Test]) -> Test:
    def all_hold(packet: Packet) -> bool | None:
        found = [test(packet) for test in tests]
        return False if False in found else None if None in found else True

    return all_hold


_PLAIN = {
    "accept": Verdict(Act.ACCEPT), "drop": Verdict(Act.DROP), "return": Verdict(Act.RETURN), "continue": NOTHING,
}  # fmt: skip


def _verdict(what: str, value: Json) -> Verdict:
    if what in _PLAIN:
        return _PLAIN[what]
    if what in ("jump", "goto"):
        target = value.get("target") if isinstance(value, dict) else None
        return Verdict(Act.JUMP if what == "jump" else Act.GOTO, target=_word(target))
    if what == "reject":
        return Verdict(Act.REJECT, reject_with=_rejection(value))
    if what in ("dnat", "redirect"):
        body = value if isinstance(value, dict) else {}
        address, port = body.get("addr"), body.get("port")
        known = all(part is None or isinstance(part, (str, int)) for part in (address, port))
        return Verdict(
            Act.TRANSLATE if known else Act.HAND_OVER,
            address=address if isinstance(address, str) else None,
            port=port if isinstance(port, int) else None,
        )
    if what == "xt":
        name = _word(value.get("name")) if isinstance(value, dict) else ""
        if name == "REJECT":
            return Verdict(Act.REJECT)
        return NOTHING if name in _PASSIVE_TARGETS else Verdict(Act.HAND_OVER)
    return Verdict(Act.HAND_OVER)


def _rejection(value: Json) -> str:
    kind, expr = (value.get("type"), value.get("expr")) if isinstance(value, dict) else (None, None)
    if kind == "tcp reset":
        return "tcp-reset"
    if kind == "icmpv6":
        return (
            "adm6-prohibited" if expr == "admin-prohibited" else expr if isinstance(expr, str) else "port-unreachable"
        )
    return _ICMPX.get(expr, expr) if isinstance(expr, str) else "port-unreachable"
