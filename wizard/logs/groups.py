"""Lines that say the same, as one group with a count: what a person reads of a log of thousands of lines.

Owns which lines make a group, and the order of the groups. May not know how a line is recognised or printed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import msgspec

from wizard.logs.shapes import Meaning, Told

UNEXPLAINED = "other"  # the word for an error that is in no program's table


class Group(msgspec.Struct):
    """Lines that say the same, perhaps of several upstreams.

    `meaning` is that of the first line, `upstreams` says how many lines name which. `first` and `last` are seconds
    since the epoch, None where no line has a time.
    """

    meaning: Meaning
    upstreams: Counter[str]
    count: int
    first_line: int
    last_line: int
    first: int | None
    last: int | None


class Grouped(msgspec.Struct, frozen=True):
    """A text in groups: what failed, errors that nobody can explain, and how many lines are neither.

    `harmless` counts lines by program; `unknown` counts lines that hold something and were not recognised.
    """

    failures: tuple[Group, ...]
    unexplained: tuple[Group, ...]
    harmless: tuple[tuple[str, int], ...]
    unknown: int


def grouped(lines: Iterable[Told]) -> Grouped:
    """The lines of a text in groups, the largest first.

    Args:
        lines: what each line means, in order; an empty line or the rest of a broken message is not to be among them.
    """
    groups: dict[tuple[object, ...], Group] = {}
    unknown = 0
    for number, meaning, time in lines:
        if meaning is None:
            unknown += 1
            continue
        key = (meaning.program, meaning.symptom, meaning.phase, meaning.errno, meaning.causes)
        group = groups.get(key)
        if group is None:
            groups[key] = group = Group(meaning, Counter(), 0, number, number, time, time)
        group.count += 1
        group.last_line = number
        if meaning.upstream is not None:
            group.upstreams[meaning.upstream] += 1
        if time is not None:
            group.first = time if group.first is None else min(group.first, time)
            group.last = time if group.last is None else max(group.last, time)
    ordered = sorted(groups.values(), key=lambda group: (-group.count, group.first_line))
    failures = tuple(group for group in ordered if group.meaning.causes)
    unexplained = tuple(group for group in ordered if not group.meaning.causes and group.meaning.symptom == UNEXPLAINED)
    harmless: Counter[str] = Counter()
    for group in ordered:
        if not group.meaning.causes and group.meaning.symptom != UNEXPLAINED:
            harmless[group.meaning.program] += group.count
    return Grouped(failures, unexplained, tuple(harmless.most_common()), unknown)
