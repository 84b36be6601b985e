"""A host made of prepared answers, asked as checks ask, and a server of an upstream on it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar, cast

from tests.services.fakes import NOW, FakeHost
from wizard.checks.registry import Asker, CheckFunction, Finding, Scope, Subject
from wizard.host.port import Reply
from wizard.host.questions import (
    AnyAnswer,
    Ask,
    Connect,
    Connected,
    DirList,
    FileStat,
    ListDir,
    LogTail,
    NotReplied,
    ReadLog,
    Replied,
    Request,
    Stat,
)
from wizard.model import Action, ActionKind, Instance, Listener, Location, Place, Proxying, Route, Server, VirtualHost

T = TypeVar("T")
HERE = Place("/etc/nginx/sites-enabled/shop", 4)
NGINX = Instance("nginx", 10, "/etc/nginx/nginx.conf", uid=33, gid=33, user="www-data")


@dataclass
class Box(FakeHost):
    """A fake host with logs (path to text), descriptors (pid to link targets) and the gateway's own address."""

    logs: Mapping[str, str] = field(default_factory=dict)
    descriptors: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    local: str = "127.0.0.1:40000"
    replies: Callable[[Request], Replied | NotReplied] | None = None
    made: dict[str, object] = field(default_factory=dict)

    @property
    def since(self) -> float:
        """How many seconds logs are read back."""
        return 900.0

    @property
    def timeout(self) -> float:
        """The deadline of the whole walk in seconds."""
        return 15.0

    async def once(self, name: str, make: Callable[[Asker], Awaitable[T]]) -> T:
        """Make something once."""
        if name not in self.made:
            self.made[name] = await make(self)
        return cast("T", self.made[name])

    async def ask(self, question: Ask[T]) -> Reply[T]:
        """Answer one question."""
        own = self._own(question)
        if own is None:
            return await super().ask(question)
        self.asked.append(question)
        return Reply(len(self.asked), question, cast("T", own), NOW, 0.0)

    def _own(self, question: object) -> AnyAnswer | None:
        match question:
            case ReadLog(path=path) if path in self.logs:
                content = self.logs[path].encode()
                return LogTail(path, content, len(content), NOW - 2, from_start=True)
            case ListDir(path=path) if path.startswith("/proc/"):
                targets = self.descriptors.get(int(path.split("/")[2]), ())
                links = (_link(f"{path}/{number}", target) for number, target in enumerate(targets))
                return DirList(path, tuple(links))
            case Stat(path=path) if path.startswith("/proc/"):
                count = len(self.descriptors.get(int(path.split("/")[2]), ()))
                return FileStat(path, "dir", 0o500, 0, 0, count, NOW, 1)
            case Connect():
                return Connected(self.local)
            case Request() if self.replies is not None:
                return self.replies(question)
            case _:
                return None


def answered(status: int, *, stderr: bytes = b"") -> Replied:
    """An answer in whatever protocol was spoken."""
    return Replied(status, "", (), b"", 0, 80, "complete", 0.01, 0.01, stderr=stderr)


SILENT = NotReplied("reading-header", "timed-out", None, b"", 1.0)
CLOSED = NotReplied("reading-header", "closed", None, b"", 0.01)


def _link(path: str, target: str) -> FileStat:
    return FileStat(path, "link", 0o700, 0, 0, 64, NOW, 1, target=target)


def server(address: str = "127.0.0.1:8000", kind: ActionKind = ActionKind.PROXY) -> Subject:
    """A server of an upstream as a check is asked about it."""
    route = Route(
        gateway=NGINX,
        url="http://shop.example/",
        listener=Listener("0.0.0.0:80", tls=False),
        virtual_host=VirtualHost("shop.example", "exact", HERE),
        location=Location("/", "prefix", HERE),
        action=Action(kind, f"http://{address}", HERE),
        proxying=Proxying(host="shop.example"),
    )
    return Subject(Scope.SERVER, address, route.url, NGINX, route, Server(address))


def found_by(function: CheckFunction, subject: Subject, box: Box) -> Finding:
    """What a check finds on a box."""

    async def look() -> Finding:
        return await function(subject, box)

    return asyncio.run(look())
