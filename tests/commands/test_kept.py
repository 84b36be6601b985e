"""Kept sessions: private, few, and the one that was interrupted is found again."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path

import msgspec
import pytest

from tests.tui.fake import FakeHost, Story, library
from wizard.commands.kept import MOST, folder, interrupted, keep, latest
from wizard.session.events import Finished
from wizard.session.session import Session, session_id
from wizard.walk.plan import Target
from wizard.walk.runner import Options
from wizard.walk.sitting import Sitting


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))


def walked(*, hostname: str | None = None, started: float | None = None, how: str = "complete") -> Session:
    sitting = Sitting(FakeHost(hostname=hostname or os.uname().nodename), library(), Story().checks(), Options())
    asyncio.run(sitting.walk(Target(url="http://shop.example/cart")))
    session = sitting.session()
    at = started or time.time()
    events = tuple(event for event in session.events if not isinstance(event, Finished))
    return msgspec.structs.replace(
        session, id=session_id(at, "web", mark="0000"), started=at, events=(*events, Finished(at, how))
    )


def test_a_session_is_kept_for_its_owner_only() -> None:
    keep(walked())
    (path,) = folder().glob("*.jsonl")
    assert path.stat().st_mode & 0o777 == 0o600
    assert folder().stat().st_mode & 0o777 == 0o700
    assert latest() == path


def test_only_a_few_are_kept_and_the_oldest_go() -> None:
    one = walked()
    for number in range(MOST + 3):
        keep(msgspec.structs.replace(one, id=f"2026112{number // 10}T00000{number % 10}Z-web"))
    names = sorted(path.name for path in folder().glob("*.jsonl"))
    assert len(names) == MOST
    assert names[-1] == "20261122T000002Z-web.jsonl"


def test_what_was_interrupted_is_found_though_others_came_to_their_end() -> None:
    now = time.time()
    keep(walked(started=now - 300, how="cancelled"))
    keep(walked(started=now - 100))
    found = interrupted()
    assert found is not None
    assert found[1].target == "http://shop.example/cart"
    assert found[1].started == pytest.approx(now - 300)


def test_what_came_to_its_end_is_not_offered() -> None:
    keep(walked())
    assert interrupted() is None


def test_another_host_and_what_is_long_over_are_not_offered() -> None:
    keep(walked(hostname="some-other-host", how="cancelled"))
    keep(walked(started=time.time() - 13 * 3600, how="cancelled"))
    assert interrupted() is None


def test_a_file_that_is_no_session_is_passed_over() -> None:
    keep(walked(started=time.time() - 60, how="cancelled"))
    (folder() / "99999999T000000Z-x.jsonl").write_bytes(b"\x1b]0;no session\x07")
    assert interrupted() is not None


def test_a_folder_that_cannot_be_made_is_no_reason_to_fail(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    keep(walked())
    assert latest() is None
