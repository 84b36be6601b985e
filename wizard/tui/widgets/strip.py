"""The strip of hops: the path in one line, and under each hop its state as a word; several servers below one another.

Owns how labels are shortened until the path fits. May not know what a hop is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from textual.content import Content

from wizard.text import Visible, cells
from wizard.tui.widgets.lines import PLAIN, STRONG, line, role
from wizard.views.path import Branch, Hop, Path
from wizard.views.words import NO, cut, padded

_LEAST = 4
_WORD = 4


def strip_lines(path: Path, width: int, most: int = 3) -> list[Content]:
    """The path with one server in two lines; with several, each has a line of its own below, at most `most`."""
    if len(path.branches) < 2:
        return _chain(path.hops, width)
    shown = _chosen(path.branches, most)
    labels = [max(cells(branch.hops[at].label) for branch in shown) for at in range(_hops(shown))]
    used = 3 + (_WORD + 4) * len(labels)
    labels = _shortened(labels, range(len(labels)), sum(labels) + used - width)
    lines = [*_chain(path.shared, width), *(_server(branch, labels) for branch in shown)]
    rest = [branch for branch in path.branches if branch not in shown]
    if rest:
        counted = Counter(branch.word for branch in rest)
        said = ", ".join(f"{count} {word}" for word, count in counted.items())
        lines.append(Content(f"   and {len(rest)} more servers: {said}"))
    return lines


def _chain(hops: Sequence[Hop], width: int) -> list[Content]:
    """Two lines: the labels joined, and the words below them."""
    if not hops:
        return [Content("no route yet"), Content(" ")]
    join = " --- "
    widths = [max(_LEAST, cells(hop.label)) for hop in hops]
    if sum(widths) + len(join) * (len(hops) - 1) > width:
        join = " - "
    over = sum(widths) + len(join) * (len(hops) - 1) - width
    widths = _shortened(widths, [at for at, hop in enumerate(hops) if not hop.firm], over)
    over = sum(widths) + len(join) * (len(hops) - 1) - width
    widths = _shortened(widths, range(len(hops)), over)
    above: list[tuple[Visible, str]] = []
    below: list[tuple[Visible, str]] = []
    for index, (hop, room) in enumerate(zip(hops, widths, strict=True)):
        if index:
            above.append((Visible(join), PLAIN))
            below.append((Visible(" " * len(join)), PLAIN))
        above.append((padded(cut(hop.label, room), room), STRONG if hop.word == NO else PLAIN))
        below.append((Visible(f"{hop.word:^{room}}"), role(hop.word)))
    return [line(*above), line(*below)]


def _server(branch: Branch, widths: list[int]) -> Content:
    spans: list[tuple[Visible, str]] = [(Visible(" > " if branch.looked_at else "   "), STRONG)]
    hops = branch.hops[-len(widths) :]
    for hop, room in zip(hops, widths[-len(hops) :], strict=True):
        spans += [
            (padded(hop.label, room), STRONG if hop.word == NO else PLAIN),
            (Visible("  "), PLAIN),
            (padded(hop.word, _WORD), role(hop.word)),
            (Visible("  "), PLAIN),
        ]
    return line(*spans)


def _hops(branches: Sequence[Branch]) -> int:
    return min(len(branch.hops) for branch in branches)


def _chosen(branches: Sequence[Branch], most: int) -> list[Branch]:
    """The branch that is looked at, those that fail, then the others, as many as there is room for, in their order."""
    ranked = sorted(branches, key=lambda one: (not one.looked_at, one.word != NO))
    wanted = ranked[:most]
    return [branch for branch in branches if branch in wanted]


def _shortened(widths: Sequence[int], which: Sequence[int], over: int) -> list[int]:
    """Widths that are `over` less in sum, as far as that goes: always the longest of those that may be shortened."""
    made = list(widths)
    while over > 0 and any(made[at] > _LEAST for at in which):
        made[max(which, key=lambda at: made[at])] -= 1
        over -= 1
    return made
