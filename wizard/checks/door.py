"""The way to the gateway's own port: whether a rule of this host keeps visitors out.

Owns the check `door`. May not know how rules are read. A connection from this host and one from outside pass other
rules; a rule that lets some sources in is no closed door.
"""

from __future__ import annotations

import ipaddress
from functools import partial
from urllib.parse import urlsplit

from wizard.checks.address import ROOT_GRANT, Address, local_addresses
from wizard.checks.registry import UNKNOWN, Asker, Finding, Gap, Scope, Subject, Value, check
from wizard.checks.rules import host_rules
from wizard.checks.visitor import entrance
from wizard.firewall.judge import Judgement, judge, words
from wizard.firewall.packet import Path
from wizard.host.questions import NotAnswered
from wizard.model import Route
from wizard.text import one_line

_SITES = frozenset({80, 443})
_RULE = ("address", "rule")
_REPAIR = (*_RULE, "repair", "undo", "second")


@check(
    "door",
    Scope.ROUTE,
    {"open": (), "closed": _RULE, "closed-rule": _REPAIR, "closed-outside": _RULE, "closed-outside-rule": _REPAIR},
    bad=("closed", "closed-rule", "closed-outside", "closed-outside-rule"),
)
async def door(subject: Subject, asker: Asker) -> Finding:
    """Follow a visitor's packets through the rules, from this host and from outside."""
    route = subject.route
    address = entrance(route) if route else None
    if route is None or address is None:
        return Finding(UNKNOWN, "There is no listener to follow packets to.")
    if address.ip is None:
        return Finding("open", "A unix socket knows no rules.")
    if route.gateway.elsewhere:
        return Finding(UNKNOWN, "The gateway is in another network namespace, whose rules are not ours.")
    here = await judge(asker, str(address.ip), address.port, read=partial(host_rules, asker))
    if isinstance(here, NotAnswered):
        gap = Gap("the firewall's rules", one_line(here.detail), here.grant or ROOT_GRANT)
        return Finding(UNKNOWN, "The firewall's rules could not be read.", gaps=(gap,), by_hand="nft list ruleset")
    outside = await _from_outside(route, address, asker) if subject.behind is None else None
    if _shut(here):
        if outside is None or not _shut(outside):
            return _closed("closed", address, here)
        return _closed("closed", address, *((outside,) if _opens_both(outside, here, address) else (outside, here)))
    if outside is not None and _shut(outside) and address.port in _SITES:
        return _closed("closed-outside", address, outside)
    return Finding("open", "No rule keeps every visitor out.", by_hand="nft list ruleset")


def _shut(found: Judgement) -> bool:
    return found.decision.blocked and found.decision.certain


def _opens_both(outside: Judgement, here: Judgement, address: Address) -> bool:
    """Whether what lets visitors in lets this host's own connections in too: it takes the rule away that both meet.

    An accept for the visitors' address is enough where this host's own connection goes to that address.
    """
    one, other = outside.decision.rule, here.decision.rule
    if one is None or other is None:
        return outside.decision.base == here.decision.base and outside.connection.destination == str(address.ip)
    if (one.family, one.table, one.chain, one.position) != (other.family, other.table, other.chain, other.position):
        return False
    removed = outside.repair is not None and any(change.removes is not None for change in outside.repair.changes)
    return removed or outside.connection.destination == str(address.ip)


async def _from_outside(route: Route, address: Address, asker: Asker) -> Judgement | None:
    destination = await _public(route, address, asker)
    if destination is None:
        return None
    found = await judge(asker, destination, address.port, path=Path.INCOMING, read=partial(host_rules, asker))
    return found if isinstance(found, Judgement) else None


async def _public(route: Route, address: Address, asker: Asker) -> str | None:
    """An address of this host by which visitors may come; None where the listener is for this host alone."""
    configured = route.listener.address.rpartition(":")[0].strip("[]")
    own = await local_addresses(asker) or frozenset()
    host = urlsplit(route.url).hostname or ""
    if configured not in {"0.0.0.0", "::"}:
        return None if address.is_loopback else str(address.ip)
    if host in own:
        return host
    version = address.ip.version if address.ip else 4
    usable = [one for text in sorted(own) if (one := ipaddress.ip_address(text.partition("%")[0])).version == version]
    return next((str(one) for one in usable if not one.is_loopback and not one.is_link_local), None)


def _closed(word: str, address: Address, *found: Judgement) -> Finding:
    """What a closed door is told as; every judgement's repair has to be whole, and of one change."""
    rule = words(found[-1].decision)
    values: dict[str, Value] = {"address": address.text, "rule": rule}
    who = "connections" if word == "closed" else "connections from outside"
    said = f"{rule[:1].upper()}{rule[1:]} keeps {who} from {one_line(address.text)}."
    changes = [one.repair.changes[0] for one in found if one.repair and one.repair.complete and one.repair.changes]
    if len(changes) == len(found) and all(one.repair and len(one.repair.changes) == 1 for one in found):
        values |= {"repair": changes[0].command, "undo": changes[0].undo}
        if len(changes) > 1:
            values["second"] = changes[1].command
        return Finding(f"{word}-rule", said, values, by_hand="nft list ruleset")
    return Finding(word, said, values, by_hand="nft list ruleset")
