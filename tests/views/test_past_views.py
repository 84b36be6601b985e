"""The timeline and the log lines as values: order, marks, counts, search, and text that is safe to show."""

from __future__ import annotations

import asyncio

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.recorded.cases import CASES
from tests.tui.fake import NOW, Story, library
from tests.tui.past import BEGAN, PastHost
from wizard.host.port import Reply
from wizard.host.questions import LogTail, ReadLog, StampKind
from wizard.logs.bursts import Counts
from wizard.session.file import load
from wizard.session.past.scene import Kind, Moment
from wizard.session.session import Session
from wizard.session.timeline import Timeline
from wizard.text import visible
from wizard.views.logs import MOST, LogLine, log_lines, log_view, matches
from wizard.views.timeline import NO_ERROR, NOTHING, timeline_lines, timeline_view
from wizard.walk.plan import Target
from wizard.walk.runner import Options
from wizard.walk.sitting import Sitting


def past_session() -> Session:
    """A walk of the machine with a past."""
    replayed = Session("past", NOW, "0")
    sitting = Sitting(PastHost(), library(), Story().checks(), Options(), replayed=replayed)
    asyncio.run(sitting.walk(Target(url="http://shop.example/cart")))
    return sitting.session()


def moment(at: float, what: str = "something", kind: Kind = Kind.UNIT) -> Moment:
    """Something that happened."""
    return Moment(at, what, "systemd journal", kind)


# --- the timeline -----------------------------------------------------------------------------------------------


def test_a_count_stands_once_for_each_part_of_the_time_and_at_the_first_error_first() -> None:
    counts = Counts(1000.0, 1100.0, (0, 0, 5, 0, 0, 0, 0, 0, 0, 2))
    moments = (moment(500.0), moment(1020.0), moment(1021.0, kind=Kind.ERROR), moment(1095.0), moment(1096.0))
    view = timeline_view(Timeline(moments, 2, 0, counts))
    assert [(row.count, row.level) for row in view.rows] == [("", ""), ("", ""), ("5", "|"), ("2", ":"), ("", "")]
    assert (view.cursor, view.rows[2].first_error, view.step) == (2, True, "10 s")
    assert view.about_spark == "7 failures logged from 00:16 to 00:18"
    assert len(view.short_spark) == 5


def test_days_are_named_where_there_are_several() -> None:
    view = timeline_view(Timeline((moment(0.0), moment(10.0), moment(90000.0)), None))
    assert [row.day for row in view.rows] == ["Jan 01", "", "Jan 02"]
    assert view.note == NO_ERROR
    assert not any(row.day for row in timeline_view(Timeline((moment(0.0), moment(10.0)), 1)).rows)


def test_an_empty_timeline_is_a_sentence() -> None:
    assert timeline_view(Timeline()).note == NOTHING
    assert timeline_lines(Timeline()) == (NOTHING,)


def test_times_are_those_of_the_host() -> None:
    assert timeline_view(Timeline((moment(1.0),), 0, 7200)).rows[0].time == "02:00:01"


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(st.floats(-1e10, 1e12), st.text(st.characters(codec=None, categories=None), max_size=20)), max_size=12
    ),
    st.none() | st.lists(st.integers(0, 10**6), max_size=60).map(tuple),
)
def test_any_timeline_makes_visible_rows(given: list[tuple[float, str]], counts: tuple[int, ...] | None) -> None:
    moments = tuple(moment(at, what) for at, what in given)
    numbers = Counts(0.0, 1e9, counts) if counts is not None else None
    view = timeline_view(Timeline(moments, 0 if moments else None, 0, numbers))
    assert len(view.rows) == len(given)
    for row in view.rows:
        assert row.what == visible(row.what)
        assert "\n" not in row.what


# --- the lines --------------------------------------------------------------------------------------------------


def test_lines_of_several_writers_are_merged_by_time() -> None:
    view = log_view(past_session(), ["service-stopped"])
    assert view.sources == ("systemd", "shop.service", "nginx")
    times = [int(one.at or 0.0) for one in view.lines]
    assert times == sorted(times)
    chosen = view.lines[view.cursor]
    assert (chosen.text, chosen.decisive) == ("ModuleNotFoundError: No module named 'shop_settings'", True)
    [first] = [one for one in view.lines if one.first_error]
    assert (first.source, first.at) == ("nginx", BEGAN)


def test_lines_of_another_site_are_left_out() -> None:
    session = past_session()
    other = (
        "2026/11/23 14:07:20 [error] 813#813: *99 connect() failed (111: Connection refused) while connecting to upstream,"
        ' client: 192.0.2.1, server: other.example, request: "GET / HTTP/1.1", upstream: "http://127.0.0.1:9/", host: "o"\n'
        "2026/11/23 14:07:21 [emerg] 813#813: unexpected end of file in /etc/nginx/nginx.conf:9\n"
    )
    changed = tuple(
        msgspec.structs.replace(
            one, answer=msgspec.structs.replace(one.answer, content=one.answer.content + other.encode())
        )
        if isinstance(one.answer, LogTail)
        else one
        for one in session.asked
    )
    said = [one.text for one in log_view(session.with_asked(changed)).lines]
    assert not any("other.example" in one for one in said)
    assert any("[emerg]" in one for one in said)


def test_a_programs_own_log_is_there_and_requests_and_packages_are_not() -> None:
    session = past_session()
    logs = {
        "/var/log/shop/app.log": "2026-11-23 14:07:02,5 ERROR no database\n  a line below it\n",
        "/var/log/shop/access.log": "2026-11-23 14:07:02 GET /\n",
        "/var/log/dpkg.log": "2026-11-23 14:07:02 upgrade nginx:amd64 1 2\n",
    }
    more = [
        Reply(
            900 + n,
            ReadLog(path, 900.0, StampKind.NONE),
            LogTail(path, text.encode(), 9, NOW, from_start=True),
            NOW,
            0.0,
        )
        for n, (path, text) in enumerate(logs.items())
    ]
    view = log_view(session.with_asked((*session.asked, *more)))
    own = [one for one in view.lines if one.source == "app.log"]
    assert [one.text for one in own] == ["2026-11-23 14:07:02,5 ERROR no database", "a line below it"]
    assert own[0].at == own[1].at
    assert not {"access.log", "dpkg.log"} & set(view.sources)


def test_a_search_knows_no_case_and_an_empty_one_finds_nothing() -> None:
    lines = [LogLine(1.0, visible(""), visible("nginx"), visible(text)) for text in ("Refused", "else", "was refused")]
    assert matches(lines, "REFUSED") == (0, 2)
    assert matches(lines, "nginx e") == (1,)
    assert matches(lines, "") == ()


def test_a_flood_is_cut_around_the_decisive_line() -> None:
    session = past_session()
    line = '2026/11/23 14:07:{0:02d} [error] 1#1: *{1} connect() failed (111: Connection refused) while connecting to upstream, client: 192.0.2.1, server: shop.example, request: "GET / HTTP/1.1", upstream: "http://127.0.0.1:8000/", host: "shop.example"\n'
    flood = "".join(line.format(3 + n // 400, n) for n in range(10_000)).encode()
    changed = tuple(
        msgspec.structs.replace(one, answer=msgspec.structs.replace(one.answer, content=flood))
        if isinstance(one.answer, LogTail)
        else one
        for one in session.asked
    )
    view = log_view(session.with_asked(changed))
    assert len(view.lines) == MOST
    assert view.lines[view.cursor].decisive
    assert "left out" in view.note


def test_the_plain_mode_has_the_lines_around_the_decisive_one() -> None:
    said = log_lines(log_view(past_session()))
    assert "decisive: 14:07:01 shop.service: ModuleNotFoundError: No module named 'shop_settings'" in said
    assert len(said) <= 26


def test_without_a_walk_there_are_no_lines() -> None:
    assert log_view(None).lines == ()
    assert log_view(Session("s", NOW, "0")).note


@pytest.mark.parametrize("name", list(CASES))
def test_a_recorded_fault_has_its_first_error_among_the_lines(name: str) -> None:
    view = log_view(load(CASES[name].session))
    assert all(one.text == visible(one.text, limit=10_000) for one in view.lines)
    if not CASES[name].healthy:
        assert any(one.first_error or one.decisive for one in view.lines)
