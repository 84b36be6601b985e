"""Every key of the Diagnosis screen."""

from __future__ import annotations

from textual.pilot import Pilot

from tests.tui.fake import HEALTHY, Folder, Story, fake_app
from tests.tui.looking import drive, pressed, screen_text, shows
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
    folder = Folder()
    app = fake_app(target=CART, write=folder)

    async def steps(pilot: Pilot[None]) -> None:
        await diagnosed(pilot)
        await pressed(pilot, "f", "Write the commands to", "repair.sh")
        await pressed(pilot, "enter", "Saved, readable by you only: repair.sh")
        said = folder.files["repair.sh"].decode().splitlines()
        assert said[:2] == ["#!/bin/bash", "set -eu"]
        assert "systemctl start shop.service" in said
        assert "# systemctl status --no-pager shop.service" in said
        await pressed(pilot, "f", "Write the commands to", "repair.sh")
        await pressed(pilot, "enter", "There is a file repair.sh already; nothing was written.")

    drive(app, steps)


def test_a_file_that_cannot_be_written_is_a_sentence() -> None:
    full = SaveError("repair.sh", "the file system is full", "choose a folder on another one")
    app = fake_app(target=CART, write=Folder(refusal=full))

    async def steps(pilot: Pilot[None]) -> None:
        await diagnosed(pilot)
        await pressed(pilot, "f", "Write the commands to")
        await pressed(pilot, "enter", "the file system is full")

    drive(app, steps)


def test_a_number_leads_to_the_evidence() -> None:
    app = fake_app(target=CART)

    async def steps(pilot: Pilot[None]) -> None:
        await diagnosed(pilot)
        await shows(pilot, "2 Nobody listens on 127.0.0.1:8000.")
        await pressed(pilot, "2", "Evidence for 2", "ss -Hltnp", "/looked/for/listener")
        await pressed(pilot, "escape", ">Fix 1")
        await pressed(pilot, "1", "Evidence for 1", "Connecting to 127.0.0.1:8000")
        await pressed(pilot, "escape", ">Fix 1")
        await pressed(pilot, "9", "No sentence here has the number 9.")

    drive(app, steps)


def test_a_cause_that_a_person_knows_to_be_wrong_is_marked_so() -> None:
    app = fake_app(target=CART)

    async def steps(pilot: Pilot[None]) -> None:
        await diagnosed(pilot)
        await pressed(
            pilot, "x", "UNKNOWN", "service-stopped is marked as wrong", "you say that this is", "observed   1 502"
        )
        report = app.state.report
        assert report is not None
        assert (report.causes, [one.id for one in report.disputed]) == ((), ["service-stopped"])
        assert b"says that it is wrong" in b"".join(app.driver.report_files().values())
        await pressed(pilot, "x", "CONFIRMED", "service-stopped counts again.")

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
        await pressed(pilot, "x", "No cause is named here that could be wrong.")

    drive(app, steps)
