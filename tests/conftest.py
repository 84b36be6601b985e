"""What holds for every test: a clean environment, and a clear word where the fault lab cannot run."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.lab import score

LEAKING = ("NO_COLOR", "FORCE_COLOR", "COLORTERM", "CLICOLOR", "LINES", "COLUMNS", "TMUX", "SSH_CONNECTION")
LEAKING_PREFIXES = ("TEXTUAL", "XDG_", "GATEWAY_WIZARD_", "LC_")
LEAKING_SUFFIXES = ("_PROXY", "_proxy")


def pytest_configure(config: pytest.Config) -> None:
    """Adds the table of the fault lab to what pytest prints."""
    config.pluginmanager.register(score, "fault-lab-score")


@pytest.fixture(autouse=True)
def _hermetic(monkeypatch: pytest.MonkeyPatch) -> None:
    """Takes away what the caller's shell would otherwise put into the tests."""
    for name in list(os.environ):
        if name in LEAKING or name.startswith(LEAKING_PREFIXES) or name.endswith(LEAKING_SUFFIXES):
            monkeypatch.delenv(name)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skips the lab where it cannot run. In CI as root it must run, so there it fails instead."""
    lab = [item for item in items if item.get_closest_marker("lab")]
    reason = _why_no_lab() if lab else None
    if reason is None or (os.environ.get("CI") == "true" and sys.platform == "linux" and os.geteuid() == 0):
        return
    for item in lab:
        item.add_marker(pytest.mark.skip(reason=f"{score.SKIPPED}{reason}"))


def _why_no_lab() -> str | None:
    if sys.platform != "linux":
        return "it needs Linux namespaces"
    if os.geteuid() != 0:
        return "it needs root, to make namespaces and start services in them"
    try:
        subprocess.run(["unshare", "-n", "-m", "-p", "-f", "true"], check=True, capture_output=True, timeout=20)
    except (OSError, subprocess.SubprocessError):
        return "this kernel or container refuses new namespaces"
    try:
        subprocess.run(["nginx", "-v"], check=True, capture_output=True, timeout=20)
    except (OSError, subprocess.SubprocessError):
        return "nginx is not installed: run tests/lab/provision.sh"
    return None
