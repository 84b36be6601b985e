"""Reading a whole nginx configuration: the main file, and every file that it includes, as nginx would find them.

Owns which files are asked for and in which order they are spliced together. May not know what directives mean.
A relative include stands on the folder of the main file (ngx_conf_file.c: ngx_conf_include); a pattern with `*`, `?`
or `[` that matches nothing is no error, a plain name that is missing is one.
"""

from __future__ import annotations

import asyncio
from typing import Protocol, TypeVar

from wizard.gateways.nginx.grammar import objections
from wizard.gateways.nginx.syntax import parse
from wizard.gateways.nginx.tree import Configuration, Directive, Include
from wizard.host.port import Reply
from wizard.host.questions import Ask, FileRead, FilesRead, Identity, Me, NotAnswered, ReadFile, ReadGlob, Why
from wizard.model import Broken, Instance, Place
from wizard.text import one_line

A = TypeVar("A")

DEFAULT_PREFIX = "/usr/share/nginx"
DEFAULT_CONFIG = "/etc/nginx/nginx.conf"
DEFAULT_ERROR_LOG, DEFAULT_ACCESS_LOG = "/var/log/nginx/error.log", "/var/log/nginx/access.log"
COMMAND_LINE = "command line"  # where nginx itself says that `-g` stands
MAX_FILE = 16 << 20
MAX_TOTAL = 64 << 20
MAX_INCLUDES = 20_000
MAX_INCLUDE_DEPTH = 32
MAX_DIRECTIVES = 1_000_000
TURN = 16  # files after which others have their turn

_WHY = {
    Why.MISSING: "No such file or directory",
    Why.DENIED: "Permission denied",
}


class Asks(Protocol):
    """Whoever answers questions about the machine."""

    async def ask(self, question: Ask[A]) -> Reply[A]:
        """Answer one question; never raises."""
        ...


async def load(ask: Asks, instance: Instance) -> Configuration:
    """Everything that the nginx of `instance` would read if it were started now.

    Args:
        ask: who answers for the machine; asked to read files only.
        instance: its `config` is the main file, `prefix` what `-p` says, `within` the process whose files are meant.

    Returns:
        The configuration. Files that could not be read, and places where nginx would stop, are in its `problems`.
    """
    prefix = instance.prefix or DEFAULT_PREFIX
    main_file = instance.config or DEFAULT_CONFIG
    if not main_file.startswith("/") and prefix.startswith("/"):
        main_file = f"{prefix.rstrip('/')}/{main_file}"
    loader = _Loader(ask, instance.within, main_file.rpartition("/")[0] or "/")
    tree = list(loader.settings(instance.settings))
    if not main_file.startswith("/"):
        hint = "only root can see that folder: run this as root, or with sudo"
        what = f'"{one_line(main_file)}" stands on the folder in which nginx was started'
        loader.problems.append(Broken(what, Place(main_file, 1), hint))
    else:
        answer = (await ask.ask(ReadFile(main_file, max_bytes=MAX_FILE, within=instance.within))).answer
        if isinstance(answer, NotAnswered):
            loader.problems.append(Broken(_failed(main_file, answer.why, answer.detail), Place(main_file, 1)))
        else:
            tree += await loader.take(answer, main_file, (main_file,))
    problems = _in_order(objections(tree), loader.problems)
    if not problems and not any(directive.name == "events" for directive in tree):
        problems.append(Broken('no "events" section in configuration', Place(main_file, 1)))
    return Configuration(
        main_file=main_file,
        prefix=prefix,
        conf_prefix=loader.conf_prefix,
        tree=tree,
        files=loader.files,
        includes=tuple(loader.includes),
        problems=tuple(problems),
        error_log=instance.error_log or DEFAULT_ERROR_LOG,
        access_log=instance.access_log or DEFAULT_ACCESS_LOG,
        version=_numbers(instance.version),
        hostname=await loader.hostname(),
    )


def _in_order(refused: list[Broken], unread: list[Broken]) -> list[Broken]:
    """What nginx refuses about directives, and what could not be read: nginx reports whichever comes first.

    Behind the first thing that could not be read, nothing is known about what nginx would refuse.
    """
    if not unread:
        return refused
    end = unread[0].at
    before = [one for one in refused if one.at and end and one.at.file == end.file and one.at.line <= end.line]
    return [*before, *unread]


def _numbers(version: str) -> tuple[int, ...]:
    """`1.29.7` as numbers; empty for what is none."""
    parts = version.split(".")
    return tuple(map(int, parts)) if all(part.isascii() and part.isdigit() for part in parts) else ()


def _failed(path: str, why: Why, detail: str) -> str:
    return f'open() "{one_line(path)}" failed: {_WHY.get(why) or one_line(detail or why.value)}'


class _Loader:
    """What has been read so far; each file is read and parsed once, however often it is included."""

    def __init__(self, ask: Asks, within: int | None, conf_prefix: str) -> None:
        self._ask = ask
        self._within = within
        self.conf_prefix = conf_prefix
        self.files: dict[str, FileRead] = {}
        self.includes: list[Include] = []
        self.problems: list[Broken] = []
        self._trees: dict[str, list[Directive]] = {}
        self._total = 0
        self._spliced = 0

    def settings(self, text: str) -> list[Directive]:
        """The directives that stand on the command line (`-g`)."""
        parsed = parse(text.encode("utf-8", "surrogateescape"), COMMAND_LINE)
        if parsed.broken is not None:
            self.problems.append(parsed.broken)
        return parsed.directives

    async def hostname(self) -> str:
        """The name of the machine as `$hostname` has it; empty where no file mentions it, or where it is another's."""
        if self._within is not None or not any(b"$hostname" in read.content for read in self.files.values()):
            return ""
        me = (await self._ask.ask(Identity())).answer
        return me.hostname.lower() if isinstance(me, Me) else ""

    async def take(self, read: FileRead, path: str, chain: tuple[str, ...]) -> list[Directive]:
        """The tree of one file that was read, its includes spliced in. `chain` is the way of includes to it."""
        if (known := self._trees.get(path)) is not None:
            return known
        self.files[path] = read
        self._total += len(read.content)
        if read.cut:
            self.problems.append(Broken(f'"{one_line(path)}" was read in part only: it is too large', Place(path, 1)))
        parsed = parse(read.content, path)
        if parsed.broken is not None:
            self.problems.append(parsed.broken)
        self._trees[path] = parsed.directives
        brought = {id(include): await self._include(include, chain) for _, include in parsed.includes}
        for block in {id(block): block for block, _ in parsed.includes}.values():
            block[:] = [spliced for one in block for spliced in brought.get(id(one), (one,))]
        return parsed.directives

    async def _include(self, include: Directive, chain: tuple[str, ...]) -> list[Directive]:
        """What stands in place of an include; it stays itself where not all of it could be read."""
        before = len(self.problems)
        brought = await self._brought(include, chain)
        whole = all(problem.at != include.at for problem in self.problems[before:])
        return brought if whole else [*brought, include]

    async def _brought(self, include: Directive, chain: tuple[str, ...]) -> list[Directive]:
        if len(include.args) != 1:
            self.problems.append(Broken('invalid number of arguments in "include" directive', include.at))
            return []
        name = include.args[0]
        pattern = name if name.startswith("/") else f"{self.conf_prefix.rstrip('/')}/{name}"
        if len(chain) > MAX_INCLUDE_DEPTH or len(self.includes) > MAX_INCLUDES or self._total > MAX_TOTAL:
            self.problems.append(
                Broken(f'include "{one_line(pattern)}" was not followed: too much to read', include.at)
            )
            return []
        reads = await self._read(pattern, include.at)
        directives: list[Directive] = []
        for number, (path, read) in enumerate(reads, 1):
            if number % TURN == 0:
                await asyncio.sleep(0)
            if path in chain:
                what = f'"{one_line(path)}" includes itself'
                self.problems.append(Broken(what, include.at, "nginx follows it until it runs out of files"))
                continue
            taken = await self.take(read, path, (*chain, path))
            self._spliced += len(taken)
            if self._spliced > MAX_DIRECTIVES:
                self.problems.append(Broken(f'include "{one_line(pattern)}" was cut: too many directives', include.at))
                break
            directives += taken
        self.includes.append(Include(include.at, pattern, tuple(path for path, _ in reads)))
        return directives

    async def _read(self, pattern: str, at: Place) -> list[tuple[str, FileRead]]:
        if not any(mark in pattern for mark in "*?["):
            if (known := self.files.get(pattern)) is not None:
                return [(pattern, known)]
            answer = (await self._ask.ask(ReadFile(pattern, max_bytes=MAX_FILE, within=self._within))).answer
            if isinstance(answer, NotAnswered):
                self.problems.append(Broken(_failed(pattern, answer.why, answer.detail), at))
                return []
            return [(pattern, answer)]
        found = (await self._ask.ask(ReadGlob(pattern, max_bytes=MAX_FILE, within=self._within))).answer
        if isinstance(found, NotAnswered):
            self.problems.append(Broken(_failed(pattern, found.why, found.detail), at))
            return []
        assert isinstance(found, FilesRead)  # noqa: S101 - narrows a type variable
        self.problems += [Broken(_failed(gone.path, gone.why, gone.detail), at) for gone in found.problems]
        if found.cut:
            self.problems.append(Broken(f'not every file of "{one_line(pattern)}" was read', at))
        return [(read.path, read) for read in found.files]
