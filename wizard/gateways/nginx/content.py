"""What answers in the end: an upstream, a file, or nginx itself; and the redirects inside nginx on the way there.

Owns `try_files`, `index`, static files and the content handlers (ngx_http_try_files_module.c, ngx_http_index_module.c,
ngx_http_static_module.c of nginx 1.22). May not know how the location was found.
"""

from __future__ import annotations

from enum import Enum, auto

import msgspec

from wizard.gateways.nginx.levels import Kind, Level
from wizard.gateways.nginx.locations import PASSES
from wizard.gateways.nginx.octets import escape_uri, said, unknown_in
from wizard.gateways.nginx.paths import aliased, document_root, path_for
from wizard.gateways.nginx.request import Request, Undecided
from wizard.gateways.nginx.rewrite import Answer, enter, handler_of
from wizard.gateways.nginx.templates import variables
from wizard.gateways.nginx.tree import Directive
from wizard.gateways.nginx.upstreams import Destination, chosen_by_code, destination
from wizard.gateways.nginx.values import whole
from wizard.gateways.nginx.variables import fill, value_of
from wizard.model import Place


class Stage(Enum):
    """Where in the phases a request goes on."""

    SERVER = auto()
    FIND = auto()
    NAMED = auto()


class Jump(msgspec.Struct, frozen=True):
    """An internal redirect: go on from this stage."""

    stage: Stage


class Passed(msgspec.Struct, frozen=True):
    """Passed on to an upstream: by which protocol, the directive, and its target with variables filled in."""

    kind: str
    directive: Directive
    value: str
    to: Destination
    at_run_time: bool


class Served(msgspec.Struct, frozen=True):
    """Answered by nginx from files, or by one of its own handlers."""

    path: str | None
    at: Place | None
    status: int | None = 200


_OWN_ANSWERS = frozenset({"stub_status", "empty_gif", "flv", "mp4", "hls", "f4f"})
_READ_ONLY = frozenset({*_OWN_ANSWERS, "memcached_pass"})
_WITH_FILES = frozenset({"GET", "HEAD", "POST"})


def internal_redirect(request: Request, uri: str, args: str) -> Answer | Jump:
    """Go on with another URI and arguments from the start of the server (ngx_http_internal_redirect)."""
    request.changes -= 1
    if request.changes == 0:
        return Answer(500, None, request.level.at)
    request.uri, request.args = uri, args
    request.internal = True
    request.valid_unparsed = False
    request.add_uri_to_alias = False
    return Jump(Stage.SERVER)


def redirect_to(request: Request, to: str) -> Answer | Jump:
    """Go on with a URI that may hold arguments behind its first question mark."""
    uri, _, args = to.partition("?")
    return internal_redirect(request, uri, args)


def named(request: Request, name: str) -> Answer | Jump:
    """Go on in a named location (ngx_http_named_location)."""
    request.changes -= 1
    if request.changes == 0 or not request.uri:
        return Answer(500, None, request.level.at)
    location = request.server.level.named.get(name)
    if location is None:
        return Answer(500, None, request.level.at)
    request.internal = True
    request.handler = None
    request.uri_changed = False
    request.location = location
    enter(request, location)
    return Jump(Stage.NAMED)


def try_files(request: Request) -> Answer | Jump | None:
    """Look for files in turn; None where the request goes on as it is, or with the file that was found."""
    directives = request.level.own("try_files")
    if not directives or len(directives[0].args) < 2:
        return None
    directive = directives[0]
    *candidates, last = directive.args
    replaced = aliased(request, fill)
    whole_path = path_for(request, request.uri, fill)
    if whole_path is None:
        return Answer(500, None, directive.at)
    root = document_root(request, fill)
    for source in candidates:
        folder = source.endswith("/")
        name = fill(request, source[:-1] if folder else source)
        below = name[replaced:] if replaced and name.startswith(request.uri[:replaced]) else name
        if not (request.folder(root + below) if folder else request.file(root + below)):
            continue
        if replaced == 0:
            request.uri = name
        elif replaced is not None:
            request.uri = request.uri[:replaced] + below
        elif not folder:
            request.uri = name
            request.add_uri_to_alias = True
        return None
    if last.startswith("="):
        return Answer(whole(last[1:], 404), None, directive.at, file=whole_path)
    to = fill(request, last)
    request.step(f"try_files leads to {said(to)} ({directive.at})")
    return named(request, to) if to.startswith("@") else redirect_to(request, to)


def content(request: Request) -> Answer | Jump | Passed | Served:
    """What answers, or where it goes on."""
    handler = None if request.handler is None else handler_of(request.handler)
    if handler is None:
        return _files(request)
    if handler.name in _READ_ONLY and request.method not in {"GET", "HEAD"}:
        return Answer(405, None, handler.at)
    if handler.name in PASSES:
        return _passed(request, handler)
    if handler.name in _OWN_ANSWERS:
        return Served(None, handler.at)
    raise Undecided(f"{handler.name} answers with code of its own ({handler.at})")


def _passed(request: Request, handler: Directive) -> Answer | Passed:
    directive = _target(request.level, handler.name)
    if directive is None or not directive.args:
        return Answer(500, None, handler.at)
    kind = handler.name.removesuffix("_pass")
    if kind == "memcached" and not value_of(request, "memcached_key"):
        return Answer(500, None, directive.at)
    value = fill(request, directive.args[0])
    to = destination(kind, value)
    if unknown_in(value if to is None else f"{to.scheme}{to.host}{to.port}"):
        raise Undecided(f"the target at {directive.at} depends on {request.choices.why(value)}")
    if to is None:
        request.step(f"{directive.name} has no valid target: {said(value)} ({directive.at})")
        return Answer(500, None, directive.at)
    if (code := chosen_by_code(request.configuration, to)) is not None:
        raise Undecided(f"{code.name} chooses the server of {said(to.host)} with code of its own ({code.at})")
    return Passed(kind, directive, value, to, at_run_time=bool(variables(directive.args[0])))


def _target(level: Level, name: str) -> Directive | None:
    """The target that holds on a level: its own, or that of the location around an `if` or a `limit_except`."""
    for around in level.outwards():
        if own := around.own(name):
            return own[-1]
        if around.kind not in {Kind.IF, Kind.LIMIT_EXCEPT}:
            return None
    return None


def _files(request: Request) -> Answer | Jump | Served:
    at = request.level.at
    if request.method not in _WITH_FILES:
        dav = request.level.nearest("dav_methods")
        if dav is not None and request.method in dav.args:
            return Served(path_for(request, request.uri, fill), dav.at, status=None)
        return Answer(405, None, at)
    if request.uri.endswith("/"):
        return _index(request)
    path = path_for(request, request.uri, fill)
    if path is None:
        return Answer(500, None, at)
    if request.file(path):
        return Answer(405, None, at) if request.method == "POST" else Served(path, at)
    if request.folder(path):
        to = escape_uri(request.uri) + "/" + (f"?{request.args}" if request.args else "")
        return Answer(301, to, at, file=path)
    return Answer(404, None, at, file=path)


def _index(request: Request) -> Answer | Jump | Served:
    level = request.level
    names = [name for directive in level.every("index") for name in directive.args] or ["index.html"]
    folder_seen = False
    for source in names:
        name = fill(request, source)
        if name.startswith("/"):
            return internal_redirect(request, name, request.args)
        folder = path_for(request, request.uri, fill)
        if folder is None:
            return Answer(500, None, level.at)
        if request.file(folder + name):
            request.step(f"index leads to {said(request.uri + name)}")
            return internal_redirect(request, request.uri + name, request.args)
        if not folder_seen and not request.folder(folder):
            # An alias without a last slash may name a file, which is no folder to nginx either.
            is_file = not folder.endswith("/") and request.file(folder)
            return Answer(500 if is_file else 404, None, level.at, file=folder)
        folder_seen = True
    if request.method != "POST" and (level.flag("autoindex") or level.flag("random_index")):
        return Served(path_for(request, request.uri, fill), level.at)
    return Answer(403, None, level.at, file=path_for(request, request.uri, fill))
