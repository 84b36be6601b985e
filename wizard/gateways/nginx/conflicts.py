"""What nginx refuses although every directive alone is well formed: doubles, targets without a scheme, lost nesting.

Owns the checks that need no more than the configuration itself, in nginx's own words (nginx 1.22). May not ask the
machine: names that do not resolve and certificates that are missing are found elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterator

from wizard.gateways.nginx.levels import Kind
from wizard.gateways.nginx.locations import PASSES, LocationLevel, Match
from wizard.gateways.nginx.rewrite import OPERATORS, condition_words
from wizard.gateways.nginx.servers import Server, http
from wizard.gateways.nginx.templates import constant
from wizard.gateways.nginx.tree import Configuration, Directive, every
from wizard.gateways.nginx.upstreams import destination
from wizard.model import Broken
from wizard.text import one_line

MAX_PROBLEMS = 20
_SCHEMES = {"proxy_pass": ("http://", "https://")}


def conflicts(configuration: Configuration) -> list[Broken]:
    """What nginx would refuse in the http level; empty where it would accept it, as far as the text tells."""
    found: list[Broken] = []
    for problem in _all(configuration):
        found.append(problem)
        if len(found) >= MAX_PROBLEMS:
            break
    return found


def _all(configuration: Configuration) -> Iterator[Broken]:
    table = http(configuration)
    for single in ("http", "events"):
        yield from (_broken(double, f'"{single}" directive is duplicate') for double in configuration.all(single)[1:])
    seen: dict[str, Directive] = {}
    for group in table.level.own("upstream"):
        if not group.args:
            continue
        name = group.args[0].lower()
        if name in seen:
            yield _broken(group, f'duplicate upstream "{one_line(group.args[0])}"')
        elif not group.all("server"):
            yield _broken(group, "no servers are inside upstream")
        seen.setdefault(name, group)
    defaults: set[object] = set()
    for server in table.servers:
        yield from _doubles(server, defaults)
        yield from _locations(server.level)
        yield from _targets(server, seen)
        yield from _conditions(server.directive)


def _conditions(server: Directive) -> Iterator[Broken]:
    for directive in every(server.block or [], "if"):
        words = condition_words(directive)
        if len(words) == 3 and words[0].startswith("$") and words[1] not in OPERATORS:
            yield _broken(directive, f'unexpected "{one_line(words[1])}" in condition')


def _doubles(server: Server, defaults: set[object]) -> Iterator[Broken]:
    own: set[object] = set()
    for listen in server.listens:
        if listen.address in own:
            yield Broken(f"a duplicate listen {listen.address}", listen.at)
        own.add(listen.address)
        if listen.default:
            if listen.address in defaults:
                yield Broken(f"a duplicate default server for {listen.address}", listen.at)
            defaults.add(listen.address)


def _locations(around: LocationLevel) -> Iterator[Broken]:
    names: set[tuple[bool, str]] = set()
    for directive in around.own("location"):
        if not directive.args or directive.block is None:
            continue
        inner = LocationLevel(Kind.LOCATION, directive, around)
        shown = one_line(inner.text)
        nested = around.match is not Match.NONE
        if nested and around.match is Match.EXACT:
            yield _broken(
                directive, f'location "{shown}" cannot be inside the exact location "{one_line(around.text)}"'
            )
        elif nested and around.match is Match.NAMED:
            yield _broken(
                directive, f'location "{shown}" cannot be inside the named location "{one_line(around.text)}"'
            )
        elif nested and inner.match is Match.NAMED:
            yield _broken(directive, f'named location "{shown}" can be on the server level only')
        elif nested and inner.match is not Match.REGEX and not inner.name.startswith(around.name):
            yield _broken(directive, f'location "{shown}" is outside location "{one_line(around.text)}"')
        key = (inner.match is Match.EXACT, inner.name)
        if inner.match not in {Match.REGEX, Match.NAMED} and key in names:
            yield _broken(directive, f'duplicate location "{shown}"')
        names.add(key)
        yield from _locations(inner)
        yield from _uri_parts(inner)


def _uri_parts(location: LocationLevel) -> Iterator[Broken]:
    """A path behind the host of a target needs a prefix that it replaces."""
    plain = location.match in {Match.PREFIX, Match.FINAL_PREFIX, Match.EXACT}
    inside = [] if not plain else [*location.own("if"), *location.own("limit_except")]
    tested = [one for block in inside for one in every(block.block or [], "proxy_pass")]
    tested += [] if plain else location.own("proxy_pass")
    for directive in tested:
        value = constant(directive.args[0]) if directive.args else None
        to = destination("proxy", value) if value else None
        if to is not None and to.uri:
            what = (
                '"proxy_pass" cannot have URI part in location given by regular expression, or inside named location, '
                'or inside "if" statement, or inside "limit_except" block'
            )
            yield _broken(directive, what)


def _targets(server: Server, groups: dict[str, Directive]) -> Iterator[Broken]:
    for name in PASSES:
        for directive in every(server.directive.block or [], name):
            value = constant(directive.args[0]) if directive.args else None
            if value is None:
                continue
            schemes = _SCHEMES.get(name)
            if schemes is not None and not value.lower().startswith(schemes):
                yield _broken(directive, "invalid URL prefix", "the target needs http:// or https:// in front")
                continue
            to = destination(name.removesuffix("_pass"), value)
            if to is None:
                yield _broken(directive, _bad_target(value))
            elif to.host.lower() in groups and to.port is not None and not to.unix:
                yield _broken(directive, f'upstream "{one_line(to.host)}" may not have port {to.port}')
            elif to.host.lower() not in groups and not to.unix and to.port is None and to.default_port is None:
                yield _broken(directive, f'no port in upstream "{one_line(to.host)}"')


def _bad_target(value: str) -> str:
    scheme, mark, rest = value.partition("://")
    target = rest if mark and scheme.lower() in {"http", "https", "grpc", "grpcs", "uwsgi", "suwsgi"} else value
    if target.startswith("unix:"):
        return f'no path in the unix domain socket in upstream "{one_line(target)}"'
    host, colon, _ = target.partition(":")
    if not host:
        return f'no host in upstream "{one_line(target)}"'
    wrong = "host" if target.startswith("[") or not colon else "port"
    return f'invalid {wrong} in upstream "{one_line(target)}"'


def _broken(directive: Directive, what: str, hint: str = "") -> Broken:
    return Broken(what, directive.at, hint)
