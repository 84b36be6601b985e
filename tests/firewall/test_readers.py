from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wizard.firewall import iptables, nft
from wizard.firewall.evaluate import decide
from wizard.firewall.packet import Connection, Packet, packets
from wizard.firewall.read import text_of
from wizard.firewall.rules import Act, Rule, Ruleset, Source

RECORDED = Path(__file__).parent / "recorded"
LISTED = (RECORDED / "nft-1.0.6-every-form.json").read_bytes()
TEXT = (RECORDED / "nft-1.0.6-every-form.txt").read_text()

CONNECTION = Connection("127.0.0.1", 8000, uid=33, gid=33)
FIRST: Packet = packets(CONNECTION)[0]


def rule(handle: int, name: str = "output") -> Rule:
    chains = nft.read_ruleset(LISTED)
    assert chains is not None
    return next(
        r for c in chains if c.name == name and c.table in ("filter", "nat") for r in c.rules if r.handle == handle
    )


@pytest.mark.parametrize(
    ("handle", "matches"),
    [
        (16, True),  # meta skuid 33 tcp dport 8000
        (18, True),  # meta skuid { 33, 1000-2000 }
        (19, False),  # meta skgid != 0 tcp dport 9
        (20, True),  # tcp dport @ports ip daddr @hosts
        (21, True),  # ip daddr . tcp dport @pairs
        (23, False),  # ip daddr . tcp dport { 127.0.0.1 . 1-5 }
        (29, False),  # ct state established,related
        (30, False),  # ct state != new
        (31, True),  # ct state new,untracked
        (32, True),  # tcp flags syn / fin,syn,rst,ack
        (33, True),  # tcp flags syn / syn,ack
        (34, True),  # tcp flags syn
        (35, True),  # oifname "lo"
        (36, True),  # oif "lo"
        (38, True),  # oifname { "eth*", "lo" }
        (39, False),  # iifname "wg*"
        (41, False),  # meta l4proto { tcp, udp } th dport 53
        (42, True),  # meta l4proto tcp
        (43, True),  # ip protocol tcp
        (45, False),  # ip6 daddr ::1
        (46, False),  # ip6 nexthdr tcp
        (47, None),  # limit rate
        (49, None),  # numgen random
        (50, False),  # meta mark: a packet begins without one
        (52, None),  # ct mark
        (53, True),  # fib daddr type local
        (54, False),  # ip saddr 10.0.0.0/8
        (58, None),  # ct count over 2
        (59, True),  # th dport 8000
        (61, True),  # tcp dport != { 22, 80 }
        (62, False),  # tcp dport >= 1024 tcp dport < 2000
        (63, True),  # meta nfproto ipv4 meta protocol ip
        (64, True),  # ip version 4
        (66, None),  # update @dyn { ip saddr limit rate over 5/second }
        (69, None),  # ip ttl 5
        (72, None),  # tcp option maxseg
        (77, True),  # ct direction original
        (79, False),  # ip frag-off & 8191 != 0
        (80, False),  # meta iiftype loopback, where no interface is
        (82, False),  # icmp type
        (83, False),  # udp dport 53
    ],
)
def test_a_listed_rule_matches_as_the_kernel_would(handle: int, matches: bool | None) -> None:
    found = rule(handle)
    assert found.matches(FIRST) is matches, text_of(TEXT.partition("chain output")[2], handle)


def test_chains_and_their_hooks_are_read() -> None:
    chains = {(c.family, c.table, c.name): c for c in nft.read_ruleset(LISTED) or ()}
    output = chains["inet", "filter", "output"]
    assert (output.hook, output.kind, output.priority, output.policy.act) == ("output", "filter", 0, Act.ACCEPT)
    assert chains["ip", "nat", "out"].priority == -100
    assert chains["inet", "filter", "extra"].hook == ""
    assert rule(16).comment == "no web"
    assert rule(16).exact == {"uid", "dport"}


def test_what_a_rule_does_is_read() -> None:
    assert rule(42).verdict.reject_with == "tcp-reset"
    assert rule(43).verdict.reject_with == "admin-prohibited"
    assert rule(19).verdict.reject_with == "port-unreachable"
    assert (rule(4, "out").verdict.act, rule(4, "out").verdict.port) == (Act.TRANSLATE, 8080)
    assert rule(5, "out").verdict.address == "127.0.0.1"
    assert rule(6, "out").verdict.act is Act.HAND_OVER
    assert [verdict.act for _, verdict in rule(24).choices] == [Act.ACCEPT, Act.DROP]


def test_the_text_of_a_rule_is_found_by_its_handle() -> None:
    output = TEXT.partition("chain output")[2]
    assert text_of(output, 16) == 'meta skuid 33 tcp dport 8000 counter packets 0 bytes 0 drop comment "no web"'
    assert text_of(output, 999) == ""


def test_ufw_is_read_through_its_chains() -> None:
    far = Connection("10.77.0.2", 9001, source="10.77.0.1", path=CONNECTION.path.OUTGOING, interface="v0")
    for name, chain in (("ufw-deny-9001.txt", "ufw-user-output"), ("ufw-default-deny.txt", "OUTPUT")):
        rules = Ruleset.of(iptables.read_save((RECORDED / name).read_bytes(), "ip", Source.IPTABLES))
        decision = decide(rules, far)
        assert decision.ending is not None
        assert (decision.act, decision.ending.chain.name, decision.certain) == (Act.DROP, chain, True)
        assert decide(rules, CONNECTION).act is Act.ACCEPT


@pytest.mark.parametrize(
    ("spec", "matches"),
    [
        ("-d 127.0.0.1/32 -p tcp -m tcp --dport 8000", True),
        ("! -d 127.0.0.1/32 -p tcp", False),
        ("-p tcp -m multiport --dports 80,443,8000:8010", True),
        ("-p tcp -m multiport ! --dports 80,443", True),
        ("-p tcp -m multiport --ports 8000", True),
        ("-p udp -m udp --dport 8000", False),
        ("-p all", True),
        ("-o lo", True),
        ("-o l+", True),
        ("-o eth0", False),
        ("-m conntrack --ctstate NEW", True),
        ("-m state --state ESTABLISHED,RELATED", False),
        ("-p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN", True),
        ("-p tcp -m tcp ! --tcp-flags FIN,SYN,RST,ACK SYN", False),
        ("-m owner --uid-owner 33", True),
        ("-m owner --uid-owner 30-40", True),
        ("-m owner ! --uid-owner 33", False),
        ("-m owner --gid-owner 0", False),
        ("-m addrtype --dst-type LOCAL", True),
        ("-m addrtype ! --dst-type LOCAL", False),
        ("-m iprange --dst-range 127.0.0.1-127.0.0.9", True),
        ('-m comment --comment "it \\"is\\" -j DROP"', True),
        ("-m limit --limit 5/min --limit-burst 3", None),
        ("-m set --match-set bad dst", None),
        ("-m statistic --mode random --probability 0.5", None),
        ("-m unheard --of this", None),
        ("-m set --match-set bad dst -p udp", False),
        ("-f", False),
    ],
)
def test_a_saved_rule_matches_as_the_kernel_would(spec: str, matches: bool | None) -> None:
    printed = f"*filter\n:OUTPUT ACCEPT [0:0]\n[3:180] -A OUTPUT {spec} -j DROP\nCOMMIT\n".encode()
    (chain,) = iptables.read_save(printed, "ip", Source.IPTABLES)
    (found,) = chain.rules
    assert found.matches(FIRST) is matches
    assert found.verdict.act is Act.DROP
    assert found.text == f"{spec} -j DROP"


def test_the_variant_behind_a_listing_is_told() -> None:
    assert iptables.is_of_nf_tables(b"# Generated by iptables-save v1.8.9 (nf_tables) on Mon\n*filter\n")
    assert not iptables.is_of_nf_tables(b"# Generated by iptables-save v1.8.9 on Mon\n*filter\n")


def test_what_is_cut_off_is_no_ruleset() -> None:
    assert nft.read_ruleset(LISTED[:-10]) is None
    assert nft.read_ruleset(b"[]") is None
    assert nft.read_ruleset(b"[" * 200_000) is None


ATOMS = st.one_of(st.none(), st.booleans(), st.integers(-5, 2**33), st.text(max_size=12), st.sampled_from(["@x", "lo"]))
NAMES = st.sampled_from([
    "match", "op", "left", "right", "payload", "meta", "key", "protocol", "field", "set", "range", "prefix", "addr",
    "len", "concat", "vmap", "data", "elem", "val", "&", "reject", "jump", "target", "dnat", "fib", "flags", "result",
    "ct", "limit", "xt", "type", "name", "drop", "accept",
])  # fmt: skip
JSON = st.recursive(
    ATOMS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=3), max_leaves=12
)


@given(st.lists(JSON, max_size=4), JSON)
def test_no_expression_makes_the_reader_fail(expressions: list[object], element: object) -> None:
    listing = [
        {"set": {"family": "inet", "table": "t", "name": "x", "elem": [element]}},
        {"chain": {"family": "inet", "table": "t", "name": "c", "type": "filter", "hook": "output", "prio": 0}},
        {"rule": {"family": "inet", "table": "t", "chain": "c", "handle": 1, "expr": expressions}},
    ]
    chains = nft.read_ruleset(json.dumps({"nftables": listing}).encode())
    assert chains is not None
    assert decide(Ruleset.of(chains), CONNECTION).act in Act


@given(st.lists(JSON, max_size=5))
def test_no_ruleset_makes_the_reader_fail(objects: list[object]) -> None:
    assert nft.read_ruleset(json.dumps({"nftables": objects}).encode()) is not None


WORDS = st.sampled_from([
    "-A", "OUTPUT", "-p", "tcp", "!", "--dport", "8000", "8000:", ":", "-m", "multiport", "--dports", "80,x", "-d",
    "127.0.0.1/33", "::1", "-j", "DROP", "-g", "u", "--tcp-flags", "SYN", "--uid-owner", "x-y", '"a', "--invert",
    "--reject-with", "REJECT", "DNAT", "--to-destination", "1.2.3.4:99999", "--to-ports", "*filter", ":OUTPUT", "COMMIT",
])  # fmt: skip


@given(st.lists(st.lists(WORDS, max_size=8), max_size=8))
def test_no_saved_rules_make_the_reader_fail(lines: list[list[str]]) -> None:
    printed = "\n".join(["*filter", ":OUTPUT ACCEPT [0:0]", *(" ".join(line) for line in lines)]).encode()
    chains = iptables.read_save(printed, "ip", Source.IPTABLES)
    assert decide(Ruleset.of(chains), CONNECTION).act in Act


@given(st.binary(max_size=300))
def test_no_bytes_make_the_readers_fail(printed: bytes) -> None:
    assert isinstance(iptables.read_save(b"*filter\n" + printed, "ip", Source.IPTABLES), tuple)
    assert nft.read_ruleset(printed) is None or printed
