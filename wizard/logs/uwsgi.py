"""What uWSGI writes: its request lines, the ends of its workers, and its start.

Owns the wording of uWSGI 1.9 to 2.0 (`core/master_utils.c`, `core/socket.c`, `proto/uwsgi.c`, `plugins/python`).
May not know the application's own lines.
"""

from __future__ import annotations

import re

import msgspec

from wizard.logs.hints import PLAIN, Hints
from wizard.logs.patterns import Pattern
from wizard.logs.signatures import find, row, rows
from wizard.logs.told import event_of
from wizard.model import LogEvent, Phase

PROGRAM = "uwsgi"

_STAMP = Pattern(r"(\w{3} \w{3} +\d{1,2} \d\d:\d\d:\d\d \d{4}) - ")
_REQUEST = Pattern(
    r"\[pid: (\d+)\|app: [-\d]+\|req: [-\d/]+\] (\S{1,64}) \([^)]{0,200}\) \{[^}]{0,60}\} \[([^\]]{20,30})\] "
    r"([A-Z]{2,12} \S*) => generated (-?\d+) bytes in \d+ \w+(?: via \w+\(\))?(?: \((HTTP/[\d.]+) (\d{3})\))?"
)
_SIZE = Pattern(r"invalid request block size: (\d{1,9})")
# The second and third byte of a request line, read as the size in a uwsgi header (little-endian, after one byte).
_METHODS = frozenset({"GET", "POST", "PUT", "HEAD", "DELETE", "OPTIONS", "PATCH", "CONNECT", "TRACE"})
_HTTP_SIZES = frozenset(int.from_bytes(method.encode()[1:3], "little") for method in _METHODS)
_PROXY_SIZE = int.from_bytes(b"RO", "little")

MESSAGES = rows(
    row(
        "queue-full",
        "uWSGI listen queue of socket",
        "The accept queue of uWSGI's socket is full; further connections are dropped.",
        "listen-backlog-overflow",
        "unix-backlog-full",
        "upstream-workers-exhausted",
        pattern=r"full ?!!!",
    ),
    row(
        "worker-timeout",
        "HARAKIRI",
        "A request ran longer than harakiri allows; uWSGI ends its worker.",
        "upstream-worker-killed-by-timeout",
        "upstream-slow-response",
        "upstream-hung",
        pattern=r"HARAKIRI(?:: --| ON WORKER \d+| triggered by worker \d+| !!!| \[core \d+\]|:| - )"
        r"(?: \(pid: (?P<pid>\d+)(?=[,)])|.{0,80}? - (?P<request>[A-Z]{2,12} \S+) since)?",
    ),
    row(
        "worker-killed",
        "DAMN ! worker ",
        "A worker was killed: by the kernel for want of memory, by uWSGI after harakiri, or by hand.",
        "upstream-oom-killed",
        "upstream-worker-killed-by-timeout",
        "upstream-crashed-mid-request",
        pattern=r"\(pid: (?P<pid>\d+)\) died, killed by signal 9\b",
    ),
    row(
        "worker-crashed",
        "DAMN ! worker ",
        "A worker died in the middle of its work.",
        "upstream-crashed-mid-request",
        pattern=r"worker \d+ \(pid: (?P<pid>\d+)\) (?:died|MYSTERIOUSLY killed)",
    ),
    row(
        "worker-crashed",
        "!!! uWSGI process ",
        "A worker crashed.",
        "upstream-crashed-mid-request",
        pattern=r"process (?P<pid>\d+) got (?:Segmentation Fault|Floating Point Exception)",
    ),
    row(
        "crash-loop",
        "respawning too fast",
        "A worker dies again and again right after its start.",
        "upstream-crash-loop",
    ),
    row(
        "request-too-large",
        "invalid request block size: ",
        "The request's variables are larger than uWSGI's buffer-size.",
        "uwsgi-buffer-size",
        pattern=r"size: \d+ \(max",
    ),
    row(
        "no-application",
        "no python application found",
        "uWSGI runs without an application: loading it failed at the start.",
        "upstream-service-failed-start",
    ),
    row(
        "start-failed",
        "unable to load app ",
        "uWSGI could not load the application.",
        "upstream-service-failed-start",
        pattern=r"unable to load app \d+ \(mountpoint=",
    ),
    row(
        "start-failed",
        "OOPS ! failed loading app in worker ",
        "A worker of uWSGI could not load the application.",
        "upstream-service-failed-start",
    ),
    row(
        "start-failed",
        "*** no app loaded.",
        "uWSGI runs without an application: loading it failed at the start.",
        "upstream-service-failed-start",
    ),
    row(
        "port-in-use",
        "probably another instance of uWSGI is running on the same address",
        "Another process holds the address on which uWSGI is to listen.",
        "port-owned-by-other-process",
        "upstream-service-failed-start",
        errno=98,
        pattern=r"same address \((?P<target>[^)]*)\)|same address",
    ),
    row(
        "port-in-use",
        "bind(): ",
        "uWSGI cannot listen on its address.",
        "port-owned-by-other-process",
        "upstream-service-failed-start",
        pattern=r"bind\(\): (?P<wording>[A-Z][\w ]+?) \[core/socket\.c line \d+\]",
    ),
    row(
        "backlog-refused",
        "Listen queue size is greater than the system max net.core.somaxconn",
        "The configured accept queue is larger than the kernel allows; uWSGI does not start.",
        "upstream-service-failed-start",
    ),
    row(
        "no-descriptors",
        "accept(): Too many open files",
        "uWSGI has no file descriptor left.",
        "upstream-fd-limit",
        errno=24,
    ),
    row(
        "connect-failed",
        "hr_instance_connected(): ",
        "uWSGI's HTTP router could not connect to the workers behind it.",
        "upstream-not-listening",
        "upstream-service-stopped",
        "unix-socket-missing",
        phase=Phase.CONNECTING,
        pattern=r"hr_instance_connected\(\): (?P<wording>[A-Z][\w ]+?) \[",
    ),
    row(
        "closed-early",
        "hr_instance_read(): ",
        "A worker behind uWSGI's HTTP router broke its connection off.",
        "upstream-crashed-mid-request",
        "upstream-worker-killed-by-timeout",
        "upstream-oom-killed",
        phase=Phase.READING_HEADER,
        pattern=r"hr_instance_read\(\): (?P<wording>[A-Z][\w ]+?) \[",
    ),
    row(
        "client-left",
        "writing to a closed pipe/socket/fd",
        "The gateway (or its client) was gone before the answer was written.",
    ),
    row(
        "client-left",
        "uwsgi_response_write",
        "The gateway (or its client) was gone before the answer was written.",
    ),
)
_OWN_WORDS = (
    "uWSGI listen queue of socket",
    "HARAKIRI",
    "DAMN ! worker ",
    "!!! uWSGI process ",
    "respawning too fast !!! i have to sleep",
    "invalid request block size: ",
    "--- no python application found",
    "unable to load app ",
    "*** no app loaded.",
    "probably another instance of uWSGI",
    "[core/socket.c line ",
    "Listen queue size is greater than the system max",
    "writing to a closed pipe/socket/fd",
    "hr_instance_connected(): ",
    "hr_instance_read(): ",
    "uwsgi_response_write",
    "OOPS ! failed loading app in worker ",
)
_START = ("*** Starting uWSGI", "*** uWSGI is running", "spawned uWSGI ", "Respawned uWSGI worker", "uWSGI running as ")


def read(text: str, hints: Hints = PLAIN) -> LogEvent | None:
    """A line of uWSGI as an event, or None where it is none of uWSGI's."""
    stamp = _STAMP.match(text)
    time = hints.time
    if stamp is not None:
        read_ = hints.clock.read(stamp[1])
        time = hints.time if read_ is None else read_
    begins = stamp.end() if stamp is not None else 0
    if (request := _REQUEST.match(text, begins)) is not None or (
        hints.loose and "[pid: " in text and (request := _REQUEST.search(text)) is not None
    ):
        return _request(text, request, hints)
    if not hints.loose:
        return None
    if any(words in text for words in _OWN_WORDS) or (hints.program == "uwsgi" and "bind(): " in text):
        match = find(MESSAGES, text)
        if match is None:
            return None
        event = event_of(PROGRAM, match, text, time=time, pid=hints.pid)
        return _sized(event, text) if match.row.symptom == "request-too-large" else event
    if text.startswith(_START, begins):
        meaning = "uWSGI reports what it does; this is no failure."
        return LogEvent(program=PROGRAM, symptom="notice", meaning=meaning, time=time, pid=hints.pid, line=text)
    return None


def _request(text: str, request: re.Match[str], hints: Hints) -> LogEvent:
    pid, client, stamp, line, size, version, status = request.groups()
    time = hints.clock.read(stamp)
    failed = status is not None and status.startswith("5") and size == "0"
    return LogEvent(
        program=PROGRAM,
        symptom="empty-reply" if failed else "served",
        meaning=(
            "The application raised an error before it had answered; uWSGI sent nothing, whatever status it prints."
            if failed
            else "A request and its status, as uWSGI logs each one."
        ),
        time=hints.time if time is None else time,
        client=client,
        request=f"{line} {version}" if version else None,
        pid=int(pid),
        causes=("upstream-app-exception-empty-reply",) if failed else (),
        line=text,
        status=int(status) if status is not None else None,
    )


def _sized(event: LogEvent, text: str) -> LogEvent:
    """An impossible size is another protocol's first bytes."""
    found = _SIZE.search(text)
    size = int(found[1]) if found is not None else 0
    if size in _HTTP_SIZES:
        return msgspec.structs.replace(
            event,
            symptom="not-uwsgi",
            meaning="The gateway speaks HTTP to a port where uWSGI expects its own protocol.",
            causes=("protocol-mismatch-uwsgi-http",),
        )
    if size == _PROXY_SIZE:
        return msgspec.structs.replace(
            event,
            symptom="proxy-protocol-unexpected",
            meaning="The gateway sends a PROXY protocol header that uWSGI does not expect.",
            causes=("proxy-protocol-mismatch",),
        )
    return event
