"""What follows a message of nginx: who asked, for what, and which upstream was meant.

Owns the fields that `ngx_http_log_error_handler` and its kin of the stream and health check modules write, and where
each ends: a request line and a referrer are the client's words. May not know any message.
"""

from __future__ import annotations

from functools import lru_cache
from sys import intern
from typing import NamedTuple

from wizard.logs.patterns import Pattern
from wizard.logs.upstreams import endpoint, scheme_of

_CHECKED = Pattern(r', health check "[^"]*" of peer (\S+) in upstream "')
_FIELD = Pattern(r', (client|server|login|user|subrequest|upstream|host|referrer): "?')
_CLOSED = Pattern(r'([^"]*+(?:"(?!,|$)[^"]*+)*+)"(?:$|,)')


class Tail(NamedTuple):
    """What follows a message: who asked, for what, and which upstream was meant."""

    client: str | None = None
    server: str | None = None
    request: str | None = None
    upstream: str | None = None
    host: str | None = None
    scheme: str = ""
    subrequest: str | None = None


_NO_TAIL = Tail()


def split(body: str) -> tuple[str, Tail]:
    """A message (with its action), and the fields behind it."""
    message, found, rest = body.partition(", client: ")
    if found:
        return message, _tail(rest)
    message, found, rest = body.partition(", udp client: ")
    if found:
        return message, _tail(rest)
    if (checked := _CHECKED.search(body)) is not None:
        return body[: checked.start()], Tail(upstream=endpoint(checked[1]))
    return body, _NO_TAIL


# The usual shape; every part ends where its own quote ends, so that a match takes one pass. Of the upstream only scheme
# and address are taken: with its path each request would be one of its own.
_USUAL = Pattern(
    r'([^,"]*), server: ([^,"]*)(?:, request: "([^"]*)")?(?:, subrequest: "([^"]*)")?'
    r'(?:, upstream: "((?:[\w+.-]++://)?+(?:unix:[^":]*+|/[^"]*+|[^"/]++)?+)[^"]*+")?'
    r'(?:, host: "([^"]*)")?(?:, referrer: "[^"]*")?'
)


def _tail(rest: str) -> Tail:
    usual = _USUAL.fullmatch(rest)  # what it finds is interned: tens of thousands of lines say the same few words
    if usual is None:
        return _unusual_tail(rest)
    client, server, request, subrequest, upstream, host = usual.groups("")
    address, scheme = _upstream(upstream) if upstream else (None, "")
    return Tail(
        intern(client) or None,
        intern(server) or None,
        intern(request) or None,
        address,
        intern(host) or None,
        scheme,
        subrequest or None,
    )


@lru_cache(maxsize=4096)
def _upstream(printed: str) -> tuple[str | None, str]:
    return endpoint(printed), scheme_of(printed)


def _unusual_tail(rest: str) -> Tail:
    """The fields after `, client: `, in the order in which ngx_http_log_error_handler writes them.

    A request line and a referrer are the client's words, so fields are read from left to right and a quoted value ends
    at the first `", NAME: "` that follows: a URI of a served request holds no space.
    """
    values: dict[str, str] = {}
    name, at = "client", 0
    request = rest.find(', request: "')
    while True:
        if request >= 0 and name in {"client", "server", "login", "user"}:
            following = _FIELD.search(rest, at, request)
            if following is None:
                values.setdefault(name, rest[at:request])
                name, at, request = "request", request + len(', request: "'), -1
                continue
        else:
            following = _FIELD.search(rest, at)
        if following is None:
            last = rest[at:]
            if name == "server":
                values.setdefault(name, last)
            elif (closed := _CLOSED.match(last)) is not None:
                values.setdefault(name, closed[1])  # an unclosed value is cut off
            break
        values.setdefault(name, rest[at : following.start()].removesuffix('"'))
        name, at = following[1], following.end()
    upstream = values.get("upstream", "").partition('"')[0]
    address, scheme = _upstream(upstream) if upstream else (None, "")
    return Tail(
        client=values.get("client", "").partition(",")[0] or None,
        server=values.get("server") or None,
        request=values.get("request") or None,
        upstream=address,
        host=values.get("host") or None,
        scheme=scheme,
        subrequest=values.get("subrequest") or None,
    )
