"""A URL for every place that passes requests on, so that each upstream of a configuration can be walked.

Owns the search: addresses, names and paths that could lead to a location, each routed to see whether it does. May
not ask the machine anything.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from wizard.gateways.nginx.examples import example
from wizard.gateways.nginx.levels import Level
from wizard.gateways.nginx.listen import Listen
from wizard.gateways.nginx.locations import PASSES, LocationLevel, Match
from wizard.gateways.nginx.octets import escape_uri, text_of
from wizard.gateways.nginx.route import route
from wizard.gateways.nginx.servers import Server, http
from wizard.gateways.nginx.tree import Configuration, Directive, every
from wizard.gateways.nginx.upstreams import destination, upstream_of
from wizard.model import Instance, Location, Place, Route, VirtualHost

MAX_TRIES = 40
_METHODS = ("GET", "POST")


class SampleRoute(msgspec.Struct, frozen=True):
    """One place that passes requests on: its server, its location, the directive's place, and a URL that gets there.

    Where none was found, `url` and `route` are None and `reason` says what was tried. `method` is the request's.
    """

    virtual_host: VirtualHost
    location: Location
    at: Place
    url: str | None = None
    route: Route | None = None
    reason: str | None = None
    method: str = "GET"


def routes_of(configuration: Configuration, instance: Instance) -> tuple[SampleRoute, ...]:
    """Every place that passes requests on, in file order, each with a URL that leads there if one was found."""
    found: list[SampleRoute] = []
    for server in http(configuration).servers:
        paths = _paths_of(server)
        hosts = list(_hosts(server))
        for location, passing in _passing(server.level):
            found.append(_sample(configuration, instance, server, location, passing, hosts, paths))
    return tuple(found)


def addresses_of(configuration: Configuration, instance: Instance) -> frozenset[str]:
    """The addresses of all servers that requests are passed to.

    Where every target is written out, none has to be routed to: that takes a hundred times as long.
    """
    found: set[str] = set()
    for server in http(configuration).servers:
        for _, passing in _passing(server.level):
            written = passing.args[0] if passing.args and "$" not in passing.args[0] else None
            to = destination(passing.name.removesuffix("_pass"), written) if written is not None else None
            if to is None:
                return _routed_to(configuration, instance)
            upstream = upstream_of(configuration, to, passing.at, at_run_time=False)
            found.update(one.address for one in upstream.servers)
    return frozenset(found)


def _routed_to(configuration: Configuration, instance: Instance) -> frozenset[str]:
    upstreams = (one.route.upstream for one in routes_of(configuration, instance) if one.route is not None)
    return frozenset(server.address for one in upstreams if one is not None for server in one.servers)


def _passing(level: LocationLevel) -> Iterator[tuple[LocationLevel, Directive]]:
    """Every passing directive below a level with the location that it stands in, `if` and `limit_except` included."""
    for inner in (*level.exact.values(), *level.by_name.values(), *level.regexes, *level.named.values()):
        yield from ((inner, directive) for directive in _own_passing(inner))
        yield from _passing(inner)


def _own_passing(location: Level) -> Iterator[Directive]:
    for name in PASSES:
        yield from location.own(name)
        for block in (*location.own("if"), *location.own("limit_except")):
            yield from every(block.block or [], name)


def _sample(
    configuration: Configuration,
    instance: Instance,
    server: Server,
    location: LocationLevel,
    passing: Directive,
    hosts: list[tuple[str, str]],
    paths: list[str],
) -> SampleRoute:
    sample = SampleRoute(server.shown(None, "none"), location.shown(), passing.at)
    own = _paths(location)
    tries = 0
    for base, address in hosts:
        for path in dict.fromkeys([*own, *paths]):
            tries += 1
            if tries > MAX_TRIES:
                break
            url = base + path
            for method in _METHODS:
                made = _leads(configuration, instance, url, method, address, passing.at)
                if made is not None and made.virtual_host.at == server.at:
                    return msgspec.structs.replace(
                        sample, virtual_host=made.virtual_host, url=url, route=made, method=method
                    )
    if not hosts:
        return msgspec.structs.replace(sample, reason="the server has no address or name that a URL can have")
    reason = f"none of {min(tries, MAX_TRIES)} URLs that were tried leads here"
    return msgspec.structs.replace(sample, reason=reason)


def _leads(
    configuration: Configuration, instance: Instance, url: str, method: str, address: str, at: Place
) -> Route | None:
    """The route of a URL if it ends at a place: as it is, or where no file is there."""
    for exists in (None, lambda _path: False):
        made = route(configuration, instance, url, address=address, method=method, exists=exists)
        if made is not None and made.action.at == at and made.upstream is not None:
            return made
    return None


def _hosts(server: Server) -> Iterator[tuple[str, str]]:
    """Scheme, host and port of URLs that reach a server, and the address to connect to; the likeliest first.

    Each name in plain and with TLS comes before the next name, and a second address for the same URL comes last.
    """
    listens = [one for one in server.listens if not one.address.unix]
    later: list[tuple[str, str]] = []
    seen: set[str] = set()
    for name in (*server.names, "localhost", None):
        for listen in sorted(listens, key=lambda one: (one.tls, ":" in one.address.ip)):
            local = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(listen.address.ip, listen.address.ip)
            host = local if name is None else _host(name)
            if host is None:
                continue
            base = f"{'https' if listen.tls else 'http'}://{_bracketed(host)}{_port(listen)}"
            reached = (base, f"{_bracketed(local)}:{listen.address.port}")
            if base in seen:
                later.append(reached)
            else:
                yield reached
            seen.add(base)
    yield from later


def _port(listen: Listen) -> str:
    return "" if listen.address.port == (443 if listen.tls else 80) else f":{listen.address.port}"


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _host(name: str) -> str | None:
    """A host that a `server_name` takes."""
    if name.startswith("~"):
        made = example(name[1:])
        return made.lower() if made and "/" not in made and made.strip(". ") else None
    if name.startswith("*."):
        return f"www{name[1:]}".lower()
    if name.endswith(".*"):
        return f"{name[:-1]}example".lower()
    host = name.removeprefix(".").lower()
    return host if host and host not in {"_", "localhost."} and "$" not in host and "*" not in host else None


def _paths(location: LocationLevel) -> list[str]:
    """Paths that a location probably takes."""
    if location.match is Match.NAMED:
        return []
    if location.match is Match.REGEX:
        made = example(location.text)
        if made is None:
            return []
        around = location.outer.name if isinstance(location.outer, LocationLevel) else ""
        below = [] if made.startswith(around) else [f"{around}{made}", f"{around}/{made}"]
        tries = [*below, made, f"/{made}", f"/a{made}", f"/a/{made}"]
        return [escape_uri(path) for path in tries if path.startswith("/")]
    path = escape_uri(location.name)
    if not path.startswith("/"):
        return []
    return [path] if location.match is Match.EXACT else [path, f"{path}a", f"{path}/a"]


def _paths_of(server: Server) -> list[str]:
    """Paths of all its locations: what leads to a named or an internal one is found among them."""
    paths: list[str] = ["/", "/a"]
    pending = [server.level]
    while pending and len(paths) < MAX_TRIES:
        level = pending.pop()
        for inner in (*level.exact.values(), *level.by_name.values(), *level.regexes):
            paths += _paths(inner)[:2]
            pending.append(inner)
    return [text_of(path) for path in paths]
