"""What stands around a log line, taken off layer by layer.

Owns the order in which layers are taken off. May not know the programs behind the lines: a layer is offered to their
readers before the next one is taken off, so that nothing of a program's own notation is mistaken for a wrapping.
"""

from __future__ import annotations

from collections.abc import Iterator

from wizard.logs.cleaning import cleaned
from wizard.logs.collectors import from_json, from_logfmt
from wizard.logs.hints import Hints
from wizard.logs.prefixes import plain, stamped, tagged, unquoted

LAYERS = 12  # nobody nests deeper; a hostile line ends there


def layers(text: str, hints: Hints) -> Iterator[tuple[str, Hints]]:
    """The line, then what is inside each wrapping, the outermost first, each with what its surroundings said."""
    current = cleaned(text)
    for _ in range(LAYERS):
        if not current:
            return
        yield current, hints
        peeled = _peeled(current, hints)
        if peeled is None:
            return
        inside, hints = peeled
        inside = cleaned(inside)
        if len(inside) >= len(current) and inside == current:
            return
        current = inside


def _peeled(text: str, hints: Hints) -> tuple[str, Hints] | None:
    """The inside of the outermost wrapping, None where nothing stands around the text any more."""
    first = text[0]
    if first == "{" and text[1:].lstrip()[:1] in {'"', ""} and (inside := from_json(text, hints)) is not None:
        return inside
    if first in "`\"'*_|>&b{<m" and (bare := unquoted(text)) is not None:
        return bare, hints
    if (inside := stamped(text, hints) or plain(text, hints) or tagged(text, hints)) is not None:
        return inside
    return from_logfmt(text, hints) if "=" in text else None
