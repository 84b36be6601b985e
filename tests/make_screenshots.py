"""Draws the screens into screenshots/: the same bytes at every run, from recorded incidents that ship.

    .venv/bin/python -m tests.make_screenshots

The pictures hold no reference to a font on the network: any monospace font shows them. A test compares the SVGs with
the screens; the PNGs are made of them, where rsvg-convert (Debian: librsvg2-bin, fonts-dejavu-core) is there.
"""

from __future__ import annotations

import asyncio
import io
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

from PIL import Image
from textual.events import Paste
from textual.pilot import Pilot

from tests.tui.looking import pressed, settled, shows
from wizard.checks.all import CHECKS
from wizard.checks.registry import Finding
from wizard.flow.data import flows_root
from wizard.flow.engine import Visit
from wizard.flow.folders import Source, load_library
from wizard.host.recorded import RecordedHost
from wizard.host.recording import RecordingHost
from wizard.session.file import load
from wizard.session.session import Session
from wizard.tui.app import WizardApp
from wizard.tui.doors import Doors
from wizard.tui.driver import Driver
from wizard.walk.runner import Options, Runner
from wizard.walk.sitting import Sitting

FOLDER = Path(__file__).resolve().parents[1] / "screenshots"
INCIDENTS = FOLDER.parent / "wizard" / "_incidents"
BROKEN, REPAIRED = "wrong-port.jsonl.gz", "repaired.jsonl.gz"
SIZES = ((80, 24), (120, 36))
PASTED = """\
2026/11/23 14:07:31 [error] 813#813: *1 connect() failed (111: Connection refused) while connecting to upstream, \
client: 198.51.100.7, server: shop.example, request: "GET / HTTP/1.1", upstream: "http://127.0.0.1:8000/", \
host: "shop.example"
web-03 kernel: [86400.1] Out of memory: Killed process 4410 (gunicorn) total-vm:2097152kB, anon-rss:1048576kB
2026/11/23 14:08:02 [error] 813#813: *9 upstream timed out (110: Connection timed out) while reading response header \
from upstream, client: 198.51.100.7, server: shop.example, request: "GET /report HTTP/1.1", \
upstream: "http://127.0.0.1:8000/report", host: "shop.example"
"""
_LEAKS = ("TEXTUAL", "COLORTERM")
_COLOURS = 32
_FONT_SIZE = "20.26px"  # at which a character of DejaVu Sans Mono is as wide as a cell; not every program stretches it
_FONT_FACE = re.compile(r"\s*@font-face \{.*?\}", re.DOTALL)
_SPACE = "&#160;"
_CELL = 12.2  # the width of a cell in the pictures
_INDENTED = re.compile(
    r'(?P<class><text class="[^"]*" )x="(?P<x>[\d.]+)"(?P<y> y="[\d.]+" )textLength="(?P<length>[\d.]+)"'
    r"(?P<rest>[^>]*>)(?P<spaces>(?:&#160;)+)(?!&#160;|<)"
)


def picture(app: WizardApp) -> str:
    """The screen as SVG, without the fonts that it would load from the network."""
    svg = app.export_screenshot(title="gateway-wizard", simplify=True)
    svg = (
        _FONT_FACE.sub("", svg)
        .replace("Fira Code", "DejaVu Sans Mono")
        .replace("font-size: 20px", f"font-size: {_FONT_SIZE}")
    )
    return _INDENTED.sub(_moved, svg)


def _moved(found: re.Match[str]) -> str:
    """A text that begins with spaces, moved instead: some programs drop them."""
    spaces = found["spaces"].count(_SPACE) * _CELL
    return f'{found["class"]}x="{float(found["x"]) + spaces:g}"{found["y"]}textLength="{float(found["length"]) - spaces:g}"{found["rest"]}'


def incident_app(session: Session, *, replayed: bool = False) -> WizardApp:
    """The wizard on the machine of an incident, as if it were opened there at that time; or on its recording."""
    library = load_library(Source(flows_root()))
    host = RecordingHost(RecordedHost(session.asked))
    doors = Doors(
        lambda heard, answerer, pace: Sitting(
            host,
            library,
            CHECKS,
            Options(),
            replayed=session if replayed else None,
            heard=heard,
            answerer=answerer,
            pace=pace,
        ),
    )
    return WizardApp(doors, environment={"TERM": "xterm-256color"})


async def draw(size: tuple[int, int]) -> dict[str, str]:
    """The pictures of one size by the names of their files, without an ending."""
    drawn: dict[str, str] = {}

    async def take(pilot: Pilot[None], name: str) -> None:
        await settled(pilot)
        app = pilot.app
        assert isinstance(app, WizardApp)
        drawn[f"{name}-{size[0]}x{size[1]}"] = picture(app)

    async def emergency(pilot: Pilot[None]) -> None:
        await shows(pilot, "> shop.example /")
        await take(pilot, "start")
        await pressed(pilot, "p", "Paste log lines here")
        pilot.app.post_message(Paste(PASTED))
        await shows(pilot, "while connecting to upstream")
        await pressed(pilot, "f2", "walk it")
        await take(pilot, "explain")
        await pressed(pilot, "escape", "> shop.example /")
        await pressed(pilot, "enter", "The walk has ended")
        await take(pilot, "walk")
        await pressed(pilot, "enter", ">Fix 1")
        await take(pilot, "diagnosis")
        for key, text, name in (
            ("question_mark", "Keys", "help"),
            ("a", "upstream-wrong-port", "article"),
            ("1", "Evidence for 1", "evidence"),
            ("t", "What happened before the first error", "timeline"),
            ("l", "about this path", "logs"),
        ):
            await pressed(pilot, key, text)
            await take(pilot, name)
            await pressed(pilot, "escape", ">Fix 1")

    async def repaired(pilot: Pilot[None]) -> None:
        await shows(pilot, "The walk has ended")
        await pressed(pilot, "enter", ">Fix 1")
        await pressed(pilot, "v", "The request succeeds now")
        await take(pilot, "after")

    for incident, replayed, steps in ((BROKEN, False, emergency), (REPAIRED, True, repaired)):
        session = load(INCIDENTS / incident)
        with _clock_that_stands_still(session):
            app = incident_app(session, replayed=replayed)
            async with app.run_test(size=size) as pilot:
                await steps(pilot)
    return drawn


@contextmanager
def _clock_that_stands_still(session: Session) -> Iterator[None]:
    """How long a probe took here, and when the picture is drawn, is no part of the picture."""
    done, now = Runner._done, Sitting.now

    def at_the_time(sitting: Sitting) -> float:
        return now(sitting) if sitting.replayed is not None else session.started + 2.0

    def in_eleven_milliseconds(
        runner: Runner, visit: Visit, finding: Finding, numbers: tuple[int, ...], at: float, _: float
    ) -> None:
        done(runner, visit, finding, numbers, at, 0.011)

    def without_waiting(driver: Driver) -> float:
        del driver
        return 1.0

    left_out = {name: os.environ[name] for name in os.environ if name == "NO_COLOR" or name.startswith(_LEAKS)}
    with (
        patch.object(Sitting, "now", at_the_time),
        patch.object(Runner, "_done", in_eleven_milliseconds),
        patch.object(Driver, "_elapsed", without_waiting),
        patch.dict(os.environ),
    ):
        for name in left_out:
            del os.environ[name]
        yield


def rasterised(svg: str) -> bytes | None:
    """The picture as PNG with a small palette, by librsvg; None where rsvg-convert is not there."""
    try:
        done = subprocess.run(["rsvg-convert"], input=svg.encode(), capture_output=True, check=True)
    except FileNotFoundError:
        return None
    shown = Image.open(io.BytesIO(done.stdout)).convert("RGB")
    shown = shown.quantize(_COLOURS, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    kept = io.BytesIO()
    shown.save(kept, "PNG", optimize=True)
    return kept.getvalue()


def main() -> int:
    """Draw every picture, and each as PNG too where this host can."""
    FOLDER.mkdir(exist_ok=True)
    drawn = {name: svg for size in SIZES for name, svg in asyncio.run(draw(size)).items()}
    for name, svg in drawn.items():
        (FOLDER / f"{name}.svg").write_text(svg, encoding="utf-8")
        sys.stdout.write(f"screenshots/{name}.svg\n")
        shown = rasterised(svg)
        if shown is not None:
            (FOLDER / f"{name}.png").write_bytes(shown)
    for old in FOLDER.iterdir():
        if old.stem not in drawn:
            old.unlink()
    if rasterised(next(iter(drawn.values()))) is None:
        sys.stdout.write("No PNG was drawn: apt-get install librsvg2-bin fonts-dejavu-core\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
