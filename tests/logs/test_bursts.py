"""Failures as bursts: where one ends, how many it holds, and what is left out."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from wizard.logs.bursts import MAX_BURSTS, SILENCE, bursts, counted
from wizard.model import LogEvent

UPSTREAM = "127.0.0.1:8000"


def event(at: float | None, symptom: str = "connect-refused") -> LogEvent:
    """A failure at a time."""
    return LogEvent("nginx", symptom, "said", time=at, upstream=UPSTREAM, causes=("upstream-not-listening",))


def test_failures_that_follow_each_other_are_one_burst() -> None:
    [one] = bursts([event(100.0), event(130.0), event(101.0)], until=1000.0)
    assert (one.count, one.first, one.last, one.upstream) == (3, 100.0, 130.0, UPSTREAM)


def test_a_silence_begins_a_new_burst() -> None:
    early, late = bursts([event(100.0), event(101.0), event(102.0 + SILENCE)], until=1000.0)
    assert (early.count, early.last, late.count, late.first) == (2, 101.0, 1, 102.0 + SILENCE)


def test_what_the_walk_itself_caused_is_no_burst() -> None:
    assert bursts([event(100.0), event(None)], until=99.0) == ()


def test_counts_cover_the_time_that_was_read() -> None:
    found = counted([event(10.0), event(11.0), event(95.0), event(None)], start=0.0, until=100.0)
    assert (sum(found.counts), found.start, found.end) == (3, 0.0, 100.0)
    assert found.counts[-1] == 0
    assert counted([event(1.0)], start=5.0, until=5.0).counts == ()


@given(
    st.lists(st.tuples(st.none() | st.floats(0, 5000), st.sampled_from(["a", "b", "c", "d"])), max_size=60),
    st.floats(0, 5000),
)
def test_every_failure_is_in_one_burst_of_its_kind(given: list[tuple[float | None, str]], until: float) -> None:
    events = [event(at, symptom) for at, symptom in given]
    found = bursts(events, until=until)
    assert len(found) <= MAX_BURSTS
    assert list(found) == sorted(found, key=lambda one: (one.first, one.last, one.symptom))
    for one in found:
        times = [
            at for at, symptom in given if symptom == one.symptom and at is not None and one.first <= at <= one.last
        ]
        assert one.count == len(times)
        assert one.last <= until
