"""What the Start screen shows: the gateways of the host, and what fails now, ranked.

Owns the words of that screen and what each row would walk. May not know widgets, or how a glance is taken.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from wizard.flow.library import Library
from wizard.text import Visible, one_line
from wizard.views.words import age, clock, cut, spark
from wizard.walk.glance import Failing, GatewaySeen, Glance
from wizard.walk.plan import Target

_CONFIGURATION = {
    "read": "",
    "changed": "files changed since, not loaded",
    "broken": "its files do not parse",
    "unknown": "its files could not be read",
}


@dataclass(frozen=True, slots=True)
class Row:
    """Something that can be walked: the request, its upstream, the failure in a word, counts by status."""

    target: Target
    where: Visible
    upstream: Visible
    word: Visible
    status: Visible
    count: Visible
    last: Visible
    spark: Visible


@dataclass(frozen=True, slots=True)
class Symptom:
    """A tree that a person may choose: its name and its title."""

    flow: str
    title: Visible


@dataclass(frozen=True, slots=True)
class StartView:
    """The Start screen."""

    host: Visible
    gateways: tuple[Visible, ...]
    heading: Visible
    rows: tuple[Row, ...]
    failing: int
    notes: tuple[Visible, ...]
    looking: bool


def start_view(glance: Glance | None, *, failure: str = "") -> StartView:
    """The Start screen for a glance; None while the host is being looked at."""
    if glance is None:
        said = one_line(failure) if failure else Visible("Looking at this host ...")
        return StartView(Visible(""), (), Visible(""), (everything(),) if failure else (), 0, (said,), not failure)
    rows = [_failing(one, glance) for one in glance.failing if one.url or one.upstream]
    seen = {row.target.url for row in rows}
    rows += [_route(url) for url in glance.routes if url not in seen] if not rows else []
    minutes = f"last {age(glance.since)}"
    heading = f"Failing now, {minutes}, by the error logs" if glance.failing else f"Nothing failed in the {minutes}"
    if not glance.gateways:
        heading = ""
    elif not glance.failing:
        heading += ", by the error logs that could be read" if glance.unread else ", by the error logs"
    return StartView(
        host=_host(glance),
        gateways=tuple(_gateway(one, glance) for one in glance.gateways),
        heading=Visible(heading),
        rows=_ordered(rows, glance) if glance.gateways else (),
        failing=len(glance.failing),
        notes=_notes(glance),
        looking=False,
    )


def everything() -> Row:
    """The row that walks every route that there is."""
    blank = Visible("")
    return Row(Target(), Visible("everything: each route"), blank, blank, blank, blank, blank, blank)


def symptoms(library: Library) -> tuple[Symptom, ...]:
    """The trees that begin at a symptom, in the order of their names."""
    return tuple(
        Symptom(flow.name, Visible(f"{one_line(flow.name, limit=12)}: {one_line(flow.title)}"))
        for flow in library.flows.values()
        if flow.status
    )


def _ordered(rows: list[Row], glance: Glance) -> tuple[Row, ...]:
    """What fails first; where nothing does, walking everything is the most likely wish."""
    return (*rows, everything()) if glance.failing and rows else (everything(), *rows)


def _host(glance: Glance) -> Visible:
    who = "root" if glance.is_root else f"{one_line(glance.user, limit=20) or 'somebody'}, not root"
    parts = (
        _short(glance.hostname, 24),
        _short(glance.os, 20),
        who,
        clock(glance.at, glance.utc_offset),
    )
    return Visible("  ".join(part for part in parts if part))


def _short(text: str, width: int) -> Visible:
    return cut(one_line(text), width)


def _gateway(one: GatewaySeen, glance: Glance) -> Visible:
    instance = one.instance
    parts = [f"{one_line(instance.kind, limit=20)} {one_line(instance.version, limit=20)}".strip()]
    parts.append(f"pid {instance.pid}" if instance.pid is not None else "not running")
    if instance.started is not None and glance.at:
        parts.append(f"up {age(glance.at - instance.started)}")
    if instance.loaded is not None:
        parts.append(f"loaded {clock(instance.loaded, glance.utc_offset)}")
    parts.append(one_line(instance.config, limit=48))
    parts.append(_CONFIGURATION.get(one.configuration, ""))
    return Visible("  ".join(part for part in parts if part))


def _failing(one: Failing, glance: Glance) -> Row:
    target = Target(url=one.url) if one.url else Target(upstream=one.upstream)
    return Row(
        target=target,
        where=_where(one.url) if one.url else Visible("(request not logged)"),
        upstream=one_line(one.upstream or "", limit=60),
        word=_word(one.symptom),
        status=Visible(str(one.status)),
        count=Visible(str(one.count)),
        last=age(glance.at - one.last) if one.last is not None and glance.at else Visible(""),
        spark=spark(one.histogram),
    )


def _word(symptom: str) -> Visible:
    """The class of a message without what its column says anyway."""
    return one_line(symptom.removeprefix("connect-").replace("timeout", "timed out").replace("-", " "), limit=40)


def _route(url: str) -> Row:
    blank = Visible("")
    return Row(Target(url=url), _where(url), blank, Visible("a route"), blank, blank, blank, blank)


def _where(url: str) -> Visible:
    """A URL as host and path, without what every one has."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return one_line(url)
    return one_line(f"{parts.netloc} {parts.path or '/'}")


def _notes(glance: Glance) -> tuple[Visible, ...]:
    notes = [Visible(f"not read: {one_line(one, limit=120)}") for one in glance.unread]
    if glance.problem is not None:
        notes = [one_line(glance.problem.what), one_line(glance.problem.hint), *notes]
    return tuple(notes)
