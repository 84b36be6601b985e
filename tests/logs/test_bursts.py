"""Failures as bursts: where one ends, how many it holds, and what is left out."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from wizard.host.questions import LogTail
from wizard.logs.bursts import MAX_BURSTS, SILENCE, Burst, at_the_edge, bursts, counted, extended
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


@settings(deadline=None)
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


# --- what was failing already when the reading begins ---------------------------------------------------------------

NOON = 1_795_694_400.0  # 2026-11-26 12:00:00 UTC
LINE = '2026/11/26 {clock} [error] 1#1: *1 connect() failed ({errno}: x) while connecting to upstream, server: {server}, upstream: "http://127.0.0.1:{port}/"'


def line(minute: int, second: int = 0, *, errno: int = 111, server: str = "shop.example", port: int = 8000) -> str:
    """A failure some minutes after eleven."""
    return LINE.format(clock=f"11:{minute:02d}:{second:02d}", errno=errno, server=server, port=port)


def tail_of(*lines: str, whole: bool = True) -> LogTail:
    """A log as it was read further back."""
    content = "".join(f"{one}\n" for one in lines).encode()
    return LogTail("/var/log/nginx/error.log", content, len(content), NOON, from_start=whole)


KNOWN = Burst("connect-refused", "said", UPSTREAM, 111, "shop.example", (), 3, NOON - 900, NOON)  # from 11:45:00 on


def test_a_burst_at_the_edge_is_followed_to_its_beginning() -> None:
    assert at_the_edge(KNOWN, NOON - 900)
    assert not at_the_edge(KNOWN, NOON - 2000)
    found = extended(KNOWN, tail_of(line(20), line(42, 1), line(44), line(44, 30), line(45), line(50)))
    assert (found.first, found.count, found.older) == (NOON - 1079, 6, False)


def test_failures_of_another_kind_do_not_lengthen_it() -> None:
    others = (line(43, server="api.example"), line(43, port=9000), line(43, errno=110), "no line of nginx", "")
    assert extended(KNOWN, tail_of(*others)) == KNOWN


def test_where_the_log_was_cut_the_beginning_is_not_known() -> None:
    assert extended(KNOWN, tail_of(line(43), line(44), whole=False)).older
    assert not extended(KNOWN, tail_of(line(20), line(43), line(44), whole=False)).older


@settings(deadline=None)
@given(st.binary(max_size=300))
def test_no_log_makes_it_fail(content: bytes) -> None:
    tail = LogTail("/x", line(43).encode() + b"\n" + content, 1, NOON, from_start=True)
    assert extended(KNOWN, tail).count >= KNOWN.count
