"""The smallest change of the rules that lets one connection through, as commands.

Owns which change is proposed and how each tool is told to make it. May not know how rules are read. A change is tried
on the values first: a repair is complete only if the connection is accepted under the changed rules.

A rule that leaves this host's door for exactly that port is taken away. What is broader, what guards this host against
others, and what is a policy stays, and an accept for exactly this connection is put before it.
"""

from __future__ import annotations

import msgspec
from msgspec.structs import replace

from wizard.firewall.evaluate import Decision, decide
from wizard.firewall.iptables import spec_words
from wizard.firewall.matching import (
    DADDR4,
    DADDR6,
    DPORT,
    IIF,
    SADDR4,
    SADDR6,
    SPORT,
    Field,
    compare,
    in_range,
    is_word,
)
from wizard.firewall.matching import network as bounds_of
from wizard.firewall.packet import Connection, Hook, Path, Stage
from wizard.firewall.rules import Act, Chain, Rule, Ruleset, Source, Test, Verdict

_MAX_CHANGES = 6


class Change(msgspec.Struct, frozen=True):
    """One command and the one that undoes it; `removes` names the rule that goes, None where one is added."""

    command: tuple[str, ...]
    undo: tuple[str, ...]
    why: str
    removes: Rule | None = None


class Repair(msgspec.Struct, frozen=True):
    """The changes in order. `complete` says that under all of them the connection is certainly accepted."""

    changes: tuple[Change, ...]
    complete: bool
    obstacle: str = ""


class _Ends(msgspec.Struct, frozen=True):
    """What an accept has to match: one address and port, the near one or the far one, maybe only over loopback."""

    address: str
    port: int
    reply: bool
    loopback: bool
    family: int

    @property
    def nft(self) -> str:
        family = "ip6" if self.family == 6 else "ip"
        side, port = ("saddr", "sport") if self.reply else ("daddr", "dport")
        over = 'iifname "lo" ' if self.loopback else ""
        return f"{over}{family} {side} {self.address} tcp {port} {self.port} accept"

    @property
    def iptables(self) -> tuple[str, ...]:
        side, port = ("-s", "--sport") if self.reply else ("-d", "--dport")
        over = ("-i", "lo") if self.loopback else ()
        return (*over, side, self.address, "-p", "tcp", port, str(self.port), "-j", "ACCEPT")

    @property
    def tests(self) -> tuple[Test, ...]:
        side: Field = (SADDR6 if self.reply else DADDR6) if self.family == 6 else SADDR4 if self.reply else DADDR4
        found = bounds_of(self.address) or (1, 0)
        tests = [
            compare(side, in_range(*found)),
            compare(SPORT if self.reply else DPORT, in_range(self.port, self.port)),
        ]
        return (*tests, compare(IIF, is_word("lo"))) if self.loopback else tuple(tests)


def plan(rules: Ruleset, connection: Connection, *, also_possible: bool = False) -> Repair:
    """The changes that let a connection through.

    Args:
        rules: all rules, the text of those made with nft filled in where they may have to be put back.
        connection: the connection that is to be made.
        also_possible: whether what only may end it (a limit of packets, say) is passed by as well.

    Returns:
        The changes; none, and the reason, where the rules leave open what happens or where another program owns them.
    """
    changes: list[Change] = []
    while len(changes) <= _MAX_CHANGES:
        decision = decide(rules, connection)
        if not decision.blocked:
            return Repair(tuple(changes), complete=decision.certain)
        open_ = not decision.certain and not (also_possible and decision.act in {Act.DROP, Act.REJECT})
        if open_ or decision.ending is None or decision.base is None:
            return Repair(
                tuple(changes), complete=False, obstacle="what the rules do to this connection is not certain"
            )
        if decision.base.table == "firewalld" or decision.ending.chain.table == "firewalld":
            return _by_firewalld(decision, connection)
        change, rules = _change(rules, decision, connection)
        if change.removes is None and any(change.command == earlier.command for earlier in changes):
            return Repair((), complete=False, obstacle="an accept before the rule does not reach this connection")
        changes.append(change)
    return Repair((), complete=False, obstacle="too many rules stand in the way")


def unmoved(rules: Ruleset, decision: Decision, connection: Connection) -> Change | None:
    """The change that lets a connection reach its own destination, where a rule sends it elsewhere; None for none.

    What Docker and its like write themselves is left alone: they would write it again.
    """
    if decision.mover is None or decision.mover[0].chain.name.startswith(("DOCKER", "KUBE-", "CNI-", "NETAVARK")):
        return None
    ending, base = decision.mover
    here = replace(decision, ending=ending, base=base, hook=Hook.OUTPUT, stage=Stage.REQUEST, translated=None)
    change, changed = _change(rules, here, connection)
    after = decide(changed, connection)
    return change if after.translated is None and not after.blocked else None


def _change(rules: Ruleset, decision: Decision, connection: Connection) -> tuple[Change, Ruleset]:
    ends = _ends(decision, connection)
    rule = decision.rule
    if rule is None or rule.chain.startswith(("ufw-", "ufw6-")):
        user = _ufw_chain(rules, decision)
        if user is not None:
            return _by_ufw(rules, user, ends, decision, connection)
    if decision.ending is not None and rule is not None and _is_about(rule, decision, connection):
        return _removed(rules, decision.ending.chain, rule)
    return _added(rules, decision, ends)


def _ends(decision: Decision, connection: Connection) -> _Ends:
    address, port = connection.destination, connection.port
    if decision.translated and decision.stage is not Stage.REPLY:
        host, _, number = decision.translated.rpartition(":")
        address, port = host.strip("[]"), int(number)
    entering = decision.hook in (Hook.INPUT, Hook.PREROUTING, Hook.INGRESS)
    over_loopback = entering and connection.path is Path.LOCAL
    return _Ends(address, port, decision.stage is Stage.REPLY, over_loopback, connection.family)


def _is_about(rule: Rule, decision: Decision, connection: Connection) -> bool:
    """Whether a rule is about this port alone, and does not guard this host against others."""
    wanted = "sport" if decision.stage is Stage.REPLY else "dport"
    if wanted not in rule.exact or rule.choices:
        return False
    entering = decision.hook in (Hook.INPUT, Hook.PREROUTING, Hook.INGRESS)
    return not (entering and connection.path is Path.LOCAL)


def _removed(rules: Ruleset, chain: Chain, rule: Rule) -> tuple[Change, Ruleset]:
    rest = tuple(other for other in chain.rules if other.position != rule.position)
    after = next((other for other in rest if other.position > rule.position), None)
    changed = replace(chain, rules=tuple(replace(other, position=index) for index, other in enumerate(rest, 1)))
    why = f"takes away the rule that ends the connection, in {_where(chain)}"
    if chain.source is Source.NFT:
        names = (chain.family, chain.table, chain.name)
        command: tuple[str, ...] = ("nft", "delete", "rule", *names, "handle", str(rule.handle))
        before = ("insert", "rule", *names, "position", str(after.handle)) if after else ("add", "rule", *names)
        undo: tuple[str, ...] = ("nft", *before, rule.text) if rule.text else ()
    else:
        spec = tuple(spec_words(rule.text))
        command = (chain.tool, *_table(chain), "-D", chain.name, *spec)
        undo = (chain.tool, *_table(chain), "-I", chain.name, str(rule.position), *spec)
    return Change(command, undo, why, removes=rule), rules.changed(changed)


def _added(rules: Ruleset, decision: Decision, ends: _Ends) -> tuple[Change, Ruleset]:
    if decision.ending is None or decision.base is None:
        raise ValueError("a change needs a decision that ends somewhere")
    rule = decision.rule
    chain = decision.base if rule is None else decision.ending.chain
    place = 1 if rule is None else rule.position
    why = f"accepts this connection before {'the policy' if rule is None else 'the rule'} of {_where(chain)} ends it"
    if chain.source is Source.NFT:
        names = (chain.family, chain.table, chain.name)
        position = () if rule is None or rule.handle is None else ("position", str(rule.handle))
        command: tuple[str, ...] = ("nft", "insert", "rule", *names, *position, ends.nft)
        undo: tuple[str, ...] = ()  # the handle of the new rule is not known before it is there
    else:
        command = (chain.tool, *_table(chain), "-I", chain.name, str(place), *ends.iptables)
        undo = (chain.tool, *_table(chain), "-D", chain.name, *ends.iptables)
    accept = Rule(chain.family, chain.table, chain.name, place, ends.tests, Verdict(Act.ACCEPT))
    return Change(command, undo, why), rules.changed(_with(chain, accept, place))


def _with(chain: Chain, rule: Rule, place: int) -> Chain:
    every = (*chain.rules[: place - 1], rule, *chain.rules[place - 1 :])
    return replace(chain, rules=tuple(replace(other, position=index) for index, other in enumerate(every, 1)))


def _table(chain: Chain) -> tuple[str, ...]:
    return () if chain.table == "filter" else ("-t", chain.table)


def _where(chain: Chain) -> str:
    return f"{chain.tool} {chain.family} {chain.table} {chain.name}"


# --- rules that another program keeps ---------------------------------------------------------------------------


def _ufw_chain(rules: Ruleset, decision: Decision) -> Chain | None:
    """The chain into which ufw puts the rules of its user, where it comes before the one that blocks."""
    way = {Hook.OUTPUT: "output", Hook.INPUT: "input", Hook.FORWARD: "forward"}.get(decision.hook or Hook.EGRESS)
    if way is None or decision.ending is None or "before" in decision.ending.chain.name:
        return None
    chain = decision.ending.chain
    prefix = "ufw6" if chain.family == "ip6" else "ufw"
    return rules.find(chain.source, chain.family, chain.table, f"{prefix}-user-{way}")


def _by_ufw(
    rules: Ruleset, user: Chain, ends: _Ends, decision: Decision, connection: Connection
) -> tuple[Change, Ruleset]:
    way = ("out",) if decision.hook is Hook.OUTPUT else ()
    side = (
        ("from", ends.address, "port", str(ends.port)) if ends.reply else ("to", ends.address, "port", str(ends.port))
    )
    allowed = ("allow", *way, "proto", "tcp", *side)
    accept = Rule(user.family, user.table, user.name, 1, ends.tests, Verdict(Act.ACCEPT))
    why = f"lets ufw accept connections to port {connection.port} before its own rule ends them"
    change = Change(("ufw", "prepend", *allowed), ("ufw", "delete", *allowed), why)
    return change, rules.changed(_with(user, accept, 1))


def _by_firewalld(decision: Decision, connection: Connection) -> Repair:
    """The daemon firewalld opens ports of this host by itself; what leaves this host is ruled by policies that it keeps."""
    if connection.path is not Path.INCOMING:
        return Repair((), complete=False, obstacle="firewalld keeps these rules; its policies decide what may leave")
    port = f"{connection.port}/tcp"
    why = f"opens port {connection.port} in firewalld's zone of this interface"
    face = f"--zone={zone}" if (zone := _zone(decision)) else ""
    words = tuple(word for word in (face, f"--add-port={port}") if word)
    back = tuple(word for word in (face, f"--remove-port={port}") if word)
    return Repair((Change(("firewall-cmd", *words), ("firewall-cmd", *back), why),), complete=True)


def _zone(decision: Decision) -> str:
    name = decision.ending.chain.name if decision.ending else ""
    for prefix in ("filter_IN_", "filter_INPUT_"):
        if name.startswith(prefix):
            return name.removeprefix(prefix).partition("_")[0]
    return ""
