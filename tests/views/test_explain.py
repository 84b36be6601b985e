"""What pasted lines mean, as a value: recognised lines with what they name, the others counted."""

from __future__ import annotations

from tests.tui.fake import ERROR
from wizard.views.explain import MOST, explain_view
from wizard.walk.plan import Target

LINE = ERROR.format(second=3, number=3)


def test_a_line_tells_its_facts_and_what_can_be_walked() -> None:
    (one,) = explain_view(LINE, offset=0).lines
    facts: dict[str, str] = dict(one.facts)
    assert facts["at"] == "2026-11-23 14:07:03"
    assert (facts["phase"], facts["errno"], facts["upstream"]) == ("connecting", "111", "127.0.0.1:8000")
    assert one.targets == (Target(url="http://shop.example/cart"), Target(upstream="127.0.0.1:8000"))
    assert "upstream-not-listening" in one.causes


def test_lines_that_say_nothing_known_are_counted_and_empty_ones_are_not() -> None:
    seen = explain_view(f"hello\n\n{LINE}\n  \nworld\n")
    assert [one.number for one in seen.lines] == [3]
    assert (seen.unknown, seen.left_out) == (2, 0)


def test_of_very_many_lines_only_the_first_are_read() -> None:
    seen = explain_view("x\n" * (MOST + 7))
    assert seen.left_out == 7


def test_a_line_of_systemd_names_nothing_to_walk() -> None:
    (one,) = explain_view(
        "Nov 23 14:08:09 web-03 systemd[1]: shop.service: Main process exited, code=exited, status=1/FAILURE",
        now=1795442851.0,
        offset=0,
    ).lines
    assert one.program == "systemd"
    assert one.targets == ()
