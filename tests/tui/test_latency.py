"""A key never waits behind what is read or kept: large logs are read, and their secrets replaced, beside the screen."""

from __future__ import annotations

import asyncio
import time

from textual.pilot import Pilot

from tests.tui.fake import ERROR, FakeHost, Story, sits
from tests.tui.looking import drive, pressed, shows
from wizard.host.recording import RecordingHost
from wizard.tui.app import WizardApp
from wizard.tui.doors import Doors

PATIENCE = 0.15  # seconds of this thread's own time, twice the longest layout; reading this log takes more than 0.25
MANY = "".join(ERROR.format(second=number % 30, number=number) for number in range(30_000)).encode()


class Watch:
    """The longest time that the loop was busy with one thing."""

    def __init__(self) -> None:
        self.longest = 0.0

    async def run(self) -> None:
        last = time.thread_time()
        while True:
            await asyncio.sleep(0)
            now = time.thread_time()
            self.longest = max(self.longest, now - last)
            last = now


def test_a_large_log_does_not_hold_a_key_up() -> None:
    host = RecordingHost(FakeHost(log=MANY))
    app = WizardApp(Doors(sits(host, Story())), environment={"TERM": "xterm-256color"})
    watch = Watch()

    async def steps(pilot: Pilot[None]) -> None:
        watching = asyncio.create_task(watch.run())
        await shows(pilot, "> shop.example /cart")
        await pressed(pilot, "enter", "The walk has ended")
        await pressed(pilot, "home", "> 1 ok")
        watching.cancel()

    drive(app, steps)
    assert watch.longest < PATIENCE
