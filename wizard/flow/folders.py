"""Folders of flow and cause files as one library.

Owns how files become a library: trees are `*.yaml` in the folder, causes are `causes/*.yaml` below it, and a later
folder's flow or cause replaces an earlier one of the same name. May not decide who is trusted: the caller says it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from importlib.resources.abc import Traversable
from types import MappingProxyType

import msgspec

from wizard.flow.language import At, Cause, Flow, Path, Place, Problem
from wizard.flow.library import Library
from wizard.flow.load import Loaded, read_causes, read_flow
from wizard.flow.nodes import MAX_CHARACTERS

CAUSES = "causes"
MAX_FILES = 500


class Source(msgspec.Struct, frozen=True):
    """A folder (or one flow file) to load, and whether nobody else could have written it."""

    root: Traversable
    trusted: bool = True


def load_directory(root: Traversable, *, trusted: bool = True) -> Library:
    """Read one folder. One that is not there is empty; a file with problems gives nothing but its problems."""
    return load_library(Source(root, trusted))


def load_library(*sources: Source) -> Library:
    """Read folders or single flow files in order, later ones over earlier ones."""
    flows: dict[str, Flow] = {}
    causes: dict[str, Cause] = {}
    problems: list[Problem] = []
    places: dict[tuple[str, str], Mapping[Path, Place]] = {}
    for source in sources:
        own_flows: dict[str, Flow] = {}
        own_causes: dict[str, Cause] = {}
        for loaded in _read(source):
            problems.extend(loaded.problems)
            if loaded.flow is not None:
                own_flows[loaded.flow.name] = loaded.flow
                places["flow", loaded.flow.name] = loaded.places
            for cause in loaded.causes:
                if cause.name in own_causes:
                    first = own_causes[cause.name].at
                    what = f"two causes are called {cause.name!r}"
                    problems.append(Problem(cause.at, what, f"the other at {first}"))
                own_causes[cause.name] = cause
                places["cause", cause.name] = loaded.places
        flows.update(own_flows)
        causes.update(own_causes)
    return Library(
        flows=MappingProxyType(dict(sorted(flows.items()))),
        causes=MappingProxyType(dict(sorted(causes.items()))),
        problems=tuple(sorted(problems)),
        places=MappingProxyType(
            {path: place for entity, own in places.items() for path, place in own.items() if path[:2] == entity}
        ),
    )


def _read(source: Source) -> Iterable[Loaded]:
    if source.root.is_file():
        yield _flow_file(source.root, source.root.name, trusted=source.trusted)
        return
    for file in _files(source.root):
        if not file.name.endswith(".yaml"):
            yield _refused(str(file), "the names of flow files end in .yaml")
        else:
            yield _flow_file(file, file.name, trusted=source.trusted)
    for file in _files(source.root.joinpath(CAUSES)):
        if not file.name.endswith(".yaml"):
            yield _refused(str(file), "the names of files of causes end in .yaml")
        else:
            text = _text(file)
            yield text if isinstance(text, Loaded) else read_causes(str(file), text)


def _files(folder: Traversable) -> list[Traversable]:
    """The YAML files of a folder in name order (`.yml` too, so that it is noticed); others are not ours."""
    try:
        if not folder.is_dir():
            return []
        entries = sorted(folder.iterdir(), key=lambda entry: entry.name)
        return [each for each in entries if each.name.endswith((".yaml", ".yml")) and each.is_file()][:MAX_FILES]
    except OSError:
        return []


def _flow_file(file: Traversable, name: str, *, trusted: bool) -> Loaded:
    text = _text(file)
    if isinstance(text, Loaded):
        return text
    loaded = read_flow(str(file), text, trusted=trusted)
    stem = name.removesuffix(".yaml")
    if loaded.flow is not None and loaded.flow.name != stem:
        at = loaded.places["flow", loaded.flow.name, "flow"].value
        return Loaded(problems=(Problem(at, f"the flow is called {loaded.flow.name!r}, its file {stem!r}"),))
    return loaded


def _text(file: Traversable) -> str | Loaded:
    """The content of a file, or why there is none. Never more than the limit is read."""
    try:
        with file.open("rb") as stream:
            content = stream.read(MAX_CHARACTERS + 1)
    except OSError as error:
        return _refused(str(file), f"cannot be read: {error.strerror or type(error).__name__}")
    if len(content) > MAX_CHARACTERS:
        return _refused(str(file), f"the file is longer than {MAX_CHARACTERS} bytes")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        before = content[: error.start].decode("utf-8").split("\n")
        at = At(str(file), len(before), len(before[-1]) + 1)
        return Loaded(problems=(Problem(at, "a byte that is no UTF-8"),))


def _refused(file: str, what: str) -> Loaded:
    return Loaded(problems=(Problem(At(file, 1, 1), what),))
