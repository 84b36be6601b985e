"""`fleet DIR`: the sessions of many hosts side by side, one line each.

Owns the table. May not know how a verdict is drawn. A file that is no session is a line of its own: one bad copy must
not hide the other hosts.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from pathlib import Path

from wizard.commands.errors import InputError
from wizard.commands.library import known_checks, library_for
from wizard.commands.output import write
from wizard.flow.language import Cause
from wizard.session.build import build, exit_status
from wizard.session.file import SessionFileError, load
from wizard.session.report import Report
from wizard.text import one_line

PATTERNS = ("*.jsonl", "*.jsonl.gz")
_WORST_FIRST = (2, 3, 1, 0)  # a named cause is the clearest thing to act on
_NOT_READ = 3


def fleet(given: argparse.Namespace) -> int:
    """Print one line for each session file of a folder; the exit status is that of the worst verdict."""
    folder = Path(given.folder)
    if not folder.is_dir():
        raise InputError("there is no such folder", given.folder, "name the folder that holds the session files")
    files = sorted({path for pattern in PATTERNS for path in folder.glob(pattern)})
    if not files:
        raise InputError("no session file lies in this folder", given.folder, f"their names end in {PATTERNS[0][1:]}")
    library, _ = library_for(None)
    rows: list[tuple[str, ...]] = []
    statuses: set[int] = set()
    for path in files:
        row, status = _row(path, library.causes.values())
        rows.append(row)
        statuses.add(status)
    write(_table(rows))
    return next(status for status in _WORST_FIRST if status in statuses)


def _row(path: Path, causes: Iterable[Cause]) -> tuple[tuple[str, ...], int]:
    try:
        report = build(load(path), causes, known_checks())
    except SessionFileError as error:
        place = f"line {error.line}: " if error.line else ""
        return (one_line(path.name), "", "unreadable", one_line(f"{place}{error.what}")), _NOT_READ
    row = (report.host.hostname or one_line(path.name), report.session.started, report.verdict, _first(report))
    return row, exit_status(report)


def _first(report: Report) -> str:
    if report.error is not None:
        return one_line(report.error.what)
    found = next(iter([*report.causes, *report.warnings]), None)
    return "" if found is None else one_line(f"{found.id}: {found.title}")


def _table(rows: list[tuple[str, ...]]) -> str:
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    lines = (
        "  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[3]]).rstrip()
        for row in rows
    )
    return "".join(f"{line}\n" for line in lines)
