"""Which of nginx's listening addresses takes a connection for a URL on this host.

Owns the choice: the address that is asked for, or the one that a client on this host would reach. May not know what
is sent over the connection.
"""

from __future__ import annotations

from wizard.gateways.nginx.listen import Address, canonical_ip
from wizard.gateways.nginx.names import DEFAULT
from wizard.gateways.nginx.patterns import CannotTranslateError, pattern
from wizard.gateways.nginx.servers import Bound, Http, Server, reached
from wizard.gateways.nginx.uri import Target


def connection(table: Http, to: Target, host: str, address: str | None) -> tuple[Bound, str] | None:
    """The listening address, and the local end of the connection; None where nothing listens there.

    Args:
        table: who listens where.
        to: the URL. One that says https needs an address with TLS.
        host: the host that will be asked for, as nginx looks it up; it decides between several addresses.
        address: what is connected to, where it is not what the URL says: `ip`, `ip:port` or `unix:/path`.
    """
    if address is not None:
        return _given(table, address, to)
    if to.ip is not None:
        return _usable(reached(table, to.ip, to.port), to, to.ip)
    ranked = []
    for order, (bound, ip) in enumerate(_candidates(table, to)):
        _, matched = _taking(bound, host)
        ranked.append(((bound.listen.tls != to.tls, matched == DEFAULT, order), (bound, ip)))
    return min(ranked, key=lambda one: one[0])[1] if ranked else None


def taken_elsewhere(table: Http, to: Target, host: str, chosen: Bound) -> dict[Bound, Server]:
    """The other addresses by which a client may come to a URL that names no address, where another server takes it."""
    if to.ip is not None:
        return {}
    server, _ = _taking(chosen, host)
    others = {bound: _taking(bound, host)[0] for bound, _ in _candidates(table, to) if bound.listen.tls == to.tls}
    return {bound: other for bound, other in others.items() if other is not server}


def _candidates(table: Http, to: Target) -> list[tuple[Bound, str]]:
    """The addresses that a client may reach by a name, each with an IP that leads there."""
    own = [bound.address.ip for bound in table.on_port(to.port) if not bound.address.wildcard]
    reachable = (_usable(reached(table, ip, to.port), to, ip) for ip in dict.fromkeys(["127.0.0.1", "::1", *own]))
    return [one for one in reachable if one is not None]


def _taking(bound: Bound, host: str) -> tuple[Server, str]:
    """The server that takes a host on an address, and how its name matched."""
    server, _, matched = bound.find(host, lambda source: matches_host(source, host))
    return server, matched


def matches_host(source: str, host: str) -> bool:
    """Whether the pattern of a `server_name` matches a host; False for one that cannot be tried."""
    try:
        compiled = pattern(source, caseless=caseless_name(source))
    except CannotTranslateError:
        return False
    return not compiled.takes_too_long(host) and compiled.match(host) is not None


def caseless_name(source: str) -> bool:
    """Whether nginx ignores case in the pattern of a `server_name`: where it holds a capital letter."""
    return any("A" <= char <= "Z" for char in source)


def _usable(bound: Bound | None, to: Target, ip: str) -> tuple[Bound, str] | None:
    return None if bound is None or (to.tls and not bound.listen.tls) else (bound, ip)


def _given(table: Http, address: str, to: Target) -> tuple[Bound, str] | None:
    if address.startswith("unix:"):
        return _usable(table.bound.get(Address(address, 0)), to, address)
    ip, port = canonical_ip(address), to.port
    if ip is None:
        host, _, last = address.rpartition(":")
        ip = canonical_ip(host)
        if ip is None or not last.isdecimal():
            return None
        port = int(last)
    return _usable(reached(table, ip, port), to, ip)
