"""What the rules do to one connection: which rule ends it, or that none does.

Owns the walk through hooks and base chains. May not know the syntax of any rule, or how one chain is run. What cannot be told
stays open: where a test has no answer, both ways are followed, and only what every way ends in is certain.

Facts: an accept ends its base chain only, later base chains of the same hook still see the packet; drop ends all (nft(8)).
"""

from __future__ import annotations

import msgspec
from msgspec.structs import replace

from wizard.firewall.chains import Ending, endings_of
from wizard.firewall.packet import Connection, Hook, Packet, Path, Span, Stage, address, packets
from wizard.firewall.rules import BLOCKS, Act, Chain, Rule, Ruleset, Verdict


class Decision(msgspec.Struct, frozen=True):
    """What happens to a connection.

    `act` is accept, drop, reject or hand-over. `certain` says that it happens in every case that the rules leave
    open. `ending` is the rule or policy that does it (None for accept); `base` the base chain that led there;
    `hook` and `stage` say where, and to which packet. `others` are further endings that may come before it.
    `translated` is the destination after translation (`10.0.0.2:80`), where there was one, `mover` what did it; `mark`
    is what policy routing may ask for.
    """

    act: Act
    certain: bool
    ending: Ending | None = None
    base: Chain | None = None
    hook: Hook | None = None
    stage: Stage | None = None
    others: tuple[Ending, ...] = ()
    translated: str | None = None
    gaps: tuple[str, ...] = ()
    mover: tuple[Ending, Chain] | None = None  # the rule that translated it, and the base chain that led there
    mark: int = 0  # the mark with which it leaves the output hook, where that is certain

    @property
    def rule(self) -> Rule | None:
        """The rule that ends the connection; None where it is a policy, or nothing does."""
        return self.ending.rule if self.ending else None

    @property
    def blocked(self) -> bool:
        """Whether a rule or policy may keep the connection from being made."""
        return self.act is not Act.ACCEPT

    @property
    def seen_as(self) -> str:
        """What connect(2) is expected to show: connected, timed-out, reset (connected, and lost), or an errno's name."""
        if self.ending is None or self.stage is None:
            return "connected"
        return _seen(self.ending.verdict, self.stage)


def _seen(verdict: Verdict, stage: Stage) -> str:
    if stage is Stage.DATA:
        return "reset" if verdict.act is Act.REJECT else "connected"
    rejected = verdict.act is Act.REJECT and stage is Stage.REQUEST
    return errno_of(verdict.reject_with) if rejected else "timed-out"


_ERRNOS = {
    "tcp-reset": "ECONNREFUSED",
    "port-unreachable": "ECONNREFUSED",
    "admin-prohibited": "EHOSTUNREACH",
    "host-prohibited": "EHOSTUNREACH",
    "host-unreachable": "EHOSTUNREACH",
    "net-unreachable": "ENETUNREACH",
    "net-prohibited": "ENETUNREACH",
    "prot-unreachable": "ENOPROTOOPT",
    "no-route": "ENETUNREACH",
    "addr-unreachable": "EHOSTUNREACH",
    "adm6-prohibited": "EACCES",
    "policy-fail": "EACCES",
    "reject-route": "EACCES",
}


def errno_of(reject_with: str) -> str:
    """The errno that connect(2) gives for a kind of rejection (net/ipv4/icmp.c, net/ipv6/icmp.c)."""
    return _ERRNOS.get(reject_with, "ECONNREFUSED")


def decide(rules: Ruleset, connection: Connection) -> Decision:
    """What the rules do to a connection attempt.

    Args:
        rules: all rules of the network namespace in which the connection is seen.
        connection: who connects where, and which way it takes.

    Returns:
        The first certain end, or the first possible one; accept where nothing ends it.
    """
    walk = _Walk(rules, connection)
    for packet in packets(connection):
        ended = walk.packet(packet)
        if ended is not None:
            return ended
    return walk.result()


class _Walk(msgspec.Struct):
    rules: Ruleset
    connection: Connection
    maybe: list[tuple[Ending, Chain, Packet]] = msgspec.field(default_factory=list)
    moved: tuple[str | None, int | None] | None = None
    moved_surely: bool = True
    mover: tuple[Ending, Chain] | None = None
    marks: dict[Stage, Span] = msgspec.field(default_factory=dict)
    leaving: int = 0

    def packet(self, packet: Packet) -> Decision | None:
        if self.moved is not None:
            packet = self._moved(packet)
        if packet.stage in self.marks:
            packet = replace(packet, mark=self.marks[packet.stage])
        for base in self.rules.at(packet.hook, packet.family):
            if base.kind == "nat" and not self._translates(packet):
                continue
            applies = _on_device(base, packet)
            if applies is False:
                continue
            endings, mark = endings_of(self.rules, base, packet)
            if mark != packet.mark:
                self.marks[packet.stage] = mark
                packet = replace(packet, mark=mark)
            blocking = [ending for ending in endings if ending.verdict.act in BLOCKS]
            sure = (
                len(blocking) == len(endings) and applies and all(e.verdict.act is not Act.HAND_OVER for e in blocking)
            )
            if blocking and sure:
                return self._blocked(blocking, base, packet)
            self.maybe += [(ending, base, packet) for ending in blocking]
            moving = [ending for ending in endings if ending.verdict.act is Act.TRANSLATE]
            if moving:
                self.moved = (moving[0].verdict.address, moving[0].verdict.port)
                self.moved_surely = len(endings) == 1
                self.mover = (moving[0], base)
                packet = self._moved(packet)
        if packet.hook is Hook.OUTPUT and packet.stage is Stage.REQUEST and packet.mark.low == packet.mark.high:
            self.leaving = packet.mark.low
        return None

    def _translates(self, packet: Packet) -> bool:
        """A nat chain sees a connection once, where its destination may change."""
        if packet.stage is not Stage.REQUEST or self.moved is not None:
            return False
        if packet.hook is Hook.PREROUTING:
            return self.connection.path is not Path.LOCAL  # the output hook already saw it
        return packet.hook is Hook.OUTPUT or packet.hook is Hook.INPUT or packet.hook is Hook.POSTROUTING

    def _moved(self, packet: Packet) -> Packet:
        if self.moved is None or packet.translated or packet.stage is Stage.REPLY:
            return packet
        to, port = self.moved
        number = address(to) if to else None
        if self.moved_surely:
            destination = packet.destination if number is None else Span.of(number)
            return replace(
                packet,
                destination=destination,
                dport=packet.dport if port is None else Span.of(port),
                local_destination=packet.local_destination if number is None else None,
                translated=True,
            )
        return replace(
            packet, destination=Span(0, 2**128), dport=Span(0, 65535), local_destination=None, translated=True
        )

    def _blocked(self, blocking: list[Ending], base: Chain, packet: Packet) -> Decision:
        ends = {(ending.verdict.act, _seen(ending.verdict, packet.stage)) for ending in blocking}
        ends |= {(ending.verdict.act, _seen(ending.verdict, seen.stage)) for ending, _, seen in self.maybe}
        return Decision(
            act=blocking[0].verdict.act,
            certain=len(ends) == 1,
            ending=blocking[0],
            base=base,
            hook=packet.hook,
            stage=packet.stage,
            others=(*(maybe[0] for maybe in self.maybe), *blocking[1:]),
            translated=self._translated(),
            gaps=self.rules.gaps,
            mover=self.mover,
            mark=self.leaving,
        )

    def result(self) -> Decision:
        if not self.maybe:
            return Decision(
                Act.ACCEPT,
                certain=not self.rules.gaps and self.moved_surely,
                translated=self._translated(),
                gaps=self.rules.gaps,
                mover=self.mover,
                mark=self.leaving,
            )
        (ending, base, packet), *rest = self.maybe
        return Decision(
            act=ending.verdict.act,
            certain=False,
            ending=ending,
            base=base,
            hook=packet.hook,
            stage=packet.stage,
            others=tuple(maybe[0] for maybe in rest),
            translated=self._translated(),
            gaps=self.rules.gaps,
            mover=self.mover,
            mark=self.leaving,
        )

    def _translated(self) -> str | None:
        if self.moved is None:
            return None
        to = self.moved[0] or self.connection.destination
        return (
            f"[{to}]:{self.moved[1] or self.connection.port}"
            if ":" in to
            else (f"{to}:{self.moved[1] or self.connection.port}")
        )


def _on_device(base: Chain, packet: Packet) -> bool | None:
    if packet.hook not in (Hook.INGRESS, Hook.EGRESS):
        return True
    if not base.devices:
        return None  # older versions do not list the device of such a chain
    return (packet.iif if packet.hook is Hook.INGRESS else packet.oif) in base.devices
