"""What the Start screen shows: the gateways of the host, what fails now, ranked, and where else a walk may begin.

Owns the words of that screen and what each row would walk. May not know widgets, or how a glance is taken.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from wizard.flow.library import Library
from wizard.model import Phase
from wizard.text import Visible, one_line
from wizard.views.words import age, clock, cut, merged, spark
from wizard.walk.glance import NOW, Failing, GatewaySeen, Glance
from wizard.walk.plan import Target

SPARK = 8  # characters of a spark where there is little room
_BLANK = Visible("")
_CONFIGURATION = {"broken": "its files do not parse", "unknown": "its files could not be read"}
# What visitors say, in the order of how often they do. A tree that is not listed is offered by its own title.
_SYMPTOMS = {
    "502": "visitors see 502 Bad Gateway",
    "504": "visitors see 504 Gateway Timeout, or it is slow",
    "503": "visitors see 503 Service Unavailable",
    "500": "visitors see 500 Internal Server Error",
    "no-answer": "the site does not answer at all",
    "answered": "it works now, and failed before",
}
_LATER = ("answered",)


@dataclass(frozen=True, slots=True)
class Row:
    """Something that can be walked: the request, its upstream, the failure in a word, counts by status.

    `detail` is what there is no room for in the row.
    """

    target: Target
    where: Visible
    upstream: Visible = _BLANK
    word: Visible = _BLANK
    status: Visible = _BLANK
    count: Visible = _BLANK
    last: Visible = _BLANK
    spark: Visible = _BLANK
    wide_spark: Visible = _BLANK
    detail: tuple[Visible, ...] = ()


@dataclass(frozen=True, slots=True)
class Symptom:
    """A tree that a person may choose: its name (None: the walk sees for itself) and what visitors say."""

    flow: str | None
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
        return StartView(_BLANK, (), _BLANK, (everything(),) if failure else (), 0, (said,), not failure)
    rows = [_failing(one, glance) for one in glance.failing if one.url or one.upstream]
    rows += [_route(url) for url in glance.routes] if not rows else []
    return StartView(
        host=_host(glance),
        gateways=tuple(_gateway(one, glance) for one in glance.gateways),
        heading=_heading(glance),
        rows=_ordered(rows, glance) if glance.gateways else (),
        failing=len(glance.failing),
        notes=_notes(glance),
        looking=False,
    )


def everything() -> Row:
    """The row that walks every route that there is."""
    return Row(Target(), Visible("everything: each route"))


def symptoms(library: Library) -> tuple[Symptom, ...]:
    """What a person may know who knows nothing yet: the walk sees for itself, or begins where visitors say."""
    order = list(_SYMPTOMS)
    known = [flow for flow in library.flows.values() if flow.status]
    known.sort(key=lambda flow: (flow.name in _LATER, order.index(flow.name) if flow.name in order else len(order)))
    said = [Symptom(flow.name, Visible(_SYMPTOMS.get(flow.name) or one_line(flow.title.lower()))) for flow in known]
    return (Symptom(None, Visible("as a visitor: make the request, and see what comes")), *said)


def _heading(glance: Glance) -> Visible:
    if not glance.gateways:
        return _BLANK
    minutes = f"last {age(glance.since)}"
    if not glance.failing:
        which = "the error logs that could be read" if glance.unread else "the error logs"
        return Visible(f"Nothing failed in the {minutes}, by {which}")
    now = any(one.last is None or not glance.at or glance.at - one.last <= NOW for one in glance.failing)
    return Visible(f"Failing now, {minutes}" if now else f"Failed, not now, {minutes}")


def _ordered(rows: list[Row], glance: Glance) -> tuple[Row, ...]:
    """What fails first; where nothing does, walking everything is the most likely wish."""
    return (*rows, everything()) if glance.failing and rows else (everything(), *rows)


def _host(glance: Glance) -> Visible:
    who = "root" if glance.is_root else f"{one_line(glance.user, limit=20) or 'somebody'}, not root"
    system = glance.os.replace("GNU/Linux ", "")
    parts = (_short(glance.hostname, 24), _short(system, 20), who, clock(glance.at, glance.utc_offset))
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
    parts.append(_configuration(one, glance))
    parts.append(one_line(instance.config, limit=48))
    return Visible("  ".join(part for part in parts if part))


def _configuration(one: GatewaySeen, glance: Glance) -> str:
    if one.configuration != "changed":
        return _CONFIGURATION.get(one.configuration, "")
    at = clock(one.changed, glance.utc_offset) if one.changed is not None else ""
    return f"files changed {at}, not loaded" if at else "files changed since, not loaded"


def _failing(one: Failing, glance: Glance) -> Row:
    target = Target(url=one.url) if one.url else Target(upstream=one.upstream)
    return Row(
        target=target,
        where=_where(one.url) if one.url else Visible("(request not logged)"),
        upstream=one_line(one.upstream or "", limit=60),
        word=_word(one.symptom),
        status=Visible(str(one.status)),
        count=Visible(str(one.count)),
        last=age(glance.at - one.last) if one.last is not None and glance.at else _BLANK,
        spark=spark(merged(one.histogram, SPARK)),
        wide_spark=spark(one.histogram),
        detail=_detail(one, glance),
    )


def _detail(one: Failing, glance: Glance) -> tuple[Visible, ...]:
    phase = f"while {one.phase.replace('-', ' ')}" if one.phase is not Phase.NONE else ""
    number = f"errno {one.errno}" if one.errno is not None else ""
    said = ", ".join(part for part in (phase, number) if part)
    meaning = Visible(f"{one_line(one.meaning, limit=300)}{f' ({said})' if said else ''}")
    if one.first is None or one.last is None:
        return (meaning,)
    first = clock(one.first, glance.utc_offset, seconds=True)
    last = clock(one.last, glance.utc_offset, seconds=True)
    times = "once" if one.count == 1 else f"{one.count} times"
    return Visible(f"{times}, first seen {first}, last seen {last}" if one.count > 1 else f"once, at {last}"), meaning


def _word(symptom: str) -> Visible:
    """The class of a message without what its column says anyway."""
    return one_line(symptom.removeprefix("connect-").replace("timeout", "timed out").replace("-", " "), limit=40)


def _route(url: str) -> Row:
    return Row(Target(url=url), _where(url), word=Visible("a route"))


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
