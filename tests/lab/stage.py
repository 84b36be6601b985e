"""Tells a story to a guest and asks what a client, and what the wizard, make of it.

Shared by the tests and by `try.py`. May not judge.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.lab.guest import Guest, Result, until
from tests.lab.scenario import Scenario

COMMAND = Path(sys.prefix, "bin", "gateway-wizard")
PATIENCE = 20  # seconds that a client waits


@contextmanager
def healthy(told: Scenario) -> Iterator[tuple[Guest, Iterator[None]]]:
    """A guest in which the first half of the story has been told, and the story, to go on with."""
    with Guest(systemd=told.systemd) as guest:
        if told.user:
            # The interpreter of a developer's machine often lies below a home folder that is closed to others.
            guest.run(f"useradd --create-home --shell /bin/bash {told.user}; chmod 711 /root")
        story = told.story(guest)
        next(story)
        yield guest, story


def break_it(story: Iterator[None]) -> None:
    """Tells the second half of the story."""
    for _ in story:
        raise AssertionError("a story has one yield")


def request(guest: Guest, told: Scenario, *, patience: int = PATIENCE) -> int:
    """The status that a client in the guest sees, 0 where no HTTP answer came."""
    wanted = ["curl", "-sS", "-k", "-o", "/dev/null", "-w", "%{http_code}", "-m", str(patience), told.url]
    upload = ["--data-binary", "@-"] if told.body else []
    return int(guest.run([*wanted, *upload], check=False, given="x" * told.body).out or 0)


def works(guest: Guest, told: Scenario) -> bool:
    """Whether the scenario's request succeeds, soon."""
    return until(lambda: 200 <= request(guest, told, patience=5) < 400, seconds=told.settle, every=0.2)


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What `gateway-wizard diagnose --json` gave."""

    result: Result
    report: dict[str, Any]

    @property
    def causes(self) -> list[str]:
        """The ids of the causes, best first."""
        return [str(cause["id"]) for cause in self.report["causes"]]

    def commands(self, stage: str) -> list[str]:
        """Every command of a stage, in order."""
        return [str(c["run"]) for cause in self.report["causes"] for c in cause["commands"] if c["stage"] == stage]

    def told(self) -> str:
        """The report in a few lines, for a failing test's message."""
        lines = [f"exit {self.result.status}, verdict {self.report.get('verdict')}"]
        lines += [f"  cause {c['id']} ({c['confidence']}): {c['summary']}" for c in self.report.get("causes", ())]
        lines += [f"  warning {c['id']}: {c['summary']}" for c in self.report.get("warnings", ())]
        lines += [f"  open {c['id']}: {c['because']}" for c in self.report.get("open", ())]
        lines += [f"  step {s['check']} {s['subject']}: {s['outcome']}" for s in self.report.get("steps", ())]
        return "\n".join([*lines, self.result.err[-1500:]])


def diagnose(guest: Guest, url: str = "", *, user: str = "") -> Diagnosis:
    """Runs the wizard in the guest, as root or as another user; without a URL it looks for what is failing."""
    words = [str(COMMAND), "diagnose", *([url] if url else []), "--json", "--timeout", "15"]
    if user:
        words = ["setpriv", f"--reuid={user}", f"--regid={user}", "--init-groups", "--reset-env", *words]
    result = guest.run(words, check=False, timeout=60)
    try:
        report = json.loads(result.out)
    except ValueError:
        report = {}
    return Diagnosis(result, report)


def repair(guest: Guest, commands: list[str]) -> str | None:
    """Runs the commands exactly as printed, in order, up to the first that fails. Returns what went wrong."""
    for command in commands:
        done = guest.run(command, check=False, timeout=60)
        if done.status != 0:
            return f"status {done.status}: {command}\n{done.out[-400:]}{done.err[-400:]}"
    return None
