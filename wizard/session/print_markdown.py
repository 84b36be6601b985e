"""The report as Markdown for a ticket: a first page that a colleague understands in a minute.

Owns the Markdown form. May not know how anything was found out. Foreign text stands in code spans and code blocks
only, fenced longer than any run of backticks in it, so that it cannot become markup.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from wizard.session.around import stamps
from wizard.session.report import CausePart, Report, StepPart
from wizard.session.summary import headline, marks, stages, summary, telling

_TICKS = re.compile(r"`+")
_SHOWN = 4  # evidence named in the table of steps
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#+|~])")


def markdown(report: Report) -> str:
    """The whole report."""
    lines = [f"# {_plain(headline(report))}", "", *_first_page(report)]
    rests = telling(report)
    for cause in (*report.causes, *report.warnings):
        lines += _cause(cause, rests, warning=cause in report.warnings)
    lines += _after(report)
    lines += _timeline(report)
    lines += _listed(report)
    lines += ["## The walk", "", "| step | about | state | observed | evidence |", "|---|---|---|---|---|"]
    lines += [
        f"| {_plain(step.node)} | {_plain(step.subject)} | {step.state} | {_plain(step.summary)}{_overruled(step)} "
        f"| {_links(step.evidence[:_SHOWN])} |"
        for step in report.steps
    ]
    lines += ["", "## Evidence", ""]
    for name, part in report.evidence.items():
        asked = f"$ {part.by_hand}\n" if part.by_hand else ""
        lines += [f"### {name}", "", f"{_plain(part.what)}, {part.at}", "", *_block(f"{asked}{part.excerpt}"), ""]
    return "\n".join(lines).rstrip() + "\n"


def _first_page(report: Report) -> Iterator[str]:
    """Who, where, when, then what has to be known in a minute."""
    host = f"{report.host.hostname} ({report.host.os}, {report.host.kernel})"
    yield f"{_plain(host)}, {_span(report.target.url or 'everything that fails')}, {report.session.started}"
    yield ""
    for point in summary(report):
        several = len(point.said) > 1
        first = "" if several else f" {_plain(point.said[0])}"
        yield f"- **{point.label}**:{first}"
        yield from (f"  - {_plain(said)}" for said in (point.said if several else ()))
        if point.run is not None:
            yield ""
            yield from (f"  {line}" for line in _block(point.run))
    yield ""
    yield f"Session {_span(report.session.id)}, gateway-wizard {_plain(report.wizard.version)}."
    yield ""


def _cause(cause: CausePart, rests: Mapping[str, tuple[str, ...]], *, warning: bool) -> list[str]:
    kind = "warning" if warning else cause.confidence
    over = f", over: {cause.first_seen} to {cause.last_seen}" if cause.when == "past" else ""
    lines = [f"## {_plain(cause.title)}", "", f"{kind}, `{cause.id}`, about {_span(cause.subject)}{over}", ""]
    lines += [_plain(cause.summary), ""]
    if cause.because:
        lines += [
            "Because:",
            "",
            *(f"1. {_plain(said)} {_links(rests.get(said, ())[:_SHOWN])}".rstrip() for said in cause.because),
            "",
        ]
    if cause.consequences:
        lines += ["It also explains " + ", ".join(f"`{one}`" for one in cause.consequences) + ".", ""]
    for stage, heading in stages(cause):
        commands = [command for command in cause.commands if command.stage == stage]
        if not commands:
            continue
        lines += [f"### {heading}", ""]
        for command in commands:
            lines += [f"{_plain(command.why)}{_plain(marks(command))}", "", *_block(command.run, "sh"), ""]
            if command.edits is not None:
                lines += [*_block(command.edits.diff, "diff"), ""]
            if command.undo:
                lines += ["Undo:", "", *_block(command.undo, "sh"), ""]
    return lines


def _after(report: Report) -> Iterator[str]:
    if report.after is not None:
        yield from ("## Before and after", "", _plain(report.after.said), "", "| | before | after |", "|---|---|---|")
        for one in report.after.changes:
            before, after = (
                f"{state} {said}".strip()
                for state, said in ((one.before_state, one.before), (one.after_state, one.after))
            )
            yield f"| {_plain(one.what)} | {_plain(before)} | {_plain(after)} |"
        yield ""
        for last in report.after.lasting:
            run = f" Run {_span(last.run)}" if last.run else ""
            yield f"- survives {_plain(last.what)}: {_plain(last.answer)}. {_plain(last.because)}{run}"
        yield ""
    for watched in report.watched:
        yield from (f"Watched at {watched.at}: {_plain(watched.said)}", "")


def _overruled(step: StepPart) -> str:
    return f" (a person says: {_plain(step.overruled_by)})" if step.overruled_by is not None else ""


def _links(names: Iterable[str]) -> str:
    return ", ".join(f"[{_plain(name)}](#{_plain(name)})" for name in names)


def _timeline(report: Report) -> Iterator[str]:
    if report.timeline:
        yield from ("## Timeline", "", "| time | what | source |", "|---|---|---|")
        for stamp, one in zip(stamps(report.timeline), report.timeline, strict=True):
            what = f"**first error: {_plain(one.what)}**" if one.first_error else _plain(one.what)
            yield f"| {stamp} | {what} | {_plain(one.source)} |"
        yield ""


def _listed(report: Report) -> Iterator[str]:
    if report.ruled_out:
        yield from ("## Ruled out", "")
        yield from (f"- `{one.id}`: {_plain(one.because)}" for one in report.ruled_out)
        yield ""
    if report.open:
        yield from ("## Open", "")
        for one in report.open:
            then = f" Next: {_span(one.next.run)}" if one.next is not None else ""
            yield f"- `{one.id}`: {_plain(one.because)}{then}"
        yield ""
    if report.not_checked:
        yield from ("## Not checked", "")
        yield from (
            f"- {_plain(one.what)}: {_plain(one.because)}"
            + (f" To change that: {_plain(one.grant)}." if one.grant else "")
            for one in report.not_checked
        )
        yield ""


def _plain(said: str) -> str:
    return _SPECIAL.sub(r"\\\1", said).replace("\n", " ")


def _span(said: str) -> str:
    fence = "`" * (max((len(run[0]) for run in _TICKS.finditer(said)), default=0) + 1)
    return f"{fence} {said} {fence}" if len(fence) > 1 else f"`{said}`"


def _block(said: str, language: str = "") -> list[str]:
    fence = "`" * max(3, max((len(run[0]) for run in _TICKS.finditer(said)), default=0) + 1)
    return [f"{fence}{language}", *said.rstrip("\n").split("\n"), fence]
