"""The rule of the screens, on a real fault: at 80x24, Enter, Enter, and the right diagnosis stands there."""

from __future__ import annotations

import importlib

import pytest

from tests.lab.guest import until
from tests.lab.scenario import SCENARIOS
from tests.lab.stage import COMMAND, break_it, healthy, request

importlib.import_module("tests.lab.scenarios.service")

pytestmark = pytest.mark.lab
TMUX = "tmux -S /tmp/screen -f /dev/null"


def test_enter_enter_and_the_diagnosis_stands_there() -> None:
    told = SCENARIOS["service.stopped"]
    with healthy(told) as (guest, story):
        break_it(story)
        assert request(guest, told) == 502

        def screen() -> str:
            return guest.run(f"{TMUX} capture-pane -p", check=False).out

        guest.run(f"{TMUX} new-session -d -x 80 -y 24 '{COMMAND}; sleep 60'")
        try:
            assert until(lambda: "> shop.example" in screen(), seconds=30, every=0.3), screen()
            guest.run(f"{TMUX} send-keys Enter Enter")
            assert until(lambda: "upstream-service-stopped" in screen(), seconds=30, every=0.3), screen()
            shown = screen()
        finally:
            guest.run(f"{TMUX} kill-server", check=False)
    assert "CONFIRMED  shop.service is stopped" in shown
    assert "systemctl start shop.service" in shown
