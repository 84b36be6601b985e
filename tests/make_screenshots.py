"""Draws the screens into screenshots/: the same bytes at every run, from a recorded incident that ships.

    .venv/bin/python -m tests.make_screenshots

The pictures hold no reference to a font on the network: any monospace font shows them.
"""

from __future__ import annotations

import asyncio
import os
import re
import sys
from pathlib import Path
from unittest.mock import patch

from textual.pilot import Pilot

from tests.tui.looking import shows
from wizard.checks.all import CHECKS
from wizard.flow.data import flows_root
from wizard.flow.folders import Source, load_library
from wizard.host.recorded import RecordedHost
from wizard.host.recording import RecordingHost
from wizard.session.file import load
from wizard.session.session import Session
from wizard.tui.app import WizardApp
from wizard.tui.doors import Doors
from wizard.walk.runner import Options, Runner
from wizard.walk.sitting import Sitting

FOLDER = Path(__file__).resolve().parents[1] / "screenshots"
INCIDENT = FOLDER.parent / "wizard" / "_incidents" / "wrong-port.jsonl.gz"
SIZES = ((80, 24), (120, 36))
_FONT_FACE = re.compile(r"\s*@font-face \{.*?\}", re.DOTALL)
_SPACE = "&#160;"
_CELL = 12.2  # the width of a cell in the pictures
_INDENTED = re.compile(
    r'(?P<class><text class="[^"]*" )x="(?P<x>[\d.]+)"(?P<y> y="[\d.]+" )textLength="(?P<length>[\d.]+)"'
    r"(?P<rest>[^>]*>)(?P<spaces>(?:&#160;)+)(?=[^&<])"
)


def picture(app: WizardApp) -> str:
    """The screen as SVG, without the fonts that it would load from the network."""
    svg = app.export_screenshot(title="gateway-wizard", simplify=True)
    svg = _FONT_FACE.sub("", svg).replace("Fira Code", "DejaVu Sans Mono")
    return _INDENTED.sub(_moved, svg)


def _moved(found: re.Match[str]) -> str:
    """A text that begins with spaces, moved instead: some programs drop them."""
    spaces = found["spaces"].count(_SPACE) * _CELL
    return f'{found["class"]}x="{float(found["x"]) + spaces:g}"{found["y"]}textLength="{float(found["length"]) - spaces:g}"{found["rest"]}'


def incident_app(session: Session) -> WizardApp:
    """The wizard on the machine of an incident, as if it were opened there at that time."""
    library = load_library(Source(flows_root()))
    host = RecordingHost(RecordedHost(session.asked))
    doors = Doors(
        lambda heard, answerer, pace: Sitting(
            host, library, CHECKS, Options(), heard=heard, answerer=answerer, pace=pace
        ),
        None,
        {},
        None,
    )
    return WizardApp(doors, environment={"TERM": "xterm-256color"})


async def draw(size: tuple[int, int], session: Session) -> dict[str, str]:
    """The pictures of one size by the names of their files."""
    app = incident_app(session)
    drawn: dict[str, str] = {}

    async def take(pilot: Pilot[None], name: str) -> None:
        await pilot.pause(0.2)
        drawn[f"{name}-{size[0]}x{size[1]}.svg"] = picture(app)

    async with app.run_test(size=size) as pilot:
        await shows(pilot, "> shop.example /")
        await take(pilot, "start")
        await pilot.press("enter")
        await shows(pilot, "The walk has ended")
        await take(pilot, "walk")
        await pilot.press("enter")
        await shows(pilot, ">Fix 1")
        await take(pilot, "diagnosis")
    return drawn


def main() -> int:
    """Draw every picture, with a clock that stands still."""
    for name in [name for name in os.environ if name == "NO_COLOR" or name.startswith(("TEXTUAL", "COLORTERM"))]:
        del os.environ[name]
    FOLDER.mkdir(exist_ok=True)
    done = Runner._done  # how long a probe took here is no part of the picture

    session = load(INCIDENT)
    now = session.started + 2.0

    with (
        patch.object(Sitting, "now", lambda _: now),
        patch.object(
            Runner, "_done", lambda self, visit, finding, numbers, at, _: done(self, visit, finding, numbers, at, 0.011)
        ),
    ):
        for size in SIZES:
            for name, svg in asyncio.run(draw(size, session)).items():
                (FOLDER / name).write_text(svg, encoding="utf-8")
                sys.stdout.write(f"screenshots/{name}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
