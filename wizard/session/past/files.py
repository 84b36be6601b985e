"""Which files on the path were written when: configurations, certificates, unit files, and what a deploy touched.

Owns the reading of file times. May not know what stands in a file. A time is when a file was written last; a copy that
keeps the times of its source does not show.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

import msgspec

from wizard.host.questions import DirList, FileRead, FilesRead, FileStat
from wizard.services.application import is_lasting
from wizard.services.unitstate import UnitState
from wizard.session.past.scene import Kind, Moment, Scene
from wizard.text import one_line

SOURCE = "file time"
_NAMES = ("/etc/hosts", "/etc/resolv.conf", "/etc/nsswitch.conf")
_CERTIFICATES = (".crt", ".cer", ".pem")
_TOGETHER = 60.0  # seconds between files that were written by one deploy
_SHOWN = 3  # names in one line


class _Wanted(msgspec.Struct, frozen=True):
    """What a file is, how its change is told, and how much that may explain."""

    kind: Kind
    weight: int
    noun: str = ""


_CONFIGURATION = _Wanted(Kind.FILE, 76)
_CERTIFICATE = _Wanted(Kind.CERTIFICATE, 78, "certificate ")
_PROGRAM = _Wanted(Kind.DEPLOY, 74)
_LOOKUP = _Wanted(Kind.NAME, 66)


def of_files(scene: Scene, states: Mapping[str, UnitState]) -> Iterator[Moment]:
    """The times of all files that bear on the path."""
    times, wanted = _times(scene), _wanted(scene, states)
    for path, one in wanted.items():
        if path in times:
            yield Moment(times[path], one_line(f"{one.noun}{path} changed"), SOURCE, one.kind, path, one.weight)
    yield from _deploys(scene, known=wanted.keys())
    for link in scene.links():
        if link.path in scene.recalled.application:
            what = one_line(f"{link.path} was made to lead to {link.target}")
            yield Moment(link.mtime, what, SOURCE, Kind.DEPLOY, link.path, 76)


def _wanted(scene: Scene, states: Mapping[str, UnitState]) -> dict[str, _Wanted]:
    wanted: dict[str, _Wanted] = {}
    for path in (*scene.recalled.files, *_configured(scene)):
        wanted.setdefault(path, _CONFIGURATION)
    wanted |= dict.fromkeys(scene.recalled.certificates, _CERTIFICATE)
    for state in (states[unit] for unit in (*scene.units, *scene.gateway_units) if unit in states):
        for path in (state.fragment, *state.drop_ins, *state.environment_files):
            wanted.setdefault(path, _CONFIGURATION)
    for path in _NAMES if scene.by_name else ():
        wanted.setdefault(path, _LOOKUP)
    wanted |= dict.fromkeys(_pools(scene), _CONFIGURATION)
    listed = {one.path for one in scene.folders()}
    for path in scene.recalled.application:
        if path not in listed:
            wanted.setdefault(path, _CERTIFICATE if path.endswith(_CERTIFICATES) else _PROGRAM)
    return wanted


def _times(scene: Scene) -> dict[str, float]:
    """When each file that was read or looked at was written last; of a link to it, where that is newer."""
    found: dict[str, float] = {}

    def note(path: str, mtime: float) -> None:
        found[path] = max(mtime, found.get(path, 0.0))

    for reply in scene.asked:
        match reply.answer:
            case FileRead(path=path, mtime=mtime) | FileStat(path=path, mtime=mtime, kind="file"):
                note(path, mtime)
            case FilesRead(files=files):
                for one in files:
                    note(one.path, one.mtime)
            case DirList(entries=entries):
                for entry in entries:
                    if entry.kind == "link":
                        note(entry.path, entry.mtime)
            case _:
                continue
    return found


def _pools(scene: Scene) -> Iterator[str]:
    """The files of PHP-FPM's pools that name the address of a server, among those that were read."""
    addresses = [one.removeprefix("unix:").encode("utf-8", "surrogateescape") for one in scene.servers]
    for reply in scene.asked:
        for one in reply.answer.files if isinstance(reply.answer, FilesRead) else ():
            if "/pool.d/" in one.path and any(address in one.content for address in addresses):
                yield one.path


def _configured(scene: Scene) -> Iterator[str]:
    """The files that the routes were found in: all that is known where the session does not name the others."""
    for route in scene.routes:
        servers = route.upstream.servers if route.upstream else ()
        upstream = route.upstream.at if route.upstream else None
        places = (route.virtual_host.at, route.location.at, route.action.at, upstream, *(one.at for one in servers))
        yield route.gateway.config
        yield from (place.file for place in places if place is not None)


def _deploys(scene: Scene, *, known: Collection[str]) -> Iterator[Moment]:
    """Files below the application's folder; those that were written one after the other are one deploy."""
    folders = set(scene.recalled.application)
    files = [
        entry
        for listed in scene.folders()
        if listed.path in folders
        for entry in listed.entries
        if is_lasting(entry) and entry.path not in known
    ]
    groups: list[list[FileStat]] = []
    for one in sorted(files, key=lambda each: each.mtime):
        if groups and one.mtime - groups[-1][-1].mtime <= _TOGETHER:
            groups[-1].append(one)
        else:
            groups.append([one])
    for group in groups:
        yield _deploy(group)


def _deploy(group: Sequence[FileStat]) -> Moment:
    last = group[-1]
    folder = min((one.path.rpartition("/")[0] for one in group), key=len)
    names = ", ".join(one.path.removeprefix(f"{folder}/") for one in group[: -_SHOWN - 1 : -1])
    what = f"{last.path} changed" if len(group) == 1 else f"{len(group)} files below {folder} changed: {names}"
    return Moment(last.mtime, one_line(what, limit=120), SOURCE, Kind.DEPLOY, folder, 70)
