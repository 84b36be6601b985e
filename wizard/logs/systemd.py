"""What systemd writes about units: how a process ended, and what became of the unit.

Owns the wording of systemd 208 to 258 (`src/core/service.c`, `unit.c`, `exec_child`). May not know the unit's own
lines.
"""

from __future__ import annotations

from wizard.logs.errnos import errno_of
from wizard.logs.hints import PLAIN, Hints
from wizard.logs.kernel import GATEWAYS
from wizard.logs.patterns import Pattern
from wizard.logs.signatures import find
from wizard.logs.tables.systemd import MESSAGES
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

_OURS = frozenset({"systemd", "init", "systemd-coredump", "systemd-oomd"})
_SYSTEMCTL = ("Job for ", "Unit ")
_ABOUT = Pattern(r"(?:Job for|Unit) ([\w@.:\\-]{1,200}\.(?:service|socket)) ")
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
    ours = hints.program in _OURS or hints.program.startswith("(") or text.startswith(_SYSTEMCTL)
    unit = _UNIT.match(text) or _ABOUT.match(text)
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
            "systemd-oomd killed ",
            " is not active, cannot reload",
        )
    )


def _causes(causes: tuple[str, ...], unit: str | None) -> tuple[str, ...]:
    name = (unit or "").partition(".")[0].partition("@")[0]
    if name not in GATEWAYS and (unit is None or _DESCRIBED.match(unit) is None):
        return causes
    return tuple(dict.fromkeys(_OF_A_GATEWAY.get(cause, cause) for cause in causes))
