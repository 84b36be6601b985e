from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wizard.firewall import iptables, nft
from wizard.firewall.evaluate import decide
from wizard.firewall.packet import Connection, Hook, Path, Span, Stage, packets
from wizard.firewall.rules import Act, Ruleset, Source

LOCAL = Connection("127.0.0.1", 8000, uid=33, gid=33)


def of(*lines: str, family: str = "ip") -> Ruleset:
    printed = "\n".join(["*filter", *lines, "COMMIT"]).encode()
    return Ruleset.of(iptables.read_save(printed, family, Source.IPTABLES))


def chain(hook: str, *rules: object, policy: str = "accept", name: str = "c", priority: int = 0) -> list[object]:
    head = {
        "family": "inet",
        "table": "t",
        "name": name,
        "type": "filter",
        "hook": hook,
        "prio": priority,
        "policy": policy,
    }
    body = [
        {"rule": {"family": "inet", "table": "t", "chain": name, "handle": 10 + index, "expr": rule}}
        for index, rule in enumerate(rules)
    ]
    return [{"chain": head}, *body]


def read(*parts: list[object]) -> Ruleset:
    found = nft.read_ruleset(json.dumps({"nftables": [item for part in parts for item in part]}).encode())
    assert found is not None
    return Ruleset.of(found)


def port(number: int, op: str = "==") -> dict[str, object]:
    return {"match": {"op": op, "left": {"payload": {"protocol": "tcp", "field": "dport"}}, "right": number}}


def test_no_rules_accept_everything() -> None:
    decision = decide(Ruleset.of(()), LOCAL)
    assert (decision.act, decision.certain, decision.seen_as) == (Act.ACCEPT, True, "connected")


def test_a_gap_in_the_rules_leaves_acceptance_open() -> None:
    assert not decide(Ruleset.of((), ["the rules of nft could not be read"]), LOCAL).certain


def test_a_drop_is_found_with_its_rule() -> None:
    decision = decide(read(chain("output", [port(22), {"accept": None}], [port(8000), {"drop": None}])), LOCAL)
    assert (decision.act, decision.certain, decision.hook, decision.stage) == (
        Act.DROP, True, Hook.OUTPUT, Stage.REQUEST,
    )  # fmt: skip
    assert decision.rule is not None
    assert (decision.rule.handle, decision.rule.position) == (11, 2)
    assert decision.seen_as == "timed-out"


def test_an_accept_does_not_bind_later_chains() -> None:
    rules = read(
        chain("output", [{"accept": None}], name="early", priority=-10),
        chain("output", [port(8000), {"drop": None}], name="late", priority=10),
    )
    assert decide(rules, LOCAL).act is Act.DROP


def test_an_unknown_test_that_does_not_matter_leaves_certainty() -> None:
    mark = {"match": {"op": "==", "left": {"ct": {"key": "mark"}}, "right": 1}}
    assert decide(read(chain("output", [mark, {"accept": None}])), LOCAL).certain
    both = decide(read(chain("output", [mark, {"drop": None}], [port(8000), {"drop": None}])), LOCAL)
    assert (both.act, both.certain) == (Act.DROP, True)
    one = decide(read(chain("output", [mark, {"drop": None}])), LOCAL)
    assert (one.act, one.certain) == (Act.DROP, False)
    mixed = decide(read(chain("output", [mark, {"reject": None}], [port(8000), {"drop": None}])), LOCAL)
    assert not mixed.certain


def marking(value: object) -> dict[str, object]:
    return {"mangle": {"key": {"meta": {"key": "mark"}}, "value": value}}


def test_a_mark_that_one_rule_gives_is_what_a_later_one_asks_for() -> None:
    marked = {"match": {"op": "==", "left": {"meta": {"key": "mark"}}, "right": 66}}
    unmarked = decide(read(chain("output", [marked, {"drop": None}])), LOCAL)
    assert (unmarked.act, unmarked.certain, unmarked.mark) == (Act.ACCEPT, True, 0)
    given = decide(read(chain("output", [port(8000), marking(66)], [marked, {"drop": None}])), LOCAL)
    assert (given.act, given.certain) == (Act.DROP, True)
    other = decide(read(chain("output", [port(22), marking(66)], [marked, {"drop": None}])), LOCAL)
    assert other.act is Act.ACCEPT
    computed = decide(read(chain("output", [port(8000), marking({"|": [1, 2]})], [marked, {"drop": None}])), LOCAL)
    assert (computed.act, computed.certain) == (Act.DROP, False)
    passed = decide(read(chain("output", [port(8000), marking(66)])), LOCAL)
    assert (passed.act, passed.mark) == (Act.ACCEPT, 66)


def test_a_queue_decides_elsewhere() -> None:
    decision = decide(read(chain("output", [port(8000), {"queue": {"num": 0}}])), LOCAL)
    assert (decision.act, decision.certain) == (Act.HAND_OVER, False)


def test_a_policy_is_no_rule() -> None:
    decision = decide(of(":INPUT DROP [0:0]", ":OUTPUT ACCEPT [0:0]"), LOCAL)
    assert (decision.act, decision.rule, decision.hook) == (Act.DROP, None, Hook.INPUT)


def test_the_answer_may_be_what_is_dropped() -> None:
    decision = decide(of(":INPUT ACCEPT [0:0]", "-A INPUT -p tcp -m tcp --sport 8000 -j REJECT"), LOCAL)
    assert (decision.stage, decision.seen_as) == (Stage.REPLY, "timed-out")


def test_only_the_user_of_a_rule_is_bound_by_it() -> None:
    rules = of(":OUTPUT ACCEPT [0:0]", "-A OUTPUT -p tcp -m tcp --dport 8000 -m owner --uid-owner 33 -j DROP")
    assert decide(rules, LOCAL).act is Act.DROP
    assert decide(rules, Connection("127.0.0.1", 8000, uid=0)).act is Act.ACCEPT
    assert not decide(rules, Connection("127.0.0.1", 8000)).certain


def test_an_outgoing_connection_sees_input_only_for_its_answer() -> None:
    out = Connection("10.0.0.9", 8000, source="10.0.0.1", path=Path.OUTGOING, interface="eth0")
    rules = of(":INPUT DROP [0:0]", "-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT")
    assert decide(rules, out).act is Act.ACCEPT
    assert decide(of(":INPUT DROP [0:0]"), out).stage is Stage.REPLY
    loopback_only = of(":OUTPUT DROP [0:0]", "-A OUTPUT -o lo -j ACCEPT")
    assert decide(loopback_only, out).act is Act.DROP
    assert decide(loopback_only, LOCAL).act is Act.ACCEPT


def test_incoming_and_forwarded_connections_see_their_hooks() -> None:
    inward = Connection("10.0.0.1", 80, path=Path.INCOMING, interface="eth0")
    assert (
        decide(of(":INPUT DROP [0:0]", "-A INPUT -i eth0 -p tcp -m tcp --dport 443 -j ACCEPT"), inward).act is Act.DROP
    )
    onward = Connection("172.17.0.2", 80, path=Path.FORWARDED, interface="eth0", onward="docker0")
    blocked = decide(of(":FORWARD DROP [0:0]", "-A FORWARD -o docker0 -j ACCEPT"), onward)
    assert (blocked.hook, blocked.stage) == (Hook.FORWARD, Stage.REPLY)
    assert decide(
        of(":FORWARD DROP [0:0]", "-A FORWARD -o docker0 -j ACCEPT", "-A FORWARD -i docker0 -j ACCEPT"), onward
    ).act is (Act.ACCEPT)


def test_a_translation_changes_what_later_rules_see() -> None:
    printed = (
        b"*nat\n:OUTPUT ACCEPT [0:0]\n-A OUTPUT -p tcp -m tcp --dport 8000 -j DNAT --to-destination 127.0.0.2:8001\nCOMMIT\n"
        b"*filter\n:OUTPUT ACCEPT [0:0]\n-A OUTPUT -p tcp -m tcp --dport 8001 -j DROP\nCOMMIT\n"
    )
    decision = decide(Ruleset.of(iptables.read_save(printed, "ip", Source.IPTABLES)), LOCAL)
    assert (decision.act, decision.translated) == (Act.DROP, "127.0.0.2:8001")


def test_families_do_not_mix() -> None:
    six = Connection("::1", 8000)
    assert decide(of(":OUTPUT DROP [0:0]"), six).act is Act.ACCEPT
    assert decide(of(":OUTPUT DROP [0:0]", family="ip6"), six).act is Act.DROP
    only = {"match": {"op": "==", "left": {"payload": {"protocol": "ip", "field": "daddr"}}, "right": "127.0.0.1"}}
    assert decide(read(chain("output", [only, {"drop": None}])), six).act is Act.ACCEPT


@pytest.mark.parametrize(
    ("kind", "errno"),
    [
        ("icmp-port-unreachable", "ECONNREFUSED"),
        ("tcp-reset", "ECONNREFUSED"),
        ("icmp-admin-prohibited", "EHOSTUNREACH"),
        ("icmp-host-prohibited", "EHOSTUNREACH"),
        ("icmp-net-unreachable", "ENETUNREACH"),
    ],
)
def test_a_rejection_is_seen_as_its_errno(kind: str, errno: str) -> None:
    rules = of(":OUTPUT ACCEPT [0:0]", f"-A OUTPUT -p tcp -m tcp --dport 8000 -j REJECT --reject-with {kind}")
    assert decide(rules, LOCAL).seen_as == errno


def test_chains_that_call_each_other_many_times_take_no_long_time() -> None:
    lines = [":OUTPUT ACCEPT [0:0]", *(f":u{level} - [0:0]" for level in range(15)), "-A OUTPUT -j u0"]
    lines += [f"-A u{level} -j u{level + 1}" for level in range(14) for _ in range(20)]
    assert decide(of(*lines), LOCAL).act is Act.ACCEPT


def test_a_circle_of_chains_ends() -> None:
    lines = (":OUTPUT ACCEPT [0:0]", ":a - [0:0]", ":b - [0:0]", "-A OUTPUT -j a", "-A a -j b", "-A b -j a")
    assert decide(of(*lines), LOCAL).act is Act.ACCEPT


def test_the_hooks_of_a_local_connection_are_in_order() -> None:
    seen = [(packet.stage, packet.hook) for packet in packets(LOCAL)]
    assert seen[:6] == [
        (Stage.REQUEST, Hook.OUTPUT),
        (Stage.REQUEST, Hook.POSTROUTING),
        (Stage.REQUEST, Hook.EGRESS),
        (Stage.REQUEST, Hook.INGRESS),
        (Stage.REQUEST, Hook.PREROUTING),
        (Stage.REQUEST, Hook.INPUT),
    ]


@given(st.integers(0, 100), st.integers(0, 100), st.integers(0, 100), st.integers(0, 100))
def test_a_span_lies_within_bounds_or_not_or_it_depends(a: int, b: int, c: int, d: int) -> None:
    span, low, high = Span(min(a, b), max(a, b)), min(c, d), max(c, d)
    members = {low <= number <= high for number in range(span.low, span.high + 1)}
    assert span.within(low, high) is (members.pop() if len(members) == 1 else None)
