"""Apache's messages about reaching an upstream: names, connects, balancers, pools.

Owns the rows, each with the AH numbers under which 2.4 prints it (2.2 prints none). May not know how a line is split.
`errnos` also hold APR's own numbers: 70007 a deadline, 70014 end of file, 20014 an error of another library (TLS).
"""

from __future__ import annotations

from wizard.logs.signatures import Numbered, row
from wizard.model import Phase

_ANY_CONNECT = (
    "upstream-not-listening",
    "upstream-service-stopped",
    "upstream-wrong-port",
    "firewall-rejects-upstream",
    "firewall-drops-upstream",
    "unix-socket-missing",
    "unix-socket-permission",
    "host-down",
    "route-missing",
)
_CONNECTING = Phase.CONNECTING

CONNECTING: Numbered = (
    (
        "AH00957 AH02454 AH00939 AH00958",
        row(
            "connect-failed",
            "attempt to connect to ",
            "Apache could not connect to the upstream.",
            phase=_CONNECTING,
        ),
    ),
    (
        "AH01114 AH01079 AH10101 AH00896 AH00866 AH02452",
        row(
            "connect-failed",
            "failed to make connection to backend",
            "Apache has no connection to the upstream; the reason stands in the line before.",
            *_ANY_CONNECT,
            phase=_CONNECTING,
            pattern=r"backend(?:: ?(?P<target>[^\s:]+))?",
        ),
    ),
    (
        "",
        row(
            "connect-failed",
            "Unable to connect to WSGI daemon process ",
            "Apache could not connect to the processes of mod_wsgi.",
            phase=_CONNECTING,
        ),
    ),
    (
        "",
        row(
            "connect-failed",
            "FastCGI: failed to connect to server ",
            "Apache could not connect to the FastCGI application.",
            phase=_CONNECTING,
        ),
    ),
    (
        "AH00935 AH00952 AH02453",
        row(
            "no-descriptors",
            "error creating ",
            "Apache has no file descriptor left for a connection to the upstream.",
            "gateway-fd-limit",
            phase=_CONNECTING,
            errnos=(23, 24),
            pattern=r"error creating (?:fam \d+|Unix domain) socket",
        ),
    ),
    (
        "AH00897",
        row(
            "no-pong",
            "cping/cpong failed",
            "The upstream took the connection and did not answer the ping of AJP.",
            "upstream-hung",
            "upstream-workers-exhausted",
            phase=_CONNECTING,
        ),
    ),
    (
        "AH00959",
        row(
            "upstream-disabled",
            "disabling worker for",
            "Apache leaves this upstream out for a while; the reason stands in the line before.",
            "gateway-upstream-marked-down",
            phase=_CONNECTING,
        ),
    ),
    (
        "AH00940",
        row(
            "upstream-disabled",
            "disabled connection for",
            "The upstream is still left out after an earlier failure; nothing was tried.",
            "gateway-upstream-marked-down",
            phase=_CONNECTING,
        ),
    ),
    (
        "AH01167 AH01170",
        row(
            "no-live-upstreams",
            "All workers are in error state",
            "Every member of the balancer is left out after failures; nothing was tried.",
            "gateway-upstream-marked-down",
            phase=_CONNECTING,
        ),
    ),
    (
        "AH01171",
        row(
            "no-live-upstreams",
            "No workers in balancer",
            "The balancer has no member.",
            "gateway-upstream-marked-down",
            phase=_CONNECTING,
        ),
    ),
    (
        "AH00934",
        row(
            "no-live-upstreams",
            "all workers are busy",
            "No member of the balancer can be used.",
            "gateway-upstream-marked-down",
            "gateway-upstream-max-conns",
            phase=_CONNECTING,
        ),
    ),
    (
        "AH00941",
        row(
            "pool-exhausted",
            "failed to acquire connection for",
            "All connections that Apache may hold to this upstream are in use.",
            "gateway-upstream-max-conns",
            "upstream-slow-response",
            phase=_CONNECTING,
        ),
    ),
    (
        "AH01174 AH02460",
        row(
            "upstream-disabled",
            "into error state due to",
            "Apache leaves this member of the balancer out for a while, because of how it answered.",
            "gateway-upstream-marked-down",
            "upstream-returns-502",
            "upstream-slow-response",
            pattern=r"Forcing worker \((?P<target>[^)]*)\)",
        ),
    ),
    (
        "AH03303",
        row(
            "check-failed",
            "Health check DISABLING",
            "A health check of a member of the balancer failed; Apache leaves it out.",
            "gateway-upstream-marked-down",
            "gateway-healthcheck-wrong",
            pattern=r"DISABLING (?P<target>\S+)?",
        ),
    ),
    (
        "AH02327",
        row(
            "name-not-resolved",
            "failed to resolve hostname",
            "The name of the upstream does not resolve.",
            "dns-nxdomain",
            "dns-resolver-down",
            phase=Phase.RESOLVING,
            pattern=r"hostname(?: '(?P<target>[^']*))?",
        ),
    ),
    (
        "",
        row(
            "name-not-resolved",
            "DNS lookup failure for",
            "The name of the upstream does not resolve.",
            "dns-nxdomain",
            "dns-resolver-down",
            phase=Phase.RESOLVING,
            pattern=r"failure for: ?(?P<target>\S+)?",
        ),
    ),
    (
        "AH00956 AH00938",
        row(
            "source-address-unusable",
            "failed to bind socket to local address",
            "The address from which Apache is told to connect cannot be used.",
            "gateway-source-address-invalid",
            phase=_CONNECTING,
        ),
    ),
)
