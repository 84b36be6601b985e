"""Run inside a network namespace of its own: load rulesets, connect over loopback, tell what happened.

Reads a JSON list of cases from standard input (`load`: lines for a shell, `tries`: address, port, uid) and writes for
each what the tools list and what connect(2) did.
"""

from __future__ import annotations

import errno
import json
import os
import select
import socket
import subprocess
import sys
import time

PORTS = (8000, 8001, 8002)
ADDRESSES = ("127.0.0.1", "127.0.0.2", "::1")
LEGACY = """for table in filter nat; do iptables-legacy -t $table -F; iptables-legacy -t $table -X; done
iptables-legacy -P INPUT ACCEPT
iptables-legacy -P OUTPUT ACCEPT"""


def main() -> None:
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    listeners = [_listen(address, port) for address in ADDRESSES for port in PORTS]
    results = []
    for case in json.load(sys.stdin):
        subprocess.run(["nft", "flush", "ruleset"], check=True)
        loaded = subprocess.run(["sh", "-ec", case["load"]], check=False, capture_output=True, text=True)
        legacy = "iptables-legacy" in case["load"]
        results.append(
            {
                "loaded": loaded.returncode == 0,
                "said": loaded.stderr[:500],
                "listed": {name: _listed(*argv) for name, argv in LISTS.items() if legacy or "legacy" not in name},
                "seen": _connect([tuple(one) for one in case["tries"]], case["seconds"]),
            }
        )
        if legacy:
            subprocess.run(["sh", "-c", LEGACY], check=True)
        for listener in listeners:
            _drain(listener)
    json.dump(results, sys.stdout)


LISTS = {
    "nft -j list chains": ("nft", "-j", "list", "chains"),
    "nft -j -a list ruleset": ("nft", "-j", "-a", "list", "ruleset"),
    "iptables-save": ("iptables-save",),
    "ip6tables-save": ("ip6tables-save",),
    "iptables-legacy-save": ("iptables-legacy-save",),
}


def _listed(*argv: str) -> str:
    return subprocess.run(argv, check=False, capture_output=True, text=True).stdout


def _listen(address: str, port: int) -> socket.socket:
    sock = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if ":" in address:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    sock.bind((address, port))
    sock.listen(64)
    sock.setblocking(False)
    return sock


def _drain(listener: socket.socket) -> None:
    while True:
        try:
            listener.accept()[0].close()
        except OSError:
            return


def _connect(tries: list[tuple[str, int, int]], seconds: float) -> list[str]:
    """Connect everywhere at once, and wait for all of them together."""
    waiting: dict[socket.socket, int] = {}
    codes: dict[int, int] = {}
    for index, (address, port, uid) in enumerate(tries):
        os.seteuid(uid)
        try:
            sock = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
        finally:
            os.seteuid(0)
        sock.setblocking(False)
        codes[index] = sock.connect_ex((address, port))
        waiting[sock] = index
    opened = list(waiting)
    deadline = time.monotonic() + seconds
    waiting = {sock: index for sock, index in waiting.items() if codes[index] in (errno.EINPROGRESS, errno.EALREADY)}
    while waiting and time.monotonic() < deadline:
        _, ready, _ = select.select([], list(waiting), [], max(0.0, deadline - time.monotonic()))
        for sock in ready:
            codes[waiting.pop(sock)] = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    for sock in opened:
        sock.close()
    return [_word(codes[index]) for index in range(len(tries))]


def _word(code: int) -> str:
    if code == 0:
        return "connected"
    return "timed-out" if code in (errno.EINPROGRESS, errno.EALREADY) else errno.errorcode[code]


main()
