"""Unit files as an admin wrote them, read without systemd.

Owns their syntax (systemd.syntax(7)): sections, continuation lines, drop-ins, the specifiers of template units, and
the search for the files of the units that matter. May not know what an endpoint is. This sees units that systemd has
not loaded (a stopped, disabled service), which `systemctl list-units` does not show, and costs no call of systemctl.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping

import msgspec

from wizard.host.questions import DirList, FileRead, FilesRead, ListDir, NotAnswered, ReadFile, ReadGlob
from wizard.services.manager import Asks

LOCAL = ("/etc/systemd/system", "/run/systemd/system", "/usr/local/lib/systemd/system")
VENDOR = ("/usr/lib/systemd/system", "/lib/systemd/system")
GENERATED = "/run/systemd/generator.late"

_MAX_FILES = 400
_MAX_BYTES = 1 << 16


class Setting(msgspec.Struct, frozen=True):
    """One assignment of a unit file and where it stands."""

    key: str
    value: str
    file: str
    line: int


class UnitFile(msgspec.Struct, frozen=True):
    """A unit with what its file and its drop-ins say, in the order in which systemd reads them.

    `local` says that an admin (or a program at run time) wrote it, not a package.
    """

    name: str
    path: str
    settings: tuple[Setting, ...] = ()
    local: bool = True

    def all(self, *keys: str) -> tuple[Setting, ...]:
        """The assignments in force of some keys: an empty one takes back what stood before it."""
        found: list[Setting] = []
        for setting in self.settings:
            if setting.key not in keys:
                continue
            if setting.value:
                found.append(setting)
            else:
                found = [earlier for earlier in found if earlier.key != setting.key]
        return tuple(found)

    def last(self, key: str) -> str:
        """The value in force of a key that has one; empty where it has none."""
        found = self.all(key)
        return found[-1].value if found else ""


def read_unit(text: str, path: str) -> tuple[Setting, ...]:
    """The assignments of a unit file. Never fails; what is no assignment is passed over."""
    found = []
    pending, begun = "", 0
    for index, raw in enumerate(text.splitlines(), 1):
        line = raw.strip()
        if pending and line.startswith(("#", ";")):
            continue  # a comment within a continued line is dropped, and the line goes on (systemd.syntax(7))
        if not pending and line.startswith(("#", ";", "[")):
            continue
        begun = begun if pending else index
        if line.endswith("\\"):
            pending = f"{pending}{line[:-1].rstrip()} "
            continue
        key, equals, value = f"{pending}{line}".partition("=")
        pending = ""
        if equals and key.strip().isalnum():
            found.append(Setting(key.strip(), value.strip(), path, begun))
    return tuple(found)


def instance_of(name: str) -> tuple[str, str]:
    """The template and the instance of a unit's name: `web@8000.service` is (`web@.service`, `8000`)."""
    stem, dot, suffix = name.rpartition(".")
    prefix, at, instance = stem.partition("@")
    return (f"{prefix}@{dot}{suffix}", instance) if at and instance else (name, "")


def instantiate(template: UnitFile, name: str) -> UnitFile:
    """A template's file as one instance sees it: the specifiers for names are filled in (systemd.unit(5))."""
    _, instance = instance_of(name)
    stem = name.rpartition(".")[0]
    prefix = stem.partition("@")[0]
    specifiers = {"%i": instance, "%I": instance.replace("-", "/"), "%n": name, "%N": stem, "%p": prefix,
                  "%j": prefix.rpartition("-")[2], "%t": "/run", "%%": "%"}  # fmt: skip

    def filled(value: str) -> str:
        for specifier, meaning in specifiers.items():
            value = value.replace(specifier, meaning)
        return value

    settings = tuple(Setting(s.key, filled(s.value), s.file, s.line) for s in template.settings)
    return UnitFile(name, template.path, settings, template.local)


async def local_units(ask: Asks) -> Mapping[str, UnitFile]:
    """The services and sockets whose files were not brought by a package, with every drop-in."""
    patterns = [f"{folder}/{what}" for folder in LOCAL for what in ("*.service", "*.socket", "*.d/*.conf")]
    replies = await asyncio.gather(
        *(ask.ask(ReadGlob(pattern, max_files=_MAX_FILES, max_bytes=_MAX_BYTES)) for pattern in patterns)
    )
    files = [file for reply in replies if isinstance(reply.answer, FilesRead) for file in reply.answer.files]
    return assemble(files)


def assemble(files: Iterable[FileRead], *, local: bool = True) -> dict[str, UnitFile]:
    """Join unit files and drop-ins by the unit they are about; a unit with drop-ins only has an empty `path`."""
    units: dict[str, UnitFile] = {}
    drop_ins: dict[str, list[Setting]] = {}
    for file in files:
        folder, _, name = file.path.rpartition("/")
        settings = read_unit(file.content.decode("utf-8", "replace"), file.path)
        if folder.endswith(".d"):
            owner = folder.rpartition("/")[2].removesuffix(".d")
            if owner.endswith((".service", ".socket")):
                drop_ins.setdefault(owner, []).extend(settings)
        elif name not in units:
            units[name] = UnitFile(name, file.path, settings, local)
    for owner, extra in drop_ins.items():
        base = units.get(owner, UnitFile(owner, "", (), local))
        units[owner] = UnitFile(owner, base.path, (*base.settings, *extra), base.local)
    return units


async def vendor_names(ask: Asks) -> Mapping[str, str]:
    """The services and sockets that packages brought: name to path. Their content is not read."""
    replies = await asyncio.gather(*(ask.ask(ListDir(folder)) for folder in (*VENDOR, GENERATED)))
    found: dict[str, str] = {}
    for reply in replies:
        if not isinstance(reply.answer, DirList):
            continue
        for entry in reply.answer.entries:
            name = entry.path.rpartition("/")[2]
            if name.endswith((".service", ".socket")) and entry.target != "/dev/null":
                found.setdefault(name, f"{reply.answer.path.rstrip('/')}/{name}")
    return found


async def read_vendor(ask: Asks, names: Iterable[str], known: Mapping[str, str]) -> dict[str, UnitFile]:
    """The files of a few units that packages brought, instances of templates filled in."""
    wanted = {name: path for name in names if (path := known.get(name) or known.get(instance_of(name)[0]))}
    replies = await asyncio.gather(*(ask.ask(ReadFile(path, max_bytes=_MAX_BYTES)) for path in wanted.values()))
    found: dict[str, UnitFile] = {}
    for (name, path), reply in zip(wanted.items(), replies, strict=True):
        if isinstance(reply.answer, NotAnswered):
            continue
        settings = read_unit(reply.answer.content.decode("utf-8", "replace"), path)
        file = UnitFile(name, path, settings, local=False)
        found[name] = instantiate(file, name) if instance_of(name)[1] else file
    return found
