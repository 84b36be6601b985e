"""The last door of a report: whatever wrote a text into it, none leaves that a terminal would act on.

Owns nothing but the passage. Every part has made its foreign texts visible where it knew how long they may be; here
they pass once more, uncut, so that one that was forgotten does no harm. Only excerpts and diffs have lines: everywhere
else a line break would let a foreign text pass for one of the report's own lines.
"""

from __future__ import annotations

from typing import cast

import msgspec

from wizard.session.report import EditPart, EvidencePart, Report
from wizard.text import one_line, visible

_UNCUT = 1 << 20


def through_the_door(report: Report) -> Report:
    """The report with every text in it visible."""
    return cast("Report", _passed(report))


def _passed(value: object) -> object:
    if isinstance(value, str):
        return one_line(value, limit=_UNCUT)
    if isinstance(value, msgspec.Struct):
        changed = {name: _passed(getattr(value, name)) for name in value.__struct_fields__}
        if isinstance(value, EditPart):
            changed["diff"] = with_tabs(value.diff)
        if isinstance(value, EvidencePart):
            changed["excerpt"] = visible(value.excerpt, limit=_UNCUT)
        return type(value)(**changed)
    if isinstance(value, tuple):
        return tuple(_passed(one) for one in value)
    if isinstance(value, dict):
        return {_passed(key): _passed(one) for key, one in value.items()}
    return value


def with_tabs(text: str) -> str:
    """Visible text in which a tab stays what it is: patch(1) compares every character, and a tab harms no terminal."""
    return "\t".join(visible(part, limit=_UNCUT) for part in text.split("\t"))
