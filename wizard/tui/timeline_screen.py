"""The Timeline screen: what happened before the first error, each moment beside the failures logged around it.

Owns its layout and keys. The row of the first error is looked at first.
"""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content

from wizard.session.around import concluded
from wizard.session.report import Report
from wizard.session.session import Session
from wizard.session.timeline import Timeline, timeline
from wizard.text import Visible, cells
from wizard.tui.keys import Key, bindings, footer
from wizard.tui.port import State
from wizard.tui.screen import WizardScreen
from wizard.tui.sizes import WIDE
from wizard.tui.widgets.lines import PLAIN, STRONG, line, spread, wrapped
from wizard.tui.widgets.pick_list import PickList, Row
from wizard.tui.widgets.text_pane import Keys, Lines
from wizard.views.timeline import TimelineRow, TimelineView, timeline_view
from wizard.views.words import cut, padded

_SOURCE, _DAY = 16, 7
_MARK = Visible("error")
_DETAIL = 3  # lines for the chosen moment in full


class TimelineScreen(WizardScreen):
    """What happened before."""

    DEFAULT_CSS = """
    TimelineScreen > Vertical { padding: 0 1; }
    TimelineScreen #moments { height: 1fr; }
    TimelineScreen #chosen { height: auto; max-height: 4; }
    """
    KEYS = (
        Key("f", "first", "f", "first error", "go to where the fault began"),
        Key("l", "logs", "l", "logs", "the lines that were logged about this path"),
        Key("escape,b,t", "leave", "Esc", "back", "back to where you came from"),
    )
    BINDINGS: ClassVar[list[BindingType]] = bindings(KEYS)

    def __init__(self) -> None:
        super().__init__()
        self._view = TimelineView(Visible(""))
        self._made_of: tuple[Report | None] | None = None

    def compose(self) -> ComposeResult:
        """The counts over time, the moments, the chosen one in full, the keys."""
        with Vertical():
            yield Lines(id="head")
            yield PickList(id="moments")
            yield Lines(id="chosen")
            yield Lines(id="said")
            yield Keys(footer(self.KEYS))

    def on_mount(self) -> None:
        """Keys go to the list."""
        self.query_one("#moments", PickList).focus()

    def paint(self, state: State) -> None:
        """Show the timeline; it is made anew only when the walk has ended."""
        cursor = None
        if self._made_of != (state.report,):
            self._made_of = (state.report,)
            self._view = _made(self.wizard.driver.session, state.report)
            cursor = self._view.cursor
        width = self.app.size.width - 2
        self.query_one("#head", Lines).show(_head(self._view, width))
        rows = tuple(Row(_row(one, width - 1, self._view)) for one in self._view.rows)
        self.query_one("#moments", PickList).show(rows, cursor)
        self.query_one("#said", Lines).show(wrapped(state.said, width)[:2] if state.said else [])
        self._paint_chosen()

    def on_pick_list_moved(self) -> None:
        """Another moment."""
        self._paint_chosen()

    def action_first(self) -> None:
        """Go to the first error."""
        moments = self.query_one("#moments", PickList)
        moments.show(moments.rows, self._view.cursor)
        self._paint_chosen()

    def action_logs(self) -> None:
        """Show the lines behind."""
        from wizard.tui.logs_screen import LogsScreen  # noqa: PLC0415 - each of the two leads to the other

        self.app.switch_screen(LogsScreen())

    def action_leave(self) -> None:
        """Back."""
        self.app.pop_screen()

    def _paint_chosen(self) -> None:
        width = self.app.size.width - 2
        cursor = self.query_one("#moments", PickList).cursor
        shown = [Content("-" * width)]
        if cursor < len(self._view.rows):
            one = self._view.rows[cursor]
            shown += wrapped(Visible(f"{one.what} ({one.source})"), width)[:_DETAIL]
        self.query_one("#chosen", Lines).show(shown)


def _made(session: Session | None, report: Report | None) -> TimelineView:
    return timeline_view(timeline(session, concluded(report)) if session is not None else Timeline())


def _head(shown: TimelineView, width: int) -> list[Content]:
    lines = [line((cut(shown.heading, width), STRONG))]
    if shown.spark:
        fits = cells(shown.spark) + 2 + cells(shown.about_spark) <= width
        lines.append(spread(shown.spark if fits else shown.short_spark, shown.about_spark, width))
    lines.append(Content("-" * width))
    if shown.note:
        lines += [*wrapped(shown.note, width), Content("")]
    if shown.step:
        indent = " " * (1 + (_DAY if _has_days(shown) else 0))
        lines.append(line((Visible(f"{indent}{'time':<9}failures in {shown.step}"), PLAIN)))
    return lines


def _has_days(shown: TimelineView) -> bool:
    return any(one.day for one in shown.rows)


def _row(one: TimelineRow, width: int, shown: TimelineView) -> Content:
    """A moment in one line: day, time, the failures around it, what, where it is written."""
    wide = width >= WIDE - 3
    left = [(padded(one.day, _DAY), PLAIN)] if _has_days(shown) else []
    left.append((padded(one.time, 9), PLAIN))
    if shown.step:
        left.append((Visible(f"{one.count:>5} {one.level or ' '} "), PLAIN))
    mark = padded(_MARK, 6) if one.first_error else Visible("")
    room = width - sum(cells(text) for text, _ in left) - cells(mark) - (_SOURCE + 1 if wide else 0)
    style = STRONG if one.first_error else PLAIN
    what = padded(one.what, room) if wide else cut(one.what, room)
    spans = [*left, (mark, "bold ansi_red"), (what, style)]
    return line(*spans, *([(Visible(" "), PLAIN), (cut(one.source, _SOURCE), PLAIN)] if wide else []))
