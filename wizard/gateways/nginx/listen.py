"""`listen`: which addresses a server takes, and how an address is written in one canonical way.

Owns the syntax of the directive (ngx_http_core_listen, ngx_inet.c) and the equality of addresses. May not know which
server answers on an address.
"""

from __future__ import annotations

import ipaddress
import re

import msgspec

from wizard.gateways.nginx.tree import Directive
from wizard.model import Listener, Place

_PORTS = re.compile(r"(\d{1,5})(?:-(\d{1,5}))?")
WILDCARD, WILDCARD6 = "0.0.0.0", "::"


class Address(msgspec.Struct, frozen=True, order=True):
    """A socket address: an IP as text in its shortest form and a port, or the path of a unix socket (port 0).

    A host name that stands in a `listen` keeps its name as `ip`: which address it is, is not known here.
    """

    ip: str
    port: int

    @property
    def unix(self) -> bool:
        """Whether it is a unix socket."""
        return self.ip.startswith("unix:")

    @property
    def wildcard(self) -> bool:
        """Whether it takes every address of its family."""
        return self.ip in {WILDCARD, WILDCARD6}

    def __str__(self) -> str:
        if self.unix:
            return self.ip
        return f"[{self.ip}]:{self.port}" if ":" in self.ip else f"{self.ip}:{self.port}"


class Listen(msgspec.Struct, frozen=True):
    """One `listen` of one server, or one port of a range of them."""

    address: Address
    at: Place
    default: bool = False
    tls: bool = False
    http2: bool = False
    proxy_protocol: bool = False
    takes_ipv4: bool = False  # ipv6only=off on [::]
    written: bool = True  # False: the server has no `listen`, this is what nginx assumes

    def shown(self) -> Listener:
        """As it is reported."""
        return Listener(str(self.address), self.tls, self.at, self.proxy_protocol, self.http2)


def canonical_ip(text: str) -> str | None:
    """An IP address in its shortest form, brackets and zone dropped; None for anything else."""
    bare = text[1:-1] if text.startswith("[") and text.endswith("]") else text
    try:
        return str(ipaddress.ip_address(bare))
    except ValueError:
        return None


def listens(directive: Directive) -> list[Listen]:
    """The addresses of one `listen` directive; empty where it cannot be understood."""
    if not directive.args:
        return []
    words = directive.args[1:]
    if "quic" in words:
        return []  # a UDP port
    tls = "ssl" in words
    shape = Listen(
        Address("", 0),
        directive.at,
        default="default_server" in words or "default" in words,
        tls=tls,
        http2="http2" in words or "spdy" in words,
        proxy_protocol="proxy_protocol" in words,
        takes_ipv4="ipv6only=off" in words,
    )
    return [msgspec.structs.replace(shape, address=address) for address in _addresses(directive.args[0])]


def _addresses(text: str) -> list[Address]:
    if text.startswith("unix:"):
        return [Address(text, 0)]
    host, port = _split(text)
    first, last = port
    if not 0 < first <= last <= 65535:
        return []
    return [Address(host, one) for one in range(first, last + 1)]


def _split(text: str) -> tuple[str, tuple[int, int]]:
    if text.startswith("["):
        host, _, rest = text[1:].partition("]")
        ports = _port_range(rest.removeprefix(":")) if rest else (80, 80)
        return canonical_ip(host) or host, ports or (0, 0)
    if (alone := _port_range(text)) is not None:
        return WILDCARD, alone
    host, colon, rest = text.partition(":")
    ports = _port_range(rest) if colon else (80, 80)
    known = {"*": WILDCARD, "localhost": "127.0.0.1"}
    return known.get(host) or canonical_ip(host) or host.lower(), ports or (0, 0)


def _port_range(text: str) -> tuple[int, int] | None:
    found = _PORTS.fullmatch(text)
    return (int(found[1]), int(found[2] or found[1])) if found else None
