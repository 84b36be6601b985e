"""The Timeline and Logs screens: every key, both sizes, hostile text."""

from __future__ import annotations

import asyncio
import re

import pytest
from textual.pilot import Pilot

from tests.payloads import PAYLOADS
from tests.tui.fake import FakeHost, Story
from tests.tui.looking import compare, drive, pressed, screen_text, shows
from tests.tui.past import PastHost, past_app

SIZES = [(80, 24), (120, 36)]
ACTS = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]")
NAMES = sorted(PAYLOADS)
CROWDS = [NAMES[start : start + 12] for start in range(0, len(NAMES), 12)]


def cursor_line(screen: str) -> str:
    """The row with the cursor."""
    [line] = [line for line in screen.split("\n") if line.startswith(" >")]
    return line


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_the_screens_as_text(size: tuple[int, int]) -> None:
    app = past_app()
    name = f"{size[0]}x{size[1]}"

    async def steps(pilot: Pilot[None]) -> None:
        await shows(pilot, "The walk has ended")
        await pressed(pilot, "t", "What happened before the first error")
        await compare(f"timeline-{name}", pilot)
        await pressed(pilot, "l", "lines about this path")
        await compare(f"logs-{name}", pilot)

    drive(app, steps, size)


def test_the_timeline_opens_at_the_first_error_and_leads_back() -> None:
    app = past_app()

    async def steps(pilot: Pilot[None]) -> None:
        await shows(pilot, "The walk has ended")
        await pressed(pilot, "t", "first of 27 'connect refused' from 127.0.0.1:8000")
        assert "error first of 27" in cursor_line(screen_text(app))
        await pressed(pilot, "home", "changed (file time)")
        await pressed(pilot, "f", "first of 27 'connect refused' from 127.0.0.1:8000 (error log)")
        await pilot.press("escape")
        await shows(pilot, "The walk has ended")
        await pressed(pilot, "enter", "systemctl start shop.service")
        await pressed(pilot, "t", "What happened before the first error")
        await pilot.press("escape")
        await shows(pilot, "CONFIRMED", "systemctl start shop.service")

    drive(app, steps)


def test_the_logs_open_at_the_decisive_line() -> None:
    app = past_app()

    async def steps(pilot: Pilot[None]) -> None:
        await shows(pilot, "The walk has ended")
        await pressed(pilot, "l", "decisive ModuleNotFoundError")
        assert "decisive" in cursor_line(screen_text(app))
        await pressed(pilot, "end", "[error] 813#813: *29")
        await pressed(pilot, "d", "No module named 'shop_settings'")
        assert "decisive" in cursor_line(screen_text(app))
        await pressed(pilot, "c", "Sent to the terminal's clipboard")
        assert app.copied == ["ModuleNotFoundError: No module named 'shop_settings'"]

    drive(app, steps)


def test_lines_are_searched_both_ways() -> None:
    app = past_app()

    async def steps(pilot: Pilot[None]) -> None:
        await shows(pilot, "The walk has ended")
        await pressed(pilot, "l", "decisive")
        await pressed(pilot, "n", "Nothing was searched for yet")
        await pressed(pilot, "slash", "Search the lines for")
        await pilot.press(*"SHOP.service:")
        await pressed(pilot, "enter", "of 2 lines that hold")
        first = cursor_line(screen_text(app))
        await pilot.press("n")
        await pilot.pause(0.2)
        second = cursor_line(screen_text(app))
        assert first != second
        assert "shop.service:" in first
        await pilot.press("N")
        await pilot.pause(0.2)
        assert cursor_line(screen_text(app)) == first
        await pilot.press("slash", *"xyz", "enter")
        await shows(pilot, "No line holds")

    drive(app, steps)


def test_one_writer_at_a_time() -> None:
    app = past_app()

    async def steps(pilot: Pilot[None]) -> None:
        await shows(pilot, "The walk has ended")
        await pressed(pilot, "l", "34 lines about this path, of systemd, shop.service, nginx")
        await pressed(pilot, "f", "5 lines about this path, of systemd")
        await pressed(pilot, "f", "2 lines about this path, of shop.service")
        assert "decisive" in cursor_line(screen_text(app))
        await pressed(pilot, "f", "27 lines about this path, of nginx")
        await pressed(pilot, "f", "34 lines about this path")

    drive(app, steps)


def test_everything_that_was_asked_is_a_key_away_and_the_screens_lead_to_each_other() -> None:
    app = past_app()

    async def steps(pilot: Pilot[None]) -> None:
        await shows(pilot, "The walk has ended")
        await pressed(pilot, "l", "decisive")
        await pressed(pilot, "a", "Everything that was asked", "asked who runs this")
        await pressed(pilot, "escape", "decisive")
        await pressed(pilot, "t", "What happened before the first error")
        await pressed(pilot, "l", "decisive")
        await pilot.press("escape")
        await shows(pilot, "The walk has ended")

    drive(app, steps)


def test_where_nothing_is_known_a_sentence_says_so() -> None:
    app = past_app(FakeHost(log=b""))

    async def steps(pilot: Pilot[None]) -> None:
        await shows(pilot, "The walk has ended")
        await pressed(pilot, "l", "Nothing was logged about this path")
        await pilot.press("slash", "x", "enter")
        await shows(pilot, "No line holds x.")
        await pilot.press("escape")
        await pressed(pilot, "t", "this walk met 502")

    drive(app, steps)


def test_a_walk_that_has_not_ended_shows_what_is_known_so_far() -> None:
    story = Story()
    story.held["service"] = asyncio.Event()
    app = past_app(story=story)

    async def steps(pilot: Pilot[None]) -> None:
        await shows(pilot, "running, ", "nobody listens")
        await pressed(pilot, "l", "27 lines about this path, of nginx")
        story.held["service"].set()
        await shows(pilot, "decisive ModuleNotFoundError")

    drive(app, steps)


@pytest.mark.parametrize("names", CROWDS, ids=lambda names: names[0])
def test_hostile_text_reaches_both_screens_as_text(names: list[str]) -> None:
    payload = b" ".join(PAYLOADS[name][:60] for name in names)
    text = payload.decode("utf-8", "surrogateescape").replace("\0", "")
    host = PastHost(
        log=b"2026/11/23 14:07:03 [error] 813#813: *1 " + payload.replace(b"\n", b" ") + b', upstream: ""\n'
    )
    host.words = "ValueError: " + text.encode("utf-8", "backslashreplace").decode()
    host.script = "/opt/shop/" + "".join(one for one in text if one not in "/\n \0")[:80]
    app = past_app(host)

    async def steps(pilot: Pilot[None]) -> None:
        await shows(pilot, "The walk has ended")
        for key in ("t", "home", "end", "l", "home", "end", "d"):
            await pilot.press(key)
            await pilot.pause(0.1)
            assert not ACTS.search(screen_text(app))
        await pilot.press("c")

    drive(app, steps)
    assert app.defect is None
    assert not any(ACTS.search(line) for line in app.copied)
