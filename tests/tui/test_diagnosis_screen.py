"""Every key of the Diagnosis screen."""

from __future__ import annotations

import msgspec
import pytest
from textual.pilot import Pilot

from tests.tui.fake import HEALTHY, Story, fake_app
from tests.tui.looking import drive, pressed, screen_text, shows
from wizard.session.report import Report
from wizard.session.save import SaveError
from wizard.tui.walk_screen import WalkScreen
from wizard.walk.plan import Target

CART = Target(url="http://shop.example/cart")


async def diagnosed(pilot: Pilot[None]) -> None:
    await shows(pilot, "The walk has ended")
    await pressed(pilot, "enter", "systemctl start shop.service", ">Fix 1")


def test_one_command_is_copied() -> None:
    app = fake_app(target=CART)

    async def steps(pilot: Pilot[None]) -> None:
        await diagnosed(pilot)
        await pressed(pilot, "c", "Sent to the terminal's clipboard")
        assert app.copied == ["systemctl start shop.service"]
        await pressed(pilot, "down", ">Verify 1")
        await pilot.press("c")
        await shows(pilot, "Sent")
        assert app.copied[-1].startswith("curl -sS")
        assert "\n" not in app.copied[-1]

    drive(app, steps)


def test_the_whole_repair_is_copied() -> None:
    app = fake_app(target=CART)

    async def steps(pilot: Pilot[None]) -> None:
        await diagnosed(pilot)
        await pressed(pilot, "C", "Sent")
        first, second = app.copied[0].split("\n")
        assert first == "systemctl start shop.service"
        assert second.startswith("curl -sS")

    drive(app, steps)


def test_commands_are_written_as_a_script() -> None:
    written: dict[str, bytes] = {}
    app = fake_app(target=CART, write=written.__setitem__)

    async def steps(pilot: Pilot[None]) -> None:
        await diagnosed(pilot)
        await pressed(pilot, "w", "Write the commands to", "repair.sh")
        await pressed(pilot, "enter", "Written to repair.sh.")
        said = written["repair.sh"].decode().splitlines()
        assert said[:2] == ["#!/bin/bash", "set -eu"]
        assert "systemctl start shop.service" in said
        assert "# systemctl status --no-pager shop.service" in said

    drive(app, steps)


def test_a_file_that_cannot_be_written_is_a_sentence() -> None:
    def refuse(path: str, content: bytes) -> None:
        del content
        raise SaveError(path, "the file system is full", "choose a folder on another one")

    app = fake_app(target=CART, write=refuse)

    async def steps(pilot: Pilot[None]) -> None:
        await diagnosed(pilot)
        await pressed(pilot, "w", "Write the commands to")
        await pressed(pilot, "enter", "the file system is full")

    drive(app, steps)


@pytest.mark.parametrize("ending", [".md", ".txt", ".html", ".json"])
def test_the_report_is_written_in_the_format_of_its_ending(ending: str) -> None:
    written: dict[str, bytes] = {}
    app = fake_app(target=CART, write=written.__setitem__)

    async def steps(pilot: Pilot[None]) -> None:
        await diagnosed(pilot)
        await pressed(pilot, "e", "Write the report to", ".md")
        await pilot.press("ctrl+u", *f"/r/x{ending}", "enter")
        await shows(pilot, f"Written to /r/x{ending}.")

    drive(app, steps)
    content = written[f"/r/x{ending}"]
    assert b"shop.service" in content
    if ending == ".json":
        assert msgspec.json.decode(content, type=Report).verdict == "cause-found"


def test_check_again_walks_the_whole_path_and_shows_both() -> None:
    story = Story()
    app = fake_app(story, target=CART)

    async def steps(pilot: Pilot[None]) -> None:
        await diagnosed(pilot)
        story.findings.update(HEALTHY)
        await pressed(pilot, "v", "before", "after", "No fault was observed")
        assert story.asked.count("request") == 2
        assert app.driver.session is not None
        assert app.driver.session.attempt == 2

    drive(app, steps)


def test_the_article_names_what_is_refused() -> None:
    app = fake_app(target=CART)

    async def steps(pilot: Pilot[None]) -> None:
        await diagnosed(pilot)
        await pressed(pilot, "a", "A unit that failed says so.", "Do not: chmod 777 /run.")
        await pressed(pilot, "escape", ">Fix 1")

    drive(app, steps)


def test_paging_shows_what_does_not_fit() -> None:
    app = fake_app(target=CART)

    async def steps(pilot: Pilot[None]) -> None:
        await diagnosed(pilot)
        assert "could not" not in screen_text(app)
        await pressed(pilot, "pagedown pagedown", "could not", "reading it needs root")

    drive(app, steps)


def test_escape_leads_back_to_the_walk() -> None:
    app = fake_app(target=CART)

    async def steps(pilot: Pilot[None]) -> None:
        await diagnosed(pilot)
        await pressed(pilot, "escape", "The walk has ended")
        assert isinstance(app.screen, WalkScreen)

    drive(app, steps)


def test_crossing_the_width_for_two_columns_keeps_everything() -> None:
    app = fake_app(target=CART)

    async def steps(pilot: Pilot[None]) -> None:
        await diagnosed(pilot)
        await pilot.resize_terminal(140, 40)
        await shows(pilot, "because", ">Fix 1", "could not", "Look 1")
        await pilot.resize_terminal(80, 24)
        await shows(pilot, "because", ">Fix 1")

    drive(app, steps)


def test_without_a_cause_there_is_nothing_to_copy() -> None:
    app = fake_app(Story({**Story().findings, **HEALTHY}), target=CART)

    async def steps(pilot: Pilot[None]) -> None:
        await shows(pilot, "The walk has ended")
        await pressed(pilot, "enter", "No fault was observed")
        await pressed(pilot, "c", "There is no command to copy.")
        await pressed(pilot, "a", "There is no article")

    drive(app, steps)
