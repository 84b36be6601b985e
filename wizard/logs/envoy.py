"""What Envoy writes: its access log with response flags, and the body of its own errors.

Owns the flags (`substitution_formatter.rst`, `router.cc`) of Envoy 1.6 to 1.40 and Istio's format. May not know where
the log goes. A reset before the header is 502 only for a protocol error; every other reset is 503.
"""

from __future__ import annotations

import re

from msgspec.structs import replace

from wizard.logs.connecting import connect_failure
from wizard.logs.errnos import errno_of
from wizard.logs.fields import json_fields, number_of, text_of
from wizard.logs.hints import PLAIN, Hints
from wizard.logs.patterns import Pattern
from wizard.logs.tables.envoy import ALL_TLS, FLAGS, LONG_NAMES, MESSAGES, PASSED, REASONS, SERVED, TLS_WORDS
from wizard.logs.told import told
from wizard.logs.upstreams import endpoint
from wizard.model import LogEvent, Phase

PROGRAM = "envoy"

_ACCESS = Pattern(
    r'(?:\[([^\]]{19,35})\] )?"([A-Z]{3,12} [^"]*+|- - [^"]*+|-)" (\d{1,3}) ((?:[A-Z]{2,6})(?:,[A-Z]{2,6})*|-) '
)
_DETAILS = Pattern(r"([a-z][\w.-]*(?:\{[^}]*\})?|-) (\S+) ")
_QUOTED = Pattern(r'"([^"]*)"')
_ADDRESS = Pattern(r"(?:[\w.-]+|\[[0-9a-fA-F:.]+\]):\d{1,5}$|/\S+$")
_BODY = Pattern(
    r"upstream connect error or disconnect/reset before headers\.(?: retried and the latest)? reset reason: ([\w\s-]+)"
    r"(?:, transport failure reason: (.*))?"
)
_APP = Pattern(
    r"\[(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3})\]\[\d+\]\[(trace|debug|info|warning|error|critical)\]\[[\w.]+\] "
    r"(?:\[[\w./-]+:\d+\] )?"
)
_ERRNO = Pattern(r"(?:connect error|connect_error)[:_| ]*:?[ _]?(\d{1,3}\b|[A-Z][\w ]+)")
_TLS = ("TLS", "SSL", "CERTIFICATE", "WRONG_VERSION_NUMBER", "HANDSHAKE")
_CUT = "cut"  # the line ends before it says why a connection failed
_CONNECT_TIMEOUT = ("connection timeout", "connect timeout", "connection_timeout", "connect_timeout")


def read(text: str, hints: Hints = PLAIN) -> LogEvent | None:
    """A line of Envoy as an event, or None where it is none of Envoy's."""
    if (found := _ACCESS.match(text)) is not None:
        if found[1] is None and found[4] == "-":
            return None  # other programs begin a line with a quoted request and a status too
        return _access(text, found, hints)
    if text.startswith("{") and "response_flags" in text:
        return _access_json(text, hints)
    if (
        hints.loose
        and "upstream connect error or disconnect/reset" in text
        and (body := _BODY.search(text)) is not None
    ):
        flag = REASONS.get(body[1].strip(), "")
        told = body[2] or body[1]
        if "," in text[body.end() :] or (body[2] and not any(word in told for word in (*_TLS, "connect error"))):
            told = _CUT
        return _event(text, flag, told, None, None, hints, hints.time)
    if hints.loose and text.strip() == "upstream request timeout":
        return _event(text, "UT", "", 504, None, hints, hints.time)
    if hints.loose and text.strip() == "no healthy upstream":
        return _event(text, "UH", "", 503, None, hints, hints.time)
    if (app := _APP.match(text)) is not None:
        return _application(text, app, hints)
    return None


def _application(text: str, app: re.Match[str], hints: Hints) -> LogEvent:
    """A line of Envoy's own log: its start, its resolver, and (at debug) each connect that failed."""
    stamp, level = app.groups()
    time = hints.clock.read(stamp)
    said = text[app.end() :]
    event = told(
        PROGRAM,
        "Envoy",
        MESSAGES,
        said,
        text,
        time=hints.time if time is None else time,
        level=level,
        pid=hints.pid,
        serious=level in {"error", "critical"},
    )
    if event.symptom == "connect-failed" and (wording := _ERRNO.search(said)) is not None:
        number, words = (int(wording[1]), "") if wording[1].isdigit() else (None, wording[1])
        failure = connect_failure(errno_of(number, words), None)
        event = replace(event, symptom=failure.symptom, meaning=failure.meaning, errno=errno_of(number, words))
        return replace(event, causes=failure.causes)
    return event


def _access(text: str, found: re.Match[str], hints: Hints) -> LogEvent | None:
    stamp, request, status, flags = found.groups()
    rest = text[found.end() :]
    details = _DETAILS.match(rest)
    detailed = details is not None and not rest[:1].isdigit()
    quoted = _QUOTED.findall(rest)
    wanted = 6 if detailed else 5
    flag = next((part for part in flags.split(",") if part in FLAGS), "")
    if flags != "-" and not flag:
        flag = flags
    host = quoted[wanted - 1] if len(quoted) >= wanted else ""
    told = f"{details[1]} {quoted[0] if quoted else ''}" if detailed and details is not None else ""
    time = hints.clock.read(stamp) if stamp else None
    if len(quoted) < wanted and flag == "UF":
        told = _CUT
    event = _event(
        text,
        flag,
        told,
        int(status),
        endpoint(host) if _ADDRESS.match(host) else None,
        hints,
        hints.time if time is None else time,
    )
    authority = quoted[wanted - 2] if len(quoted) >= wanted else ""
    return _with_request(event, request, authority)


def _with_request(event: LogEvent, request: str, authority: str) -> LogEvent:
    return LogEvent(
        program=event.program,
        symptom=event.symptom,
        meaning=event.meaning,
        phase=event.phase,
        time=event.time,
        errno=event.errno,
        upstream=event.upstream,
        host=authority if authority not in {"", "-"} else None,
        request=request if request != "-" else None,
        pid=event.pid,
        causes=event.causes,
        line=event.line,
        status=event.status,
    )


def _access_json(text: str, hints: Hints) -> LogEvent | None:
    fields = json_fields(text)
    if fields is None or "response_flags" not in fields:
        return None
    flags = text_of(fields, "response_flags")
    first = next((part for part in flags.split(",") if part in FLAGS or part in LONG_NAMES), "")
    told = " ".join((text_of(fields, "response_code_details"), text_of(fields, "upstream_transport_failure_reason")))
    if not told.strip() and not text.endswith("}"):
        told = _CUT
    host = text_of(fields, "upstream_host", "upstream_remote_address")
    stamp = text_of(fields, "start_time", "timestamp")
    event = _event(
        text,
        LONG_NAMES.get(first, first),
        told,
        number_of(fields, "response_code"),
        endpoint(host) if _ADDRESS.match(host) else None,
        hints,
        hints.clock.read(stamp) if stamp else hints.time,
    )
    method, path = text_of(fields, "method", "request_method"), text_of(fields, "path", "request_path")
    return _with_request(event, f"{method} {path}" if method and path else "-", text_of(fields, "authority", "host"))


def _event(
    text: str, flag: str, told: str, status: int | None, upstream: str | None, hints: Hints, time: float | None
) -> LogEvent:
    known = FLAGS.get(flag)
    if known is None:
        passed = "via_upstream" in told and status is not None and status >= 500
        known = PASSED if passed or (not told and status in {502, 503, 504} and not flag) else SERVED
    phase, causes, symptom, meaning = known.phase, known.causes, known.symptom, known.meaning
    errno = None
    if flag == "UF" and told == _CUT:
        phase, causes = Phase.NONE, ()
    elif flag == "UF":
        upper = told.upper()
        if any(word in upper for word in _TLS):
            phase, causes = Phase.HANDSHAKING, next((fits for word, fits in TLS_WORDS if word in upper), ALL_TLS)
            symptom, meaning = "tls-failed", "The TLS handshake with the upstream failed."
        elif any(words in told for words in _CONNECT_TIMEOUT):
            failure = connect_failure(110, upstream)
            symptom, meaning, causes = failure.symptom, failure.meaning, failure.causes
        elif (number := _ERRNO.search(told)) is not None:
            errno = errno_of(int(number[1]) if number[1].isdigit() else None, number[1].replace("_", " "))
            if errno is not None:
                failure = connect_failure(errno, upstream)
                symptom, meaning, causes = failure.symptom, failure.meaning, failure.causes
    elif flag == "UPE" and status is not None and status < 400:
        phase, symptom = Phase.READING_BODY, "body-cut"
        meaning, causes = "The upstream's answer broke off in the middle.", ("response-truncated",)
    return LogEvent(
        program=PROGRAM,
        symptom=symptom,
        meaning=meaning,
        phase=phase,
        time=time,
        errno=errno,
        upstream=upstream,
        pid=hints.pid,
        causes=causes,
        line=text,
        status=status or None,
    )
