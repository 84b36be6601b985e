"""The levels of a configuration (http, server, location, if, limit_except) and what each inherits.

Owns how a setting is looked up from the inside out. May not know what a setting means. A directive that is absent on
a level comes from the nearest level around it that has it; of a directive that may be repeated, the nearest level
that has any gives all of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum

from wizard.gateways.nginx.tree import Directive
from wizard.model import Place


class Kind(StrEnum):
    """What opened a level."""

    HTTP = "http"
    SERVER = "server"
    LOCATION = "location"
    IF = "if"
    LIMIT_EXCEPT = "limit_except"


class Level:
    """One block whose settings hold for a request, and the level around it."""

    __slots__ = ("_by_name", "at", "directives", "kind", "outer")

    def __init__(self, kind: Kind, directives: list[Directive], at: Place, outer: Level | None) -> None:
        self.kind = kind
        self.directives = directives
        self.at = at
        self.outer = outer
        self._by_name: dict[str, list[Directive]] | None = None

    def own(self, name: str) -> list[Directive]:
        """The directives of this name that stand on this level itself."""
        if self._by_name is None:
            self._by_name = {}
            for directive in self.directives:
                self._by_name.setdefault(directive.name, []).append(directive)
        return self._by_name.get(name, [])

    def outwards(self) -> Iterator[Level]:
        """This level and those around it, innermost first."""
        level: Level | None = self
        while level is not None:
            yield level
            level = level.outer

    def every(self, name: str) -> list[Directive]:
        """All directives of this name on the nearest level that has any."""
        return next((own for level in self.outwards() if (own := level.own(name))), [])

    def nearest(self, name: str) -> Directive | None:
        """The directive of this name that holds here."""
        own = self.every(name)
        return own[0] if own else None

    def word(self, name: str, default: str = "") -> str:
        """The first argument of the directive that holds here."""
        directive = self.nearest(name)
        return directive.args[0] if directive is not None and directive.args else default

    def flag(self, name: str, *, default: bool = False) -> bool:
        """Whether a switch is on here."""
        word = self.word(name).lower()
        return word == "on" if word else default
