"""The command line, ready to be called."""

from __future__ import annotations

import pytest

from tests.commands.calling import Here


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Here:
    """The command line in this process, without a person's own flows."""
    monkeypatch.setenv("HOME", "/nonexistent")
    return Here(capsys)
