"""What gunicorn writes to its error log.

Owns the wording of gunicorn 19 to 26 (`gunicorn/arbiter.py`, `glogging.py`, `workers/base.py`). May not know the
application's own lines.
"""

from __future__ import annotations

from wizard.logs.hints import PLAIN, Hints
from wizard.logs.patterns import Pattern
from wizard.logs.signatures import find, row, rows
from wizard.logs.told import event_of, told
from wizard.model import LogEvent

PROGRAM = "gunicorn"

_HEAD = Pattern(
    r"\[(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?: [+-]\d{4})?)\] \[(\d+)\] \[(DEBUG|INFO|WARNING|ERROR|CRITICAL)\] "
)
_OWN = Pattern(
    r"WORKER TIMEOUT \(pid: ?\d+\)|Worker \(pid: ?\d+\) (?:was sent SIG|exited with code)|"
    r"Worker with pid \d+ was terminated due to signal|Reason: (?:Worker failed to boot|App failed to load)|"
    r"<HaltServer '|Connection in use: \('"
)
MESSAGES = rows(
    row(
        "worker-timeout",
        "WORKER TIMEOUT",
        "A worker gave no sign of life for the configured timeout; gunicorn ends it.",
        "upstream-worker-killed-by-timeout",
        "upstream-hung",
        "upstream-slow-response",
        pattern=r"TIMEOUT(?: \(pid: ?(?P<target>\d+)\))?",
    ),
    row(
        "worker-killed",
        "was sent SIGKILL",
        "A worker was killed: by the kernel for want of memory, by gunicorn itself after a timeout, or by hand.",
        "upstream-oom-killed",
        "upstream-worker-killed-by-timeout",
        pattern=r"Worker \(pid: ?(?P<target>\d+)\)",
    ),
    row(
        "worker-killed",
        "was terminated due to signal 9",
        "A worker was killed: by the kernel for want of memory, by gunicorn itself after a timeout, or by hand.",
        "upstream-oom-killed",
        "upstream-worker-killed-by-timeout",
        pattern=r"pid (?P<target>\d+)",
    ),
    row(
        "worker-crashed",
        "orker ",
        "A worker crashed.",
        "upstream-crashed-mid-request",
        pattern=r"Worker (?:\(pid: ?|with pid )(?P<target>\d+)\)? was (?:sent SIG(?:SEGV|ABRT|BUS|ILL|FPE|SYS|TRAP)|"
        r"terminated due to signal (?:11|6|7|4|8|31|5)\b)",
    ),
    row(
        "worker-stopped",
        "orker ",
        "A worker was told to stop; this alone fails no request.",
        pattern=r"was (?:sent SIG|terminated due to signal )(?:TERM|INT|QUIT|HUP|15|2|3|1)\b",
    ),
    row(
        "start-failed",
        "Worker failed to boot",
        "The application could not be started; gunicorn gives up.",
        "upstream-service-failed-start",
    ),
    row(
        "start-failed",
        "App failed to load",
        "The application could not be loaded; gunicorn gives up.",
        "upstream-service-failed-start",
    ),
    row(
        "start-failed",
        " exited with code ",
        "A worker could not start or load the application.",
        "upstream-service-failed-start",
        pattern=r"Worker \(pid: ?(?P<target>\d+)\) exited with code [34]\b",
    ),
    row(
        "worker-exited",
        " exited with code ",
        "A worker ended with an error.",
        "upstream-crashed-mid-request",
        "upstream-service-failed-start",
        pattern=r"Worker \(pid: ?(?P<target>\d+)\) exited with code (?!0\b)\d+",
    ),
    row(
        "start-failed",
        "Exception in worker process",
        "A worker failed while it was starting; the traceback follows.",
        "upstream-service-failed-start",
    ),
    row(
        "port-in-use",
        "Connection in use",
        "Another process holds the address on which gunicorn is to listen.",
        "port-owned-by-other-process",
        "upstream-service-failed-start",
        errno=98,
        pattern=r"in use: (?P<target>.{1,120})",
    ),
    row(
        "port-in-use",
        "[Errno 98]",
        "Another process holds the address on which gunicorn is to listen.",
        "port-owned-by-other-process",
        "upstream-service-failed-start",
        errno=98,
    ),
    row(
        "listen-failed",
        "Can't connect to ",
        "gunicorn cannot listen on its address and gives up.",
        "port-owned-by-other-process",
        "upstream-service-failed-start",
        pattern=r"connect to (?P<target>.{1,120})",
    ),
    row(
        "listen-failed",
        "Invalid address: ",
        "gunicorn cannot listen on its address.",
        "upstream-service-failed-start",
        pattern=r"^Invalid address: (?P<target>.{1,120})",
    ),
    row(
        "listen-failed",
        "connection to ",
        "gunicorn cannot listen on its address.",
        "upstream-service-failed-start",
        pattern=r"^connection to (?P<target>.{1,120}?) failed: ",
    ),
    row(
        "no-descriptors",
        "Too many open files",
        "gunicorn has no file descriptor left.",
        "upstream-fd-limit",
        errno=24,
    ),
    row(
        "proxy-protocol-unexpected",
        "Invalid request from ip=",
        "The gateway sends a PROXY protocol header that gunicorn does not expect.",
        "proxy-protocol-mismatch",
        pattern=r"Invalid (?:HTTP )?(?:request line|Method)?.*['\"]PROXY (?:TCP|UNKNOWN)",
    ),
    row(
        "tls-to-plain",
        "Invalid ",
        "The gateway speaks TLS to gunicorn, which speaks plain HTTP there.",
        "tls-https-to-plain-http",
        pattern=r"['\"]\\{1,2}x16\\{1,2}x03",
    ),
    row(
        "request-invalid",
        "Invalid request from ip=",
        "The client's request is refused with 400; this is no failure of the application.",
    ),
    row(
        "application-error",
        "Error handling request",
        "The application raised an error; gunicorn answers 500 itself.",
        pattern=r"Error handling request(?: \(no URI read\)| (?P<target>.{1,200}))?",
    ),
)


def read(text: str, hints: Hints = PLAIN) -> LogEvent | None:
    """A line of gunicorn's error log as an event, or None where it is none of gunicorn's."""
    head = _HEAD.match(text) if text.startswith("[") else None
    if head is not None:
        time = hints.clock.read(head[1])
        level = head[3].lower()
        return told(
            PROGRAM,
            PROGRAM,
            MESSAGES,
            text[head.end() :],
            text,
            time=hints.time if time is None else time,
            level=level,
            pid=int(head[2]),
            serious=level in {"error", "critical"},
        )
    if hints.loose and (hints.program.startswith("gunicorn") or _OWN.search(text) is not None):
        match = find(MESSAGES, text)
        return event_of(PROGRAM, match, text, time=hints.time, pid=hints.pid) if match is not None else None
    return None
