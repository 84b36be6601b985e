"""What became of a unit, by the lines that systemd wrote."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wizard.services.journal import JournalLine
from wizard.services.lifecycle import Became, moments

UNIT = "shop.service"
STOP = ["Stopping shop.service - Shop...", "shop.service: Deactivated successfully.", "Stopped shop.service - Shop."]
CRASH = [
    "shop.service: Main process exited, code=exited, status=1/FAILURE",
    "shop.service: Failed with result 'exit-code'.",
]
AGAIN = ["shop.service: Scheduled restart job, restart counter is at 1.", "Stopped shop.service - Shop."]
START = ["Started shop.service - Shop."]


def lines(*told: tuple[float, list[str]], unit: str = UNIT) -> list[JournalLine]:
    """What the manager said, each group of lines from a time on, a millisecond apart."""
    return [
        JournalLine(at + number / 1000, message, pid=1, unit=unit, from_manager=True)
        for at, group in told
        for number, message in enumerate(group)
    ]


def became(*told: tuple[float, list[str]]) -> list[tuple[float, Became]]:
    """The moments, with times in whole seconds."""
    return [(round(one.time), one.became) for one in moments(lines(*told))]


def test_a_stop_is_one_moment_at_its_beginning() -> None:
    assert became((100.0, STOP)) == [(100, Became.STOPPED)]


def test_a_stop_and_a_start_are_a_restart() -> None:
    assert became((100.0, [*STOP, *START])) == [(100, Became.RESTARTED)]
    assert became((100.0, STOP), (120.0, START)) == [(100, Became.RESTARTED)]
    assert became((100.0, STOP), (900.0, START)) == [(100, Became.STOPPED), (900, Became.STARTED)]


def test_a_crash_tells_how_the_process_ended() -> None:
    [one] = moments(lines((100.0, CRASH)))
    assert (one.became, one.detail) == (Became.FAILED, "exited, status=1/FAILURE")


def test_a_crash_loop_is_a_moment_for_each_round() -> None:
    told = became((100.0, [*CRASH, *AGAIN, *START]), (101.0, [*CRASH, *AGAIN, *START]), (110.0, CRASH))
    assert [word for _, word in told] == [
        Became.FAILED,
        Became.STARTED_AGAIN,
        Became.FAILED,
        Became.STARTED_AGAIN,
        Became.FAILED,
    ]


def test_systemd_restarts_after_a_pause() -> None:
    assert became((100.0, CRASH), (110.0, [*AGAIN, *START])) == [(100, Became.FAILED), (110, Became.STARTED_AGAIN)]


@pytest.mark.parametrize(
    ("said", "word"),
    [
        (["Reloading nginx.service - nginx...", "Reloaded nginx.service - nginx."], Became.RELOADED),
        (["Reload failed for nginx.service - nginx."], Became.NOT_RELOADED),
        (["Reloading nginx.service - nginx...", "nginx.service: Control process exited, code=exited, status=1/FAILURE",
          "Reload failed for nginx.service - nginx."], Became.NOT_RELOADED),
        (["Failed to start shop.service - Shop."], Became.NOT_STARTED),
        (["shop.service: Control process exited, code=exited, status=1/FAILURE", *CRASH[1:], "Failed to start Shop."],
         Became.NOT_STARTED),
        (["shop.service: Start request repeated too quickly.", *CRASH[1:], "Failed to start Shop."], Became.GAVE_UP),
        (["shop.service: A process of this unit has been killed by the OOM killer.",
          "shop.service: Main process exited, code=killed, status=9/KILL", "shop.service: Failed with result 'oom-kill'."],
         Became.OUT_OF_MEMORY),
        (["shop.service: Main process exited, code=killed, status=9/KILL", "shop.service: Failed with result 'signal'."],
         Became.FAILED),
        (["shop.service: Deactivated successfully."], Became.ENDED),
        (["shop.service: Succeeded."], Became.ENDED),
        (["Stopped Shop."], Became.STOPPED),
    ],
)  # fmt: skip
def test_the_words_of_systemd(said: list[str], word: Became) -> None:
    assert [one.became for one in moments(lines((100.0, said)))] == [word]


def test_what_a_unit_says_itself_is_no_moment() -> None:
    own = JournalLine(1.0, "Started shop.service - Shop.", pid=7, unit=UNIT)
    assert moments([own]) == ()


WORDS = [*STOP, *CRASH, *AGAIN, *START, "Reloaded Shop.", "Failed to start Shop.", "something else", "", "\x1b[2J"]


@settings(deadline=None)
@given(st.lists(st.tuples(st.floats(0, 1e6), st.sampled_from(WORDS), st.sampled_from(["a.service", "b.service"]))))
def test_any_lines_give_moments_in_order_and_within_them(told: list[tuple[float, str, str]]) -> None:
    found = moments(JournalLine(at, message, pid=1, unit=unit, from_manager=True) for at, message, unit in told)
    assert [one.time for one in found] == sorted(one.time for one in found)
    assert len(found) <= len(told)
    assert {one.time for one in found} <= {at for at, _, _ in told}
