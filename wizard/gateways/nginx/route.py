"""Which listener, server, location and upstream take a URL, as nginx itself would decide it.

Owns the order of the decisions up to the phases: the connection, the name in the TLS handshake, the request line, the
Host header. May not ask the machine anything: what files there are is passed in.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from wizard.gateways.nginx.agreement import Taken, agreed
from wizard.gateways.nginx.connection import caseless_name, connection, taken_elsewhere
from wizard.gateways.nginx.flow import Result, follow, refuse
from wizard.gateways.nginx.octets import octets
from wizard.gateways.nginx.report import reported, undecided
from wizard.gateways.nginx.request import Choices, Exists, Request, Undecided, walks
from wizard.gateways.nginx.rewrite import Answer
from wizard.gateways.nginx.servers import Bound, http
from wizard.gateways.nginx.tree import Configuration, every
from wizard.gateways.nginx.uri import BadUrlError, Target, normalised, target, valid_host
from wizard.model import Instance, Route
from wizard.text import one_line

MAX_OTHERS = 3
DEFAULT_HEADERS: Mapping[str, str] = {"User-Agent": "gateway-wizard", "Accept": "*/*"}


class _Asked(msgspec.Struct, frozen=True):
    """What is the same in every walk of one request."""

    configuration: Configuration
    to: Target
    bound: Bound
    local: str
    method: str
    headers: Mapping[str, str]
    client: str | None
    exists: Exists | None
    internal: bool


def route(
    configuration: Configuration,
    instance: Instance,
    url: str,
    *,
    address: str | None = None,
    method: str = "GET",
    headers: Mapping[str, str] | None = None,
    client: str | None = None,
    exists: Exists | None = None,
    internal: bool = False,
) -> Route | None:
    """The way of one request.

    Args:
        configuration: what nginx reads.
        instance: the gateway, as it is reported.
        url: an http or https URL; without a scheme http is meant.
        address: what is connected to, where it is not what the URL says: `ip`, `ip:port` or `unix:/path`.
        method: the request's method.
        headers: its headers; those of a plain client where not given, and Host from the URL where it is not among them.
        client: the client's address; None: a client on this host, except that it is let in where clients are told apart.
        exists: which files there are: asked with a full path for a file, and with a path that ends with a slash for a
            folder; None where it is not known.
        internal: nginx makes the request itself (a sub-request), so that `internal` locations take it.

    Returns:
        The route, with reasons in `undecided` where the configuration alone does not decide. None where no listener
        takes the URL, or where it is none.
    """
    try:
        to = target(url)
    except BadUrlError:
        return None
    sent = {key.lower(): value for key, value in (DEFAULT_HEADERS if headers is None else headers).items()}
    authority = sent.setdefault("host", to.authority)
    host = valid_host(octets(authority)) or ""
    connected = connection(http(configuration), to, host, address)
    if connected is None:
        return None
    asked = _Asked(configuration, to, *connected, method.upper(), sent, client, exists, internal)
    routes: list[tuple[Route, Taken]] = []
    cut = False
    for made, choices in walks(lambda choices: _walk(asked, instance, url, choices)):
        routes.append((made, tuple((reason, words) for _, _, reason, words in choices.taken)))
        cut = choices.next_script() is not None
    made = agreed(routes, cut=cut)
    if unread := _unread(configuration, made):
        made = msgspec.structs.replace(made, undecided=(*made.undecided, *unread))
    others = {} if address is not None else taken_elsewhere(http(configuration), to, host, connected[0])
    told = [
        f"a client that comes to {bound.address} is taken by another server ({it.at})" for bound, it in others.items()
    ]
    return msgspec.structs.replace(made, steps=(*made.steps, *told[:MAX_OTHERS])) if told else made


def _unread(configuration: Configuration, made: Route) -> list[str]:
    """What could not be read beside or inside the server that was chosen: it may hold another server, or location."""
    table = http(configuration)
    inside = [server.directive.block or [] for server in table.servers if server.at == made.virtual_host.at]
    left = [*table.level.own("include"), *(one for block in inside for one in every(block, "include"))]
    return [
        f"not all of {one_line(' '.join(one.args))} could be read ({one.at}): it may decide otherwise" for one in left
    ]


def _walk(asked: _Asked, instance: Instance, url: str, choices: Choices) -> Route:
    bound, to = asked.bound, asked.to
    first = bound.default or bound.servers[0]
    request = Request(
        configuration=asked.configuration,
        bound=bound,
        server=first,
        level=first.level,
        choices=choices,
        method=asked.method,
        tls=to.tls,
        host="",
        headers=asked.headers,
        line=f"{asked.method} {to.target} HTTP/1.1",
        client=asked.client or _own_address(asked.local),
        local=(asked.local, bound.address.port),
        exists=asked.exists,
        client_given=asked.client is not None,
        internal=asked.internal,
    )
    try:
        return reported(request, instance, url, _result(request, to))
    except Undecided as reason:
        return undecided(request, instance, url, str(reason))


def _own_address(local: str) -> str:
    """The source address of a connection that this host makes to one of its own addresses."""
    if local.startswith("unix:"):
        return "unix:"
    return "127.0.0.1" if local.startswith("127.") else local


def _result(request: Request, to: Target) -> Result:
    """Choose the server, understand the target, and follow the request."""
    if to.tls and to.ip is None:
        # The name in the handshake chooses the server that reads the request line.
        _choose(request, octets(to.host).removesuffix("."))
        request.captures, request.values = (), {}
        rejecting = request.server.level.nearest("ssl_reject_handshake")
        if rejecting is not None and request.server.level.flag("ssl_reject_handshake"):
            request.step(f"the TLS handshake is rejected ({rejecting.at})")
            return Answer(444, None, rejecting.at, final=True)
    merge_slashes = request.server.level.flag("merge_slashes", default=True)
    uri = normalised(to.target, merge_slashes=merge_slashes)
    sent, request.headers = request.headers, {}
    if uri is None:
        return refuse(request, 400)
    request.unparsed, request.uri, request.args = uri.unparsed, uri.path, uri.args
    request.quoted, request.plus = uri.quoted, uri.plus
    host = valid_host(octets(sent["host"]))
    if host is None:
        # Host is the first header that clients send: nothing behind it has been read.
        request.headers = {"host": sent["host"]}
        return refuse(request, 400)
    request.host, request.headers = host, sent
    _choose(request, host)
    if request.bound.listen.tls and not to.tls:
        return refuse(request, 497)
    return follow(request)


def _choose(request: Request, host: str) -> None:
    """Let the server that takes a host hold, and what its pattern captured."""

    def matches(source: str) -> bool:
        return request.regex(source, host, None, caseless=caseless_name(source))

    request.server, request.host_name, request.host_matched = request.bound.find(host, matches)
    request.level = request.server.level
    if len(request.bound.servers) == 1 and not request.server.captures_host:
        # nginx tries the names of a lone server only for the sake of their captures.
        request.captures, request.values = (), {}
