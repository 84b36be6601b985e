"""A command as a card: what it does, what it changes and needs, the command in full, how to undo it.

Owns the layout of one card. It can have the focus, and shows that with a `>`.
"""

from __future__ import annotations

from textual.content import Content
from textual.geometry import Size
from textual.widget import Widget

from wizard.text import Visible
from wizard.tui.widgets.lines import PLAIN, STRONG, line, stacked, wrapped
from wizard.views.diagnosis import Card


class CardBox(Widget, can_focus=True):
    """One command."""

    DEFAULT_CSS = "CardBox { height: auto; margin-bottom: 1; text-wrap: nowrap; text-overflow: clip; }"

    def __init__(self, card: Card) -> None:
        super().__init__()
        self.card = card

    def render(self) -> Content:
        """The card in its width."""
        return stacked(card_lines(self.card, max(20, self.size.width), focused=self.has_focus))

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """As many lines as the command needs."""
        del container, viewport
        return len(card_lines(self.card, max(20, width), focused=False))


def card_lines(card: Card, width: int, *, focused: bool) -> list[Content]:
    """A card laid out in a width; commands are wrapped, never cut."""
    head = f"{card.stage} {card.number}"
    mark = Visible(">" if focused else " ")
    marks = Visible(f"  ({', '.join(card.marks)})")
    lines = [line((mark, STRONG), (Visible(f"{head:<10}"), STRONG), (Visible(""), PLAIN))]
    said = wrapped(Visible(f"{card.why}{marks}"), width, indent=11)
    lines[0] = Content("").join([lines[0], said[0][11:]])
    lines += said[1:]
    lines += wrapped(card.run, width, indent=4, style="bold reverse" if focused else STRONG)
    for changed in card.diff:
        lines += wrapped(changed, width, indent=6)
    if card.undo:
        lines += wrapped(Visible(f"undo: {card.undo}"), width, indent=4)
    return lines
