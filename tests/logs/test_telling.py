from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wizard.logs.telling import BURST, Said, Tale, chief, said_in

AT = 1795471553.0
NEAR = 45.0


@pytest.mark.parametrize(
    ("line", "tale"),
    [
        ("[2026-11-23 09:10:02 +0000] [812] [CRITICAL] WORKER TIMEOUT (pid:815)", Tale.WORKER_TIMEOUT),
        (
            (
                "[23-Nov-2026 09:10:02] WARNING: [pool www] child 41, script '/srv/a.php' (request: \"GET /a.php\") "
                "execution timed out (1.2 sec), terminating"
            ),
            Tale.WORKER_TIMEOUT,
        ),
        ("*** HARAKIRI ON WORKER 1 (pid: 77, try: 1) ***", Tale.WORKER_TIMEOUT),
        (
            "[23-Nov-2026 09:10:02] WARNING: [pool www] server reached pm.max_children setting (5), consider raising it",
            Tale.MAX_WORKERS,
        ),
        (
            "[23-Nov-2026 09:10:02] ERROR: Connection disallowed: IP address '10.0.0.9' has been dropped.",
            Tale.CONNECTION_DISALLOWED,
        ),
        (
            "[23-Nov-2026 09:10:02] WARNING: [pool www] child 41 exited on signal 11 (SIGSEGV) after 3.1 seconds from start",
            Tale.WORKER_SIGNAL,
        ),
        ("shop.service: Main process exited, code=dumped, status=11/SEGV", Tale.WORKER_SIGNAL),
        ("Traceback (most recent call last):", Tale.TRACEBACK),
        ("RuntimeError: can't start new thread", Tale.NO_MORE_TASKS),
        ("OSError: [Errno 24] Too many open files", Tale.TOO_MANY_FILES),
        ("OSError: [Errno 28] No space left on device: '/srv/sessions/one'", Tale.NO_SPACE),
        ("Error: ENOSPC: no space left on device, write", Tale.NO_SPACE),
        ("Error: connect ECONNREFUSED 127.0.0.1:5432", Tale.CANNOT_CONNECT),
        ("java.lang.OutOfMemoryError: Java heap space", Tale.OUT_OF_MEMORY),
    ],
)
def test_a_line_tells(line: str, tale: Tale) -> None:
    assert [one.tale for one in said_in([(line, AT)])] == [tale]


@pytest.mark.parametrize(
    "line",
    [
        "[23-Nov-2026 09:10:02] NOTICE: fpm is running, pid 40",
        "[23-Nov-2026 09:10:02] WARNING: [pool www] child 41 exited on signal 15 (SIGTERM) after 3.1 seconds from start",
        "09:10:02 GET /cart HTTP/1.0",
        "shop.service: Deactivated successfully.",
        "the error page was updated, no exception",
        "",
    ],
)
def test_a_line_that_tells_nothing(line: str) -> None:
    assert said_in([(line, AT)]) == ()


def test_a_line_without_a_stamp_has_the_time_of_the_one_above() -> None:
    lines = [("[2026-11-23 09:10:02 +0000] [8] [ERROR] Error handling request /cart", None), ("MemoryError", None)]
    times = [one.time for one in said_in(lines)]
    assert times[0] is not None
    assert times == [times[0]] * 2


def test_the_deadline_counts_before_what_follows_from_it() -> None:
    said = [
        Said(Tale.WORKER_TIMEOUT, "WORKER TIMEOUT", AT),
        Said(Tale.TRACEBACK, "Traceback", AT),
        Said(Tale.WORKER_KILLED, "SIGKILL", AT + 1),
    ]
    found = chief(said, [AT + 1], NEAR)
    assert found is not None
    assert (found[0].tale, found[1]) == (Tale.WORKER_TIMEOUT, 1)


def test_what_was_said_at_another_time_is_another_story() -> None:
    assert chief([Said(Tale.TRACEBACK, "Traceback", AT - 2 * NEAR)], [AT], NEAR) is None
    assert chief([Said(Tale.TRACEBACK, "Traceback")], [AT], NEAR) is None


def test_what_is_said_once_and_lasts_may_be_older() -> None:
    found = chief([Said(Tale.MAX_WORKERS, "reached", AT - 600)], [AT], NEAR)
    assert found is not None
    assert found[0].tale is Tale.MAX_WORKERS


def test_an_older_burst_does_not_outrank_the_newest() -> None:
    said = [Said(Tale.TOO_MANY_FILES, "EMFILE", AT - BURST - 10), Said(Tale.TRACEBACK, "Traceback", AT)]
    found = chief(said, [AT], NEAR)
    assert found is not None
    assert found[0].tale is Tale.TRACEBACK


@given(st.lists(st.tuples(st.text(max_size=300), st.none() | st.floats(0, 2e9)), max_size=20))
def test_any_text_is_read(lines: list[tuple[str, float | None]]) -> None:
    said = said_in(lines)
    assert len(said) <= len(lines)
    assert all(one.line == one.line.strip() for one in said)
