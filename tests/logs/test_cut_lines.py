"""A line that is cut at the screen's edge never says what the whole line contradicts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.logs.test_unwrap import PAGES, WRAPPINGS
from wizard.logs.recognise import explain_line
from wizard.model import LogEvent, Phase

LINES: list[str] = [
    json.loads(line)["line"] for line in (Path(__file__).parent / "samples.jsonl").read_text().splitlines()
]
NOON = 1795340000.0


def contradictions(cut: LogEvent, whole: LogEvent) -> list[str]:
    """The names of facts in which a cut line and its whole differ."""
    names = ["errno", "status", "host", "request", "connection"]
    found = [n for n in names if getattr(cut, n) is not None and getattr(cut, n) != getattr(whole, n)]
    if cut.program != whole.program:
        found.append("program")
    if cut.phase is not Phase.NONE and cut.phase is not whole.phase:
        found.append("phase")
    # Apache's lines end with the upstream: a cut there leaves no trace, so a beginning of the address is allowed.
    if cut.upstream is not None and not (whole.upstream or "").startswith(cut.upstream):
        found.append("upstream")
    if not set(cut.causes) <= set(whole.causes):
        found.append("causes")
    return found


@settings(max_examples=600, deadline=None)
@given(line=st.sampled_from(LINES), share=st.floats(0.02, 0.99))
def test_right_cut(line: str, share: float) -> None:
    whole = explain_line(line, zone_offset=0, year_hint=NOON)
    cut = explain_line(line[: int(len(line) * share)], zone_offset=0, year_hint=NOON)
    assert whole is not None
    if cut is None or line.startswith("upstream connect error"):
        return
    assert contradictions(cut, whole) == []
    assert cut.time in {None, whole.time}


@settings(max_examples=400, deadline=None)
@given(line=st.sampled_from(LINES), share=st.floats(0.02, 0.99))
def test_left_cut(line: str, share: float) -> None:
    whole = explain_line(line, zone_offset=0, year_hint=NOON)
    cut = explain_line(line[int(len(line) * share) :], zone_offset=0, year_hint=NOON)
    assert whole is not None
    if cut is None or ".service" in line:  # the name of a unit begins where the line does
        return
    assert contradictions(cut, whole) == []


# A list of numbers cut at its beginning is another list, and what every quote is doubled in is not cut by a screen.
CUT_WRAPPINGS = sorted(set(WRAPPINGS) - {"journal, bytes", "spreadsheet"})


@settings(max_examples=400, deadline=None)
@given(
    line=st.sampled_from(
        [line for line in LINES if line not in PAGES and not line.startswith("upstream connect error")]
    ),
    name=st.sampled_from(CUT_WRAPPINGS),
    left=st.floats(0, 0.5),
    right=st.floats(0.5, 1),
)
def test_wrapped_and_cut(line: str, name: str, left: float, right: float) -> None:
    whole = explain_line(line, zone_offset=0, year_hint=NOON)
    wrapped = WRAPPINGS[name](line)
    cut = explain_line(wrapped[int(len(wrapped) * left) : int(len(wrapped) * right)], zone_offset=0, year_hint=NOON)
    assert whole is not None
    if cut is None or ".service" in line:
        return
    # What a client sent may keep an escape that the cut wrapping had put there.
    assert set(contradictions(cut, whole)) <= {"request", "host"}


NGINX = (
    "2026/11/22 09:28:09 [error] 146#146: *3 {} while {}, client: 192.0.2.7, server: shop.example, "
    'request: "GET /cart HTTP/1.1", upstream: "http://127.0.0.1:9001/cart", host: "shop.example"'
)


def test_right_cut_still_says_what_is_certain() -> None:
    line = NGINX.format("connect() failed (111: Connection refused)", "connecting to upstream")
    event = explain_line(line[:90], zone_offset=0)
    assert event is not None
    assert (event.program, event.phase, event.errno, event.upstream) == ("nginx", Phase.CONNECTING, 111, None)
    assert "upstream-not-listening" in event.causes


@pytest.mark.parametrize(
    ("action", "phase"),
    [
        ("reading r", Phase.READING_HEADER),
        ("reading u", Phase.READING_BODY),
        ("rea", Phase.NONE),
        ("c", Phase.NONE),
        ("connecting to", Phase.CONNECTING),
        ("SSL handshaking to up", Phase.HANDSHAKING),
        ("sending request", Phase.SENDING_REQUEST),
    ],
)
def test_cut_action_names_a_phase_only_where_one_is_left(action: str, phase: Phase) -> None:
    start = "2026/11/22 09:28:09 [error] 146#146: *3 upstream timed out (110: Connection timed out) while "
    event = explain_line(start + action)
    assert event is not None
    assert event.phase is phase
    assert bool(event.causes) is (phase is not Phase.NONE)


def test_left_cut_still_finds_the_message() -> None:
    line = NGINX.format("connect() failed (111: Connection refused)", "connecting to upstream")
    event = explain_line(line[30:])
    assert event is not None
    assert (event.program, event.phase, event.errno, event.upstream) == (
        "nginx",
        Phase.CONNECTING,
        111,
        "127.0.0.1:9001",
    )


def test_cut_json_still_finds_the_message() -> None:
    line = (
        '{"level":"error","ts":1795339779.79,"logger":"http.log.error.log0","msg":"dial tcp 127.0.0.1:9001: connect: '
        'connection refused","request":{"remote_ip":"192.0.2.7","remote_po'
    )
    event = explain_line(line)
    assert event is not None
    assert (event.program, event.errno, event.upstream) == ("caddy", 111, "127.0.0.1:9001")
