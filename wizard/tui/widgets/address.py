"""The line in which a target is typed. Several lines that are pasted into it are no target: it hands them on.

Owns that, and that its cursor does not blink: a still screen sends nothing.
"""

from __future__ import annotations

from textual import events
from textual.message import Message
from textual.widgets import Input


class Address(Input):
    """A line for a URL, a host name or an upstream."""

    class LinesPasted(Message):
        """Several lines were pasted."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    def on_mount(self) -> None:
        """A still cursor."""
        self.cursor_blink = False

    def on_paste(self, event: events.Paste) -> None:
        """One line is typed for the person; several are handed on."""
        if len(event.text.strip().splitlines()) > 1:
            event.prevent_default()
            event.stop()
            self.post_message(self.LinesPasted(event.text))
