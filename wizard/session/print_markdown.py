"""The report as Markdown for a ticket: a first page that a colleague understands in a minute.

Owns the Markdown form. May not know how anything was found out. Foreign text stands in code spans and code blocks
only, fenced longer than any run of backticks in it, so that it cannot become markup.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from wizard.session.around import stamps
from wizard.session.report import CausePart, Report

_TICKS = re.compile(r"`+")
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>()#+!|~])")


def markdown(report: Report) -> str:
    """The whole report."""
    lines = [f"# {_plain(_title(report))}", "", *_facts(report), ""]
    for cause in (*report.causes, *report.warnings):
        lines += _cause(cause, warning=cause in report.warnings)
    if report.error is not None:
        lines += ["## Problem", "", _plain(report.error.what), "", _plain(report.error.hint), ""]
    lines += _timeline(report)
    lines += ["## The walk", "", "| step | about | state | observed |", "|---|---|---|---|"]
    lines += [
        f"| {_plain(step.node)} | {_plain(step.subject)} | {step.state} | {_plain(step.summary)} |"
        for step in report.steps
    ]
    lines += ["", *_listed(report)]
    lines += ["## Evidence", ""]
    for name, part in report.evidence.items():
        lines += [f"**{name}** {_plain(part.what)} ({part.at})", "", *_block(f"$ {part.by_hand}\n{part.excerpt}"), ""]
    return "\n".join(lines).rstrip() + "\n"


def _title(report: Report) -> str:
    if report.causes:
        return report.causes[0].title
    if report.verdict == "ok":
        return "No fault found"
    return report.warnings[0].title if report.warnings else "No cause could be named"


def _facts(report: Report) -> Iterator[str]:
    yield f"- host: {_plain(report.host.hostname)} ({_plain(report.host.os)}, {_plain(report.host.kernel)})"
    yield f"- target: {_span(report.target.url or 'everything that fails')}"
    if report.observed is not None:
        yield f"- observed: {report.observed.status or 'no answer'}, {_plain(report.observed.sender)}, {report.observed.at}"
    yield f"- verdict: **{report.verdict}**"
    yield f"- session: {_plain(report.session.id)}, {report.session.started}, as {_plain(report.session.user)}"


def _cause(cause: CausePart, *, warning: bool) -> list[str]:
    kind = "warning" if warning else cause.confidence
    lines = [f"## {_plain(cause.title)}", "", f"{kind}, `{cause.id}`, {cause.when}", "", _plain(cause.summary), ""]
    for stage, heading in (("inspect", "Look"), ("fix", "Fix"), ("verify", "Verify"), ("prevent", "Lasting")):
        commands = [command for command in cause.commands if command.stage == stage]
        if not commands:
            continue
        lines += [f"### {heading}", ""]
        for command in commands:
            lines += [_plain(command.why), "", *_block(command.run), ""]
            if command.edits is not None:
                lines += [*_block(command.edits.diff, "diff"), ""]
            if command.undo:
                lines += ["Undo:", "", *_block(command.undo), ""]
    return lines


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
        yield from (f"- `{one.id}`: {_plain(one.because)}" for one in report.open)
        yield ""
    if report.not_checked:
        yield from ("## Not checked", "")
        yield from (
            f"- {_plain(one.what)}: {_plain(one.because)} {_plain(one.grant or '')}" for one in report.not_checked
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
