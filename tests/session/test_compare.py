"""What is told of two sessions: what differs, and not how far each walk went."""

from __future__ import annotations

from tests.recorded.cases import CASES
from tests.recorded.replaying import reported, walked
from wizard.session.compare import compared, differences
from wizard.session.file import load


def test_steps_that_only_one_walk_asked_are_counted_unless_they_are_wrong() -> None:
    first, second = (reported(walked(load(CASES[name].session))) for name in ("healthy-service", "service-stopped"))
    said = compared(first, second)
    assert "service of 127.0.0.1:8000 of http://shop.example/: only in B: stopped" in said
    assert "listener of 127.0.0.1:8000 of http://shop.example/: listening -> absent" in said
    assert "circle" not in said
    assert "steps that only one of them asked, with nothing wrong" in said
    assert any(one.name.startswith("circle") for one in differences(first, second))


def test_two_equal_sessions_do_not_differ() -> None:
    report = reported(walked(load(CASES["service-stopped"].session)))
    assert "No difference was found" in compared(report, report)
