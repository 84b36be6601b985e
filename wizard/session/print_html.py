"""The report as one HTML page without scripts, fonts or anything else that is fetched.

Owns the page. Every text is escaped. It begins with what has to be known in a minute; what is long is folded.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from html import escape

from wizard.session.around import said, stamps
from wizard.session.report import CausePart, CommandPart, NotCheckedPart, Report
from wizard.session.summary import Point, headline, marks, stages, summary, telling

_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>
body{{font:15px/1.5 sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#111;background:#fff}}
pre{{background:#f4f4f4;padding:.6rem 1rem;white-space:pre-wrap;overflow-wrap:anywhere}}
table{{border-collapse:collapse;width:100%}} td,th{{text-align:left;vertical-align:top;padding:.2rem .6rem;border-top:1px solid #ddd}}
dt{{font-weight:bold;margin-top:.6rem}} dd{{margin-left:1.5rem}} p.marks{{color:#555;margin:.8rem 0 0}}
td.NO{{color:#a00;font-weight:bold}} td.ok{{color:#060}}
</style>
<h1>{title}</h1>
<p>{where}</p>
{body}
</html>
"""
_SHOWN = 4  # evidence named beside a sentence


def html(report: Report) -> str:
    """The whole report as a page."""
    where = f"{report.host.hostname}, {report.host.os}: {report.target.url or 'everything that fails'}, {report.session.started}"
    body = [
        *_summary(summary(report)),
        *(line for cause in (*report.causes, *report.warnings) for line in _cause(cause, report)),
        *_after(report),
        *_timeline(report),
        *_listed("Ruled out", [f"{one.id}: {one.because}" for one in report.ruled_out]),
        *_listed(
            "Open", [f"{one.id}: {one.because}" + (f" Next: {one.next.run}" if one.next else "") for one in report.open]
        ),
        *_listed("Not checked", [_missing(one) for one in report.not_checked]),
        *_steps(report),
        *_evidence(report),
        f"<p>Session {escape(report.session.id)}, gateway-wizard {escape(report.wizard.version)}.</p>",
    ]
    return _PAGE.format(title=escape(headline(report)), where=escape(where), body="\n".join(body))


def _summary(points: Iterable[Point]) -> Iterator[str]:
    yield "<dl>"
    for point in points:
        yield f"<dt>{escape(point.label)}</dt>"
        yield from (f"<dd>{escape(sentence)}</dd>" for sentence in point.said)
        if point.run is not None:
            yield f"<dd><pre>{escape(point.run)}</pre></dd>"
    yield "</dl>"


def _cause(cause: CausePart, report: Report) -> Iterator[str]:
    kind = "warning" if cause in report.warnings else cause.confidence
    yield f"<h2>{escape(cause.title)}</h2>"
    yield f"<p>{escape(f'{kind}, {cause.id}, about {cause.subject}')}</p><p>{escape(cause.summary)}</p>"
    if cause.because:
        rests = telling(report)
        told = (f"<li>{escape(one)} {_links(rests.get(one, ())[:_SHOWN])}</li>" for one in cause.because)
        yield f"<ol>{''.join(told)}</ol>"
    for stage, heading in stages(cause):
        commands = [command for command in cause.commands if command.stage == stage]
        if commands:
            yield f"<h3>{heading}</h3>"
            yield from (line for command in commands for line in _command(command))


def _command(command: CommandPart) -> Iterator[str]:
    yield f'<p class="marks">{escape(command.why + marks(command))}</p>'
    yield f"<pre>{escape(command.run)}</pre>"
    if command.edits is not None:
        yield f"<pre>{escape(command.edits.diff)}</pre>"
    if command.undo:
        yield f'<p class="marks">Undo:</p><pre>{escape(command.undo)}</pre>'


def _after(report: Report) -> Iterator[str]:
    if report.after is not None:
        yield f"<h2>Before and after</h2><p>{escape(report.after.said)}</p>"
        yield "<table><tr><th></th><th>before</th><th>after</th></tr>"
        for one in report.after.changes:
            cells = ((one.before_state, one.before), (one.after_state, one.after))
            told = "".join(
                f'<td class="{escape(state)}">{escape(f"{state} {what}".strip())}</td>' for state, what in cells
            )
            yield f"<tr><td>{escape(one.what)}</td>{told}</tr>"
        yield "</table><ul>"
        for last in report.after.lasting:
            run = f" Run: {last.run}" if last.run else ""
            yield f"<li>{escape(f'survives {last.what}: {last.answer}. {last.because}{run}')}</li>"
        yield "</ul>"
    yield from (f"<p>Watched at {escape(one.at)}: {escape(one.said)}</p>" for one in report.watched)


def _timeline(report: Report) -> Iterator[str]:
    if report.timeline:
        lines = [
            f"{'>' if one.first_error else ' '} {stamp}  {said(one)}"
            for stamp, one in zip(stamps(report.timeline), report.timeline, strict=True)
        ]
        yield f"<h2>Timeline</h2>\n<pre>{escape(chr(10).join(lines))}</pre>"


def _listed(heading: str, said: list[str]) -> Iterator[str]:
    if said:
        items = "".join(f"<li>{escape(one)}</li>" for one in said)
        yield f"<details><summary>{heading}: {len(said)}</summary><ul>{items}</ul></details>"


def _missing(one: NotCheckedPart) -> str:
    return f"{one.what}: {one.because}" + (f" To change that: {one.grant}." if one.grant else "")


def _steps(report: Report) -> Iterator[str]:
    yield f"<details><summary>The walk: {len(report.steps)} steps</summary><table>"
    for step in report.steps:
        overruled = f" (a person says: {step.overruled_by})" if step.overruled_by is not None else ""
        yield (
            f'<tr><td class="{escape(step.state)}">{escape(step.state)}</td><td>{escape(step.check)}</td>'
            f"<td>{escape(step.subject)}</td><td>{escape(step.summary + overruled)}</td><td>{_links(step.evidence[:_SHOWN])}</td></tr>"
        )
    yield "</table></details>"


def _evidence(report: Report) -> Iterator[str]:
    yield "<h2>Evidence</h2>"
    for name, part in report.evidence.items():
        asked = f"$ {part.by_hand}\n" if part.by_hand else ""
        yield f'<details id="{escape(name)}"><summary>{escape(f"{name}: {part.what}, {part.at}")}</summary>'
        yield f"<pre>{escape(asked + part.excerpt)}</pre></details>"


def _links(names: Iterable[str]) -> str:
    return ", ".join(f'<a href="#{escape(name)}">{escape(name)}</a>' for name in names)
