"""`route URL`: which listener, virtual host, location and upstream take a URL, for every gateway; sends nothing.

Owns the printing of routes. May not know how a gateway routes.
"""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Iterator, Sequence

from wizard.checks.survey import Gateway, Survey, survey
from wizard.commands.diagnose import live_host, load_session, target_of
from wizard.commands.errors import UsageError
from wizard.commands.output import as_json, write
from wizard.gateways.nginx.asking import route_on_host
from wizard.gateways.nginx.untaken import untaken
from wizard.host.recorded import RecordedHost
from wizard.model import ActionKind, Broken, Instance, Route, VirtualHost
from wizard.session.build import route_part
from wizard.session.report import SCHEMA_VERSION, RoutesReport
from wizard.text import visible
from wizard.walk.asker import Shared, WalkAsker

MAX_PROBLEMS = 5


def route(given: argparse.Namespace) -> int:
    """Print the routes; 0 where a gateway takes the URL, 3 where none does or it is undecided."""
    url = _url(given.url)
    host = RecordedHost(load_session(given.source).asked) if given.source else live_host()
    routes, notes = asyncio.run(_routed(WalkAsker(host, 0.0, Shared()), url))
    if given.json:
        shown = tuple(visible(one) for one in notes)
        write(as_json(RoutesReport(SCHEMA_VERSION, url, tuple(route_part(one) for one in routes), shown)))
    else:
        write(_text(url, routes, notes))
    decided = [one for one in routes if one.action.kind is not ActionKind.UNDECIDED]
    return 0 if decided else 3


def _url(text: str) -> str:
    """The URL that is meant; `127.0.0.1:8080` is one too.

    Raises:
        UsageError: it is none.
    """
    target = target_of(text)
    if target.url is not None:
        return target.url
    if target.upstream is None or target.upstream.startswith("unix:"):
        raise UsageError(f"{text} is no URL", "give a URL such as https://shop.example/cart")
    return f"http://{target.upstream}/"


async def _routed(asker: WalkAsker, url: str) -> tuple[list[Route], list[str]]:
    """The routes of gateways that run, else of those that do not; and what is to be said beside them.

    That is what is wrong with a configuration, and where nobody takes the URL, why not.
    """
    seen = await survey(asker)
    routes = await _through(seen.gateways, url, asker) or await _through(seen.idle, url, asker)
    gateways = (*seen.gateways, *seen.idle)
    notes = [
        f"{_name(gateway.instance)}: {_problem(problem)}"
        for gateway in gateways
        for problem in gateway.problems[:MAX_PROBLEMS]
    ]
    if not routes:
        notes += [
            f"{_name(gateway.instance)}: {'as far as it could be read, ' if gateway.problems else ''}{why}"
            for gateway in gateways
            if gateway.configuration and gateway.configuration.files and (why := untaken(gateway.configuration, url))
        ]
    if not gateways:
        notes.append(_nobody(seen))
    return routes, notes


async def _through(gateways: Sequence[Gateway], url: str, asker: WalkAsker) -> list[Route]:
    made = [
        await route_on_host(asker, gateway.configuration, gateway.instance, url)
        for gateway in gateways
        if gateway.configuration is not None
    ]
    return [one for one in made if one is not None]


def _name(gateway: Instance) -> str:
    state = "" if gateway.pid is not None or gateway.unseen else " (not running)"
    return f"{gateway.name}{state}, {gateway.config}"


def _problem(problem: Broken) -> str:
    hint = problem.hint
    if not hint and problem.what.endswith("Permission denied"):
        hint = "run this as root, or with sudo"
    return f"{problem.what}{f' ({problem.at})' if problem.at else ''}{f'; {hint}' if hint else ''}"


def _nobody(seen: Survey) -> str:
    hidden = seen.me is not None and seen.me.uid != 0
    return "no nginx runs here, and none is installed" + (", as far as can be seen without root" if hidden else "")


def _text(url: str, routes: list[Route], notes: list[str]) -> str:
    lines = [] if routes else [f"No gateway of this host takes {visible(url)}."]
    for one in routes:
        lines += [visible(one.url), *(f"  {label:<14}{visible(said)}" for label, said in _rows(one)), ""]
    lines += [f"{'note: ' if routes else '  '}{visible(note)}" for note in notes]
    return "\n".join(lines).rstrip("\n") + "\n"


def _rows(one: Route) -> Iterator[tuple[str, str]]:
    action = one.action
    yield "gateway", _name(one.gateway)
    if one.gateway.elsewhere:
        yield "", "in a network namespace of its own: not what a client of this host reaches"
    yield "listener", _at(f"{one.listener.address}{' TLS' if one.listener.tls else ''}", one.listener.at)
    yield "virtual host", _at(_virtual_host(one.virtual_host), one.virtual_host.at)
    if one.location.matched != "none":
        yield "location", _at(f"{one.location.pattern} ({one.location.matched})", one.location.at)
    yield from (("then", step) for step in one.steps)
    if action.kind is not ActionKind.UNDECIDED:
        said = [str(action.kind), str(action.status or ""), action.to or ""]
        yield "action", _at(" ".join(word for word in said if word), action.at)
    for server in one.upstream.servers if one.upstream else ():
        role = f" ({server.role})" if server.role != "primary" else ""
        yield "server", _at(f"{server.address}{role}", server.at)
    if one.logs is not None:
        yield "error log", f"{_error_log(one.logs.error, one.gateway)} ({one.logs.error_level})"
        yield "access log", one.logs.access or "off"
    yield from (("undecided", reason) for reason in one.undecided)


def _virtual_host(host: VirtualHost) -> str:
    if host.matched == "default":
        return f"{host.name or 'without a name'} (the default server: no name matches)"
    return f"{host.name} ({host.matched})"


def _error_log(path: str | None, gateway: Instance) -> str:
    if path == "stderr" and gateway.unit is not None:
        return f"stderr: the journal of {gateway.unit}"
    return path or "off"


def _at(said: str, place: object) -> str:
    return said if place is None else f"{said}   {place}"
