"""Where flow files lie: those of the program, and a person's own.

Owns the locations. May not read the environment or the files: it is told the environment, and gives folders.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

SYSTEM_FLOWS = Path("/etc/gateway-wizard/flows")


def flows_root() -> Traversable:
    """The folder of the program's own flows: packaged beside the code, or at the top of a checkout."""
    packaged = resources.files("wizard").joinpath("_flows")
    if packaged.is_dir():
        return packaged
    return Path(__file__).resolve().parents[2] / "flows"


def compiled_flows() -> Traversable:
    """What was made of the program's own flows when it was built; there need be no such file."""
    return resources.files("wizard").joinpath("_flows.msgpack")


def own_flows(environment: Mapping[str, str]) -> tuple[Path, ...]:
    """The folders of a person's own flows, in the order in which later ones win: the system's, then the user's.

    Relative values of XDG_CONFIG_HOME are ignored, as the XDG Base Directory Specification asks.
    """
    configured = Path(environment.get("XDG_CONFIG_HOME", ""))
    if configured.is_absolute():
        return SYSTEM_FLOWS, configured / "gateway-wizard" / "flows"
    home = Path(environment.get("HOME", ""))
    if home.is_absolute():
        return SYSTEM_FLOWS, home / ".config" / "gateway-wizard" / "flows"
    return (SYSTEM_FLOWS,)
