"""The palette: everything that the keys of a screen do, found by a few letters of what it is called.

Owns how it is searched. May not know what a key does; whoever opens it does what was chosen.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input

from wizard.text import Visible
from wizard.tui.keys import Key
from wizard.tui.widgets.lines import PLAIN, STRONG, line
from wizard.tui.widgets.pick_list import PickList, Row
from wizard.tui.widgets.text_pane import Keys, Lines
from wizard.views.words import cut, padded

_LABEL = 7
_NAME = 16


class PaletteScreen(ModalScreen[Key | None]):
    """A line to type in, and the keys that fit it."""

    DEFAULT_CSS = """
    PaletteScreen { background: $background; }
    PaletteScreen > Vertical { padding: 0 1; }
    PaletteScreen #typed { height: 1; border: none; padding: 0; }
    PaletteScreen #found { margin-top: 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,ctrl+p", "none", show=False),
        Binding("down", "move(1)", show=False, priority=True),
        Binding("up", "move(-1)", show=False, priority=True),
    ]

    def __init__(self, keys: Iterable[Key]) -> None:
        super().__init__()
        self._keys = tuple(key for key in keys if key.action != "palette")
        self._found = self._keys

    def compose(self) -> ComposeResult:
        """The line, what fits it, the keys."""
        with Vertical():
            yield Lines(id="title")
            typed = Input(placeholder="type a few letters", id="typed", select_on_focus=False)
            typed.cursor_blink = False
            yield typed
            yield PickList(id="found")
            yield Keys((("Enter", "do it"), ("Up Down", "choose"), ("Esc", "back")))

    def on_mount(self) -> None:
        """Letters go to the line."""
        self.query_one("#title", Lines).show([line((Visible("What would you like to do?"), STRONG))])
        self.query_one(Input).focus()

    def on_resize(self) -> None:
        """Lay the list out in the new width."""
        self._show(0)

    def on_input_changed(self, event: Input.Changed) -> None:
        """Show what fits."""
        self._found = fitting(self._keys, event.value)
        self._show(0)

    def on_input_submitted(self) -> None:
        """Enter gives what is chosen."""
        at = self.query_one(PickList).cursor
        self.dismiss(self._found[at] if at < len(self._found) else None)

    def on_pick_list_picked(self, event: PickList.Picked) -> None:
        """The list was clicked or entered."""
        self.dismiss(self._found[event.index])

    def action_move(self, by: int) -> None:
        """Choose another one, while letters go to the line."""
        self.query_one(PickList).action_move(by)

    def action_none(self) -> None:
        """Do nothing."""
        self.dismiss(None)

    def _show(self, cursor: int) -> None:
        width = max(20, self.app.size.width - 4)
        rows = [
            Row(
                line(
                    (padded(Visible(key.label), _LABEL), STRONG),
                    (padded(Visible(key.name), _NAME), PLAIN),
                    (cut(Visible(key.said), width - _LABEL - _NAME), PLAIN),
                )
            )
            for key in self._found
        ]
        self.query_one(PickList).show(tuple(rows), cursor)


def fitting(keys: Iterable[Key], typed: str) -> tuple[Key, ...]:
    """The keys that fit what was typed: its words in the name, then in the sentence; else its letters in their order."""
    wanted = typed.lower().split()
    known = tuple(keys)
    named = [key for key in known if all(word in key.name.lower() for word in wanted)]
    said = [key for key in known if key not in named and all(word in _text(key) for word in wanted)]
    return tuple(named + said) or tuple(key for key in known if _scattered("".join(wanted), _text(key)))


def _text(key: Key) -> str:
    return f"{key.label} {key.name} {key.said}".lower()


def _scattered(wanted: str, text: str) -> bool:
    letters = iter(text)
    return all(letter in letters for letter in wanted)
