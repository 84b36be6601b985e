"""The Logs screen: the lines of gateway, units and kernel about the walked path, merged by time, the decisive one in view.

Owns its layout, keys and search. Everything that was asked is one key away.
"""

from __future__ import annotations

from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content

from wizard.session.around import concluded
from wizard.session.report import Report
from wizard.text import Visible, cells, one_line
from wizard.tui.choice_screen import LineScreen
from wizard.tui.help_screen import TextScreen
from wizard.tui.keys import Key, bindings, footer
from wizard.tui.port import State
from wizard.tui.screen import WizardScreen
from wizard.tui.sizes import WIDE
from wizard.tui.widgets.lines import PLAIN, STRONG, line, wrapped
from wizard.tui.widgets.pick_list import PickList, Row
from wizard.tui.widgets.text_pane import Keys, Lines, Pane
from wizard.views.logs import LogLine, LogView, log_view, matches
from wizard.views.walk import asked_lines
from wizard.views.words import cut, padded

_DECIDES, _BEGAN = Visible("decisive"), Visible("error")


class LogsScreen(WizardScreen):
    """The lines about this path."""

    DEFAULT_CSS = """
    LogsScreen > Vertical { padding: 0 1; }
    LogsScreen #lines { height: 1fr; min-height: 4; }
    LogsScreen #chosen-pane { height: auto; max-height: 7; }
    """
    KEYS = (
        Key("slash", "search", "/", "search", "find a text in the lines"),
        Key("n", "next_match(1)", "n", "next", "the next line that holds the text"),
        Key("N", "next_match(-1)", "N", "previous", "the line before that holds the text"),
        Key("f", "filter", "f", "only one", "only the lines of one writer; once more for the next, at the end for all"),
        Key("d", "decisive", "d", "decisive", "go to the decisive line"),
        Key("c", "copy", "c", "copy", "copy the chosen line"),
        Key("a", "asked", "a", "asked", "everything that was asked of the host, with the command for each"),
        Key("t", "timeline", "t", "timeline", "what happened before the first error"),
        Key("escape,b,l", "leave", "Esc", "back", "back to where you came from"),
    )
    BINDINGS: ClassVar[list[BindingType]] = bindings(KEYS)

    def __init__(self) -> None:
        super().__init__()
        self._view = LogView()
        self._shown: tuple[LogLine, ...] = ()
        self._only: Visible | None = None
        self._sought = ""
        self._made_of: tuple[Report | None] | None = None

    def compose(self) -> ComposeResult:
        """Who wrote, the lines, the chosen one in full, the keys."""
        with Vertical():
            yield Lines(id="head")
            yield PickList(id="lines")
            yield Lines(id="rule")
            with Pane(id="chosen-pane", can_focus=False):
                yield Lines(id="chosen")
            yield Lines(id="said")
            yield Keys(footer(self.KEYS))

    def on_mount(self) -> None:
        """Keys go to the list."""
        self.query_one("#lines", PickList).focus()

    def paint(self, state: State) -> None:
        """Show the lines; they are gathered anew only when the walk has ended."""
        cursor = None
        if self._made_of != (state.report,):
            self._made_of = (state.report,)
            self._view = log_view(self.wizard.driver.session, concluded(state.report))
            self._shown = self._view.lines
            self._only = None
            cursor = self._view.cursor
        self._paint(state.said, cursor)

    def on_pick_list_moved(self) -> None:
        """Another line."""
        self._paint_chosen()

    @work(group="dialog", exclusive=True)
    async def action_search(self) -> None:
        """Ask for a text, and go to the next line that holds it."""
        why = Visible("n goes to the next line that holds it, N to the one before.")
        given = await self.app.push_screen_wait(LineScreen(Visible("Search the lines for"), self._sought, why))
        if given:
            self._sought = given
            self._find(1, here=True)

    def action_next_match(self, by: int) -> None:
        """Go to another line that holds the text."""
        if self._sought:
            self._find(by)
        else:
            self.wizard.say("Nothing was searched for yet: / asks for a text.")

    def action_filter(self) -> None:
        """Show the lines of the next writer only, at the end those of all."""
        choices: list[Visible | None] = [None, *self._view.sources]
        self._only = choices[(choices.index(self._only) + 1) % len(choices)]
        chosen = self._chosen()
        self._shown = tuple(one for one in self._view.lines if self._only in {None, one.source})
        at = next((n for n, one in enumerate(self._shown) if one is chosen), None)
        self._paint(self.wizard.state.said, at if at is not None else _decisive(self._shown))

    def action_decisive(self) -> None:
        """Go to the decisive line."""
        self._paint(self.wizard.state.said, _decisive(self._shown))

    def action_copy(self) -> None:
        """Copy the chosen line."""
        chosen = self._chosen()
        if chosen is not None:
            self.wizard.copy(chosen.text)

    def action_asked(self) -> None:
        """Show what was asked."""
        session = self.wizard.driver.session
        asked = session.asked if session is not None else ()
        self.app.push_screen(TextScreen("Everything that was asked", asked_lines(asked)))

    def action_timeline(self) -> None:
        """Show what happened before."""
        from wizard.tui.timeline_screen import TimelineScreen  # noqa: PLC0415 - each of the two leads to the other

        self.app.switch_screen(TimelineScreen())

    def action_leave(self) -> None:
        """Back."""
        self.app.pop_screen()

    def _find(self, by: int, *, here: bool = False) -> None:
        found = matches(self._shown, self._sought)
        said = one_line(self._sought, limit=40)
        if not found:
            self.wizard.say(f"No line holds {said}.")
            return
        at = self.query_one("#lines", PickList).cursor
        later = [n for n in found if n > at or (here and n == at)]
        to = (later[0] if later else found[0]) if by > 0 else next((n for n in reversed(found) if n < at), found[-1])
        self.wizard.say(f"{found.index(to) + 1} of {len(found)} lines that hold {said}")
        self._paint(self.wizard.state.said, to)

    def _paint(self, said: Visible, cursor: int | None) -> None:
        width = self.app.size.width - 2
        self.query_one("#head", Lines).show(_head(self._view, self._shown, self._only, width))
        rows = tuple(Row(_row(one, width - 1)) for one in self._shown)
        self.query_one("#lines", PickList).show(rows, cursor)
        self.query_one("#rule", Lines).show([Content("-" * width)])
        self.query_one("#said", Lines).show(wrapped(said, width)[:2] if said else [])
        self._paint_chosen()

    def _paint_chosen(self) -> None:
        chosen = self._chosen()
        width = self.app.size.width - 4
        shown = wrapped(chosen.text, width) if chosen is not None else []
        self.query_one("#chosen", Lines).show(shown)

    def _chosen(self) -> LogLine | None:
        cursor = self.query_one("#lines", PickList).cursor
        return self._shown[cursor] if cursor < len(self._shown) else None


def _decisive(lines: tuple[LogLine, ...]) -> int:
    marked = (n for n, one in enumerate(lines) if one.decisive)
    return next(marked, next((n for n, one in enumerate(lines) if one.first_error), max(0, len(lines) - 1)))


def _head(view: LogView, shown: tuple[LogLine, ...], only: Visible | None, width: int) -> list[Content]:
    if not view.lines:
        return [line((Visible("Log lines about this path"), STRONG)), Content("-" * width), *wrapped(view.note, width)]
    whose = only or Visible(", ".join(view.sources))
    count = "1 line" if len(shown) == 1 else f"{len(shown)} lines"
    first = line((cut(Visible(f"{count} about this path, of {whose}"), width), STRONG))
    return [first, *(wrapped(view.note, width) if view.note else []), Content("-" * width)]


def _row(one: LogLine, width: int) -> Content:
    """A line cut to the width: time, writer, its mark in words, and what it says without the stamp that it repeats."""
    mark = _DECIDES if one.decisive else _BEGAN if one.first_error else Visible("")
    source = 24 if width >= WIDE - 3 else 14
    spans = [(padded(one.time, 9), PLAIN), (padded(one.source, source), PLAIN), (Visible(" "), PLAIN)]
    if mark:
        spans += [(mark, "bold ansi_red"), (Visible(" "), PLAIN)]
    room = max(10, width - sum(cells(text) for text, _ in spans))
    return line(*spans, (cut(_without_stamp(one.text), room), STRONG if mark else PLAIN))


def _without_stamp(text: Visible) -> Visible:
    """What a line of nginx says behind its stamp: the column before it has the time."""
    head, bracket, rest = text.partition(" [")
    stamped = len(head) == 19 and head[4:5] == "/" and head[13:14] == ":"
    return Visible(f"[{rest}") if bracket and stamped else text
