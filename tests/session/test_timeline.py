"""What changed before the first error: chosen, ordered, bounded, and safe to show."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.recorded.cases import CASES, Case
from tests.session.making import A, server, step, subjects
from wizard.checks.registry import Gap, checks
from wizard.commands.sessions import report_of
from wizard.host.port import Reply
from wizard.host.questions import (
    Clock,
    DirList,
    FileRead,
    FilesRead,
    FileStat,
    ListDir,
    Listening,
    LogTail,
    Process,
    Processes,
    ProcessTable,
    Ran,
    ReadFile,
    ReadGlob,
    ReadLog,
    Run,
    Sockets,
    SocketTable,
    StampKind,
    Stat,
    Told,
)
from wizard.logs.bursts import Burst, Counts
from wizard.session.build import build
from wizard.session.compare import compared
from wizard.session.events import Event, Recalled, Started
from wizard.session.file import load
from wizard.session.past.scene import Kind
from wizard.session.print_html import html
from wizard.session.print_markdown import markdown
from wizard.session.print_text import text
from wizard.session.session import Session
from wizard.session.timeline import DAY, MOST, Timeline, timeline
from wizard.text import visible

NOW = 1_795_700_000.0
UNIT = "shop.service"
CONFIG = "/etc/nginx/sites-enabled/shop"


def journal(*lines: tuple[float, str], unit: str = UNIT) -> tuple[Run, Ran]:
    """What journalctl prints about a unit: the manager's lines, newest first."""
    entries = [
        {"__REALTIME_TIMESTAMP": str(int(at * 1e6)), "MESSAGE": message, "UNIT": unit, "_PID": "1"}
        for at, message in sorted(lines, reverse=True)
    ]
    return Run(("journalctl", "-u", unit)), Ran(0, "\n".join(map(json.dumps, entries)).encode(), b"")


def kernel(at: float, group: str) -> tuple[Run, Ran]:
    """The kernel's line about a kill at the limit of a control group."""
    message = f"oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),task_memcg={group},task=python3,pid=7,uid=33"
    entry = {"__REALTIME_TIMESTAMP": str(int(at * 1e6)), "MESSAGE": message, "_TRANSPORT": "kernel"}
    return Run(("journalctl", "-k")), Ran(0, json.dumps(entry).encode(), b"")


def burst(first: float, last: float | None = None, *, count: int = 1, symptom: str = "connect-refused") -> Burst:
    """Failures to connect to the first server."""
    end = first if last is None else last
    return Burst(symptom, "Refused.", A, 111, "shop.example", ("upstream-service-stopped",), count, first, end)


def read(path: str, mtime: float) -> tuple[ReadFile, FileRead]:
    """A file that was read."""
    return ReadFile(path), FileRead(path, b"", path, mtime)


def clock(boot: float = NOW - 40 * DAY, offset: int = 0) -> tuple[Clock, Told]:
    """The host's clock."""
    return Clock(), Told(NOW, boot, offset, "CET" if offset else "UTC")


def session(*asked: tuple[Any, Any], recalled: Recalled | None = None, events: Sequence[Event] = ()) -> Session:
    """A session in which these were asked, and the walk began now."""
    replies = tuple(Reply(n, question, answer, NOW, 0.0) for n, (question, answer) in enumerate(asked, 1))
    more = (recalled,) if recalled is not None else ()
    began = Started(NOW, "http://shop.example/", "walk", 900.0, "0")
    return Session("s", NOW, "0", asked=replies, events=(began, *subjects(), *events, *more))


def told(found: Timeline) -> list[str]:
    """The moments in words."""
    return [one.what for one in found.moments]


STOPPED = Recalled(
    NOW, units=(UNIT,), bursts=(burst(NOW - 60, NOW - 2, count=341),), counts=Counts(NOW - 900, NOW, (1,))
)


def test_a_stopped_service_stands_before_the_first_error() -> None:
    found = timeline(session(clock(), journal((NOW - 61.5, "Stopping shop.service - Shop...")), recalled=STOPPED))
    assert told(found) == [
        "shop.service stopped",
        f"first of 341 'connect refused' from {A}",
        f"last of 341 'connect refused' from {A}",
    ]
    assert found.first_error == 1
    assert found.moments[0].source == "systemd journal"


def test_what_counts_whole_seconds_comes_last_within_its_second() -> None:
    errors = Recalled(NOW, units=(UNIT,), bursts=(burst(NOW - 60),), counts=Counts(0, 1))
    found = timeline(session(clock(), journal((NOW - 59.5, "Stopping shop.service.")), recalled=errors))
    assert [one.kind for one in found.moments] == [Kind.UNIT, Kind.ERROR]


def test_a_file_of_the_route_is_told_and_another_is_not() -> None:
    asked = (clock(), read(CONFIG, NOW - 100), read("/etc/nginx/sites-enabled/other", NOW - 90))
    found = timeline(session(*asked, recalled=msgspec.structs.replace(STOPPED, files=(CONFIG,))))
    assert told(found)[0] == f"{CONFIG} changed"
    assert not any("other" in one for one in told(found))


def test_only_the_day_before_the_first_error_counts() -> None:
    asked = (clock(), read(CONFIG, NOW - 60 - DAY - 1))
    assert not any(CONFIG in one for one in told(timeline(session(*asked, recalled=STOPPED))))
    asked = (clock(boot=NOW - 70), read(CONFIG, NOW - 60 - DAY + 1))
    assert told(timeline(session(*asked, recalled=STOPPED)))[:2] == [f"{CONFIG} changed", "the host booted"]


def test_a_kill_counts_where_the_unit_shows_a_trace_of_it() -> None:
    kill = kernel(NOW - 70, f"/system.slice/{UNIT}")
    trace = journal((NOW - 69.9, "shop.service: A process of this unit has been killed by the OOM killer."))
    felt = timeline(session(clock(), kill, trace, recalled=STOPPED))
    assert told(felt)[0] == "the kernel killed python3 of shop.service: its memory limit was reached"
    assert told(felt)[1] == "shop.service lost a process to the OOM killer"
    assert "the kernel" not in " ".join(told(timeline(session(clock(), kill, recalled=STOPPED))))


def test_a_certificate_a_deploy_and_a_package_are_told() -> None:
    dpkg = "2026-11-26 14:39:25 upgrade nginx:amd64 1.22.1-9 1.22.1-9+deb12u1\n"
    at = 1795703965.0
    folder = DirList(
        "/opt/shop", tuple(FileStat(f"/opt/shop/{n}.py", "file", 0o644, 0, 0, 1, at + n, n) for n in range(5))
    )
    asked = (
        clock(),
        (Stat("/etc/ssl/shop.crt"), FileStat("/etc/ssl/shop.crt", "file", 0o644, 0, 0, 1, at + 60, 9)),
        (ListDir("/opt/shop", 200), folder),
        (
            ReadLog("/var/log/dpkg.log", DAY, StampKind.ISO, 1 << 16),
            LogTail("/var/log/dpkg.log", dpkg.encode(), len(dpkg), at, from_start=True),
        ),
    )
    recalled = Recalled(
        at,
        certificates=("/etc/ssl/shop.crt",),
        application=("/opt/shop",),
        bursts=(burst(at + 90),),
        counts=Counts(0, 1),
    )
    made = session(*asked, recalled=recalled)
    made = msgspec.structs.replace(
        made, started=at + 100, events=(Started(at + 100, None, "walk", 900, "0"), *made.events[1:])
    )
    assert told(timeline(made)) == [
        "nginx upgraded from 1.22.1-9 to 1.22.1-9+deb12u1",
        "5 files below /opt/shop changed: 4.py, 3.py, 2.py",
        "certificate /etc/ssl/shop.crt changed",
        f"the only 'connect refused' from {A}",
    ]


def test_a_program_that_no_unit_runs_has_a_start() -> None:
    listening = (Listening("inet", "127.0.0.1", 8000, pids=(7, 8)), Listening("inet", "127.0.0.1", 9, pids=(9,)))
    processes = tuple(Process(pid, 1, "ruby", ("ruby",), 33, 33, NOW - 90 + pid, "S") for pid in (7, 8, 9))
    tables = ((Sockets(), SocketTable(listening, owners_complete=True)), (Processes(), ProcessTable(processes)))
    assert told(timeline(session(clock(), *tables, recalled=STOPPED)))[0] == "ruby (pid 7) started"
    inside = tuple(msgspec.structs.replace(one, cgroup="/system.slice/x.service") for one in processes)
    tables = (tables[0], (Processes(), ProcessTable(inside)))
    assert not any("started" in one for one in told(timeline(session(clock(), *tables, recalled=STOPPED))))


def test_a_pool_of_php_that_names_the_server_is_told() -> None:
    pools = tuple(
        FileRead(f"/etc/php/8.2/fpm/pool.d/{name}.conf", b"listen = " + where.encode(), "", NOW - 70)
        for name, where in (("shop", A), ("other", "/run/php/other.sock"))
    )
    asked = (clock(), (ReadGlob("/etc/php/*/fpm/pool.d/*.conf"), FilesRead(pools)))
    found = told(timeline(session(*asked, recalled=STOPPED)))
    assert found[0] == "/etc/php/8.2/fpm/pool.d/shop.conf changed"
    assert not any("other.conf" in one for one in found)


def test_a_release_that_a_link_was_turned_to_is_told() -> None:
    link = FileStat("/srv/shop/current", "link", 0o777, 0, 0, 11, NOW - 70, 1, target="releases/42")
    asked = (clock(), (Stat(link.path, follow=False), link), (ListDir(link.path, 200), DirList(link.path, ())))
    found = timeline(session(*asked, recalled=msgspec.structs.replace(STOPPED, application=(link.path,))))
    assert told(found)[0] == "/srv/shop/current was made to lead to releases/42"


def test_the_rounds_of_a_loop_are_one_line() -> None:
    crash = [
        "shop.service: Main process exited, code=exited, status=1/FAILURE",
        "shop.service: Failed with result 'x'.",
    ]
    lines = [(NOW - 60 + 6 * n + m / 10, message) for n in range(8) for m, message in enumerate(crash)]
    found = told(timeline(session(clock(), journal(*lines), recalled=STOPPED)))
    assert [one for one in found if UNIT in one] == ["shop.service failed (exited, status=1/FAILURE) (8 times)"]


def test_the_failure_that_the_cause_explains_is_the_first_error() -> None:
    other = msgspec.structs.replace(burst(NOW - 30, NOW - 1, symptom="response-timeout"), causes=("upstream-hung",))
    recalled = Recalled(NOW, bursts=(burst(NOW - 60), other), counts=Counts(0, 1))
    for cause, symptom in (("upstream-hung", "response timeout"), ("upstream-service-stopped", "connect refused")):
        found = timeline(session(clock(), recalled=recalled), [cause])
        assert found.first_error is not None
        assert symptom in found.moments[found.first_error].what


def test_a_consequence_is_not_where_it_began() -> None:
    late = burst(NOW - 10, NOW - 1, symptom="no-live-upstreams")
    found = timeline(session(clock(), recalled=Recalled(NOW, bursts=(burst(NOW - 60), late), counts=Counts(0, 1))))
    assert found.first_error == 0


def test_without_an_error_in_the_log_what_the_walk_met_counts() -> None:
    met = step("request", "http://shop.example/", "bad-gateway", status=502)
    found = timeline(session(clock(), events=(msgspec.structs.replace(met, at=NOW + 0.2),)))
    assert (told(found), found.first_error) == (["this walk met 502"], 0)


def test_a_gateway_that_gives_no_answer_is_met_too() -> None:
    refused = step("request", "http://shop.example/", "refused")
    fine = step("request", "http://shop.example/", "ok", status=200)
    assert told(timeline(session(clock(), events=(msgspec.structs.replace(refused, at=NOW),)))) == [
        "this walk got no answer"
    ]
    assert told(timeline(session(clock(), events=(msgspec.structs.replace(fine, at=NOW),)))) == []


def test_the_times_of_the_report_are_those_of_the_host() -> None:
    report = report_of(session(clock(offset=3600), journal((NOW - 61.5, "Stopping shop.service.")), recalled=STOPPED))
    assert [one.at for one in report.timeline][:2] == ["2026-11-26T14:32:18+01:00", "2026-11-26T14:32:20+01:00"]
    assert [one.first_error for one in report.timeline] == [False, True, False]


def test_a_walk_that_took_no_route_has_none() -> None:
    assert timeline(Session("s", NOW, "0")) == Timeline()


def test_what_could_not_be_read_is_said_only_where_something_is_wrong() -> None:
    gap = "the journal of shop.service"
    recalled = msgspec.structs.replace(STOPPED, gaps=(step_gap(gap),))
    quiet = session(clock(), recalled=recalled, events=(step("request", "http://shop.example/", "ok"),))
    wrong = session(
        clock(), recalled=recalled, events=(step("request", "http://shop.example/", "bad-gateway", status=502),)
    )
    assert gap not in [one.what for one in report_of(quiet).not_checked]
    assert gap in [one.what for one in report_of(wrong).not_checked]


def step_gap(what: str) -> Gap:
    """Something that could not be read."""
    return Gap(what, "not permitted", "membership of the group systemd-journal")


def test_two_walks_are_compared_by_what_changed_between_them() -> None:
    asked = (clock(), journal((NOW + 5, "Stopping shop.service.")))
    first = report_of(session(clock()))
    later = session(*asked, recalled=Recalled(NOW, units=(UNIT,), bursts=(burst(NOW + 6),), counts=Counts(0, 1)))
    later = msgspec.structs.replace(later, events=(Started(NOW + 60, None, "walk", 900, "0"), *later.events[1:]))
    assert "between   13:33:25  shop.service stopped (systemd journal)\n" in compared(first, report_of(later))
    assert "between" not in compared(first, first)


# --- printed ----------------------------------------------------------------------------------------------------


def test_the_text_shows_a_few_lines_around_the_first_error() -> None:
    lines = [
        (NOW - 600 + 60 * n, message) for n, message in enumerate(["Reloaded x.", "Stopping x.", "Started x."] * 3)
    ]
    failing = step("request", "http://shop.example/", "bad-gateway", status=502)
    asked = (clock(), journal(*lines, unit="nginx.service"), journal((NOW - 61.5, "Stopping shop.service.")))
    events = (*with_unit("nginx.service"), failing)
    printed = text(report_of(session(*asked, recalled=STOPPED, events=events)))
    shown = printed[printed.index("\nbefore") + 1 :].split("\n\n")[0].rstrip().split("\n")
    assert 3 <= len(shown) <= 6
    assert shown[-1].startswith("the error")
    assert "shop.service stopped" in shown[-2]


def with_unit(unit: str) -> tuple[Event, ...]:
    """The step that names a unit of the path."""
    return (step("service", server(), "running", unit=unit, because="", ended="", said="", restarts=0),)


def test_the_text_is_calm_where_nothing_is_known_to_have_changed() -> None:
    failing = step("request", "http://shop.example/", "bad-gateway", status=502)
    assert "\nthe error" not in text(report_of(session(clock(), recalled=STOPPED, events=(failing,))))


def test_a_ticket_holds_the_whole_of_it() -> None:
    report = report_of(load(CASES["import-error"].session))
    assert "## Timeline" in markdown(report)
    assert "<h2>Timeline</h2>" in html(report)
    for part in report.timeline:
        assert part.source in markdown(report)
    [error] = [part for part in report.timeline if part.first_error]
    assert A in error.what
    assert f"**first error: {error.what}**" in markdown(report)


# --- any session ------------------------------------------------------------------------------------------------

HOSTILE = st.text(st.characters(codec=None, categories=None), max_size=30) | st.sampled_from(
    ["\x1b]0;x\x07", "[red]x[/]", "a\nb", "\u202edoc", "Started x", "Stopping x", "Failed with result 'oom-kill'."]
)
TIMES = st.floats(NOW - 2 * DAY, NOW + 10)
BURSTS = st.builds(
    burst,
    TIMES,
    st.none(),
    count=st.integers(1, 10**6),
    symptom=st.sampled_from(["connect-refused", "no-live-upstreams"]),
)


@settings(deadline=None)
@given(
    st.lists(st.tuples(TIMES, HOSTILE), max_size=60),
    st.lists(BURSTS, max_size=24),
    st.lists(st.tuples(HOSTILE, TIMES), max_size=20),
    st.integers(-50000, 50000),
)
def test_any_session_gives_a_timeline_in_order_and_within_its_bounds(
    lines: list[tuple[float, str]], failures: list[Burst], files: list[tuple[str, float]], offset: int
) -> None:
    paths = tuple(f"/etc/{name}" for name, _ in files)
    recalled = Recalled(NOW, units=(UNIT,), files=paths, bursts=tuple(failures), counts=Counts(0, 1))
    reads = [read(f"/etc/{name}", at) for name, at in files]
    made = session(clock(offset=offset), journal(*lines), *reads, recalled=recalled)
    report = build(made, (), checks())
    times = [datetime.fromisoformat(one.at) for one in report.timeline]
    assert times == sorted(times)
    assert len(times) <= MOST
    assert sum(one.first_error for one in report.timeline) == any(one.first <= NOW + 5 for one in failures)
    for one in report.timeline:
        assert one.what == visible(one.what)
        assert "\n" not in one.what
    assert timeline(made) == timeline(made)


@pytest.mark.parametrize("case", CASES.values(), ids=list(CASES))
def test_a_recorded_fault_has_its_past_in_order(case: Case) -> None:
    report = report_of(load(case.session))
    times = [datetime.fromisoformat(one.at) for one in report.timeline]
    assert times == sorted(times)
    assert any(one.first_error for one in report.timeline) != case.healthy


@pytest.mark.parametrize(
    ("name", "before"),
    [
        ("import-error", "shop.service failed (exited, status=1/FAILURE)"),
        ("is-over", "shop.service restarted"),
        ("wrong-port", "/etc/systemd/system/shop.service changed"),
        ("timeout-too-short", "/etc/nginx/sites-enabled/shop changed"),
    ],
)
def test_an_old_recording_tells_what_its_answers_hold(name: str, before: str) -> None:
    found = timeline(load(CASES[name].session))
    assert before in [one.what for one in found.before]
