from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.services.fakes import NOW, FakeHost
from wizard.host.questions import NotAnswered, Ran, Run, Told
from wizard.services import systemd
from wizard.services.manager import UnitCondition
from wizard.services.unitread import (
    first,
    number,
    read_blocks,
    read_environment,
    read_span,
    read_state,
    read_time,
    split_quoted,
)
from wizard.services.unitstate import UnitState

RECORDED = Path(__file__).parent / "recorded"
UTC = Told(now=NOW, boot=NOW - 3188.05, utc_offset=0, zone="UTC")


def recorded() -> dict[str, bytes]:
    text = (RECORDED / "systemd-252-show.txt").read_bytes() + b"\n" + (RECORDED / "systemd-252-loops.txt").read_bytes()
    parts = (part.partition(b"\n") for part in text.split(b"### ")[1:])
    return {name.decode().strip(): body for name, _, body in parts}


SHOWN = recorded()


def shown(name: str) -> UnitState:
    (block,) = read_blocks(SHOWN[name])
    return read_state(block, UTC)


@pytest.mark.parametrize(
    ("name", "condition"),
    [
        ("shop.service", UnitCondition.RUNNING),
        ("php8.2-fpm.service", UnitCondition.RUNNING),
        ("web@8020.service", UnitCondition.RUNNING),
        ("badmod.service", UnitCondition.FAILED_AT_START),
        ("b1.service", UnitCondition.FAILED_AT_START),
        ("b2.service", UnitCondition.FAILED_AT_START),
        ("b3.service", UnitCondition.FAILED_AT_START),
        ("b4.service", UnitCondition.FAILED_AT_START),
        ("b5.service", UnitCondition.FAILED_AT_START),
        ("b6.service", UnitCondition.FAILED_AT_START),
        ("pre.service", UnitCondition.FAILED_AT_START),
        ("segv.service", UnitCondition.FAILED_AT_START),
        ("killed.service", UnitCondition.FAILED_LATER),
        ("loop.service/waiting", UnitCondition.CRASH_LOOPING),
        ("loop.service/between", UnitCondition.CRASH_LOOPING),
        ("loopfast.service", UnitCondition.CRASH_LOOPING),
        ("starting.service", UnitCondition.STARTING),
        ("stopped.service", UnitCondition.STOPPED),
        ("cond.service", UnitCondition.STOPPED),
        ("dep.service", UnitCondition.STOPPED),
        ("echo.socket", UnitCondition.LISTENING),
        ("onceok.service", UnitCondition.EXITED),
        ("badsetting.service", UnitCondition.BAD_UNIT),
        ("masked.service", UnitCondition.MASKED),
        ("nosuch.service", UnitCondition.NOT_FOUND),
    ],
)
def test_a_recorded_unit_is_in_its_condition(name: str, condition: UnitCondition) -> None:
    state = shown(name)
    assert state.condition(state.active_since or NOW) is condition


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("b1.service", "status 203 (EXEC): its program could not be executed"),
        ("b2.service", "status 217 (USER)"),
        ("b4.service", "status 200 (CHDIR): its working directory could not be entered"),
        ("b5.service", "could not be given what it needs to start"),
        ("b6.service", "by SIGTERM: it did not finish in time"),
        ("killed.service", "by SIGKILL"),
        ("later.service", "exited after 2 s with status 7"),
        ("pre.service", "was not started, because what runs before it failed: /bin/false"),
    ],
)
def test_the_end_of_a_unit_is_told_in_words(name: str, words: str) -> None:
    assert words in shown(name).ended_words()


def test_the_values_of_a_running_unit_are_read() -> None:
    shop = shown("shop.service")
    assert shop.id == "shop.service"
    assert shop.commands == ("/usr/bin/gunicorn -w 1 --bind 127.0.0.1:8001 app:app",)
    assert shop.environment == (("SECRET_KEY", "a b"), ("PORT", "8001"), ("DEBUG", "0"), ("EXTRA", "1"))
    assert shop.environment_files == ("/etc/default/shop",)
    assert shop.working_directory == "/srv/app"
    assert shop.drop_ins == ("/etc/systemd/system/shop.service.d/override.conf",)
    assert shop.private_tmp
    assert not shop.private_network
    assert shop.memory.limit == 200 << 20
    assert shop.files_max == 4096
    assert shop.address_families == ("AF_INET", "AF_UNIX")
    assert shop.addresses_denied == ("10.9.0.0/16",)
    assert shop.control_group == "/system.slice/shop.service"
    assert shop.starts_at_boot is False
    assert shop.active_since is not None
    assert NOW - 3200 < shop.active_since < NOW


def test_a_socket_unit_tells_where_it_listens_and_what_it_starts() -> None:
    echo = shown("echo.socket")
    assert echo.listens == (("/run/echo.sock", "Stream"), ("127.0.0.1:8010", "Stream"), ("[::]:8011", "Stream"))
    assert echo.triggers == ("echo.service",)


def test_a_restart_some_time_ago_is_no_crash_loop() -> None:
    between = shown("loop.service/between")
    assert between.active_since is not None
    assert between.condition(between.active_since + 3600) is UnitCondition.RUNNING


def test_a_crash_after_a_long_life_is_told_from_a_failed_start() -> None:
    state = UnitState(
        load="loaded", active="failed", result="exit-code", exit_code=1, exit_status=1, lived=7200.0, became_active=True
    )
    assert state.condition() is UnitCondition.FAILED_LATER
    assert state.ended_words() == "exited after 2 h with status 1"


def test_the_start_limit_is_seen_where_the_result_no_longer_says_so() -> None:
    state = UnitState(load="loaded", active="failed", result="exit-code", restart="always", restarts=5)
    assert state.gave_up
    assert state.condition() is UnitCondition.CRASH_LOOPING


def test_one_call_answers_for_several_units_and_aliases() -> None:
    printed = SHOWN["shop.service"] + b"\n" + SHOWN["nosuch.service"]
    host = FakeHost(commands={("systemctl", "show"): Ran(0, printed, b"")})
    found = asyncio.run(systemd.states(host, ("shop", "nosuch.service", "--help", "a b")))
    assert not isinstance(found, NotAnswered)
    assert {name: state.load for name, state in found.items()} == {"shop": "loaded", "nosuch.service": "not-found"}
    assert [type(question) for question in host.asked].count(Run) == 1


def test_a_host_without_systemd_is_not_asked_about_units() -> None:
    assert not asyncio.run(systemd.present(FakeHost(init="tini")))
    assert asyncio.run(systemd.present(FakeHost()))


def test_an_unusable_systemctl_is_no_answer() -> None:
    said = b"System has not been booted with systemd as init system (PID 1). Can't operate.\n"
    host = FakeHost(commands={("systemctl", "show"): Ran(1, b"", said)})
    answer = asyncio.run(systemd.state(host, "shop.service"))
    assert isinstance(answer, NotAnswered)
    assert "not been booted" in answer.detail


def test_units_are_listed_from_json_and_from_words() -> None:
    listing = (RECORDED / "systemd-252-units.json").read_bytes()
    host = FakeHost(commands={("systemctl", "list-units"): Ran(0, listing, b"")})
    units = asyncio.run(systemd.list_units(host))
    assert not isinstance(units, NotAnswered)
    assert systemd.Listed("masked.service", "masked", "inactive", "dead", "masked.service") in units or len(units) > 20
    plain = FakeHost(
        commands={
            ("systemctl", "list-units"): Ran(1, b"", b"Unknown output 'json'.\n"),
            ("systemctl", "list-units", "--all", "--type=service,socket", "--plain"): Ran(
                0, b"shop.service loaded active running Shop app\nbad line\n", b""
            ),
        }
    )
    assert asyncio.run(systemd.list_units(plain)) == (
        systemd.Listed("shop.service", "loaded", "active", "running", "Shop app"),
    )


@pytest.mark.parametrize(
    ("text", "monotonic", "told", "expected"),
    [
        ("@1795470628", "", None, 1795470628.0),
        ("Sun 2026-11-22 09:34:26 UTC", "", None, 1795340066.0),
        ("Mon 2026-11-23 22:50:28 CET", "", Told(0, 0, 3600, "CET"), 1795470628.0),
        ("Mon 2026-11-23 22:50:28 CET", "2000000", Told(0, 100.0, 0, "UTC"), 102.0),
        ("n/a", "", UTC, None),
        ("", "0", UTC, None),
    ],
)
def test_timestamps_are_read_in_their_own_zone(text: str, monotonic: str, told: Told | None, expected: float) -> None:
    assert read_time(text, monotonic, told) == expected


def test_spans_and_counts_are_read() -> None:
    assert read_span("1min 30s") == 90.0
    assert read_span("100ms") == 0.1
    assert read_span("infinity") is None
    assert number("18446744073709551615") is None
    assert number("[not set]") is None


def test_quoting_is_undone() -> None:
    assert list(split_quoted("""a "b c" $'d\\ne' 'f g'h""")) == ["a", "b c", "d\ne", "f gh"]
    assert read_environment('A=1 "B=two words" C') == (("A", "1"), ("B", "two words"))


@given(st.binary(max_size=400))
def test_no_output_makes_the_reader_fail(printed: bytes) -> None:
    for block in read_blocks(printed):
        state = read_state(block, UTC)
        assert state.id == first(block, "Id")
        assert isinstance(state.condition(NOW), UnitCondition)


@given(
    st.dictionaries(
        st.sampled_from(systemd.PROPERTIES),
        st.text(alphabet=st.characters(blacklist_characters="\n"), max_size=40),
        max_size=30,
    )
)
def test_no_value_makes_the_reader_fail(values: dict[str, str]) -> None:
    printed = "\n".join(f"{key}={value}" for key, value in values.items()).encode("utf-8", "replace")
    for block in read_blocks(printed):
        assert isinstance(read_state(block, UTC).condition(NOW), UnitCondition)
