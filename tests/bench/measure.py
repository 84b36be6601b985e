"""Two commands measured against each other in one run, and what a row of the table says of them.

Owns the ratio: the median of the ratios of neighbours, because single times drift with whatever else the machine does.
May not know what is measured.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from tests.lab.guest import Guest, GuestError

STOPWATCH = Path(__file__).with_name("stopwatch.py")
PTY_STOPWATCH = Path(__file__).with_name("pty_stopwatch.py")
PYTHON = "/usr/bin/python3"
PATIENCE = 600.0
SCRATCH = "/tmp"


@dataclass(frozen=True, slots=True)
class Timed:
    """The runs of one command: medians of seconds and of processor seconds, and the highest peak in MiB."""

    seconds: float
    cpu: float
    peak: float
    statuses: frozenset[int]
    said: str


@dataclass(frozen=True, slots=True)
class Pair:
    """Ours against theirs, run in turn `rounds` times; `ratio` of times, `cpu_ratio` of processor times."""

    ours: Timed
    theirs: Timed
    ratio: float
    cpu_ratio: float
    rounds: int


@dataclass(frozen=True, slots=True)
class Painted:
    """A program with a screen, and a text that it has drawn when it is ready."""

    argv: Sequence[str]
    mark: str


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the table: what was measured, against what, and each budget with what came out."""

    name: str
    peer: str = ""
    pair: Pair | None = None
    budgets: tuple[Budget, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True)
class Budget:
    """One number that has to stay below another."""

    what: str
    found: float
    most: float

    @property
    def kept(self) -> bool:
        """Whether it does."""
        return self.found <= self.most

    def __str__(self) -> str:
        return f"{self.what} {self.found:.3g} of {self.most:g}{'' if self.kept else ' MISSED'}"


def against(ours: Sequence[str], theirs: Sequence[str], *, rounds: int, guest: Guest | None = None) -> Pair:
    """Measures ours against theirs, on this host or in a guest.

    Raises:
        GuestError: a command could not be run.
    """
    wanted = {"commands": [list(ours), list(theirs)], "rounds": rounds, "folder": SCRATCH}
    found = _said(STOPWATCH, wanted, guest)
    runs = found["rounds"]
    first, second = (_timed([one[side] for one in runs], found["said"][side]) for side in (0, 1))
    return Pair(
        first,
        second,
        ratio=median(a["seconds"] / b["seconds"] for a, b in runs),
        cpu_ratio=median(a["cpu"] / max(b["cpu"], 1e-6) for a, b in runs),
        rounds=rounds,
    )


def painted(ours: Painted, theirs: Painted, *, rounds: int, guest: Guest) -> Pair:
    """Measures until each has drawn what it is to draw, on a terminal of 120 columns and 40 lines.

    Raises:
        GuestError: a command could not be run, or never drew it.
    """
    wanted = {"commands": [{"argv": one.argv, "mark": one.mark} for one in (ours, theirs)], "rounds": rounds}
    runs = _said(PTY_STOPWATCH, wanted, guest)
    first, second = ([run[side] | {"status": 0} for run in runs] for side in (0, 1))
    pairs = list(zip(first, second, strict=True))
    ratio, cpu_ratio = (median(a[what] / b[what] for a, b in pairs) for what in ("seconds", "cpu"))
    return Pair(_timed(first, ""), _timed(second, ""), ratio, cpu_ratio, rounds)


def echoes(argv: Sequence[str], mark: str, keys: dict[str, Any], *, guest: Guest) -> tuple[list[float], float]:
    """Presses keys once a mark was drawn. Gives the seconds of each echo, and the peak of the memory in MiB."""
    wanted = {"commands": [{"argv": list(argv), "mark": mark, "keys": keys}], "rounds": 1}
    run = _said(PTY_STOPWATCH, wanted, guest)[0][0]
    return [float(seconds) for seconds in run["echoes"]], run["peak"] / 1024


def _said(stopwatch: Path, wanted: dict[str, Any], guest: Guest | None) -> Any:  # noqa: ANN401 - JSON
    argv = [PYTHON, "-SE", str(stopwatch), json.dumps(wanted)]
    if guest is not None:
        return json.loads(guest.run(argv, timeout=PATIENCE).out)
    done = subprocess.run(argv, check=False, capture_output=True, text=True, timeout=PATIENCE, env=_environment())
    if done.returncode != 0:
        raise GuestError(done.stderr[-800:])
    return json.loads(done.stdout)


def _environment() -> dict[str, str]:
    """What is inherited, without what would have every start compile everything anew."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}


def _timed(runs: Sequence[dict[str, Any]], said: str) -> Timed:
    return Timed(
        seconds=median(one["seconds"] for one in runs),
        cpu=median(one["cpu"] for one in runs),
        peak=max(one["peak"] for one in runs) / 1024,
        statuses=frozenset(int(one["status"]) for one in runs),
        said=said,
    )


def table(rows: Sequence[Row]) -> str:
    """The rows for people."""
    lines = [f"{'':38} {'ours':>9} {'theirs':>9} {'ratio':>6} {'cpu':>6} {'peak':>9}  n"]
    for row in rows:
        pair = row.pair
        numbers = (
            f"{_time(pair.ours.seconds):>9} {_time(pair.theirs.seconds):>9} {pair.ratio:6.2f} {pair.cpu_ratio:6.2f}"
            f" {pair.ours.peak:5.0f} MiB {pair.rounds:2d}"
            if pair
            else ""
        )
        lines.append(f"{row.name:38} {numbers}".rstrip())
        lines += [f"    against {row.peer}"] if row.peer else []
        lines += [f"    {budget}" for budget in row.budgets]
        lines += [f"    {row.note}"] if row.note else []
    return "\n".join(lines)


def _time(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms" if seconds < 10 else f"{seconds:.1f} s"
