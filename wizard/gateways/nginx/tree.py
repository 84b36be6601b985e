"""A loaded nginx configuration as a value: directives with their places, the files they came from, what is broken.

Owns the shapes that the reader makes and the router reads. May not know how files are read, or what any directive
means. Text is UTF-8 with foreign bytes kept as surrogates, so that a path can be asked for again byte by byte.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

import msgspec

from wizard.host.questions import FileRead
from wizard.model import Broken, Place

T = TypeVar("T")


class Directive(msgspec.Struct, gc=False, eq=False):
    """One directive: its words, the line of its first word and of its `;` or `{`, and its block if it has one.

    Included files are spliced in, so `block` never holds an `include` that could be followed. Files that are
    included twice share their directives.
    """

    name: str
    args: tuple[str, ...]
    file: str
    line: int
    last_line: int
    block: list[Directive] | None = None

    @property
    def at(self) -> Place:
        """Where it begins."""
        return Place(self.file, self.line)

    def all(self, name: str) -> list[Directive]:
        """The directives of this name directly inside its block."""
        return [inner for inner in self.block or () if inner.name == name]

    def last(self, name: str) -> Directive | None:
        """The last directive of this name directly inside its block."""
        return next((inner for inner in reversed(self.block or ()) if inner.name == name), None)


class Include(msgspec.Struct, frozen=True):
    """An `include` that was followed: where, the full pattern, and the files that it brought in, in order."""

    at: Place
    pattern: str
    files: tuple[str, ...]


class Main(msgspec.Struct, frozen=True):
    """What stands on the main level and in `events`: who the workers are, and what they may use."""

    user: str | None = None
    group: str | None = None
    worker_processes: str = "1"
    worker_connections: int = 512
    worker_rlimit_nofile: int | None = None
    pid: str | None = None
    env: tuple[str, ...] = ()
    modules: tuple[str, ...] = ()


class Configuration(msgspec.Struct, frozen=True, eq=False):
    """Everything that nginx would read, in the order in which it would read it.

    `tree` is the main level; `files` maps each path, as nginx would name it, to what was read. `prefix` is what
    relative paths at run time stand on, `conf_prefix` what includes and certificates stand on. `error_log` and
    `access_log` are where it writes if no directive says so. `version` is empty where it is not known, and `hostname`
    where nothing in the files depends on it.
    """

    main_file: str
    prefix: str
    conf_prefix: str
    tree: list[Directive]
    files: Mapping[str, FileRead]
    includes: tuple[Include, ...] = ()
    problems: tuple[Broken, ...] = ()
    error_log: str = ""
    access_log: str = ""
    version: tuple[int, ...] = ()
    hostname: str = ""
    _derived: dict[Callable[..., Any], Any] = msgspec.field(default_factory=dict)

    def __repr__(self) -> str:
        """What it is the configuration of; the whole of it may be megabytes."""
        return f"Configuration({self.main_file!r}, {len(self.files)} files, problems={self.problems!r})"

    def since(self, *version: int) -> bool:
        """Whether it is read by an nginx of at least this version; False where that is not known."""
        return self.version >= version

    def once(self, build: Callable[[Configuration], T]) -> T:
        """What `build` makes of this configuration, made the first time it is wanted."""
        if build not in self._derived:
            self._derived[build] = build(self)
        made: T = self._derived[build]
        return made

    def all(self, name: str) -> list[Directive]:
        """The directives of this name on the main level."""
        return [directive for directive in self.tree if directive.name == name]

    def last(self, name: str) -> Directive | None:
        """The last directive of this name on the main level."""
        return next((directive for directive in reversed(self.tree) if directive.name == name), None)

    @property
    def main(self) -> Main:
        """The settings of the main level."""
        user = self.last("user")
        names = user.args if user is not None else ()
        events = self.last("events")
        connections = events.last("worker_connections") if events is not None else None
        pid = _first(self.last("pid"))
        return Main(
            user=names[0] if names else None,
            group=names[1] if len(names) > 1 else None,
            worker_processes=_first(self.last("worker_processes")) or "1",
            worker_connections=_number(_first(connections)) or 512,
            worker_rlimit_nofile=_number(_first(self.last("worker_rlimit_nofile"))),
            pid=self.runtime_path(pid) if pid else None,
            env=tuple(word for one in self.all("env") for word in one.args),
            modules=tuple(word for one in self.all("load_module") for word in one.args),
        )

    @property
    def newest(self) -> FileRead | None:
        """The file that was changed last."""
        return max(self.files.values(), key=lambda read: read.mtime, default=None)

    def lines(self, path: str) -> Sequence[str]:
        """The lines of one of its files, without their ends; empty for a file that is not part of it."""
        read = self.files.get(path)
        return read.content.decode("utf-8", "surrogateescape").split("\n") if read is not None else ()

    def line_text(self, at: Place) -> str:
        """The line at a place as it stands in the file; empty where there is none."""
        lines = self.lines(at.file)
        return lines[at.line - 1].removesuffix("\r") if 0 < at.line <= len(lines) else ""

    def runtime_path(self, path: str) -> str:
        """A path of a root, an alias or a log in full, as nginx opens it."""
        return path if path.startswith("/") else f"{self.prefix.rstrip('/')}/{path}"

    def conf_path(self, path: str) -> str:
        """A path of an include, a certificate or a password file in full, as nginx opens it."""
        return path if path.startswith("/") else f"{self.conf_prefix.rstrip('/')}/{path}"


def _first(directive: Directive | None) -> str | None:
    return directive.args[0] if directive is not None and directive.args else None


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 12 else None


def every(directives: Sequence[Directive], name: str) -> Iterator[Directive]:
    """All directives of one name at any depth, in file order."""
    pending = [iter(directives)]
    while pending:
        for directive in pending[-1]:
            if directive.name == name:
                yield directive
            if directive.block:
                pending.append(iter(directive.block))
                break
        else:
            pending.pop()
