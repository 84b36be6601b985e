"""From what the admin typed to what is walked: a URL, a host name, an upstream, or nothing becomes routes.

Owns reading the target and choosing the routes. May not know trees, or what any check observes.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import msgspec
from msgspec.structs import replace

from wizard.checks.address import is_local, join_port, parse_address, split_port
from wizard.checks.hops import MAX_HOPS, access_route, hop_of, next_hop
from wizard.checks.logged import error_logs, failing_urls
from wizard.checks.registry import Asker, Scope, Subject
from wizard.checks.survey import Gateway, Survey, survey
from wizard.gateways.nginx.asking import route_on_host
from wizard.gateways.nginx.samples import routes_of
from wizard.host.questions import NotAnswered, Sockets, SocketTable
from wizard.model import Action, ActionKind, Broken, Listener, Location, Logs, Place, Route, Server, VirtualHost
from wizard.services import systemd
from wizard.text import one_line

MAX_ROUTES = 12
_HOST = re.compile(r"^[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?\.?$|^\[[0-9A-Fa-f:.]+\]$")


class TargetError(ValueError):
    """What was typed is no target; `hint` says what would be one."""

    def __init__(self, what: str, hint: str) -> None:
        super().__init__(what)
        self.hint = hint


class Target(msgspec.Struct, frozen=True):
    """What the admin wants walked: one URL, one upstream, or (both None) whatever is failing now."""

    url: str | None = None
    upstream: str | None = None


_FORMS = "give a URL (https://shop.example/cart), a host name, or an upstream (127.0.0.1:8000, unix:/run/app.sock)"


def read_target(text: str | None) -> Target:
    """Read a target as typed.

    Raises:
        TargetError: it is none of the forms that the command line takes.
    """
    if text is None or not text.strip():
        return Target()
    word = text.strip()
    if any(character.isspace() or not character.isprintable() for character in word):
        raise TargetError(f"{one_line(word)} is no target: it has blanks or control characters in it", _FORMS)
    if word.startswith("unix:"):
        if not word.startswith("unix:/"):
            raise TargetError(f"{one_line(word)} is no socket: the path has to begin with /", _FORMS)
        return Target(upstream=word)
    if "://" in word:
        return Target(url=_url(word))
    head = word.split("/", 1)[0]
    if parse_address(head) is not None and split_port(head)[1] and "/" not in word:
        return Target(upstream=word)
    return Target(url=_url(f"http://{word}"))


def _url(text: str) -> str:
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise TargetError(f"{one_line(text)} is no URL: {one_line(str(error))}", _FORMS) from error
    if parts.scheme not in {"http", "https"}:
        raise TargetError(f"{one_line(text)} is no URL of a web site: its scheme is {one_line(parts.scheme)}", _FORMS)
    host = parts.hostname or ""
    bracketed = f"[{host}]" if ":" in host else host
    if not _HOST.match(bracketed) and not _HOST.match(_in_ascii(host)):
        raise TargetError(f"{one_line(text)} is no URL: {one_line(host) or 'the host'} is no host name", _FORMS)
    if port == 0:
        raise TargetError(f"{one_line(text)} is no URL: port 0 cannot be reached", _FORMS)
    path = parts.path or "/"
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{path}" + (f"?{parts.query}" if parts.query else "")


def _in_ascii(host: str) -> str:
    """A host name as it is sent (RFC 3490); empty where it has no such form: an empty label, or one that is too long."""
    try:
        return host.encode("idna").decode()
    except UnicodeError:
        return ""


class Plan(msgspec.Struct, frozen=True):
    """What is walked: the host, the routes below it, the servers below each. `problem` is set where input was bad."""

    host: Subject
    routes: tuple[Subject, ...] = ()
    servers: dict[str, tuple[Subject, ...]] = msgspec.field(default_factory=dict)
    problem: Broken | None = None
    further: tuple[Route, ...] = ()

    def subjects(self) -> tuple[Subject, ...]:
        """All subjects, wider ones first."""
        listed: list[Subject] = [self.host]
        for one in self.routes:
            listed += [one, *self.servers.get(one.key, ())]
        return tuple(listed)

    def children(self) -> dict[str, tuple[str, ...]]:
        """The keys of the subjects directly below each subject."""
        below = {self.host.key: tuple(one.key for one in self.routes)}
        for key, servers in self.servers.items():
            below[key] = tuple(one.key for one in servers)
        return below


async def plan(target: Target, asker: Asker) -> Plan:
    """Choose what to walk for a target."""
    seen = await survey(asker)
    host = Subject(Scope.HOST, "host", gateway=seen.gateways[0].instance if seen.gateways else None)
    if not seen.gateways:
        return Plan(
            host,
            problem=Broken(
                "No gateway was found on this host: no nginx runs, and none is installed where packages put it.",
                hint="Run it on the host that answers 502, or look at a recorded incident: gateway-wizard demo",
            ),
        )
    routes, problem = await _routes(target, seen, asker)
    if routes and routes[0].gateway.pid is None:
        host = replace(host, gateway=routes[0].gateway)
    paths = _Paths(host, target, seen, asker)
    for one in routes:
        await paths.add(one, None, 0)
    return Plan(host, tuple(paths.routes.values()), paths.servers, problem)


class _Paths(msgspec.Struct):
    """The subjects of all routes: their servers, what asks for access first, and the gateways behind them."""

    host: Subject
    target: Target
    seen: Survey
    asker: Asker
    routes: dict[str, Subject] = msgspec.field(default_factory=dict)
    servers: dict[str, tuple[Subject, ...]] = msgspec.field(default_factory=dict)

    async def add(self, one: Route, behind: Subject | None, depth: int) -> None:
        """Walk a route, and the further gateways of this host that its servers are."""
        known = next((key for key, subject in self.routes.items() if _same(subject.route, one)), None)
        if known is not None:
            if behind is not None and self.routes[known].behind is None and not _before(self.routes[known], behind):
                self.routes[known] = replace(self.routes[known], behind=behind)
            return
        key = _key(one, list(self.routes))
        subject = Subject(Scope.ROUTE, key, one.url, one.gateway, one, parent=self.host, behind=behind)
        self.routes[key] = subject
        servers = [
            Subject(Scope.SERVER, f"{server.address} of {key}", one.url, one.gateway, one, server, subject)
            for server in _walked(one, self.target)
        ]
        self.servers[key] = (*servers, *await self._asked_first(subject, one))
        if depth >= MAX_HOPS or len(self.routes) >= MAX_ROUTES:
            return
        for server in servers:
            following = await next_hop(one, server.server, self.seen, self.asker) if server.server else None
            if following is not None:
                await self.add(following, server, depth + 1)

    async def _asked_first(self, subject: Subject, one: Route) -> tuple[Subject, ...]:
        """The servers that decide about access before the request is passed on."""
        gateway = self.seen.gateway_of(one.gateway)
        access = await access_route(one, gateway, self.asker) if gateway is not None else None
        if access is None or access.upstream is None:
            return ()
        return tuple(
            Subject(
                Scope.SERVER,
                f"{server.address} of {subject.key} ({one.auth_request})",
                one.url,
                one.gateway,
                access,
                server,
                subject,
            )
            for server in access.upstream.servers
            if server.role != "down"
        )


def _same(known: Route | None, one: Route) -> bool:
    return known is not None and hop_of(known) == hop_of(one)


def _before(one: Subject, later: Subject) -> bool:
    """Whether a route lies on the way to a server: then that server does not lead to it, but back to it."""
    current: Subject | None = later
    while current is not None:
        if one.key in {each.key for each in current.lineage()}:
            return True
        current = next((each.behind for each in current.lineage() if each.behind is not None), None)
    return False


def _walked(route_: Route, target: Target) -> tuple[Server, ...]:
    servers = route_.upstream.servers if route_.upstream else ()
    live = tuple({server.address: server for server in servers if server.role != "down"}.values())
    if target.upstream is None:
        return live
    return tuple(server for server in live if server.address == target.upstream) or live


def _key(one: Route, taken: list[str]) -> str:
    key = one.url
    number = 2
    while key in taken:
        key = f"{one.url} ({number})"
        number += 1
    return key


async def _routes(target: Target, seen: Survey, asker: Asker) -> tuple[list[Route], Broken | None]:
    readable = [one for one in seen.gateways if one.configuration is not None]
    if target.url is not None:
        found = [one for gateway in readable if (one := await _route(gateway, target.url, asker)) is not None]
        found = await _meant(found, target.url, seen, asker)
        found = found or [one for gateway in seen.gateways if (one := await _unread(gateway, target.url, asker))]
        if found or not readable:
            return found, _first_problem(seen) if not found else None
        kinds = ", ".join(sorted({gateway.instance.name for gateway in readable}))
        return [], _first_problem(seen) or Broken(
            f"No gateway of this host takes {one_line(target.url)}: {kinds} has no listener for it.",
            hint="gateway-wizard route URL says what does; gateway-wizard diagnose without a target walks every route",
        )
    samples = [one for gateway in readable if gateway.configuration for one in _samples(gateway)]
    if target.upstream is not None:
        matching = [one for one in samples if _serves(one, target.upstream)]
        if matching:
            return matching[:MAX_ROUTES], None
        return [], Broken(
            f"No route of this host's gateways leads to {one_line(target.upstream)}.",
            hint="gateway-wizard diagnose without a target walks every route that there is",
        )
    failing = await failing_urls(seen, asker)
    first = [
        one
        for url in failing
        for gateway in readable
        if (one := await _route(gateway, url, asker)) is not None and one.upstream
    ]
    chosen: dict[tuple[str, str], Route] = {}
    for one in (*first, *samples):
        chosen.setdefault((str(one.location.at), str(one.upstream and one.upstream.servers)), one)
    return list(chosen.values())[:MAX_ROUTES], _first_problem(seen) if not chosen else None


def _samples(gateway: Gateway) -> list[Route]:
    if gateway.configuration is None:
        return []
    return [one.route for one in routes_of(gateway.configuration, gateway.instance) if one.route is not None]


async def _meant(found: list[Route], url: str, seen: Survey, asker: Asker) -> list[Route]:
    """The routes of a URL, or those of a gateway that does not run, where no other takes it.

    Where another takes it only because it takes every name, one that lists the name counts if its own start failed: one
    that is off on purpose has a site of that name left, and nothing is wrong.
    """
    if any(one.virtual_host.matched != "default" for one in found):
        return found
    made = [one for gateway in seen.idle if (one := await _route(gateway, url, asker)) is not None]
    if not found:
        return made
    named = [one for one in made if one.virtual_host.matched != "default"]
    return [one for one in named if await _failed(one.gateway.unit, asker)] or found


async def _failed(unit: str | None, asker: Asker) -> bool:
    if unit is None or not await systemd.present(asker):
        return False
    state = await systemd.state(asker, unit)
    return not isinstance(state, NotAnswered) and state.active == "failed"


async def _route(gateway: Gateway, url: str, asker: Asker) -> Route | None:
    if gateway.configuration is None:
        return None
    made = await route_on_host(asker, gateway.configuration, gateway.instance, url)
    if made is None:
        return None
    address = parse_address(join_port(urlsplit(url).hostname or "", split_port(made.listener.address)[1]))
    if address is None or gateway.instance.elsewhere or not await is_local(address, asker):
        return made
    return msgspec.structs.replace(made, reached_at=address.text)


async def _unread(gateway: Gateway, url: str, asker: Asker) -> Route | None:
    """A route up to its listener, where a gateway runs whose files as they stand cannot be read to their end.

    It still runs with what it loaded before, so the request can be made where it listens.
    """
    instance = gateway.instance
    if instance.pid is None or not gateway.problems:
        return None
    table = (await asker.ask(Sockets(instance.within if instance.elsewhere else None))).answer
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    own = {instance.pid, *instance.workers}
    listening = table.listening if isinstance(table, SocketTable) else ()
    taken = next((one for one in listening if one.port == port and own & set(one.pids)), None)
    if taken is None:
        return None
    at = gateway.problems[0].at or Place(instance.config, 1)
    return Route(
        gateway=instance,
        url=url,
        listener=Listener(join_port(taken.address, taken.port), parts.scheme == "https"),
        virtual_host=VirtualHost(parts.hostname or "", "default", at),
        location=Location("", "none", at),
        action=Action(ActionKind.UNDECIDED, None, at),
        logs=Logs(next(iter(error_logs(gateway)), None)),
        undecided=(f"the configuration cannot be read: {one_line(gateway.problems[0].what)}",),
    )


def _serves(one: Route, address: str) -> bool:
    return one.upstream is not None and any(server.address == address for server in one.upstream.servers)


def _first_problem(seen: Survey) -> Broken | None:
    return next((problem for gateway in seen.gateways for problem in gateway.problems), None)
