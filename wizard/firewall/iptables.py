"""iptables: the rules that `iptables-save` prints, as values.

Owns its syntax (iptables-save(8), iptables-extensions(8)). May not know how rules are evaluated or repaired. A match
that is not known here becomes a test without an answer.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from wizard.firewall import matching as t
from wizard.firewall.packet import Packet, Span
from wizard.firewall.rules import NOTHING, Act, Chain, Rule, Source, Test, Verdict

# Table: (hook of a chain by its name, priority of that chain); linux/netfilter_ipv4.h, enum nf_ip_hook_priorities.
_HOOKS = {"PREROUTING": "prerouting", "INPUT": "input", "FORWARD": "forward", "OUTPUT": "output",
          "POSTROUTING": "postrouting"}  # fmt: skip
_PRIORITIES = {"raw": -300, "mangle": -150, "nat": -100, "filter": 0, "security": 50}
_SOURCE_NAT = 100

_TARGETS = {"ACCEPT": Act.ACCEPT, "DROP": Act.DROP, "REJECT": Act.REJECT, "RETURN": Act.RETURN}
_PASSIVE = frozenset({
    "LOG", "NFLOG", "ULOG", "MARK", "CONNMARK", "CONNSECMARK", "SECMARK", "CT", "NOTRACK", "TCPMSS", "TCPOPTSTRIP",
    "TOS", "DSCP", "ECN", "TTL", "HL", "CLASSIFY", "CHECKSUM", "TRACE", "AUDIT", "SET", "LED", "RATEEST", "IDLETIMER",
    "TEE", "SNAT", "MASQUERADE", "NETMAP",
})  # fmt: skip
_DECIDED_ELSEWHERE = frozenset({"QUEUE", "NFQUEUE", "TPROXY", "SYNPROXY", "TARPIT", "DELUDE", "CHAOS", "MIRROR"})
_REJECTIONS = {
    "icmp-net-unreachable": "net-unreachable",
    "icmp-host-unreachable": "host-unreachable",
    "icmp-port-unreachable": "port-unreachable",
    "icmp-proto-unreachable": "prot-unreachable",
    "icmp-net-prohibited": "net-prohibited",
    "icmp-host-prohibited": "host-prohibited",
    "icmp-admin-prohibited": "admin-prohibited",
    "icmp6-no-route": "no-route",
    "icmp6-adm-prohibited": "adm6-prohibited",
    "icmp6-addr-unreachable": "addr-unreachable",
    "icmp6-port-unreachable": "port-unreachable",
    "icmp6-policy-fail": "policy-fail",
    "icmp6-reject-route": "reject-route",
    "tcp-reset": "tcp-reset",
}

_WORD = re.compile(r'"((?:[^"\\]|\\.)*)"|(\S+)')
_COUNTERS = re.compile(r"^\[\d+:\d+\]\s+")


class _Table(msgspec.Struct):
    name: str
    policies: dict[str, str] = msgspec.field(default_factory=dict)
    rules: dict[str, list[Rule]] = msgspec.field(default_factory=dict)


def is_of_nf_tables(printed: bytes) -> bool:
    """Whether the program that printed this speaks to nf_tables (`iptables-save v1.8.9 (nf_tables)`)."""
    head = printed[:400]
    return b"(nf_tables)" in head or b"iptables-nft-save" in head or b"ip6tables-nft-save" in head


def read_save(printed: bytes, family: str, source: Source, tool: str = "") -> tuple[Chain, ...]:
    """Read what `iptables-save` printed.

    Args:
        printed: its output; lines that are not understood are passed over.
        family: `ip` or `ip6`.
        source: which of the kernel's two interfaces lists the rules.
        tool: the program that changes them; iptables or ip6tables where it is not given.

    Returns:
        Every chain of every table that was printed.
    """
    tool = tool or ("iptables" if family == "ip" else "ip6tables")
    return tuple(chain for table in _tables(printed, family) for chain in _chains(table, family, source, tool))


def _tables(printed: bytes, family: str) -> Iterator[_Table]:
    table: _Table | None = None
    for raw in printed.decode("utf-8", "replace").splitlines():
        line = _COUNTERS.sub("", raw.strip())
        if line.startswith("*"):
            table = _Table(line[1:].strip())
        elif table is None or not line or line.startswith("#"):
            continue
        elif line.startswith(":"):
            words = line[1:].split()
            if words:
                table.policies[words[0]] = words[1] if len(words) > 1 else "-"
        elif line.startswith("-A "):
            _append(table, line, family)
        elif line == "COMMIT":
            yield table
            table = None
    if table is not None:
        yield table


def _append(table: _Table, line: str, family: str) -> None:
    words = spec_words(line)
    if len(words) < 2:
        return
    chain = words[1]
    rules = table.rules.setdefault(chain, [])
    spec = _Spec(words[2:], 4 if family == "ip" else 6)
    spec.read()
    rules.append(
        Rule(
            family,
            table.name,
            chain,
            len(rules) + 1,
            tuple(spec.tests),
            spec.verdict,
            text=line.partition(" ")[2].partition(" ")[2],
            comment=spec.comment,
            exact=frozenset(spec.exact),
            marks=spec.marks,
        )
    )


def spec_words(text: str) -> list[str]:
    """The words of a printed rule, quotes undone."""
    return [match[2] if match[1] is None else re.sub(r"\\(.)", r"\1", match[1]) for match in _WORD.finditer(text)]


def _chains(table: _Table, family: str, source: Source, tool: str) -> Iterator[Chain]:
    for name in dict.fromkeys((*table.policies, *table.rules)):
        hook = _HOOKS.get(name, "") if table.policies.get(name) != "-" else ""
        late = table.name == "nat" and name in ("POSTROUTING", "INPUT")
        yield Chain(
            family=family,
            table=table.name,
            name=name,
            source=source,
            rules=tuple(table.rules.get(name, ())),
            hook=hook,
            kind="nat" if table.name == "nat" else "filter",
            priority=_SOURCE_NAT if late else _PRIORITIES.get(table.name, 0),
            policy=Verdict(Act.DROP if table.policies.get(name) == "DROP" else Act.ACCEPT),
            tool=tool,
        )


# --- one rule -------------------------------------------------------------------------------------------------


class _Spec:
    """The words of one rule after its chain, read from left to right."""

    def __init__(self, words: list[str], family: int) -> None:
        self.words = words
        self.family = family
        self.place = 0
        self.tests: list[Test] = []
        self.exact: set[str] = set()
        self.module = ""
        self.comment = ""
        self.verdict = NOTHING
        self.marks: Span | None = None

    def read(self) -> None:
        """Read to the end: tests, verdict, comment and mark are there afterwards."""
        negated = False
        while self.place < len(self.words):
            word = self._next()
            if word == "!":
                negated = True
                continue
            self._option(word, negated=negated)
            negated = False

    def _next(self) -> str:
        word = self.words[self.place] if self.place < len(self.words) else ""
        self.place += 1
        return word

    def _test(self, found: t.Field, fits: t.Fits | None, *, negated: bool, single: bool = False) -> None:
        if fits is None:
            self.tests.append(t.unknown)
            return
        if single and not negated:
            self.exact.add(found.name)
        self.tests.append(t.compare(found, fits, negated=negated))

    def _option(self, word: str, *, negated: bool) -> None:
        if word in ("-m", "--match"):
            self.module = self._next()
            if self.module in _OPAQUE_MODULES:
                self.tests.append(t.unknown)
            return
        if word in ("-j", "--jump", "-g", "--goto"):
            self._target(self._next(), goto=word in ("-g", "--goto"))
            return
        reader = _OPTIONS.get(word)
        if reader is not None:
            reader(self, negated=negated)
        elif word.startswith("-"):
            # An option that is not known: what follows up to the next option belongs to it.
            if not (self.module in _OPAQUE_MODULES or word in _WITHOUT_MEANING):
                self.tests.append(t.unknown)
            self._skip()

    def _skip(self) -> list[str]:
        skipped = []
        while self.place < len(self.words) and not _is_option(self.words[self.place]):
            skipped.append(self._next())
        return skipped

    # --- matches ------------------------------------------------------------------------------------------------

    def source(self, *, negated: bool) -> None:
        self._address(t.SADDR4 if self.family == 4 else t.SADDR6, negated=negated)

    def destination(self, *, negated: bool) -> None:
        self._address(t.DADDR4 if self.family == 4 else t.DADDR6, negated=negated)

    def _address(self, found: t.Field, *, negated: bool) -> None:
        bounds = _network(self._next())
        fits = t.in_range(*bounds) if bounds else None
        self._test(found, fits, negated=negated, single=bool(bounds and bounds[0] == bounds[1]))

    def protocol(self, *, negated: bool) -> None:
        name = self._next().lower()
        number = int(name) if name.isascii() and name.isdigit() and len(name) < 4 else t.PROTOCOLS.get(name)
        fits = None if number is None else t.in_range(0, 255) if number in (0, -1) else t.in_range(number, number)
        self._test(t.L4PROTO, fits, negated=negated)

    def in_interface(self, *, negated: bool) -> None:
        self._test(t.IIF, t.is_interface(self._next(), "+"), negated=negated)

    def out_interface(self, *, negated: bool) -> None:
        self._test(t.OIF, t.is_interface(self._next(), "+"), negated=negated)

    def destination_port(self, *, negated: bool) -> None:
        self._ports(t.DPORT, negated=negated)

    def source_port(self, *, negated: bool) -> None:
        self._ports(t.SPORT, negated=negated)

    def _ports(self, found: t.Field, *, negated: bool) -> None:
        ranges = [_ports(part) for part in self._next().split(",")[:64]]
        fits = None if None in ranges else t.any_of(t.in_range(*bounds) for bounds in ranges if bounds)
        single = len(ranges) == 1 and ranges[0] is not None and ranges[0][0] == ranges[0][1]
        self._test(found, fits, negated=negated, single=single)

    def either_port(self, *, negated: bool) -> None:
        ranges = [_ports(part) for part in self._next().split(",")[:64]]
        if None in ranges:
            self.tests.append(t.unknown)
            return
        fits = t.any_of(t.in_range(*bounds) for bounds in ranges if bounds)
        pair = (t.compare(t.SPORT, fits), t.compare(t.DPORT, fits))
        self.tests.append(_either(pair, negated=negated))

    def flags(self, *, negated: bool) -> None:
        mask, wanted = _flags(self._next()), _flags(self._next())
        self._test(t.masked(t.TCP_FLAGS, mask), t.in_range(wanted, wanted), negated=negated)

    def syn(self, *, negated: bool) -> None:
        mask = t.FLAGS["fin"] | t.FLAGS["syn"] | t.FLAGS["rst"] | t.FLAGS["ack"]
        self._test(t.masked(t.TCP_FLAGS, mask), t.in_range(t.FLAGS["syn"], t.FLAGS["syn"]), negated=negated)

    def state(self, *, negated: bool) -> None:
        words = [word.lower() for word in self._next().split(",")]
        self._test(t.CT_STATE, t.any_of(t.is_word(word) for word in words), negated=negated)

    def user(self, *, negated: bool) -> None:
        self._owner(t.UID, negated=negated)

    def group(self, *, negated: bool) -> None:
        self._owner(t.GID, negated=negated)

    def _owner(self, found: t.Field, *, negated: bool) -> None:
        low, _, high = self._next().partition("-")
        bounds = (int(low), int(high or low)) if _is_number(low) and _is_number(high or low) else None
        self._test(found, t.in_range(*bounds) if bounds else None, negated=negated, single=not high)

    def destination_type(self, *, negated: bool) -> None:
        self._kind(t.DESTINATION_KIND, negated=negated)

    def source_type(self, *, negated: bool) -> None:
        self._kind(t.SOURCE_KIND, negated=negated)

    def _kind(self, found: t.Field, *, negated: bool) -> None:
        words = [word.lower() for word in self._next().split(",")]
        self._test(found, t.any_of(t.is_word(word) for word in words), negated=negated)

    def source_range(self, *, negated: bool) -> None:
        self._range(t.SADDR4 if self.family == 4 else t.SADDR6, negated=negated)

    def destination_range(self, *, negated: bool) -> None:
        self._range(t.DADDR4 if self.family == 4 else t.DADDR6, negated=negated)

    def _range(self, found: t.Field, *, negated: bool) -> None:
        bounds = t.network(self._next())
        self._test(found, t.in_range(*bounds) if bounds else None, negated=negated)

    def fragment(self, *, negated: bool) -> None:
        self.tests.append(t.always if negated else t.never)

    def mark(self, *, negated: bool) -> None:
        value, _, mask = self._next().partition("/")
        if not value.startswith("-") and self.module == "mark":
            bits = int(mask, 16) if mask else 0xFFFFFFFF
            number = _mark(value)
            fits = None if number is None else t.in_range(number, number)
            self._test(t.masked(t.MARK, bits) if mask else t.MARK, fits, negated=negated)
        else:
            self.tests.append(t.unknown)

    def remark(self, *, negated: bool) -> None:
        del negated
        self.comment = self._next()

    def reverse_path(self, *, negated: bool) -> None:
        """`-m rpfilter --invert`: whether there is no way back, which over loopback there always is."""
        del negated
        if self.tests and self.tests[-1] is t.unknown:
            self.tests.pop()
        self.tests.append(t.compare(t.ROUTE_BACK, t.in_range(0, 0)))

    # --- targets ------------------------------------------------------------------------------------------------

    def _target(self, name: str, *, goto: bool) -> None:
        rest = self.words[self.place :]
        if goto:
            self.verdict = Verdict(Act.GOTO, target=name)
        elif name == "REJECT":
            kind = rest[rest.index("--reject-with") + 1] if "--reject-with" in rest[:-1] else "icmp-port-unreachable"
            self.verdict = Verdict(Act.REJECT, reject_with=_REJECTIONS.get(kind, kind))
        elif name in _TARGETS:
            self.verdict = Verdict(_TARGETS[name])
        elif name in ("DNAT", "REDIRECT"):
            self.verdict = _translation(rest)
        elif name in _DECIDED_ELSEWHERE:
            self.verdict = Verdict(Act.HAND_OVER)
        elif name == "MARK":
            self.marks = _marks(rest)
        elif name not in _PASSIVE:
            self.verdict = Verdict(Act.JUMP, target=name)
            return
        # The options of a target test nothing.
        self.place = len(self.words)


_OPTIONS = {
    "-s": _Spec.source, "--source": _Spec.source, "-d": _Spec.destination, "--destination": _Spec.destination,
    "-p": _Spec.protocol, "--protocol": _Spec.protocol, "-i": _Spec.in_interface, "--in-interface": _Spec.in_interface,
    "-o": _Spec.out_interface, "--out-interface": _Spec.out_interface, "-f": _Spec.fragment,
    "--dport": _Spec.destination_port, "--destination-port": _Spec.destination_port, "--sport": _Spec.source_port,
    "--source-port": _Spec.source_port, "--dports": _Spec.destination_port, "--sports": _Spec.source_port,
    "--destination-ports": _Spec.destination_port, "--source-ports": _Spec.source_port, "--ports": _Spec.either_port,
    "--tcp-flags": _Spec.flags, "--syn": _Spec.syn, "--state": _Spec.state, "--ctstate": _Spec.state,
    "--uid-owner": _Spec.user, "--gid-owner": _Spec.group, "--dst-type": _Spec.destination_type,
    "--src-type": _Spec.source_type, "--src-range": _Spec.source_range, "--dst-range": _Spec.destination_range,
    "--comment": _Spec.remark, "--mark": _Spec.mark, "--invert": _Spec.reverse_path,
}  # fmt: skip
# Modules whose answer is not in the packet as it is known here.
_OPAQUE_MODULES = frozenset({
    "limit", "hashlimit", "recent", "connlimit", "statistic", "time", "set", "connmark", "u32", "string", "bpf",
    "cgroup", "socket", "rpfilter", "quota", "connbytes", "length", "ttl", "hl", "tos", "dscp", "ecn", "policy", "geoip",
    "physdev", "cpu", "helper", "rateest", "realm", "nfacct", "devgroup", "osf", "random", "condition", "mac", "ipvs",
    "connlabel", "cluster",
})  # fmt: skip
_WITHOUT_MEANING = frozenset({"--limit-iface-in", "--limit-iface-out"})


def _is_option(word: str) -> bool:
    return word == "!" or (word.startswith("-") and len(word) > 1 and not word[1].isdigit())


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 10


def _network(text: str) -> tuple[int, int] | None:
    return t.network(text)


def _ports(text: str) -> tuple[int, int] | None:
    low, colon, high = text.partition(":")
    low, high = low or "0", (high or "65535") if colon else low
    return (int(low), int(high)) if _is_number(low) and _is_number(high) else None


def _flags(text: str) -> int:
    words = [word.lower() for word in text.split(",")]
    if "all" in words:
        return 63
    return sum({t.FLAGS.get(word, 0) for word in words})


def _either(tests: tuple[Test, Test], *, negated: bool) -> Test:
    def either(packet: Packet) -> bool | None:
        found = [test(packet) for test in tests]
        holds = True if True in found else None if None in found else False
        return holds if holds is None or not negated else not holds

    return either


_TO = re.compile(
    r"^(?:\[(?P<six>[0-9A-Fa-f:]+)\]|(?P<four>[\d.]+|[0-9A-Fa-f:]+:[0-9A-Fa-f:]*))?(?::(?P<port>\d{1,5}))?$"
)


def _mark(text: str) -> int | None:
    try:
        return int(text, 0)
    except ValueError:
        return None


def _marks(rest: list[str]) -> Span:
    """The mark that the target MARK sets; every one where it changes some bits only."""
    for option in ("--set-xmark", "--set-mark"):
        if option in rest[:-1]:
            value, _, mask = rest[rest.index(option) + 1].partition("/")
            number = _mark(value)
            if number is not None and mask in {"", "0xffffffff"}:
                return Span.of(number)
    return t.ANY_MARK


def _translation(rest: list[str]) -> Verdict:
    if "--to-ports" in rest[:-1]:
        port = rest[rest.index("--to-ports") + 1]
        return Verdict(Act.TRANSLATE, port=int(port)) if _is_number(port) else Verdict(Act.HAND_OVER)
    if "--to-destination" in rest[:-1]:
        match = _TO.match(rest[rest.index("--to-destination") + 1])
        if match:
            port = match["port"]
            return Verdict(Act.TRANSLATE, address=match["six"] or match["four"], port=int(port) if port else None)
        return Verdict(Act.HAND_OVER)
    return Verdict(Act.TRANSLATE)
