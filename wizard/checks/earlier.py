"""What was the matter with a server while the gateway logged failures about it, when it answers again.

Owns the check `earlier`. May not know the present state of anything: it reads what was written down at the time.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from wizard.checks.address import parse_address
from wizard.checks.connect import located
from wizard.checks.logged import server_events, word_of
from wizard.checks.registry import UNKNOWN, Asker, Finding, Scope, Subject, Value, check
from wizard.checks.service import claimed, ownership
from wizard.host.questions import NotAnswered
from wizard.model import LogEvent
from wizard.services import systemd
from wizard.services.journal import JournalLine, last_words
from wizard.text import one_line

_REFUSED = frozenset({111, 2})
_SLACK = 2.0  # seconds: the gateway's log counts whole seconds
# systemd's own words: src/core/job.c, unit.c, service.c.
_DIED = re.compile(r"Main process exited|Failed with result|Scheduled restart job|Failed to start|dumped core")
_STOPPED = re.compile(r"^Stopp(?:ing|ed) |Deactivated successfully")
_STARTED = re.compile(r"^Start(?:ing|ed) ")
_WHEN = ("count", "first", "last")


@check(
    "earlier",
    Scope.SERVER,
    {
        "none": (),
        "stopped": (*_WHEN, "unit"),
        "died": (*_WHEN, "unit", "said"),
        "nobody-listened": _WHEN,
        "other": _WHEN,
    },
    bad=("stopped", "died", "nobody-listened", "other"),
    past=True,
)
async def earlier(subject: Subject, asker: Asker) -> Finding:
    """Ask the journal what happened to the service at the time of the logged failures."""
    events, _ = await server_events(subject, asker)
    if not isinstance(events, tuple):
        return Finding(UNKNOWN, "The gateway's error log could not be read.")
    failed = [one for one in events if one.time is not None and word_of(one) == "connect-failed"]
    if not failed:
        return Finding("none", "No connection to this server failed lately.")
    times = [one.time for one in failed if one.time is not None]
    first, last = min(times), max(times)
    values: dict[str, Value] = {"count": len(failed), "first": first, "last": last}
    found = await _by_journal(subject, failed, asker)
    if found is not None:
        word, unit, said = found
        what = "was stopped" if word == "stopped" else f"ended by itself ({said})"
        words = f"{one_line(unit)} {what} while {len(failed)} connections failed; it runs again."
        more: dict[str, Value] = {"unit": unit, "said": said} if word == "died" else {"unit": unit}
        return Finding(word, words, {**values, **more}, first_seen=first, last_seen=last)
    if failed[-1].errno in _REFUSED:
        words = f"Nobody took {len(failed)} connections to it; somebody listens there again."
        return Finding("nobody-listened", words, values, first_seen=first, last_seen=last)
    return Finding("other", f"{len(failed)} connections to it failed.", values, first_seen=first, last_seen=last)


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
    told = _told(lines, failed[-1].time or 0.0)
    return (told[0], unit, told[1]) if told is not None else None


def _told(lines: Sequence[JournalLine], at: float) -> tuple[str, str] | None:
    """What systemd said of the unit last before a time, if that was an end."""
    before = [one for one in lines if one.from_manager and one.time is not None and one.time <= at + _SLACK]
    ended: tuple[str, str] | None = None
    for line in before:
        if _DIED.search(line.message):
            ended = "died", one_line(line.message)
        elif _STOPPED.search(line.message):
            ended = ended if ended is not None and ended[0] == "died" else ("stopped", one_line(line.message))
        elif _STARTED.search(line.message) and (line.time or 0.0) <= at - _SLACK:
            ended = None
    return ended
