"""What was the matter with a server while the gateway logged failures about it, when it answers again.

Owns the checks `earlier` and `other-methods`. The first may not know the present state of anything: it reads what was
written down at the time. The second reads the same lines for requests that a walk does not make: that a GET succeeds
says nothing about a POST.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from wizard.checks.address import parse_address, required
from wizard.checks.connect import located
from wizard.checks.logged import server_events, word_of
from wizard.checks.ours import without_own
from wizard.checks.registry import UNKNOWN, Asker, Finding, Scope, Subject, Value, check
from wizard.checks.service import claimed, ownership
from wizard.checks.serving import serving
from wizard.checks.survey import survey
from wizard.host.questions import NotAnswered
from wizard.model import LogEvent
from wizard.services import systemd
from wizard.services.journal import JournalLine, last_words
from wizard.text import one_line

_REFUSED = frozenset({111, 2})
LATELY = 60.0  # seconds within which a failure of a request that cannot be made again counts as one of now
_SLACK = 2.0  # seconds: the gateway's log counts whole seconds
# systemd's own words: src/core/job.c, unit.c, service.c.
_DIED = re.compile(r"Main process exited|Failed with result|Scheduled restart job|Failed to start|dumped core")
_STOPPED = re.compile(r"^Stopp(?:ing|ed) |Deactivated successfully")
_STARTED = re.compile(r"^Start(?:ing|ed) ")
_WHEN = ("count", "first", "last")
_KINDS = {
    "connect-failed": "connect-failed",
    "closed-early": "ended-early",
    "body-cut": "ended-early",
    "response-timeout": "waited",
    "connect-timeout": "waited",
}
_UNSAFE = frozenset({"POST", "PUT", "PATCH", "DELETE"})


@check(
    "earlier",
    Scope.SERVER,
    {
        "none": (),
        "stopped": (*_WHEN, "unit"),
        "died": (*_WHEN, "unit", "said"),
        "nobody-listened": _WHEN,
        "ended-early": (*_WHEN, "request"),
        "waited": (*_WHEN, "request"),
        "other": _WHEN,
    },
    bad=("stopped", "died", "nobody-listened", "ended-early", "waited", "other"),
    past=True,
)
async def earlier(subject: Subject, asker: Asker) -> Finding:
    """Ask the journal what happened to the service at the time of the logged failures."""
    events, _ = await server_events(subject, asker)
    if not isinstance(events, tuple):
        return Finding(UNKNOWN, "The gateway's error log could not be read.")
    failed = _failures(await without_own(events, required(subject)[0], asker))
    if not failed:
        return Finding("none", "No request to this server failed lately.")
    times = [one.time for one in failed if one.time is not None]
    first, last = min(times), max(times)
    values: dict[str, Value] = {"count": len(failed), "first": first, "last": last}
    found = await _by_journal(subject, failed, asker)
    if found is not None:
        word, unit, said = found
        what = "was stopped" if word == "stopped" else f"ended by itself ({said})"
        words = f"{one_line(unit)} {what} while {_times(failed)} failed; it runs again."
        more: dict[str, Value] = {"unit": unit, "said": said} if word == "died" else {"unit": unit}
        return Finding(word, words, {**values, **more}, first_seen=first, last_seen=last)
    word, words = _by_lines(failed)
    if word in {"ended-early", "waited"}:
        values["request"] = one_line(failed[-1].request or "")
    return Finding(word, words, values, first_seen=first, last_seen=last)


def _failures(events: Sequence[LogEvent]) -> list[LogEvent]:
    """The failures of one kind, the kind that was seen last."""
    timed = [(_KINDS.get(word_of(one)), one) for one in events if one.time is not None]
    known = [(kind, one) for kind, one in timed if kind is not None]
    return [one for kind, one in known if kind == known[-1][0]] if known else []


def _times(failed: Sequence[LogEvent]) -> str:
    what = "connection" if word_of(failed[-1]) == "connect-failed" else "request"
    return f"{len(failed)} {what}{'s' if len(failed) != 1 else ''}"


def _by_lines(failed: Sequence[LogEvent]) -> tuple[str, str]:
    """What the gateway's lines alone say of failures of one kind."""
    kind = _KINDS[word_of(failed[-1])]
    if kind == "ended-early":
        return kind, f"It ended {_times(failed)} without an answer, or within one."
    if kind == "waited":
        return kind, f"It left {_times(failed)} without an answer for as long as the gateway waits."
    if failed[-1].errno in _REFUSED:
        return "nobody-listened", f"Nobody took {_times(failed)} to it; somebody listens there again."
    return "other", f"{_times(failed)} to it failed."


_WHICH = ("count", "request", "since")


@check(
    "other-methods",
    Scope.SERVER,
    {"none": (), "ended-early": _WHICH, "rejected": _WHICH, "waited": _WHICH},
    bad=("ended-early", "rejected", "waited"),
)
async def other_methods(subject: Subject, asker: Asker) -> Finding:
    """Look for failures within the last minute of requests that a walk cannot make, by a server that stayed the same."""
    events, _ = await server_events(subject, asker)
    clock = (await survey(asker)).clock
    if not isinstance(events, tuple) or clock is None:
        return Finding(UNKNOWN, "The gateway's error log could not be read.")
    recent = [
        one
        for one in events
        if one.time is not None and clock.now - one.time < LATELY and (one.request or "").split(" ")[0] in _UNSAFE
    ]
    failed = [one for one in _failures(recent) if _KINDS[word_of(one)] in {"ended-early", "waited"}]
    who = await serving(subject, asker)
    if not failed or who is None or not who.owners:
        return Finding("none", "No request of another method failed in the last minute.")
    first, last = failed[0].time or 0.0, failed[-1].time or 0.0
    loaded = subject.route.gateway.loaded if subject.route else None
    if min(one.started for one in who.owners) > first + _SLACK or (loaded is not None and loaded > last + _SLACK):
        return Finding("none", "The application was started, or the gateway loaded its files, after what failed.")
    rejected = all(one.symptom == "request-rejected" for one in failed)
    word = "rejected" if rejected else _KINDS[word_of(failed[-1])]
    request = one_line(failed[-1].request or "")
    values: dict[str, Value] = {"count": len(failed), "request": request, "since": first}
    said = f"{_times(failed)} of another method failed in the last minute, the last one {request}."
    return Finding(word, said, values, first_seen=first, last_seen=last)


async def _by_journal(subject: Subject, failed: Sequence[LogEvent], asker: Asker) -> tuple[str, str, str] | None:
    """Stopped or died, the unit, and the words that say so; None where the journal does not tell."""
    found = await located(subject, asker)
    address = found.addresses[0] if found.addresses else ""
    if parse_address(address) is None or not await systemd.present(asker):
        return None
    claim = claimed(await ownership(subject, asker, address))
    unit = claim.service if claim is not None else None
    lines = await last_words(asker, unit, lines=200, seconds=asker.since + 60.0) if unit else ()
    if unit is None or isinstance(lines, NotAnswered):
        return None
    accepted = word_of(failed[-1]) in {"closed-early", "body-cut", "response-timeout"}
    told = _told(lines, failed[-1].time or 0.0, accepted=accepted)
    return (told[0], unit, told[1]) if told is not None else None


def _told(lines: Sequence[JournalLine], at: float, *, accepted: bool) -> tuple[str, str] | None:
    """What systemd said of the unit last before a time, if that was an end.

    A request that was accepted met a service that was up: a stop before its latest start has nothing to do with it.
    """
    before = [one for one in lines if one.from_manager and one.time is not None and one.time <= at + _SLACK]
    ended: tuple[str, str] | None = None
    for line in before:
        if _DIED.search(line.message):
            ended = "died", one_line(line.message)
        elif _STOPPED.search(line.message):
            ended = ended if ended is not None and ended[0] == "died" else ("stopped", one_line(line.message))
        elif _STARTED.search(line.message):
            stopped = ended is not None and ended[0] == "stopped"
            if (line.time or 0.0) <= at + (1.0 if accepted and stopped else -_SLACK):
                ended = None
    return ended
