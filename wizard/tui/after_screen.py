"""The After screen: what the same path gives now beside what it gave before, and a watch that counts for a minute.

Owns its layout. Its keys are those of every screen of a walk that has ended.
"""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content

from wizard.text import Visible, cells
from wizard.tui.ending_screen import AGAIN, REPORT, SHELL, WATCH, EndingScreen
from wizard.tui.keys import Key, bindings, footer
from wizard.tui.port import State
from wizard.tui.widgets.lines import PLAIN, STRONG, Span, labelled, line, role, spread, wrapped
from wizard.tui.widgets.text_pane import Keys, Lines, Pane
from wizard.views.after import AfterView, Row, after_view
from wizard.views.words import age, padded

_STATE = 3
_GAP = 2
_LEFT = 14
_ANSWERS = {"yes": "ok", "no": "NO", "?": "?"}


class AfterScreen(EndingScreen):
    """Before and after."""

    DEFAULT_CSS = """
    AfterScreen > Vertical { padding: 0 1; }
    AfterScreen #after { height: 1fr; }
    """
    KEYS = (
        AGAIN,
        WATCH,
        SHELL,
        REPORT,
        Key("escape,b", "leave", "Esc", "back", "stop a watch that goes on; else back to the diagnosis"),
    )
    BINDINGS: ClassVar[list[BindingType]] = bindings(KEYS)

    def compose(self) -> ComposeResult:
        """The target, before and after, what lasts, the watch, the keys."""
        with Vertical():
            yield Lines(id="head")
            with Pane(id="after"):
                yield Lines(id="table")
            yield Lines(id="status")
            yield Keys(footer(self.KEYS))

    def on_mount(self) -> None:
        """Keys scroll what does not fit."""
        self.query_one(Pane).focus()

    def paint(self, state: State) -> None:
        """Show both attempts."""
        width = self.app.size.width - 2
        shown = after_view(state.report, state.watching)
        self.query_one("#head", Lines).show([spread(shown.target, _doing(state), width), Content("-" * width)])
        self.query_one("#table", Lines).show(_lines(shown, width - 2, checking=state.running and not state.watching))
        self.query_one("#status", Lines).show(wrapped(state.said, width)[:2] if state.said else [])

    def tick(self, state: State) -> None:
        """A second of a watch or of a walk has passed."""
        self.paint(state)

    async def action_leave(self) -> None:
        """Stop the watch; where none goes on, back to the diagnosis."""
        if self.wizard.state.watching is not None:
            await self.wizard.driver.end()
        else:
            self.app.pop_screen()


def _doing(state: State) -> Visible:
    if not state.running:
        return Visible("")
    if state.watching is not None:
        return Visible("watching; Esc stops")
    return Visible(f"checking again, {age(state.elapsed)} of {age(state.deadline)}")


def _lines(shown: AfterView, width: int, *, checking: bool) -> list[Content]:
    lines: list[Content] = []
    if checking:
        lines += [
            *wrapped(Visible("Walking the path again, with the same request ..."), width, style=STRONG),
            Content(""),
        ]
    elif shown.said:
        word = Visible(f"{shown.word}  " if shown.word else "")
        first, *rest = wrapped(shown.said, width, indent=cells(word), style=STRONG)
        lines += [Content("").join([Content.styled(word, role(shown.word)), first[cells(word) :]]), *rest, Content("")]
    for number, said in enumerate(shown.watched):
        lines += labelled(Visible("" if number else "watched"), said, width, left=_LEFT)
    lines += [Content("")] if shown.watched else []
    if shown.rows and not checking:
        lines += _table(shown.rows, width)
    if shown.lasts and not checking:
        lines += _lasting(shown, width)
    if not lines:
        lines += wrapped(Visible("v walks the path again, w watches it for a minute."), width)
    return lines


def _table(rows: tuple[Row, ...], width: int) -> list[Content]:
    """Columns as wide as what they hold, within the width."""
    what, before, after = _widths(rows, width - 2 * (_STATE + 1 + _GAP))
    gap = Visible(" " * _GAP)

    def cell(word: Visible, said: Visible, room: int, style: str = PLAIN) -> list[Span]:
        return [(gap, PLAIN), (padded(word, _STATE), role(word)), (Visible(" "), PLAIN), (padded(said, room), style)]

    blank = Visible("")
    heading = [(padded(blank, what), PLAIN), *cell(blank, Visible("before"), before, STRONG)]
    lines = [line(*heading, *cell(blank, Visible("after"), after, STRONG))]
    lines += [
        line(
            (padded(row.what, what), PLAIN),
            *cell(row.before_word, row.before, before),
            *cell(row.after_word, row.after, after),
        )
        for row in rows
    ]
    return [*lines, Content("")]


def _widths(rows: tuple[Row, ...], room: int) -> tuple[int, int, int]:
    """What each column needs; where that is too much, the widest gives way."""
    widths = [
        max(cells(row.what) for row in rows),
        *(
            max(6, *(cells(text) for text in column))
            for column in zip(*((row.before, row.after) for row in rows), strict=True)
        ),
    ]
    while sum(widths) > room and max(widths) > 6:
        widths[widths.index(max(widths))] -= 1
    return widths[0], widths[1], widths[2]


def _lasting(shown: AfterView, width: int) -> list[Content]:
    """Each restart with its answer, the reasons below one another."""
    lines = [line((Visible("Survives"), STRONG))]
    what = ""
    for one in shown.lasts:
        label = Visible("") if one.what == what else one.what
        what = one.what
        answer = padded(one.answer, 5)
        left = 24
        told = wrapped(one.because, width, indent=left + 5)
        first = [(padded(label, left), PLAIN), (answer, role(Visible(_ANSWERS.get(one.answer, "?"))))]
        lines += [Content("").join([line(*first), told[0][left + 5 :]]), *told[1:]]
        if one.run:
            lines += wrapped(Visible(f"lasting: {one.run}"), width, indent=left + 5)
    return [*lines, Content("")]
