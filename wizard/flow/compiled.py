"""The program's own trees in the form in which they are read fastest: reading YAML is a sixth of a short run.

Owns that form. It is written when the program is built (`python -m wizard.flow.compiled`), never while it runs, and
counts only where it was made of the files as they stand, by the loader as it stands. May not know a person's own flows.
"""

from __future__ import annotations

import hashlib
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from types import MappingProxyType

import msgspec

from wizard.flow.data import compiled_flows
from wizard.flow.language import Cause, Flow
from wizard.flow.library import Library

_CAUSES = "causes"
_LOADER = ("folders.py", "language.py", "load.py", "nodes.py", "reading.py", "templates.py", "vocabulary.py")


class _Compiled(msgspec.Struct, frozen=True):
    """What was made of which sources."""

    sources: str
    flows: tuple[Flow, ...]
    causes: tuple[Cause, ...]


def read(root: Traversable, compiled: Traversable) -> Library | None:
    """The trees of a folder, without the places of their parts; None where they have to be read as they were written.

    Args:
        root: the folder of the program's own flows.
        compiled: the file that was made of it.
    """
    try:
        found = msgspec.msgpack.decode(compiled.read_bytes(), type=_Compiled)
        if found.sources != _sources(root):
            return None
    except (OSError, msgspec.MsgspecError):
        return None
    return Library(
        flows=MappingProxyType({flow.name: flow for flow in found.flows}),
        causes=MappingProxyType({cause.name: cause for cause in found.causes}),
    )


def write(root: Path, compiled: Path) -> None:
    """Compile a folder.

    Raises:
        ValueError: there is a problem in it.
        OSError: a file cannot be read or written.
    """
    from wizard.flow.folders import load_directory  # noqa: PLC0415 - reading YAML is what readers do without

    library = load_directory(root)
    if library.problems:
        raise ValueError(str(library.problems[0]))
    made = _Compiled(_sources(root), tuple(library.flows.values()), tuple(library.causes.values()))
    compiled.write_bytes(msgspec.msgpack.encode(made))


def _sources(root: Traversable) -> str:
    """What tells one state of the files and of their loader from another."""
    state = hashlib.blake2b(digest_size=16)
    folders = (root, root.joinpath(_CAUSES))
    files = [file for folder in folders for file in sorted(folder.iterdir(), key=lambda one: one.name)]
    loader = resources.files("wizard.flow")
    for file in (*(one for one in files if one.name.endswith(".yaml")), *(loader.joinpath(name) for name in _LOADER)):
        content = file.read_bytes()
        state.update(f"{file.name} {len(content)}\n".encode())
        state.update(content)
    return state.hexdigest()


if __name__ == "__main__":
    write(Path("flows"), Path(str(compiled_flows())))
