"""Every fuzzing target over mutations of real inputs: the same ones at every run."""

from __future__ import annotations

import random

import pytest

from tests.fuzz.targets import TARGETS
from tests.payloads import PAYLOADS

ROUNDS = 400
SEEDS = (
    (
        b"http {\n  upstream app { server 127.0.0.1:8000 max_fails=2; }\n  server { listen 80 default_server; "
        b'server_name ~^(?<n>.+)$; location ~* "\\.php$" { fastcgi_pass unix:/run/php.sock; } } }\n'
    ),
    (
        b"2026/11/22 09:39:10 [error] 5#5: *1 connect() failed (111: Connection refused) while connecting to upstream, "
        b'client: 127.0.0.1, server: shop, request: "GET / HTTP/1.1", upstream: "http://127.0.0.1:8000/", host: "shop"\n'
    ),
    b'$remote_addr [$time_local] "$request" $status\n127.0.0.1 [22/Nov/2026:09:39:10 +0000] "GET / HTTP/1.1" 502\n',
    b'web-1  | {"log":"[CRITICAL] WORKER TIMEOUT (pid:7)\\n","stream":"stderr"}\n> nginx: [emerg] bind() to :80 failed\n',
    b'{"nftables": [{"chain": {"family": "inet", "table": "f", "name": "o", "hook": "output", "policy": "drop"}}]}',
    b"*filter\n:OUTPUT ACCEPT [0:0]\n-A OUTPUT -p tcp -m owner --uid-owner 33 --dport 8000 -j REJECT\nCOMMIT\n",
    (
        b"Start-Date: 2026-11-26  14:39:24\nUpgrade: nginx:amd64 (1.22.1-9, 1.22.1-9+deb12u1)\nEnd-Date: 2026-11-26  14:39:38\n"
        b"2026-11-26 14:39:25 upgrade nginx:amd64 1.22.1-9 1.22.1-9+deb12u1\n"
        b"2026-11-26T14:39:24+0000 SUBDEBUG Upgrade: nginx-1:1.20.1-14.el9.x86_64\n"
    ),
    b'{"MESSAGE":"Main process exited","_PID":"1","UNIT":"a.service","__REALTIME_TIMESTAMP":"1"}\n',
)


def mutations(seed: bytes, dice: random.Random) -> bytes:
    """One input, changed in a few places."""
    data = bytearray(seed)
    for _ in range(dice.randint(1, 6)):
        at = dice.randrange(len(data) + 1)
        match dice.randrange(5):
            case 0:
                data[at:at] = dice.randbytes(dice.randint(1, 8))
            case 1:
                del data[at : at + dice.randint(1, 20)]
            case 2:
                data[at:at] = dice.choice((b"{", b"}", b'"', b"\\", b"\x1b", b"\n", b"(", b"%", b"$", b"\xff"))
            case 3:
                data[at:at] = data[: dice.randint(1, 60)] * dice.randint(1, 4)
            case _:
                data = data[:at] + bytearray(dice.choice(list(PAYLOADS.values()))[:2000])
    return bytes(data)


@pytest.mark.parametrize("name", sorted(TARGETS))
def test_a_target_comes_back_from_anything(name: str) -> None:
    dice = random.Random(name)
    for _ in range(ROUNDS):
        data = mutations(dice.choice(SEEDS), dice)
        try:
            TARGETS[name](data)
        except Exception as error:  # noqa: BLE001 - any exception at all is the failure
            pytest.fail(f"{name} raised {error!r} on {data[:300]!r}")
