"""What can be done once a walk has ended: check again, watch, a shell, the report. Two screens have these keys.

Owns those keys. May not know what either screen shows.
"""

from __future__ import annotations

from typing import ClassVar

from textual import work
from textual.binding import BindingType

from wizard.session.save import ExistsError, SaveError
from wizard.text import Visible, one_line
from wizard.tui.choice_screen import ChoiceScreen, LineScreen
from wizard.tui.keys import Key, bindings
from wizard.tui.screen import WizardScreen

AGAIN = Key("v", "again", "v", "check again", "walk the path again: before and after, side by side")
WATCH = Key("w", "watch", "w", "watch 60 s", "the request once a second for a minute, good and bad counted")
SETTLE = 1.0  # seconds: a reload returns before the old workers have stopped taking requests
SHELL = Key(
    "exclamation_mark,dollar_sign", "shell", "!", "shell", "your own shell; exit comes back and checks again (also $)"
)
REPORT = Key("e", "export", "e", "report", "save the report: Markdown for the ticket, JSON for machines")


class EndingScreen(WizardScreen):
    """A screen of a walk that has ended."""

    BINDINGS: ClassVar[list[BindingType]] = bindings((AGAIN, WATCH, SHELL, REPORT))

    def action_again(self) -> None:
        """Walk the path again."""
        if self.wizard.driver.again():
            self.show_after()

    def action_watch(self) -> None:
        """Watch the request for a minute."""
        if self.wizard.driver.watch():
            self.show_after()

    def action_shell(self) -> None:
        """Open the admin's own shell, and check again when it has ended."""
        if self.wizard.shell() and self.wizard.driver.again(settle=SETTLE):
            self.show_after()

    def show_after(self) -> None:
        """Show what changes: the screen that is shown, or the After screen over it."""
        self.wizard.show_after()

    @work(group="dialog", exclusive=True)
    async def action_export(self) -> None:
        """Save the report in both forms; a file that is there is replaced only where a person says so."""
        files = self.wizard.driver.report_files()
        if not files:
            self.wizard.say("There is no report yet: the walk has not ended.")
            return
        replace = False
        while files:
            try:
                self.wizard.save(files, replace=replace)
            except ExistsError as error:
                chosen = await self._instead(error.path)
                replace = chosen == "replace"
                files = files if replace else await self._other(files) if chosen == "other" else {}
            except SaveError as error:
                self.wizard.say(f"{error}.")
                files = await self._other(files)
            else:
                return
        self.wizard.say("Nothing was saved.")

    async def _instead(self, path: str) -> str | None:
        choices = (("replace", Visible("Replace it")), ("other", Visible("Save under another name")))
        question = one_line(f"There is a file already: {path}", limit=400)
        return await self.app.push_screen_wait(ChoiceScreen(question, choices))

    async def _other(self, files: dict[str, bytes]) -> dict[str, bytes]:
        """The same contents under the name that the person gives; none where none is given."""
        given = next(iter(files)).rpartition(".")[0]
        why = Visible("Without an ending: .md and .json are added.")
        named = await self.app.push_screen_wait(LineScreen(Visible("Save the report as"), given, why))
        return {f"{named}.{path.rpartition('.')[2]}": content for path, content in files.items()} if named else {}
