"""A whole text, line by line, also where a terminal or an editor has broken the lines."""

from __future__ import annotations

import textwrap

import pytest

from wizard.logs.recognise import explain_line, explain_text

LINE = (
    "2026/11/22 09:28:09 [error] 146#146: *3 connect() failed (111: Connection refused) while connecting to upstream, "
    'client: 192.0.2.7, server: shop.example, request: "GET /cart HTTP/1.1", upstream: "http://127.0.0.1:9001/", '
    'host: "shop.example"'
)


@pytest.mark.parametrize("stripped", [False, True])
@pytest.mark.parametrize("width", [60, 72, 80, 90, 99, 100, 110, 120, 132, 150, 200])
def test_lines_that_a_terminal_broke(width: int, stripped: bool) -> None:
    pieces = [LINE[at : at + width] for at in range(0, len(LINE), width)]
    if stripped:
        pieces = [piece.rstrip() for piece in pieces]
    text = "\n".join([*pieces, "", LINE, "done"])
    explained = dict(explain_text(text))
    first, last = explained[1], explained[len(pieces) + 2]
    assert first is not None
    assert last is not None
    assert (first.errno, first.upstream, first.host) == (111, "127.0.0.1:9001", "shop.example")
    assert first.causes == last.causes
    assert all(explained[number] is None for number in range(2, len(pieces) + 1))
    assert list(explained) == list(range(1, len(pieces) + 4))


@pytest.mark.parametrize("prefix", ["", "    ", "> "])
def test_lines_that_an_editor_broke(prefix: str) -> None:
    text = "\n".join(prefix + piece for piece in textwrap.wrap(LINE, 72))
    events = [event for _, event in explain_text(text) if event is not None]
    assert [(event.errno, event.upstream) for event in events] == [(111, "127.0.0.1:9001")]


def test_message_with_newlines_is_one_event() -> None:
    text = (
        '2026/11/22 09:28:38 [error] 1#1: *43 FastCGI sent in stderr: "PHP message: PHP Fatal error:  Uncaught Error\n'
        "Stack trace:\n#0 {main}\n"
        '  thrown in /srv/fatal.php on line 1" while reading response header from upstream, client: 192.0.2.7, '
        'server: , request: "GET /fatal.php HTTP/1.1", upstream: "fastcgi://unix:/run/php.sock:", host: "lab"'
    )
    explained = list(explain_text(text))
    assert [number for number, _ in explained] == [1, 2, 3, 4]
    assert [event is None for _, event in explained] == [False, True, True, True]
    event = explained[0][1]
    assert event is not None
    assert (event.symptom, event.causes) == ("application-stderr", ())


@pytest.mark.parametrize(
    ("before", "line"),
    [
        (
            "Nov 22 09:28:09 web kernel: eth0: link up",
            "worker respawning too fast !!! i have to sleep a bit (2 seconds)...",
        ),
        (
            "2026/11/22 09:28:09 main.go:12: done",
            "Server be/s1 is DOWN, reason: Layer4 timeout, check duration: 2001ms.",
        ),
        (
            "Nov 22 09:28:09 web systemd[1]: Started a.service.",
            "nginx[9]: nginx: [emerg] bind() to [::]:80 failed (98: Address in use)",
        ),
        ("[Sun Nov 22 09:30:09 2026] [notice] caught SIGTERM, shutting down", "AH00015: Unable to open logs"),
    ],
)
def test_a_message_of_its_own_is_not_the_rest_of_another(before: str, line: str) -> None:
    alone = explain_line(line)
    assert alone is not None
    assert alone.causes
    first, second = explain_text(f"{before}\n{line}\n")
    assert first[1] is None or not first[1].causes
    assert second[1] is not None
    assert second[1].causes == alone.causes


def test_empty_lines_and_no_final_newline() -> None:
    explained = list(explain_text(f"\n\n{LINE}\n\nnothing".encode()))
    assert [(number, event is not None) for number, event in explained] == [
        (1, False),
        (2, False),
        (3, True),
        (4, False),
        (5, False),
    ]


def test_nothing() -> None:
    assert list(explain_text(b"")) == []
