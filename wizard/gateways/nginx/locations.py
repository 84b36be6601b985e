"""Locations: how they are written, how they nest, and which one takes a URI.

Owns the search of ngx_http_core_find_location (nginx 1.22), including what is easily got wrong: `^~` only spares the
regexes of its own level; a nested search ends the outer one only with an exact match; a URI that lacks just the last
slash of a proxied location is redirected before any regex is tried. May not know what a location does.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Final

from wizard.gateways.nginx.levels import Kind, Level
from wizard.gateways.nginx.octets import octets
from wizard.gateways.nginx.templates import variables
from wizard.gateways.nginx.tree import Directive
from wizard.model import Location

PASSES: Final = ("proxy_pass", "fastcgi_pass", "uwsgi_pass", "scgi_pass", "grpc_pass", "memcached_pass")


class Match(StrEnum):
    """How a location is meant to be matched."""

    PREFIX = "prefix"
    EXACT = "exact"
    FINAL_PREFIX = "final prefix"  # ^~
    REGEX = "regex"
    NAMED = "named"
    NONE = "none"  # the server itself


class LocationLevel(Level):
    """A location with the locations inside it; also the server itself, whose locations these are."""

    __slots__ = ("by_name", "caseless", "exact", "lengths", "limit_except", "match", "name", "named", "regexes", "text")

    def __init__(self, kind: Kind, directive: Directive, outer: Level | None) -> None:
        super().__init__(kind, directive.block or [], directive.at, outer)
        self.match, self.caseless, self.text = _written(directive) if kind is Kind.LOCATION else (Match.NONE, False, "")
        self.name = octets(self.text)
        self.exact: dict[str, LocationLevel] = {}
        self.by_name: dict[str, LocationLevel] = {}
        self.regexes: list[LocationLevel] = []
        self.named: dict[str, LocationLevel] = {}
        for inner in self.own("location"):
            if not inner.args or inner.block is None:
                continue
            self._add(LocationLevel(Kind.LOCATION, inner, self))
        self.lengths = sorted({len(name) for name in self.by_name}, reverse=True)
        excepts = self.own("limit_except") if kind is Kind.LOCATION else []
        self.limit_except = Level(Kind.LIMIT_EXCEPT, excepts[0].block or [], excepts[0].at, self) if excepts else None

    def _add(self, inner: LocationLevel) -> None:
        if inner.match is Match.REGEX:
            self.regexes.append(inner)
            return
        table = {Match.EXACT: self.exact, Match.NAMED: self.named}.get(inner.match, self.by_name)
        table.setdefault(inner.name, inner)

    @property
    def redirects_to_slash(self) -> bool:
        """Whether a URI that lacks only the last slash of this name is answered with a redirect (auto_redirect)."""
        if not self.name.endswith("/"):
            return False
        for passing in PASSES:
            for directive in self.own(passing):
                # Two of the modules leave the redirect out where their target holds variables.
                late = passing in {"uwsgi_pass", "scgi_pass"} and directive.args and variables(directive.args[0])
                if not late:
                    return True
        return False

    @property
    def internal(self) -> bool:
        """Whether only internal redirects reach it."""
        return self.nearest("internal") is not None

    def methods_excepted(self, method: str) -> bool:
        """Whether `limit_except` takes this method out of the location."""
        if self.limit_except is None:
            return False
        allowed = {word.upper() for word in self.own("limit_except")[0].args}
        if "GET" in allowed:
            allowed.add("HEAD")
        return method.upper() not in allowed

    def shown(self) -> Location:
        """As it is reported."""
        mark = ("~* " if self.caseless else "~ ") if self.match is Match.REGEX else ""
        matched = Match.PREFIX if self.match is Match.FINAL_PREFIX else self.match
        return Location(pattern=mark + self.text, matched=matched.value, at=self.at)


def _written(directive: Directive) -> tuple[Match, bool, str]:
    """How it is matched, whether case is ignored, and the name or pattern."""
    args = directive.args
    if len(args) > 1:
        mark, name = args[0], args[1]
    else:
        mark = next((mark for mark in ("=", "^~", "~*", "~") if args[0].startswith(mark)), "")
        name = args[0][len(mark) :]
    if mark in {"~", "~*"}:
        return Match.REGEX, mark == "~*", name
    if mark == "=":
        return Match.EXACT, False, name
    if mark == "^~":
        return Match.FINAL_PREFIX, False, name
    return (Match.NAMED if name.startswith("@") and not mark else Match.PREFIX), False, name


class Found(StrEnum):
    """How the search ended."""

    EXACT = "exact"
    REDIRECT = "redirect"
    PREFIX = "prefix"
    NOTHING = "nothing"


RegexTest = Callable[[LocationLevel], bool]


def find(server: LocationLevel, uri: str, matches: RegexTest) -> tuple[LocationLevel, Found]:
    """The location that takes a URI, and how the search ended.

    Args:
        server: the server's own level; it stands for itself where no location takes the URI.
        uri: the normalised path, one character a byte.
        matches: tests one regex location against the URI, and keeps what it captured.
    """
    return _find(server, uri, matches, server)


def _find(around: LocationLevel, uri: str, matches: RegexTest, found: LocationLevel) -> tuple[LocationLevel, Found]:
    ended = Found.NOTHING
    regexes_spared = False
    static, how = _find_static(around, uri)
    if static is not None:
        found = static
    if how is Found.PREFIX and static is not None:
        regexes_spared = static.match is Match.FINAL_PREFIX
        found, ended = _find(static, uri, matches, static)
    else:
        ended = how
    if ended in {Found.EXACT, Found.REDIRECT} or regexes_spared:
        return found, ended
    for regex in around.regexes:
        if matches(regex):
            found, _ = _find(regex, uri, matches, regex)
            return found, Found.EXACT
    return found, ended


def _find_static(around: LocationLevel, uri: str) -> tuple[LocationLevel | None, Found]:
    if (exact := around.exact.get(uri)) is not None:
        return exact, Found.EXACT
    if (same := around.by_name.get(uri)) is not None:
        return same, Found.PREFIX
    with_slash = uri + "/"
    candidates = (around.exact.get(with_slash), around.by_name.get(with_slash))
    if any(one is not None and one.redirects_to_slash for one in candidates):
        return next(one for one in candidates if one is not None), Found.REDIRECT
    for length in around.lengths:
        if length < len(uri) and (prefix := around.by_name.get(uri[:length])) is not None:
            return prefix, Found.PREFIX
    return None, Found.NOTHING
