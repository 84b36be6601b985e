"""The certain decisions agree with what connect(2) does under really loaded rules."""

from __future__ import annotations

import random

import pytest

from tests.firewall.namespace import Case, Seen, needs_namespaces, run
from wizard.firewall.evaluate import decide
from wizard.firewall.packet import Connection

pytestmark = [pytest.mark.lab, needs_namespaces]

TRIES = (
    ("127.0.0.1", 8000, 0),
    ("127.0.0.1", 8000, 33),
    ("127.0.0.1", 8001, 0),
    ("127.0.0.2", 8002, 33),
    ("::1", 8000, 0),
    ("::1", 8001, 33),
)


def nft(*rules: str, hook: str = "output", policy: str = "accept", before: str = "") -> str:
    body = "\n".join(rules)
    chain = f"chain c {{\n type filter hook {hook} priority 0; policy {policy};\n{body}\n}}"
    return f"nft -f - <<'E'\ntable inet t {{\n{before}\n{chain}\n}}\nE\n"


EXACT = [
    (nft(), "connected"),
    (nft("tcp dport 8000 drop"), "timed-out"),
    (nft("tcp dport 8000 reject"), "ECONNREFUSED"),
    (nft("tcp dport 8000 reject with tcp reset"), "ECONNREFUSED"),
    (nft("tcp dport 8000 reject with icmpx type admin-prohibited"), "EHOSTUNREACH"),
    (nft("tcp dport 8000 reject with icmpx type no-route"), "ENETUNREACH"),
    (nft("tcp dport 8000 drop", hook="input"), "timed-out"),
    (nft("tcp dport 8000 reject with tcp reset", hook="input"), "ECONNREFUSED"),
    (nft("tcp sport 8000 drop", hook="input"), "timed-out"),
    (nft("tcp sport 8000 drop", hook="prerouting"), "timed-out"),
    (nft("tcp sport 8000 drop", hook="postrouting"), "timed-out"),
    (nft(hook="input", policy="drop"), "timed-out"),
    (nft('iifname "lo" accept', hook="input", policy="drop"), "connected"),
    (nft("tcp dport 8000 accept", hook="input", policy="drop"), "timed-out"),
    (nft("tcp dport 8000 accept", "ct state established accept", hook="input", policy="drop"), "connected"),
    (nft("ip daddr 127.0.0.0/8 tcp dport 7999-8001 drop"), "timed-out"),
    (nft("ip daddr . tcp dport { 127.0.0.1 . 8000 } drop"), "timed-out"),
    (nft("tcp dport vmap { 22 : accept, 8000 : jump j }", before="chain j { reject with tcp reset; }"), "ECONNREFUSED"),
    (nft("goto j", "tcp dport 8000 drop", before="chain j {\n return\n}"), "connected"),
    (nft("jump j", "tcp dport 8000 drop", before="chain j {\n return\n}"), "timed-out"),
    (nft("tcp flags syn / fin,syn,rst,ack tcp dport 8000 drop"), "timed-out"),
    (nft("tcp flags & (syn|ack) == syn|ack drop", hook="input"), "timed-out"),
    (nft("fib daddr type local drop"), "timed-out"),
    (nft("fib saddr . iif oif missing drop", hook="prerouting"), "connected"),
    (nft("ip frag-off & 0x1fff != 0 drop"), "connected"),
    (nft("meta skuid 0 ct state new tcp dport 8000 drop", hook="input"), "connected"),
    (nft('iifname != "lo" drop'), "timed-out"),
    (nft("meta nfproto ipv6 reject"), "connected"),
    (nft("tcp dport 8000 drop", before="chain early {\n type filter hook output priority -10; accept\n}"), "timed-out"),
    ("iptables -A OUTPUT -p tcp --dport 8000 -j DROP", "timed-out"),
    ("iptables -A OUTPUT -p tcp --dport 8000 -j REJECT", "ECONNREFUSED"),
    ("iptables -A INPUT -p tcp --dport 8000 -j REJECT --reject-with icmp-host-prohibited", "EHOSTUNREACH"),
    ("iptables -A INPUT -p tcp --dport 8000 -j REJECT --reject-with icmp-net-unreachable", "ENETUNREACH"),
    ("iptables-legacy -A INPUT -p tcp --dport 8000 -j REJECT --reject-with tcp-reset", "ECONNREFUSED"),
    ("iptables-legacy -A OUTPUT -m owner --uid-owner 0 -j DROP", "timed-out"),
    ("iptables -P INPUT DROP; iptables -A INPUT -i lo -j ACCEPT", "connected"),
    ("iptables -N x; iptables -A x -p tcp -m multiport --ports 7000:7100,8000 -j DROP; iptables -A OUTPUT -j x", "timed-out"),
    ("iptables -t nat -A OUTPUT -p tcp --dport 8000 -j REDIRECT --to-ports 8001; iptables -A INPUT -p tcp --dport 8001 -j DROP",
     "timed-out"),
    (("iptables -t nat -A OUTPUT -p tcp --dport 8000 -j DNAT --to-destination 127.0.0.2:8002; "
     "iptables -A OUTPUT -p tcp --dport 8000 -j DROP"), "connected"),
    ("iptables -t raw -A PREROUTING -m rpfilter --invert -j DROP", "connected"),
    ("iptables -A OUTPUT -m addrtype --dst-type LOCAL -p tcp ! --syn -j DROP", "timed-out"),
    ("iptables -A OUTPUT -p tcp --sport 32768:60999 ! --syn -j DROP", "connected"),
]  # fmt: skip


def connection(address: str, port: int, uid: int) -> Connection:
    return Connection(address, port, uid=uid, gid=0, listener_uid=0, listener_gid=0)


def test_each_form_of_rule_is_seen_as_connect_sees_it() -> None:
    results = run([Case(load, seconds=0.3 if seen == "timed-out" else 1.5) for load, seen in EXACT])
    told = []
    for (load, expected), result in zip(EXACT, results, strict=True):
        assert result.loaded, (load, result.said)
        decision = decide(result.rules, connection("127.0.0.1", 8000, 0))
        told.append((load, expected, result.seen[0], decision.seen_as, decision.certain))
    assert told == [(load, expected, expected, expected, True) for load, expected, *_ in told]


# --- random rulesets ------------------------------------------------------------------------------------------

_ENDS = ("accept", "accept", "drop", "drop", "reject", "reject with tcp reset", "return", "counter", "jump u", "goto u")


def random_test(dice: random.Random, hook: str) -> str:
    port = dice.choice((8000, 8001, 8002))
    tests = [
        f"tcp dport {port}",
        f"tcp dport != {port}",
        f"tcp sport {port}",
        "tcp sport < 1024",
        f"tcp dport {{ {port}, 22 }}",
        f"tcp dport {port}-{port + 1}",
        "tcp dport @ports",
        "ip daddr 127.0.0.1",
        "ip daddr 127.0.0.2",
        "ip daddr != 127.0.0.1",
        "ip saddr 127.0.0.0/8",
        "ip daddr @hosts",
        "ip6 daddr ::1",
        f"ip daddr . tcp dport {{ 127.0.0.1 . {port} }}",
        "ip daddr . tcp dport @pairs",
        "ct state new",
        "ct state established,related",
        "ct state != new",
        "ct direction reply",
        "meta nfproto ipv4",
        "meta nfproto ipv6",
        "meta l4proto tcp",
        "meta l4proto { tcp, udp }",
        "ip protocol tcp",
        "udp dport 8000",
        "tcp flags syn",
        "tcp flags & (fin|syn|rst|ack) == syn",
        "tcp flags & (syn|ack) == (syn|ack)",
        "limit rate 1/day",
        "numgen inc mod 2 == 0",
        "meta mark 1",
        "fib daddr type local",
        "ip ttl 64",
        'iifname "lo"',
        'iifname != "lo"',
        'oifname "lo"',
        'oifname "eth*"',
        "oif lo" if hook in ("output", "postrouting") else "iif lo",
    ]
    if hook in ("output", "postrouting"):
        tests += ["meta skuid 33", "meta skuid 0", "meta skuid != 0", "meta skuid { 33, 1000-2000 }", "meta skgid 0"]
    return dice.choice(tests)


def random_rule(dice: random.Random, hook: str, *, user_chain: bool = False) -> str:
    if dice.random() < 0.15:
        port = dice.choice((8000, 8001, 8002))
        return f"tcp dport vmap {{ {port} : {dice.choice(('drop', 'accept', 'return'))}, 22 : accept }}"
    ends = [end for end in _ENDS if not (user_chain and end.endswith(" u"))]
    end = dice.choice(ends)
    if end.startswith("reject") and hook in ("postrouting", "prerouting"):
        end = "drop"
    if end == "reject with tcp reset":
        end = "meta l4proto tcp reject with tcp reset"
    tests = [random_test(dice, hook) for _ in range(dice.choice((1, 1, 2)))]
    if "tcp reset" in end:  # nft 1.0.6 leaves a test of the family out of what it lists before such a rejection
        tests = [test for test in tests if "nfproto" not in test]
    return " ".join([*tests, end])


def random_nft(dice: random.Random) -> str:
    lines = [
        "set ports { type inet_service; flags interval; elements = { 22, 8001-8002 } }",
        "set hosts { type ipv4_addr; flags interval; elements = { 127.0.0.2, 10.0.0.0/8 } }",
        "set pairs { type ipv4_addr . inet_service; elements = { 127.0.0.2 . 8002, 127.0.0.1 . 8001 } }",
    ]
    hook = dice.choice(("output", "input"))
    lines.append("chain u {\n" + "\n".join(random_rule(dice, hook, user_chain=True) for _ in range(2)) + "\n}")
    for index in range(dice.choice((1, 1, 2))):
        where = hook if index == 0 else dice.choice(("output", "input", "prerouting", "postrouting"))
        rules = [random_rule(dice, where, user_chain=where != hook) for _ in range(dice.choice((1, 2, 3, 4)))]
        policy = dice.choice(("accept", "accept", "accept", "drop"))
        lines.append(
            f"chain b{index} {{\ntype filter hook {where} priority {dice.choice((-10, 0, 10))}; policy {policy};\n"
            + "\n".join(rules)
            + "\n}"
        )
    return "nft -f - <<'E'\ntable inet t {\n" + "\n".join(lines) + "\n}\nE\n"


def random_iptables(dice: random.Random) -> str:
    tool = dice.choice(("iptables", "iptables", "iptables-legacy"))
    chain = dice.choice(("OUTPUT", "INPUT"))
    lines = [f"{tool} -N u"]
    for _ in range(dice.choice((2, 3, 5))):
        port = dice.choice((8000, 8001, 8002))
        tests = [
            f"-p tcp --dport {port}",
            f"-p tcp ! --dport {port}",
            f"-p tcp --sport {port}",
            f"-p tcp -m multiport --dports {port},22",
            f"-p tcp --dport 8001:{port + 2}",
            "-d 127.0.0.1",
            "! -d 127.0.0.1",
            "-s 127.0.0.0/8",
            "-m iprange --dst-range 127.0.0.2-127.0.0.9",
            "-m conntrack --ctstate NEW",
            "-m conntrack --ctstate ESTABLISHED,RELATED",
            "-p tcp --syn",
            "-p tcp ! --syn",
            "-p tcp --tcp-flags SYN,ACK SYN,ACK",
            "-m limit --limit 1/min",
            "-m addrtype --dst-type LOCAL",
            "-p udp --dport 8000",
            "-o lo" if chain == "OUTPUT" else "-i lo",
            "-o eth+" if chain == "OUTPUT" else "! -i lo",
        ]
        if chain == "OUTPUT":
            tests += ["-m owner --uid-owner 33", "-m owner ! --uid-owner 0", "-m owner --gid-owner 0"]
        to = dice.choice(("ACCEPT", "DROP", "REJECT", "RETURN", "LOG", "u"))
        where = "u" if to != "u" and dice.random() < 0.4 else chain
        lines.append(f"{tool} -A {where} {dice.choice(tests)} -j {to}")
    if dice.random() < 0.2:
        lines.append(f"{tool} -P {chain} DROP")
    return "\n".join(lines)


def disagreements(case: Case, result: Seen) -> list[str]:
    found = []
    for (address, port, uid), seen in zip(case.tries, result.seen, strict=True):
        decision = decide(result.rules, connection(address, port, uid))
        lost = decision.seen_as == "reset" and seen in {"connected", "ECONNRESET", "ECONNREFUSED"}
        if decision.certain and not lost and (decision.seen_as == "connected") != (seen == "connected"):
            found.append(f"{address}:{port} as {uid}: {seen}, not {decision.seen_as}\n{case.load}")
    return found


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2))
def test_certain_decisions_about_random_rules_hold(seed: int) -> None:
    dice = random.Random(seed)
    cases = [Case(random_nft(dice), TRIES, 0.12) for _ in range(60)]
    cases += [Case(random_iptables(dice), TRIES, 0.12) for _ in range(40)]
    results = run(cases)
    loaded = [(case, result) for case, result in zip(cases, results, strict=True) if result.loaded]
    assert len(loaded) > 80
    assert [told for case, result in loaded for told in disagreements(case, result)] == []
    certain = [decide(r.rules, connection(*one)).certain for c, r in loaded for one in c.tries]
    assert sum(certain) > len(certain) * 0.6
