"""One question asked of route and rules together: what does this host do to that connection, and what lets it through?

Owns the order: route first (it gives the interface, the source and the way), then rules. May not know checks.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable

import msgspec
from msgspec.structs import replace

from wizard.firewall.evaluate import Decision, decide
from wizard.firewall.packet import EPHEMERAL, Connection, Path, Span
from wizard.firewall.read import Asks, read_rules, with_text
from wizard.firewall.repair import Repair, plan
from wizard.firewall.routing import LEADS_NOWHERE, RouteTo, route_to
from wizard.firewall.rules import Act, Rule, Ruleset, Source
from wizard.host.questions import NotAnswered, ReadFile, ReadGlob, Sockets, Why
from wizard.model import Place
from wizard.text import one_line

_KEPT = (
    "/etc/nftables.conf",
    "/etc/nftables.nft",
    "/etc/sysconfig/nftables.conf",
    "/etc/nftables/*.nft",
    "/etc/nftables.d/*",
    "/etc/iptables/rules.v[46]",
    "/etc/iptables/*.rules",
    "/etc/iptables.rules",
    "/etc/iptables.up.rules",
    "/etc/sysconfig/iptables",
    "/etc/sysconfig/ip6tables",
)


class Judgement(msgspec.Struct, frozen=True):
    """What the rules do to a connection, the route it takes, and the changes that let it through."""

    connection: Connection
    route: RouteTo | None
    decision: Decision
    repair: Repair | None = None


async def judge(
    ask: Asks,
    destination: str,
    port: int,
    *,
    uid: int | None = None,
    gid: int | None = None,
    listener_uid: int | None = None,
    path: Path | None = None,
    interface: str = "",
    read: Callable[[], Awaitable[Ruleset | NotAnswered]] | None = None,
) -> Judgement | NotAnswered:
    """What this host's rules do to a TCP connection, as seen from the wizard's own network namespace.

    Args:
        ask: whoever can ask the host.
        destination: the address (an IP literal).
        port: the port.
        uid: the user who connects, None where unknown; `gid` the group.
        gid: see `uid`.
        listener_uid: the user of the process that answers, where it runs on this host; looked up where None.
        path: the way through this host; None for what the route says (local or outgoing).
        interface: where it comes in, for an incoming connection.
        read: gives the rules, where they are read for others too.

    Returns:
        The judgement; its route may lead nowhere, and then the rules were not read. `NotAnswered` where rules could
        not be read for lack of rights.
    """
    routed: RouteTo | NotAnswered | None = None
    if path is None:
        routed = await route_to(ask, destination, uid)
    route = routed if isinstance(routed, RouteTo) else None
    way = path or (
        route.path if route else Path.LOCAL if destination.startswith("127.") or destination == "::1" else Path.OUTGOING
    )
    connection = Connection(
        destination,
        port,
        source=route.source if route else "",
        path=way,
        uid=uid,
        gid=gid,
        interface="lo" if way is Path.LOCAL else interface or (route.device if route else ""),
    )
    if route is not None and route.way in LEADS_NOWHERE:
        return Judgement(connection, route, Decision(Act.ACCEPT, certain=False))
    local = listener_uid is None and way is Path.LOCAL
    rules, ports, owner = await asyncio.gather(  # at once: a large ruleset takes nft longer than all else together
        read() if read else read_rules(ask),
        _client_ports(ask, way),
        _listener(ask, destination, port) if local else _known(listener_uid),
    )
    if isinstance(rules, NotAnswered):
        return rules
    connection = replace(connection, ports=ports, listener_uid=owner)
    decision = decide(rules, connection)
    if not decision.blocked:
        return Judgement(connection, route, decision)
    repair = plan(rules, connection)
    spoken = [change.removes for change in repair.changes if change.removes is not None]
    spoken += [decision.rule] if decision.rule is not None else []
    for rule in spoken:
        rules = _replaced(rules, await with_text(ask, rule))
    return Judgement(connection, route, decide(rules, connection), plan(rules, connection))


def _replaced(rules: Ruleset, rule: Rule) -> Ruleset:
    chain = next(
        (c for c in rules.chains if c.source is Source.NFT and c.key[1:] == (rule.family, rule.table, rule.chain)), None
    )
    if chain is None:
        return rules
    kept = tuple(rule if old.position == rule.position else old for old in chain.rules)
    return rules.changed(replace(chain, rules=kept))


async def _known(uid: int | None) -> int | None:
    return uid


async def _listener(ask: Asks, destination: str, port: int) -> int | None:
    """The user who owns the socket that answers, None where it is not known: rules for users see the answer too."""
    answer = (await ask.ask(Sockets())).answer
    if isinstance(answer, NotAnswered):
        return None
    owners = {found.uid for found in answer.listening if found.port == port and found.type == "stream"
              and found.address in (destination, "0.0.0.0", "::")}  # fmt: skip
    return owners.pop() if len(owners) == 1 else None


async def _client_ports(ask: Asks, way: Path) -> Span:
    if way is Path.INCOMING:
        return Span(1024, 65535)
    answer = (await ask.ask(ReadFile("/proc/sys/net/ipv4/ip_local_port_range", max_bytes=100))).answer
    numbers = [] if isinstance(answer, NotAnswered) else re.findall(rb"\d{1,5}", answer.content)
    if len(numbers) != 2 or int(numbers[0]) > int(numbers[1]):
        return EPHEMERAL
    return Span(int(numbers[0]), int(numbers[1]))


def words(decision: Decision) -> str:
    """What ends the connection, as a sentence part: the chain, and the rule or the policy. Visible text."""
    if decision.ending is None or decision.base is None:
        return "no filter rule ends it"
    chain = decision.ending.chain
    name = (
        f"{chain.family} {chain.table} {chain.name}"
        if chain.source is Source.NFT
        else (f"{chain.tool} {'' if chain.table == 'filter' else f'-t {chain.table} '}{chain.name}")
    )
    if decision.rule is None:
        return one_line(f"the policy {decision.ending.verdict.act} of {name}")
    rule = decision.rule
    number = f"handle {rule.handle}" if rule.handle is not None else f"number {rule.position}"
    said = f": {rule.text}" if rule.text else ""
    return one_line(f"the rule {number} of {name}{said}", limit=300)


class Kept(msgspec.Struct, frozen=True):
    """A line of a file from which rules are loaded at boot, and whether it surely ends the connection asked about."""

    place: Place
    certain: bool


async def kept_against(ask: Asks, address: str, port: int) -> Kept | NotAnswered | None:
    """What is loaded at boot and drops or rejects connections to a port; None where nothing is.

    A line that has such a verdict and names the port, and no other address than this one, is certain. A policy, or a
    verdict without a port, ends whatever the lines before it let through: they are not followed here.
    """
    unread: NotAnswered | None = None
    perhaps: Kept | None = None
    for pattern in _KEPT:
        answer = (await ask.ask(ReadGlob(pattern, max_files=50, max_bytes=1 << 18))).answer
        if isinstance(answer, NotAnswered):
            unread = unread if answer.why is Why.MISSING else answer
            continue
        for file in answer.files:
            for number, line in enumerate(file.content.decode("utf-8", "replace").splitlines(), 1):
                ends = _ends(line.strip(), address, port)
                if ends:
                    return Kept(Place(file.path, number), certain=True)
                if ends is None and perhaps is None:
                    perhaps = Kept(Place(file.path, number), certain=False)
    return perhaps or unread


def _ends(line: str, address: str, port: int) -> bool | None:
    """Whether a rule as it stands in a file ends connections to a port of this address; None where that is open."""
    if line.startswith("#") or re.search(r"\b(?:drop|reject)\b", line, re.IGNORECASE) is None:
        return False
    named = re.findall(r"(?:--(?:dst|destination) |-d |\bip6? daddr )(\S+)", line)
    if not all(one.partition("/")[0] in {address, "127.0.0.0"} for one in named):
        return False
    ports = _ports_in(line)
    if ports:
        return str(port) in ports
    return False if re.search(r"\binvalid\b", line, re.IGNORECASE) else None


def _ports_in(text: str) -> set[str]:
    """The ports that the text of a rule names: the numbers after dport and its like."""
    named = re.findall(r"[ds](?:estination-|ource-)?ports? (?:!= )?(?:\{ )?([\d][\d ,:-]{0,200})", text)
    return {number for part in named for number in re.findall(r"\d{1,5}", part)}
