"""Directives of a gateway's configuration by their place: which one holds somewhere, and the tree without one.

Owns the search in the tree. May not know what a directive means, or why it is looked for.
"""

from __future__ import annotations

import msgspec

from wizard.checks.edits import cut, replaced
from wizard.checks.registry import Edit
from wizard.gateways.nginx.tree import Configuration, Directive
from wizard.model import Place


def chain_to(configuration: Configuration, at: Place) -> tuple[Directive, ...]:
    """The blocks around a place, outermost first, the directive at the place last; empty where none begins there."""
    found: list[Directive] = []

    def search(directives: list[Directive], depth: int) -> bool:
        for directive in directives:
            found.append(directive)
            if directive.at == at:
                return True
            if directive.block and depth and search(directive.block, depth - 1):
                return True
            found.pop()
        return False

    search(configuration.tree, 40)
    return tuple(found)


def holding(configuration: Configuration, at: Place, name: str) -> Directive | None:
    """The directive of a name that holds at a place: on the nearest level around it that has one."""
    for around in reversed(chain_to(configuration, at)):
        own = around.last(name)
        if own is not None:
            return own
    return configuration.last(name)


def without(configuration: Configuration, at: Place) -> Configuration:
    """The configuration as it would be if the directives that begin at a place were not there."""
    return msgspec.structs.replace(configuration, tree=_without(configuration.tree, at), _derived={})


def _without(directives: list[Directive], at: Place) -> list[Directive]:
    kept: list[Directive] = []
    for directive in directives:
        if directive.at == at:
            continue
        block = directive.block
        kept.append(directive if block is None else msgspec.structs.replace(directive, block=_without(block, at)))
    return kept


def with_word(configuration: Configuration | None, directive: Directive | None, old: str, new: str) -> Edit | None:
    """The edit that writes one word of a directive anew."""
    return replaced(configuration, directive.at, old, new) if directive is not None else None


def taken_out(configuration: Configuration, directive: Directive) -> Edit | None:
    """The edit that takes a directive of one line out; None where it is a block or goes on over more lines."""
    if directive.block is not None or directive.last_line != directive.line:
        return None
    return cut(configuration, directive.at, directive.name)
