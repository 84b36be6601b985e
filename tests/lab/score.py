"""The score of the fault lab: per cause, how many faults were shown, named and repaired.

A pytest plugin: a test records what it reached with `Mark.note`, and the table is printed once at the end, by the
process that sees the results of every worker.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

KEY = "lab"
SKIPPED = "FAULT LAB SKIPPED: "


@dataclass(slots=True)
class Mark:
    """How far one test came. A test fills it in as it goes, so that a failure half way still counts what was right."""

    scenario: str
    cause: str
    symptom: bool = False
    named: bool = False
    unchanged: bool = False
    repaired: bool = False
    steps: tuple[str, ...] = ("symptom", "named", "unchanged", "repaired")

    def note(self, record: Callable[[str, object], None]) -> None:
        """Hands it to pytest, through whose report it reaches the table."""
        reached = {step: getattr(self, step) for step in self.steps}
        record(KEY, json.dumps({"scenario": self.scenario, "cause": self.cause, "reached": reached}))


@dataclass(slots=True)
class Row:
    """One cause in the table."""

    reached: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    wanted: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    missed: list[str] = field(default_factory=list)


_rows: dict[str, Row] = defaultdict(Row)
_skipped: set[str] = set()


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Collects what the tests noted."""
    if report.skipped and isinstance(report.longrepr, tuple) and SKIPPED in report.longrepr[2]:
        _skipped.add(report.longrepr[2].partition(SKIPPED)[2])
    for key, value in report.user_properties if report.when == "teardown" else ():
        if key != KEY:
            continue
        noted = json.loads(str(value))
        row = _rows[noted["cause"]]
        for step, reached in noted["reached"].items():
            row.wanted[step] += 1
            row.reached[step] += bool(reached)
        missing = [step for step, reached in noted["reached"].items() if not reached]
        if missing:
            row.missed.append(f"{noted['scenario']} ({missing[0]})")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Prints the table, and says loudly where the lab did not run."""
    say = terminalreporter.write_line
    for reason in sorted(_skipped):
        terminalreporter.section("FAULT LAB SKIPPED", "!", red=True, bold=True)
        say(f"No fault was tried: {reason}.")
    if not _rows:
        return
    terminalreporter.section("fault lab")
    say(f"{'cause':36} {'symptom':>9} {'named':>9} {'unchanged':>9} {'repaired':>9}")
    total = Row()
    for cause in sorted(_rows):
        row = _rows[cause]
        say(_line(cause, row))
        for missed in row.missed:
            say(f"    missed: {missed}")
        for step in row.wanted:
            total.wanted[step] += row.wanted[step]
            total.reached[step] += row.reached[step]
    say(_line("total", total))


def _line(title: str, row: Row) -> str:
    cells = (
        f"{row.reached[step]}/{row.wanted[step]}" if row.wanted[step] else "-"
        for step in ("symptom", "named", "unchanged", "repaired")
    )
    return f"{title:36} " + " ".join(f"{cell:>9}" for cell in cells)
