"""What Traefik writes: console lines, JSON or `key=value`, and its access log.

Owns the wording of Traefik 1.7 to 3.7 (`pkg/proxy/httputil`, `pkg/server`, `pkg/provider/docker`). May not know where
the log goes. Failures of an upstream are logged at DEBUG: no line at all is normal for its 502.
"""

from __future__ import annotations

import re

from wizard.logs.connecting import Failure
from wizard.logs.fields import json_fields, logfmt_fields, number_of, text_of
from wizard.logs.go_errors import go_error
from wizard.logs.hints import PLAIN, Hints
from wizard.logs.patterns import Pattern
from wizard.logs.signatures import find, row, rows
from wizard.logs.upstreams import endpoint
from wizard.model import LogEvent, Phase

PROGRAM = "traefik"

_CONSOLE = Pattern(
    r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)) (TRC|DBG|INF|WRN|ERR|FTL|PNC) "
    r"(?:(\S{1,200}:\d{1,6}) > )?"
)
_LEVELS = {"TRC": "trace", "DBG": "debug", "INF": "info", "WRN": "warn", "ERR": "error", "FTL": "fatal", "PNC": "panic"}
_CLF = Pattern(
    r'(\S{1,80}) - \S{1,80} \[([^\]]{20,32})\] "([^"]*+)" (\d{3}|-) (?:\d+|-) "[^"]*+" "[^"]*+" \d+ "([^"]*+)" '
    r'"([^"]*+)" \d+ms'
)
_ANSWER = Pattern(
    r"(?<![\w])'?(50[0-4]|499) (?:Bad Gateway|Gateway Timeout|Internal Server Error|Client Closed Request|"
    r"Service Unavailable)\b"
)
_OUR_FIELDS = ("entryPointName", "routerName", "middlewareName", "middlewareType", "providerName")
_OWN_STARTS = ("Error forwarding to ", "Error while dialing backend", "Error while connecting to backend")
_SERIOUS = frozenset({"error", "fatal", "panic"})

MESSAGES = rows(
    row(
        "auth-subrequest",
        "Error calling ",
        "The service that decides about access (forwardAuth) could not be asked; Traefik answers 500.",
        "gateway-auth-subrequest-down",
        pattern=r"Error calling (?P<target>[^\s,\"]+)",
    ),
    row(
        "container-without-port",
        "port is missing",
        "A container names no port that Traefik could use; its service is left out.",
        "container-port-not-published",
    ),
    row(
        "container-without-address",
        "unable to find the IP address for the container",
        "A container has no address in a network that Traefik shares; its service is left out.",
        "container-different-network",
        "container-not-running",
        pattern=r'the container \\?"?(?P<target>[^"\\\s:]*)',
    ),
    row(
        "container-without-address",
        "Could not find network named ",
        "A container is not in the network that it names; Traefik takes another one, which may not reach it.",
        "container-different-network",
        pattern=r"network named .{1,80} for container \\?['\"]?(?P<target>[^'\"\\\s]*)",
    ),
    row(
        "no-route",
        "the service ",
        "A router names a service that does not exist.",
        "gateway-no-route",
        pattern=r"the service \\?\"(?P<target>[^\"\\]*)\\?\" does not exist",
    ),
    row(
        "container-unhealthy",
        "Filtering unhealthy or starting container",
        "A container's own health check is not green; its service is left out.",
        "container-healthcheck-unhealthy",
    ),
    row(
        "check-failed",
        "Health check ",
        "An active health check of a server failed; the server is left out.",
        "gateway-healthcheck-wrong",
        pattern=r"Health check (?:failed|still failing)",
    ),
    row(
        "no-live-upstreams",
        "no available server",
        "No server of the service can be used.",
        "gateway-upstream-marked-down",
        "container-not-running",
        phase=Phase.CONNECTING,
    ),
    row(
        "body-cut",
        "ReverseProxy read error during body copy",
        "The upstream's answer broke off in the middle.",
        "response-truncated",
        "upstream-crashed-mid-request",
        phase=Phase.READING_BODY,
    ),
    row(
        "not-http",
        "Unsolicited response received on idle HTTP channel",
        "The upstream sent bytes that nobody asked for.",
        "upstream-not-http",
    ),
    row(
        "port-in-use",
        "bind: address already in use",
        "Another process holds the address on which Traefik is to listen.",
        "port-owned-by-other-process",
        "gateway-failed-start",
        errno=98,
    ),
)


def read(text: str, hints: Hints = PLAIN) -> LogEvent | None:
    """A line of Traefik as an event, or None where it is none of Traefik's."""
    if text.startswith("{"):
        return _from_json(text, hints)
    if (console := _CONSOLE.match(text)) is not None:
        return _from_console(text, console, hints)
    if (served := _CLF.match(text)) is not None:
        return _access(text, served, hints)
    if "msg=" in text and (text.startswith(("time=", "level=")) or (hints.loose and "level=" in text)):
        return _from_logfmt(text, hints)
    if not hints.loose:
        return None
    if text.strip() == "no available server":
        return _event(text, text, "", "", "", "", hints)
    if "502 Bad Gateway error=" in text or "504 Gateway Timeout error=" in text or "github.com/traefik/" in text:
        return _event(text, text, logfmt_fields(text).get("error", ""), "", "", "", hints)
    return None


def _from_json(text: str, hints: Hints) -> LogEvent | None:
    fields = json_fields(text)
    if fields is None:
        return None
    if "DownstreamStatus" in fields or "OriginStatus" in fields:
        return _access_json(text, fields, hints)
    message = text_of(fields, "message", "msg")
    ours = "traefik" in text_of(fields, "caller") or any(name in fields for name in _OUR_FIELDS)
    answered = _ANSWER.match(message) is not None and ("error" in fields or "caused by: " in message)
    if not (ours or answered or message.startswith(_OWN_STARTS)):
        return None
    stamp = text_of(fields, "time")
    server = text_of(fields, "url", "targetURL")
    return _event(text, message, text_of(fields, "error", "err"), text_of(fields, "level"), stamp, server, hints)


def _from_console(text: str, console: re.Match[str], hints: Hints) -> LogEvent | None:
    stamp, level, caller = console.groups()
    message = text[console.end() :]
    ours = any(words in (caller or "") for words in ("traefik", "log/log.go")) or _ANSWER.match(message) is not None
    if not ours and not message.startswith(_OWN_STARTS) and find(MESSAGES, message) is None:
        return None
    fields = logfmt_fields(message)
    server = fields.get("targetURL", "")
    return _event(text, message.partition(" error=")[0], fields.get("error", ""), _LEVELS[level], stamp, server, hints)


def _from_logfmt(text: str, hints: Hints) -> LogEvent | None:
    fields = logfmt_fields(text)
    message = fields.get("msg", "")
    answered = _ANSWER.match(message) and ("caused by:" in message or "error" in fields)
    forwarding = message.startswith(_OWN_STARTS)
    known = find(MESSAGES, message) is not None and ("providerName" in fields or "backend" in message.lower())
    ours = any(name in fields for name in _OUR_FIELDS)
    if not (answered or forwarding or known or ours):
        return None
    error = fields.get("error", "") or message.partition("caused by: ")[2] or message.partition(", err: ")[2]
    return _event(text, message, error, fields.get("level", ""), fields.get("time", ""), "", hints)


def _event(text: str, message: str, error: str, level: str, stamp: str, server: str, hints: Hints) -> LogEvent:
    time = hints.clock.read(stamp) if stamp else None
    answer = _ANSWER.search(message)
    match = find(MESSAGES, message)
    upstream = endpoint(server) if server else None
    found = go_error(error) if error else None
    if found is None and message.startswith(_OWN_STARTS):
        found = go_error(message)
    if found is None and (answer is not None or "Cause: " in message):
        found = go_error(message)
    symptom, meaning, phase = "notice", "Traefik reports what it does; this is no failure.", Phase.NONE
    errno, target = None, None
    causes: tuple[str, ...] = ()
    if match is not None:
        row_ = match.row
        symptom, meaning, phase, causes = row_.symptom, row_.meaning, row_.phase or Phase.NONE, row_.causes
        errno, target = row_.errno, match.groups.get("target")
        if found is not None and symptom in {"check-failed", "auth-subrequest"}:
            phase, errno, upstream = found.phase, found.errno, found.upstream or upstream
    elif found is not None:
        symptom, meaning, phase, causes = found.symptom, found.meaning, found.phase, found.causes
        errno, upstream, target = found.errno, found.upstream or upstream, found.target
    elif answer is not None or level in _SERIOUS:
        symptom, meaning = "other", "Traefik reports an error that no known fault of an upstream explains."
    return LogEvent(
        program=PROGRAM,
        symptom=symptom,
        meaning=meaning,
        phase=phase,
        time=hints.time if time is None else time,
        level=level,
        errno=errno,
        upstream=upstream,
        pid=hints.pid,
        causes=causes,
        line=text,
        status=int(answer[1]) if answer is not None else None,
        target=target,
    )


_SERVED = "A request and its status, as Traefik logs each one."


# A status that Traefik logs may be its own or the server's; its own failures are logged at debug only.
_OF_STATUS = {
    502: ("upstream-returns-502", "upstream-not-listening", "upstream-crashed-mid-request", "keepalive-race"),
    503: ("upstream-returns-502",),
    504: ("upstream-slow-response", "firewall-drops-upstream", "upstream-hung", "upstream-returns-502"),
}
_EITHER = "The request failed; the status may be the server's own, or Traefik's, which says why only at debug."


def _ending(status: int | None, upstream: str | None, router: str) -> Failure:
    """What the status of a request means, by whether a router and a server were found for it."""
    routed = router not in {"", "-"}
    if status == 404 and upstream is None and not routed:
        return Failure("no-route", "No router took the request; Traefik answers 404.", ("gateway-no-route",))
    if status == 503 and upstream is None and routed:
        causes = ("gateway-upstream-marked-down", "container-not-running")
        return Failure("no-live-upstreams", "No server of the service could be used; nothing was tried.", causes)
    if upstream is not None and status in _OF_STATUS:
        return Failure("request-failed", _EITHER, _OF_STATUS[status])
    return Failure("served", _SERVED, ())


def _access(text: str, served: re.Match[str], hints: Hints) -> LogEvent:
    client, stamp, request, printed, router, url = served.groups()
    upstream = endpoint(url) if "://" in url else None
    status = int(printed) if printed.isdigit() else None
    ending = _ending(status, upstream, router)
    return LogEvent(
        program=PROGRAM,
        symptom=ending.symptom,
        meaning=ending.meaning,
        time=hints.clock.read(stamp),
        upstream=upstream,
        client=client,
        request=request,
        causes=ending.causes,
        line=text,
        status=status,
    )


def _access_json(text: str, fields: dict[str, object], hints: Hints) -> LogEvent:
    url = text_of(fields, "ServiceURL", "ServiceAddr")
    stamp = text_of(fields, "StartUTC", "time")
    method, path = text_of(fields, "RequestMethod"), text_of(fields, "RequestPath")
    status = number_of(fields, "DownstreamStatus")
    upstream = endpoint(url) if url else None
    whole = text.endswith("}")  # else the name of the router may be cut off
    ending = _ending(status if whole else None, upstream, text_of(fields, "RouterName"))
    return LogEvent(
        program=PROGRAM,
        symptom=ending.symptom,
        meaning=ending.meaning,
        time=hints.clock.read(stamp) if stamp else hints.time,
        upstream=upstream,
        client=text_of(fields, "ClientHost") or None,
        host=text_of(fields, "RequestHost") or None,
        request=f"{method} {path}" if method and path else None,
        causes=ending.causes,
        line=text,
        status=status,
    )
