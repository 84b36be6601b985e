"""PHP-FPM's own configuration: the master's file, the pools that it includes, and which pool serves an address.

Owns their syntax (php-fpm.conf(5), `sapi/fpm/fpm/fpm_conf.c`) and the title by which a master names its file. May not
know causes. Lines keep their place, so that one of them can be shown or changed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import msgspec

from wizard.host.questions import FileRead, FilesRead, Process, ReadFile, ReadGlob
from wizard.services.manager import Asks
from wizard.services.mentions import Endpoint, read_endpoint, serves

_MASTER = re.compile(r"^php-fpm: master process \((/[^()]{1,500})\)")
_POOL = re.compile(r"^php-fpm: pool (.{1,200})$")
_MAX_BYTES = 1 << 18
_MAX_FILES = 200
GLOBAL = "global"


class Line(msgspec.Struct, frozen=True):
    """One setting: its key, its value without quotes, the file and line, and the line as it stands."""

    key: str
    value: str
    file: str
    line: int
    raw: str = ""


class Section(msgspec.Struct, frozen=True):
    """`[global]` or one pool with its settings, the last of a key in force."""

    name: str
    lines: tuple[Line, ...] = ()

    def find(self, key: str) -> Line | None:
        """The setting in force."""
        return next((line for line in reversed(self.lines) if line.key == key), None)

    def value(self, key: str, default: str = "") -> str:
        """The value in force, `$pool` filled in; the default where there is none."""
        found = self.find(key)
        return found.value.replace("$pool", self.name) if found is not None and found.value else default

    def number(self, key: str) -> int | None:
        """A value that is a plain number."""
        value = self.value(key)
        return int(value) if value.isascii() and value.isdigit() and len(value) < 10 else None


class Fpm(msgspec.Struct, frozen=True):
    """What one master was told, and the process that was told it."""

    sections: tuple[Section, ...]
    master: Process

    @property
    def log(self) -> str:
        """Where the master writes its messages: a path, or `syslog`."""
        return self._global.value("error_log", "/var/log/php-fpm.log")

    @property
    def _global(self) -> Section:
        return next((one for one in self.sections if one.name == GLOBAL), Section(GLOBAL))

    @property
    def pools(self) -> tuple[Section, ...]:
        """Every pool."""
        return tuple(one for one in self.sections if one.name != GLOBAL)

    def pool_at(self, endpoint: Endpoint) -> Section | None:
        """The pool that listens on an endpoint."""
        return next((pool for pool in self.pools if _listens(pool.value("listen"), endpoint)), None)


def _listens(written: str, endpoint: Endpoint) -> bool:
    if written.isascii() and written.isdigit():
        return not endpoint.is_unix and int(written[:6]) == endpoint.port
    found = read_endpoint(written)
    if found is None:
        return False
    if endpoint.is_unix:
        return _run(found.path) == _run(endpoint.path)
    return found.port == endpoint.port and serves(found.host, endpoint.host)


def _run(path: str) -> str:
    return path.replace("/var/run/", "/run/", 1)


def title(process: Process) -> str:
    """A process's title, as it was set in the place of its command line."""
    return " ".join(process.argv).strip()


def pool_of(process: Process) -> str | None:
    """The pool that a child belongs to; None for a process that is no child of PHP-FPM."""
    match = _POOL.match(title(process))
    return match[1].strip() if match else None


def master_of(process: Process, processes: Iterable[Process]) -> Process | None:
    """The master that a process of PHP-FPM belongs to; the process itself where it is one."""
    if _MASTER.match(title(process)):
        return process
    parent = next((one for one in processes if one.pid == process.ppid), None)
    return parent if parent is not None and _MASTER.match(title(parent)) else None


async def configuration(ask: Asks, master: Process, within: int | None = None) -> Fpm | None:
    """What a master was told by its files as they stand now; None where they cannot be read.

    Args:
        ask: whoever can ask the host.
        master: a process whose title names the file.
        within: a process in whose view the files are read.
    """
    match = _MASTER.match(title(master))
    if match is None:
        return None
    answer = (await ask.ask(ReadFile(match[1], max_bytes=_MAX_BYTES, within=within))).answer
    if not isinstance(answer, FileRead):
        return None
    sections = read_sections(answer.content.decode("utf-8", "replace"), answer.real or answer.path)
    patterns = [line.value for one in sections for line in one.lines if line.key == "include" and line.value[:1] == "/"]
    found = list(sections)
    for pattern in dict.fromkeys(patterns):
        many = (await ask.ask(ReadGlob(pattern, max_files=_MAX_FILES, max_bytes=_MAX_BYTES, within=within))).answer
        for file in many.files if isinstance(many, FilesRead) else ():
            found += read_sections(file.content.decode("utf-8", "replace"), file.real or file.path)
    return Fpm(_joined(found), master)


def _joined(sections: Iterable[Section]) -> tuple[Section, ...]:
    lines: dict[str, tuple[Line, ...]] = {}
    for section in sections:
        lines[section.name] = (*lines.get(section.name, ()), *section.lines)
    return tuple(Section(name, kept) for name, kept in lines.items())


def read_sections(text: str, path: str) -> tuple[Section, ...]:
    """The sections of one file in order; what stands before the first one is global. Never fails."""
    name = GLOBAL
    lines: dict[str, list[Line]] = {}
    for number, raw in enumerate(text.splitlines(), 1):
        stripped = raw.strip()
        if stripped.startswith("[") and "]" in stripped:
            name = stripped[1 : stripped.index("]")].strip() or GLOBAL
            lines.setdefault(name, [])
            continue
        key, equals, value = stripped.partition("=")
        if equals and not stripped.startswith((";", "#")):
            lines.setdefault(name, []).append(Line(key.strip(), _unquoted(value), path, number, raw))
    return tuple(Section(one, tuple(kept)) for one, kept in lines.items())


def _unquoted(value: str) -> str:
    value = value.strip()
    if value[:1] in {'"', "'"} and (end := value.find(value[0], 1)) > 0:
        return value[1:end]
    return value.partition(";")[0].strip()
