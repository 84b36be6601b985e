"""Where a request is passed to: `upstream` groups, and the addresses and names that stand in a target itself.

Owns how a target is taken apart (ngx_parse_url) and when it means a group (ngx_http_upstream_add). May not know why
a request is passed there.
"""

from __future__ import annotations

import msgspec

from wizard.gateways.nginx.levels import Level
from wizard.gateways.nginx.listen import canonical_ip
from wizard.gateways.nginx.locations import PASSES
from wizard.gateways.nginx.servers import http
from wizard.gateways.nginx.templates import constant
from wizard.gateways.nginx.tree import Configuration, Directive, every
from wizard.gateways.nginx.values import seconds, whole
from wizard.model import Place, Role, Server, Upstream

_BALANCERS = frozenset({"least_conn", "ip_hash", "hash", "random", "least_time", "sticky", "fair"})
_SCHEMES = ("https://", "http://", "grpcs://", "grpc://", "suwsgi://", "uwsgi://")
_PORTS = {"http": 80, "https": 443}


class Destination(msgspec.Struct, frozen=True):
    """A target taken apart. `host` is a name, an IP (IPv6 in brackets) or `unix:/path`; `port` None: none is named."""

    scheme: str
    host: str
    port: int | None
    uri: str

    @property
    def unix(self) -> bool:
        """Whether it is a unix socket."""
        return self.host.startswith("unix:")

    @property
    def tls(self) -> bool:
        """Whether TLS is spoken to it."""
        return self.scheme in {"https", "grpcs", "suwsgi"}

    @property
    def default_port(self) -> int | None:
        """The port where none is named; None where one has to be."""
        return _PORTS.get(self.scheme)

    @property
    def authority(self) -> str:
        """$proxy_host: the host, and its port where it is not the scheme's own."""
        if self.unix:
            return "localhost"
        return self.host if self.port in {None, self.default_port} else f"{self.host}:{self.port}"

    @property
    def address(self) -> str:
        """The address with its port."""
        port = self.port or self.default_port
        return self.host if self.unix or port is None else f"{self.host}:{port}"

    @property
    def name(self) -> str | None:
        """The host name, where it is one."""
        return None if self.unix or canonical_ip(self.host) else self.host


def destination(kind: str, text: str) -> Destination | None:
    """Take the value of a `*_pass` directive apart; None where nginx would refuse it.

    Args:
        kind: what speaks to it: proxy, fastcgi, uwsgi, scgi, grpc or memcached.
        text: the value, variables filled in.
    """
    scheme = next((one for one in _SCHEMES if text[:9].lower().startswith(one)), "")
    allowed = {"proxy": ("http", "https"), "grpc": ("grpc", "grpcs", ""), "uwsgi": ("uwsgi", "suwsgi", "")}
    bare = scheme.removesuffix("://")
    if bare not in allowed.get(kind, ("",)):
        return None
    rest = text[len(scheme) :]
    bare = bare or kind
    if rest[:5].lower() == "unix:":
        path, _, uri = rest[5:].partition(":")
        return Destination(bare, f"unix:{path}", None, uri) if path else None
    end = min((at for mark in "/?#" if (at := rest.find(mark)) >= 0), default=len(rest))
    authority, uri = rest[:end], rest[end:]
    if authority.startswith("["):
        host, bracket, port_text = authority.partition("]")
        if not bracket:
            return None
        host += bracket
        port_text = port_text.removeprefix(":") if port_text.startswith(":") else ""
        colon = authority.endswith(f":{port_text}") and port_text != ""
    else:
        host, sign, port_text = authority.partition(":")
        colon = sign != ""
    if not host or (colon and not 0 < whole(port_text, 0) <= 65535):
        return None
    return Destination(bare, host, whole(port_text, 0) if colon else None, uri)


def groups(configuration: Configuration) -> dict[str, Directive]:
    """Every `upstream` block by its lower-case name."""
    return configuration.once(_groups)


def _groups(configuration: Configuration) -> dict[str, Directive]:
    level: Level = http(configuration).level
    found: dict[str, Directive] = {}
    for directive in level.own("upstream"):
        if directive.args and directive.block is not None:
            found.setdefault(directive.args[0].lower(), directive)
    return found


def chosen_by_code(configuration: Configuration, to: Destination) -> Directive | None:
    """The directive by which a group has code choose its server: then those that it lists only fill the place."""
    group = groups(configuration).get(to.host.lower())
    inside = group.block or [] if group is not None else []
    return next((one for one in inside if one.name.startswith("balancer_by_lua")), None)


def resolved_at_start(configuration: Configuration) -> frozenset[tuple[str, int | None]]:
    """Host and port of every constant target: nginx resolved these when it read its configuration."""
    return configuration.once(_constant_targets)


def _constant_targets(configuration: Configuration) -> frozenset[tuple[str, int | None]]:
    found = set()
    for passing in PASSES:
        for directive in every(http(configuration).level.directives, passing):
            value = constant(directive.args[0]) if directive.args else None
            to = destination(passing.removesuffix("_pass"), value) if value else None
            if to is not None and not to.unix:
                found.add((to.host.lower(), to.port or to.default_port))
    return frozenset(found)


def upstream_of(configuration: Configuration, to: Destination, at: Place, *, at_run_time: bool) -> Upstream:
    """The group that a target means, or the single address that it is.

    Args:
        configuration: whose groups are meant.
        to: the target.
        at: where it stands.
        at_run_time: whether it holds variables: then a group with a port named beside it is not meant.
    """
    group = groups(configuration).get(to.host.lower())
    if group is not None and not to.unix and (to.port is None or not at_run_time):
        return _group(configuration, group)
    server = Server(address=to.address, name=to.name, at=at, resolves=at_run_time and to.name is not None)
    return Upstream(name=None, at=at, servers=(server,))


def _group(configuration: Configuration, directive: Directive) -> Upstream:
    made = configuration.once(_made_groups)
    key = directive.args[0].lower()
    if key not in made:
        made[key] = group_of(directive, keepalive=32 if configuration.since(1, 29, 7) else 0)
    return made[key]


def _made_groups(_configuration: Configuration) -> dict[str, Upstream]:
    return {}


def group_of(directive: Directive, *, keepalive: int = 0) -> Upstream:
    """An `upstream` block as a value; `keepalive` is how many connections are kept where it does not say."""
    inside = directive.block or []
    balance = next((inner.name for inner in inside if inner.name in _BALANCERS), "round-robin")
    written = next((inner.args[0] for inner in inside if inner.name == "keepalive" and inner.args), "")
    return Upstream(
        name=directive.args[0],
        at=directive.at,
        servers=tuple(_server(inner) for inner in inside if inner.name == "server" and inner.args),
        keepalive=whole(written, keepalive),
        zone=any(inner.name == "zone" for inner in inside),
        balance=balance.replace("_", "-"),
    )


def _server(directive: Directive) -> Server:
    written, words = directive.args[0], directive.args[1:]
    named = dict(word.split("=", 1) for word in words if "=" in word)
    to = destination("proxy", f"http://{written}")
    role = Role.DOWN if "down" in words else Role.BACKUP if "backup" in words else Role.PRIMARY
    return Server(
        address=to.address if to is not None else written,
        name=to.name if to is not None else None,
        role=role,
        at=directive.at,
        weight=whole(named.get("weight", ""), 1),
        max_fails=whole(named.get("max_fails", ""), 1),
        fail_timeout=seconds(named.get("fail_timeout", ""), 10.0),
        max_conns=whole(named.get("max_conns", ""), 0),
        resolves="resolve" in words,
    )
