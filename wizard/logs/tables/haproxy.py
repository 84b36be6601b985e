"""The table of HAProxy's messages.

Owns the rows. May not know how a line is split.
"""

from __future__ import annotations

from wizard.logs.signatures import row, rows
from wizard.model import Phase

_START = ("gateway-failed-start", "gateway-reload-failed")

MESSAGES = rows(
    row(
        "server-back",
        " is UP",
        "A server can be used again; this is no failure.",
    ),
    row(
        "no-live-upstreams",
        " has no server available",
        "The last server of the backend went down.",
        "gateway-upstream-marked-down",
        "gateway-healthcheck-wrong",
        pattern=r"(?:backend|proxy) '?(?P<target>[^\s']+)",
    ),
    row(
        "no-local-port",
        "Connect() failed for backend ",
        "No local port is free for a connection to the server.",
        "ephemeral-ports-exhausted",
        phase=Phase.CONNECTING,
        errno=99,
        pattern=r"backend (?P<target>[^\s:]+): no free ports",
    ),
    row(
        "local-address-in-use",
        "Connect() failed for backend ",
        "The local address for a connection to the server is in use.",
        "ephemeral-ports-exhausted",
        phase=Phase.CONNECTING,
        errno=98,
        pattern=r"backend (?P<target>[^\s:]+): local address already in use",
    ),
    row(
        "socket-queue-full",
        "Connect() failed for backend ",
        "The accept queue of the server's unix socket is full.",
        "unix-backlog-full",
        "upstream-workers-exhausted",
        phase=Phase.CONNECTING,
        errno=11,
        pattern=r"backend (?P<target>[^\s:]+): can't connect to destination unix socket",
    ),
    row(
        "source-address-unusable",
        "bind to source address before connect() for backend",
        "The address from which HAProxy is told to connect cannot be used.",
        "gateway-source-address-invalid",
        phase=Phase.CONNECTING,
    ),
    row(
        "name-not-resolved-at-start",
        "could not resolve address",
        "A name in the configuration does not resolve, so HAProxy refuses to start or to reload.",
        "dns-startup-failure",
        "gateway-failed-start",
        "gateway-reload-failed",
        phase=Phase.RESOLVING,
        pattern=r"could not resolve address(?: '(?P<target>[^']*)')?",
    ),
    row(
        "name-not-resolved-at-start",
        "Failed to initialize server(s) addr",
        "A name in the configuration does not resolve, so HAProxy refuses to start or to reload.",
        "dns-startup-failure",
        "gateway-failed-start",
        "gateway-reload-failed",
        phase=Phase.RESOLVING,
    ),
    row(
        "name-not-found",
        "DNS NX status",
        "The name of the server does not exist any more; HAProxy takes the server out.",
        "dns-nxdomain",
        phase=Phase.RESOLVING,
    ),
    row(
        "resolver-failed",
        "DNS ",
        "The name of the server cannot be looked up; HAProxy takes the server out.",
        "dns-resolver-down",
        phase=Phase.RESOLVING,
        pattern=r"DNS (?:timeout|refused|other error|unspecified)",
    ),
    row(
        "name-not-found",
        "No IP for server",
        "The name of the server has no address; HAProxy takes the server out.",
        "dns-nxdomain",
        "dns-resolver-down",
        phase=Phase.RESOLVING,
    ),
    row(
        "no-descriptors",
        " reached process FD limit",
        "HAProxy has no file descriptor left.",
        "gateway-fd-limit",
        errno=24,
    ),
    row(
        "no-descriptors",
        " reached system FD limit",
        "The host has no file descriptor left.",
        "gateway-fd-limit",
        errno=23,
    ),
    row(
        "descriptors-short",
        "FD limit",
        "HAProxy may open fewer files than its configuration needs.",
        "gateway-fd-limit",
        pattern=r"Cannot raise FD limit to|FD limit \(\d+\) too low for",
    ),
    row("no-memory", " reached system memory limit", "HAProxy got no memory for a connection.", "memory-pressure"),
    row(
        "port-in-use",
        "cannot bind socket",
        "HAProxy cannot listen on this address: another process holds it.",
        "port-owned-by-other-process",
        "gateway-failed-start",
        errno=98,
        pattern=r"Address (?:already )?in use.{0,20}\[(?P<target>[^\]]+)\]|already in use",
    ),
    row(
        "listen-failed",
        "cannot bind socket",
        "HAProxy cannot listen on this address.",
        "gateway-failed-start",
        "port-owned-by-other-process",
        pattern=r"\[(?P<target>[^\]]*:\d+)\]$|cannot bind",
    ),
    row(
        "start-failed",
        "failed to start their listeners",
        "HAProxy cannot listen on its addresses and gives up.",
        "gateway-failed-start",
        "port-owned-by-other-process",
    ),
    row(
        "configuration-refused",
        "arsing [",
        "The configuration is wrong at this place; HAProxy refuses to start or to reload.",
        *_START,
        pattern=r"[Pp]arsing \[(?P<target>[^\]]+)\] ?: (?!.*(?:deprecated|will be ignored))",
    ),
    row("configuration-refused", "Fatal errors found in configuration", "The configuration is refused.", *_START),
    row("configuration-refused", "Error(s) found in configuration file", "The configuration is refused.", *_START),
    row(
        "server-down",
        " is DOWN",
        "A server went down.",
        "gateway-upstream-marked-down",
        "gateway-healthcheck-wrong",
        pattern=r"[Ss]erver \S+/\S+ (?:\(\S+\) )?is DOWN(?:\.| via |/| for )",
    ),
    row(
        "server-down",
        " is going DOWN for maintenance.",
        "An administrator (or a name that no longer resolves) took a server out.",
        "gateway-upstream-marked-down",
    ),
    row("server-down", " is DOWN", "A server went down; the line is cut before it says why."),
)
