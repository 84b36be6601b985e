"""What a runner starts early: side by side where it may, in turn where it must, and never past the deadline."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping

import pytest

from tests.walk.acting import NoHost, flow_of
from wizard.checks.registry import Asker, Check, Finding, Scope, Subject
from wizard.flow.library import Library
from wizard.model import Action, ActionKind, Instance, Listener, Location, Place, Route, Server, VirtualHost
from wizard.session.events import Event, Finished, Skipped, StepDone
from wizard.walk.plan import Plan, Target
from wizard.walk.runner import Options, Runner

WALK = """\
flow: walk
title: Every server
for: host
steps:
  routes: {each: route, flow: route, next: done}
"""
ROUTE = """\
flow: route
title: Every server of a route
for: route
steps:
  servers: {each: server, flow: server, next: done}
"""
SERVER = """\
flow: server
title: One server
for: server
steps:
  look: {check: look, then: {good: speak, bad: done, unknown: done}}
  speak: {check: speak, then: {good: done, bad: done, unknown: done}}
"""
NGINX = Instance("nginx", 1, "/etc/nginx/nginx.conf")
AT = Place("/etc/nginx/nginx.conf", 1)


class Troupe:
    """Two checks of servers: `look` is quick, `speak` takes a while. Notes who spoke when."""

    def __init__(self, *, speaks: bool, takes: float = 0.02, busy: float = 0.0) -> None:
        self.speaking: list[str] = []
        self.together: list[tuple[str, ...]] = []
        outcomes: Mapping[str, tuple[str, ...]] = {"unknown": (), "good": (), "bad": ()}

        async def look(subject: Subject, asker: Asker) -> Finding:
            del subject, asker
            time.sleep(busy)  # noqa: ASYNC251 - a reader that keeps the processor
            return Finding("good", "It was looked at.")

        async def speak(subject: Subject, asker: Asker) -> Finding:
            del asker
            self.speaking.append(subject.key)
            self.together.append(tuple(self.speaking))
            await asyncio.sleep(takes)
            self.speaking.remove(subject.key)
            return Finding("good", "It was spoken to.")

        self.checks = {
            "look": Check("look", Scope.SERVER, outcomes, look, frozenset({"bad"})),
            "speak": Check("speak", Scope.SERVER, outcomes, speak, frozenset({"bad"}), speaks=speaks),
        }


def walked(
    monkeypatch: pytest.MonkeyPatch, troupe: Troupe, addresses: tuple[str, ...], *, timeout: float = 20.0
) -> list[Event]:
    """The events of a walk over servers with these addresses."""
    host = Subject(Scope.HOST, "host", gateway=NGINX)
    route = Route(
        gateway=NGINX,
        url="http://shop.example/",
        listener=Listener("0.0.0.0:80", False),
        virtual_host=VirtualHost("shop.example", "exact", AT),
        location=Location("/", "prefix", AT),
        action=Action(ActionKind.PROXY, None, AT),
    )
    way = Subject(Scope.ROUTE, "way", route.url, NGINX, route, parent=host)
    servers = tuple(
        Subject(Scope.SERVER, f"{number} {address}", route.url, NGINX, route, Server(address), way)
        for number, address in enumerate(addresses)
    )

    async def planned(target: Target, asker: Asker) -> Plan:
        del target, asker
        return Plan(host, (way,), {"way": servers})

    monkeypatch.setattr("wizard.walk.runner.plan", planned)
    events: list[Event] = []
    flows = {flow.name: flow for flow in map(flow_of, (WALK, ROUTE, SERVER))}
    options = Options(timeout=timeout)
    runner = Runner(
        NoHost(), Library(flows=flows), troupe.checks, emit=events.append, options=options, clock=lambda: 1.0
    )
    asyncio.run(runner.run(Target()))
    return events


def test_servers_are_walked_side_by_side_and_told_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    troupe = Troupe(speaks=True)
    events = walked(monkeypatch, troupe, ("127.0.0.1:1", "127.0.0.1:2", "127.0.0.1:3"))
    assert max(map(len, troupe.together)) == 3
    told = [(event.check, event.subject[0]) for event in events if isinstance(event, StepDone)]
    assert told == [("look", "0"), ("speak", "0"), ("look", "1"), ("speak", "1"), ("look", "2"), ("speak", "2")]


def test_who_speaks_to_one_server_takes_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    troupe = Troupe(speaks=True)
    walked(monkeypatch, troupe, ("127.0.0.1:1", "127.0.0.1:2", "127.0.0.1:1", "127.0.0.1:1"))
    addresses = [[key.partition(" ")[2] for key in together] for together in troupe.together]
    assert all(len(set(one)) == len(one) for one in addresses)
    assert max(map(len, addresses)) == 2


def test_who_does_not_speak_waits_for_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    troupe = Troupe(speaks=False)
    walked(monkeypatch, troupe, ("127.0.0.1:1",) * 3)
    assert max(map(len, troupe.together)) == 3


def test_the_deadline_holds_though_every_probe_keeps_the_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    began = time.monotonic()
    events = walked(monkeypatch, Troupe(speaks=False, takes=0.0, busy=0.05), ("127.0.0.1:1",) * 200, timeout=0.3)
    assert time.monotonic() - began < 5.0  # all of them would take ten seconds
    assert [event.how for event in events if isinstance(event, Finished)] == ["deadline"]
    done = sum(isinstance(event, StepDone) for event in events)
    assert 0 < done < 100
    assert any(isinstance(event, Skipped) for event in events)


def test_a_long_walk_is_not_computed_anew_for_each_step(monkeypatch: pytest.MonkeyPatch) -> None:
    troupe = Troupe(speaks=False, takes=0.0)
    began = time.process_time()
    events = walked(monkeypatch, troupe, tuple(f"127.0.0.1:{number}" for number in range(1, 801)), timeout=300.0)
    assert time.process_time() - began < 10.0  # it takes less than one second; anew for each step, minutes
    assert sum(isinstance(event, StepDone) for event in events) == 1600
