"""The way of an emergency with the real program on a terminal: from Start to a repair that the wizard sees to work."""

from __future__ import annotations

import importlib

import pytest

from tests.lab.scenario import SCENARIOS
from tests.lab.screen import wizard
from tests.lab.stage import break_it, healthy, request

for module in ("service", "port", "socket", "dns", "firewall", "tls", "http", "gateway"):
    importlib.import_module(f"tests.lab.scenarios.{module}")

pytestmark = pytest.mark.lab

# One fault of each kind that commands repair.
REPAIRED = (
    "service.stopped",
    "service.user_does_not_exist",
    "port.service_moved",
    "socket.root_only",
    "socket.php_upgraded_without_manager",
    "dns.moved_in_hosts",
    "firewall.output_drop",
    "tls.name_not_set",
    "http.cookie_too_big",
    "http.timeout_lowered",
    "gateway.edited_and_not_reloaded_without_manager",
    "gateway.stopped_without_manager",
)
FIRST_TIME = (("port.killed", (80, 24)), ("dns.misspelt", (140, 40)), ("tls.expired", (80, 24)))


@pytest.mark.parametrize("name", REPAIRED)
def test_from_start_to_a_repair_that_is_seen_to_work(name: str) -> None:
    told = SCENARIOS[name]
    with healthy(told) as (guest, story):
        break_it(story)
        assert request(guest, told) in told.status
        with wizard(guest) as screen:
            screen.shows("> ", "shop.exam")
            screen.keys("Enter", "Enter")
            screen.shows(told.cause, ">Fix 1")
            report = screen.saved_report()
            assert report["causes"][0]["id"] == told.cause
            fixes = [one["run"] for one in report["causes"][0]["commands"] if one["stage"] == "fix"]
            assert fixes
            screen.keys("'!'")
            screen.shows("This is your own shell", "#")
            for number, fix in enumerate(fixes):
                screen.types(f"{fix} && echo done {number} done")
                screen.shows(f"\ndone {number} done")
            screen.types("exit")
            after = screen.shows("The request succeeds", "before", "after", "Survives")
            assert f"{told.cause} is no longer" in " ".join(after.split()), after
            again = screen.saved_report(again=True)
            assert again["causes"] == []
            assert again["after"]["changes"][0]["after_state"] == "ok"
            assert 200 <= request(guest, told) < 400


@pytest.mark.parametrize(("name", "size"), FIRST_TIME)
def test_enter_alone_leads_to_the_right_diagnosis(name: str, size: tuple[int, int]) -> None:
    told = SCENARIOS[name]
    with healthy(told) as (guest, story):
        break_it(story)
        assert request(guest, told) in told.status
        with wizard(guest, size) as screen:
            screen.shows("> shop.exam")
            screen.keys("Enter")
            screen.shows("The walk has ended. Enter opens the diagnosis.")
            screen.keys("Enter")
            shown = screen.shows("CONFIRMED", told.cause)
            assert all(key in shown for key in ("c copy", "v check again", "e report", "? help")), shown
