"""Access logs of any format."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wizard.host.questions import LogTail
from wizard.logs.access_log import COMBINED, AccessEvent, compile_format, read_access_log

CAPTURED = Path(__file__).parent / "captured"
UPSTREAM = (
    '$remote_addr [$time_iso8601] "$request" $status upstream_addr=$upstream_addr upstream_status=$upstream_status '
    "rt=$request_time uct=$upstream_connect_time uht=$upstream_header_time urt=$upstream_response_time"
)


def read(content: bytes | str, log_format: str | None = None) -> tuple[AccessEvent, ...]:
    data = content.encode() if isinstance(content, str) else content
    return read_access_log(LogTail("/x", data, len(data), 0.0, True), log_format)


def test_combined() -> None:
    events = read((CAPTURED / "nginx1.22__nginx.access.log").read_bytes())
    assert len(events) > 50
    assert events[0] == AccessEvent(
        time=1795339689.0, status=200, request="GET /ok HTTP/1.1", client="127.0.0.1", asked_upstream=None
    )
    assert {event.status for event in events} >= {200, 502, 504, 9, 101}


def test_format_with_upstreams() -> None:
    line = (
        '127.0.0.1 [2026-11-22T09:38:30+00:00] "GET / HTTP/1.1" 502 upstream_addr=127.0.0.1:9001, unix:/run/b.sock '
        "upstream_status=502, 504 rt=2.001 uct=-, - uht=-, - urt=0.000, 2.000"
    )
    (event,) = read(line, UPSTREAM)
    assert (event.upstream, event.upstream_status, event.seconds, event.upstream_seconds) == (
        "unix:/run/b.sock",
        504,
        2.001,
        2.0,
    )
    assert event.tried == ("127.0.0.1:9001", "unix:/run/b.sock")
    assert event.tried_statuses == (502, 504)
    assert event.asked_upstream is True


def test_no_upstream_was_asked() -> None:
    line = '127.0.0.1 [2026-11-22T09:38:30+00:00] "GET / HTTP/1.1" 502 upstream_addr=- upstream_status=- rt=0.000 uct=- uht=- urt=-'
    (event,) = read(line, UPSTREAM)
    assert (event.asked_upstream, event.upstream, event.upstream_status) == (False, None, None)


def test_lists_between_spaces() -> None:
    line = (
        '1.1.1.1 - - [22/Nov/2026:09:28:09 +0100] "GET /a HTTP/1.1" 504 2 "-" "Mo\\x22zilla" 127.0.0.1:1, [::1]:2 '
        "502, 504 0.1, 2.0 https://shop/a?b"
    )
    (event,) = read(
        line, COMBINED + " $upstream_addr $upstream_status $upstream_response_time $scheme://$host$request_uri"
    )
    assert event.time == 1795339689.0 - 3600
    assert (event.upstream, event.upstream_status, event.host, event.user_agent) == ("[::1]:2", 504, "shop", 'Mo"zilla')


def test_json_format() -> None:
    log_format = (
        'escape=json {"time":"$time_iso8601","status":$status,"host":"$host","request":"$request",'
        '"agent":"$http_user_agent","upstream":"$upstream_addr","seconds":$request_time,"at":$msec}'
    )
    line = (
        '{"time":"2026-11-22T09:28:09+00:00","status":502,"host":"shop","request":"GET /a\\"b HTTP/1.1","agent":"",'
        '"upstream":"unix:/run/a.sock","seconds":0.003,"at":1795339689.123}'
    )
    (event,) = read(line, log_format)
    assert (event.status, event.host, event.request, event.upstream, event.seconds) == (
        502,
        "shop",
        'GET /a"b HTTP/1.1',
        "unix:/run/a.sock",
        0.003,
    )


def test_method_and_uri_make_a_request() -> None:
    (event,) = read("GET /cart?x=1 502 1795339689.500", "$request_method $request_uri $status $msec")
    assert (event.request, event.status, event.time) == ("GET /cart?x=1", 502, 1795339689.5)


def test_own_probes_are_left_out() -> None:
    line = '1.1.1.1 - - [22/Nov/2026:09:28:09 +0000] "GET / HTTP/1.1" 502 2 "-" "{}"'
    events = read(line.format("gateway-wizard/1.0") + "\n" + line.format("curl/8"))
    assert [event.user_agent for event in events] == ["curl/8"]


def test_lines_of_an_older_format_are_read_as_combined() -> None:
    (event,) = read('1.1.1.1 - bob [22/Nov/2026:09:28:09 +0000] "GET / HTTP/1.1" 502 2 "-" "x"', UPSTREAM)
    assert (event.status, event.upstream, event.asked_upstream) == (502, None, None)


@pytest.mark.parametrize("line", ["", "hello", '"', "\x00\xff", "1 - - [ " * 50])
def test_other_lines_are_left_out(line: str) -> None:
    assert read(line, UPSTREAM) == ()


VARIABLES = ["remote_addr", "status", "request", "upstream_addr", "http_user_agent", "time_local", "msec", "uri", "x"]


@settings(max_examples=150, deadline=None)
@given(
    pieces=st.lists(st.tuples(st.sampled_from(VARIABLES), st.text('ab |"[]-:,$\\', max_size=4)), max_size=8),
    line=st.text('ab1. |"[]-:,\\', max_size=200),
)
def test_any_format_compiles_and_reads_anything(pieces: list[tuple[str, str]], line: str) -> None:
    text = "".join(f"${{{name}}}{literal}" for name, literal in pieces)
    reader = compile_format(text)
    assert isinstance(reader.pattern, re.Pattern)
    assert len(read(line.encode(), text or None)) <= line.count("\n") + 1


def test_names_that_are_printed_as_values_are_read_back() -> None:
    for status, agent in ((200, "curl/8.1"), (502, "Mozilla/5.0 (X11; Linux) - x"), (499, "")):
        line = f'10.0.0.1 - - [22/Nov/2026:09:28:09 +0000] "GET / HTTP/2.0" {status} 0 "-" "{agent}"'
        (event,) = read(line, COMBINED)
        assert (event.status, event.user_agent, event.client) == (status, agent or None, "10.0.0.1")
