"""A host made of prepared answers, for tests of what is asked of services."""

from __future__ import annotations

import fnmatch
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar, cast

from wizard.host.port import Reply
from wizard.host.questions import (
    AnyAnswer,
    Ask,
    Clock,
    DirList,
    FileRead,
    FilesRead,
    FileStat,
    Identity,
    ListDir,
    Listening,
    Me,
    NotAnswered,
    Process,
    Processes,
    ProcessTable,
    Ran,
    ReadFile,
    ReadGlob,
    Run,
    Sockets,
    SocketTable,
    Stat,
    Told,
    Why,
)

A = TypeVar("A")

NOW = 1795471553.0
BOOT = NOW - 3188.05


@dataclass
class FakeHost:
    """Answers from files, commands (the longest matching start of the argv) and tables; keeps what was asked."""

    files: Mapping[str, str] = field(default_factory=dict)
    commands: Mapping[tuple[str, ...], Ran | NotAnswered] = field(default_factory=dict)
    listening: Sequence[Listening] = ()
    processes: Sequence[Process] = ()
    init: str = "systemd"
    asked: list[object] = field(default_factory=list)

    async def ask(self, question: Ask[A]) -> Reply[A]:
        """Answer one question."""
        self.asked.append(question)
        answer = cast("A", self._answer(question))
        return Reply(len(self.asked), question, answer, NOW, 0.0)

    def _answer(self, question: object) -> AnyAnswer:
        match question:
            case Clock():
                return Told(now=NOW, boot=BOOT, utc_offset=0, zone="UTC")
            case Identity():
                return Me(0, "root", ("root",), "box", "Debian 12", "6.1", init=self.init)
            case Stat(path="/run/systemd/system") if self.init == "systemd":
                return FileStat("/run/systemd/system", "dir", 0o755, 0, 0, 40, NOW, 1)
            case Run(argv=argv):
                fits = [start for start in self.commands if argv[: len(start)] == start]
                return self.commands[max(fits, key=len)] if fits else NotAnswered(Why.MISSING, "no such command")
            case ReadFile(path=path) if path in self.files:
                return self._read(path)
            case ReadGlob(pattern=pattern):
                paths = [path for path in self.files if fnmatch.fnmatch(path, pattern)]
                deep = [path for path in paths if path.count("/") == pattern.count("/")]
                return FilesRead(tuple(self._read(path) for path in sorted(deep)))
            case ListDir(path=path):
                inside = sorted(name for name in self.files if name.rpartition("/")[0] == path)
                stats = tuple(FileStat(name, "file", 0o644, 0, 0, 1, NOW, 1) for name in inside)
                return DirList(path, stats) if stats else NotAnswered(Why.MISSING, "no such folder")
            case Sockets():
                return SocketTable(tuple(self.listening), owners_complete=True)
            case Processes():
                return ProcessTable(tuple(self.processes))
            case _:
                return NotAnswered(Why.MISSING, "not there")

    def _read(self, path: str) -> FileRead:
        return FileRead(path, self.files[path].encode(), path, NOW)


def listens(address: str, port: int, *pids: int) -> Listening:
    """A TCP socket that listens."""
    return Listening("inet6" if ":" in address else "inet", address, port, pids=pids, dual=address == "::")


def unix(path: str, *pids: int) -> Listening:
    """A unix socket that listens."""
    return Listening("unix", path=path, pids=pids)


def process(pid: int, argv: str, unit: str = "") -> Process:
    """A process, in the control group of a unit where one is given."""
    words = tuple(argv.split())
    group = f"/system.slice/{unit}" if unit else "/user.slice/user-0.slice/session-1.scope"
    return Process(pid, 1, words[0].rpartition("/")[2], words, 33, 33, NOW - 60, "S", cgroup=group)
