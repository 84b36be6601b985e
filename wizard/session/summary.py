"""The first page of a report: what a colleague has to know, in a minute, before anything else.

Owns which points there are, their order and their words. May not know Markdown, HTML or a terminal; every text is one
line of visible text.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import msgspec

from wizard.session.report import CausePart, CommandPart, Report
from wizard.text import one_line

NO_REPAIR = "No command on this host repairs it for certain. Look first."
_MOST = 4
_SEVERAL = 2  # steps: what more of them rest on, such as the configuration, tells little of one


class Point(msgspec.Struct, frozen=True):
    """One point of the first page: what it is about, and its sentences. `run` is a command that belongs to them."""

    label: str
    said: tuple[str, ...]
    run: str | None = None


def headline(report: Report) -> str:
    """The report in a few words."""
    if report.causes:
        return report.causes[0].title
    if report.error is not None:
        return report.error.what
    if report.verdict == "ok":
        return "No fault was observed"
    if report.warnings:
        first = report.warnings[0]
        return f"Over: {first.title}" if first.when == "past" else first.title
    return "Something is wrong, and no cause could be named"


def marks(command: CommandPart) -> str:
    """What a command changes and needs, in parentheses after a sentence; empty where it is nothing."""
    said = [*(["changes this host"] if command.changes else []), *(["needs root"] if command.needs_root else [])]
    return f" ({', '.join(said)})" if said else ""


def stages(cause: CausePart) -> tuple[tuple[str, str], ...]:
    """The stages of a cause's commands with their headings: the repair first, or, where there is none, where to look."""
    look = ("inspect", "Look")
    repair = (("fix", "Fix"), ("verify", "Verify"))
    ordered = (*repair, look) if any(one.stage == "fix" for one in cause.commands) else (look, *repair)
    return (*ordered, ("prevent", "Lasting"))


def telling(report: Report) -> dict[str, tuple[str, ...]]:
    """What each observed sentence rests on: its own evidence, without what many steps share; where it has no other, that."""
    cited = Counter(name for step in report.steps for name in set(step.evidence))
    found: dict[str, tuple[str, ...]] = {}
    for step in report.steps:
        own = tuple(name for name in dict.fromkeys(step.evidence) if cited[name] <= _SEVERAL)
        found.setdefault(step.summary, own or tuple(dict.fromkeys(step.evidence)))
    return found


def summary(report: Report) -> tuple[Point, ...]:
    """The first page: verdict, impact, what was done, ruled out, open, next."""
    points = (
        Point("Verdict", tuple(_verdict(report))),
        Point("Impact", tuple(_impact(report))),
        Point("Done", tuple(_done(report))),
        Point("Ruled out", tuple(_ruled_out(report))),
        Point("Open", tuple(_open(report))),
        _next(report),
    )
    return tuple(point for point in points if point.said)


def _verdict(report: Report) -> Iterator[str]:
    for cause in report.causes:
        yield f"{cause.confidence.capitalize()}: {cause.title} ({cause.id}). {cause.summary}"
    for cause in report.disputed:
        yield f"A person says that this is wrong: {cause.title} ({cause.id})."
    if not report.causes and report.error is None:
        if report.verdict == "ok":
            yield "No fault was observed: the request is answered."
        elif report.verdict == "unknown":
            yield "Something is wrong, and no cause could be named from here."
    if report.error is not None:
        yield report.error.what
    for warning in report.warnings:
        over = " It is over." if warning.when == "past" else ""
        yield f"Warning: {warning.title} ({warning.id}).{over}"


def _impact(report: Report) -> Iterator[str]:
    if report.observed is not None:
        status = report.observed.status or "no answer"
        yield f"The request for {report.target.url or 'this host'} gives {status} ({report.observed.sender})."
    if report.impact is not None:
        last = f" Last seen {report.impact.last_seen}." if report.impact.last_seen else ""
        yield f"{one_line(report.impact.said, limit=400)}.{last}"


def _done(report: Report) -> Iterator[str]:
    count = len(report.steps)
    yield f"{count} steps were asked as {report.session.user or 'somebody'} in {report.session.seconds:.1f} s, from {report.session.started}."
    if report.after is not None:
        yield f"The path was walked again. {report.after.said}"
    for one in report.watched:
        yield f"The request was watched: {one.said}"
    overruled = [step for step in report.steps if step.overruled_by is not None]
    if overruled:
        named = ", ".join(f"{step.check} is {step.overruled_by}" for step in overruled)
        yield f"A person overruled what was observed: {named}."
    yield "The wizard itself changed nothing on the host."


def _ruled_out(report: Report) -> Iterator[str]:
    if report.verdict == "ok":
        return
    groups: dict[str, list[str]] = {}
    for one in report.ruled_out:
        groups.setdefault(one.because, []).append(one.id)
    for because, ids in list(groups.items())[:_MOST]:
        yield f"{', '.join(ids)}: {because}"
    if len(groups) > _MOST:
        yield f"and {sum(len(ids) for ids in list(groups.values())[_MOST:])} more, below."


def _open(report: Report) -> Iterator[str]:
    for one in report.open[:_MOST]:
        yield f"{one.id}: {one.because}"
    for missing in report.not_checked[:_MOST]:
        grant = f" To change that: {missing.grant}." if missing.grant else ""
        yield f"Not seen: {missing.what}: {missing.because.rstrip('.')}.{grant}"


def _next(report: Report) -> Point:
    """The one thing to do now."""
    lasting = [one for one in (report.after.lasting if report.after is not None else ()) if one.answer == "no"]
    if report.causes:
        return _repair(report.causes[0])
    if report.error is not None:
        return Point("Next", (report.error.hint,) if report.error.hint else ())
    if lasting:
        return Point("Next", tuple(f"Make it last: {one.because}" for one in lasting), lasting[0].run)
    following = next((one for one in report.open if one.next is not None), None)
    if report.verdict == "unknown" and following is not None and following.next is not None:
        return Point("Next", (f"This would tell whether it is {following.id}.",), following.next.run)
    granted = next((one.grant for one in report.not_checked if one.grant), None)
    if report.verdict == "unknown" and granted:
        return Point("Next", (f"Walk again with more rights: {granted}.",))
    return Point("Next", ())


def _repair(cause: CausePart) -> Point:
    fixes = [command for command in cause.commands if command.stage == "fix"]
    if fixes:
        count = "The command" if len(fixes) == 1 else f"The {len(fixes)} commands"
        rights = ", as root" if any(command.needs_root for command in fixes) else ""
        return Point("Next", (f"{count} under Fix{rights}, then check again.",), " && ".join(one.run for one in fixes))
    look = next((command for command in cause.commands if command.stage == "inspect"), None)
    return Point("Next", (NO_REPAIR, *([look.why] if look else [])), look.run if look else None)
