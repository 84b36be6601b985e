"""nginx's messages until an upstream is chosen: the client's side, names, and servers of a group.

Owns the rows. May not know how a line is split.
"""

from __future__ import annotations

from wizard.logs.signatures import row, rows
from wizard.model import Phase

CLIENT = rows(
    row(
        "client-left",
        "client prematurely closed connection",
        "The client closed its connection; the upstream is not at fault.",
    ),
    row(
        "client-left",
        "upstream connection is closed too",
        "The client closed its connection, so nginx closed the one to the upstream.",
    ),
    row("client-left", "client closed", "The client closed its connection; the upstream is not at fault."),
    row("client-left", "client timed out", "The client was too slow; the upstream is not at fault."),
    row(
        "body-too-large",
        "client intended to send too large body",
        "The request is larger than client_max_body_size allows; nginx answers 413 itself.",
    ),
    row(
        "proxy-protocol-expected",
        'broken header: "',
        "This listener expects a PROXY protocol header, and the client sent none.",
        "proxy-protocol-mismatch",
    ),
    row(
        "duplicate-header-ignored",
        "upstream sent duplicate header line",
        "The upstream repeats a header; nginx ignores the second one and the request succeeds.",
        pattern=r", ignored$",
    ),
    row(
        "buffered-to-file",
        "is buffered to a temporary file",
        "A body is larger than its buffers and goes to a temporary file; this is no failure.",
    ),
)
NAMES = rows(
    row(
        "name-not-resolved-at-start",
        "host not found in upstream",
        "A name in the configuration does not resolve, so nginx refuses to start or to reload.",
        "dns-startup-failure",
        "gateway-reload-failed",
        "gateway-failed-start",
        "container-different-network",
        "container-not-running",
        phase=Phase.RESOLVING,
        pattern=r'host not found in upstream "?(?P<target>[^"\s]+)?',
    ),
    row(
        "name-not-resolved-at-start",
        "host not found in ",
        "A name in the configuration does not resolve, so nginx refuses to start or to reload.",
        "dns-startup-failure",
        "gateway-reload-failed",
        "gateway-failed-start",
        phase=Phase.RESOLVING,
        pattern=r'host not found in (?:resolver|"[\w_]+"|"(?P<target>[^"\s]+)" of the)',
    ),
    row(
        "name-not-found",
        "could not be resolved (3:",
        "The configured resolver says that this name does not exist (or has no address).",
        "dns-nxdomain",
        "dns-hosts-file-ignored",
        "container-different-network",
        "container-not-running",
        phase=Phase.RESOLVING,
        pattern=r"(?P<target>\S+) could not be resolved",
    ),
    row(
        "resolver-failed",
        "could not be resolved (",
        "The configured resolver did not answer, or answered with a failure.",
        "dns-resolver-down",
        phase=Phase.RESOLVING,
        pattern=r"(?P<target>\S+) could not be resolved \((?:1|2|4|5|110):",
    ),
    row(
        "resolver-unreachable",
        " failed (",
        "The configured resolver cannot be reached.",
        "dns-resolver-down",
        during=(Phase.RESOLVING,),
    ),
    row(
        "resolver-missing",
        "no resolver defined to resolve",
        "The target holds a variable, and no resolver is configured to look the name up.",
        "dns-resolver-not-configured",
        phase=Phase.RESOLVING,
        pattern=r"to resolve (?P<target>\S+)",
    ),
    row(
        "target-without-scheme",
        "invalid URL prefix in ",
        "The target of the request has no http:// or https:// in front; nginx answers 500.",
        "upstream-wrong-address",
        pattern=r'in "(?P<target>[^"]*)"',
    ),
    row(
        "target-without-port",
        "no port in upstream ",
        "The target of the request has no port; nginx answers 500.",
        "upstream-wrong-address",
        pattern=r'upstream "(?P<target>[^"]*)"',
    ),
    row(
        "configuration-refused",
        " in upstream ",
        "An upstream of the configuration has no valid address; nginx refuses to start or to reload.",
        "gateway-failed-start",
        "gateway-reload-failed",
        "upstream-wrong-address",
        pattern=r'(?:no port|no host|invalid port|invalid host|invalid IPv6 address) in upstream "(?P<target>[^"]*)".* in /\S+:\d+$',
    ),
    row(
        "target-invalid",
        " in upstream ",
        "The target of the request is no valid address; nginx answers 500.",
        "upstream-wrong-address",
        pattern=r'(?:invalid port|invalid host|no host|invalid IPv6 address) in upstream "(?P<target>[^"]*)"',
    ),
)
SERVERS = rows(
    row(
        "no-live-upstreams",
        "upstream queue is full",
        "Every server of the group is at its limit of connections, and the queue in front of it is full.",
        "gateway-upstream-max-conns",
        "upstream-workers-exhausted",
        phase=Phase.CONNECTING,
    ),
    row(
        "check-failed",
        "peer is unhealthy",
        "A server did not pass its health check; nginx leaves it out.",
        "gateway-upstream-marked-down",
        "gateway-healthcheck-wrong",
    ),
    row(
        "no-live-upstreams",
        "no live upstreams",
        "Every server of the group is marked as failed, at its limit, or has no address; nothing was tried.",
        "gateway-upstream-marked-down",
        "gateway-upstream-max-conns",
        "upstream-header-too-big",
        "dns-nxdomain",
        phase=Phase.CONNECTING,
    ),
    row(
        "upstream-disabled",
        "upstream server temporarily disabled",
        "A server failed too often and is left out for a while; the reason stands in the lines before.",
        "gateway-upstream-marked-down",
    ),
)
