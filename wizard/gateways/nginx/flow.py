"""The phases of nginx: from a server to what answers, through rewrites, redirects, `try_files` and `error_page`.

Owns their order (ngx_http_core_module.c, ngx_http_special_response.c of nginx 1.22). May not know how a result is
reported.
"""

from __future__ import annotations

import msgspec

from wizard.gateways.nginx.access import refused
from wizard.gateways.nginx.content import Jump, Passed, Served, Stage, content, named, redirect_to, try_files
from wizard.gateways.nginx.locations import Found, LocationLevel, find
from wizard.gateways.nginx.octets import escape_uri, said, unknown_in
from wizard.gateways.nginx.request import MAX_CHANGES, Request, Undecided
from wizard.gateways.nginx.rewrite import REDIRECTS, Answer, enter, rewrites
from wizard.gateways.nginx.values import whole
from wizard.gateways.nginx.variables import fill

Result = Answer | Passed | Served

_SHOWN_AS_400 = frozenset({494, 495, 496, 497})


def follow(request: Request) -> Result:
    """What answers a request; it has been changed in place to what it was then.

    Raises:
        Undecided: the way cannot be followed to its end.
    """
    return _from(request, Jump(Stage.SERVER))


def refuse(request: Request, status: int) -> Result:
    """What answers where nginx refuses a request before it looks for a location (400, 497)."""
    after = _special(request, Answer(status, None, None))
    return _from(request, after) if isinstance(after, Jump) else after


def _from(request: Request, jump: Jump) -> Result:
    while True:
        result = _phases(request, jump.stage)
        if isinstance(result, Answer) and not result.final:
            result = _special(request, result)
        if not isinstance(result, Jump):
            return result
        jump = result


def _phases(request: Request, stage: Stage) -> Result | Jump:
    server = request.server.level
    if stage is Stage.SERVER:
        request.level = server
        request.valid_location = True
        if (answer := rewrites(request, server)) is not None:
            return answer
    while True:
        if stage is not Stage.NAMED:
            stopped = _find(request)
            if stopped is not None:
                return stopped
        if request.level is not server and (answer := rewrites(request, request.level)) is not None:
            return answer
        if not request.uri_changed:
            break
        stage = Stage.FIND
        request.changes -= 1
        if request.changes == 0:
            return Answer(500, None, request.level.at)
        request.level = server
    if not request.subrequest and (denied := refused(request) or _barred(request)) is not None:
        return denied
    tried = try_files(request)
    return content(request) if tried is None else tried


def _barred(request: Request) -> Answer | None:
    """What becomes of a request whose `auth_request` nginx answers itself; None where it lets pass, or an upstream decides.

    An answer of 2xx lets the request pass, 401 and 403 are passed on, and any other is a 500
    (ngx_http_auth_request_module.c).
    """
    asked = request.level.nearest("auth_request")
    if request.auth_request is None or asked is None:
        return None
    uri, _, args = request.auth_request.partition("?")
    inner = msgspec.structs.replace(
        request,
        uri=uri,
        args=args,
        method="GET",
        internal=True,
        subrequest=True,
        changes=MAX_CHANGES,
        steps=[],
        captures=(),
    )
    try:
        result = follow(inner)
    except Undecided:
        return None
    if isinstance(result, Passed):
        request.step(f"auth_request asks {said(result.value)}, which may decide otherwise ({asked.at})")
        return None
    if result.status is None:
        return None
    status = inner.error_status or result.status
    if status < 300:
        return None
    words = f"auth_request {said(uri)} is answered with {status} ({asked.at})"
    if request.level.word("satisfy") == "any":
        raise Undecided(f"{words}, and satisfy any may let in by address")
    request.step(words)
    return Answer(status if status in {401, 403} else 500, None, asked.at)


def _find(request: Request) -> Answer | None:
    server = request.server.level
    request.handler = None
    request.uri_changed = False
    if unknown_in(request.uri):
        raise Undecided(f"the URI depends on {request.choices.why(request.uri)}")

    def matches(regex: LocationLevel) -> bool:
        return request.regex(regex.text, request.uri, regex.at, caseless=regex.caseless)

    location, found = find(server, request.uri, matches)
    request.location = None if location is server else location
    request.level = location
    if location.internal and not request.internal:
        return Answer(404, None, location.at)
    enter(request, location)
    if found is Found.REDIRECT:
        to = escape_uri(location.name) + (f"?{request.args}" if request.args else "")
        return Answer(301, to, location.at)
    return None


class ErrorPage(msgspec.Struct, frozen=True):
    """One `error_page`: for which statuses, to where, and which status it sets (-1: the same, 0: the answer's)."""

    statuses: tuple[int, ...]
    overwrite: int
    to: str


def error_pages(request: Request) -> list[ErrorPage]:
    """The error pages that hold where the request is."""
    found = []
    for directive in request.level.every("error_page"):
        words = directive.args
        if len(words) < 2:
            continue
        overwrite = -1
        codes = words[:-1]
        if codes and codes[-1].startswith("="):
            overwrite = whole(codes[-1][1:], 0)
            codes = codes[:-1]
        found.append(ErrorPage(tuple(whole(code, 0) for code in codes), overwrite, words[-1]))
    return found


def _special(request: Request, answer: Answer) -> Answer | Jump:
    """What becomes of an answer with an error status: the error page for it, if there is one."""
    shown = Answer(400, answer.to, answer.at) if answer.status in _SHOWN_AS_400 else answer
    pages = error_pages(request)
    if request.error_page or not pages or request.changes == 0:
        return shown
    if not request.level.flag("recursive_error_pages"):
        request.error_page = True
    page = next((page for page in pages if answer.status in page.statuses), None)
    if page is None:
        return shown
    to = fill(request, page.to)
    if unknown_in(to[:1]):
        raise Undecided(f"the error page for {answer.status} depends on {request.choices.why(to)}")
    words = f"error_page {answer.status} leads to {said(to)}"
    request.error_status = {-1: shown.status, 0: None}.get(page.overwrite, page.overwrite)
    if to.startswith("/"):
        request.step(words)
        if request.method != "HEAD":
            request.method = "GET"
        return redirect_to(request, to)
    if to.startswith("@"):
        request.step(words)
        return _again(request, named(request, to))
    status = page.overwrite if page.overwrite in REDIRECTS else 302
    request.error_status = None
    return Answer(status, to, answer.at, final=True)


def _again(request: Request, result: Answer | Jump) -> Answer | Jump:
    """An error inside an error page is not looked up again, unless that is switched on."""
    if isinstance(result, Answer) and not result.final:
        return _special(request, result)
    return result
