"""A list in which one row is picked, with a `>` beside it: it can be read without colours, and scrolls by rows.

Owns the cursor and the window. May not know what a row stands for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from textual.actions import SkipAction
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.geometry import Region
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget

from wizard.tui.widgets.lines import stacked


@dataclass(frozen=True, slots=True)
class Row:
    """A row: what it shows, and whether it can be picked (a heading cannot)."""

    content: Content
    pickable: bool = True


class PickList(Widget, can_focus=True):
    """Rows with a cursor."""

    DEFAULT_CSS = "PickList { height: 1fr; text-wrap: nowrap; text-overflow: clip; }"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", show=False),
        Binding("down,j", "move(1)", show=False),
        Binding("pageup", "move(-8)", show=False),
        Binding("pagedown", "move(8)", show=False),
        Binding("home", "move(-100000)", show=False),
        Binding("end", "move(100000)", show=False),
        Binding("enter", "pick", show=False),
    ]

    rows: reactive[tuple[Row, ...]] = reactive(())
    cursor: reactive[int] = reactive(0, repaint=False)
    _top = 0

    class Picked(Message):
        """A row was chosen with Enter."""

        def __init__(self, source: PickList, index: int) -> None:
            super().__init__()
            self.source = source
            self.index = index

    class Moved(Message):
        """A person moved the cursor."""

        def __init__(self, source: PickList, index: int) -> None:
            super().__init__()
            self.source = source
            self.index = index

    def show(self, rows: tuple[Row, ...], cursor: int | None = None) -> None:
        """Show rows; without a cursor it stays where it is."""
        self.rows = rows
        self.cursor = self._nearest(self.cursor if cursor is None else cursor, 1)

    def render(self) -> Content:
        """The rows of the window, and where they do not all fit, which those are."""
        room, over = self._room()
        self._top = _scrolled(self._top, self.cursor, room, len(self.rows))
        shown = self.rows[self._top : self._top + room]
        lines = [
            Content("").join([Content(">" if index == self.cursor else " "), self._styled(row, index)])
            for index, row in enumerate(shown, self._top)
        ]
        if over:
            lines.append(Content(_left_out(self._top, len(self.rows) - self._top - room)))
        return stacked(lines)

    def watch_cursor(self, before: int, now: int) -> None:
        """Draw only the two rows that differ, where the window stays: over a slow line the others would cost seconds."""
        if _scrolled(self._top, now, self._room()[0], len(self.rows)) != self._top:
            self.refresh()
        else:
            width = self.content_size.width
            self.refresh(*[Region(0, index - self._top, width, 1) for index in (before, now) if index >= self._top])

    def _room(self) -> tuple[int, bool]:
        """How many rows the window shows, and whether some are left out."""
        height = max(1, self.content_size.height)
        over = len(self.rows) > height > 1
        return (height - 1 if over else height), over

    def _styled(self, row: Row, index: int) -> Content:
        return row.content.stylize("reverse") if index == self.cursor and self.has_focus else row.content

    def action_move(self, by: int) -> None:
        """Move the cursor by rows that can be picked."""
        to = self._nearest(max(0, min(self.cursor + by, len(self.rows) - 1)), 1 if by > 0 else -1)
        if to != self.cursor:
            self.cursor = to
            self.post_message(self.Moved(self, to))

    def action_pick(self) -> None:
        """Choose the row of the cursor; without one the key is the screen's."""
        if not self.rows:
            raise SkipAction
        if self.rows[self.cursor].pickable:
            self.post_message(self.Picked(self, self.cursor))

    def _nearest(self, index: int, direction: int) -> int:
        if not self.rows:
            return 0
        index = max(0, min(index, len(self.rows) - 1))
        ways = (range(index, len(self.rows)), range(index, -1, -1))
        for way in ways if direction > 0 else reversed(ways):
            for found in way:
                if self.rows[found].pickable:
                    return found
        return index


def _scrolled(top: int, cursor: int, room: int, total: int) -> int:
    """The first row of a window that moves no further than the cursor needs, with one row of what comes next."""
    margin = 1 if room > 2 else 0
    lowest, highest = cursor + margin - room + 1, cursor - margin
    return max(0, min(max(top, lowest), highest, total - room) if highest >= 0 else 0)


def _left_out(above: int, below: int) -> str:
    said = [f"{count} more {where}" for count, where in ((above, "above"), (below, "below")) if count]
    return f"  ({', '.join(said)})"
