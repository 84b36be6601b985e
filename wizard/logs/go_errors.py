"""The texts of Go's net, crypto/tls and net/http, which Caddy, Traefik and Docker print as they are.

Owns the wording of the standard library since Go 1.4. May not know which program printed it.
"""

from __future__ import annotations

import msgspec

from wizard.logs.connecting import connect_failure
from wizard.logs.errnos import errno_of
from wizard.logs.patterns import Pattern
from wizard.logs.signatures import find
from wizard.logs.tables.go import CLOSED_EARLY, TEXTS
from wizard.logs.upstreams import endpoint
from wizard.model import Phase

_HEADER = Phase.READING_HEADER
_SHAKING = Phase.HANDSHAKING

_LOOKUP = Pattern(r"dial (?:tcp[46]?|udp): lookup ([^\s:]+)(?: on (\S+?))?: (.+)")
_DIAL = Pattern(
    r"dial (?:tcp[46]? (\S+:\d+)|unix (\S+)): (?:connect: |connectex: |getsockopt: |socket: |bind: )?([a-z/ ]+)"
)
_RESOLVER = Pattern(
    r"server misbehaving|i/o timeout|refused|unreachable|no answer|no route|failure in name|deadline|cannot unmarshal|lame"
)
_MOVED = Pattern(
    r"(?:(?:read|write|readfrom) (?:tcp[46]?|unix) )+(\S+?)->(\S+?): (?:.{0,200}?(read|write): )?([a-z/ ]+)"
)


class GoError(msgspec.Struct, frozen=True):
    """A text of Go understood."""

    symptom: str
    meaning: str
    phase: Phase
    causes: tuple[str, ...]
    errno: int | None = None
    upstream: str | None = None
    target: str | None = None


def go_error(text: str) -> GoError | None:
    """What an error text of Go means, or None where it is not known.

    Args:
        text: such as `dial tcp 127.0.0.1:9001: connect: connection refused`; other words may stand around it.
    """
    if "dial " in text:
        if found := _LOOKUP.search(text):
            return _lookup(found[1], found[3])
        if found := _DIAL.search(text):
            return _dial(found[1] or f"unix:{found[2]}", found[3].strip())
    match = find(TEXTS, text)
    if (match is None or match.row.symptom == "closed-early") and "->" in text and (found := _MOVED.search(text)):
        return _moved(text, endpoint(found[2]), found[3] or "read", found[4].strip())
    if match is None:
        return None
    row_ = match.row
    moved = _MOVED.search(text) if "->" in text else None
    return GoError(
        row_.symptom,
        row_.meaning,
        row_.phase or Phase.NONE,
        row_.causes,
        upstream=endpoint(moved[2]) if moved is not None else None,
        target=match.groups.get("target"),
    )


def _lookup(name: str, wording: str) -> GoError:
    if "no such host" in wording:
        return GoError(
            "name-not-found",
            "The resolver says that this name does not exist.",
            Phase.RESOLVING,
            ("dns-nxdomain", "container-not-running", "container-different-network"),
            target=name,
        )
    if _RESOLVER.search(wording) is None:
        return GoError(
            "name-not-resolved", "The name of the upstream does not resolve.", Phase.RESOLVING, (), target=name
        )
    return GoError(
        "resolver-failed",
        "The resolver did not answer, or answered with a failure.",
        Phase.RESOLVING,
        ("dns-resolver-down",),
        errno=errno_of(None, wording.rpartition(": ")[2]),
        target=name,
    )


def _dial(address: str, wording: str) -> GoError:
    upstream = endpoint(address)
    errno = errno_of(None, wording)
    expired = wording.startswith(("i/o timeout", "operation was canceled", "context deadline exceeded"))
    known = connect_failure(110 if expired else errno, upstream)
    return GoError(known.symptom, known.meaning, Phase.CONNECTING, known.causes, errno, upstream)


def _moved(text: str, upstream: str | None, direction: str, wording: str) -> GoError | None:
    errno = errno_of(None, wording)
    if direction == "write" and errno in {104, 32}:
        return GoError(
            "request-rejected",
            "The upstream closed the connection while the request was being sent.",
            Phase.SENDING_REQUEST,
            ("request-body-rejected-early", "upstream-crashed-mid-request", "keepalive-race"),
            errno,
            upstream,
        )
    if errno in {104, 32, 103}:
        reset = (
            *CLOSED_EARLY,
            "upstream-allowlist-drops",
            "docker-userland-proxy-dead-backend",
            "container-bound-to-loopback",
        )
        meaning = "The upstream reset the connection before it had sent a complete header."
        return GoError("reset-early", meaning, _HEADER, reset, errno, upstream)
    if "i/o timeout" in text and text.rfind("write ") > text.rfind("read "):
        causes = ("upstream-hung", "request-body-rejected-early", "mtu-blackhole")
        meaning = "The upstream stopped reading the request."
        return GoError("send-timeout", meaning, Phase.SENDING_REQUEST, causes, errno, upstream)
    if errno in {110, 113}:
        causes = ("host-down", "mtu-blackhole", "firewall-drops-upstream")
        meaning = "The upstream's host stopped answering in the middle of the exchange."
        return GoError("host-lost", meaning, _HEADER, causes, errno, upstream)
    if "i/o timeout" in text:
        causes = ("upstream-slow-response", "upstream-hung", "gateway-timeout-too-short")
        meaning = "The upstream took the request and sent nothing before the deadline."
        return GoError("response-timeout", meaning, _HEADER, causes, errno, upstream)
    return None
