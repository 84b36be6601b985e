"""A log of thousands of lines as the few things that it says."""

from __future__ import annotations

from wizard.logs.groups import grouped
from wizard.logs.shapes import told_lines

REFUSED = (
    "2026/11/22 09:28:{second:02} [error] 1#1: *3 connect() failed (111: Connection refused) while connecting to upstream,"
    ' client: 192.0.2.7, server: x, request: "GET / HTTP/1.1", upstream: "http://127.0.0.1:{port}/", host: "x"'
)
NOON = 1795340000.0


def test_lines_that_say_the_same_are_one_group() -> None:
    lines = [REFUSED.format(second=n, port=9001 + (n % 4 == 0)) for n in range(40)]
    lines += ["2026/11/22 09:29:00 [notice] 1#1: exiting", "2026/11/22 09:29:00 [error] 1#1: something new", "hello"]
    found = grouped(told_lines("\n".join(lines).encode(), zone_offset=0, year_hint=NOON))
    (group,) = found.failures
    assert (group.count, group.first_line, group.last_line) == (40, 1, 40)
    assert group.upstreams == {"127.0.0.1:9001": 30, "127.0.0.1:9002": 10}
    assert (group.first, group.last) == (1795339680, 1795339719)
    assert [one.count for one in found.unexplained] == [1]
    assert found.harmless == (("nginx", 1),)
    assert found.unknown == 1


def test_the_most_frequent_comes_first() -> None:
    lines = [
        "Nov 22 09:28:09 web systemd[1]: shop.service: Main process exited, code=killed, status=9/KILL",
        *(REFUSED.format(second=n, port=9001) for n in range(3)),
    ]
    found = grouped(told_lines("\n".join(lines).encode()))
    assert [(group.meaning.program, group.count) for group in found.failures] == [("nginx", 3), ("systemd", 1)]
    assert found.failures[0].first is None


def test_nothing() -> None:
    found = grouped(told_lines(b""))
    assert (found.failures, found.unexplained, found.harmless, found.unknown) == ((), (), (), 0)
