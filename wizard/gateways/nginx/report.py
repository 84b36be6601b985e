"""The result of the phases in the words of the field: a `Route` with its action, upstream and settings.

Owns which request target an upstream is sent (ngx_http_proxy_create_request), and when a name is looked up while nginx
runs. May not know how the result was reached.
"""

from __future__ import annotations

import msgspec

from wizard.gateways.nginx.content import Passed, Served
from wizard.gateways.nginx.flow import Result, error_pages
from wizard.gateways.nginx.logs import logs_at
from wizard.gateways.nginx.octets import escape_uri, said, text_of, unknown_in
from wizard.gateways.nginx.request import Request
from wizard.gateways.nginx.rewrite import CLOSES
from wizard.gateways.nginx.settings import proxying
from wizard.gateways.nginx.upstreams import resolved_at_start, upstream_of
from wizard.gateways.nginx.variables import fill
from wizard.model import Action, ActionKind, Instance, Listener, Location, Logs, Route

_UPSTREAM_ERRORS = frozenset({502, 503, 504})


def reported(request: Request, instance: Instance, url: str, result: Result) -> Route:
    """A route from a request that was followed to its end."""
    if isinstance(result, Passed):
        return _passed(request, instance, url, result)
    if isinstance(result, Served):
        to = None if result.path is None else text_of(result.path)
        status = result.status and (request.error_status or result.status)
        return _route(request, instance, url, Action(ActionKind.STATIC, to, result.at, status))
    if result.file is not None:
        return _route(request, instance, url, Action(ActionKind.STATIC, text_of(result.file), result.at, result.status))
    to = None if result.to is None else text_of(result.to)
    sent = request.error_status if result.final and result.status not in CLOSES else None
    return _route(request, instance, url, Action(ActionKind.RETURN, to, result.at, sent or result.status))


def undecided(request: Request, instance: Instance, url: str, reason: str) -> Route:
    """A route that could not be followed to its end, as far as it went."""
    made = _route(request, instance, url, Action(ActionKind.UNDECIDED, None, request.level.at))
    return msgspec.structs.replace(made, undecided=(reason,))


def _route(request: Request, instance: Instance, url: str, action: Action) -> Route:
    server, location = request.server, request.location
    return Route(
        gateway=instance,
        url=url,
        listener=_listener(request),
        virtual_host=server.shown(request.host_name, request.host_matched),
        location=location.shown() if location is not None else Location("", "none", server.at),
        action=action,
        logs=_logs(request),
        auth_request=None if request.auth_request is None else text_of(request.auth_request),
        steps=tuple(request.steps),
    )


def _logs(request: Request) -> Logs:
    """The logs of a request; a path with variables is filled in as far as they are known."""
    logs = logs_at(request.configuration, request.level)
    if logs.access is None or "$" not in logs.access:
        return logs
    path = fill(request, logs.access)
    return logs if unknown_in(path) else msgspec.structs.replace(logs, access=text_of(path))


def _listener(request: Request) -> Listener:
    """The address, at the place where the server that answers names it."""
    bound = request.bound
    own = next((one for one in request.server.listens if one.address == bound.address), bound.listen)
    return msgspec.structs.replace(bound.listen.shown(), at=own.at)


def _passed(request: Request, instance: Instance, url: str, passed: Passed) -> Route:
    configuration, to, at = request.configuration, passed.to, passed.directive.at
    upstream = upstream_of(configuration, to, at, at_run_time=passed.at_run_time)
    named = passed.at_run_time and upstream.name is None and to.name is not None
    if named and (to.host.lower(), to.port or to.default_port) in resolved_at_start(configuration):
        named = False
    sent = sent_uri(request, passed.kind, to.uri, at_run_time=passed.at_run_time)
    decided = len(request.steps)
    settings = proxying(request, passed.kind, passed.directive, to, sent, named=named)
    del request.steps[decided:]  # what the headers for the upstream depend on decides nothing
    _note_error_pages(request)
    kind = ActionKind.PROXY if passed.kind == "memcached" else ActionKind(passed.kind)
    made = _route(request, instance, url, Action(kind, text_of(passed.value), at))
    return msgspec.structs.replace(made, upstream=upstream, proxying=settings)


def _note_error_pages(request: Request) -> None:
    for page in error_pages(request):
        codes = [str(code) for code in page.statuses if code in _UPSTREAM_ERRORS]
        if codes:
            request.step(f"on {', '.join(codes)} error_page leads to {said(page.to)}")


def sent_uri(request: Request, kind: str, uri: str, *, at_run_time: bool) -> str:
    """The request target that an upstream gets.

    Args:
        request: the request as it is passed on.
        kind: proxy, fastcgi, uwsgi, scgi, grpc or memcached.
        uri: what stands behind the host in the target.
        at_run_time: whether the target holds variables; then that part is sent as it is.
    """
    arguments = f"?{request.args}" if request.args else ""
    if kind == "proxy" and at_run_time and uri:
        return f"/{uri}" if uri.startswith("?") else uri
    if kind not in {"proxy", "grpc"}:
        return request.unparsed
    if not uri and request.valid_unparsed:
        return request.unparsed
    replaced = 0
    if request.valid_location and uri and request.location is not None:
        replaced = len(request.location.name)
    rest = request.uri[replaced:]
    if request.quoted or request.internal:
        rest = escape_uri(rest)
    return (uri if request.valid_location else "") + rest + arguments
