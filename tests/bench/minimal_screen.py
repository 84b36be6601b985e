"""The least that a Textual app can show: a line of text and a footer. What is measured against it pays for Textual too."""

from __future__ import annotations

from textual.app import App, ComposeResult
from textual.widgets import Footer, Static


class Minimal(App[None]):
    """One line."""

    def compose(self) -> ComposeResult:
        """The line, and a footer."""
        yield Static("Here I am")
        yield Footer()


if __name__ == "__main__":
    Minimal().run(mouse=False)
