"""An asker made of prepared answers, and a gateway made of configuration text, for tests of checks."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

from wizard.checks.registry import Asker, Scope, Subject
from wizard.checks.survey import Gateway, Survey
from wizard.gateways.nginx.asking import route_on_host
from wizard.gateways.nginx.load import load
from wizard.host.port import Reply
from wizard.host.questions import (
    Ask,
    FileRead,
    FilesRead,
    FileStat,
    LogTail,
    NotAnswered,
    ReadFile,
    ReadGlob,
    Replied,
    Stat,
    Told,
    Why,
)
from wizard.model import Instance, Route

A = TypeVar("A")
NOW = 1_795_471_553.0
CONFIG = "/etc/nginx/nginx.conf"
LOG = "/var/log/nginx/error.log"
INSTANCE = Instance("nginx", 10, CONFIG, prefix="/etc/nginx", workers=(11,), uid=33, gid=33, started=NOW - 900, loaded=NOW - 900)  # fmt: skip


@dataclass
class FakeAsker:
    """Answers by the type of the question, files by path; whatever else is asked is missing."""

    answers: Mapping[type[Any], object] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    changed: float = NOW - 1000
    shared: dict[str, object] = field(default_factory=dict)
    since: float = 900.0
    timeout: float = 15.0

    async def ask(self, question: Ask[A]) -> Reply[A]:
        """Answer one question."""
        return Reply(1, question, cast("A", self._answer(question)), NOW, 0.01)

    async def once(self, name: str, make: Callable[[Asker], Awaitable[A]]) -> A:
        """Make something once."""
        if name not in self.shared:
            self.shared[name] = await make(self)
        return cast("A", self.shared[name])

    def _answer(self, question: object) -> object:
        prepared = self.answers.get(type(question))
        if callable(prepared):
            return prepared(question)
        if prepared is not None:
            return prepared
        if isinstance(question, ReadFile) and question.path in self.files:
            return self._read(question.path)
        if isinstance(question, ReadGlob):
            return FilesRead(())
        if isinstance(question, Stat) and question.path in self.files:
            return FileStat(question.path, "file", 0o644, 0, 0, 1, self.changed, 1, real=question.path)
        return NotAnswered(Why.MISSING, "no such thing")

    def _read(self, path: str) -> FileRead:
        return FileRead(path, self.files[path].encode(), path, self.changed)


async def subject_of(asker: FakeAsker, url: str, *, clock: float = NOW) -> Subject:
    """The route of a URL through the gateway whose main file the asker holds; the survey is shared."""
    configuration = await load(asker, INSTANCE)
    gateway = Gateway(INSTANCE, configuration, configuration.problems)
    asker.shared["survey"] = Survey((gateway,), clock=Told(clock, clock - 5000, 0))
    made = await route_on_host(asker, configuration, INSTANCE, url)
    assert made is not None
    return route_subject(made)


def route_subject(route: Route) -> Subject:
    """A subject for a route."""
    return Subject(Scope.ROUTE, route.url, route.url, route.gateway, route)


def replied(status: int, *, after: float = 0.01) -> Replied:
    """An answer of the gateway's own."""
    body = b"<center>nginx</center>"
    return Replied(status, "", (("Server", "nginx"),), body, len(body), 100, "complete", after, after)


def log_of(*lines: str) -> LogTail:
    """An error log; each line is written in the second of the test's clock, in UTC."""
    content = "".join(f"{line}\n" for line in lines).encode()
    return LogTail(LOG, content, len(content), NOW, from_start=True)


def logged(message: str, *, at: str = "2026/11/23 22:05:53", upstream: str = "", number: int = 1, server: str = "shop.example") -> str:  # fmt: skip
    """One line of nginx about a request for http://shop.example/."""
    asked = f', upstream: "{upstream}"' if upstream else ""
    return (
        f"{at} [error] 11#11: *{number} {message}, client: 127.0.0.1, server: {server}, "
        f'request: "GET / HTTP/1.1"{asked}, host: "shop.example"'
    )
