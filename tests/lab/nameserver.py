"""A name server with manners of its own: failures that dnsmasq cannot be asked for.

    nameserver.py --listen 127.0.0.1 --mode servfail --record app.internal=127.0.0.1 --alias www.internal=app.internal

It is copied into a guest and runs with Debian's own Python. `--mode` is what it does with a question over UDP:
`answer` (NXDOMAIN for strangers), `servfail`, `refused`, `silent`, or `tcp` (a cut answer, and nobody on TCP).
"""

# ruff: noqa: T201 - standard output is its log

from __future__ import annotations

import argparse
import socket
import struct

NOERROR, SERVFAIL, NXDOMAIN, REFUSED = 0, 2, 3, 5
A, CNAME, AAAA = 1, 5, 28
CUT = 0x0200


def name_in(question: bytes) -> str:
    """The name that a question asks for."""
    labels, at = [], 12
    while question[at]:
        labels.append(question[at + 1 : at + 1 + question[at]].decode("latin1").lower())
        at += question[at] + 1
    return ".".join(labels)


def as_labels(name: str) -> bytes:
    """A name as DNS writes it."""
    return b"".join(bytes([len(one)]) + one.encode() for one in name.split(".")) + b"\0"


def records(name: str, kind: int, wish: argparse.Namespace) -> tuple[int, list[bytes]]:
    """The rcode and the answer's records, aliases followed."""
    aliases = dict(pair.split("=", 1) for pair in wish.alias)
    known = [pair.split("=", 1) for pair in wish.record]
    found: list[bytes] = []
    owner = as_labels(name)
    while name in aliases:
        name = aliases[name]
        data = as_labels(name)
        found.append(owner + struct.pack(">HHIH", CNAME, 1, wish.ttl, len(data)) + data)
        owner = data
    for other, address in known:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        if other == name and kind == (AAAA if family == socket.AF_INET6 else A):
            data = socket.inet_pton(family, address)
            found.append(owner + struct.pack(">HHIH", kind, 1, wish.ttl, len(data)) + data)
    exists = any(other == name for other, _ in known)
    return (NOERROR if exists else NXDOMAIN), found


def reply_to(question: bytes, wish: argparse.Namespace) -> bytes:
    """The whole answer to a question."""
    name = name_in(question)
    end = 12 + len(as_labels(name)) + 4
    rcode, flags = NOERROR, 0x8180
    found: list[bytes] = []
    if wish.mode == "tcp":
        flags |= CUT
    elif wish.mode in {"servfail", "refused"}:
        rcode = SERVFAIL if wish.mode == "servfail" else REFUSED
    else:
        rcode, found = records(name, struct.unpack(">H", question[end - 4 : end - 2])[0], wish)
    head = question[:2] + struct.pack(">HHHHH", flags | rcode, 1, len(found), 0, 0)
    return head + question[12:end] + b"".join(found)


def main() -> None:
    """Answers until it is ended."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--listen", default="127.0.0.1")
    parser.add_argument("--mode", default="answer")
    parser.add_argument("--ttl", type=int, default=1)
    parser.add_argument("--record", action="append", default=[])
    parser.add_argument("--alias", action="append", default=[])
    wish = parser.parse_args()
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.bind((wish.listen, 53))
    print("listening on", wish.listen, flush=True)
    while True:
        question, sender = made.recvfrom(4096)
        if len(question) > 16 and wish.mode != "silent":
            made.sendto(reply_to(question, wish), sender)


if __name__ == "__main__":
    main()
