"""What nginx writes to its error log: the frame of a line, and the table of its messages.

Owns the wording of nginx 0.8 to 1.31 (`ngx_http_upstream.c`, `ngx_event_connect.c`, `ngx_resolver.c`,
`ngx_event_openssl.c`, the proxy, FastCGI, uwsgi, gRPC and stream modules). May not know where the log lies.

A line is `TIME [LEVEL] PID#TID: *CONNECTION MESSAGE while ACTION, client: ..., upstream: "...", ...`. Message and action
together name a cause; neither alone is enough.
"""

from __future__ import annotations

from functools import lru_cache
from sys import intern

import msgspec

from wizard.logs.connecting import connect_failure
from wizard.logs.errnos import errno_of
from wizard.logs.hints import PLAIN, Hints
from wizard.logs.nginx_tail import split
from wizard.logs.patterns import Pattern
from wizard.logs.signatures import find
from wizard.logs.tables.nginx import MESSAGES
from wizard.logs.upstreams import endpoint, is_unix
from wizard.model import LogEvent, Phase

PROGRAM = "nginx"

_HEAD = Pattern(
    r"(\d{4}/\d\d/\d\d \d\d:\d\d:\d\d) \[(debug|info|notice|warn|error|crit|alert|emerg)\] (\d+)#(\d+): (?:\*(\d+) )?"
)
_STDERR_HEAD = Pattern(r"nginx: \[(warn|error|crit|alert|emerg)\] ")
_LEFT_CUT_HEAD = Pattern(r".{0,26}?\[?(debug|info|notice|warn|error|crit|alert|emerg)\] (\d+)#(\d+): (?:\*(\d+) )?")
_PRINTED_ERRNO = Pattern(r"(?:failed|timed out|handshake|\(SSL:\)|process\") \((\d{1,4}): ([^()]{1,60})\)")
_ADDRESS = Pattern(r"connect\(\) to (unix:[^\s:]+|[^\s]+:\d+) failed")
_REPORTED = "kevent() reported that "  # BSD and macOS say so before a failed connect
_MILD = ("debug", "info", "notice", "warn")
_ONLY_AT_START = ("configuration-refused", "module-missing")  # a warning about a line of a file refuses nothing
_REFUSED = "nginx meets something at its start that it cannot do without, and refuses to start or to reload."
_OF_A_START = ("gateway-failed-start", "gateway-reload-failed")
_ALLOCATING = ("malloc(", "posix_memalign(", "memalign(", "mmap(")  # may fail at any time
_SERIOUS = ("error", "crit", "alert", "emerg")

ACTIONS = {
    "resolving": Phase.RESOLVING,
    "connecting to upstream": Phase.CONNECTING,
    "SSL handshaking to upstream": Phase.HANDSHAKING,
    "sending PROXY protocol header to upstream": Phase.SENDING_REQUEST,
    "sending request to upstream": Phase.SENDING_REQUEST,
    "sending to upstream": Phase.SENDING_REQUEST,
    "proxying and sending to upstream": Phase.SENDING_REQUEST,
    "reading response header from upstream": Phase.READING_HEADER,
    "reading response from upstream": Phase.READING_HEADER,
    "reading upstream": Phase.READING_BODY,
    "proxying and reading from upstream": Phase.READING_BODY,
    "proxying upgraded connection": Phase.READING_BODY,
    "proxying connection": Phase.READING_BODY,
    "proxying and reading from client": Phase.NONE,
    "proxying and sending to client": Phase.NONE,
    "reading client request line": Phase.NONE,
    "reading client request headers": Phase.NONE,
    "reading client request body": Phase.NONE,
    "reading PROXY protocol": Phase.NONE,
    "requesting certificate status": Phase.NONE,
    "sending to client": Phase.NONE,
    "sending response to client": Phase.NONE,
    "SSL handshaking": Phase.NONE,
    "waiting for request": Phase.NONE,
    "keepalive": Phase.NONE,
    "closing request": Phase.NONE,
    "logging request": Phase.NONE,
}

# A cause needs a peer of its kind: what the scheme of the printed upstream excludes.
_TLS = frozenset({"https", "grpcs"})
_NOT_OVER_TLS = frozenset({"tls-plain-http-to-https", "upstream-allowlist-drops"})
_ONLY_OVER = {
    "protocol-mismatch-uwsgi-http": frozenset({"uwsgi", "http"}),
    "uwsgi-buffer-size": frozenset({"uwsgi", "suwsgi"}),
    "upstream-app-exception-empty-reply": frozenset({"uwsgi", "http", "scgi", "https"}),
}


_NOT_OVER_UNIX = frozenset({"docker-userland-proxy-dead-backend", "firewall-drops-upstream"})
_DEPENDING = _NOT_OVER_TLS | _NOT_OVER_UNIX | _ONLY_OVER.keys()


class Core(msgspec.Struct, frozen=True):
    """A message understood."""

    symptom: str
    meaning: str
    phase: Phase
    errno: int | None
    causes: tuple[str, ...]
    upstream: str | None
    target: str | None
    status: int | None


def read(text: str, hints: Hints = PLAIN) -> LogEvent | None:
    """A line of nginx's error log as an event, or None where it is none of nginx's.

    Args:
        text: one line (joined, where a message holds newlines), without what surrounds it.
        hints: the clock, and what the surroundings said.
    """
    head = _HEAD.match(text)
    if head is not None:
        stamp, level, pid, _, connection = head.groups()
        return _event(
            text,
            text[head.end() :],
            level=intern(level),
            time=hints.clock.read(stamp) if hints.clock.zone_offset is not None else hints.time,
            pid=int(pid),
            connection=int(connection) if connection else None,
        )
    head = _STDERR_HEAD.match(text)
    if head is not None:
        return _event(text, text[head.end() :], level=head[1], time=hints.time, pid=hints.pid)
    if text.startswith("nginx: configuration file "):
        return _event(text, text, level="", time=hints.time, pid=hints.pid)
    if not hints.loose:
        return None
    head = _LEFT_CUT_HEAD.match(text)
    if head is not None:
        pid, connection = head[2], head[4]
        return _event(
            text,
            text[head.end() :],
            level=head[1],
            time=hints.time,
            pid=int(pid),
            connection=int(connection) if connection else None,
        )
    return _bare(text, hints)


def _bare(text: str, hints: Hints) -> LogEvent | None:
    """A message without its frame is taken for nginx's only where its words or its fields are nginx's alone."""
    message, tail = split(text)
    says_upstream = tail.client is not None and (tail.upstream is not None or tail.request is not None)
    if not says_upstream and not any(words in message for words in _OWN_WORDS):
        return None
    event = _event(text, text, level="", time=hints.time, pid=hints.pid)
    return event if event.causes or says_upstream or event.symptom not in {"other", "notice"} else None


_OWN_WORDS = (
    " while connecting to upstream",
    " while SSL handshaking to upstream",
    " while sending request to upstream",
    " while reading response header from upstream",
    " while reading upstream",
    "no live upstreams",
    "upstream prematurely closed connection",
    "upstream sent too big header",
    "upstream timed out (",
    "host not found in upstream",
    "worker_connections are not enough",
    "upstream server temporarily disabled",
    "auth request unexpected status: ",
    "no resolver defined to resolve ",
    "upstream SSL certificate ",
    "connect() failed (",
    "connect() to unix:",
)


def _event(
    text: str,
    body: str,
    *,
    level: str,
    time: float | None,
    pid: int | None,
    connection: int | None = None,
) -> LogEvent:
    message, tail = split(body)
    core = _understand(message, tail.upstream, tail.scheme, tail.client is not None, level)
    causes = core.causes
    if tail.subrequest is not None and causes:
        causes = (*causes, "gateway-auth-subrequest-down")
    return LogEvent(
        PROGRAM,
        core.symptom,
        core.meaning,
        core.phase,
        time,
        level,
        core.errno,
        core.upstream,
        tail.client,
        tail.server,
        tail.host,
        tail.request,
        pid,
        connection,
        causes,
        text,
        core.status,
        core.target,
    )


def _action(message: str, whole: bool) -> tuple[str, Phase | None]:
    """The message without its action, and the phase of the action (None: it was cut off before it was certain)."""
    before, found, action = message.rpartition(" while ")
    if found:
        known = ACTIONS.get(action.partition(",")[0])
        if known is not None:
            return before, known
    if whole:
        return (before if found and action[:1].islower() else message), Phase.NONE
    if found and '"' not in action:
        phases = {phase for name, phase in ACTIONS.items() if name.startswith(action)}
        if len(phases) == 1:
            return before, phases.pop()
        if phases:
            return before, None
    return message, None


def _may_happen_later(said: str) -> bool:
    """Whether an emergency is one of a running nginx: of a connection, or for want of memory (perhaps cut off)."""
    return said.startswith(("*", *_ALLOCATING)) or any(call.startswith(said) for call in _ALLOCATING)


@lru_cache(maxsize=4096)
def _understand(message: str, upstream: str | None, scheme: str, whole: bool, level: str) -> Core:
    said, phase = _action(message.removeprefix(_REPORTED), whole)
    errno = None
    if printed := _PRINTED_ERRNO.search(said):
        errno = errno_of(int(printed[1]), printed[2])
    if upstream is None and (address := _ADDRESS.search(said)):
        upstream = endpoint(address[1])
    if said.startswith("connect() ") and phase in {Phase.CONNECTING, None}:
        known = connect_failure(errno, upstream)
        return Core(known.symptom, known.meaning, Phase.CONNECTING, errno, known.causes, upstream, None, None)
    match = find(MESSAGES, said, phase, errno)
    starting = level == "emerg" and not whole and not _may_happen_later(said)
    if match is None and starting:
        return Core("start-refused", _REFUSED, Phase.NONE, errno, _OF_A_START, upstream, None, None)
    if match is None or (level in _MILD and match.row.symptom in _ONLY_AT_START):
        failing = level in _SERIOUS
        symptom = "other" if failing else "notice"
        meaning = (
            "nginx reports an error that no known fault of an upstream explains."
            if failing
            else "nginx reports what it does; this is no failure."
        )
        return Core(symptom, meaning, phase or Phase.NONE, errno, (), upstream, None, None)
    row = match.row
    if row.symptom == "connect-timeout":
        known = connect_failure(110, upstream)
        return Core(known.symptom, known.meaning, Phase.CONNECTING, errno, known.causes, upstream, None, None)
    if row.phase is Phase.RESOLVING:
        errno = None if "could not be resolved" in said else errno
    target = match.groups.get("target")
    status = match.groups.get("status")
    causes = tuple(dict.fromkeys((*row.causes, *_OF_A_START))) if starting else row.causes
    return Core(
        row.symptom,
        row.meaning,
        row.phase or phase or Phase.NONE,
        errno,
        _fitting(causes, scheme, upstream),
        upstream,
        target,
        int(status) if status else None,
    )


def _fitting(causes: tuple[str, ...], scheme: str, upstream: str | None) -> tuple[str, ...]:
    """The causes that the kind of upstream does not exclude."""
    if not scheme and upstream is None:
        return tuple(cause for cause in causes if cause not in _DEPENDING)
    fitting = []
    for cause in causes:
        if is_unix(upstream) and cause in _NOT_OVER_UNIX:
            continue
        if scheme in _TLS and cause in _NOT_OVER_TLS:
            continue
        if scheme and cause in _ONLY_OVER and scheme not in _ONLY_OVER[cause]:
            continue
        fitting.append(cause)
    return tuple(fitting)
