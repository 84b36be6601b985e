"""What a failed connect means, by errno and kind of address: the same for every gateway.

Owns the table of errnos (see connect(2), unix(7), and the kernel's ICMP and route errors). May not know who connected.
"""

from __future__ import annotations

import msgspec

from wizard.logs.upstreams import is_loopback, is_unix


class Failure(msgspec.Struct, frozen=True):
    """What failed: its word, its sentence, and the causes that are consistent with it."""

    symptom: str
    meaning: str
    causes: tuple[str, ...]


UNIX = {
    2: Failure(
        "socket-missing",
        "The unix socket is not there, as the gateway sees the file system.",
        ("unix-socket-missing", "upstream-wrong-socket-path", "unix-socket-private-tmp", "upstream-service-stopped"),
    ),
    11: Failure(
        "socket-queue-full",
        "The accept queue of the unix socket is full; the kernel refuses at once.",
        ("unix-backlog-full", "upstream-workers-exhausted", "upstream-hung"),
    ),
    13: Failure(
        "socket-denied",
        "The gateway's user may not connect to the unix socket or may not pass a folder above it.",
        ("unix-socket-permission", "unix-socket-dir-permission", "selinux-denies-socket-file", "apparmor-denies"),
    ),
    111: Failure(
        "socket-refused",
        "The file of the unix socket is there, and nothing listens on it.",
        ("unix-socket-stale", "upstream-service-stopped"),
    ),
}

_REFUSED = (
    "upstream-not-listening",
    "upstream-service-stopped",
    "upstream-service-failed-start",
    "upstream-crash-loop",
    "upstream-still-starting",
    "upstream-wrong-port",
    "upstream-wrong-bind-address",
)

TCP = {
    1: Failure(
        "connect-forbidden",
        "The kernel did not permit the connection: a filter on the gateway's unit or on outgoing packets.",
        ("systemd-ip-filter", "apparmor-denies"),
    ),
    13: Failure(
        "connect-denied",
        "The kernel denied the connection: a security module, or a route of the type prohibit.",
        ("selinux-denies-connect", "route-prohibited", "apparmor-denies"),
    ),
    22: Failure(
        "connect-invalid",
        "The kernel calls the destination invalid: a blackhole route, or no usable address.",
        ("route-prohibited",),
    ),
    24: Failure(
        "no-descriptors",
        "The gateway has no file descriptor left for a connection to the upstream.",
        ("gateway-fd-limit",),
    ),
    92: Failure(
        "connect-rejected",
        "Something answers that this protocol is not available: a rule that rejects.",
        ("firewall-rejects-upstream",),
    ),
    97: Failure(
        "family-forbidden",
        "This address family may not be used by the gateway.",
        ("systemd-ip-filter", "dns-wrong-address-family"),
    ),
    98: Failure(
        "local-address-in-use",
        "The local address for the connection is in use already.",
        ("ephemeral-ports-exhausted", "gateway-source-address-invalid"),
    ),
    99: Failure(
        "no-local-port",
        "No local port is free for this destination, or the local address is not this host's.",
        ("ephemeral-ports-exhausted", "gateway-source-address-invalid"),
    ),
    101: Failure(
        "no-route",
        "There is no route to the upstream's network.",
        ("route-missing", "dns-wrong-address-family"),
    ),
    104: Failure(
        "connect-reset",
        "The connection was reset while it was being made.",
        ("firewall-rejects-upstream", "listen-backlog-overflow"),
    ),
    110: Failure(
        "connect-timeout",
        "Nothing answered the attempt to connect in time.",
        (
            "firewall-drops-upstream",
            "listen-backlog-overflow",
            "host-down",
            "conntrack-table-full",
            "mtu-blackhole",
            "upstream-hung",
        ),
    ),
    111: Failure(
        "connect-refused",
        "The connection was refused: nothing listens at this address, or a rule rejects it.",
        _REFUSED,
    ),
    112: Failure("host-unreachable", "The host of the upstream is down.", ("host-down",)),
    113: Failure(
        "host-unreachable",
        "The upstream's host cannot be reached: a reject rule, no answer to ARP, or an unreachable route.",
        ("firewall-rejects-upstream", "host-down", "route-missing"),
    ),
}

# Causes that the kind of address adds: a loopback address belongs to this namespace, any other may have moved.
_LOOPBACK_ONLY = {111: ("localhost-ipv6-mismatch", "gateway-in-container-localhost")}
_ELSEWHERE_ONLY = {
    101: ("remote-upstream-down",),
    110: ("remote-upstream-down", "host-firewall-blocks-container", "container-ip-changed"),
    111: ("container-ip-changed", "container-bound-to-loopback", "container-not-running", "remote-upstream-down"),
    113: ("container-ip-changed", "container-not-running", "remote-upstream-down"),
}
_ANY_TCP = {
    110: ("dns-stale-in-gateway", "upstream-wrong-address"),
    111: ("dns-stale-in-gateway", "firewall-rejects-upstream"),
    113: ("dns-stale-in-gateway", "upstream-wrong-address"),
}
_UNIX_ALONE = {2, 11}  # a TCP connect never ends so
_OTHER = Failure("connect-failed", "The connection to the upstream could not be made.", ())


def connect_failure(errno: int | None, upstream: str | None) -> Failure:
    """What it means that a connect to an upstream failed.

    Args:
        errno: as the gateway got it; 110 also for its own deadline; None: not known.
        upstream: `host:port`, `unix:/path`, or None where the line does not name it.
    """
    if errno is None:
        return _OTHER
    if is_unix(upstream) or errno in _UNIX_ALONE:
        return UNIX.get(errno, _OTHER)
    known = TCP.get(errno)
    if known is None:
        return _OTHER
    more: tuple[str, ...] = ()
    if upstream is not None:
        more = (_LOOPBACK_ONLY if is_loopback(upstream) else _ELSEWHERE_ONLY).get(errno, ())
    return Failure(known.symptom, known.meaning, known.causes + _ANY_TCP.get(errno, ()) + more)
