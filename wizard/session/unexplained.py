"""What stays open where something is wrong and no cause holds: where to look next, by how the request failed.

Owns the next observation for a fault that the catalogue does not know. May not name a cause: an entry says which one was
not told apart from the others, and why.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator

import msgspec

from wizard.checks.registry import Scope
from wizard.checks.visitor import curl
from wizard.model import Route
from wizard.session.bearing import WORKING
from wizard.session.observed import Observed

Words = tuple[str, ...]

_ANSWERED = frozenset({"answers", "client-error"})
_FAILED = frozenset({"bad-gateway", "unavailable", "gateway-timeout", "other-error"})
_SILENT = frozenset({"no-answer", "not-connected"})


class Unexplained(msgspec.Struct, frozen=True):
    """A cause that the observations leave open, and the observation that would tell: an argv, and what it shows."""

    cause: str
    because: str
    argv: Words
    why: str


def unexplained(observed: Observed, problem: str | None) -> tuple[Unexplained, ...]:
    """Where to look next, for every route whose request fails; `problem` is why no route could be walked at all."""
    found = [
        one
        for key, subject in observed.subjects.items()
        if subject.scope == Scope.ROUTE and subject.route is not None
        for one in _of_route(key, subject.route, observed)
    ]
    if not found and problem is not None:
        why = "Shows what listens on this host, and where."
        found.append(Unexplained("gateway-not-running", problem, ("ss", "-ltnp"), why))
    return tuple({one.cause: one for one in found}.values())


def _of_route(key: str, route: Route, observed: Observed) -> Iterator[Unexplained]:
    outcome = observed.outcome("request", key)
    if outcome in WORKING:
        return
    log = _log_of(route)
    said = "Shows what the gateway says about the request."
    servers = [one for one, subject in observed.subjects.items() if subject.parent == key]
    replies = [observed.outcome("reply", one) for one in servers]
    if outcome in {"waiting", "gateway-timeout"}:
        because = "Nothing that was observed tells what takes the time."
        yield Unexplained("upstream-slow-response", because, _curl_of(servers, route, observed), "Shows who is slow.")
    if outcome in _FAILED and replies and all(one in _ANSWERED for one in replies):
        because = (
            "The upstream answers this request when it is asked directly: it may fail for others, or now and then."
        )
        yield Unexplained("upstream-crashed-mid-request", because, log, said)
    elif outcome in {*_FAILED, "server-error"}:
        because = "No line of the configuration and no answer of the upstream accounts for the status."
        yield Unexplained("gateway-generated-status", because, log, said)
    if outcome in {"closed", "not-http"}:
        because = "The answer ended before it was whole, and nothing that was observed tells who ended it."
        yield Unexplained("response-truncated", because, log, said)
    if outcome in _SILENT:
        because = f"Nothing answers at {route.listener.address}, and no reason for it was seen."
        yield Unexplained("gateway-not-running", because, ("ss", "-ltnp"), "Shows what listens there.")
    if outcome == "handshake-failed":
        parts = ("openssl", "s_client", "-connect", route.listener.address.replace("0.0.0.0", "127.0.0.1"))
        because = "The gateway's own TLS handshake fails, and nothing that was observed tells why."
        yield Unexplained("cdn-tls-to-origin", because, parts, "Shows the certificate, and where the handshake ends.")
    if outcome is None or outcome == "unknown":
        because = "The request itself was not made, so what visitors get is not known."
        yield Unexplained("upstream-hung", because, tuple(shlex.split(curl(route))), "Makes the visitor's request.")


def _log_of(route: Route) -> Words:
    path = route.logs.error if route.logs else None
    if path is not None and path.startswith("/") and not path.startswith("/dev/"):
        return ("tail", "-n", "50", path)
    return ("journalctl", "-u", route.gateway.unit or "nginx.service", "-n", "50", "--no-pager")


def _curl_of(servers: list[str], route: Route, observed: Observed) -> Words:
    """The request to the first server, past the gateway; the visitor's own where there is none."""
    for one in servers:
        words = observed.values(one).get("server.curl")
        if isinstance(words, tuple):
            return words
    return tuple(shlex.split(curl(route)))
