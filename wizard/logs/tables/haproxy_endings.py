"""The tables of HAProxy: how a session ended, and why a health check failed.

Owns the rows. May not know how a line is split.
"""

from __future__ import annotations

import msgspec

from wizard.model import Phase


class Ending(msgspec.Struct, frozen=True):
    """How a session (or a check) ended, and what is consistent with that."""

    symptom: str
    meaning: str
    phase: Phase
    causes: tuple[str, ...]


_TLS = (
    "tls-https-to-plain-http",
    "tls-cert-expired",
    "tls-cert-name-mismatch",
    "tls-cert-untrusted",
    "tls-sni-missing",
    "tls-version-or-cipher-mismatch",
)
_CLIENT = "The client ended the session; the server is not at fault."

# First letter: who ended the session. Second: in which state (configuration.txt 8.5). A single letter covers the rest.
STATES = {
    "SC": Ending(
        "connect-failed",
        "HAProxy could not connect to the server: refused, rejected, no such socket, or the TLS handshake failed.",
        Phase.CONNECTING,
        (
            "upstream-not-listening",
            "upstream-service-stopped",
            "upstream-wrong-port",
            "upstream-wrong-bind-address",
            "localhost-ipv6-mismatch",
            "firewall-rejects-upstream",
            "dns-stale-in-gateway",
            "unix-socket-missing",
            "unix-socket-stale",
            "unix-socket-permission",
            "unix-backlog-full",
            "selinux-denies-connect",
            "route-missing",
            "host-down",
            "ephemeral-ports-exhausted",
            *_TLS,
        ),
    ),
    "sC": Ending(
        "connect-timeout",
        "The server did not answer the attempt to connect (or the TLS handshake) in time.",
        Phase.CONNECTING,
        (
            "firewall-drops-upstream",
            "listen-backlog-overflow",
            "host-down",
            "tls-https-to-plain-http",
            "conntrack-table-full",
            "dns-stale-in-gateway",
            "upstream-hung",
        ),
    ),
    "sQ": Ending(
        "queue-timeout",
        "The request waited for a free server until its deadline.",
        Phase.NONE,
        ("gateway-upstream-max-conns", "upstream-workers-exhausted", "upstream-slow-response"),
    ),
    "SQ": Ending(
        "queue-timeout",
        "The request left the queue without a server.",
        Phase.NONE,
        ("gateway-upstream-max-conns", "gateway-upstream-marked-down"),
    ),
    "SH": Ending(
        "closed-early",
        "The server closed or reset the connection before it had sent a complete header.",
        Phase.READING_HEADER,
        (
            "upstream-crashed-mid-request",
            "upstream-oom-killed",
            "upstream-worker-killed-by-timeout",
            "keepalive-race",
            "tls-plain-http-to-https",
            "proxy-protocol-mismatch",
            "tls-client-cert-required",
            "docker-userland-proxy-dead-backend",
            "container-bound-to-loopback",
            "upstream-allowlist-drops",
            "protocol-mismatch-fastcgi-http",
            "protocol-mismatch-uwsgi-http",
        ),
    ),
    "sH": Ending(
        "response-timeout",
        "The server took the request and sent no header before the deadline.",
        Phase.READING_HEADER,
        (
            "upstream-slow-response",
            "upstream-hung",
            "upstream-workers-exhausted",
            "upstream-dependency-down",
            "gateway-timeout-too-short",
            "mtu-blackhole",
        ),
    ),
    "PH": Ending(
        "response-refused",
        "HAProxy refused the server's answer: bad syntax, a header larger than its buffer, or no HTTP.",
        Phase.READING_HEADER,
        (
            "upstream-invalid-header",
            "upstream-header-too-big",
            "upstream-conflicting-length",
            "upstream-not-http",
            "protocol-http1-vs-http2",
            "websocket-upgrade-mismatch",
        ),
    ),
    "SD": Ending(
        "body-cut",
        "The server ended the connection in the middle of the transfer.",
        Phase.READING_BODY,
        ("response-truncated", "request-body-rejected-early", "upstream-crashed-mid-request"),
    ),
    "sD": Ending(
        "body-timeout",
        "The server fell silent in the middle of the transfer.",
        Phase.READING_BODY,
        ("response-truncated", "upstream-slow-response", "upstream-hung", "mtu-blackhole"),
    ),
    "PD": Ending(
        "body-refused",
        "HAProxy ended the transfer: the server's encoding of the body is broken.",
        Phase.READING_BODY,
        ("response-truncated", "upstream-conflicting-length"),
    ),
    "PC": Ending(
        "connect-refused-by-limit",
        "HAProxy refused to connect to the server: a limit of sockets is reached.",
        Phase.CONNECTING,
        ("gateway-fd-limit", "ephemeral-ports-exhausted"),
    ),
    "RC": Ending(
        "no-resources",
        "HAProxy had no resource left for a connection: memory, descriptors or local ports.",
        Phase.CONNECTING,
        ("gateway-fd-limit", "ephemeral-ports-exhausted", "memory-pressure"),
    ),
    "R": Ending(
        "no-resources",
        "HAProxy had no resource left: memory, descriptors or local ports.",
        Phase.NONE,
        ("gateway-fd-limit", "ephemeral-ports-exhausted", "memory-pressure"),
    ),
    "I": Ending(
        "internal-error",
        "HAProxy ended the session because of an internal error or a missing resource.",
        Phase.NONE,
        ("gateway-fd-limit", "ephemeral-ports-exhausted"),
    ),
    "D": Ending(
        "server-went-down",
        "HAProxy ended the session because the server was marked as down.",
        Phase.NONE,
        ("gateway-upstream-marked-down",),
    ),
    "C": Ending("client-left", _CLIENT, Phase.NONE, ()),
    "c": Ending("client-left", _CLIENT, Phase.NONE, ()),
    "L": Ending("served", "HAProxy answered the request itself.", Phase.NONE, ()),
    "P": Ending("refused-by-rule", "HAProxy refused the request by its rules.", Phase.NONE, ()),
    "S": Ending(
        "closed-early", "The server ended the session.", Phase.NONE, ("upstream-crashed-mid-request", "keepalive-race")
    ),
    "s": Ending("response-timeout", "The server was silent until a deadline.", Phase.NONE, ("upstream-slow-response",)),
    "K": Ending("closed-by-admin", "An administrator ended the session.", Phase.NONE, ()),
    "U": Ending("moved-to-active", "The session ended because an active server came back.", Phase.NONE, ()),
}

LAYERS: tuple[tuple[str, Ending], ...] = (
    (
        "Layer4 connection problem",
        Ending(
            "check-connect-failed",
            "A health check could not connect to the server.",
            Phase.CONNECTING,
            (
                "upstream-not-listening",
                "upstream-service-stopped",
                "upstream-wrong-port",
                "firewall-rejects-upstream",
                "host-down",
            ),
        ),
    ),
    (
        "Layer4 timeout",
        Ending(
            "check-connect-timeout",
            "A health check got no answer to its attempt to connect.",
            Phase.CONNECTING,
            ("firewall-drops-upstream", "host-down", "listen-backlog-overflow"),
        ),
    ),
    (
        "Layer6",
        Ending(
            "check-tls-failed",
            "A health check could not finish the TLS handshake.",
            Phase.HANDSHAKING,
            ("gateway-healthcheck-wrong", *_TLS),
        ),
    ),
    (
        "Layer7 wrong status",
        Ending(
            "check-wrong-status",
            "A health check got an answer with a status that it does not accept.",
            Phase.READING_HEADER,
            ("gateway-healthcheck-wrong", "upstream-returns-502"),
        ),
    ),
    (
        "Layer7 timeout",
        Ending(
            "check-response-timeout",
            "A health check got no answer in time.",
            Phase.READING_HEADER,
            ("upstream-hung", "upstream-slow-response", "gateway-healthcheck-wrong"),
        ),
    ),
    (
        "Layer7 invalid response",
        Ending(
            "check-not-http",
            "A health check got an answer that is no HTTP.",
            Phase.READING_HEADER,
            ("upstream-not-http", "tls-plain-http-to-https", "protocol-http1-vs-http2", "gateway-healthcheck-wrong"),
        ),
    ),
    (
        "Socket error",
        Ending(
            "check-socket-error",
            "A health check lost its connection.",
            Phase.READING_HEADER,
            ("upstream-crashed-mid-request", "tls-plain-http-to-https", "proxy-protocol-mismatch"),
        ),
    ),
    (
        "",
        Ending("check-failed", "A health check failed.", Phase.NONE, ("gateway-healthcheck-wrong",)),
    ),
)
