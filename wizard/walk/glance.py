"""A first glance at a host: its gateways, what they run with, and what fails now by their own logs.

Owns the ranking of what fails. May not know trees, sessions or how a glance is shown. Everything in it comes from the
same survey and the same log readers as the walk, so that the walk which follows asks nothing twice.
"""

from __future__ import annotations

from functools import partial

import msgspec

from wizard.checks.gateway import gateway_config
from wizard.checks.logged import error_logs, events_of, url_of, word_of
from wizard.checks.registry import Asker, Scope, Subject
from wizard.checks.survey import Gateway, Survey, survey
from wizard.gateways.nginx.samples import routes_of
from wizard.host.questions import NotAnswered
from wizard.host.threads import EVENT, beside
from wizard.logs.error_log import cluster
from wizard.model import Broken, Instance, LogEvent, Phase

BUCKETS = 16
NOW = 120.0  # seconds since the last failure for which it still goes on
MAX_FAILING = 12
MAX_ROUTES = 12
_CONSEQUENCES = frozenset({"no-live-upstreams", "upstream-disabled"})
_STATUS = {"connect-timeout": 504, "response-timeout": 504, "redirect-cycle": 500, "limited": 503}


class GatewaySeen(msgspec.Struct, frozen=True):
    """A gateway, and in what state its configuration is: read, changed (since it was loaded), broken or unknown.

    `changed` is when the newest of its files was written (epoch).
    """

    instance: Instance
    configuration: str
    said: str
    changed: float | None = None


class Failing(msgspec.Struct, frozen=True):
    """A kind of failure that the logs show lately.

    `url` is a request that met it, `upstream` the server that it was sent to, `word` the outcome that the check of
    the log would have, `symptom` the class of the message, `status` what nginx answers to it. `histogram` counts equal
    parts of the window, oldest first; `first` and `last` are in seconds since the epoch. `phase` and `errno` are those
    of the message.
    """

    url: str | None
    upstream: str | None
    word: str
    symptom: str
    status: int
    count: int
    histogram: tuple[int, ...]
    last: float | None
    meaning: str
    first: float | None = None
    phase: Phase = Phase.NONE
    errno: int | None = None


class Glance(msgspec.Struct, frozen=True):
    """What a host looks like before anything is walked. `at` is the host's own time, `since` the window in seconds."""

    at: float
    utc_offset: int
    since: float
    hostname: str = ""
    os: str = ""
    user: str = ""
    is_root: bool = False
    gateways: tuple[GatewaySeen, ...] = ()
    failing: tuple[Failing, ...] = ()
    routes: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()
    problem: Broken | None = None


async def glance(asker: Asker) -> Glance:
    """Look at the host once."""
    seen = await survey(asker)
    now = seen.clock.now if seen.clock is not None else 0.0
    failing, unread = await _failing(seen, asker, now)
    return Glance(
        at=now,
        utc_offset=seen.clock.utc_offset if seen.clock is not None else 0,
        since=asker.since,
        hostname=seen.me.hostname if seen.me else "",
        os=seen.me.os if seen.me else "",
        user=seen.me.user if seen.me else "",
        is_root=seen.me is not None and seen.me.uid == 0,
        gateways=tuple([await _gateway(one, asker) for one in seen.gateways]),
        failing=failing,
        routes=_routes(seen),
        unread=unread,
        problem=None
        if seen.gateways
        else Broken("No gateway was found on this host.", hint="Run it on the host that answers 502, or see a demo."),
    )


async def _gateway(gateway: Gateway, asker: Asker) -> GatewaySeen:
    finding = await gateway_config(Subject(Scope.HOST, "host", gateway=gateway.instance), asker)
    newest = gateway.configuration.newest if gateway.configuration is not None else None
    return GatewaySeen(gateway.instance, finding.outcome, finding.summary, newest.mtime if newest is not None else None)


async def _failing(seen: Survey, asker: Asker, now: float) -> tuple[tuple[Failing, ...], tuple[str, ...]]:
    found: list[Failing] = []
    unread: list[str] = []
    for gateway in seen.gateways:
        for path in error_logs(gateway):
            events = await events_of(gateway, path, asker)
            if isinstance(events, tuple):
                found += await beside(len(events) * EVENT, partial(_bursts, events, now, asker.since))
            else:
                unread.append(f"{path}: {events.detail if isinstance(events, NotAnswered) else 'no file'}")
    found.sort(key=lambda one: _rank(one, now))
    return tuple(found[:MAX_FAILING]), tuple(unread)


def _bursts(events: tuple[LogEvent, ...], now: float, since: float) -> list[Failing]:
    window = (now - since, now) if now else None
    return [
        Failing(
            url=url_of(one, events),
            upstream=one.upstream,
            word=word_of(one),
            symptom=one.symptom,
            status=_STATUS.get(word_of(one), 502),
            count=one.count,
            histogram=one.histogram,
            last=one.last,
            meaning=one.meaning,
            first=one.first,
            phase=one.phase,
            errno=one.errno,
        )
        for one in cluster(events, window=window, buckets=BUCKETS)
    ]


def _rank(one: Failing, now: float) -> tuple[bool, bool, int, float, str, str]:
    """What still goes on comes first, then what fails most; a consequence of other failures comes last."""
    over = one.last is not None and bool(now) and now - one.last > NOW
    return over, one.word in _CONSEQUENCES, -one.count, -(one.last or 0.0), one.upstream or "", one.word


def _routes(seen: Survey) -> tuple[str, ...]:
    urls = [
        one.route.url
        for gateway in seen.gateways
        if gateway.configuration is not None
        for one in routes_of(gateway.configuration, gateway.instance)
        if one.route is not None and one.route.upstream is not None
    ]
    return tuple(dict.fromkeys(urls))[:MAX_ROUTES]
