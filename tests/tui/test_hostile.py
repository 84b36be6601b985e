"""Hostile text in every place that is shown: the app lives on, and nothing that a terminal acts on is left."""

from __future__ import annotations

import re

import pytest
from msgspec.structs import replace
from rich.segment import Segment
from textual.color import Color
from textual.pilot import Pilot

from tests.payloads import PAYLOADS
from tests.tui import fake
from tests.tui.fake import CONFIG, STOPPED, FakeHost, Story, fake_app
from tests.tui.looking import drive, pressed, screen_text, shows
from wizard.checks.registry import Finding
from wizard.text import Visible, cells, visible
from wizard.tui.filters import Ascii, Scrub, wants_ascii
from wizard.tui.widgets.lines import labelled, line, wrapped
from wizard.walk.plan import Target
from wizard.walk.runner import Options

ACTS = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]")
NAMES = sorted(PAYLOADS)
GROUPS = [NAMES[start : start + 5] for start in range(0, len(NAMES), 5)]
CROWDS = [NAMES[start : start + 16] for start in range(0, len(NAMES), 16)]
BLACK = Color(0, 0, 0)


def text_of(name: str) -> str:
    return PAYLOADS[name][:4000].decode("utf-8", "surrogateescape")


@pytest.mark.parametrize("names", GROUPS, ids=lambda names: names[0])
def test_what_checks_say_reaches_every_screen_as_text(names: list[str]) -> None:
    texts = [text_of(name) for name in names]
    texts += [texts[0]] * (len(STOPPED) - len(texts))
    findings = {
        check: Finding(one.outcome, text, {**one.values, "unit": text}, one.gaps, f"cat {text}")
        for (check, one), text in zip(STOPPED.items(), texts, strict=True)
    }
    app = fake_app(Story(findings), target=Target(url="http://shop.example/cart"))

    async def steps(pilot: Pilot[None]) -> None:
        await shows(pilot, "The walk has ended")
        for key in ("home", "down", "down", "down", "down"):
            await pilot.press(key)
            await pilot.pause(0.1)
            assert not ACTS.search(screen_text(app))
        await pressed(pilot, "c", "Sent")
        await pressed(pilot, "enter", "CONFIRMED")
        for _ in range(4):
            assert not ACTS.search(screen_text(app))
            await pilot.press("pagedown")
            await pilot.pause(0.05)
        await pressed(pilot, "C", "Sent")
        await pilot.press("1")
        await pilot.pause(0.1)
        assert not ACTS.search(screen_text(app))
        await pilot.press("escape")
        await pressed(pilot, "v", "The request still fails", "before")
        for _ in range(3):
            assert not ACTS.search(screen_text(app))
            await pilot.press("pagedown")
            await pilot.pause(0.05)
        assert not any(ACTS.search(content.decode()) for content in app.driver.report_files().values())

    drive(app, steps)
    assert app.defect is None
    assert not any(ACTS.search(command) for command in app.copied)


@pytest.mark.parametrize("names", CROWDS, ids=lambda names: names[0])
def test_what_the_host_says_reaches_the_start_screen_as_text(names: list[str]) -> None:
    payload = b" ".join(PAYLOADS[name][:100] for name in names)
    log = (
        b"2026/11/23 14:07:09 [error] 813#813: *1 connect() failed (111: Connection refused) while connecting to"
        b' upstream, client: 198.51.100.7, server: shop.example, request: "GET /' + payload + b' HTTP/1.1",'
        b' upstream: "http://127.0.0.1:8000/", host: "' + payload + b'"\n'
    )
    hostname = payload.decode("utf-8", "surrogateescape")
    app = fake_app(host=FakeHost(log=log, hostname=hostname))

    async def steps(pilot: Pilot[None]) -> None:
        await shows(pilot, "gateway-wizard", "everything: each route")
        assert not ACTS.search(screen_text(app))

    drive(app, steps)
    assert app.defect is None


def test_a_configuration_that_is_no_text_does_not_end_the_app() -> None:
    app = fake_app(host=FakeHost(config=CONFIG + b"\x1b]0;x\x07 \xff [/] [@click=app.quit]x {"))

    async def steps(pilot: Pilot[None]) -> None:
        await shows(pilot, "gateway-wizard", "its files do not")
        assert not ACTS.search(screen_text(app))

    drive(app, steps)


@pytest.mark.parametrize("name", NAMES)
def test_scrub_leaves_nothing_that_acts_even_where_text_was_never_made_visible(name: str) -> None:
    text = text_of(name)
    scrubbed = Scrub().apply([Segment(text)], BLACK)[0].text
    assert not ACTS.search(scrubbed)
    assert set(scrubbed) <= set(text)


@pytest.mark.parametrize("name", NAMES)
def test_ascii_keeps_the_width_of_what_it_replaces(name: str) -> None:
    text = visible(PAYLOADS[name][:4000]).replace("\n", " ")
    written = Ascii().apply([Segment(text)], BLACK)[0].text
    assert written.isascii()
    assert cells(written) == cells(text)


def test_ascii_draws_lines_and_corners() -> None:
    assert Ascii().apply([Segment("┌─┐│█•▶é")], BLACK)[0].text == "+-+|#*>?"


@pytest.mark.parametrize(
    ("term", "encoding", "wanted"),
    [
        ("xterm-256color", "utf-8", False),
        ("tmux-256color", "UTF-8", False),
        ("linux", "utf-8", True),
        ("vt100", "utf-8", True),
        ("", "utf-8", True),
        ("xterm", "iso8859-1", True),
        ("xterm", None, True),
    ],
)
def test_ascii_is_chosen_where_glyphs_may_be_missing(term: str, encoding: str | None, wanted: bool) -> None:
    assert wants_ascii({"TERM": term}, encoding) is wanted


@pytest.mark.parametrize("name", NAMES)
def test_markup_is_never_read(name: str) -> None:
    shown = visible(PAYLOADS[name][:4000])
    assert line((shown, "bold")).plain == shown


@pytest.mark.parametrize("width", [20, 37, 78])
@pytest.mark.parametrize("name", NAMES)
def test_wrapping_loses_nothing_and_fits(name: str, width: int) -> None:
    shown = visible(PAYLOADS[name][:3000])
    lines = wrapped(shown, width)
    assert all(cells(one.plain) <= width for one in lines)
    squeezed = re.sub(r"\s", "", "".join(one.plain for one in lines))
    assert squeezed == re.sub(r"\s", "", shown)
    beside = labelled(Visible("why"), shown, max(width, 30))
    assert all(cells(one.plain) <= max(width, 30) for one in beside)


@pytest.mark.parametrize("names", CROWDS, ids=lambda names: names[0])
def test_a_persons_own_tree_and_a_saved_session_are_shown_as_text(
    names: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    payload = " ".join(text_of(name)[:100] for name in names)
    known = fake.library()
    asking = known.flows["asking"]
    steps_ = tuple(
        replace(
            step,
            ask=payload if step.ask else None,
            question=payload,
            why=payload,
            choices=tuple((value, payload) for value, _ in step.choices),
        )
        for step in asking.steps
    )
    hostile = replace(
        known, flows={**known.flows, "asking": replace(asking, title=payload, status=("502",), steps=steps_)}
    )
    monkeypatch.setattr(fake, "library", lambda: hostile)
    session = replace(fake.saved_session(), id=payload, target=payload, wizard=payload)
    app = fake_app(
        options=Options(flow="asking"),
        target=Target(url="http://shop.example/cart"),
        open_session=lambda _: fake.sits(FakeHost(hostname=payload), Story(), replayed=session),
    )

    async def steps(pilot: Pilot[None]) -> None:
        await shows(pilot, "1-9 choose")
        assert not ACTS.search(screen_text(app))
        await pressed(pilot, "1", "The walk has ended")
        for keys in ("home", "f", "escape", "down", "b"):
            await pilot.press(keys)
            await pilot.pause(0.1)
            assert not ACTS.search(screen_text(app))
        await pressed(pilot, "escape", "or begin with what you know")
        assert not ACTS.search(screen_text(app))
        await pressed(pilot, "o", "The path of a session file")
        await pressed(pilot, "s enter", "recorded")
        await pilot.pause(0.3)
        assert not ACTS.search(screen_text(app))

    drive(app, steps)
    assert app.defect is None
