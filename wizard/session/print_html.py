"""The report as one HTML page without scripts, fonts or anything else that is fetched.

Owns the page. Every text is escaped; what is shown is what the plain report says, with its commands set apart.
"""

from __future__ import annotations

from html import escape

from wizard.session.around import said, stamps
from wizard.session.print_text import text
from wizard.session.report import Report

_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{title}</title>
<style>body{{font:15px/1.5 sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}}
pre{{background:#f4f4f4;padding:1rem;overflow-x:auto}}</style>
<h1>{title}</h1>
<pre>{body}</pre>
{causes}{timeline}
</html>
"""


def html(report: Report) -> str:
    """The whole report as a page."""
    title = report.causes[0].title if report.causes else f"Verdict: {report.verdict}"
    causes = "".join(
        f"<h2>{escape(cause.title)}</h2>\n<p>{escape(cause.summary)}</p>\n"
        + "".join(
            f"<p>{escape(command.stage)}: {escape(command.why)}</p>\n<pre>{escape(command.run)}</pre>\n"
            for command in cause.commands
        )
        for cause in (*report.causes, *report.warnings)
    )
    return _PAGE.format(title=escape(title), body=escape(text(report)), causes=causes, timeline=_timeline(report))


def _timeline(report: Report) -> str:
    if not report.timeline:
        return ""
    lines = [
        f"{'>' if one.first_error else ' '} {stamp}  {said(one)}"
        for stamp, one in zip(stamps(report.timeline), report.timeline, strict=True)
    ]
    return f"<h2>Timeline</h2>\n<pre>{escape(chr(10).join(lines))}</pre>\n"
