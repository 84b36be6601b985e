"""The report as one line of the Nagios plugin interface: state, text, and figures behind a bar.

Owns that line. The exit status stays that of the wizard's own interface, whose 0 to 3 mean the same.
"""

from __future__ import annotations

from wizard.session.report import Report
from wizard.text import one_line

_STATES = {"ok": "OK", "warning": "WARNING", "cause-found": "CRITICAL", "unknown": "UNKNOWN"}


def nagios(report: Report) -> str:
    """One line, without a second bar in its text."""
    if report.causes:
        said = f"{report.causes[0].title} [{report.causes[0].id}]"
    elif report.warnings:
        said = f"{report.warnings[0].title} [{report.warnings[0].id}]"
    elif report.error is not None:
        said = report.error.what
    else:
        said = "no fault found" if report.verdict == "ok" else "no cause could be named"
    figures = f"causes={len(report.causes)} warnings={len(report.warnings)} time={report.session.seconds:.2f}s"
    plain = one_line(said, limit=300).replace("|", "/")
    return f"GATEWAY {_STATES[report.verdict]}: {plain} | {figures}\n"
