"""What Caddy 2 writes: JSON lines (or its console format) with a logger, a message and the request.

Owns the wording of Caddy 2.0 to 2.11 (`modules/caddyhttp`, `reverseproxy`). May not know where the log goes.
The message of a failed request is Go's own error text. Caddy names only the first address that it tried.
"""

from __future__ import annotations

import re

from wizard.logs.fields import Fields, inner, json_fields, number_of, partial_fields, text_of
from wizard.logs.go_errors import go_error
from wizard.logs.hints import PLAIN, Hints
from wizard.logs.patterns import Pattern
from wizard.logs.signatures import find, row, rows
from wizard.logs.upstreams import endpoint
from wizard.model import LogEvent, Phase

PROGRAM = "caddy"

_CONSOLE = Pattern(
    r"(\d{4}[/-]\d\d[/-]\d\d[ T]\d\d:\d\d:\d\d(?:\.\d{1,9})?Z?)\s+(DEBUG|INFO|WARN|ERROR|FATAL|PANIC)\s+"
    r"((?:http|tls|admin|caddy|pki|events)[\w.]{0,80})\s+"
)
_STARTING = r"(?:Error|run): (?:adapting config|loading (?:initial )?config|loading new config)"
_START = Pattern(_STARTING)
_SERIOUS = frozenset({"error", "fatal", "panic", "dpanic"})

MESSAGES = rows(
    row(
        "no-live-upstreams",
        "no upstreams available",
        "Every upstream is marked as unhealthy or at its limit, or there is none.",
        "gateway-upstream-marked-down",
        "gateway-upstream-max-conns",
        phase=Phase.CONNECTING,
    ),
    row(
        "body-cut",
        "aborting with incomplete response",
        "The upstream's answer broke off in the middle.",
        "response-truncated",
        "upstream-crashed-mid-request",
        phase=Phase.READING_BODY,
    ),
    row(
        "body-cut",
        "reading from backend",
        "The upstream's answer broke off in the middle.",
        "response-truncated",
        "upstream-crashed-mid-request",
        phase=Phase.READING_BODY,
    ),
    row(
        "module-missing",
        "unknown directive",
        "The configuration holds a word that this Caddy does not know.",
        "gateway-failed-start",
        "gateway-reload-failed",
        "gateway-missing-module",
    ),
    row(
        "port-in-use",
        "bind: address already in use",
        "Another process holds the address on which Caddy is to listen.",
        "port-owned-by-other-process",
        "gateway-failed-start",
        errno=98,
        pattern=r"listen(?:ing on|:)? .{0,60}",
    ),
    row(
        "configuration-refused",
        "loading initial config",
        "Caddy refuses its configuration and does not start.",
        "gateway-failed-start",
        pattern=_STARTING,
    ),
    row(
        "configuration-refused",
        "config",
        "Caddy refuses its configuration.",
        "gateway-failed-start",
        "gateway-reload-failed",
        pattern=_STARTING,
    ),
)
_CHECKS = ("HTTP request failed", "unexpected status code", "status code out of tolerances", "response body failed")


def read(text: str, hints: Hints = PLAIN) -> LogEvent | None:
    """A line of Caddy as an event, or None where it is none of Caddy's."""
    if text.startswith("{"):
        fields = json_fields(text)
        return _from_json(text, fields, hints) if fields is not None and _is_caddy(text, fields) else None
    if (console := _CONSOLE.match(text)) is not None:
        return _from_console(text, console, hints)
    if not hints.loose:
        return None
    if "reverseproxy.statusError" in text or '"logger":"http.' in text:
        fields = partial_fields(text) or {}
        message = text_of(fields, "msg") or text
        return _event(text, fields, text_of(fields, "logger") or "http.log.error", message, "", hints.time, hints)
    if _START.match(text) is not None:
        return _event(text, {}, "", text, "error", hints.time, hints)
    return None


def _is_caddy(text: str, fields: Fields) -> bool:
    logger = text_of(fields, "logger")
    if logger.startswith(("http.", "tls.", "caddy", "admin", "pki.")) or logger in {"http", "tls", "admin"}:
        return True
    return "reverseproxy." in text_of(fields, "err_trace") or (
        "ts" in fields and "msg" in fields and "config_adapter" in fields and text.startswith('{"level"')
    )


def _from_json(text: str, fields: Fields, hints: Hints) -> LogEvent:
    stamp = fields.get("ts")
    time = hints.time
    if isinstance(stamp, (int, float)) and not isinstance(stamp, bool):
        # Seconds, unless the encoder was told to write milli- or nanoseconds.
        time = float(stamp) if stamp < 1e11 else float(stamp) / (1e3 if stamp < 1e14 else 1e9)
    elif isinstance(stamp, str):
        read_ = hints.clock.read(stamp)
        time = hints.time if read_ is None else read_
    message = text_of(fields, "msg", "message")
    return _event(text, fields, text_of(fields, "logger"), message, text_of(fields, "level").lower(), time, hints)


def _from_console(text: str, console: re.Match[str], hints: Hints) -> LogEvent:
    stamp, level, logger = console.groups()
    rest = text[console.end() :]
    message, brace, inside = rest.partition("{")
    fields = (json_fields("{" + inside) or {}) if brace else {}
    time = hints.clock.read(stamp)
    return _event(text, fields, logger, message.strip(), level.lower(), hints.time if time is None else time, hints)


def _event(
    text: str, fields: Fields, logger: str, message: str, level: str, time: float | None, hints: Hints
) -> LogEvent:
    request = inner(fields, "request")
    method, uri, proto = text_of(request, "method"), text_of(request, "uri"), text_of(request, "proto")
    error = text_of(fields, "error")
    symptom, meaning, phase, errno, causes, upstream, target = _understand(logger, message, error, level)
    named = text_of(fields, "upstream") or (text_of(fields, "host") if "health_checker" in logger else "")
    return LogEvent(
        program=PROGRAM,
        symptom=symptom,
        meaning=meaning,
        phase=phase,
        time=time,
        level=level,
        errno=errno,
        upstream=upstream or (endpoint(named) if ":" in named or named.startswith("/") else None),
        client=text_of(request, "remote_ip", "client_ip") or None,
        host=(text_of(request, "host") or None) if request is not fields else None,
        request=f"{method} {uri} {proto}" if method and uri and proto else None,
        pid=hints.pid,
        causes=causes,
        line=text,
        status=number_of(fields, "status", "status_code"),
        target=target,
    )


_Understood = tuple[str, str, Phase, int | None, tuple[str, ...], str | None, str | None]


def _understand(logger: str, message: str, error: str, level: str) -> _Understood:
    if "health_checker" in logger and any(words in message for words in _CHECKS):
        found = go_error(error) if error else None
        causes = ("gateway-healthcheck-wrong", *(found.causes if found is not None else ()))
        meaning = "An active health check of an upstream failed."
        answered = Phase.NONE if "request failed" in message else Phase.READING_HEADER
        phase = found.phase if found is not None else answered
        errno, upstream = (found.errno, found.upstream) if found is not None else (None, None)
        return "check-failed", meaning, phase, errno, causes, upstream, None
    failing = logger.startswith(("http.log.error", "http.handlers.reverse_proxy", "http.reverse_proxy")) or not logger
    if failing:
        match = find(MESSAGES, message)
        if match is not None:
            row_ = match.row
            return row_.symptom, row_.meaning, row_.phase or Phase.NONE, row_.errno, row_.causes, None, None
        if (found := go_error(error or message)) is not None:
            return found.symptom, found.meaning, found.phase, found.errno, found.causes, found.upstream, found.target
    if logger.startswith("http.log.access"):
        return "served", "A request and its status, as Caddy logs each one.", Phase.NONE, None, (), None, None
    if level in _SERIOUS:
        meaning = "Caddy reports an error that no known fault of an upstream explains."
        return "other", meaning, Phase.NONE, None, (), None, None
    return "notice", "Caddy reports what it does; this is no failure.", Phase.NONE, None, (), None, None
