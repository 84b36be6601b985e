"""What HAProxy writes: a line for each request (httplog, tcplog), its alerts, and its start.

Owns the wording of HAProxy 1.5 to 3.x (`doc/configuration.txt` 8.2 and 8.5, `src/server.c`, `src/proto_tcp.c`).
May not know where the log goes. A request line carries no errno: the termination state says who ended it, and when.
"""

from __future__ import annotations

import re

from msgspec.structs import replace

from wizard.logs.connecting import connect_failure
from wizard.logs.errnos import errno_of
from wizard.logs.hints import PLAIN, Hints
from wizard.logs.patterns import Pattern
from wizard.logs.signatures import find
from wizard.logs.tables.haproxy import MESSAGES
from wizard.logs.tables.haproxy_endings import LAYERS, STATES, Ending
from wizard.model import LogEvent, Phase

PROGRAM = "haproxy"

_FRONT = Pattern(
    r"([\w.:%\[\]-]{1,64}):(\d{1,5}) \[(\d{1,2}/\w{3}/\d{4}:\d\d:\d\d:\d\d\.\d{3})\] (\S{1,200}) ([^\s/]{1,200})/(\S{1,200}) "
)
_HTTP = Pattern(
    r"(?:^| )([^\s/]{1,200})/([^\s/]{1,200}) (-?\d+(?:/-?\d+){3}/\+?-?\d+) (\d{3}|-1) \+?(\d+) \S+ \S+ "
    r"([A-Za-z-]{4}) \d+/\d+/\d+/\d+/\+?\d+ \d+/\d+(?: |$)"
)
_TCP = Pattern(
    r"(?:^| )([^\s/]{1,200})/([^\s/]{1,200}) (-?\d+/-?\d+/\+?-?\d+) \+?(\d+) ([A-Za-z-]{2}) "
    r"\d+/\d+/\d+/\d+/\+?\d+ \d+/\d+(?: |$)"
)
_CONNECTION = Pattern(r"[\w.:%\[\]-]{1,64}:\d{1,5} \[[^\]]{10,30}\] \S{1,200}/\S{1,100}: ")
_STDERR = Pattern(r"\[(ALERT|WARNING|NOTICE|DIAG)\] +(?:\d{3}/\d{6} )?\((\d+)\) : (?:config : )?")
_REQUEST = Pattern(r'"([^"]*)"')
_CHECK = Pattern(r"reason: ([^,]{1,60})(?=,)(?:, code: (\d{3}))?(?:, info: \"([^\"]*)\")?")
_SERVER = Pattern(r"'?(?:[Ss]erver|for server|for backup server) '?([^\s/']{1,200}/[^\s/',]{1,200})")
_STEP = Pattern(r" at (?:initial connection )?step .*$")  # of a tcp-check or http-check
_LEVELS = {"ALERT": "alert", "WARNING": "warning", "NOTICE": "notice", "DIAG": "info"}
_OWN_WORDS = (
    " is DOWN, reason: ",
    "Connect() failed for backend ",
    " has no server available!",
    " failed, reason: Layer",
    " is going DOWN for maintenance",
    " is DOWN via ",
    " reached system memory limit",
    " is DOWN/MAINT (",
    "could not resolve address '",
    "Cannot bind to source address before connect() for backend",
    " reached process FD limit",
    " reached system FD limit",
)


def read(text: str, hints: Hints = PLAIN) -> LogEvent | None:
    """A line of HAProxy as an event, or None where it is none of HAProxy's."""
    front = _FRONT.match(text)
    if front is not None or (hints.loose and text.count("/") >= 8):
        event = _request(text, front, hints)
        if event is not None:
            return event
    if _CONNECTION.match(text):
        return _plain(
            text, hints, "client-connection", "A connection from a client failed before it held a request.", hints.time
        )
    head = _STDERR.match(text)
    if head is not None:
        return _message(text, text[head.end() :], _LEVELS[head[1]], int(head[2]), hints)
    if hints.loose and (hints.program.startswith("haproxy") or _says_so(text)):
        event = _message(text, text, "", hints.pid, hints)
        return event if event.symptom != "notice" else None
    return None


def _says_so(text: str) -> bool:
    """Whether a message without its frame is HAProxy's: by its words, and by a server, a backend or a proxy that it names."""
    return any(words in text for words in _OWN_WORDS) and any(names in text for names in ("/", "ackend ", "Proxy "))


def _plain(text: str, hints: Hints, symptom: str, meaning: str, time: float | None) -> LogEvent:
    return LogEvent(program=PROGRAM, symptom=symptom, meaning=meaning, time=time, pid=hints.pid, line=text)


def _request(text: str, front: re.Match[str] | None, hints: Hints) -> LogEvent | None:
    time = None
    if front is not None:
        time = hints.clock.read(front[3])
    time = hints.time if time is None else time
    found = _HTTP.search(text)
    if found is not None:
        backend, server, _, printed, _, state = found.groups()
        status = int(printed)
        ending = _ending(state[:2], status, backend, server, front)
        rest = text[found.end() :]
        certain = front is not None or found.start() > 0
    else:
        tcp = _TCP.search(text)
        if tcp is None:
            if front is None:
                return None
            meaning = "A request through HAProxy; the line is cut before it says how it ended."
            return LogEvent(
                program=PROGRAM,
                symptom="request-cut",
                meaning=meaning,
                time=time,
                client=front[1],
                upstream=f"{front[5]}/{front[6]}",
                pid=hints.pid,
                line=text,
            )
        backend, server, _, _, state = tcp.groups()
        status = -1
        ending = _ending(state, status, backend, server, front)
        rest = ""
        certain = front is not None or tcp.start() > 0
    request = _REQUEST.search(rest)
    return LogEvent(
        program=PROGRAM,
        symptom=ending.symptom,
        meaning=ending.meaning,
        phase=ending.phase,
        time=time,
        upstream=f"{backend}/{server}" if certain else None,
        client=front[1] if front is not None else None,
        server=front[4].rstrip("~") if front is not None else None,
        request=request[1] if request is not None else None,
        pid=hints.pid,
        causes=ending.causes,
        line=text,
        status=status if status > 0 else None,
    )


_SERVED = Ending("served", "HAProxy passed the request on and the answer back; this is no failure.", Phase.NONE, ())
_PASSED = Ending(
    "upstream-answered",
    "The server itself answered with this status; HAProxy only passed it on.",
    Phase.NONE,
    ("upstream-returns-502",),
)
_NO_SERVER = Ending(
    "no-live-upstreams",
    "No server of the backend can be used; nothing was tried.",
    Phase.CONNECTING,
    ("gateway-upstream-marked-down", "gateway-healthcheck-wrong", "dns-nxdomain"),
)
_NO_BACKEND = Ending(
    "no-route",
    "No rule of the frontend chose a backend for the request.",
    Phase.CONNECTING,
    ("gateway-no-route",),
)
_NO_SERVER_OR_BACKEND = Ending(
    "no-live-upstreams",
    "No server was asked; the line is cut before it says whether a backend was chosen.",
    Phase.CONNECTING,
    (),
)
_OWN_ANSWER = Ending(
    "generated-status",
    "HAProxy answered by its own rules; no server was asked.",
    Phase.NONE,
    ("gateway-generated-status",),
)


def _ending(state: str, status: int, backend: str, server: str, front: re.Match[str] | None) -> Ending:
    if server == "<NOSRV>" and state in {"SC", "sC"}:
        if front is None:
            return _NO_SERVER_OR_BACKEND
        return _NO_BACKEND if front[4].rstrip("~") == backend else _NO_SERVER
    if state == "--":
        if status in {502, 503, 504}:
            return _PASSED
        return _SERVED
    if state in {"LR", "PR", "PT", "LH", "LD"}:
        return _OWN_ANSWER if status >= 500 else _SERVED
    return STATES.get(state) or STATES.get(state[0]) or _SERVED


def _message(text: str, said: str, level: str, pid: int | None, hints: Hints) -> LogEvent:
    if check := _CHECK.search(said):
        return _check(text, said, check, level, pid, hints)
    match = find(MESSAGES, said)
    if match is None and level == "alert" and " : config : " in text[:60]:
        meaning = "The configuration is refused; HAProxy does not start or reload."
        refused = _plain(text, hints, "configuration-refused", meaning, hints.time)
        return replace(refused, level=level, pid=pid, causes=("gateway-failed-start", "gateway-reload-failed"))
    if match is None:
        serious = level == "alert"
        meaning = (
            "HAProxy reports an error that no known fault of an upstream explains."
            if serious
            else "HAProxy reports what it does; this is no failure."
        )
        return _plain(text, hints, "other" if serious else "notice", meaning, hints.time)
    row = match.row
    server = _SERVER.search(said)
    return LogEvent(
        program=PROGRAM,
        symptom=row.symptom,
        meaning=row.meaning,
        phase=row.phase or Phase.NONE,
        time=hints.time,
        level=level,
        errno=row.errno,
        upstream=server[1] if server is not None else None,
        pid=pid,
        causes=row.causes,
        line=text,
        target=match.groups.get("target"),
    )


def _check(text: str, said: str, check: re.Match[str], level: str, pid: int | None, hints: Hints) -> LogEvent:
    """A health check that failed, or was passed again."""
    reason, code, info = check.groups()
    server = _SERVER.search(said)
    errno = errno_of(None, _STEP.sub("", info)) if info else None
    succeeded = " is UP" in said or " succeeded, reason" in said
    layer = (
        _SERVED if succeeded else next((known for start, known in LAYERS if reason.startswith(start)), LAYERS[-1][1])
    )
    symptom, meaning, causes = layer.symptom, layer.meaning, layer.causes
    if layer.phase is Phase.CONNECTING and errno is not None:
        causes = connect_failure(errno, "unix:" if errno in {2, 11} else None).causes
    if "check duration" not in said:
        causes = ()  # what follows the reason is cut off, and it decides
    if succeeded:
        symptom, meaning = "check-passed", "A health check was passed; this is no failure."
    return LogEvent(
        program=PROGRAM,
        symptom=symptom,
        meaning=meaning,
        phase=layer.phase,
        time=hints.time,
        level=level,
        errno=errno,
        upstream=server[1] if server is not None else None,
        pid=pid,
        causes=causes,
        line=text,
        status=int(code) if code else None,
    )
