"""The shared words: ages, clocks, sparks, and cutting by cells."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tui.fake import Story
from wizard.text import Visible, cells, visible
from wizard.views.words import NO, OK, UNTOLD, age, clock, cut, merged, padded, spark, stamp, state_word, took, worst


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(-3, "0 s"), (2.9, "2 s"), (99, "99 s"), (100, "1 min"), (5399, "89 min"), (7200, "2 h"), (300000, "3 d")],
)
def test_an_age_is_short(seconds: float, said: str) -> None:
    assert age(seconds) == said


@pytest.mark.parametrize(("seconds", "said"), [(0.0002, "0.2 ms"), (0.011, "11 ms"), (3.24, "3.2 s")])
def test_what_a_probe_took(seconds: float, said: str) -> None:
    assert took(seconds) == said


def test_a_clock_is_the_hosts_and_nothing_where_no_time_is_known() -> None:
    assert clock(1795442851.0, 0, seconds=True) == "14:07:31"
    assert clock(1795442851.0, 3600) == "15:07"
    assert clock(0.0, 0) == ""
    assert clock(1e30, 0) == ""


def test_a_spark_tells_nothing_from_some_from_much() -> None:
    assert spark((0, 1, 5, 10)) == ".::|"
    assert spark((0, 0)) == ".."
    assert spark(()) == ""


def test_unknown_is_never_ok() -> None:
    checks = Story().checks()
    assert state_word(checks, "connect", "unknown") == UNTOLD
    assert state_word(checks, "connect", "refused") == NO
    assert state_word(checks, "connect", "connected") == OK
    assert worst([OK, UNTOLD, OK]) == UNTOLD
    assert worst([OK, UNTOLD, NO]) == NO
    assert worst([]) is None


@given(st.text(), st.integers(0, 40))
def test_a_cut_line_fits_and_a_padded_one_fills(text: str, width: int) -> None:
    shown = Visible(visible(text).replace("\n", " "))
    assert cells(cut(shown, width)) <= width
    assert cells(padded(shown, width)) == width


def test_a_stamp_has_the_day_too() -> None:
    assert stamp(1795442851.0, 0) == "2026-11-23 14:07:31"
    assert stamp(1795442851.0, 36000) == "2026-11-24 00:07:31"
    assert stamp(1e30, 0) == ""


def test_counts_are_merged_into_fewer_spans() -> None:
    assert merged((1, 2, 3, 4), 2) == (3, 7)
    assert merged((1, 2, 3), 2) == (1, 2, 3)
    assert merged((), 8) == ()
