from __future__ import annotations

import asyncio
import fnmatch
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path as File
from typing import TypeVar, cast

import pytest

from wizard.firewall import iptables
from wizard.firewall.evaluate import decide
from wizard.firewall.judge import Judgement, judge, words
from wizard.firewall.packet import Connection, Path
from wizard.firewall.read import read_rules
from wizard.firewall.repair import plan
from wizard.firewall.routing import Way, dead_route, interfaces, neighbour, route_to
from wizard.firewall.rules import Act, Ruleset, Source
from wizard.host.port import Reply
from wizard.host.questions import Ask, FileRead, FilesRead, NotAnswered, Ran, ReadFile, ReadGlob, Run, Why

A = TypeVar("A")
RECORDED = File(__file__).parent / "recorded"

LOCAL_ROUTE = (
    b'[{"type":"local","dst":"127.0.0.1","dev":"lo","prefsrc":"127.0.0.1","flags":[],"uid":0,"cache":["local"]}]'
)
CHAIN = (
    b'{"chain":{"family":"inet","table":"f","name":"output","handle":1,"type":"filter","hook":"output","prio":0,'
    b'"policy":"accept"}}'
)
DROP = (
    b'{"rule":{"family":"inet","table":"f","chain":"output","handle":%d,"expr":[{"match":{"op":"==","left":{"payload":'
    b'{"protocol":"tcp","field":"dport"}},"right":%d}},{"drop":null}]}}'
)
TEXT = b"""table inet f { # handle 1
\tchain output { # handle 1
\t\ttype filter hook output priority filter; policy accept;
\t\ttcp dport 8000 drop # handle 7
\t\ttcp dport 9000 drop # handle 8
\t}
}
"""


@dataclass
class Box:
    """Answers commands by their words and files by their path; a command that is not there is missing."""

    commands: Mapping[str, Ran]
    files: Mapping[str, str] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    async def ask(self, question: Ask[A]) -> Reply[A]:
        answer = cast("A", self._answer(question))
        return Reply(len(self.asked), question, answer, 0.0, 0.0)

    def _answer(self, question: object) -> object:
        match question:
            case Run(argv=argv):
                self.asked.append(" ".join(argv))
                return self.commands.get(" ".join(argv), NotAnswered(Why.MISSING, "not installed"))
            case ReadGlob(pattern=pattern):
                found = [self._file(path) for path in self.files if fnmatch.fnmatch(path, pattern)]
                return FilesRead(tuple(found))
            case ReadFile(path=path) if path in self.files:
                return self._file(path)
        return NotAnswered(Why.MISSING, "not there")

    def _file(self, path: str) -> FileRead:
        return FileRead(path, self.files[path].encode(), path, 0.0)


def ok(out: bytes) -> Ran:
    return Ran(0, out, b"")


def nft(*parts: bytes) -> bytes:
    return b'{"nftables": [' + b",".join(parts) + b"]}"


def box(*rules: bytes) -> Box:
    return Box(
        {
            "ip -j route get 127.0.0.1 uid 33": ok(LOCAL_ROUTE),
            "nft -j list chains": ok(nft(CHAIN)),
            "nft -j -a list ruleset": ok(nft(CHAIN, *rules)),
            "nft -a list chain inet f output": ok(TEXT),
        },
        {
            "/etc/nftables.conf": "table inet f {\n chain output {\n  # tcp dport 8000 drop\n  tcp dport 8000 drop\n }\n}\n"
        },
    )


def judged(host: Box) -> Judgement:
    found = asyncio.run(judge(host, "127.0.0.1", 8000, uid=33, gid=33))
    assert isinstance(found, Judgement)
    return found


def test_a_rule_is_named_with_its_text_and_its_repair() -> None:
    host = box(DROP % (7, 8000), DROP % (8, 9000))
    found = judged(host)
    assert (found.decision.act, found.decision.certain) == (Act.DROP, True)
    assert words(found.decision) == "the rule handle 7 of inet f output: tcp dport 8000 drop"
    assert found.repair is not None
    assert found.repair.complete
    (change,) = found.repair.changes
    assert change.command == ("nft", "delete", "rule", "inet", "f", "output", "handle", "7")
    assert change.undo == ("nft", "insert", "rule", "inet", "f", "output", "position", "8", "tcp dport 8000 drop")


def test_an_innocent_ruleset_is_accepted() -> None:
    found = judged(box(DROP % (8, 9000)))
    assert (found.decision.act, found.decision.certain, found.repair) == (Act.ACCEPT, True, None)
    assert words(found.decision) == "no filter rule ends it"


def test_rules_without_a_base_chain_are_not_listed() -> None:
    host = Box({"nft -j list chains": ok(nft(b'{"chain":{"family":"ip","table":"t","name":"c"}}'))})
    rules = asyncio.run(read_rules(host))
    assert isinstance(rules, Ruleset)
    assert rules.chains == ()
    assert "nft -j -a list ruleset" not in host.asked


def test_missing_rights_are_no_answer() -> None:
    said = Ran(1, b"", b"Operation not permitted (you must be root)\n")
    answer = asyncio.run(read_rules(Box({"nft -j list chains": said})))
    assert isinstance(answer, NotAnswered)
    assert answer.why is Why.DENIED
    assert answer.grant is not None


def test_one_unreadable_part_is_a_gap() -> None:
    said = Ran(4, b"", b"iptables-save v1.8.9 (nf_tables): Permission denied (you must be root)\n")
    host = Box({"nft -j list chains": ok(nft(CHAIN)), "nft -j -a list ruleset": ok(nft(CHAIN)), "iptables-save": said})
    rules = asyncio.run(read_rules(host))
    assert isinstance(rules, Ruleset)
    assert len(rules.gaps) == 1
    assert not decide(rules, Connection("127.0.0.1", 8000)).certain


def test_tables_of_iptables_are_taken_from_its_own_listing() -> None:
    head = b'{"chain":{"family":"ip","table":"filter","name":"OUTPUT","type":"filter","hook":"output","prio":0,"policy":"accept"}}'
    rule = b'{"rule":{"family":"ip","table":"filter","chain":"OUTPUT","handle":3,"expr":[{"xt":{"type":"match","name":"owner"}},{"drop":null}]}}'
    saved = (
        b"# Generated by iptables-save v1.8.9 (nf_tables) on Mon\n*filter\n:INPUT ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n"
        b"-A OUTPUT -m owner --uid-owner 33 -j DROP\nCOMMIT\n"
    )
    commands = {"nft -j list chains": ok(nft(head)), "nft -j -a list ruleset": ok(nft(head, rule))}
    alone = asyncio.run(read_rules(Box(commands)))
    both = asyncio.run(read_rules(Box({**commands, "iptables-save": ok(saved)})))
    assert isinstance(alone, Ruleset)
    assert isinstance(both, Ruleset)
    someone = Connection("127.0.0.1", 8000, uid=0, listener_uid=0)
    assert not decide(alone, someone).certain
    assert (decide(both, someone).act, decide(both, someone).certain) == (Act.ACCEPT, True)
    assert [chain.name for chain in both.chains] == ["OUTPUT"]


# --- repairs --------------------------------------------------------------------------------------------------


def saved(*lines: str, tool: str = "") -> Ruleset:
    printed = "\n".join(["*filter", *lines, "COMMIT"]).encode()
    return Ruleset.of(iptables.read_save(printed, "ip", Source.IPTABLES, tool))


LOCAL = Connection("127.0.0.1", 8000, uid=33, listener_uid=0)


def commands(rules: Ruleset, connection: Connection = LOCAL) -> list[str]:
    repair = plan(rules, connection)
    assert repair.complete
    return [" ".join(change.command) for change in repair.changes]


def test_a_rule_for_this_port_alone_is_taken_away() -> None:
    rules = saved(":OUTPUT ACCEPT [0:0]", "-A OUTPUT -p udp -j DROP", "-A OUTPUT -p tcp -m tcp --dport 8000 -j DROP")
    repair = plan(rules, LOCAL)
    assert commands(rules) == ["iptables -D OUTPUT -p tcp -m tcp --dport 8000 -j DROP"]
    assert repair.changes[0].undo[:4] == ("iptables", "-I", "OUTPUT", "2")


def test_a_rule_that_stands_twice_is_taken_away_twice() -> None:
    rules = saved(":OUTPUT ACCEPT [0:0]", *["-A OUTPUT -p tcp -m tcp --dport 8000 -j DROP"] * 2)
    assert commands(rules) == ["iptables -D OUTPUT -p tcp -m tcp --dport 8000 -j DROP"] * 2


def test_a_broader_rule_stays_and_an_accept_comes_before_it() -> None:
    rules = saved(":OUTPUT ACCEPT [0:0]", "-A OUTPUT -p udp -j DROP", "-A OUTPUT -m owner --uid-owner 33 -j DROP")
    assert commands(rules) == ["iptables -I OUTPUT 2 -d 127.0.0.1 -p tcp --dport 8000 -j ACCEPT"]


def test_a_rule_that_guards_the_port_against_others_stays() -> None:
    rules = saved(":INPUT ACCEPT [0:0]", "-A INPUT -p tcp -m tcp --dport 8000 -j DROP")
    assert commands(rules) == ["iptables -I INPUT 1 -i lo -d 127.0.0.1 -p tcp --dport 8000 -j ACCEPT"]


def test_a_policy_may_need_an_accept_for_the_answer_too() -> None:
    assert commands(saved(":INPUT DROP [0:0]", tool="iptables-legacy")) == [
        "iptables-legacy -I INPUT 1 -i lo -d 127.0.0.1 -p tcp --dport 8000 -j ACCEPT",
        "iptables-legacy -I INPUT 1 -i lo -s 127.0.0.1 -p tcp --sport 8000 -j ACCEPT",
    ]


@pytest.mark.parametrize("name", ["ufw-deny-9001.txt", "ufw-default-deny.txt"])
def test_rules_of_ufw_are_changed_with_ufw(name: str) -> None:
    rules = Ruleset.of(iptables.read_save((RECORDED / name).read_bytes(), "ip", Source.IPTABLES))
    far = Connection("10.77.0.2", 9001, source="10.77.0.1", path=Path.OUTGOING, interface="v0")
    assert commands(rules, far) == ["ufw prepend allow out proto tcp to 10.77.0.2 port 9001"]


def test_what_is_not_certain_is_not_repaired() -> None:
    repair = plan(saved(":OUTPUT ACCEPT [0:0]", "-A OUTPUT -m limit --limit 1/sec -j DROP"), LOCAL)
    assert not repair.changes
    assert not repair.complete


# --- routes ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "way"),
    [
        (b"RTNETLINK answers: Network is unreachable\n", Way.NONE),
        (b"RTNETLINK answers: Invalid argument\n", Way.BLACKHOLE),
        (b"RTNETLINK answers: No route to host\n", Way.UNREACHABLE),
        (b"RTNETLINK answers: Permission denied\n", Way.PROHIBIT),
    ],
)
def test_a_route_that_leads_nowhere_is_told_by_its_errno(said: bytes, way: Way) -> None:
    host = Box({"ip -j route get 10.9.0.1": Ran(2, b"", said)})
    found = asyncio.run(route_to(host, "10.9.0.1"))
    assert not isinstance(found, NotAnswered)
    assert found.way is way


def test_routes_are_read() -> None:
    via = b'[{"dst":"8.8.8.8","gateway":"10.77.0.254","dev":"v0","prefsrc":"10.77.0.1","flags":[],"uid":0,"cache":[]}]'
    link = b'[{"dst":"10.77.0.9","dev":"v0","prefsrc":"10.77.0.1","flags":[],"uid":0,"cache":[]}]'
    host = Box(
        {
            "ip -j route get 8.8.8.8": ok(via),
            "ip -j route get 10.77.0.9": ok(link),
            "ip -j route get 127.0.0.1": ok(LOCAL_ROUTE),
        }
    )
    ways = []
    for address in ("8.8.8.8", "10.77.0.9", "127.0.0.1"):
        found = asyncio.run(route_to(host, address))
        assert not isinstance(found, NotAnswered)
        ways.append((found.way, found.device, found.source, found.gateway, found.path))
    assert ways == [
        (Way.VIA, "v0", "10.77.0.1", "10.77.0.254", Path.OUTGOING),
        (Way.LINK, "v0", "10.77.0.1", "", Path.OUTGOING),
        (Way.LOCAL, "lo", "127.0.0.1", "", Path.LOCAL),
    ]
    assert isinstance(asyncio.run(route_to(host, "not an address")), NotAnswered)


RULES = (
    b'[{"priority":0,"src":"all","table":"local"},{"priority":32765,"src":"all","dst":"10.77.0.9","uid_start":33,'
    b'"uid_end":33,"action":"prohibit"},{"priority":32700,"src":"all","fwmark":"0xca6c","table":"51820"},'
    b'{"priority":32766,"src":"all","table":"main"}]'
)
ROUTES = (
    b'[{"dst":"default","gateway":"10.77.0.254","dev":"v0","flags":[]},{"dst":"10.77.0.0/24","dev":"v0","flags":[]},'
    b'{"type":"blackhole","dst":"10.88.0.0/16","flags":[]},{"dst":"10.88.1.0/24","dev":"v0","flags":[]},'
    b'{"type":"unreachable","dst":"default","table":"51820","flags":[]}]'
)


def test_the_route_or_rule_that_leads_nowhere_is_named() -> None:
    host = Box({"ip -j -4 rule": ok(RULES), "ip -j -4 route show table all": ok(ROUTES)})
    hole = asyncio.run(dead_route(host, "10.88.0.1"))
    assert not isinstance(hole, NotAnswered)
    assert hole is not None
    assert hole.command == ("ip", "-4", "route", "del", "blackhole", "10.88.0.0/16")
    assert hole.undo == ("ip", "-4", "route", "add", "blackhole", "10.88.0.0/16")
    assert asyncio.run(dead_route(host, "10.88.1.1")) is None
    ruled = asyncio.run(dead_route(host, "10.77.0.9", 33))
    assert not isinstance(ruled, NotAnswered)
    assert ruled is not None
    assert ruled.words == "priority 32765 to 10.77.0.9 uidrange 33-33 prohibit"
    assert asyncio.run(dead_route(host, "10.77.0.9", 0)) is None
    marked = asyncio.run(dead_route(host, "10.77.0.9", 0, 0xCA6C))
    assert not isinstance(marked, NotAnswered)
    assert marked is not None
    assert marked.command == ("ip", "-4", "route", "del", "unreachable", "default", "table", "51820")


def test_a_route_that_leads_nowhere_ends_the_question() -> None:
    host = Box({"ip -j route get 10.9.0.1": Ran(2, b"", b"RTNETLINK answers: Network is unreachable\n")})
    found = asyncio.run(judge(host, "10.9.0.1", 80))
    assert isinstance(found, Judgement)
    assert found.route is not None
    assert found.route.way is Way.NONE
    assert not found.decision.certain
    assert "nft -j list chains" not in host.asked


def test_neighbours_and_interfaces_are_read() -> None:
    addr = (
        b'[{"ifname":"lo","flags":["LOOPBACK","UP","LOWER_UP"],"mtu":65536,"addr_info":[{"family":"inet",'
        b'"local":"127.0.0.1","prefixlen":8}]},{"ifname":"v0","flags":["NO-CARRIER","UP"],"mtu":1500,"addr_info":[]}]'
    )
    host = Box(
        {"ip -j neigh show": ok(b'[{"dst":"10.77.0.44","dev":"v0","state":["FAILED"]}]'), "ip -j addr": ok(addr)}
    )
    gone = asyncio.run(neighbour(host, "10.77.0.44"))
    assert not isinstance(gone, NotAnswered)
    assert gone is not None
    assert gone.absent
    assert asyncio.run(neighbour(host, "10.77.0.45")) is None
    faces = asyncio.run(interfaces(host))
    assert not isinstance(faces, NotAnswered)
    assert [(face.name, face.up, face.carrier, face.addresses) for face in faces] == [
        ("lo", True, True, ("127.0.0.1/8",)),
        ("v0", True, False, ()),
    ]


def test_an_empty_listing_of_one_variant_does_not_hide_the_other() -> None:
    legacy = b"# Generated by iptables-save v1.8.9 on Mon\n*filter\n:OUTPUT DROP [0:0]\nCOMMIT\n"
    host = Box({"nft -j list chains": ok(nft()), "iptables-save": ok(b""), "iptables-legacy-save": ok(legacy)})
    rules = asyncio.run(read_rules(host))
    assert isinstance(rules, Ruleset)
    decision = decide(rules, LOCAL)
    assert decision.act is Act.DROP
    assert decision.base is not None
    assert decision.base.tool == "iptables-legacy"


def test_without_nft_nothing_is_surely_accepted() -> None:
    rules = asyncio.run(read_rules(Box({})))
    assert isinstance(rules, Ruleset)
    assert not decide(rules, LOCAL).certain
