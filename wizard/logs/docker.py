"""What Docker writes: its port proxy, its daemon, and its events.

Owns the wording of docker-proxy and dockerd 17 to 28 (`cmd/docker-proxy`, `libnetwork`, `daemon/`). May not know what
containers write themselves.
"""

from __future__ import annotations

from wizard.logs.errnos import errno_of
from wizard.logs.fields import logfmt_fields
from wizard.logs.hints import PLAIN, Hints
from wizard.logs.patterns import Pattern
from wizard.logs.signatures import find, row, rows
from wizard.logs.told import event_of
from wizard.model import LogEvent, Phase

PROGRAM = "docker"

_EVENT = Pattern(r"container (die|oom|health_status: unhealthy|kill) ([0-9a-f]{12,64}) \(([^)]*)(\)?)")
_EXITED = Pattern(r"([\w.-]{1,100}[-_]\d{1,4}) exited with code (\d{1,3})$")  # as `docker compose up` says it
_STAMP = Pattern(r"\d{4}[/-]\d\d[/-]\d\d[ T]\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)? ")
_WORDING = Pattern(r"(?:connect|bind|read|write): ([a-z][a-z/ ]{4,60})")

MESSAGES = rows(
    row(
        "container-refuses",
        "Can't forward traffic to backend tcp/",
        "Docker's port proxy took a connection, and nothing in the container answers at that port.",
        "docker-userland-proxy-dead-backend",
        "container-bound-to-loopback",
        "container-not-running",
        phase=Phase.CONNECTING,
        pattern=r"backend tcp/(?:(?P<upstream>\S+:\d+): )?",
    ),
    row(
        "port-in-use",
        "port is already allocated",
        "Another container holds the port that is to be published.",
        "port-owned-by-other-process",
        "container-not-running",
        pattern=r"Bind for (?P<target>\S+) failed|allocated",
    ),
    row(
        "port-in-use",
        "Error starting userland proxy",
        "The port that is to be published is in use on the host.",
        "port-owned-by-other-process",
        "container-not-running",
        pattern=r"listen \w+ (?P<target>\S+): bind|proxy",
    ),
    row(
        "port-in-use",
        "Ports are not available: ",
        "The port that is to be published is in use on the host.",
        "port-owned-by-other-process",
        "container-not-running",
        pattern=r"exposing port \w+ (?P<target>\S+)|available",
    ),
    row(
        "port-in-use",
        "failed to bind host port for ",
        "The port that is to be published is in use on the host.",
        "port-owned-by-other-process",
        "container-not-running",
        pattern=r"host port for (?P<target>[^\s:]+:\S*?)(?::|\s|$)",
    ),
    row(
        "container-not-created",
        "OCI runtime create failed",
        "A container could not be started: its program, a mount or a right is missing.",
        "container-not-running",
    ),
    row(
        "network-missing",
        " not found",
        "A network that a container is to join does not exist.",
        "container-different-network",
        "container-not-running",
        pattern=r"network (?P<target>\S+) not found",
    ),
    row(
        "chains-missing",
        "No chain/target/match by that name",
        "Docker's firewall chains are gone: something flushed the rules.",
        "docker-firewall-flushed",
    ),
    row(
        "resolver-failed",
        "[resolver] failed to query",
        "Docker's resolver got no answer from the DNS server behind it.",
        "dns-resolver-down",
        phase=Phase.RESOLVING,
    ),
    row(
        "container-unhealthy",
        "Health check for container",
        "A container's health check failed.",
        "container-healthcheck-unhealthy",
        pattern=r"for container (?P<target>\S+)",
    ),
    row(
        "container-oom",
        "/tasks/oom",
        "The kernel killed a process in a container for want of memory.",
        "container-oom-killed",
    ),
)


def read(text: str, hints: Hints = PLAIN) -> LogEvent | None:
    """A line of Docker as an event, or None where it is none of Docker's."""
    stamp = _STAMP.match(text)
    printed = hints.clock.read(stamp[0].strip()) if stamp is not None else None
    time = hints.time if printed is None else printed
    if "Can't forward traffic to backend tcp/" in text:
        return _event(text, text, "", time, hints)
    if not hints.loose:
        return None
    if (exited := _EXITED.match(text)) is not None:
        return _container(text, "die", f"exitCode={exited[2]}, name={exited[1]}", time)
    daemon = hints.program in {"dockerd", "docker", "containerd", "docker-proxy"}
    if "msg=" in text and "level=" in text:
        fields = logfmt_fields(text)
        if fields.get("time") and (moment := hints.clock.read(fields["time"])) is not None:
            time = moment
        return _event(
            text, f"{fields.get('msg', '')} {fields.get('error', '')} {text}", fields.get("level", ""), time, hints
        )
    if daemon or "Error response from daemon: " in text or "driver failed programming external connectivity" in text:
        return _event(text, text, "", time, hints)
    if "container " in text and (event := _EVENT.search(text)) is not None:
        what, _, attributes, closed = event.groups()
        # The last attribute may be cut off.
        return _container(text, what, attributes if closed else attributes.rpartition(", ")[0], time)
    return None


def _event(text: str, message: str, level: str, time: float | None, hints: Hints) -> LogEvent | None:
    match = find(MESSAGES, message)
    if match is None:
        return None
    wording = _WORDING.search(message)
    errno = errno_of(None, wording[1]) if wording is not None else None
    return event_of(PROGRAM, match, text, time=time, level=level, pid=hints.pid, errno=errno)


def _container(text: str, what: str, attributes: str, time: float | None) -> LogEvent:
    values = dict(part.partition("=")[::2] for part in attributes.split(", "))
    code = values.get("exitCode", "")
    causes: tuple[str, ...] = ()
    meaning = "A container ended without an error."
    if what == "oom":
        causes, meaning = ("container-oom-killed",), "The kernel killed a process in a container for want of memory."
    elif what.startswith("health"):
        causes, meaning = ("container-healthcheck-unhealthy",), "A container's health check turned unhealthy."
    elif what == "die" and code == "137":
        causes = ("container-not-running", "container-oom-killed", "container-restarting")
        meaning = "A container was killed."
    elif what == "die" and code not in {"", "0", "143"}:
        causes, meaning = ("container-not-running", "container-restarting"), "A container ended with an error."
    elif what == "die":
        causes = ("container-not-running",)
        meaning = "A container ended."
    return LogEvent(
        program=PROGRAM,
        symptom="container-" + what.partition(":")[0].replace("_", "-"),
        meaning=meaning,
        time=time,
        causes=causes,
        line=text,
        status=None,
        target=values.get("name"),
    )
