"""The address of a peer, as gateways write it: `ip:port`, `[v6]:port` or `unix:/path`.

Owns reading such text. May not know how a connection is made.
"""

from __future__ import annotations

import socket
from typing import NamedTuple

UNIX_PREFIX = "unix:"


class Endpoint(NamedTuple):
    """A peer that can be connected to without any lookup.

    `family` is AF_INET, AF_INET6 or AF_UNIX; `address` is the IP (with `%scope` where one was written) or the path
    (`@name` for an abstract socket); `port` is 0 for a path.
    """

    family: int
    address: str
    port: int


def is_address(text: str) -> socket.AddressFamily | None:
    """The family of an IP literal, or None where the text is no IP literal. A `%scope` is allowed on IPv6."""
    for family, literal in ((socket.AF_INET, text), (socket.AF_INET6, text.partition("%")[0])):
        try:
            socket.inet_pton(family, literal)
        except (OSError, ValueError):
            continue
        return family
    return None


def read_endpoint(text: str) -> Endpoint | None:
    """Read `ip:port`, `[v6]:port` or `unix:/path`; None where it is none of them (a name needs a lookup first)."""
    if text.startswith(UNIX_PREFIX):
        path = text.removeprefix(UNIX_PREFIX)
        return Endpoint(socket.AF_UNIX, path, 0) if path[:1] in {"/", "@"} and "\0" not in path else None
    host, colon, port = text.rpartition(":")
    if not colon or not port.isascii() or not port.isdecimal() or len(port) > 5 or not 0 < int(port) < 65536:
        return None
    return _internet(host, int(port))


def read_source(text: str) -> Endpoint | None:
    """Read a local address to bind, with or without a port: `ip`, `[v6]`, `ip:port`, `[v6]:port`."""
    return _internet(text, 0) or read_endpoint(text)


def _internet(host: str, port: int) -> Endpoint | None:
    bracketed = host.startswith("[") and host.endswith("]")
    address = host[1:-1] if bracketed else host
    family = is_address(address)
    if family is None or (bracketed and family != socket.AF_INET6) or (port and not bracketed and ":" in host):
        return None
    return Endpoint(family, address, port)
