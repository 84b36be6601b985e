"""Text over a screen: help, an article, the log of what was asked. Escape leads back.

Owns nothing but its layout. The text that it is given is visible text.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen

from wizard.text import Visible
from wizard.tui.keys import OF_THE_TERMINAL, Key
from wizard.tui.widgets.lines import STRONG, line, wrapped
from wizard.tui.widgets.text_pane import Keys, Lines, Pane

_WORDS = (
    ("ok", "observed, and as a working path needs it"),
    ("NO", "observed, and not as a working path needs it"),
    ("?", "could not be told; the step says why, and what would change it"),
    ("...", "not asked yet"),
    ("-", "not asked, because the walk did not need it"),
)
_LABEL = 8


def help_text(keys: Iterable[Key]) -> tuple[Visible, ...]:
    """The keys of a screen, those of the terminal, and what the words of state mean."""
    return (
        Visible("Keys"),
        *(Visible(f"{key.label:<{_LABEL}} {key.said}") for key in keys),
        *(Visible(f"{label:<{_LABEL}} {said}") for label, said in OF_THE_TERMINAL),
        Visible(""),
        Visible("Words"),
        *(Visible(f"{word:<{_LABEL}} {meaning}") for word, meaning in _WORDS),
        Visible(""),
        Visible("The wizard only looks. It never runs a command that changes this host; it prints them."),
        Visible("--plain is the same walk in lines, for screen readers."),
    )


class TextScreen(ModalScreen[None]):
    """Lines of text that scroll."""

    DEFAULT_CSS = """
    TextScreen { background: $background; }
    TextScreen > Vertical { padding: 0 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q,enter,question_mark,l", "close", show=False)]

    def __init__(self, title: str, text: Iterable[Visible]) -> None:
        super().__init__()
        self._heading = Visible(title)
        self._text = tuple(text)

    def compose(self) -> ComposeResult:
        """A title, the text, the keys."""
        with Vertical():
            yield Lines(id="title")
            with Pane(id="text-pane"):
                yield Lines(id="text")
            yield Keys((("Esc", "back"), ("Up Down PgUp PgDn", "scroll")))

    def on_mount(self) -> None:
        """Keys scroll the text."""
        self.query_one(Pane).focus()

    def on_resize(self) -> None:
        """Lay the text out in the new width."""
        width = max(20, self.app.size.width - 4)
        self.query_one("#title", Lines).show([line((self._heading, STRONG)), Content("-" * (width + 2))])
        self.query_one("#text", Lines).show([one for text in self._text for one in wrapped(text, width)])

    def action_close(self) -> None:
        """Back to the screen below."""
        self.dismiss(None)
