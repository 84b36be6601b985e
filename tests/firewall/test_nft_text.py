from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wizard.firewall import nft, nft_text
from wizard.firewall.packet import Connection, packets
from wizard.firewall.rules import Act, Chain, Rule

RECORDED = Path(__file__).parent / "recorded"
JSON = (RECORDED / "nft-1.0.6-every-form.json").read_bytes()
TEXT = (RECORDED / "nft-1.0.6-every-form.txt").read_bytes()
CONNECTIONS = (
    Connection("127.0.0.1", 8000, uid=33, gid=33),
    Connection("::1", 8002, uid=0, gid=0),
    Connection("10.1.2.3", 9, uid=1500, gid=0),
)
PACKETS = [packet for connection in CONNECTIONS for packet in packets(connection)]
# Rules whose statement the text reader leaves open; what it says of them may only be less.
LEFT_OPEN = {13, 15, 21, 23, 24, 26, 28, 32, 33, 34, 49, 53, 58, 65, 66, 72, 76, 79, 81}


def heads() -> bytes:
    listed = json.loads(JSON)["nftables"]
    return json.dumps({"nftables": [one for one in listed if "rule" not in one and "set" not in one]}).encode()


def rules_of(chains: tuple[Chain, ...] | None) -> dict[tuple[str, str, int | None], Rule]:
    assert chains is not None
    return {(one.table, one.chain, one.handle): one for chain in chains for one in chain.rules}


BY_JSON = rules_of(nft.read_ruleset(JSON))
BY_TEXT = rules_of(nft.read_listing(heads(), TEXT))


def test_every_rule_of_the_listing_is_there() -> None:
    assert BY_TEXT.keys() == BY_JSON.keys()


@pytest.mark.parametrize("key", [key for key in BY_JSON if key[0] == "filter"])
def test_a_rule_says_the_same_in_both_languages_or_leaves_it_open(key: tuple[str, str, int | None]) -> None:
    one, other = BY_TEXT[key], BY_JSON[key]
    said = [(one.matches(packet), other.matches(packet)) for packet in PACKETS]
    if key[2] in LEFT_OPEN:
        assert all(text is None or text == json_ for text, json_ in said), one.text
        assert one.verdict.act in {other.verdict.act, Act.HAND_OVER}
    else:
        assert all(text == json_ for text, json_ in said), one.text
        assert (one.verdict, one.comment) == (other.verdict, other.comment)


def test_addresses_that_are_translated_are_left_open() -> None:
    assert BY_TEXT["nat", "out", 5].verdict.act is Act.HAND_OVER
    assert BY_TEXT["nat", "post", 7].verdict.act is Act.NOTHING


def test_a_rule_keeps_its_text() -> None:
    assert BY_TEXT["filter", "output", 45].text == "ip6 daddr ::1 tcp dport 8000-8010 drop"


def test_a_set_is_read_over_several_lines() -> None:
    listed = b"""table inet f {
\tset bad { # handle 2
\t\ttype ipv4_addr
\t\tflags interval,timeout
\t\telements = { 10.0.0.1 timeout 1h expires 59m, 10.0.1.0/24,
\t\t\t     10.0.2.1-10.0.2.9 }
\t}
\tchain c { # handle 1
\t\ttype filter hook input priority 0; policy accept;
\t\ttcp dport { 22, 80,
\t\t\t     443 } accept # handle 3
\t}
}
"""
    found = list(nft_text.objects(listed))
    assert found[0]["set"]["elem"] == [
        "10.0.0.1",
        {"prefix": {"addr": "10.0.1.0", "len": 24}},
        {"range": ["10.0.2.1", "10.0.2.9"]},
    ]
    assert found[1]["rule"]["expr"][0]["match"]["right"] == {"set": [22, 80, 443]}


@given(
    st.lists(
        st.sampled_from([*TEXT.split(b"\n"), b"}", b"{", b"\xff", b'drop comment "', b"limit", b"log"]), max_size=30
    )
)
def test_no_listing_raises(lines: list[bytes]) -> None:
    for chain in nft.read_listing(heads(), b"\n".join(lines)) or ():
        for rule in chain.rules:
            assert rule.matches(PACKETS[0]) in {True, False, None}
