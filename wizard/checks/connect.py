"""The hop from address to connection: what connect(2) gives, from where the gateway sits.

Owns the check `connect`, and which of several addresses of a server is the one to look at. May
not know who listens or what a firewall says. The errno of a failed connect says what came back and not why; the table
is that of connect(2), observed on Linux 6.18.
"""

from __future__ import annotations

import errno
import shlex
from collections.abc import Sequence

from msgspec.structs import replace

from wizard.checks.address import Address, Lookup, gateway_view, lookup, not_as_gateway, parse_address, required
from wizard.checks.logged import server_events
from wizard.checks.registry import UNKNOWN, Asker, Finding, Gap, Scope, Subject, Value, check
from wizard.checks.survey import survey
from wizard.host.questions import HERE, Connect, Connected, ConnectFailed, NotAnswered, View, Why
from wizard.model import Phase, Route
from wizard.text import one_line

Attempt = tuple[str, str, str, float, Gap | None]  # address, outcome, words, seconds, what was not seen

_WORDS: dict[int, tuple[str, str]] = {
    errno.ECONNREFUSED: ("refused", "refused"),
    errno.ETIMEDOUT: ("timed-out", "no answer before the deadline"),
    errno.EHOSTUNREACH: ("host-unreachable", "no route to host"),
    errno.ENETUNREACH: ("network-unreachable", "network is unreachable"),
    errno.EACCES: ("denied", "permission denied"),
    errno.EPERM: ("not-permitted", "operation not permitted"),
    errno.ENOENT: ("missing", "no such file"),
    errno.ENOTDIR: ("missing", "a part of the path is no folder"),
    errno.EAGAIN: ("queue-full", "the accept queue is full"),
    errno.EADDRNOTAVAIL: ("no-local-address", "no local address or port can be used"),
    errno.EINVAL: ("invalid", "invalid argument, as a blackhole route gives"),
    errno.ECONNRESET: ("refused", "reset"),
    errno.ENOPROTOOPT: ("rejected", "protocol not available, as a rule that rejects gives"),
    errno.EPROTOTYPE: ("refused", "the socket has another type"),
}

FAILURES = tuple(dict.fromkeys(word for word, _ in _WORDS.values()))
_AT_ONCE = frozenset({"refused", "network-unreachable", "host-unreachable"})
_VALUES = ("address", "port", "seconds")
_A_MOMENT = 30.0  # seconds


def word_for(number: int | None) -> tuple[str, str]:
    """The outcome and the words for an errno; None is a deadline that passed. Strangers are `unknown`."""
    if number is None:
        return _WORDS[errno.ETIMEDOUT]
    return _WORDS.get(number, (UNKNOWN, f"errno {number}"))


def deadline_of(subject: Subject) -> float:
    """How long a connect may take: the gateway's own patience, within what a walk can wait."""
    route, _ = required(subject)
    patience = route.proxying.connect_timeout if route.proxying else 60.0
    return max(0.5, min(patience, 3.0))


@check(
    "connect",
    Scope.SERVER,
    {
        "connected": _VALUES,
        "falls-back": (*_VALUES, "failing"),
        "partly": (*_VALUES, "failing"),
        **dict.fromkeys(FAILURES, _VALUES),
    },
    bad=("partly", *FAILURES),
)
async def connect(subject: Subject, asker: Asker) -> Finding:
    """Connect to every address of the server, as the user and from the namespaces of the gateway where rights allow."""
    route, server = required(subject)
    found = await lookup(subject, asker)
    if not found.addresses:
        return Finding(UNKNOWN, "There is no address to connect to.", by_hand=_by_hand(server.address))
    results = await _attempts(found.addresses, subject, asker)
    gaps = tuple(dict.fromkeys(gap for *_, gap in results if gap))
    worst = next((one for one in results if one[1] != "connected"), results[0])
    address, outcome, words, seconds, _ = worst
    parsed = parse_address(address)
    values: dict[str, Value] = {
        "address": address,
        "port": parsed.port if parsed else 0,
        "seconds": round(seconds, 4),
        "failing": tuple(one[0] for one in results if one[1] != "connected"),
    }
    if outcome != "connected" and any(one[1] == "connected" for one in results):
        good = next(one[0] for one in results if one[1] == "connected")
        said = f"{one_line(address)}: {words}; {one_line(good)}: connected"
        if _falls_back(results, route):
            went_on = f"{said}. The gateway logs the first and goes on to the second, within the same request."
            return Finding("falls-back", went_on, values, gaps, by_hand=_by_hand(address))
        return Finding("partly", f"{said}.", values, gaps, by_hand=_by_hand(address))
    if gaps and outcome == "connected" and await _fails_for_gateway(subject, asker):
        said = f"This shell connects to {one_line(address)}. The gateway does not, by its own log, and its place may not be taken."
        return Finding(UNKNOWN, said, values, gaps, by_hand=_by_hand(address))
    who = "" if gaps or not route.gateway.user else f" as {one_line(route.gateway.user)}"
    return Finding(
        outcome, f"Connecting to {one_line(address)}{who}: {words}.", values, gaps, by_hand=_by_hand(address)
    )


def _falls_back(results: Sequence[Attempt], route: Route) -> bool:
    """Whether every request reaches the address that answers: a name of loopback, refused at once in one family.

    nginx takes the addresses of a name as servers of a pool (ngx_http_upstream_round_robin.c) and tries the next one
    unless `proxy_next_upstream` forbids it.
    """
    addresses = [parse_address(one[0]) for one in results]
    tries_next = route.proxying is None or "error" in route.proxying.next_upstream
    at_once = all(one[1] in _AT_ONCE for one in results if one[1] != "connected")
    return tries_next and at_once and all(one is not None and one.is_loopback for one in addresses)


async def _fails_for_gateway(subject: Subject, asker: Asker) -> bool:
    """Whether the gateway itself failed to connect to this server a moment ago: rules and rights may know users."""
    events, _ = await server_events(subject, asker)
    clock = (await survey(asker)).clock
    times = (
        [one.time for one in events if one.phase is Phase.CONNECTING and one.time] if isinstance(events, tuple) else []
    )
    return clock is not None and bool(times) and clock.now - max(times) < _A_MOMENT


async def located(subject: Subject, asker: Asker) -> Lookup:
    """Where a server is, as `lookup` says, the address first that its requests reach in the end."""
    found = await lookup(subject, asker)
    if len(found.addresses) < 2:
        return found
    results = await _attempts(found.addresses, subject, asker)
    if not _falls_back(results, required(subject)[0]):
        return found
    taken = {one[0] for one in results if one[1] == "connected"}
    return replace(found, addresses=tuple(sorted(found.addresses, key=lambda one: one not in taken)))


async def _attempts(addresses: Sequence[str], subject: Subject, asker: Asker) -> list[Attempt]:
    route, _ = required(subject)
    source = route.proxying.bind if route.proxying else None
    return [await _attempt(one, subject, asker, gateway_view(route.gateway), source) for one in addresses[:8]]


async def _attempt(address: str, subject: Subject, asker: Asker, view: View, source: str | None) -> Attempt:
    seconds = deadline_of(subject)
    answer = (await asker.ask(Connect(address, view, seconds, source))).answer
    gap = None
    if isinstance(answer, NotAnswered) and answer.why is Why.DENIED and view != HERE:
        gap = not_as_gateway(subject.gateway or (subject.route.gateway if subject.route else None), answer.detail)
        answer = (await asker.ask(Connect(address, HERE, seconds, source))).answer
    if isinstance(answer, Connected):
        return address, "connected", f"connected in {answer.seconds * 1000:.1f} ms", answer.seconds, gap
    if isinstance(answer, ConnectFailed):
        return address, *word_for(answer.errno), answer.seconds, gap
    return address, UNKNOWN, f"could not be tried ({one_line(answer.detail)})", 0.0, gap


def _by_hand(endpoint: str) -> str:
    address: Address | None = parse_address(endpoint)
    if address is None:
        return f"nc -vz -w 3 {shlex.quote(endpoint.replace(':', ' '))}"
    if address.path is not None:
        return f"nc -zU {shlex.quote(address.path)}"
    return f"nc -vz -w 3 {address.ip} {address.port}"
