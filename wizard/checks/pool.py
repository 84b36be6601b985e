"""Why the gateway tried no server of a pool: set aside after failures, or at their limit of connections.

Owns the check `set-aside`. May not know why the servers failed. A server that failed `max_fails` times within
`fail_timeout` is left out for as long (ngx_http_upstream_round_robin.c); one that is at `max_conns` is left out for the
moment. nginx writes the same line for both.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

from wizard.checks.address import gateway_view, lookup, parse_address
from wizard.checks.edits import replaced
from wizard.checks.handling import handling
from wizard.checks.logged import events_of
from wizard.checks.registry import UNKNOWN, Asker, Finding, Scope, Subject, Value, check
from wizard.checks.survey import survey
from wizard.gateways.nginx.tree import Configuration
from wizard.host.questions import Connect, Connected
from wizard.model import LogEvent, Role, Route, Server
from wizard.text import one_line

_SLACK = 3.0  # seconds: times in the log are whole, and the request was made a moment ago
_NO_FAILURE = frozenset({"no-live-upstreams", "upstream-disabled"})


@check(
    "set-aside",
    Scope.ROUTE,
    {
        "none": (),
        "after-failures": ("count", "pool", "seconds"),
        "still-failing": ("count", "pool", "seconds"),
        "at-limit": ("limit", "pool", "place"),
        "marked-down": ("pool", "place"),
        "marked-down-line": ("pool", "place", "edit"),
        "unexplained": ("pool",),
    },
    bad=("after-failures", "still-failing", "at-limit", "marked-down", "marked-down-line", "unexplained"),
)
async def set_aside(subject: Subject, asker: Asker) -> Finding:
    """Find out why the gateway says that no server of the pool is live."""
    route = subject.route
    if route is None or route.upstream is None or (await handling(subject, asker)).outcome != "no-live-upstreams":
        return Finding("none", "The gateway tried a server.")
    gateway = (await survey(asker)).gateway_of(route.gateway)
    events = await events_of(gateway, route.logs.error if route.logs else None, asker) if gateway else None
    clock = (await survey(asker)).clock
    if not isinstance(events, tuple):
        return Finding(UNKNOWN, "The error log, which tells what happened before, could not be read.")
    now = clock.now if clock is not None else time.time()
    live = [one for one in route.upstream.servers if one.role is not Role.DOWN]
    if not live:
        return await _marked_down(route, gateway.configuration if gateway else None, asker)
    pool = route.upstream.name or (live[0].address if live else "")
    values: dict[str, Value] = {"pool": pool}
    failed = {one.address: _failures(one, await _addresses(one, route, asker), events, now) for one in live}
    count = sum(len(found) for found in failed.values())
    if count:
        seconds = max(one.fail_timeout for one in live)
        values |= {"count": count, "seconds": seconds}
        if await _any_connects(live, route, asker):
            words = f"{count} failures in the last {seconds:g} s set {one_line(pool)} aside; its servers accept now."
            return Finding("after-failures", words, values)
        return Finding("still-failing", f"{count} failures set the servers of {one_line(pool)} aside.", values)
    limited = [one for one in live if one.max_conns]
    if limited and len(limited) == len(live):
        limit = sum(one.max_conns for one in limited)
        place = str(limited[0].at or route.upstream.at or route.location.at)
        words = f"No server of {one_line(pool)} failed; together they take {limit} connections at a time (max_conns)."
        return Finding("at-limit", words, {**values, "limit": limit, "place": place})
    return Finding("unexplained", f"Nothing was logged that would set {one_line(pool)} aside.", values)


async def _marked_down(route: Route, configuration: Configuration | None, asker: Asker) -> Finding:
    """Every server of the pool carries `down`; the one that takes a connection could be taken back."""
    upstream = route.upstream
    servers = upstream.servers if upstream else ()
    pool = (upstream.name if upstream else None) or ""
    at = (servers[0].at if servers else None) or (upstream.at if upstream else None) or route.location.at
    values: dict[str, Value] = {"pool": pool, "place": str(at)}
    said = f"Every server of {one_line(pool)} is marked down ({one_line(str(at))})."
    for server in servers:
        edit = replaced(configuration, server.at, " down", "")
        if edit is not None and await _any_connects((server,), route, asker):
            return Finding("marked-down-line", said, {**values, "place": str(server.at), "edit": edit})
    return Finding("marked-down", said, values)


async def _addresses(server: Server, route: Route, asker: Asker) -> frozenset[str]:
    found = await lookup(Subject(Scope.SERVER, server.address, route=route, server=server), asker)
    parsed = {one.text for text in found.addresses if (one := parse_address(text)) is not None}
    return frozenset({server.address, *found.addresses, *parsed})


def _failures(
    server: Server, addresses: frozenset[str], events: Sequence[LogEvent], now: float
) -> tuple[LogEvent, ...]:
    """The failures for which a server may be set aside now."""
    if server.max_fails == 0:
        return ()
    since = now - server.fail_timeout - _SLACK
    return tuple(
        one
        for one in events
        if one.upstream in addresses and one.symptom not in _NO_FAILURE and (one.time is None or one.time >= since)
    )


async def _any_connects(servers: Sequence[Server], route: Route, asker: Asker) -> bool:
    for server in servers:
        found = await lookup(Subject(Scope.SERVER, server.address, route=route, server=server), asker)
        for address in found.addresses[:2]:
            answer = (await asker.ask(Connect(address, gateway_view(route.gateway), 2.0))).answer
            if isinstance(answer, Connected):
                return True
    return False
