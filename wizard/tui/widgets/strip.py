"""The strip of hops: the path in one line, and under each hop its state as a word.

Owns how labels are shortened until the path fits. May not know what a hop is.
"""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content

from wizard.text import Visible, cells
from wizard.tui.widgets.lines import PLAIN, line, role
from wizard.views.walk import Hop
from wizard.views.words import cut, padded

_LEAST = 4


def strip_lines(hops: Sequence[Hop], width: int) -> list[Content]:
    """Two lines: the labels joined, and the words below them."""
    if not hops:
        return [Content("no route yet"), Content("")]
    join = " --- "
    widths = [max(_LEAST, cells(hop.label)) for hop in hops]
    if sum(widths) + len(join) * (len(hops) - 1) > width:
        join = " - "
    while sum(widths) + len(join) * (len(hops) - 1) > width and max(widths) > _LEAST:
        widths[widths.index(max(widths))] -= 1
    above: list[tuple[Visible, str]] = []
    below: list[tuple[Visible, str]] = []
    for index, (hop, room) in enumerate(zip(hops, widths, strict=True)):
        if index:
            above.append((Visible(join), PLAIN))
            below.append((Visible(" " * len(join)), PLAIN))
        above.append((padded(cut(hop.label, room), room), PLAIN))
        below.append((_centred(hop.word, room), role(hop.word)))
    return [line(*above), line(*below)]


def _centred(word: Visible, width: int) -> Visible:
    return Visible(f"{word:^{width}}")
