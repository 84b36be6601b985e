"""What the application behind an endpoint waits for itself: connections of its own that get no answer.

Owns the check `dependency`. May not know causes. Facts: tcp_info (include/uapi/linux/tcp.h) as ss(8) prints it:
`lastsnd` and `lastrcv` are milliseconds since data was last sent and last received. A pooled connection that is idle
received last; one on which a question is open sent last.
"""

from __future__ import annotations

import re

import msgspec

from wizard.checks.address import parse_address
from wizard.checks.registry import UNKNOWN, Asker, Finding, Gap, Scope, Subject, check
from wizard.checks.serving import serving
from wizard.host.questions import NotAnswered, Ran, Run
from wizard.text import one_line

CONNECTING = ("ss", "-Htnp", "state", "syn-sent")
OPEN = ("ss", "-HtnpiO", "state", "established")
_OPEN_FOR = 700  # milliseconds: a question that is open for less may be answered yet
_BEFORE = 50  # milliseconds by which what was received must be older than what was sent
_ROW = re.compile(r"^\s*(\d+)\s+(\d+)\s+(\S+)\s+(\S+)(.*)$")
_PID = re.compile(r"pid=(\d{1,10})")
_INFO = re.compile(r"\b(lastsnd|lastrcv|bytes_sent|bytes_received):(\d{1,15})\b")
_KNOWN = {
    1433: "SQL Server",
    2379: "etcd",
    3306: "MySQL",
    5432: "PostgreSQL",
    5672: "RabbitMQ",
    6379: "Redis",
    6432: "PgBouncer",
    8123: "ClickHouse",
    9042: "Cassandra",
    9092: "Kafka",
    9200: "Elasticsearch",
    11211: "memcached",
    27017: "MongoDB",
}
# Collectors of metrics, traces and log lines: an application goes on without them.
_ASIDE = frozenset({514, 601, 2003, 4317, 4318, 5044, 6831, 8086, 8125, 8126, 9411, 12201, 14268, 24224})
_WHOM = ("peer", "port", "count", "program")


class Outgoing(msgspec.Struct, frozen=True):
    """One connection of a process: its two ends, bytes that the peer has not confirmed, and what tcp_info tells."""

    local: str
    peer: str
    unconfirmed: int
    pids: frozenset[int]
    info: dict[str, int]

    @property
    def asks(self) -> bool:
        """Whether something was sent a while ago, and nothing came back since."""
        sent, received = self.info.get("lastsnd"), self.info.get("lastrcv")
        if sent is None or sent < _OPEN_FOR or not self.info.get("bytes_sent"):
            return False
        return not self.info.get("bytes_received") or (received is not None and received > sent + _BEFORE)


def read_connections(printed: bytes) -> tuple[Outgoing, ...]:
    """Read `ss -Htnp state STATE`, with or without `-i`; what is no such row is passed over."""
    found: list[Outgoing] = []
    for line in printed.decode("utf-8", "replace").splitlines()[:20_000]:
        row = _ROW.match(line)
        if row is not None:
            rest = row[5]
            pids = frozenset(int(pid) for pid in _PID.findall(rest))
            found.append(Outgoing(row[3], row[4], int(row[2][:12]), pids, _info(rest)))
    return tuple(found)


def _info(text: str) -> dict[str, int]:
    return {match[1]: int(match[2]) for match in _INFO.finditer(text[:4000])}


@check(
    "dependency",
    Scope.SERVER,
    {"connecting": _WHOM, "unanswered": _WHOM, "none": (), "unseen": ()},
    bad=("connecting", "unanswered"),
)
async def dependency(subject: Subject, asker: Asker) -> Finding:
    """Look for connections that the application makes itself and that get no answer."""
    who = await serving(subject, asker)
    by_hand = "ss -tnp state syn-sent"
    if who is None or not who.processes:
        return Finding("unseen", "Which process listens there cannot be seen.", by_hand=by_hand)
    pids = {one.pid for one in who.processes}
    for argv, word in ((CONNECTING, "connecting"), (OPEN, "unanswered")):
        answer = (await asker.ask(Run(argv))).answer
        if not isinstance(answer, Ran) or answer.status != 0:
            return _unseen(answer, by_hand)
        waiting = [
            one
            for one in read_connections(answer.out)
            if one.pids & pids
            and not _is_inbound(one, who.address.port)
            and _port(one.peer) not in _ASIDE
            and (word == "connecting" or one.asks or (one.unconfirmed and one.info.get("lastsnd", 0) >= _OPEN_FOR))
        ]
        if waiting:
            return _waits(waiting, word, who.processes[0].name, " ".join(argv))
    return Finding("none", "The application waits for no connection of its own.", by_hand=by_hand)


def _is_inbound(one: Outgoing, port: int) -> bool:
    return bool(port) and _port(one.local) == port


def _port(end: str) -> int:
    address = parse_address(end)
    return address.port if address is not None else 0


def _waits(waiting: list[Outgoing], word: str, program: str, by_hand: str) -> Finding:
    peers = [one.peer for one in waiting]
    peer = max(dict.fromkeys(peers), key=peers.count)
    port = _port(peer)
    known = f" (the port of {_KNOWN[port]})" if port in _KNOWN else ""
    what = "tries to connect to" if word == "connecting" else "waits for an answer from"
    count = peers.count(peer)
    times = "" if count == 1 else f", {count} times"
    return Finding(
        word,
        f"{one_line(program)} {what} {one_line(peer)}{known}{times}.",
        {"peer": peer, "port": port, "count": count, "program": program},
        by_hand=by_hand,
    )


def _unseen(answer: Ran | NotAnswered, by_hand: str) -> Finding:
    said = answer.err.decode("utf-8", "replace") if isinstance(answer, Ran) else answer.detail
    grant = None if isinstance(answer, Ran) else answer.grant
    gap = Gap("the connections of the application", one_line(said or "ss failed"), grant)
    return Finding(UNKNOWN, "The application's own connections could not be listed.", gaps=(gap,), by_hand=by_hand)
