"""Text that scrolls, and the line of keys at the foot of a screen.

Owns how both are laid out in a width. May not know what they say.
"""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content, Span
from textual.widgets import Static

from wizard.text import Visible, cells
from wizard.tui.sizes import LOW
from wizard.tui.widgets.lines import PLAIN, STRONG, line, stacked


class Lines(Static):
    """Content that was laid out in lines before; it is not wrapped again."""

    DEFAULT_CSS = "Lines { text-wrap: nowrap; text-overflow: clip; height: auto; }"

    _shown: tuple[tuple[str, tuple[Span, ...]], ...] | None = None

    def show(self, lines: list[Content]) -> None:
        """Show these lines; the same lines once more are not sent to the terminal again."""
        key = tuple((line.plain, tuple(line.spans)) for line in lines)
        if key == self._shown:
            return
        self._shown = key
        self.display = bool(lines)
        self.update(stacked(lines))


class Pane(VerticalScroll, can_focus=True):
    """A column of lines that scrolls."""

    DEFAULT_CSS = """
    Pane {
        scrollbar-size-vertical: 1;
        scrollbar-color: ansi_white;
        scrollbar-background: ansi_default;
        scrollbar-corner-color: ansi_default;
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("k", "scroll_up", show=False),
        Binding("j", "scroll_down", show=False),
    ]


class Keys(Static):
    """Every key of a screen, in one line or as many as the width needs; on a low terminal one line, and where the rest is."""

    DEFAULT_CSS = "Keys { height: auto; dock: bottom; text-wrap: nowrap; }"

    def __init__(self, keys: tuple[tuple[str, str], ...]) -> None:
        super().__init__("", markup=False)
        self._keys = tuple((Visible(key), Visible(name)) for key, name in keys)

    def render(self) -> Content:
        """The keys with their names, broken between two of them."""
        return stacked(self._lines(self.size.width))

    def get_content_height(self, container: object, viewport: object, width: int) -> int:
        """As many lines as the keys need in this width."""
        del container, viewport
        return len(self._lines(width))

    def _lines(self, width: int) -> list[Content]:
        room = max(20, width)
        return keys_lines(self._keys if self.app.size.height >= LOW else fitting(self._keys, room), room)


def fitting(keys: tuple[tuple[Visible, Visible], ...], width: int) -> tuple[tuple[Visible, Visible], ...]:
    """The first keys, as far as one line takes them with the help beside them, which tells of the others."""
    last = tuple(key for key in keys if key[0] == "?")
    kept = [key for key in keys if key not in last]
    while kept and sum(cells(key) + cells(name) + 3 for key, name in (*kept, *last)) - 2 > width:
        kept.pop()
    return (*kept, *last)


def keys_lines(keys: tuple[tuple[Visible, Visible], ...], width: int) -> list[Content]:
    """Keys and names laid out in a width, names in plain and keys in bold."""
    lines: list[list[tuple[Visible, str]]] = [[]]
    used = 0
    for key, name in keys:
        needs = cells(key) + (1 + cells(name) if name else 0)
        if used and used + 2 + needs > width:
            lines.append([])
            used = 0
        if used:
            lines[-1].append((Visible("  "), PLAIN))
            used += 2
        lines[-1] += [(key, STRONG), (Visible(f" {name}" if name else ""), PLAIN)]
        used += needs
    return [line(*spans) for spans in lines]
