"""Filter rules as values: tables, chains, rules, what a rule tests and what it then does.

Owns the shapes that every source of rules (nftables, iptables) is read into. May not know their syntax or how they
are evaluated. A test answers yes, no, or None where it cannot be told.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

import msgspec

from wizard.firewall.packet import Packet, Span

Test = Callable[[Packet], bool | None]


class Source(StrEnum):
    """What made and lists the rules."""

    NFT = "nft"
    IPTABLES = "iptables"  # through nf_tables, listed by iptables-save
    IPTABLES_LEGACY = "iptables-legacy"


class Act(StrEnum):
    """What a rule does with a packet that it matches."""

    NOTHING = "nothing"  # counts, logs, marks: the next rule is looked at
    ACCEPT = "accept"
    DROP = "drop"
    REJECT = "reject"
    JUMP = "jump"
    GOTO = "goto"
    RETURN = "return"
    HAND_OVER = "hand-over"  # a program, or something that is not known here, decides
    TRANSLATE = "translate"  # the destination changes, and the packet goes on


BLOCKS = frozenset({Act.DROP, Act.REJECT, Act.HAND_OVER})


class Verdict(msgspec.Struct, frozen=True):
    """An act with what belongs to it: the chain of a jump, the answer of a reject, the new destination."""

    act: Act
    target: str = ""
    reject_with: str = ""
    address: str | None = None
    port: int | None = None


NOTHING = Verdict(Act.NOTHING)


class Rule(msgspec.Struct, frozen=True, gc=False):
    """One rule. All of its tests must hold; `choices` are tested in turn after them (a verdict map).

    `handle` is nftables' number, `position` counts the rules of the chain from 1. `text` is the rule as its source
    prints it (empty where only its JSON is known). `exact` are the fields that it pins to one value.
    """

    family: str
    table: str
    chain: str
    position: int
    tests: tuple[Test, ...]
    verdict: Verdict
    handle: int | None = None
    text: str = ""
    comment: str = ""
    choices: tuple[tuple[Test, Verdict], ...] = ()
    exact: frozenset[str] = frozenset()
    marks: Span | None = None  # the mark that it gives to what it matches

    def matches(self, packet: Packet) -> bool | None:
        """Whether all tests hold; None where that cannot be told and none fails."""
        certain = True
        for test in self.tests:
            holds = test(packet)
            if holds is False:
                return False
            certain = certain and holds is not None
        return True if certain else None

    @property
    def blocks(self) -> bool:
        """Whether it can end a packet."""
        return self.verdict.act in BLOCKS or any(verdict.act in BLOCKS for _, verdict in self.choices)


class Chain(msgspec.Struct, frozen=True):
    """A chain; one with a hook is a base chain, to which packets come by themselves.

    `tool` is the program that changes its rules: nft, iptables, ip6tables-legacy and so on.
    """

    family: str
    table: str
    name: str
    source: Source
    rules: tuple[Rule, ...] = ()
    hook: str = ""
    kind: str = ""  # filter, nat, route
    priority: int = 0
    policy: Verdict = msgspec.field(default_factory=lambda: Verdict(Act.ACCEPT))
    devices: tuple[str, ...] = ()
    tool: str = "nft"

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What names it among all chains."""
        return (self.source, self.family, self.table, self.name)

    def sees(self, family: int) -> bool:
        """Whether packets of IPv4 (4) or IPv6 (6) come to it."""
        return self.family in ("inet", "netdev", "ip" if family == 4 else "ip6")


@dataclass(frozen=True, slots=True)
class Ruleset:
    """All chains of one network namespace, and what of the rules could not be read, in words."""

    chains: tuple[Chain, ...] = ()
    gaps: tuple[str, ...] = ()
    _index: Mapping[tuple[str, str, str, str], Chain] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def of(cls, chains: Iterable[Chain], gaps: Iterable[str] = ()) -> Ruleset:
        """A ruleset of chains."""
        kept = tuple(chains)
        return cls(kept, tuple(gaps), {chain.key: chain for chain in kept})

    def find(self, source: Source, family: str, table: str, name: str) -> Chain | None:
        """One chain by name."""
        return self._index.get((source, family, table, name))

    def at(self, hook: str, family: int) -> tuple[Chain, ...]:
        """The base chains of a hook in the order in which packets come to them."""
        found = [chain for chain in self.chains if chain.hook == hook and chain.sees(family)]
        return tuple(sorted(found, key=lambda chain: chain.priority))

    def changed(self, chain: Chain) -> Ruleset:
        """The same ruleset with another content of one chain."""
        return Ruleset.of((chain if old.key == chain.key else old for old in self.chains), self.gaps)
