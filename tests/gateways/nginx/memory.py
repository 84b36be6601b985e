"""A machine that is a dictionary of files, and short ways to load and route in tests."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Any, TypeVar

from wizard.gateways.nginx.load import load
from wizard.gateways.nginx.route import route
from wizard.gateways.nginx.tree import Configuration
from wizard.host.port import Reply
from wizard.host.questions import (
    Ask,
    FileRead,
    FilesRead,
    FileStat,
    Identity,
    Me,
    NamedProblem,
    NotAnswered,
    ReadFile,
    ReadGlob,
    Stat,
    Why,
)
from wizard.model import Instance, Route

A = TypeVar("A")

CONFIG = "/etc/nginx/nginx.conf"
NGINX = Instance(kind="nginx", pid=None, config=CONFIG)


class Memory:
    """Answers questions about files from a dictionary; a value of None is a file that cannot be read."""

    def __init__(self, files: Mapping[str, bytes | str | None], folders: tuple[str, ...] = ()) -> None:
        self.files = files
        self.folders = folders
        self.asked: list[object] = []

    async def ask(self, question: Ask[A]) -> Reply[A]:
        self.asked.append(question)
        answer: Any = self._answer(question)
        return Reply(number=len(self.asked), question=question, answer=answer, at=0.0, seconds=0.0)

    def _answer(self, question: object) -> object:
        if isinstance(question, ReadFile):
            return self._read(question.path)
        if isinstance(question, ReadGlob):
            names = sorted(name for name in self.files if _matches(name, question.pattern))
            reads = [(name, self._read(name)) for name in names]
            return FilesRead(
                files=tuple(read for _, read in reads if isinstance(read, FileRead)),
                problems=tuple(
                    NamedProblem(name, read.why, read.detail) for name, read in reads if isinstance(read, NotAnswered)
                ),
            )
        if isinstance(question, Stat):
            if question.path in self.folders or question.path in self.files:
                kind = "dir" if question.path in self.folders else "file"
                return FileStat(question.path, kind, 0o644, 0, 0, 0, 0.0, 1)
            return NotAnswered(Why.MISSING, "No such file or directory", 2)
        if isinstance(question, Identity):
            return Me(0, "root", (), "Web1", "Debian 12", "6.1")
        raise AssertionError(question)

    def _read(self, path: str) -> FileRead | NotAnswered:
        if path not in self.files:
            return NotAnswered(Why.MISSING, "No such file or directory", 2)
        content = self.files[path]
        if content is None:
            return NotAnswered(Why.DENIED, "Permission denied", 13)
        data = content.encode("utf-8", "surrogateescape") if isinstance(content, str) else content
        return FileRead(path, data, path, 1000.0 + len(path))


def _matches(name: str, pattern: str) -> bool:
    return name.count("/") == pattern.count("/") and fnmatchcase(name, pattern)


def loaded(main: str | bytes, **more: str | bytes | None) -> Configuration:
    """A configuration from the text of its main file; further files are named by their path below /etc/nginx."""
    files: dict[str, str | bytes | None] = {CONFIG: main}
    files.update({f"/etc/nginx/{name.replace('__', '/')}": text for name, text in more.items()})
    return asyncio.run(load(Memory(files), NGINX))


def http(text: str) -> Configuration:
    """A configuration from what stands inside its `http` block; it must be free of problems."""
    configuration = loaded(f"events {{}}\nhttp {{\n{text}\n}}\n")
    assert configuration.problems == ()
    return configuration


def routed(text: str, url: str, **sent: Any) -> Route:  # noqa: ANN401 - whatever `route` takes
    """The route of a URL through what stands inside an `http` block; there must be one."""
    made = route(http(text), NGINX, url, **sent)
    assert made is not None
    return made


def target(made: Route) -> str:
    """What a test mostly asks: `kind address uri`, `return status to`, `static`, or why it is undecided."""
    if made.upstream is not None and made.proxying is not None:
        servers = ",".join(server.address for server in made.upstream.servers)
        return f"{made.action.kind} {servers} {made.proxying.uri}"
    if made.action.kind == "return":
        return f"return {made.action.status}" + (f" {made.action.to}" if made.action.to else "")
    if made.action.kind == "undecided":
        return "undecided: " + "; ".join(made.undecided)
    return f"{made.action.kind} {made.action.status}"
