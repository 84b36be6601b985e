"""What is asked about the time before: beside the walk, on the path only, and never for longer than the walk may last."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

import pytest

from tests.gateways.nginx.memory import NGINX, loaded
from tests.services.fakes import NOW, FakeHost, listens, process
from wizard.checks.registry import Asker, Scope, Subject
from wizard.checks.survey import Gateway, Survey
from wizard.gateways.nginx.route import route
from wizard.host.allowed import Permit, permit
from wizard.host.port import Reply
from wizard.host.questions import AnyAnswer, Ask, ListDir, LogTail, NotAnswered, Ran, ReadLog, Run, Stat, Why
from wizard.model import LogEvent, Route, Server
from wizard.session.events import Recalled, StepDone
from wizard.walk.bearing import certificates_of, events_about, files_on_path
from wizard.walk.history import LATE, History

A = TypeVar("A")
MAIN = """\
events {}
http {
  include conf.d/*.conf;
  upstream shop { server 127.0.0.1:8000; }
  upstream other { include others.conf; }
  server { listen 80; server_name other.example; location / { include other-only.conf; proxy_pass http://shop; } }
  include shop.conf;
}
"""
MORE = {
    "conf.d/timeouts.conf": "proxy_read_timeout 5s;\n",
    "conf.d/third.conf": "server { listen 80; server_name third.example; }\n",
    "other-only.conf": "proxy_buffering off;\n",
    "others.conf": "server 127.0.0.1:9;\n",
    "proxy.conf": "proxy_set_header Host $host;\n",
    "shop.conf": (
        "server { listen 443 ssl; server_name shop.example; ssl_certificate tls/shop.crt; location / { include proxy.conf;"
        " proxy_pass https://shop; proxy_ssl_certificate /etc/tls/client.crt; proxy_ssl_certificate_key /etc/tls/k; } }\n"
    ),
}
CONFIGURATION = loaded(MAIN, **MORE)
UNIT = "shop.service"
SHOW = b"Id=shop.service\nNames=shop.service\nLoadState=loaded\nActiveState=active\nFragmentPath=/etc/systemd/system/shop.service\nDropInPaths=/usr/lib/systemd/x.conf\nExecStart={ path=/usr/bin/python3 ; argv[]=/usr/bin/python3 /opt/shop/server.py ; ignore_errors=no }\nWorkingDirectory=/opt/shop\n"
COMMANDS: dict[tuple[str, ...], Ran | NotAnswered] = {
    ("systemctl",): Ran(0, SHOW, b""),
    ("journalctl",): Ran(0, b"", b""),
}


def the_route() -> Route:
    """The route of https://shop.example/."""
    made = route(CONFIGURATION, NGINX, "https://shop.example/")
    assert isinstance(made, Route)
    return made


class Asks:
    """Asks a host that has one gateway; `hanging` are kinds of questions that are never answered."""

    def __init__(self, host: FakeHost, made: Route, *, hanging: tuple[type[Any], ...] = ()) -> None:
        self.host = host
        self.since = 900.0
        self.timeout = 15.0
        self._shared: dict[str, Any] = {"survey": Survey((Gateway(made.gateway, CONFIGURATION),))}
        self._hanging = hanging

    async def ask(self, question: Ask[A]) -> Reply[A]:
        """Ask the host, or wait for ever."""
        if isinstance(question, self._hanging):
            await asyncio.Event().wait()
        return await self.host.ask(question)

    async def once(self, name: str, make: Callable[[Asker], Awaitable[A]]) -> A:
        """Make something once."""
        if name not in self._shared:
            self._shared[name] = await make(self)
        return self._shared[name]  # type: ignore[no-any-return]


def learned(
    host: FakeHost, *, units: Sequence[str] = (), seconds: float = 10.0, hanging: tuple[type[Any], ...] = ()
) -> Recalled:
    """What a history of the route comes to, where steps name some units."""
    made = the_route()
    whole = Subject(Scope.ROUTE, made.url, made.url, made.gateway, made)
    server = Subject(Scope.SERVER, "a", made.url, made.gateway, made, Server("127.0.0.1:8000"), whole)

    async def run() -> Recalled:
        history = History(Asks(host, made, hanging=hanging), (whole, server), NOW)
        history.begin()
        for unit in units:
            history.heard(StepDone("n", "service", "a", "running", "", NOW, 0.0, values={"unit": unit}))
        return await history.told(NOW, seconds, 1)

    return asyncio.run(run())


def test_the_files_of_the_route_are_named_and_those_of_others_are_not() -> None:
    found = {path.removeprefix("/etc/nginx/") for path in files_on_path(CONFIGURATION, the_route())}
    assert found == {"nginx.conf", "conf.d/timeouts.conf", "shop.conf", "proxy.conf"}


def test_the_certificates_on_the_path() -> None:
    assert certificates_of(CONFIGURATION, the_route()) == ("/etc/nginx/tls/shop.crt", "/etc/tls/client.crt")


def test_a_failure_of_another_server_is_not_about_the_route() -> None:
    mine, other, none = (LogEvent("nginx", "x", "y", upstream=one) for one in ("127.0.0.1:8000", "10.0.0.1:1", None))
    assert list(events_about([mine, other, none], the_route())) == [mine, none]


def test_a_unit_that_a_step_names_is_asked_about_once() -> None:
    host = FakeHost(commands=COMMANDS, files={"/opt/shop/server.py": "", "/opt/shop/app.py": ""})
    found = learned(host, units=[UNIT, UNIT, "nginx", ""])
    assert found.units == (UNIT,)
    assert found.application == ("/opt/shop", "/opt/shop/server.py")
    asked = [one for one in host.asked if isinstance(one, Run | Stat | ListDir)]
    assert len([one for one in asked if isinstance(one, Run) and one.argv[:3] == ("journalctl", "-u", UNIT)]) == 1
    assert ListDir("/opt/shop", 200) in asked
    assert Stat("/etc/systemd/system/shop.service") in asked
    assert not any(isinstance(one, Stat) and one.path.startswith("/usr/lib/systemd") for one in asked)


def test_a_listening_process_leads_to_its_unit_or_its_files() -> None:
    argv = "/usr/bin/python3 /srv/app/run.py"
    host = FakeHost(commands=COMMANDS, listening=[listens("127.0.0.1", 8000, 7)], processes=[process(7, argv, UNIT)])
    assert learned(host).units == (UNIT,)
    host = FakeHost(listening=[listens("127.0.0.1", 8000, 7)], processes=[process(7, argv)], init="sh")
    assert learned(host).application == ("/srv/app/run.py",)


def test_only_what_the_allow_list_permits_is_run_and_only_logs_of_this_system_are_read() -> None:
    host = FakeHost(commands=COMMANDS)
    learned(host, units=[UNIT])
    commands = [one.argv for one in host.asked if isinstance(one, Run)]
    assert commands
    assert all(isinstance(permit(argv), Permit) for argv in commands)
    logs = {one.path for one in host.asked if isinstance(one, ReadLog)}
    assert {one for one in logs if not one.startswith("/var/log/nginx")} == {
        "/var/log/dpkg.log",
        "/var/log/apt/history.log",
    }


def test_a_journal_that_is_closed_is_a_gap_and_one_that_was_not_recorded_is_none() -> None:
    denied = NotAnswered(Why.DENIED, "insufficient permissions", grant="membership of the group systemd-journal")
    found = learned(FakeHost(commands={**COMMANDS, ("journalctl",): denied}), units=[UNIT])
    assert [(one.what, one.grant) for one in found.gaps] == [(f"the journal of {UNIT}", denied.grant)]
    silent = NotAnswered(Why.NOT_RECORDED, "this was not asked when it was recorded")
    assert learned(FakeHost(commands={("journalctl",): silent}), units=[UNIT]).gaps == ()


@pytest.mark.parametrize("seconds", [0.0, -3.0])
def test_a_walk_without_time_left_waits_for_nothing(seconds: float) -> None:
    found = learned(FakeHost(commands=COMMANDS), units=[UNIT], seconds=seconds, hanging=(Stat, ListDir, Run, ReadLog))
    assert found.units == (UNIT,)


def test_a_question_that_hangs_is_given_up() -> None:
    began = asyncio.new_event_loop()
    start = began.time()
    learned(FakeHost(commands=COMMANDS), units=[UNIT], hanging=(ReadLog,))
    assert began.time() - start < LATE + 3
    began.close()


def test_a_burst_that_may_be_older_is_looked_for_further_back() -> None:
    line = (
        "{stamp} [error] 1#1: *1 connect() failed (111: Connection refused) while connecting to upstream, client: 192.0.2.1,"
        ' server: shop.example, request: "GET / HTTP/1.1", upstream: "https://127.0.0.1:8000/", host: "shop.example"\n'
    )

    def log(*before: float) -> bytes:
        stamps = (time.strftime("%Y/%m/%d %H:%M:%S", time.gmtime(NOW - seconds)) for seconds in before)
        return "".join(line.format(stamp=stamp) for stamp in stamps).encode()

    class Logged(FakeHost):
        def _answer(self, question: object) -> AnyAnswer:
            if isinstance(question, ReadLog) and question.path.startswith("/var/log/nginx"):
                content = log(4000, 1000, 899, 5) if question.since > 900 else log(899, 800, 5)
                return LogTail(question.path, content, len(content), NOW, from_start=True)
            return FakeHost._answer(self, question)

    host = Logged()
    [early, late] = learned(host).bursts
    assert (early.first, early.count) == (NOW - 1000, 3)
    assert (late.first, late.count) == (NOW - 5, 1)
    assert len([one for one in host.asked if isinstance(one, ReadLog) and "nginx" in one.path]) == 2
