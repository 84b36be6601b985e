from __future__ import annotations

import datetime as dt
import gzip
import os
import time
import zoneinfo
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.host.live.places import chrooted, needs_root
from wizard.host.live import logs
from wizard.host.live.logs import Unpacked, Window, answer_read_log
from wizard.host.live.zone import UTC, Zone, zone_of
from wizard.host.questions import LogTail, NotAnswered, ReadLog, StampKind, Why

MINUTE = 60.0


@pytest.fixture(autouse=True)
def _a_host_in_utc(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "zone_of", lambda _within: UTC)


def nginx(ago: float, text: str = "[error] 1#1: *1 connect() failed") -> str:
    return time.strftime("%Y/%m/%d %H:%M:%S ", time.gmtime(time.time() - ago)) + text + "\n"


def common(ago: float, request: str = "GET / HTTP/1.1") -> str:
    stamp = time.strftime("[%d/%b/%Y:%H:%M:%S +0000]", time.gmtime(time.time() - ago))
    return f'127.0.0.1 - - {stamp} "{request}" 502 157\n'


def tail(
    path: Path, since: float = 15 * MINUTE, stamp: StampKind = StampKind.NGINX_ERROR, most: int = 16 << 20
) -> LogTail:
    answer = answer_read_log(ReadLog(str(path), since, stamp, most))
    assert isinstance(answer, LogTail), answer
    return answer


def lines(answer: LogTail) -> list[str]:
    return answer.content.decode().splitlines(keepends=True)


def test_only_the_window_is_read(tmp_path: Path) -> None:
    log = tmp_path / "error.log"
    written = [nginx(ago * MINUTE) for ago in range(600, -1, -1)]
    log.write_text("".join(written))
    answer = tail(log)
    assert lines(answer) == written[-15:] or lines(answer) == written[-16:]
    assert answer.from_start
    assert answer.size == log.stat().st_size
    assert answer.mtime == log.stat().st_mtime


@pytest.mark.parametrize("lines_per_second", [0.01, 1, 40])
def test_windows_of_any_density_begin_in_the_right_place(tmp_path: Path, lines_per_second: float) -> None:
    log = tmp_path / "error.log"
    count = 4000
    written = [nginx((count - number) / lines_per_second) for number in range(count)]
    log.write_text("".join(written))
    since = count / lines_per_second / 3 + 0.5
    got = lines(tail(log, since))
    assert abs(len(got) - count / 3) <= max(2, 2 * lines_per_second)
    assert got == written[-len(got) :]


def test_a_log_without_anything_new_is_empty(tmp_path: Path) -> None:
    log = tmp_path / "error.log"
    log.write_text(nginx(7200) + nginx(3600))
    answer = tail(log)
    assert (answer.content, answer.from_start) == (b"", True)


def test_an_empty_log_is_empty(tmp_path: Path) -> None:
    (tmp_path / "error.log").write_text("")
    assert tail(tmp_path / "error.log").content == b""


def test_lines_without_a_stamp_belong_to_the_one_above(tmp_path: Path) -> None:
    log = tmp_path / "error.log"
    old = nginx(7200, "PHP message: old") + "  old trace\n" * 400
    new = nginx(60, "PHP message: new") + "  new trace\n" * 400
    log.write_text(old + new)
    assert tail(log).content.decode() == new


def test_a_log_without_any_stamps_is_read_from_its_end(tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    log.write_text("".join(f"line {number}\n" for number in range(10000)))
    for stamp in (StampKind.NONE, StampKind.ISO):
        answer = tail(log, stamp=stamp, most=100)
        assert lines(answer)[-1] == "line 9999\n"
        assert answer.content.startswith(b"line ")
        assert len(answer.content) <= 100
        assert not answer.from_start
        assert tail(log, stamp=stamp).from_start


def test_the_limit_cuts_older_lines_off(tmp_path: Path) -> None:
    log = tmp_path / "error.log"
    written = [nginx(10 - number / 1000) for number in range(5000)]
    log.write_text("".join(written))
    answer = tail(log, most=1000)
    assert not answer.from_start
    assert len(answer.content) <= 1000
    assert lines(answer) == written[-len(lines(answer)) :]


def test_a_line_longer_than_the_limit_is_left_out(tmp_path: Path) -> None:
    log = tmp_path / "error.log"
    log.write_text(nginx(10, "x" * 50000))
    answer = tail(log, most=1000)
    assert (answer.content, answer.from_start) == (b"", False)


def test_a_hole_of_zeros_does_no_harm(tmp_path: Path) -> None:
    log = tmp_path / "error.log"
    new = nginx(60)
    log.write_bytes(bytes(300_000) + b"\n" + new.encode())
    assert tail(log).content.endswith(new.encode())


def test_a_forged_stamp_in_the_user_name_hides_nothing(tmp_path: Path) -> None:
    log = tmp_path / "access.log"
    forged = common(60).replace(" - - ", " - [01/Jan/2001:00:00:00 +0000] ")
    written = [common(7200), *[forged] * 2000]
    log.write_text("".join(written))
    assert lines(tail(log, stamp=StampKind.COMMON)) == written[1:]


def test_stamps_in_their_own_zone_are_read_in_it(tmp_path: Path) -> None:
    zone = dt.timezone(dt.timedelta(hours=5, minutes=30))
    moments = [dt.datetime.now(zone) - dt.timedelta(minutes=ago) for ago in (60, 20, 10, 0)]
    log = tmp_path / "app.log"
    log.write_text("".join(f"{moment.isoformat()} said\n" for moment in moments))
    assert len(lines(tail(log, stamp=StampKind.ISO))) == 2
    log.write_text("".join(f'- - - [{moment:%d/%b/%Y:%H:%M:%S %z}] "GET /" 200\n' for moment in moments))
    assert len(lines(tail(log, stamp=StampKind.COMMON))) == 2


def test_stamps_without_a_zone_are_read_in_the_host_s(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kolkata = Zone(zoneinfo.ZoneInfo("Asia/Kolkata"), "Asia/Kolkata")
    monkeypatch.setattr(logs, "zone_of", lambda _within: kolkata)
    log = tmp_path / "error.log"
    moments = [dt.datetime.now(kolkata.info) - dt.timedelta(minutes=ago) for ago in (60, 20, 10, 0)]
    log.write_text("".join(f"{moment:%Y/%m/%d %H:%M:%S} [error] 1#1: x\n" for moment in moments))
    answer = tail(log)
    assert len(lines(answer)) == 2
    assert answer.utc_offset == 19800


# --- rotation -------------------------------------------------------------------------------------------------


def test_a_rotated_file_completes_the_window(tmp_path: Path) -> None:
    log = tmp_path / "error.log"
    log.write_text(nginx(60))
    (tmp_path / "error.log.1").write_text(nginx(7200) + nginx(300))
    (tmp_path / "error.log.2.gz").write_bytes(gzip.compress(nginx(400).encode()))
    answer = tail(log)
    assert lines(answer) == lines_of(tmp_path / "error.log.1")[1:] + lines_of(log)
    assert answer.from_start


def lines_of(path: Path) -> list[str]:
    return path.read_text().splitlines(keepends=True)


@pytest.mark.parametrize("suffix", [".1.gz", "-20261122.gz", "-20261122-1795472489.gz"])
def test_a_compressed_one_too(tmp_path: Path, suffix: str) -> None:
    log = tmp_path / "error.log"
    log.write_text("")
    content = nginx(7200) * 50 + nginx(300)
    packed = gzip.compress(content[:100].encode()) + gzip.compress(content[100:].encode())
    (tmp_path / f"error.log{suffix}").write_bytes(packed)
    answer = tail(log)
    assert lines(answer) == [content.splitlines(keepends=True)[-1]]
    assert answer.from_start


def test_a_compressed_file_that_is_broken_or_long_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = tmp_path / "error.log"
    log.write_text(nginx(60))
    (tmp_path / "error.log.1.gz").write_bytes(b"no gzip at all")
    assert (len(lines(tail(log))), tail(log).from_start) == (1, False)
    (tmp_path / "error.log.1.gz").write_bytes(gzip.compress(bytes(100_000)))
    monkeypatch.setattr(logs, "MAX_UNPACKED", 1000)
    assert tail(log).from_start is False


def test_a_rotated_file_from_before_the_window_is_not_read(tmp_path: Path) -> None:
    log, before = tmp_path / "error.log", tmp_path / "error.log.1"
    log.write_text(nginx(60))
    before.write_text(nginx(30, "its stamp is not looked at"))
    os.utime(before, (0, time.time() - 7200))
    assert lines(tail(log)) == lines_of(log)


def test_other_files_beside_a_log_are_no_rotated_ones(tmp_path: Path) -> None:
    log = tmp_path / "error.log"
    log.write_text(nginx(60))
    for name in ("error.log.bak", "error.log.swp", "error.log-old", "other.log.1", "error.log.12"):
        (tmp_path / name).write_text(nginx(30))
    (tmp_path / "error.log.1").mkdir()
    assert lines(tail(log)) == lines_of(log)


def test_the_limit_holds_over_both_files(tmp_path: Path) -> None:
    log = tmp_path / "error.log"
    log.write_text(nginx(60))
    (tmp_path / "error.log.1").write_text(nginx(120) * 100)
    answer = tail(log, most=500)
    assert len(answer.content) <= 500
    assert len(lines(answer)) > 1
    assert not answer.from_start


# --- what is no log -------------------------------------------------------------------------------------------


def test_what_is_no_regular_file_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    for path in (tmp_path / "fifo", Path("/dev/null")):
        answer = answer_read_log(ReadLog(str(path), 900))
        assert isinstance(answer, NotAnswered)
        assert answer.why is Why.REFUSED
    missing = answer_read_log(ReadLog(str(tmp_path / "gone"), 900))
    assert isinstance(missing, NotAnswered)
    assert missing.why is Why.MISSING


# --- properties -----------------------------------------------------------------------------------------------


@settings(max_examples=200)
@given(
    gaps=st.lists(st.integers(0, 5000), min_size=1, max_size=300),
    padding=st.lists(st.integers(0, 3000), min_size=1, max_size=20),
    cut=st.floats(0, 1),
)
def test_the_window_is_what_a_scan_of_all_lines_finds(gaps: list[int], padding: list[int], cut: float) -> None:
    moment = 1_600_000_000
    text, starts, moments = "", [], []
    for number, gap in enumerate(gaps):
        moment += gap
        starts.append(len(text))
        moments.append(moment)
        text += time.strftime("%Y/%m/%d %H:%M:%S ", time.gmtime(moment)) + "x" * padding[number % len(padding)] + "\n"
        if number % 3 == 0:
            text += "  a line below\n"
    since = moments[0] + cut * (moments[-1] - moments[0] + 2)
    expected = next((start for start, one in zip(starts, moments, strict=True) if one >= since), len(text))
    window = Window(since, StampKind.NGINX_ERROR, UTC)
    assert window.start(Unpacked(text.encode(), cut=False), len(text)) == (expected, False)


@settings(max_examples=200)
@given(content=st.binary(max_size=3000), most=st.integers(1, 4000), stamp=st.sampled_from(StampKind))
def test_any_bytes_are_searched_without_an_error(content: bytes, most: int, stamp: StampKind) -> None:
    window = Window(1_600_000_000.0, stamp, UTC)
    start, _ = window.start(Unpacked(content, cut=False), most)
    assert max(0, len(content) - most) <= start <= len(content)


# --- the zone -------------------------------------------------------------------------------------------------

BERLIN = Zone(zoneinfo.ZoneInfo("Europe/Berlin"), "Europe/Berlin")


def test_a_reading_that_comes_twice_means_the_later_moment() -> None:
    assert BERLIN.epoch(2026, 10, 25, 2, 30, 0) == dt.datetime(2026, 10, 25, 1, 30, tzinfo=dt.UTC).timestamp()
    assert BERLIN.epoch(2026, 7, 1, 12, 0, 0) == dt.datetime(2026, 7, 1, 10, 0, tzinfo=dt.UTC).timestamp()


@pytest.mark.parametrize(
    "reading", [(2026, 13, 1, 0, 0, 0), (2026, 2, 30, 0, 0, 0), (0, 1, 1, 0, 0, 0), (1, 1, 1, 0, 0, 0)]
)
def test_a_day_that_does_not_exist_is_no_moment(reading: tuple[int, int, int, int, int, int]) -> None:
    moment = BERLIN.epoch(*reading)
    assert moment is None or moment < 0


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[tuple[Path, int]]:
    (tmp_path / "etc").mkdir()
    with chrooted(tmp_path) as pid:
        yield tmp_path, pid


@needs_root
def test_a_process_in_another_root_has_the_zone_that_is_set_there(elsewhere: tuple[Path, int]) -> None:
    root, pid = elsewhere
    assert zone_of(pid).name == "UTC"
    source = next(Path(one) / "Asia/Tokyo" for one in zoneinfo.TZPATH if (Path(one) / "Asia/Tokyo").exists())
    (root / "etc/localtime").write_bytes(source.read_bytes())
    (root / "etc/timezone").write_text("Asia/Tokyo\n")
    there = zone_of(pid)
    assert (there.name, there.offset(0.0)) == ("Asia/Tokyo", 32400)
