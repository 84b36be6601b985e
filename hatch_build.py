"""Compiles the trees into the package while a wheel is built."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class CompileFlows(BuildHookInterface):
    """Writes what `wizard.flow.compiled` reads, and puts it into the wheel."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile before the files of the wheel are gathered."""
        del version
        sys.path.insert(0, self.root)
        from wizard.flow.compiled import write  # noqa: PLC0415 - it lies in the folder that is built
        from wizard.flow.data import compiled_flows  # noqa: PLC0415

        compiled = Path(str(compiled_flows()))
        write(Path("flows"), compiled)  # a build runs in the folder that is built (PEP 517)
        build_data["artifacts"].append(f"/{compiled.relative_to(self.root)}")
