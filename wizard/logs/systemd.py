"""What systemd writes about units: how a process ended, and what became of the unit.

Owns the wording of systemd 208 to 258 (`src/core/service.c`, `unit.c`, `exec_child`). May not know the unit's own
lines.
"""

from __future__ import annotations

from wizard.logs.errnos import errno_of
from wizard.logs.hints import PLAIN, Hints
from wizard.logs.kernel import GATEWAYS
from wizard.logs.patterns import Pattern
from wizard.logs.signatures import find, row, rows
from wizard.logs.told import event_of
from wizard.model import LogEvent

PROGRAM = "systemd"

_UNIT = Pattern(r"([\w@.:\\-]{1,200}\.(?:service|socket|mount|scope|slice|target|timer)):? ")
_FAILED = Pattern(
    r"(?:Failed to (?:start|listen on)|Dependency failed for|Reload failed for) ([^\n]{1,200}?)(?: - [^\n]*)?\.?$"
)
# How distributions describe a gateway's unit: until version 249 systemd prints nothing else of it.
_DESCRIBED = Pattern(
    r"(?:A high performance web server and a reverse proxy server|The nginx HTTP and reverse proxy server|"
    r"nginx - high performance web server|The Apache HTTP Server|Apache HTTP Server|Apache Web Server|"
    r"HAProxy Load Balancer|Caddy|Caddy web server|Traefik|Traefik \S+|Envoy|Envoy Proxy)$"
)
_BARE_STATUS = Pattern(r"code=exited status=(\d+)$")  # as versions 208 to 231 print it
_WORDING = Pattern(r": ([A-Z][\w ]{4,60})$")

_START = ("upstream-service-failed-start",)

MESSAGES = rows(
    row(
        "oom-kill",
        "result 'oom-kill'",
        "The unit failed because the kernel killed a process of it for want of memory.",
        "upstream-oom-killed",
    ),
    row(
        "oom-kill",
        "killed by the OOM killer",
        "The kernel killed a process of the unit for want of memory.",
        "upstream-oom-killed",
    ),
    row(
        "start-limit",
        "tart request repeated too quickly",
        "The unit failed so often in a short time that systemd starts it no more.",
        "upstream-crash-loop",
    ),
    row(
        "start-limit",
        "result 'start-limit",
        "The unit failed so often in a short time that systemd starts it no more.",
        "upstream-crash-loop",
    ),
    row(
        "restarting",
        "cheduled restart job, restart counter is at",
        "The unit ended and is started again.",
        "upstream-crash-loop",
        pattern=r"counter is at (?P<target>\d+)",
    ),
    row(
        "restarting",
        "off time over, scheduling restart",
        "The unit ended and is started again.",
        "upstream-crash-loop",
    ),
    row("restarting", " expired, scheduling restart", "The unit ended and is started again.", "upstream-crash-loop"),
    row("restarting", "holdoff time over", "The unit ended and is started again.", "upstream-crash-loop"),
    row(
        "watchdog",
        "atchdog timeout",
        "The unit gave no sign of life for its watchdog's time; systemd ends it.",
        "upstream-hung",
    ),
    row("watchdog", "result 'watchdog'", "The unit gave no sign of life for its watchdog's time.", "upstream-hung"),
    row(
        "start-timeout",
        "tart operation timed out",
        "The unit did not become ready before its deadline.",
        "upstream-service-failed-start",
        "upstream-still-starting",
    ),
    row(
        "start-timeout",
        "result 'timeout'",
        "The unit missed a deadline of its start or stop.",
        "upstream-service-failed-start",
        "upstream-still-starting",
        "upstream-hung",
    ),
    row(
        "stop-timeout",
        "timed out. Killing",
        "The unit did not stop before its deadline; systemd kills it.",
        "upstream-hung",
        "upstream-deploy-window",
    ),
    row(
        "exec-failed",
        "rocess exited, code=exited, status=2",
        "systemd could not set the process up: program, user, folder or namespace (systemd.exec(5) names the status).",
        *_START,
        pattern=r"status=(?P<status>2[0-4]\d)/",
    ),
    row(
        "exec-failed",
        "ailed at step ",
        "systemd could not set the process up.",
        *_START,
        pattern=r"ailed at step (?P<target>\w+) spawning",
    ),
    row(
        "exec-failed",
        "to ",
        "systemd could not set the process up.",
        *_START,
        pattern=r"(?:ailed|Unable) to (?:execute (?:command)?|locate executable|determine user credentials|set up mount namespacing"
        r"|load environment files|run '\w+' task|create (?:runtime|listening)|change group|chdir)",
    ),
    row(
        "exec-failed",
        "hanging to the requested working directory failed",
        "systemd could not set the process up: its working folder is missing.",
        *_START,
    ),
    row("exited", "rocess exited, code=exited, status=0/", "The process of the unit ended without an error."),
    row(
        "exited",
        "rocess exited, code=exited, status=",
        "The process of the unit ended with an error.",
        "upstream-service-failed-start",
        "upstream-crashed-mid-request",
        "upstream-crash-loop",
        pattern=r"status=(?P<status>\d+)/",
    ),
    row(
        "killed",
        "rocess exited, code=killed, status=9",
        "The process of the unit was killed: for want of memory, after a deadline, or by hand.",
        "upstream-oom-killed",
        "upstream-crashed-mid-request",
    ),
    row(
        "stopped",
        "rocess exited, code=killed, status=15",
        "The process of the unit was told to stop.",
        "upstream-service-stopped",
    ),
    row(
        "crashed",
        "rocess exited, code=killed",
        "The process of the unit was ended by a signal.",
        "upstream-crashed-mid-request",
    ),
    row("crashed", "rocess exited, code=dumped", "The process of the unit crashed.", "upstream-crashed-mid-request"),
    row(
        "failed",
        "ailed with result '",
        "The unit crashed.",
        "upstream-crashed-mid-request",
        pattern=r"result '(?P<target>signal|core-dump)'",
    ),
    row(
        "failed",
        "ailed with result '",
        "The unit failed.",
        "upstream-service-failed-start",
        "upstream-crashed-mid-request",
        "upstream-crash-loop",
        pattern=r"result '(?P<target>exit-code|resources|protocol)'",
    ),
    row("failed", "ailed with result '", "The unit failed.", *_START, pattern=r"result '(?P<target>[\w-]+)'"),
    row(
        "failed",
        "entered failed state",
        "The unit failed.",
        "upstream-service-failed-start",
        "upstream-crashed-mid-request",
    ),
    row(
        "failed",
        ".service failed.",
        "The unit failed.",
        "upstream-service-failed-start",
        "upstream-crashed-mid-request",
        pattern=r"^\S+\.service failed\.$",
    ),
    row(
        "reload-failed",
        "Reload failed for ",
        "A reload failed: the old configuration stays in use.",
        "gateway-reload-failed",
    ),
    row(
        "port-in-use",
        "Failed to listen on ",
        "The address of a socket unit cannot be used.",
        "port-owned-by-other-process",
        "upstream-service-failed-start",
    ),
    row("failed", "Failed to start ", "The unit could not be started.", *_START),
    row("failed", "Dependency failed for ", "The unit was not started because one that it needs failed.", *_START),
)
_FRAMED = ("rocess exited, code=", "ailed with result '", "tart request repeated too quickly", "restart counter is at")

# The same message about a gateway's own unit is about the gateway.
_OF_A_GATEWAY = {
    "upstream-service-failed-start": "gateway-failed-start",
    "upstream-service-stopped": "gateway-not-running",
    "upstream-crash-loop": "gateway-failed-start",
    "upstream-still-starting": "gateway-failed-start",
    "upstream-crashed-mid-request": "gateway-not-running",
    "upstream-oom-killed": "memory-pressure",
    "upstream-hung": "gateway-not-running",
    "upstream-deploy-window": "gateway-not-running",
}


def read(text: str, hints: Hints = PLAIN) -> LogEvent | None:
    """A line of systemd as an event, or None where it is none of systemd's."""
    if not hints.loose:
        return None  # systemd's lines have no frame of their own
    if hints.program.endswith((".service", ".socket")):
        text = f"{hints.program}: {text}"  # a line without host and program: the unit stands where these would
    ours = hints.program in {"systemd", "init"} or hints.program.startswith("(")
    unit = _UNIT.match(text)
    if not ours and not (unit is not None and (any(words in text for words in _FRAMED) or _is_unit_news(text))):
        return None
    match = find(MESSAGES, _BARE_STATUS.sub(r"code=exited, status=\1/", text))
    if match is None:
        return None
    about = _FAILED.match(text)
    named = unit[1] if unit is not None else (about[1] if about is not None else None)
    wording = _WORDING.search(text)
    event = event_of(
        PROGRAM,
        match,
        text,
        time=hints.time,
        pid=hints.pid if hints.pid != 1 else None,
        errno=errno_of(None, wording[1]) if wording is not None and match.row.symptom == "exec-failed" else None,
        causes=_causes(match.row.causes, named) if about is None or text.endswith(".") else (),
    )
    return LogEvent(
        program=event.program,
        symptom=event.symptom,
        meaning=event.meaning,
        phase=event.phase,
        time=event.time,
        errno=event.errno,
        pid=event.pid,
        causes=event.causes,
        line=event.line,
        target=named or event.target,
    )


def _is_unit_news(text: str) -> bool:
    return any(
        words in text
        for words in (
            "killed by the OOM killer",
            "atchdog timeout (limit",
            "ailed at step ",
            "ailed to execute command",
            "entered failed state",
            "off time over, scheduling restart",
            "tart operation timed out",
        )
    )


def _causes(causes: tuple[str, ...], unit: str | None) -> tuple[str, ...]:
    name = (unit or "").partition(".")[0].partition("@")[0]
    if name not in GATEWAYS and (unit is None or _DESCRIBED.match(unit) is None):
        return causes
    return tuple(dict.fromkeys(_OF_A_GATEWAY.get(cause, cause) for cause in causes))
