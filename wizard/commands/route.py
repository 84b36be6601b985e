"""`route URL`: which listener, virtual host, location and upstream take a URL, for every gateway; sends nothing.

Owns the printing of routes. May not know how a gateway routes.
"""

from __future__ import annotations

import argparse
import asyncio

from wizard.checks.survey import Survey, survey
from wizard.commands.diagnose import live_host, load_session, target_of
from wizard.commands.errors import UsageError
from wizard.commands.output import as_json, write
from wizard.gateways.nginx.route import route as route_of
from wizard.host.recorded import RecordedHost
from wizard.model import ActionKind, Route
from wizard.session.build import route_part
from wizard.session.report import SCHEMA_VERSION, RoutesReport
from wizard.text import visible
from wizard.walk.asker import Shared, WalkAsker


def route(given: argparse.Namespace) -> int:
    """Print the routes; 0 where a gateway takes the URL, 3 where none does or it is undecided."""
    target = target_of(given.url)
    if target.url is None:
        raise UsageError(f"{given.url} is no URL", "give a URL such as https://shop.example/cart")
    host = RecordedHost(load_session(given.source).asked) if given.source else live_host()
    seen = asyncio.run(survey(WalkAsker(host, 0.0, Shared())))
    routes = _routes(seen, target.url)
    if given.json:
        report = RoutesReport(SCHEMA_VERSION, target.url, tuple(route_part(one) for one in routes))
        write(as_json(report))
    else:
        write(_text(target.url, routes, seen))
    decided = [one for one in routes if one.action.kind is not ActionKind.UNDECIDED]
    return 0 if decided else 3


def _routes(seen: Survey, url: str) -> list[Route]:
    found = (
        route_of(gateway.configuration, gateway.instance, url)
        for gateway in seen.gateways
        if gateway.configuration is not None
    )
    return [one for one in found if one is not None]


def _text(url: str, routes: list[Route], seen: Survey) -> str:
    if not seen.gateways:
        return "No gateway was found on this host.\n"
    if not routes:
        problems = [problem for gateway in seen.gateways for problem in gateway.problems]
        why = "".join(f"  {visible(str(one.at or ''))}: {visible(one.what)}\n" for one in problems[:5])
        return f"No gateway of this host takes {visible(url)}.\n{why}"
    lines: list[str] = []
    for one in routes:
        lines += [visible(one.url), *(f"  {label:<13}{visible(said)}" for label, said in _rows(one)), ""]
    return "\n".join(lines)


def _rows(one: Route) -> list[tuple[str, str]]:
    rows = [
        ("gateway", f"{one.gateway.name}, {one.gateway.config}"),
        ("listener", f"{one.listener.address}{' TLS' if one.listener.tls else ''}   {one.listener.at or ''}"),
        (
            "virtual host",
            f"{one.virtual_host.name or '(default)'} ({one.virtual_host.matched})   {one.virtual_host.at}",
        ),
        ("location", f"{one.location.pattern or '(none)'} ({one.location.matched})   {one.location.at}"),
    ]
    rows += [("then", step) for step in one.steps]
    status = f" {one.action.status}" if one.action.status else ""
    rows.append(("action", f"{one.action.kind}{status} {one.action.to or ''}   {one.action.at or ''}"))
    for server in one.upstream.servers if one.upstream else ():
        role = f" ({server.role})" if server.role != "primary" else ""
        rows.append(("server", f"{server.address}{role}   {server.at or ''}"))
    rows += [("undecided", reason) for reason in one.undecided]
    return rows
