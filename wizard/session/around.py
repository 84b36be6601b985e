"""A report's timeline as lines: the few around the first error, or all of it.

Owns the choice of the few and how a time is written. May not know how a moment came to be known.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from wizard.session.report import Report, TimelinePart

BEFORE, AFTER = 4, 1
_LONG_AGO = 3600.0  # seconds: a boot so long before an error did not cause it
_SEEN = frozenset({"error", "met"})


def concluded(report: Report | None) -> list[str]:
    """The ids of what a report comes to, best first: they tell which failure is the fault."""
    return [one.id for one in (*report.causes, *report.warnings)] if report is not None else []


def first_error(report: Report) -> int | None:
    """Where in the timeline the fault began."""
    return next((index for index, one in enumerate(report.timeline) if one.first_error), None)


def around(report: Report) -> tuple[TimelinePart, ...]:
    """The moments just before the first error, that error, and what came of it; none where they tell nothing.

    They tell something where anything is known to have changed before the error.
    """
    index = first_error(report)
    if index is None:
        return ()
    error = report.timeline[index]
    before = [one for one in report.timeline[:index] if one.kind not in _SEEN and not _is_old_boot(one, error)]
    if not before:
        return ()
    after = [one for one in report.timeline[index + 1 :] if one.kind not in _SEEN]
    return (*before[-BEFORE:], error, *after[:AFTER])


def stamps(parts: Sequence[TimelinePart]) -> tuple[str, ...]:
    """The times of some moments on the host's clock: with the day in front where they are of several days."""
    times = [datetime.fromisoformat(one.at) for one in parts]
    form = "%H:%M:%S" if len({time.date() for time in times}) < 2 else "%b %d %H:%M:%S"
    return tuple(time.strftime(form) for time in times)


def said(part: TimelinePart) -> str:
    """A moment in words, with where that is written."""
    return f"{part.what} ({part.source})"


def since(first: Report, second: Report) -> tuple[TimelinePart, ...]:
    """What changed on one host between two walks, by the timeline of the second."""
    if first.host.hostname != second.host.hostname:
        return ()
    began = datetime.fromisoformat(first.session.started)
    known = {(one.at, one.what) for one in first.timeline}
    return tuple(
        one
        for one in second.timeline
        if one.kind not in _SEEN and (one.at, one.what) not in known and datetime.fromisoformat(one.at) >= began
    )


def _is_old_boot(one: TimelinePart, error: TimelinePart) -> bool:
    apart = datetime.fromisoformat(error.at) - datetime.fromisoformat(one.at)
    return one.kind == "boot" and apart.total_seconds() > _LONG_AGO
