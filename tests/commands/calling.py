"""Calls the command line as scripts do: as a program of its own, or quickly in this process."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.recorded.cases import CASES
from wizard.commands.run import run

REPOSITORY = Path(__file__).resolve().parents[2]
ENVIRONMENT = {"PATH": "/usr/bin:/bin", "HOME": "/nonexistent", "LANG": "C.UTF-8"}
STOPPED = str(CASES["service-stopped"].session)
HEALTHY = str(CASES["healthy-service"].session)
OVER = str(CASES["is-over"].session)
TWO = str(CASES["two-faults"].session)


@dataclass(frozen=True, slots=True)
class Done:
    """What a call gave."""

    status: int
    out: str
    err: str


def program(*words: str, given: bytes = b"", environment: Mapping[str, str] = ENVIRONMENT) -> Done:
    """Run `python -m wizard` in a clean environment."""
    done = subprocess.run(
        [sys.executable, "-m", "wizard", *words],
        cwd=REPOSITORY,
        env=dict(environment),
        input=given,
        capture_output=True,
        timeout=60,
        check=False,
    )
    return Done(done.returncode, done.stdout.decode(), done.stderr.decode())


class Here:
    """Runs the command line in this process, where nothing of the process itself is tested."""

    def __init__(self, captured: pytest.CaptureFixture[str]) -> None:
        self._captured = captured

    def __call__(self, *words: str) -> Done:
        """One call."""
        self._captured.readouterr()
        status = run(words)
        said = self._captured.readouterr()
        return Done(status, said.out, said.err)
