from __future__ import annotations

import json

from tests.checks.box import Box, found_by, server
from tests.services.fakes import NOW, listens, process
from wizard.checks.registry import Finding
from wizard.checks.words import app_log
from wizard.host.questions import NotAnswered, Ran, Why

LISTENS = [listens("127.0.0.1", 8000, 7)]
RUNS = [process(7, "/usr/bin/python3 /srv/shop.py", "shop.service")]


def journal(*lines: tuple[float, str]) -> dict[tuple[str, ...], Ran | NotAnswered]:
    rows = [
        json.dumps({"__REALTIME_TIMESTAMP": str(int(time * 1e6)), "MESSAGE": message, "_SYSTEMD_UNIT": "shop.service"})
        for time, message in reversed(lines)
    ]
    return {("journalctl",): Ran(0, "\n".join(rows).encode(), b"")}


def asked(box: Box) -> Finding:
    return found_by(app_log, server(), box)


def test_the_journal_of_the_unit_tells() -> None:
    box = Box(listening=LISTENS, processes=RUNS, commands=journal((NOW - 1, "Traceback (most recent call last):")))
    found = asked(box)
    assert found.outcome == "traceback"
    assert found.values["argv"] == ("journalctl", "-u", "shop.service", "-n", "50", "--no-pager")
    assert found.last_seen == NOW - 1


def test_what_is_older_than_the_fault_is_not_told() -> None:
    box = Box(listening=LISTENS, processes=RUNS, commands=journal((NOW - 400, "Traceback (most recent call last):")))
    assert asked(box).outcome == "quiet"


def test_a_log_that_the_process_holds_open_is_read() -> None:
    box = Box(
        listening=LISTENS,
        processes=RUNS,
        init="runit",
        logs={"/var/log/shop/error.log": "started\nMemoryError\n"},
        descriptors={7: ("socket:[1]", "/var/log/shop/access.log", "/var/log/shop/error.log")},
    )
    found = asked(box)
    assert (found.outcome, found.values["source"]) == ("out-of-memory-words", "/var/log/shop/error.log")
    assert not any("access" in repr(question) for question in box.asked)


def test_a_journal_that_is_closed_is_no_quiet_one() -> None:
    denied = NotAnswered(Why.DENIED, "no permission", grant="membership of the group systemd-journal")
    found = asked(Box(listening=LISTENS, processes=RUNS, commands={("journalctl",): denied}))
    assert found.outcome == "unknown"
    assert [gap.grant for gap in found.gaps] == ["membership of the group systemd-journal"]


def test_without_any_log_nothing_is_claimed() -> None:
    assert asked(Box(listening=LISTENS, processes=RUNS, init="runit")).outcome == "unknown"
