"""Envoy's response flags, and the words for the same in the body of an error.

Owns the flags (`substitution_formatter.rst`, `router.cc`). May not know how a line is split.
"""

from __future__ import annotations

import msgspec

from wizard.logs.signatures import row, rows
from wizard.model import Phase


class Flag(msgspec.Struct, frozen=True):
    """A response flag: its word, sentence, phase and causes."""

    symptom: str
    meaning: str
    phase: Phase
    causes: tuple[str, ...]


ALL_TLS = (
    "tls-https-to-plain-http",
    "tls-cert-expired",
    "tls-cert-name-mismatch",
    "tls-cert-untrusted",
    "tls-sni-missing",
    "tls-version-or-cipher-mismatch",
    "tls-client-cert-required",
)
# What BoringSSL calls the failure, the more certain words first; where no word fits, any cause may.
TLS_WORDS = (
    ("WRONG_VERSION_NUMBER", ("tls-https-to-plain-http",)),
    ("HTTP_REQUEST", ("tls-https-to-plain-http",)),
    ("CERTIFICATE_VERIFY_FAILED", ("tls-cert-untrusted", "tls-cert-expired", "tls-cert-name-mismatch")),
    ("UNRECOGNIZED_NAME", ("tls-sni-missing",)),
    ("CERTIFICATE_REQUIRED", ("tls-client-cert-required",)),
    ("ALERT_UNKNOWN_CA", ("tls-client-cert-required",)),
    ("ALERT_BAD_CERTIFICATE", ("tls-client-cert-required",)),
    ("ALERT_CERTIFICATE", ("tls-client-cert-required",)),
    ("PROTOCOL_VERSION", ("tls-version-or-cipher-mismatch",)),
    ("UNSUPPORTED_PROTOCOL", ("tls-version-or-cipher-mismatch",)),
    ("NO_SHARED_CIPHER", ("tls-version-or-cipher-mismatch",)),
    ("HANDSHAKE_FAILURE", ("tls-sni-missing", "tls-version-or-cipher-mismatch", "tls-client-cert-required")),
    ("SECRET IS NOT SUPPLIED", ("tls-keys-unreadable",)),
)
_CONNECT = (
    "upstream-not-listening",
    "upstream-service-stopped",
    "upstream-wrong-port",
    "upstream-wrong-bind-address",
    "localhost-ipv6-mismatch",
    "firewall-rejects-upstream",
    "firewall-drops-upstream",
    "host-down",
    "route-missing",
    "unix-socket-missing",
    "unix-socket-permission",
)

FLAGS = {
    "UF": Flag(
        "connect-failed",
        "Envoy could not connect to the upstream, or the TLS handshake failed.",
        Phase.CONNECTING,
        (*_CONNECT, *ALL_TLS),
    ),
    "UC": Flag(
        "closed-early",
        "The upstream closed the connection before it had sent a complete header.",
        Phase.READING_HEADER,
        (
            "upstream-crashed-mid-request",
            "keepalive-race",
            "upstream-oom-killed",
            "upstream-worker-killed-by-timeout",
            "tls-plain-http-to-https",
            "proxy-protocol-mismatch",
            "docker-userland-proxy-dead-backend",
        ),
    ),
    "UR": Flag(
        "reset-early",
        "The upstream reset the stream.",
        Phase.READING_HEADER,
        ("upstream-crashed-mid-request", "protocol-http1-vs-http2"),
    ),
    "UH": Flag(
        "no-live-upstreams",
        "The cluster has no healthy host; nothing was tried.",
        Phase.NONE,
        ("gateway-upstream-marked-down", "gateway-healthcheck-wrong", "dns-nxdomain", "dns-resolver-down"),
    ),
    "UO": Flag(
        "pool-exhausted",
        "A circuit breaker of Envoy is open: too many connections or requests.",
        Phase.NONE,
        ("gateway-upstream-max-conns",),
    ),
    "UT": Flag(
        "response-timeout",
        "The upstream did not answer before the deadline of the route.",
        Phase.READING_HEADER,
        (
            "upstream-slow-response",
            "gateway-timeout-too-short",
            "upstream-hung",
            "upstream-workers-exhausted",
            "firewall-drops-upstream",
            "listen-backlog-overflow",
        ),
    ),
    "UPE": Flag(
        "not-http",
        "Envoy does not understand the upstream's answer.",
        Phase.READING_HEADER,
        (
            "upstream-invalid-header",
            "upstream-not-http",
            "protocol-http1-vs-http2",
            "upstream-header-too-big",
            "upstream-conflicting-length",
            "upstream-crashed-mid-request",
        ),
    ),
    "NR": Flag("no-route", "No route (or no filter chain) takes the request.", Phase.NONE, ("gateway-no-route",)),
    "NC": Flag("no-route", "The cluster that the route names does not exist.", Phase.NONE, ("gateway-no-route",)),
    "DF": Flag(
        "name-not-resolved",
        "The name of the upstream does not resolve.",
        Phase.RESOLVING,
        ("dns-nxdomain", "dns-resolver-down"),
    ),
    "LR": Flag("generated-status", "Envoy itself reset the stream.", Phase.NONE, ("gateway-generated-status",)),
    "LH": Flag(
        "generated-status",
        "Envoy's own health check is failing, so it refuses requests.",
        Phase.NONE,
        ("gateway-generated-status",),
    ),
    "FI": Flag("generated-status", "Envoy injected a fault.", Phase.NONE, ("gateway-generated-status",)),
    "RL": Flag(
        "generated-status", "A rate limit of Envoy refused the request.", Phase.NONE, ("gateway-generated-status",)
    ),
    "SI": Flag(
        "response-timeout",
        "The stream was idle for too long.",
        Phase.NONE,
        ("upstream-slow-response", "gateway-timeout-too-short"),
    ),
    "UMSDR": Flag(
        "response-timeout",
        "The request reached the longest duration that Envoy allows.",
        Phase.NONE,
        ("gateway-timeout-too-short", "upstream-slow-response"),
    ),
    "OM": Flag("overloaded", "Envoy is overloaded.", Phase.NONE, ("gateway-worker-connections",)),
    "DO": Flag("overloaded", "Envoy drops requests for overload.", Phase.NONE, ("gateway-worker-connections",)),
    "UDO": Flag("overloaded", "The upstream's cluster drops requests.", Phase.NONE, ("gateway-worker-connections",)),
    "DC": Flag("client-left", "The client ended the request; the upstream is not at fault.", Phase.NONE, ()),
    "DPE": Flag("client-left", "The client broke the protocol; the upstream is not at fault.", Phase.NONE, ()),
    "UAEX": Flag("refused-by-rule", "An authorisation service refused the request.", Phase.NONE, ()),
    "RLSE": Flag("other", "The rate limit service failed.", Phase.NONE, ()),
}
LONG_NAMES = {
    "UpstreamConnectionFailure": "UF",
    "UpstreamConnectionTermination": "UC",
    "UpstreamRemoteReset": "UR",
    "NoHealthyUpstream": "UH",
    "UpstreamOverflow": "UO",
    "UpstreamRequestTimeout": "UT",
    "UpstreamProtocolError": "UPE",
    "NoRouteFound": "NR",
    "NoClusterFound": "NC",
    "DnsResolutionFailed": "DF",
}
REASONS = {
    "connection failure": "UF",
    "remote connection failure": "UF",
    "local connection failure": "UF",
    "connection timeout": "UF",
    "connection termination": "UC",
    "remote reset": "UR",
    "remote refused stream reset": "UR",
    "local reset": "LR",
    "overflow": "UO",
    "protocol error": "UPE",
    "http2 protocol error": "UPE",
}
SERVED = Flag("served", "Envoy passed the request on and the answer back; this is no failure.", Phase.NONE, ())
PASSED = Flag(
    "upstream-answered",
    "The upstream itself answered with this status; Envoy only passed it on.",
    Phase.NONE,
    ("upstream-returns-502",),
)

MESSAGES = rows(
    row(
        "connect-failed",
        "connect error: ",
        "A connection could not be made.",
        phase=Phase.CONNECTING,
        pattern=r"(?:delayed|immediate) connect error: ",
    ),
    row(
        "port-in-use",
        "Address already in use",
        "Another process holds the address on which Envoy is to listen.",
        "port-owned-by-other-process",
        "gateway-failed-start",
        errno=98,
        pattern=r"cannot bind '(?P<target>[^']*)'",
    ),
    row(
        "configuration-refused",
        "error",
        "Envoy refuses its configuration and does not start.",
        "gateway-failed-start",
        pattern=r"error initializing configuration|initializing config '|error `cannot bind",
    ),
    row(
        "name-not-found",
        " failed with c-ares status ",
        "The resolver says that this name does not exist (or has no address).",
        "dns-nxdomain",
        phase=Phase.RESOLVING,
        pattern=r"for (?P<target>\S+) failed with c-ares status [14]\b",
    ),
    row(
        "resolver-failed",
        " failed with c-ares status ",
        "The resolver did not answer, or answered with a failure.",
        "dns-resolver-down",
        phase=Phase.RESOLVING,
        pattern=r"for (?P<target>\S+) failed",
    ),
)
