"""The palette reaches whatever a key reaches, by a few letters."""

from __future__ import annotations

import pytest
from textual.pilot import Pilot

from tests.tui.fake import fake_app
from tests.tui.looking import drive, pressed, screen_text, shows
from wizard.tui.diagnosis_screen import DiagnosisScreen
from wizard.tui.keys import EVERYWHERE, Key
from wizard.tui.palette_screen import fitting
from wizard.tui.screen import WizardScreen
from wizard.tui.start_screen import StartScreen
from wizard.tui.walk_screen import WalkScreen
from wizard.walk.plan import Target

CART = Target(url="http://shop.example/cart")


def test_a_word_finds_an_action_and_enter_does_it() -> None:
    app = fake_app(target=CART)

    async def steps(pilot: Pilot[None]) -> None:
        await shows(pilot, "The walk has ended")
        await pressed(pilot, "colon", "What would you like to do?", "overrule", "take the last step back")
        await pilot.press(*"asked")
        await pressed(pilot, "enter", "Everything that was asked")

    drive(app, steps)


def test_escape_does_nothing() -> None:
    app = fake_app(target=CART)

    async def steps(pilot: Pilot[None]) -> None:
        await shows(pilot, "The walk has ended")
        await pressed(pilot, "ctrl+p", "What would you like to do?")
        await pressed(pilot, "escape", "The walk has ended")
        assert isinstance(app.screen, WalkScreen)

    drive(app, steps)


def test_arrows_choose_among_what_fits() -> None:
    app = fake_app(target=CART)

    async def steps(pilot: Pilot[None]) -> None:
        await shows(pilot, "The walk has ended")
        await pressed(pilot, "colon", ">Enter")
        await pilot.press("down", "down")
        await shows(pilot, ">b")
        await pressed(pilot, "enter", "Held")
        assert "unit is stopped" not in screen_text(app)

    drive(app, steps)


@pytest.mark.parametrize("screen", [StartScreen, WalkScreen, DiagnosisScreen])
def test_every_action_of_a_screen_can_be_done(screen: type[WizardScreen]) -> None:
    for key in (*screen.KEYS, *EVERYWHERE):
        assert hasattr(screen, f"action_{key.action.partition('(')[0]}"), key.action
        assert key.said


def test_words_of_the_name_come_before_words_of_the_sentence_and_scattered_letters() -> None:
    copy = Key("c", "copy", "c", "copy", "the command goes to the clipboard")
    article = Key("a", "article", "a", "article", "how this cause is told, with commands to copy")
    call = Key("x", "x", "x", "call", "on people nearby")
    keys = (article, call, copy)
    assert fitting(keys, "copy") == (copy, article)
    assert fitting(keys, "cnrby") == (call,)
    assert fitting(keys, "") == keys
    assert fitting(keys, "zzz") == ()
