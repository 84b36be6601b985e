"""Trees and causes by name: what a run walks by.

Owns that shape. May not know where they come from.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from wizard.flow.language import Cause, Flow, Path, Place, Problem


class Library(msgspec.Struct, frozen=True):
    """Flows and causes by name. `problems` are those of loading; `places` tells where each part stands."""

    flows: Mapping[str, Flow] = msgspec.field(default_factory=dict)
    causes: Mapping[str, Cause] = msgspec.field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    places: Mapping[Path, Place] = msgspec.field(default_factory=dict)
