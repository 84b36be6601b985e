"""Read the filter rules of this host, whoever made them.

Owns the questions put to `nft` and `iptables-save`, and the joining of their answers. May not know what is looked for.
Nothing is loaded: the host refuses these commands where the modules behind them are not in use, and then there are no
such rules. The tables that iptables made inside nf_tables are taken from `iptables-save`, because nft prints of their
matches no more than the names.
"""

from __future__ import annotations

import asyncio
import re
from functools import partial
from typing import Protocol, TypeVar

from msgspec.structs import replace

from wizard.firewall import iptables, nft
from wizard.firewall.rules import Act, Chain, Rule, Ruleset, Source
from wizard.host.port import Reply
from wizard.host.questions import Ask, NotAnswered, Ran, Run, Why
from wizard.host.threads import beside

A = TypeVar("A")

MAX_BYTES = 64 << 20
MUCH_TEXT = 1 << 19  # some 6,000 rules: from there on their JSON costs nft and us more than it tells
GRANT = "root (or CAP_NET_ADMIN)"

_TOOLS = ("iptables", "ip6tables", "iptables-legacy", "ip6tables-legacy")
_LIST = ("nft", "-j", "-a", "list", "ruleset")
_LIST_AS_TEXT = ("nft", "-a", "list", "ruleset")
_CHAINS = ("nft", "-j", "list", "chains")


class Asks(Protocol):
    """Whoever can ask the host."""

    async def ask(self, question: Ask[A]) -> Reply[A]:
        """Ask one question."""
        ...


async def read_rules(ask: Asks) -> Ruleset | NotAnswered:
    """All filter rules of the wizard's own network namespace.

    Returns:
        The rules, with gaps in words where a part could not be read; `NotAnswered` where no part could be, because
        rights are missing.
    """
    nft_answer, saved = await asyncio.gather(_nft(ask), asyncio.gather(*(_run(ask, f"{tool}-save") for tool in _TOOLS)))
    gaps: list[str] = []
    denied: NotAnswered | None = None
    chains: list[Chain] = []
    if isinstance(nft_answer, NotAnswered):
        denied = _note(nft_answer, "nft", gaps) or denied
    else:
        chains += nft_answer
    seen: set[tuple[str, Source]] = set()
    for tool, answer in zip(_TOOLS, saved, strict=True):
        family = "ip6" if tool.startswith("ip6") else "ip"
        if isinstance(answer, NotAnswered):
            denied = _note(answer, "iptables", gaps) or denied
            continue
        if not answer.strip():
            continue  # the variant that speaks to nf_tables prints nothing at all where there are no tables
        source = Source.IPTABLES if iptables.is_of_nf_tables(answer) else Source.IPTABLES_LEGACY
        if (family, source) in seen:
            continue
        seen.add((family, source))
        chains = _joined(chains, iptables.read_save(answer, family, source, tool), source)
    if denied is not None and not chains:
        return denied
    return Ruleset.of(chains, dict.fromkeys(gaps))


def _note(answer: NotAnswered, what: str, gaps: list[str]) -> NotAnswered | None:
    """Keep what could not be read.

    A command that was refused asks for a part of the kernel that is not in use: there are no such rules. Without
    iptables there may still be nft, which lists the same rules; without nft, rules may be there unseen.
    """
    if answer.why is Why.REFUSED or (answer.why in (Why.MISSING, Why.UNSUPPORTED) and what != "nft"):
        return None
    if answer.why is Why.MISSING:
        gaps.append("nft is not installed: rules that were not made with iptables cannot be seen")
        return None
    gaps.append(f"the rules of {what} could not be read: {answer.detail}")
    return NotAnswered(answer.why, answer.detail, answer.errno, answer.grant or GRANT)


def _joined(chains: list[Chain], saved: tuple[Chain, ...], source: Source) -> list[Chain]:
    """Put what iptables-save lists in the place of the same chains as nft saw them."""
    if source is Source.IPTABLES:
        names = {(chain.family, chain.table, chain.name) for chain in saved}
        made = {chain.key[1:] for chain in chains}
        chains = [chain for chain in chains if (chain.family, chain.table, chain.name) not in names]
        # nft has only the built-in chains that were ever used; the others that are listed accept everything.
        saved = tuple(chain for chain in saved if not made or chain.key[1:] in made)
    return [*chains, *saved]


async def _nft(ask: Asks) -> tuple[Chain, ...] | NotAnswered:
    heads = await _run(ask, *_CHAINS)
    if isinstance(heads, NotAnswered):
        return heads
    found = nft.read_ruleset(heads)
    if found is not None and not any(chain.hook for chain in found):
        return ()  # a chain without a hook sees no packet
    listed = await _run(ask, *_LIST_AS_TEXT)
    if isinstance(listed, bytes) and len(listed) > MUCH_TEXT:
        read = await beside(len(listed), partial(nft.read_listing, heads, listed))
        if read is not None:
            return read
    printed = await _run(ask, *_LIST)
    if isinstance(printed, NotAnswered):
        return printed
    chains = await beside(len(printed), partial(nft.read_ruleset, printed))
    if chains is not None and isinstance(listed, bytes):
        chains = tuple(_on_its_devices(chain, listed) for chain in chains)
    return NotAnswered(Why.FAILED, "what nft printed is no complete JSON") if chains is None else chains


def _on_its_devices(chain: Chain, listed: bytes) -> Chain:
    """A chain at an interface with the interfaces that nft's text names: older versions leave them out of the JSON."""
    if chain.family != "netdev" or chain.devices or not chain.hook:
        return chain
    table = re.search(
        rf"^table netdev {re.escape(chain.table)} \{{(.*?)^\}}",
        listed.decode("utf-8", "replace"),
        re.MULTILINE | re.DOTALL,
    )
    head = re.search(
        rf"^\s*chain {re.escape(chain.name)} \{{[^\n]*\n\s*type ([^\n;]*);", table[1] if table else "", re.MULTILINE
    )
    return replace(chain, devices=tuple(re.findall(r'"([^"]+)"', head[1]))) if head else chain


async def _run(ask: Asks, *argv: str) -> bytes | NotAnswered:
    answer: Ran | NotAnswered = (await ask.ask(Run(argv, seconds=5.0, max_bytes=MAX_BYTES))).answer
    if isinstance(answer, NotAnswered):
        return answer
    if answer.cut:
        return NotAnswered(Why.TOO_BIG, f"{argv[0]} printed more than {MAX_BYTES >> 20} MiB")
    if answer.status != 0:
        said = answer.err.decode("utf-8", "replace").strip().splitlines()
        detail = said[0] if said else f"{argv[0]} ended with status {answer.status}"
        denied = re.search(r"not permitted|must be root|permission denied|you must be", detail, re.IGNORECASE)
        return NotAnswered(Why.DENIED if denied else Why.FAILED, detail, grant=GRANT if denied else None)
    return answer.out


async def with_text(ask: Asks, rule: Rule) -> Rule:
    """The same rule with its text as nft prints it; unchanged where it has one or none can be had."""
    if rule.text or rule.handle is None:
        return rule
    printed = await _run(ask, "nft", "-a", "list", "chain", rule.family, rule.table, rule.chain)
    if isinstance(printed, NotAnswered):
        return rule
    return replace(rule, text=text_of(printed.decode("utf-8", "replace"), rule.handle))


def text_of(printed: str, handle: int) -> str:
    """The text of the rule with a handle in what `nft -a list chain` printed, empty where it is not there."""
    ending = f" # handle {handle}"
    for line in printed.splitlines():
        stripped = line.strip()
        if stripped.endswith(ending) and not stripped.startswith(("table ", "chain ")):
            return stripped.removesuffix(ending)
    return ""


def has_rules(rules: Ruleset) -> bool:
    """Whether anything is filtered at all."""
    return any(chain.hook and (chain.rules or chain.policy.act is not Act.ACCEPT) for chain in rules.chains)
