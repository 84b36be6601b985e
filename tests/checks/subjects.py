"""A server of a route as the subject of a check, and a check run on it."""

from __future__ import annotations

import asyncio

from wizard.checks.registry import Asker, CheckFunction, Finding, Scope, Subject
from wizard.model import Action, ActionKind, Instance, Listener, Location, Place, Proxying, Route, Server, VirtualHost

AT = Place("/etc/nginx/nginx.conf", 3)
NGINX = Instance("nginx", 100, "/etc/nginx/nginx.conf", uid=33, gid=33, groups=(4,), within=100, user="www-data")


def subject(server: Server, *, resolvers: tuple[str, ...] = (), named_at_run_time: bool = False) -> Subject:
    proxying = Proxying(resolvers=resolvers, named_at_run_time=named_at_run_time)
    action = Action(ActionKind.PROXY, "http://x", AT)
    listener, host, location = (
        Listener("0.0.0.0:80", tls=False),
        VirtualHost("x", "exact", AT),
        Location("/", "prefix", AT),
    )
    route = Route(NGINX, "http://x/", listener, host, location, action, proxying=proxying)
    return Subject(Scope.SERVER, server.address, route=route, server=server)


def seen(check: CheckFunction, about: Subject, asker: Asker) -> Finding:
    """What a check finds."""

    async def asked() -> Finding:
        return await check(about, asker)

    return asyncio.run(asked())
