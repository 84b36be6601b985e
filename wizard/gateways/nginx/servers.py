"""The servers of a configuration: who listens where, who is the default, and which server takes a host.

Owns the grouping of servers by address (ngx_http_add_listen, ngx_http_optimize_servers) and the choice of the address
that a connection reaches. May not know what happens to a request inside a server.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property

import msgspec

from wizard.gateways.nginx.levels import Kind, Level
from wizard.gateways.nginx.listen import WILDCARD, WILDCARD6, Address, Listen, listens
from wizard.gateways.nginx.locations import LocationLevel
from wizard.gateways.nginx.names import DEFAULT, ServerNames
from wizard.gateways.nginx.patterns import CannotTranslateError, pattern
from wizard.gateways.nginx.tree import Configuration, Directive
from wizard.model import Listener, Place, VirtualHost


class Server:
    """One server block; its locations are read when they are first wanted."""

    def __init__(self, directive: Directive, http: Level, hostname: str) -> None:
        self.directive = directive
        self.http = http
        written = (name for names in directive.all("server_name") for name in names.args)
        self.names = tuple(hostname if name.lower() == "$hostname" and hostname else name for name in written)
        own = [
            msgspec.structs.replace(listen, tls=listen.tls or self._on("ssl"), http2=listen.http2 or self._on("http2"))
            for one in directive.all("listen")
            for listen in listens(one)
        ]
        assumed = Listen(Address(WILDCARD, 80), directive.at, written=False)
        self.listens = own if directive.all("listen") else [assumed]

    @cached_property
    def level(self) -> LocationLevel:
        """Its own level, with all locations below."""
        return LocationLevel(Kind.SERVER, self.directive, self.http)

    def _on(self, switch: str) -> bool:
        """Whether a switch that holds for all its addresses is on: `ssl` before 1.25, `http2` since."""
        own = self.directive.last(switch)
        return own is not None and own.args[:1] == ("on",)

    @property
    def at(self) -> Place:
        """Where it begins."""
        return self.directive.at

    @property
    def name(self) -> str:
        """Its first name, as $server_name has it."""
        first = self.names[0] if self.names else ""
        return first if first.startswith("~") else first.removeprefix(".").lower()

    @property
    def captures_host(self) -> bool:
        """Whether its names are tried where no other server is there to choose: where the last pattern has groups."""
        last = next((name for name in reversed(self.names) if name.startswith("~")), None)
        try:
            return last is not None and pattern(last[1:]).compiled.groups > 0
        except CannotTranslateError:
            return True

    def shown(self, name: str | None, matched: str) -> VirtualHost:
        """As it is reported; `name` is the one that matched."""
        return VirtualHost(name=self.name if name is None else name, matched=matched, at=self.at)


class Bound(msgspec.Struct, eq=False):
    """One address and the servers behind it, in file order; the flags of all their `listen`s hold together."""

    address: Address
    listen: Listen
    servers: list[Server] = msgspec.field(default_factory=list)
    default: Server | None = None
    names: ServerNames[Server] | None = None

    def find(self, host: str, matches: Callable[[str], bool]) -> tuple[Server, str | None, str]:
        """The server that takes a host, the name that matched, and how."""
        if self.names is None:
            self.names = ServerNames()
            for server in self.servers:
                self.names.add(server.names, server)
        if (found := self.names.find(host, matches)) is not None:
            name, server, how = found
            return server, name, how
        return self.default or self.servers[0], None, DEFAULT


class Http(msgspec.Struct, frozen=True):
    """The http level: its servers and its addresses, in the order in which they first stand."""

    level: Level
    servers: tuple[Server, ...]
    bound: dict[Address, Bound]

    def on_port(self, port: int) -> list[Bound]:
        """The TCP addresses with this port."""
        return [bound for bound in self.bound.values() if bound.address.port == port and not bound.address.unix]


def http(configuration: Configuration) -> Http:
    """The http level of a configuration; computed once."""
    return configuration.once(_http)


def _http(configuration: Configuration) -> Http:
    blocks = configuration.all("http")
    directives = [inner for block in blocks for inner in block.block or ()]
    at = blocks[0].at if blocks else Place(configuration.main_file, 1)
    level = Level(Kind.HTTP, directives, at, None)
    hostname = configuration.hostname
    servers = tuple(
        Server(directive, level, hostname) for directive in level.own("server") if directive.block is not None
    )
    bound: dict[Address, Bound] = {}
    for server in servers:
        for listen in server.listens:
            _bind(bound, server, listen)
    return Http(level, servers, bound)


def _bind(table: dict[Address, Bound], server: Server, listen: Listen) -> None:
    bound = table.get(listen.address)
    if bound is None:
        bound = table[listen.address] = Bound(listen.address, listen)
    else:
        bound.listen = msgspec.structs.replace(
            bound.listen,
            tls=bound.listen.tls or listen.tls,
            http2=bound.listen.http2 or listen.http2,
            proxy_protocol=bound.listen.proxy_protocol or listen.proxy_protocol,
            takes_ipv4=bound.listen.takes_ipv4 or listen.takes_ipv4,
        )
    if server not in bound.servers[-1:]:
        bound.servers.append(server)
    if listen.default and bound.default is None:
        bound.default = server


def reached(table: Http, ip: str, port: int) -> Bound | None:
    """The address that takes a connection to `ip:port` on this host: the very one, else the wildcard of its family."""
    if (exact := table.bound.get(Address(ip, port))) is not None:
        return exact
    if ":" in ip:
        return table.bound.get(Address(WILDCARD6, port))
    if (wildcard := table.bound.get(Address(WILDCARD, port))) is not None:
        return wildcard
    both = table.bound.get(Address(WILDCARD6, port))
    return both if both is not None and both.listen.takes_ipv4 else None


def listeners(configuration: Configuration) -> tuple[Listener, ...]:
    """All addresses that nginx would listen on, in file order."""
    return tuple(_shown(bound) for bound in http(configuration).bound.values())


def _shown(bound: Bound) -> Listener:
    return bound.listen.shown()


def each_listen(configuration: Configuration) -> Iterator[tuple[Server, Listen]]:
    """Every `listen` of every server."""
    for server in http(configuration).servers:
        for listen in server.listens:
            yield server, listen
