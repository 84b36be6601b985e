"""From one gateway to the next: whether a server of an upstream is a gateway of this host, and where it sends on.

Owns the step from hop to hop, and what makes two hops the same one. May not know why a hop fails. A request that comes
to the same place of the same gateway twice goes in a circle.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from wizard.checks.address import is_local, lookup, parse_address
from wizard.checks.registry import Asker, Scope, Subject
from wizard.checks.survey import Gateway, Survey
from wizard.gateways.nginx.asking import route_on_host
from wizard.model import ActionKind, Instance, Place, Proxying, Route, Server

MAX_HOPS = 8

Hop = tuple[int | None, str, Place, Place, Place | None]


def hop_of(route: Route) -> Hop:
    """What makes two routes the same place of the same gateway."""
    gateway = route.gateway
    return gateway.pid, gateway.config, route.virtual_host.at, route.location.at, route.action.at


async def next_hop(route: Route, server: Server, seen: Survey, asker: Asker) -> Route | None:
    """The route of the request at the gateway of this host that is this server; None where it is none.

    Args:
        route: the hop that sends the request on.
        server: one server of its upstream.
        seen: the gateways of this host.
        asker: who looks up names, addresses and files.
    """
    if route.action.kind not in {ActionKind.PROXY, ActionKind.GRPC} or route.proxying is None:
        return None
    found = await lookup(
        Subject(Scope.SERVER, server.address, gateway=route.gateway, route=route, server=server), asker
    )
    for text in found.addresses[:2]:
        address = parse_address(text)
        if address is None or not await is_local(address, asker):
            continue
        endpoint = f"unix:{address.path}" if address.path is not None else text
        for gateway in seen.gateways:
            made = await _taken(gateway, route, endpoint, asker)
            if made is not None:
                return made
    return None


async def _taken(gateway: Gateway, route: Route, endpoint: str, asker: Asker) -> Route | None:
    proxying = route.proxying or Proxying()
    if gateway.configuration is None or gateway.instance.pid is None or not _same_network(gateway, route.gateway):
        return None
    scheme = "https" if proxying.tls else "http"
    authority = proxying.host or (endpoint if not endpoint.startswith("unix:") else "localhost")
    headers = {"Host": authority, **dict(proxying.headers)}
    url = f"{scheme}://{authority}{proxying.uri if proxying.uri.startswith('/') else '/'}"
    return await route_on_host(asker, gateway.configuration, gateway.instance, url, address=endpoint, headers=headers)


def _same_network(gateway: Gateway, sender: Instance) -> bool:
    return gateway.instance.pid == sender.pid or not (gateway.instance.elsewhere or sender.elsewhere)


async def circle(route: Route, seen: Survey, asker: Asker) -> tuple[Route, ...]:
    """The hops of a request that comes back to where it was, the one that it comes back to last; empty where none does.

    Every server of a pool is tried, the first that leads back counts.
    """
    return await _circle((route,), seen, asker)


async def _circle(passed: tuple[Route, ...], seen: Survey, asker: Asker) -> tuple[Route, ...]:
    last = passed[-1]
    for server in last.upstream.servers if last.upstream else ():
        following = await next_hop(last, server, seen, asker) if server.role != "down" else None
        if following is None:
            continue
        if any(hop_of(following) == hop_of(one) for one in passed):
            return (*passed, following)
        if len(passed) < MAX_HOPS:
            back = await _circle((*passed, following), seen, asker)
            if back:
                return back
    return ()


async def access_route(route: Route, gateway: Gateway, asker: Asker) -> Route | None:
    """The route of the sub-request that decides about access (`auth_request`); None where there is none.

    It stays within the server of the request, and may go to locations that are `internal`.
    """
    if route.auth_request is None or not route.auth_request.startswith("/") or gateway.configuration is None:
        return None
    parts = urlsplit(route.url)
    address = route.listener.address
    host, _, port = address.rpartition(":")
    if host in {"0.0.0.0", "[::]"}:
        address = f"127.0.0.1:{port}" if host == "0.0.0.0" else f"[::1]:{port}"
    return await route_on_host(
        asker,
        gateway.configuration,
        gateway.instance,
        f"{parts.scheme}://{parts.netloc}{route.auth_request}",
        address=address,
        internal=True,
    )
