"""What happens while the app goes down: a screen that was coming up is no defect."""

from __future__ import annotations

import pytest
from textual.css.query import NoMatches
from textual.pilot import Pilot

from tests.tui.fake import fake_app
from tests.tui.looking import drive, shows
from wizard.text import Visible
from wizard.tui.choice_screen import LineScreen


def test_a_dialog_that_comes_up_while_the_app_leaves_is_no_defect() -> None:
    app = fake_app()

    async def steps(pilot: Pilot[None]) -> None:
        await shows(pilot, "> shop.example")
        app.exit()
        app._handle_exception(NoMatches("No nodes match 'Input' on LineScreen()"))
        app.push_screen(LineScreen(Visible("Save the report as")))

    drive(app, steps)
    assert app.defect is None
    assert app.return_code == 0


def test_the_same_in_the_middle_is_one() -> None:
    app = fake_app()

    async def steps(pilot: Pilot[None]) -> None:
        await shows(pilot, "> shop.example")
        app._handle_exception(NoMatches("No nodes match 'Input' on LineScreen()"))

    with pytest.raises(NoMatches):
        drive(app, steps)
    assert isinstance(app.defect, NoMatches)
