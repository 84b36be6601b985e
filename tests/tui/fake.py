"""A machine with one nginx and checks that see what a test says: everything that screens show, without a host."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from wizard.checks.registry import UNKNOWN, Asker, Check, CheckFunction, Finding, Gap, Scope, Subject
from wizard.flow.folders import load_directory
from wizard.flow.library import Library
from wizard.host.port import Reply
from wizard.host.questions import (
    Ask,
    Clock,
    FileRead,
    FilesRead,
    Identity,
    LogTail,
    Me,
    NotAnswered,
    NotReplied,
    Process,
    Processes,
    ProcessTable,
    ReadFile,
    ReadGlob,
    ReadLog,
    Replied,
    Request,
    Stat,
    Told,
    Why,
)
from wizard.session.save import ExistsError, SaveError
from wizard.session.session import Session
from wizard.tui.app import WizardApp
from wizard.tui.doors import Doors, MakeSitting
from wizard.walk.outside import Incident, Interrupted, Write
from wizard.walk.plan import Target
from wizard.walk.runner import Options
from wizard.walk.sitting import RecordingHost as Hosting
from wizard.walk.sitting import Sitting

A = TypeVar("A")

NOW = 1795442851.0  # 2026-11-23 14:07:31 UTC
CONFIG = b"""events {}
http {
  error_log /var/log/nginx/error.log;
  upstream shop_app { server 127.0.0.1:8000; }
  server {
    listen 80;
    server_name shop.example;
    location / { root /var/www; }
    location /cart { proxy_pass http://shop_app; }
  }
}
"""
TWO_SERVERS = CONFIG.replace(b"server 127.0.0.1:8000;", b"server 127.0.0.1:8000; server 127.0.0.1:8001;")
ERROR = (
    "2026/11/23 14:07:{second:02d} [error] 813#813: *{number} connect() failed (111: Connection refused) while"
    ' connecting to upstream, client: 198.51.100.7, server: shop.example, request: "GET /cart HTTP/1.1",'
    ' upstream: "http://127.0.0.1:8000/cart", host: "shop.example"\n'
)
LOG = "".join(ERROR.format(second=second, number=second) for second in range(3, 30))


def answered(status: int) -> Replied:
    return Replied(status, "", (), b"", 0, 80, "complete", 0.01, 0.01)


@dataclass(slots=True)
class FakeHost:
    """Answers as a small Debian with one nginx; `nginx` False: without. Foreign texts can be replaced."""

    nginx: bool = True
    config: bytes = CONFIG
    log: bytes = LOG.encode()
    hostname: str = "web-03"
    replies: Callable[[Request], Replied | NotReplied] = lambda _: answered(200)
    attempt: int = 1
    asked: list[Reply[Any]] = field(default_factory=list)

    async def ask(self, question: Ask[A]) -> Reply[A]:
        await asyncio.sleep(0)
        answer: Any = self._answer(question)
        reply = Reply(len(self.asked) + 1, question, answer, NOW, 0.011, self.attempt)
        self.asked.append(reply)
        return reply

    async def glimpse(self, question: Ask[A]) -> Reply[A]:
        answer: Any = self.replies(question) if isinstance(question, Request) else self._answer(question)
        return Reply(0, question, answer, NOW, 0.011, self.attempt)

    def new_attempt(self) -> int:
        self.attempt += 1
        return self.attempt

    def ready(self) -> tuple[Reply[Any], ...]:
        return tuple(self.asked)

    def records(self) -> tuple[Reply[Any], ...]:
        return tuple(self.asked)

    def _answer(self, question: object) -> object:
        match question:
            case Identity():
                return Me(0, "root", ("root",), self.hostname, "Debian 12", "6.1.0", init="systemd")
            case Clock():
                return Told(NOW, NOW - 400000, 0, "UTC")
            case Processes():
                return ProcessTable(_PROCESSES if self.nginx else ())
            case ReadFile(path="/etc/nginx/nginx.conf"):
                return FileRead("/etc/nginx/nginx.conf", self.config, "/etc/nginx/nginx.conf", NOW - 9000)
            case ReadGlob():
                return FilesRead(())
            case ReadLog():
                return LogTail("/var/log/nginx/error.log", self.log, len(self.log), NOW, from_start=True)
            case _:
                return NotAnswered(Why.MISSING, "No such file or directory", 2)


_PROCESSES = (
    Process(812, 1, "nginx", ("nginx: master process /usr/sbin/nginx",), 0, 0, NOW - 300000, "S", "/usr/sbin/nginx"),
    Process(813, 812, "nginx", ("nginx: worker process",), 33, 33, NOW - 7600, "S", "/usr/sbin/nginx", user="www-data"),
)

STOPPED: dict[str, Finding] = {
    "gateway": Finding("running", "nginx 1.22.1 runs (pid 812, as www-data).", by_hand="ps -C nginx -f"),
    "request": Finding(
        "bad-gateway",
        "502 after 0.01 s, from nginx on this host.",
        {"status": 502, "seconds": 0.01, "sender": "nginx on this host"},
        by_hand="curl -sS http://shop.example/cart",
    ),
    "connect": Finding("refused", "Connecting to 127.0.0.1:8000 as www-data: refused.", by_hand="nc -z 127.0.0.1 8000"),
    "listener": Finding("absent", "Nobody listens on 127.0.0.1:8000.", by_hand="ss -Hltnp 'sport = :8000'"),
    "service": Finding(
        "stopped",
        "shop.service is stopped.",
        {"unit": "shop.service"},
        (Gap("the journal", "reading it needs root", "add the user to systemd-journal"),),
        "systemctl status shop.service",
    ),
    "gateway-at-boot": Finding(
        "disabled",
        "nginx.service is not enabled: it does not start with the host.",
        {"unit": "nginx.service", "run": "systemctl enable nginx.service"},
    ),
}
HEALTHY = {"request": Finding("ok", "200 after 0.01 s.", {"status": 200, "seconds": 0.01, "sender": "the application"})}

_DECLARED: dict[str, tuple[Scope, dict[str, tuple[str, ...]], tuple[str, ...]]] = {
    "gateway": (Scope.HOST, {"running": (), "not-running": ()}, ("not-running",)),
    "request": (Scope.ROUTE, {"ok": (), "bad-gateway": ("status",)}, ("bad-gateway",)),
    "connect": (Scope.SERVER, {"connected": (), "refused": ()}, ("refused",)),
    "listener": (Scope.SERVER, {"present": (), "absent": ()}, ("absent",)),
    "service": (Scope.SERVER, {"running": (), "stopped": ("unit",)}, ("stopped",)),
    "gateway-at-boot": (Scope.HOST, {"enabled": ("unit",), "disabled": ("unit", "run")}, ()),
}


@dataclass(slots=True)
class Story:
    """What the checks see, which of them wait until they are let go, and how often each was asked."""

    findings: dict[str, Finding] = field(default_factory=lambda: dict(STOPPED))
    held: dict[str, asyncio.Event] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def checks(self) -> dict[str, Check]:
        return {
            name: Check(name, scope, {UNKNOWN: (), **outcomes}, self._function(name), frozenset(bad))
            for name, (scope, outcomes, bad) in _DECLARED.items()
        }

    def _function(self, name: str) -> CheckFunction:
        async def look(subject: Subject, asker: Asker) -> Finding:
            self.asked.append(name)
            await asker.ask(Stat(f"/looked/for/{name}/{subject.key}"))
            if name in self.held:
                await self.held[name].wait()
            return self.findings[name]

        return look


def library() -> Library:
    loaded = load_directory(Path(__file__).with_name("trees"))
    assert loaded.problems == ()
    return loaded


def sits(host: Hosting, story: Story, options: Options | None = None, replayed: Session | None = None) -> MakeSitting:
    return lambda heard, answerer, pace: Sitting(
        host,
        library(),
        story.checks(),
        options or Options(),
        replayed=replayed,
        heard=heard,
        answerer=answerer,
        pace=pace,
    )


def saved_session(story: Story | None = None) -> Session:
    """A session that was walked to its end."""
    sitting = Sitting(FakeHost(), library(), (story or Story()).checks(), Options())
    asyncio.run(sitting.walk(Target(url="http://shop.example/cart")))
    return sitting.session()


@dataclass(slots=True)
class Folder:
    """Where files are written, in memory; `refusal` is raised instead."""

    files: dict[str, bytes] = field(default_factory=dict)
    refusal: SaveError | None = None

    def __call__(self, path: str, data: bytes, *, replace: bool = True) -> None:
        if self.refusal is not None:
            raise self.refusal
        if path in self.files and not replace:
            raise ExistsError(path)
        self.files[path] = data


def fake_app(
    story: Story | None = None,
    host: FakeHost | None = None,
    *,
    target: Target | None = None,
    options: Options | None = None,
    write: Write | None = None,
    shell: Callable[[], int] | None = None,
    open_session: Callable[[str], MakeSitting] | None = None,
    incidents: Mapping[str, Incident] | None = None,
    environment: Mapping[str, str] | None = None,
    interrupted: Interrupted | None = None,
    resume: Callable[[str], tuple[MakeSitting, Session]] | None = None,
) -> WizardApp:
    make = sits(host or FakeHost(), story or Story(), options)
    doors = Doors(
        make,
        open_session,
        incidents or {},
        write,
        interrupted=lambda: interrupted,
        resume=resume,
        shell=shell,
        folder="/reports",
    )
    return WizardApp(doors, target, environment=environment or {"TERM": "xterm-256color"})
