"""What every screen of the wizard has: the app as they may know it, a size below which nothing fits, and help.

Owns the small-terminal rule. May not know any single screen.
"""

from __future__ import annotations

from contextlib import suppress
from typing import ClassVar, cast

from textual import events, work
from textual.binding import BindingType
from textual.content import Content
from textual.css.query import NoMatches
from textual.screen import Screen

from wizard.tui.help_screen import TextScreen, help_text
from wizard.tui.keys import EVERYWHERE, Key, bindings
from wizard.tui.palette_screen import PaletteScreen
from wizard.tui.port import State, Wizard
from wizard.tui.sizes import fits


class WizardScreen(Screen[None]):
    """A screen that is painted from the app's state."""

    BINDINGS: ClassVar[list[BindingType]] = bindings(EVERYWHERE)
    KEYS: ClassVar[tuple[Key, ...]] = ()

    @property
    def wizard(self) -> Wizard:
        """The app."""
        return cast("Wizard", self.app)

    def paint(self, state: State) -> None:
        """Show a state."""
        raise NotImplementedError

    def tick(self, state: State) -> None:
        """Show that a second has passed; most screens need not."""

    def repaint(self) -> None:
        """Show the state of now, where there is room for it."""
        if self.is_mounted and fits(self.app.size):
            with suppress(NoMatches), self.app.batch_update():  # a screen that comes or goes may lack its parts
                self.paint(self.wizard.state)

    def ticked(self) -> None:
        """A second has passed."""
        if self.is_mounted and fits(self.app.size):
            with suppress(NoMatches):
                self.tick(self.wizard.state)

    def render(self) -> Content:
        """What shows where nothing fits."""
        return Content("terminal too small: 60x16 is needed" if self.has_class("-too-small") else "")

    def on_screen_resume(self) -> None:
        """Coming back to a screen shows the present."""
        self.call_after_refresh(self.repaint)

    def on_resize(self, event: events.Resize) -> None:
        """A new size needs new lines."""
        self.set_class(not fits(event.size), "-too-small")
        self.call_after_refresh(self.repaint)

    def action_help(self) -> None:
        """Show every key and word."""
        self.app.push_screen(TextScreen("Help", help_text((*self.KEYS, *EVERYWHERE))))

    @work(group="dialog", exclusive=True)
    async def action_palette(self) -> None:
        """Find something to do by its name, and do it."""
        chosen = await self.app.push_screen_wait(PaletteScreen((*self.KEYS, *EVERYWHERE)))
        if chosen is not None:
            await self.run_action(chosen.action)

    def action_quit_wizard(self) -> None:
        """Leave the wizard."""
        self.app.exit(None, 0)
