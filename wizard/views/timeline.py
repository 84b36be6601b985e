"""The Timeline screen as values: what happened and when, beside how many failures the gateway logged around it.

Owns the rows, the counts beside them, and which row is looked at first. Pure: takes a timeline, gives visible text.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec

from wizard.logs.bursts import Counts
from wizard.session.past.scene import Kind
from wizard.session.timeline import Timeline
from wizard.text import Visible, one_line
from wizard.views.words import age, clock, spark

NOTHING = Visible("Nothing is known to have happened on this path in the day before.")
NO_ERROR = Visible("No error was seen, so nothing can be said to have come before it.")


class TimelineRow(msgspec.Struct, frozen=True):
    """One moment: its day (where that changes) and time, the failures logged around it, what, and where it is written.

    `count` is empty where the log was not read so far back. `level` is the count as one character of a sparkline.
    """

    day: Visible
    time: Visible
    count: Visible
    level: Visible
    what: Visible
    source: Visible
    first_error: bool = False


class TimelineView(msgspec.Struct, frozen=True):
    """The whole screen: a heading, the counts over the time that was read, the rows, and the row to look at first."""

    heading: Visible
    spark: Visible = Visible("")
    short_spark: Visible = Visible("")  # the same in half as many characters
    about_spark: Visible = Visible("")
    step: Visible = Visible("")  # how long the time is that a count of a row covers
    rows: tuple[TimelineRow, ...] = ()
    cursor: int = 0
    note: Visible = Visible("")


def timeline_view(found: Timeline) -> TimelineView:
    """What the screen shows of a timeline."""
    if not found.moments:
        return TimelineView(Visible("What happened before"), note=NOTHING)
    heading = "What happened" if found.first_error is None else "What happened before the first error"
    counts = found.counts if found.counts is not None and found.counts.counts else None
    return TimelineView(
        heading=Visible(heading),
        spark=spark(counts.counts) if counts else Visible(""),
        short_spark=spark(_paired(counts.counts)) if counts else Visible(""),
        about_spark=_about(counts, found.utc_offset) if counts else Visible(""),
        step=age((counts.end - counts.start) / len(counts.counts)) if counts else Visible(""),
        rows=_rows(found, counts),
        cursor=found.first_error or 0,
        note=NO_ERROR if found.first_error is None else Visible(""),
    )


def timeline_lines(found: Timeline) -> tuple[Visible, ...]:
    """The timeline in lines, for the plain mode."""
    view = timeline_view(found)
    lines = [view.heading if view.rows else view.note]
    for row in view.rows:
        when = f"{row.day} {row.time}" if row.day else row.time
        mark = "first error: " if row.first_error else ""
        lines.append(Visible(f"{when}  {mark}{row.what} ({row.source})"))
    return tuple(lines)


def _paired(counts: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(sum(counts[index : index + 2]) for index in range(0, len(counts), 2))


def _about(counts: Counts, offset: int) -> Visible:
    total = sum(counts.counts)
    since, until = clock(counts.start, offset), clock(counts.end, offset)
    return Visible(f"{total} {'failure' if total == 1 else 'failures'} logged from {since} to {until}")


def _rows(found: Timeline, counts: Counts | None) -> tuple[TimelineRow, ...]:
    rows: list[TimelineRow] = []
    shown = _counted(found, counts)
    levels = spark(counts.counts) if counts else ""
    days = [_day(one.at, found.utc_offset) for one in found.moments]
    for index, one in enumerate(found.moments):
        bucket = shown.get(index)
        rows.append(
            TimelineRow(
                day=Visible(days[index] if len(set(days)) > 1 and days[index] not in days[:index] else ""),
                time=clock(one.at, found.utc_offset, seconds=True),
                count=Visible(str(counts.counts[bucket]) if counts is not None and bucket is not None else ""),
                level=Visible(levels[bucket] if bucket is not None else ""),
                what=one_line(one.what),
                source=one_line(one.source, limit=30),
                first_error=index == found.first_error,
            )
        )
    return tuple(rows)


def _counted(found: Timeline, counts: Counts | None) -> dict[int, int]:
    """Which row shows the count of which part of the time: each part once, at the first error or else its first row."""
    shown: dict[int, int] = {}
    order = sorted(range(len(found.moments)), key=lambda index: (index != found.first_error, index))
    for index in order:
        bucket = _bucket(found.moments[index].at, counts)
        if bucket is not None and bucket not in shown.values() and found.moments[index].kind is not Kind.MET:
            shown[index] = bucket
    return shown


def _bucket(at: float, counts: Counts | None) -> int | None:
    """Which part of the counted time a moment lies in; None outside of it."""
    if counts is None or not counts.start <= at <= counts.end:
        return None
    return min(int((at - counts.start) / (counts.end - counts.start) * len(counts.counts)), len(counts.counts) - 1)


def _day(at: float, offset: int) -> str:
    try:
        return (datetime.fromtimestamp(at, UTC) + timedelta(seconds=offset)).strftime("%b %d")
    except (OverflowError, OSError, ValueError):
        return ""
