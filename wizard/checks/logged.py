"""What the gateway itself logged: about one server, about one route, and what is failing on the host at all.

Owns the checks `log`, `route-log` and `held-address`. May not know how a line is read. A line tells what was at its
own time; a line about a request that succeeded on the next server is a line about a dead server all the same.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from urllib.parse import urlsplit

from msgspec.structs import replace

from wizard.checks.address import lookup, parse_address, required, split_port
from wizard.checks.ours import with_own, without_own
from wizard.checks.registry import UNKNOWN, Asker, Finding, Gap, Scope, Subject, Value, check
from wizard.checks.survey import Gateway, Survey, survey
from wizard.gateways.nginx.tree import every
from wizard.host.questions import LogTail, NotAnswered, ReadLog, StampKind
from wizard.host.threads import EVENT, beside
from wizard.logs.error_log import Cluster, cluster, read_error_log
from wizard.model import LogEvent, Phase, Route
from wizard.text import one_line

MAX_LOG = 16 << 20
MAX_URLS = 6

_GROUPS: dict[str, tuple[str, ...]] = {
    "name-failed": ("name-not-found", "resolver-failed", "resolver-unreachable"),
    "handshake-failed": (
        "tls-not-tls",
        "tls-name-unknown",
        "tls-version",
        "tls-refused",
        "tls-client-certificate-wanted",
        "tls-failed",
        "tls-closed",
        "handshake-timeout",
    ),
    "certificate-refused": (
        "certificate-expired",
        "certificate-untrusted",
        "certificate-name",
        "certificate-missing",
    ),
    "not-http": ("not-http", "http1-to-http2", "http2-invalid", "not-fastcgi", "unexpected-reply"),
    "length-conflict": ("length-conflict", "more-than-announced", "chunk-invalid"),
    "response-timeout": ("response-timeout", "send-timeout", "timed-out"),
    "body-cut": ("body-cut", "body-reset", "body-timeout"),
    "closed-early": ("closed-early", "reset-early", "request-rejected"),
    "target-invalid": ("target-invalid", "target-without-scheme", "target-without-port"),
}
_WORD_OF = {symptom: word for word, symptoms in _GROUPS.items() for symptom in symptoms}
_ALONE = (
    "header-too-big",
    "header-invalid",
    "resolver-missing",
    "no-live-upstreams",
    "no-descriptors",
    "connections-exhausted",
    "temp-disk-full",
    "temp-denied",
    "auth-subrequest",
    "limited",
    "redirect-cycle",
    "source-address-unusable",
)
LOGGED = ("connect-failed", "connect-timeout", *_GROUPS, *_ALONE, "other-failure")
_VALUES = ("count", "sample", "errno", "symptom", "request")


def word_of(event: LogEvent | Cluster) -> str:
    """The outcome for an event's class."""
    if event.phase is Phase.CONNECTING and event.symptom not in _WORD_OF and event.symptom not in _ALONE:
        return "connect-timeout" if event.symptom == "connect-timeout" else "connect-failed"
    if event.symptom in _WORD_OF:
        return _WORD_OF[event.symptom]
    return event.symptom if event.symptom in _ALONE else "other-failure"


async def events_of(gateway: Gateway, path: str | None, asker: Asker) -> tuple[LogEvent, ...] | NotAnswered | None:
    """The failures in an error log of this gateway; None where it writes none that can be read as a file."""
    if path is None or path.startswith(("syslog:", "stderr", "memory:", "/dev/")):
        return None

    async def make(inner: Asker) -> tuple[LogEvent, ...] | NotAnswered:
        question = ReadLog(path, inner.since, StampKind.NGINX_ERROR, MAX_LOG, gateway.instance.within)
        answer = (await inner.ask(question)).answer
        if not isinstance(answer, LogTail):
            return answer
        return await beside(len(answer.content), partial(read_error_log, answer, samples=True))

    return await asker.once(f"log {gateway.instance.pid} {path}", make)


async def _events(
    subject: Subject, asker: Asker, *, with_request: bool = False
) -> tuple[LogEvent, ...] | NotAnswered | None:
    route = subject.route
    gateway = (await survey(asker)).gateway_of(route.gateway if route else None)
    if route is None or gateway is None:
        return None
    path = route.logs.error if route.logs else None
    events = await events_of(gateway, path, asker)
    if with_request and path is not None and isinstance(events, tuple):
        return await with_own(events, route, path, asker)
    return events


def of_route(event: LogEvent, route: Route) -> bool:
    """Whether an event is about this virtual host; nginx writes its first name as `server`."""
    asked = (event.host or "").strip('"').rpartition(":")[0] or (event.host or "")
    names = {route.virtual_host.name.lower(), (urlsplit(route.url).hostname or "").lower()}
    return event.server is None or not event.server or event.server.lower() in names or asked.lower() in names


async def server_events(
    subject: Subject, asker: Asker, *, with_request: bool = False
) -> tuple[tuple[LogEvent, ...] | NotAnswered | None, frozenset[str]]:
    """The events about one server, and the addresses under which it may stand in the log.

    With `with_request` what the walk's own request left there is among them for sure, which waits for its answer.
    """
    route, server = required(subject)
    found = await events_of_addresses(subject, asker)
    events = await _events(subject, asker, with_request=with_request)
    if not isinstance(events, tuple):
        return events, found
    only = route.upstream is not None and len(route.upstream.servers) == 1
    found |= await _earlier_address(subject, events, asker)
    port = split_port(server.address)[1]
    mine = tuple(
        event
        for event in events
        if event.upstream is not None
        and (
            event.upstream in found
            or (only and server.name is not None and split_port(event.upstream)[1] == port and of_route(event, route))
        )
    )
    return mine, found


async def _earlier_address(subject: Subject, events: tuple[LogEvent, ...], asker: Asker) -> frozenset[str]:
    """The address that a named server of a pool had when the configuration was loaded, by the log; empty where unsure.

    Addresses that no server of the pool has now are those of names that moved. They tell of every name where there are
    as many of them.
    """
    route, server = required(subject)
    servers = route.upstream.servers if route.upstream is not None else ()
    port = split_port(server.address)[1]
    named = [one for one in servers if one.name is not None and split_port(one.address)[1] == port]
    if len(servers) < 2 or server not in named:
        return frozenset()
    now = [await events_of_addresses(replace(subject, server=one), asker) for one in servers]
    loaded = int(route.gateway.loaded or 0)
    used = (one.upstream for one in events if one.upstream and of_route(one, route) and (one.time or loaded) >= loaded)
    strangers = dict.fromkeys(
        one
        for one in used
        if split_port(one)[1] == port and parse_address(one) and not any(one in known for known in now)
    )
    return frozenset({list(strangers)[named.index(server)]} if len(strangers) >= len(named) else ())


async def events_of_addresses(subject: Subject, asker: Asker) -> frozenset[str]:
    """Every way in which a log may write a server's address."""
    _, server = required(subject)
    found = await lookup(subject, asker)
    parsed = {one.text for text in found.addresses if (one := parse_address(text)) is not None}
    return frozenset({server.address, *found.addresses, *parsed})


@check("log", Scope.SERVER, {"quiet": (), **dict.fromkeys(LOGGED, _VALUES)}, bad=LOGGED, past=True)
async def log(subject: Subject, asker: Asker) -> Finding:
    """Read what the gateway's error log says of this server, newest burst first."""
    events, _ = await server_events(subject, asker, with_request=True)
    about = f"about {one_line(subject.server.address if subject.server else '')}"
    return await _finding(events, subject, asker, about)


async def route_events(
    subject: Subject, asker: Asker, *, with_request: bool = False
) -> tuple[LogEvent, ...] | NotAnswered | None:
    """The failures that the gateway logged about a route's virtual host, whichever server they met.

    With `with_request` what the walk's own request left there is among them for sure, which waits for its answer.
    """
    events = await _events(subject, asker, with_request=with_request)
    if not isinstance(events, tuple) or subject.route is None:
        return events
    route = subject.route
    return await beside(len(events) * EVENT, lambda: tuple(event for event in events if of_route(event, route)))


@check("route-log", Scope.ROUTE, {"quiet": (), **dict.fromkeys(LOGGED, _VALUES)}, bad=LOGGED, past=True)
async def route_log(subject: Subject, asker: Asker) -> Finding:
    """Read what the gateway's error log says of this virtual host, newest burst first."""
    return await _finding(
        await route_events(subject, asker, with_request=True), subject, asker, "about this virtual host"
    )


async def _finding(
    events: tuple[LogEvent, ...] | NotAnswered | None, subject: Subject, asker: Asker, about: str
) -> Finding:
    logs = subject.route.logs if subject.route else None
    path = logs.error if logs and logs.error else ""
    by_hand = f"tail -n 50 {path}" if path.startswith("/") else None
    if events is None:
        return Finding(
            UNKNOWN, f"The gateway writes no error log to a file ({one_line(path) or 'off'}).", by_hand=by_hand
        )
    if isinstance(events, NotAnswered):
        gaps = (Gap(one_line(path), one_line(events.detail), events.grant),)
        return Finding(
            UNKNOWN, f"{one_line(path)} could not be read: {one_line(events.detail)}.", gaps=gaps, by_hand=by_hand
        )
    groups = cluster(events)
    if not groups:
        return Finding("quiet", f"Nothing {about} in the last {asker.since / 60:g} minutes.", by_hand=by_hand)
    chief = _chief(groups)
    others = await without_own(events, subject.route, asker) if subject.route else events
    count = sum(one.count for one in cluster(others) if _alike(one, chief))
    values: dict[str, Value] = {
        "count": count,
        "sample": chief.sample,
        "errno": chief.errno or 0,
        "symptom": chief.symptom,
        "request": chief.requests[0] if chief.requests else "",
    }
    times = f"{count} times" if count > 1 else "once" if count else "only at this walk's own request"
    return Finding(
        word_of(chief),
        f"{chief.meaning} ({times} {about}, last {_clock(chief)})",
        values,
        by_hand=by_hand,
        first_seen=chief.first,
        last_seen=chief.last,
    )


def _alike(one: Cluster, other: Cluster) -> bool:
    return (one.symptom, one.upstream, one.server) == (other.symptom, other.upstream, other.server)


def _chief(groups: Sequence[Cluster]) -> Cluster:
    """The group that tells most: consequences such as `no live upstreams` only where nothing else was said."""
    telling = [one for one in groups if one.symptom not in {"no-live-upstreams", "upstream-disabled"}]
    return (telling or list(groups))[0]


def _clock(chief: Cluster) -> str:
    if chief.last is None:
        return "at an unknown time"
    return datetime.fromtimestamp(chief.last, UTC).strftime("%H:%M:%S UTC")


@check(
    "held-address",
    Scope.SERVER,
    {"same": ("addresses",), "differs": ("held", "addresses"), "not-seen": ("addresses",)},
    bad=("differs",),
)
async def held_address(subject: Subject, asker: Asker) -> Finding:
    """Compare the address that the gateway used last, by its log, with the one that the name has now."""
    found = await lookup(subject, asker)
    events, _ = await server_events(subject, asker)
    now = tuple(found.addresses)
    if not isinstance(events, tuple):
        return Finding(UNKNOWN, "The gateway's log, which names the address that it uses, could not be read.")
    parsed = {one.text for text in now if (one := parse_address(text)) is not None}
    loaded = subject.route.gateway.loaded if subject.route else None
    # A load looks every name up again; the log has whole seconds only.
    used = [
        (event.upstream, event.time)
        for event in events
        if event.upstream
        and parse_address(event.upstream) is not None
        and (loaded is None or event.time is None or event.time >= int(loaded))
    ]
    if not used:
        return Finding("not-seen", "The log names no address that the gateway used for it.", {"addresses": now})
    last, when = used[-1]
    if last in parsed or last in now:
        return Finding("same", f"The gateway uses {one_line(last)}, which the name still has.", {"addresses": now})
    return Finding(
        "differs",
        f"The gateway uses {one_line(last)}; the name is now {one_line(', '.join(now))}.",
        {"held": last, "addresses": now},
        last_seen=when,
    )


async def failing_urls(seen: Survey, asker: Asker) -> tuple[str, ...]:
    """A few URLs whose requests failed lately by the error logs of the gateways, of each log the newest burst first.

    What a third of the walk does not suffice to read is left out: there has to be time for walking.
    """
    found: dict[str, None] = {}
    logs = [(gateway, path) for gateway in seen.gateways for path in error_logs(gateway)]
    with suppress(TimeoutError):
        async with asyncio.timeout(asker.timeout / 3):
            for gateway, path in logs:
                events = await events_of(gateway, path, asker)
                for one in cluster(events) if isinstance(events, tuple) else ():
                    url = url_of(one, events if isinstance(events, tuple) else ())
                    if url is not None:
                        found.setdefault(url)
                if len(found) >= MAX_URLS:
                    break
    return tuple(found)[:MAX_URLS]


def error_logs(gateway: Gateway) -> tuple[str, ...]:
    """Where a gateway writes its errors: paths as it opens them, or syslog, stderr, memory."""
    if gateway.configuration is None:
        return ()
    configuration = gateway.configuration
    written = [one.args[0] for one in every(configuration.tree, "error_log") if one.args]
    paths = [
        one if one.startswith(("syslog:", "stderr", "memory:")) else configuration.runtime_path(one) for one in written
    ]
    return tuple(dict.fromkeys(paths or [configuration.error_log]))


def url_of(one: Cluster, events: Sequence[LogEvent]) -> str | None:
    """The URL of a request of a burst, as its visitor asked for it; None where the lines do not tell."""
    event = next(
        (item for item in reversed(events) if item.request in one.requests and item.symptom == one.symptom), None
    )
    return requested(event) if event is not None else None


def requested(event: LogEvent) -> str | None:
    """The URL that a line tells of, as its visitor asked for it; None where the line does not tell."""
    if not event.request or not event.host:
        return None
    words = event.request.split(" ")
    target = words[1] if len(words) > 1 and words[1].startswith("/") else "/"
    return f"http://{event.host}{target}"
