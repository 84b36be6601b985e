"""Looking at an app under test: its screen as text, waiting for a condition, and snapshots in text files.

`UPDATE_SNAPSHOTS=1` writes the snapshots anew; a reviewer then sees what changed, line by line.
"""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Awaitable, Callable
from pathlib import Path

from textual.pilot import Pilot

from wizard.tui.app import WizardApp

SNAPSHOTS = Path(__file__).with_name("snapshots")
Steps = Callable[[Pilot[None]], Awaitable[None]]
_CLOCK = re.compile(r"\d\d:\d\d:\d\d")
_TOOK = re.compile(r"(?:[\d.]+ ms|(?<=14:07:31, )[\d.]+ s) *")
_ELAPSED = re.compile(r"(?<=  )\d+ s$", re.MULTILINE)


def screen_text(app: WizardApp) -> str:
    """The characters of the screen, as a terminal would show them. The one look at something private of Textual."""
    strips = app.screen._compositor.render_strips()
    return "\n".join("".join(segment.text for segment in strip).rstrip() for strip in strips) + "\n"


def drive(app: WizardApp, steps: Steps, size: tuple[int, int] = (80, 24)) -> None:
    """Run an app without a terminal and do the steps."""

    async def run() -> None:
        async with app.run_test(size=size) as pilot:
            await steps(pilot)

    asyncio.run(run())


async def until(pilot: Pilot[None], condition: Callable[[], bool]) -> None:
    """Wait for a condition; where it does not come true the screen is shown."""
    for _ in range(300):
        await pilot.pause(0.01)
        if condition():
            return
    assert isinstance(pilot.app, WizardApp)
    raise AssertionError(f"it did not happen; the screen shows\n{screen_text(pilot.app)}")


async def shows(pilot: Pilot[None], *texts: str) -> None:
    """Wait until the screen shows texts."""
    app = pilot.app
    assert isinstance(app, WizardApp)
    await until(pilot, lambda: all(text in screen_text(app) for text in texts))


async def pressed(pilot: Pilot[None], keys: str, *texts: str) -> None:
    """Press keys one after the other, then wait for texts."""
    await pilot.press(*keys.split())
    await shows(pilot, *texts)


async def settled(pilot: Pilot[None]) -> str:
    """The screen once it stands still for a while: a scroll bar comes and goes while a layout is made."""
    app = pilot.app
    assert isinstance(app, WizardApp)
    before, same = screen_text(app), 0
    for _ in range(300):
        await pilot.pause(0.05)
        now = screen_text(app)
        same = same + 1 if now == before else 0
        before = now
        if same == 4:
            return now
    raise AssertionError(f"it does not stand still\n{before}")


def _same_width(found: re.Match[str]) -> str:
    """What was measured, as a number that is always the same, with what stands right of it in its place."""
    return "11 ms".ljust(len(found[0]))


async def compare(name: str, pilot: Pilot[None]) -> None:
    """Compare the screen with its snapshot; what is measured is replaced first."""
    text = _TOOK.sub(_same_width, _CLOCK.sub("14:07:31", await settled(pilot)))
    text = _ELAPSED.sub("0 s", text)
    text = "\n".join(line.rstrip() for line in text.split("\n"))
    path = SNAPSHOTS / f"{name}.txt"
    if os.environ.get("UPDATE_SNAPSHOTS"):
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8"), f"{name} differs"
