"""Every screen as text, at the size of an emergency and on a wide terminal."""

from __future__ import annotations

import pytest
from textual.events import Paste
from textual.pilot import Pilot

from tests.tui.fake import HEALTHY, LOG, TWO_SERVERS, FakeHost, Story, fake_app
from tests.tui.looking import compare, drive, pressed, shows
from wizard.walk.plan import Target
from wizard.walk.runner import Options

SIZES = [(80, 24), (120, 36), (200, 50)]


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_the_way_of_an_emergency(size: tuple[int, int]) -> None:
    app = fake_app()
    name = f"{size[0]}x{size[1]}"

    async def steps(pilot: Pilot[None]) -> None:
        await shows(pilot, "Failing now", "> shop.example /cart")
        await compare(f"start-{name}", pilot)
        await pressed(pilot, "enter", "CONFIRMED", "The walk has ended")
        await compare(f"walk-{name}", pilot)
        await pressed(pilot, "enter", "systemctl start shop.service", ">Fix 1")
        await compare(f"diagnosis-{name}", pilot)
        await pressed(pilot, "question_mark", "Keys", "copy the chosen command")
        await compare(f"help-{name}", pilot)
        await pilot.press("escape")
        await pressed(pilot, "a", "A unit that failed")
        await compare(f"article-{name}", pilot)

    drive(app, steps, size)


def test_a_question_to_the_person() -> None:
    app = fake_app(target=Target(url="http://shop.example/cart"), options=Options(flow="asking"))

    async def steps(pilot: Pilot[None]) -> None:
        await shows(pilot, "Was something deployed", "I don't know")
        await compare("question-80x24", pilot)

    drive(app, steps)


def test_a_choice_of_outcomes() -> None:
    app = fake_app(target=Target(url="http://shop.example/cart"))

    async def steps(pilot: Pilot[None]) -> None:
        await shows(pilot, "The walk has ended")
        await pressed(pilot, "o", "What is true of service?")
        await compare("overrule-80x24", pilot)

    drive(app, steps)


def test_a_host_without_a_gateway() -> None:
    app = fake_app(host=FakeHost(nginx=False))

    async def steps(pilot: Pilot[None]) -> None:
        await shows(pilot, "No gateway was found on this host.")
        await compare("no-gateway-80x24", pilot)

    drive(app, steps)


def test_a_host_on_which_nothing_fails() -> None:
    app = fake_app(host=FakeHost(log=b""))

    async def steps(pilot: Pilot[None]) -> None:
        await shows(pilot, "Nothing failed", "> everything: each route")
        await compare("quiet-80x24", pilot)

    drive(app, steps)


def test_a_smaller_terminal_still_shows_the_diagnosis() -> None:
    app = fake_app(target=Target(url="http://shop.example/cart"))

    async def steps(pilot: Pilot[None]) -> None:
        await shows(pilot, "The walk has ended")
        await compare("walk-60x20", pilot)
        await pressed(pilot, "enter", "CONFIRMED")
        await compare("diagnosis-60x20", pilot)

    drive(app, steps, (60, 20))


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_checked_again_shows_before_and_after(size: tuple[int, int]) -> None:
    story = Story()
    app = fake_app(story, target=Target(url="http://shop.example/cart"))

    async def steps(pilot: Pilot[None]) -> None:
        await shows(pilot, "The walk has ended")
        await pressed(pilot, "enter", "systemctl start shop.service", ">Fix 1")
        await pressed(pilot, "1", "Evidence for 1")
        await compare(f"evidence-{size[0]}x{size[1]}", pilot)
        await pressed(pilot, "escape", ">Fix 1")
        story.findings.update(HEALTHY)
        await pressed(pilot, "v", "The request succeeds now")
        await compare(f"after-{size[0]}x{size[1]}", pilot)

    drive(app, steps, size)


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_two_servers_side_by_side(size: tuple[int, int]) -> None:
    app = fake_app(host=FakeHost(config=TWO_SERVERS), target=Target(url="http://shop.example/cart"))

    async def steps(pilot: Pilot[None]) -> None:
        await shows(pilot, "The walk has ended")
        await compare(f"two-servers-{size[0]}x{size[1]}", pilot)

    drive(app, steps, size)


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_pasted_lines(size: tuple[int, int]) -> None:
    app = fake_app()

    async def steps(pilot: Pilot[None]) -> None:
        await shows(pilot, "> shop.example /cart")
        app.post_message(Paste(LOG[:1200] + "no line of a log\n"))
        await shows(pilot, "lines recognised")
        await compare(f"explain-{size[0]}x{size[1]}", pilot)
        await pressed(pilot, "colon", "What would you like to do?")
        await compare(f"palette-{size[0]}x{size[1]}", pilot)

    drive(app, steps, size)


def test_the_smallest_terminal_shows_each_screen() -> None:
    app = fake_app()

    async def steps(pilot: Pilot[None]) -> None:
        await shows(pilot, "> shop.example /cart")
        await compare("start-60x16", pilot)
        await pressed(pilot, "enter", "The walk has ended")
        await compare("walk-60x16", pilot)
        await pressed(pilot, "enter", "CONFIRMED")
        await compare("diagnosis-60x16", pilot)

    drive(app, steps, (60, 16))
