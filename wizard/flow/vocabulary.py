"""The names that flows and causes may use: checks with their outcomes and values, and the variables of a subject.

Owns `Vocabulary`, the order of scopes, and the outcomes of a person's own command. May not know the functions behind
the names: whoever owns the checks passes them in.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import msgspec

SCOPES = ("host", "route", "server")  # widest first
UNKNOWN = "unknown"
COMMAND_OUTCOMES = ("succeeded", "failed", UNKNOWN)  # of an `argv` step: status 0, another status, could not be run

Observations = tuple[tuple[str, tuple[str, ...]], ...]  # check names with the outcomes that fit


class CheckWords(Protocol):
    """What a data file may know of a check: its scope, its outcomes with the values that each one carries."""

    @property
    def scope(self) -> str:
        """One of SCOPES."""
        ...

    @property
    def outcomes(self) -> Mapping[str, tuple[str, ...]]:
        """Each outcome with the names of the values it always carries; `unknown` is among them."""
        ...

    @property
    def bad(self) -> frozenset[str]:
        """The outcomes in which reality departs from what a working path needs."""
        ...


class Vocabulary(msgspec.Struct, frozen=True):
    """All checks by name, and per scope the template variables that a subject of that scope has of itself.

    `variables` names what each scope adds (`{"server": {"server.address"}}`); a narrower subject has those of the
    wider ones too.
    """

    checks: Mapping[str, CheckWords]
    variables: Mapping[str, frozenset[str]] = msgspec.field(default_factory=dict)

    def scope_of(self, check: str) -> str | None:
        """The scope of a check; None where no check has that name."""
        words = self.checks.get(check)
        return None if words is None else str(words.scope)

    def values(self, check: str, outcome: str) -> tuple[str, ...]:
        """The names of the values that an outcome carries; empty where check or outcome is not declared."""
        words = self.checks.get(check)
        return () if words is None else tuple(words.outcomes.get(outcome, ()))

    def subject_variables(self, scope: str) -> frozenset[str]:
        """The variables that a subject of this scope has, those of wider scopes included."""
        wider = SCOPES[: rank(scope) + 1]
        return frozenset[str]().union(*(self.variables.get(each, frozenset()) for each in wider))


def rank(scope: str) -> int:
    """The place of a scope from the widest (0) to the narrowest.

    Raises:
        ValueError: the scope is none of SCOPES.
    """
    return SCOPES.index(scope)


def narrower(scope: str) -> str | None:
    """The scope directly below; None for the narrowest."""
    index = rank(scope) + 1
    return SCOPES[index] if index < len(SCOPES) else None


def outcome_sets(observations: Observations) -> dict[str, frozenset[str]]:
    """Observations as sets by check."""
    return {check: frozenset(outcomes) for check, outcomes in observations}
