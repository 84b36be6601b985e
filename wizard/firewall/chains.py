"""One packet in one base chain: every way in which it may leave it, and the mark that it has then.

Owns jumps, gotos, returns, policies and marks. May not know hooks, or the other chains of a hook. Where a test has no
answer both ways are followed. Facts: goto does not come back; a base chain that is left falls to its policy (nft(8)).
"""

from __future__ import annotations

import msgspec
from msgspec.structs import replace

from wizard.firewall.packet import Packet, Span
from wizard.firewall.rules import Act, Chain, Rule, Ruleset, Test, Verdict

_MAX_DEPTH = 16  # NFT_JUMP_STACK_SIZE


class Ending(msgspec.Struct, frozen=True):
    """One way in which a packet may leave a base chain: by a rule, or by the policy (no rule)."""

    verdict: Verdict
    chain: Chain
    rule: Rule | None = None


_Key = tuple[tuple[str, str, str, str], Span]


class _Outcome(msgspec.Struct, frozen=True):
    """What a chain does to a packet: its endings, whether it may come out again, and the mark that it has then."""

    endings: tuple[Ending, ...]
    falls: bool
    mark: Span


def endings_of(rules: Ruleset, base: Chain, packet: Packet) -> tuple[list[Ending], Span]:
    """Every way in which a packet may leave a base chain, each once (a single one is certain), and its mark then."""
    ran = _run(rules, base, packet, {}, 0)
    found = [*ran.endings, Ending(base.policy, base)] if ran.falls else list(ran.endings)
    once = {(one.verdict, one.chain.key, one.rule and one.rule.position): one for one in found}
    return list(once.values()), ran.mark


def _run(rules: Ruleset, chain: Chain, packet: Packet, memo: dict[_Key, _Outcome], depth: int) -> _Outcome:
    """What a chain does to a packet."""
    key = (chain.key, packet.mark)
    known = memo.get(key)
    if known is not None:
        return known
    if depth > _MAX_DEPTH:
        return _Outcome((), True, packet.mark)
    found: list[Ending] = []
    falls = False
    for rule in chain.rules:
        holds = rule.matches(packet)
        if holds is False:
            continue
        if rule.marks is not None:
            packet = _marked(packet, rule.marks, sure=holds is True)
        settled = False
        for test, verdict in _verdicts(rule):
            chosen = test(packet) if test else True
            if chosen is False or verdict.act is Act.NOTHING:
                continue
            sure = holds is True and chosen is True
            ran, through, leaves = _follow(rules, chain, rule, verdict, packet, memo, depth)
            found += ran.endings
            packet = _marked(packet, ran.mark, sure=sure)
            falls = falls or leaves
            if sure:
                settled = not through
                break
        if settled:
            memo[key] = _Outcome(tuple(found), falls, packet.mark)
            return memo[key]
    memo[key] = _Outcome(tuple(found), True, packet.mark)
    return memo[key]


def _marked(packet: Packet, mark: Span, *, sure: bool) -> Packet:
    """A packet after a rule that gives it a mark; one that may have matched leaves both possible."""
    if mark == packet.mark:
        return packet
    low, high = min(mark.low, packet.mark.low), max(mark.high, packet.mark.high)
    return replace(packet, mark=mark if sure else Span(low, high))


def _verdicts(rule: Rule) -> tuple[tuple[Test | None, Verdict], ...]:
    return rule.choices or ((None, rule.verdict),)


def _follow(
    rules: Ruleset,
    chain: Chain,
    rule: Rule,
    verdict: Verdict,
    packet: Packet,
    memo: dict[_Key, _Outcome],
    depth: int,
) -> tuple[_Outcome, bool, bool]:
    """What is behind a verdict, whether the next rule may be reached, and whether the chain may be left."""
    if verdict.act is Act.RETURN:
        return _Outcome((), False, packet.mark), False, True
    if verdict.act not in (Act.JUMP, Act.GOTO):
        return _Outcome((Ending(verdict, chain, rule),), False, packet.mark), False, False
    target = rules.find(chain.source, chain.family, chain.table, verdict.target)
    if target is None:
        return _Outcome((Ending(Verdict(Act.HAND_OVER), chain, rule),), True, packet.mark), True, False
    ran = _run(rules, target, packet, memo, depth + 1)
    if verdict.act is Act.JUMP:
        return ran, ran.falls, False
    return ran, False, ran.falls
