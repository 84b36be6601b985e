"""The way of the packets: what routes, neighbours and firewall rules of this host say about one connection.

Owns the check `packet-path`. May not know how rules are read or evaluated. What rules say and what a packet meets can
differ: the check speaks of rules, `connect` of what happened. Rules of another host cannot be seen from here; whether
that host answers at all on the link can.
"""

from __future__ import annotations

from msgspec.structs import replace

from wizard.checks.address import ROOT_GRANT, Address, parse_address, required
from wizard.checks.connect import located
from wizard.checks.listen import socket_table, takes
from wizard.checks.registry import UNKNOWN, Asker, Finding, Gap, Scope, Subject, Value, check
from wizard.checks.rules import host_rules
from wizard.firewall import repair, routing
from wizard.firewall.evaluate import Decision, decide
from wizard.firewall.packet import Connection
from wizard.firewall.read import has_rules, with_text
from wizard.firewall.rules import Act, Rule, Ruleset, Source
from wizard.host.questions import NotAnswered, SocketTable
from wizard.model import Instance
from wizard.text import one_line

_RULE = ("rule", "show", "repair", "repair-why", "undo", "needle", "second", "third")
_ROUTE = ("rule", "repair", "repair-why", "undo")


@check(
    "packet-path",
    Scope.SERVER,
    {
        "unix-socket": (),
        "passes": (),
        "drops": _RULE,
        "rejects": _RULE,
        "may-drop": _RULE,
        "may-reject": _RULE,
        "redirects": (*_RULE, "to"),
        "no-route": _ROUTE,
        "no-ipv6": ("rule",),
        "link-down": _ROUTE,
        "route-forbids": _ROUTE,
        "route-discards": _ROUTE,
        "neighbour-silent": ("rule",),
        "neighbour-fixed": _ROUTE,
        "neighbour-answers": ("rule",),
        "uncertain": ("rule",),
    },
    bad=(
        "drops",
        "rejects",
        "may-drop",
        "may-reject",
        "redirects",
        "no-route",
        "no-ipv6",
        "link-down",
        "route-forbids",
        "route-discards",
        "neighbour-silent",
        "neighbour-fixed",
    ),
)
async def packet_path(subject: Subject, asker: Asker) -> Finding:
    """Follow the connection's packets through routes and rules, as those of the gateway's user."""
    route, server = required(subject)
    found = await located(subject, asker)
    address = parse_address(found.addresses[0]) if found.addresses else None
    if address is None:
        return Finding(UNKNOWN, "There is no address to follow packets to.")
    if address.ip is None:
        return Finding("unix-socket", "A unix socket knows neither routes nor rules.")
    if route.gateway.elsewhere:
        return Finding(UNKNOWN, "The gateway is in another network namespace, whose routes and rules are not ours.")
    uid = route.gateway.uid
    way = await routing.route_to(asker, str(address.ip), uid or None)
    by_hand = f"ip route get {address.ip}"
    if isinstance(way, NotAnswered):
        return Finding(UNKNOWN, f"The route could not be asked for: {one_line(way.detail)}.", by_hand=by_hand)
    if way.way is routing.Way.NONE and server.name is not None and all(map(_is_ipv6, found.addresses)):
        said = f"{one_line(server.name)} has IPv6 addresses only, and this host has no way to them."
        return Finding("no-ipv6", said, {"rule": said}, by_hand=by_hand)
    if way.way in routing.LEADS_NOWHERE:
        return await _nowhere(way, uid, asker, by_hand)
    rules = await host_rules(asker)
    if isinstance(rules, NotAnswered):
        gap = Gap("the firewall's rules", one_line(rules.detail), rules.grant or ROOT_GRANT)
        return Finding(UNKNOWN, "The firewall's rules could not be read.", gaps=(gap,), by_hand="nft list ruleset")
    listener_uid = await _listener_uid(subject, address, asker)
    return await _followed(rules, address, way, route.gateway, listener_uid, asker)


async def _followed(
    rules: Ruleset, address: Address, way: routing.RouteTo, gateway: Instance, listener_uid: int | None, asker: Asker
) -> Finding:
    """What the rules do to the packets of a connection that has a route, and what is known of its next stop."""
    connection = Connection(
        destination=str(address.ip),
        port=address.port,
        source=way.source,
        path=way.path,
        uid=gateway.uid,
        gid=gateway.gid,
        listener_uid=listener_uid,
        interface=way.device or "lo",
    )
    decision = decide(rules, connection)
    gaps = tuple(Gap("a part of the firewall's rules", one_line(one), ROOT_GRANT) for one in rules.gaps)
    beyond = await _beyond(way, gaps, asker) if way.way is not routing.Way.LOCAL else None
    if decision.blocked and (decision.certain or beyond is None or beyond.outcome != "neighbour-silent"):
        return await _blocked(rules, decision, connection, gaps, asker)
    if decision.mark:
        marked = await routing.route_to(asker, way.address, gateway.uid or None, decision.mark)
        if isinstance(marked, routing.RouteTo) and marked.way in routing.LEADS_NOWHERE:
            return await _nowhere(
                marked, gateway.uid, asker, f"ip route get {way.address} mark {decision.mark:#x}", mark=decision.mark
            )
    if decision.translated is not None:
        change = repair.unmoved(rules, decision, connection)
        if change is not None:
            return await _moved(rules, decision, connection, change, gaps, asker)
    if beyond is None:
        said = "No rule of this host stands in the way." if has_rules(rules) else "There are no firewall rules."
        return Finding("passes", said, gaps=gaps, by_hand="nft list ruleset")
    return beyond


def _is_ipv6(endpoint: str) -> bool:
    address = parse_address(endpoint)
    return address is not None and address.ip is not None and address.ip.version == 6


async def _listener_uid(subject: Subject, address: Address, asker: Asker) -> int | None:
    table = await socket_table(subject, asker)
    if not isinstance(table, SocketTable):
        return None
    return next((one.uid for one in table.listening if takes(one, address)), None)


async def _nowhere(way: routing.RouteTo, uid: int | None, asker: Asker, by_hand: str, *, mark: int = 0) -> Finding:
    where = one_line(way.address)
    dead = await routing.dead_route(asker, way.address, uid, mark)
    outcome = "route-discards" if way.way is routing.Way.BLACKHOLE else "route-forbids"
    if isinstance(dead, routing.DeadRoute):
        said = f'The route "{one_line(dead.words)}" covers {where}: {way.way}.'
        values: dict[str, Value] = {
            "rule": said,
            "repair": dead.command,
            "repair-why": "Takes that route away.",
            "undo": dead.undo,
        }
        return Finding(outcome, said, values, by_hand=by_hand)
    if way.way is not routing.Way.NONE:
        said = f"A route or rule of this host forbids {where} ({one_line(way.said or way.way)})."
        return Finding(outcome, said, {"rule": said}, by_hand=by_hand)
    faces = await routing.interfaces(asker)
    down = [one for one in faces if not one.up and one.name != "lo"] if not isinstance(faces, NotAnswered) else []
    if down:
        name = one_line(down[0].name)
        said = f"There is no route to {where}; the interface {name} is switched off."
        return Finding(
            "link-down",
            said,
            {
                "rule": said,
                "repair": ("ip", "link", "set", down[0].name, "up"),
                "repair-why": f"Switches {name} on. Its routes may have to be set again.",
                "undo": ("ip", "link", "set", down[0].name, "down"),
            },
            by_hand=by_hand,
        )
    said = f"The kernel has no route to {where} ({one_line(way.said or way.way)})."
    return Finding("no-route", said, {"rule": said}, by_hand=by_hand)


async def _beyond(way: routing.RouteTo, gaps: tuple[Gap, ...], asker: Asker) -> Finding:
    next_hop = way.gateway or way.address
    known = await routing.neighbour(asker, next_hop)
    by_hand = f"ip neigh show {next_hop}"
    if isinstance(known, routing.Neighbour) and known.absent:
        who = "the router" if way.gateway else "the host"
        said = f"Nobody answers for {one_line(next_hop)} on {one_line(way.device)}: {who} is down or not there."
        return Finding("neighbour-silent", said, {"rule": said}, gaps, by_hand)
    if isinstance(known, routing.Neighbour) and known.fixed:
        entry = (known.address, "dev", known.device)
        said = f"The link address of {one_line(next_hop)} on {one_line(known.device)} was set by hand ({one_line(known.link_address)}); whether anybody has it is not known."
        values: dict[str, Value] = {
            "rule": said,
            "repair": ("ip", "neigh", "del", *entry),
            "repair-why": "Lets the kernel ask for the link address.",
            "undo": ("ip", "neigh", "replace", *entry, "lladdr", known.link_address, "nud", "permanent"),
        }
        return Finding("neighbour-fixed", said, values, gaps, by_hand)
    if isinstance(known, routing.Neighbour) and known.link_address and not way.gateway:
        said = f"{one_line(next_hop)} is there on {one_line(way.device)}, and no rule or route of this host stands in the way."
        return Finding("neighbour-answers", said, {"rule": said}, gaps, by_hand)
    return Finding("passes", "No route or rule of this host stands in the way.", gaps=gaps, by_hand=by_hand)


async def _blocked(
    rules: Ruleset, decision: Decision, connection: Connection, gaps: tuple[Gap, ...], asker: Asker
) -> Finding:
    rule = await with_text(asker, decision.rule) if decision.rule is not None else None
    said = _sentence(rule, decision)
    values: dict[str, Value] = {"rule": said, "show": _show(decision)}
    by_hand = " ".join(_show(decision))
    if not decision.certain and decision.act not in {Act.DROP, Act.REJECT}:
        return Finding("uncertain", f"Whether this connection passes is left open: {said}", values, gaps, by_hand)
    planned = repair.plan(_told(rules, decision, rule), connection, also_possible=not decision.certain)
    if planned.complete and planned.changes:
        first = planned.changes[0]
        values |= {"repair": first.command, "repair-why": _sentence_of(first.why), "undo": first.undo}
        for name, change in zip(("second", "third"), planned.changes[1:3], strict=False):
            values[name] = change.command
    values["needle"] = str(connection.port)
    rejects = decision.act is Act.REJECT
    if not decision.certain:
        said = f"This may be what keeps the connection back, by what cannot be told of a packet beforehand: {said}"
        values["rule"] = said
        return Finding("may-reject" if rejects else "may-drop", said, values, gaps, by_hand)
    return Finding("rejects" if rejects else "drops", said, values, gaps, by_hand)


async def _moved(
    rules: Ruleset,
    decision: Decision,
    connection: Connection,
    change: repair.Change,
    gaps: tuple[Gap, ...],
    asker: Asker,
) -> Finding:
    """A connection that a rule sends to another destination; the change is made again with the rule's text for its undo."""
    ending, base = decision.mover if decision.mover is not None else (None, None)
    rule = await with_text(asker, ending.rule) if ending is not None and ending.rule is not None else None
    told = replace(decision, ending=ending, base=base)
    change = repair.unmoved(_told(rules, told, rule), decision, connection) or change
    chain = ending.chain if ending is not None else base
    place = one_line(f"{chain.family} {chain.table} {chain.name}") if chain else ""
    to = decision.translated or ""
    said = f"A rule of {place} sends it to {one_line(to)}: {one_line(rule.text if rule else '')}."
    values: dict[str, Value] = {
        "rule": said,
        "show": _show(told),
        "repair": change.command,
        "repair-why": _sentence_of(change.why),
        "undo": change.undo,
        "needle": str(connection.port),
        "to": to,
    }
    return Finding("redirects", said, values, gaps, " ".join(_show(told)))


def _told(rules: Ruleset, decision: Decision, rule: Rule | None) -> Ruleset:
    """The rules with the text of the deciding one filled in, so that an undo can put it back."""
    if rule is None or decision.ending is None:
        return rules
    chain = decision.ending.chain
    told = tuple(rule if one.position == rule.position else one for one in chain.rules)
    return rules.changed(replace(chain, rules=told))


def _sentence_of(why: str) -> str:
    return why[:1].upper() + why[1:] + "."


def _sentence(rule: Rule | None, decision: Decision) -> str:
    chain = decision.ending.chain if decision.ending else decision.base
    place = one_line(f"{chain.family} {chain.table} {chain.name}") if chain else ""
    does = {Act.DROP: "drops", Act.REJECT: "rejects"}.get(decision.act, "keeps back")
    if rule is None:
        return f"The policy of the chain {place} {does} it: no rule accepts this connection."
    handle = f", handle {rule.handle}" if rule.handle is not None else f", rule {rule.position}"
    return f"A rule of {place}{handle} {does} it: {one_line(rule.text) or 'its text could not be read'}."


def _show(decision: Decision) -> tuple[str, ...]:
    chain = decision.ending.chain if decision.ending else decision.base
    if chain is None or chain.source is Source.NFT:
        return (
            ("nft", "-a", "list", "chain", chain.family, chain.table, chain.name)
            if chain
            else ("nft", "list", "ruleset")
        )
    return (
        "iptables" if chain.family == "ip" else "ip6tables",
        "-t",
        chain.table,
        "-nvL",
        chain.name,
        "--line-numbers",
    )
