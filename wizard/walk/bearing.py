"""What of a gateway's configuration and log bears on one route: files, certificates, failures.

Owns that choice. Pure; may not know why somebody asks, or what is made of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from wizard.checks.address import parse_address
from wizard.gateways.nginx.tree import Configuration, Directive, every
from wizard.model import LogEvent, Place, Route


def events_about(events: Iterable[LogEvent], route: Route) -> Iterator[LogEvent]:
    """Of a virtual host's failures those that may be of a route: they name no server, or one that the route has."""
    addresses = {one.address for one in (route.upstream.servers if route.upstream else ())}
    certain = bool(addresses) and all(parse_address(one) is not None for one in addresses)
    return (one for one in events if not certain or one.upstream is None or one.upstream in addresses)


def files_on_path(configuration: Configuration, route: Route) -> tuple[str, ...]:
    """The files of a configuration that bear on a route: all but those that only hold other virtual hosts."""
    found: dict[str, None] = {configuration.main_file: None}
    upstream = route.upstream.at if route.upstream else None
    for place in (route.virtual_host.at, route.location.at, route.action.at, upstream):
        if place is not None:
            found.setdefault(place.file)

    def add(directives: Iterable[Directive], wanted: Callable[[Directive], bool]) -> None:
        for one in directives:
            if wanted(one):
                found.setdefault(one.file)
                add(one.block or (), wanted)

    add(configuration.tree, lambda one: not _is_another(one, route.virtual_host.at, upstream))
    return tuple(path for path in found if path in configuration.files)


def _is_another(one: Directive, own: Place, upstream: Place | None) -> bool:
    """Whether a block is a virtual host or a group of servers that the route does not use."""
    if one.block is None or one.name not in {"server", "upstream"}:
        return False
    return one.at not in {own, upstream}


def certificates_of(configuration: Configuration, route: Route) -> tuple[str, ...]:
    """The certificate files on the path: what the virtual host shows, and what the gateway shows or trusts behind it."""
    proxying = route.proxying
    own = next((one for one in every(configuration.tree, "server") if one.at == route.virtual_host.at), None)
    shown = own.all("ssl_certificate") if own is not None and route.listener.tls else ()
    written = [one.args[0] for one in shown if one.args]
    written += [path for path in (proxying.client_certificate, proxying.trusted) if path] if proxying else []
    return tuple(
        dict.fromkeys(configuration.conf_path(path) for path in written if "$" not in path and "data:" not in path)
    )
