"""The report as text for people: calm, complete without colour, quiet about what is fine.

Owns the wording and order of the plain report and of the one-line form. May not know how anything was found out, and
writes to no stream. Width is a hint: long commands are never cut, because they are meant to be copied.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator

from wizard.session import around
from wizard.session.report import CausePart, CommandPart, Report
from wizard.session.summary import NO_REPAIR
from wizard.text import one_line

_LABEL = 11


def text(report: Report, *, width: int = 100) -> str:
    """The whole report."""
    lines = [*_head(report), *_met(report, width), ""]
    lines += _after(report, width)
    if report.error is not None:
        lines += [*_error(report, width), ""]
    if report.causes:
        for cause in report.causes:
            lines += [*_cause(cause, width), ""]
    elif report.verdict == "unknown" and report.error is None:
        lines += [*_unknown(report, width), ""]
    elif report.verdict == "ok":
        lines += [*_ok(report, width), ""]
    for warning in report.warnings:
        lines += [*_cause(warning, width, warning=True), ""]
    if report.causes or report.warnings or report.verdict == "unknown":
        lines += _before(report, width)
    lines += _rest(report, width)
    return "\n".join(lines).rstrip() + "\n"


def short(report: Report) -> str:
    """The verdict in one line."""
    subject = report.target.url or report.host.hostname
    if report.error is not None:
        said: str = one_line(report.error.what)
    elif report.causes:
        first = report.causes[0]
        more = f" (and {len(report.causes) - 1} more)" if len(report.causes) > 1 else ""
        said = f"{first.confidence}: {first.title} [{first.id}]{more}"
    elif report.warnings:
        said = f"{report.warnings[0].title} [{report.warnings[0].id}]"
    elif report.verdict == "ok":
        said = "no fault found"
    else:
        said = "something is wrong, and no cause could be named"
    return f"{report.verdict}: {subject}: {said}\n"


def _head(report: Report) -> Iterator[str]:
    target = report.target.url or "this host"
    seen = ""
    if report.observed is not None:
        status = str(report.observed.status) if report.observed.status is not None else "no answer"
        seen = (
            f"   {status} from {report.observed.sender}" if report.observed.status else f"   {report.observed.sender}"
        )
    yield f"{target}{seen}"
    who = report.session.user + (" (not root)" if not report.session.is_root else "")
    yield f"{report.host.hostname}, {report.host.os}, as {who}, {report.session.seconds:.1f} s"
    route = report.target.route
    if route is not None:
        way = [
            route.listener.address,
            route.virtual_host.name or "(default)",
            route.location.pattern or "(no location)",
        ]
        servers = [one.address for one in route.upstream.servers] if route.upstream else []
        name = [route.upstream.name] if route.upstream and route.upstream.name else []
        yield " > ".join([*way, *name, ", ".join(servers) or route.action.kind])


def _met(report: Report, width: int) -> Iterator[str]:
    """What visitors met, and what a person says against the verdict."""
    if report.impact is not None and (report.causes or report.warnings or report.verdict == "unknown"):
        yield from _labelled("impact", f"{report.impact.said}.", width)
    for cause in report.disputed:
        yield from _labelled("disputed", f"{cause.title} [{cause.id}]: a person says that this is wrong.", width)


def _after(report: Report, width: int) -> Iterator[str]:
    """What was observed before and after, where the path was walked again, and what a watch counted."""
    if report.after is not None:
        yield from _labelled("again", report.after.said, width)
        what = max((len(one.what) for one in report.after.changes), default=0)
        before = max((len(f"{one.before_state} {one.before}") for one in report.after.changes), default=0)
        for one in report.after.changes:
            was = f"{one.before_state} {one.before}".strip()
            yield f"{'':{_LABEL}}{one.what:{what}}  {was:{before}}  ->  {one.after_state} {one.after}".replace(
                "->   ", "->  "
            )
        for last in report.after.lasting:
            run = f" Run: {last.run}" if last.run else ""
            yield from _labelled("", f"survives {last.what}: {last.answer}. {last.because}{run}", width)
    for watched in report.watched:
        yield from _labelled("watched", watched.said, width)
    if report.after is not None or report.watched:
        yield ""


def _error(report: Report, width: int) -> Iterator[str]:
    assert report.error is not None  # noqa: S101 - the caller has looked
    yield from _labelled("problem", report.error.what, width)
    if report.error.where:
        yield from _labelled("where", report.error.where, width)
    if report.error.hint:
        yield from _labelled("next", report.error.hint, width)


def _ok(report: Report, width: int) -> Iterator[str]:
    walked = [step for step in report.steps if step.state == "ok"]
    yield from _labelled("OK", f"No fault found. {len(walked)} steps were walked, and the request is answered.", width)


def _unknown(report: Report, width: int) -> Iterator[str]:
    yield from _labelled("UNKNOWN", "Something is wrong, and no cause could be named from here.", width)
    for step in report.steps:
        if step.state == "NO":
            yield from _labelled("observed", step.summary, width)


def _cause(cause: CausePart, width: int, *, warning: bool = False) -> Iterator[str]:
    word = "WARNING" if warning else cause.confidence.upper()
    yield f"{word}  {cause.title}  [{cause.id}]"
    yield from _labelled("", cause.summary, width)
    if cause.when == "past":
        yield from _labelled("", f"This is over: first seen {cause.first_seen}, last seen {cause.last_seen}.", width)
    label = "because"
    for said in cause.because:
        yield from _labelled(label, said, width)
        label = ""
    if cause.consequences:
        yield from _labelled("explains", ", ".join(cause.consequences), width)
    yield from _commands(cause.commands)
    if cause.when != "past" and not any(command.stage == "fix" for command in cause.commands):
        yield from ("", NO_REPAIR)


def _commands(commands: Iterable[CommandPart]) -> Iterator[str]:
    headings = {"inspect": "Look", "fix": "Fix", "verify": "Verify", "prevent": "Lasting"}
    stage = ""
    for command in commands:
        if command.stage != stage:
            stage = command.stage
            yield ""
            yield headings.get(stage, stage) + ("  (as root)" if stage == "fix" and command.needs_root else "")
        yield f"  # {command.why}"
        yield f"  {command.run}"
        if command.edits is not None:
            yield from (f"  | {line}" for line in command.edits.diff.splitlines())
        if command.undo:
            yield f"  # undo: {command.undo}"


def _before(report: Report, width: int) -> Iterator[str]:
    """The few moments around the first error."""
    parts = around.around(report)
    label = "before"
    for stamp, part in zip(around.stamps(parts), parts, strict=True):
        yield from _labelled("the error" if part.first_error else label, f"{stamp}  {around.said(part)}", width)
        label = "after" if part.first_error else ""
    if parts:
        yield ""


def _rest(report: Report, width: int) -> Iterator[str]:
    if report.verdict != "ok":
        label = "ruled out"
        grouped: dict[str, list[str]] = {}
        for ruled_out in report.ruled_out:
            grouped.setdefault(ruled_out.because, []).append(ruled_out.id)
        for because, ids in list(grouped.items())[:5]:
            yield from _labelled(label, f"{', '.join(ids)}: {because}", width)
            label = ""
        label = "open"
        for item in report.open[:6]:
            yield from _labelled(label, f"{item.id}: {item.because}", width)
            label = ""
            if item.next is not None:
                yield from _labelled("", f"next: {item.next.run}", width)
    label = "could not"
    for missing in report.not_checked[:8]:
        grant = f" To change that: {missing.grant}." if missing.grant else ""
        yield from _labelled(label, f"see {missing.what}: {missing.because.rstrip('.')}.{grant}", width)
        label = ""


def _labelled(label: str, said: str, width: int) -> Iterator[str]:
    indent = " " * _LABEL
    lines = textwrap.wrap(said, max(width - _LABEL, 30), break_long_words=False, break_on_hyphens=False) or [""]
    yield label.ljust(_LABEL) + lines[0]
    for line in lines[1:]:
        yield indent + line
