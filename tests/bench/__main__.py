"""`python -m tests.bench [ROW...]`: measures, prints the table, and ends with 1 where a budget was missed.

Every number that counts is a ratio of commands that took turns in one run. Needs root, and the packages of the fault
lab; a row that cannot be measured here is named with the reason.
"""

# ruff: noqa: T201 - a command for people

from __future__ import annotations

import os
import sys

from tests.bench.measure import Row, table
from tests.bench.rows import ROWS, NoRoomError
from tests.lab.guest import GuestError


def main(names: list[str]) -> int:
    """Measures the rows of these names, all without any."""
    chosen = [row for row in ROWS if not names or row.__name__ in names]
    if not chosen:
        print(f"rows: {', '.join(row.__name__ for row in ROWS)}", file=sys.stderr)
        return 64
    rows: list[Row] = []
    for measure in chosen:
        print(f"measuring {measure.__name__} ...", file=sys.stderr, flush=True)
        try:
            rows.append(measure())
        except (GuestError, NoRoomError, OSError) as error:
            rows.append(Row(measure.__name__, note=f"not measured: {error}"))
    print(f"{os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}\n{table(rows)}")
    return 0 if all(budget.kept for row in rows for budget in row.budgets) else 1


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
