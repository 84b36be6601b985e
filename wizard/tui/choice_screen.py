"""A question to the person: one of several choices, or a line of text. Escape gives none.

Owns the two small dialogs. May not know what the answer is for.
"""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input

from wizard.text import Visible
from wizard.tui.widgets.lines import STRONG, wrapped
from wizard.tui.widgets.pick_list import PickList, Row
from wizard.tui.widgets.text_pane import Keys, Lines

Choice = tuple[str, Visible]

_CSS = """
{name} {{ background: $background; }}
{name} > Vertical {{ padding: 1 2; }}
{name} Lines {{ margin-bottom: 1; }}
"""


class ChoiceScreen(ModalScreen[str | None]):
    """Several choices, of which one is picked with the arrows and Enter, or by its number."""

    DEFAULT_CSS = _CSS.format(name="ChoiceScreen")
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "none", show=False),
        *[Binding(str(number), f"number({number})", show=False) for number in range(1, 10)],
    ]

    def __init__(self, question: Visible, choices: tuple[Choice, ...], why: Visible = Visible("")) -> None:  # noqa: B008 - an immutable text
        super().__init__()
        self._question = question
        self._why = why
        self._choices = choices

    def compose(self) -> ComposeResult:
        """The question, why it is asked, the choices."""
        with Vertical():
            yield Lines(id="question")
            yield PickList()
            yield Keys((("Enter", "choose"), ("1-9", "choose"), ("Esc", "none of these")))

    def on_mount(self) -> None:
        """The first choice is picked."""
        picks = self.query_one(PickList)
        rows = [Row(Content(f" {number}  {label}")) for number, (_, label) in enumerate(self._choices, 1)]
        picks.show(tuple(rows), 0)
        picks.focus()

    def on_resize(self) -> None:
        """Lay the question out in the new width."""
        width = max(20, self.app.size.width - 6)
        lines = wrapped(self._question, width, style=STRONG)
        self.query_one("#question", Lines).show(lines + (wrapped(self._why, width) if self._why else []))

    def on_pick_list_picked(self, event: PickList.Picked) -> None:
        """Give the choice."""
        self.dismiss(self._choices[event.index][0])

    def action_number(self, number: int) -> None:
        """Choose by number."""
        if number <= len(self._choices):
            self.dismiss(self._choices[number - 1][0])

    def action_none(self) -> None:
        """Give no choice."""
        self.dismiss(None)


class LineScreen(ModalScreen[str | None]):
    """A line of text, such as the path of a file."""

    DEFAULT_CSS = (
        _CSS.format(name="LineScreen")
        + """
    LineScreen #line { height: 1; border: none; padding: 0; }
    LineScreen #below { margin-bottom: 0; }
    """
    )
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "none", show=False)]

    def __init__(self, question: Visible, given: str = "", why: Visible = Visible("")) -> None:  # noqa: B008 - an immutable text
        super().__init__()
        self._question = question
        self._given = given
        self._why = why

    def compose(self) -> ComposeResult:
        """The question and the line."""
        with Vertical():
            yield Lines(id="question")
            field = Input(self._given, select_on_focus=False, id="line")
            field.cursor_blink = False
            yield field
            yield Lines(id="below")
            yield Keys((("Enter", "take it"), ("Esc", "back")))

    def on_mount(self) -> None:
        """The line is where keys go."""
        self.query_one(Input).focus()

    def on_resize(self) -> None:
        """Lay the question out in the new width."""
        width = max(20, self.app.size.width - 6)
        lines = wrapped(self._question, width, style=STRONG)
        self.query_one("#question", Lines).show(lines + (wrapped(self._why, width) if self._why else []))
        self.query_one("#below", Lines).show([Content("-" * width)])

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Give the line; an empty one is none."""
        self.dismiss(event.value.strip() or None)

    def action_none(self) -> None:
        """Give none."""
        self.dismiss(None)
