"""nginx's error log as the walk reads it."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from wizard.host.questions import LogTail
from wizard.logs.error_log import cluster, histogram, read_error_log
from wizard.model import Phase

CAPTURED = Path(__file__).parent / "captured"


def tail(content: bytes | str, offset: int = 0) -> LogTail:
    data = content.encode() if isinstance(content, str) else content
    return LogTail("/var/log/nginx/error.log", data, len(data), 0.0, True, offset)


def refused(stamp: str, upstream: str = "127.0.0.1:9001", request: str = "GET /cart HTTP/1.1", number: int = 3) -> str:
    return (
        f"{stamp} [error] 146#146: *{number} connect() failed (111: Connection refused) while connecting to upstream, "
        f'client: 192.0.2.7, server: shop.example, request: "{request}", upstream: "http://{upstream}/", host: "shop"'
    )


def test_failures_with_times_in_the_zone_of_the_tail() -> None:
    (event,) = read_error_log(tail(refused("2026/11/22 10:28:09"), offset=3600))
    assert event.time == 1795339689.0
    assert (event.phase, event.errno, event.upstream, event.server) == (
        Phase.CONNECTING,
        111,
        "127.0.0.1:9001",
        "shop.example",
    )
    assert (event.pid, event.connection, event.client) == (146, 3, "192.0.2.7")


def test_what_is_no_failure_is_left_out_unless_asked_for() -> None:
    content = "2026/11/22 09:28:09 [notice] 1#1: signal process started\n" + refused("2026/11/22 09:28:10")
    assert [event.symptom for event in read_error_log(tail(content))] == ["connect-refused"]
    assert [event.symptom for event in read_error_log(tail(content), everything=True)] == ["notice", "connect-refused"]


def test_messages_with_newlines_are_one_record() -> None:
    data = (CAPTURED / "nginx1.22-appservers__nginx2.error.log").read_bytes()
    events = read_error_log(tail(data), everything=True)
    assert all(event.program == "nginx" for event in events)
    fatal = [event for event in events if "fatal.php" in event.line]
    assert [(event.symptom, event.upstream) for event in fatal] == [("application-stderr", "unix:/run/app/php.sock")]
    (pp,) = [event for event in events if event.symptom == "proxy-protocol-expected"]
    assert pp.client == "127.0.0.1"


def test_times_before_a_clock_that_was_put_back() -> None:
    # Central Europe, 25 October 2026: at 03:00 the clock goes back to 02:00; the tail is read in winter time.
    content = "\n".join(
        refused(stamp)
        for stamp in ("2026/10/25 02:10:00", "2026/10/25 02:50:00", "2026/10/25 02:05:00", "2026/10/25 02:50:01")
    )
    times = [event.time for event in read_error_log(tail(content, offset=3600))]
    assert times == [1792887000.0, 1792889400.0, 1792890300.0, 1792893001.0]
    assert times == sorted(times, key=lambda time: time or 0.0)


def test_clusters_are_by_upstream_and_symptom() -> None:
    content = "\n".join(
        [
            refused("2026/11/22 09:28:00", request="GET /a HTTP/1.1", number=1),
            refused("2026/11/22 09:28:10", request="GET /b HTTP/1.1", number=2),
            refused("2026/11/22 09:28:20", upstream="127.0.0.1:9002", number=4),
            refused("2026/11/22 09:28:30", request="GET /a HTTP/1.1", number=5),
        ]
    )
    first, second = cluster(read_error_log(tail(content)), window=(1795339680.0, 1795339710.0), buckets=3)
    assert (first.upstream, first.count, first.first, first.last) == ("127.0.0.1:9001", 3, 1795339680.0, 1795339710.0)
    assert first.requests == ("GET /a HTTP/1.1", "GET /b HTTP/1.1")
    assert first.histogram == (1, 1, 1)
    assert first.connections == 3
    assert first.sample.startswith("2026/11/22 09:28:30")
    assert (second.upstream, second.count) == ("127.0.0.1:9002", 1)
    assert "upstream-not-listening" in second.causes


def test_clusters_of_nothing() -> None:
    assert cluster(()) == ()
    assert read_error_log(tail(b"\x00\xff\nhello\n")) == ()


def test_histogram_counts_each_time_inside_the_window_once() -> None:
    assert histogram([0.0, 1.0, 9.9, 10.0, 11.0, -1.0], (0.0, 10.0), 2) == (2, 2)
    assert histogram([5.0], (5.0, 5.0), 3) == (0, 0, 1)


def test_poisoning_is_told_in_order() -> None:
    events = read_error_log(tail((CAPTURED / "nginx1.22-poison__p.log").read_bytes()))
    symptoms = [event.symptom for event in events]
    assert symptoms.index("header-too-big") < symptoms.index("no-live-upstreams")


STAMPS = st.integers(0, 5).map(lambda second: f"2026/11/23 22:05:5{second}")
LINES = st.lists(st.tuples(STAMPS, st.sampled_from(["8000", "8001"]), st.sampled_from(["one", "two"])), max_size=12)


@given(LINES)
def test_bursts_are_told_alike_where_only_their_samples_keep_the_line(lines: list[tuple[str, str, str]]) -> None:
    text = "".join(
        f"{stamp} [error] 7#7: *{number} connect() failed (111: Connection refused) while connecting to upstream, "
        f'client: 203.0.113.9, server: {server}, request: "GET /{number} HTTP/1.1", '
        f'upstream: "http://127.0.0.1:{port}/", host: "{server}"\n'
        for number, (stamp, port, server) in enumerate(lines)
    )
    tail = LogTail("/var/log/nginx/error.log", text.encode(), len(text), 0.0, from_start=True, utc_offset=0)
    whole, sampled = read_error_log(tail), read_error_log(tail, samples=True)
    assert cluster(sampled) == cluster(whole)
    assert sum(bool(event.line) for event in sampled) == len({(port, server) for _, port, server in lines})
