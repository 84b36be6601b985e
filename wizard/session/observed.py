"""What was observed in one attempt of a walk, looked up by check and subject.

Owns overruling, the lineage of subjects, and the variables that sentences and commands may name. May not know causes.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping

import msgspec

from wizard.checks.registry import UNKNOWN, Value
from wizard.checks.reply import curl_direct, question_for
from wizard.flow.templates import render
from wizard.host.questions import Protocol, Request
from wizard.model import Instance, Route, Server
from wizard.session.events import (
    AttemptStarted,
    Disputed,
    Event,
    Overruled,
    PersonAnswered,
    Skipped,
    StepDone,
    SubjectFound,
    SubjectRef,
)
from wizard.text import one_line

VARIABLES: Mapping[str, frozenset[str]] = {
    "host": frozenset(
        {
            "host.name",
            "gateway.kind",
            "gateway.name",
            "gateway.user",
            "gateway.group",
            "gateway.unit",
            "gateway.config",
            "gateway.pid",
            "gateway.test",
            "gateway.reload",
            "gateway.restart",
            "gateway.start",
            "gateway.stop",
        }
    ),
    "route": frozenset(
        {
            "route.url",
            "route.place",
            "route.file",
            "route.listener",
            "route.virtual-host",
            "route.location",
            "route.server-place",
        }
    ),
    "server": frozenset(
        {
            "server.address",
            "server.name",
            "server.path",
            "server.place",
            "server.pool",
            "server.wait",
            "server.revive",
            "server.curl",
        }
    ),
}


class Observation(msgspec.Struct, frozen=True):
    """A step's outcome as it counts: overruled where a person said so."""

    step: StepDone
    outcome: str
    overruled: str | None = None


class Observed(msgspec.Struct):
    """The observations of the latest attempt."""

    subjects: dict[str, SubjectRef] = msgspec.field(default_factory=dict)
    observations: dict[tuple[str, str], Observation] = msgspec.field(default_factory=dict)
    order: list[Observation] = msgspec.field(default_factory=list)
    skipped: list[Skipped] = msgspec.field(default_factory=list)
    answers: dict[tuple[str, str], str] = msgspec.field(default_factory=dict)
    disputed: dict[str, Disputed] = msgspec.field(default_factory=dict)  # by the cause's id
    attempt: int = 1

    @classmethod
    def of(cls, events: Iterable[Event]) -> Observed:
        """Replay the events; a later attempt replaces what an earlier one observed."""
        seen = cls()
        overruled: dict[tuple[str, str], str] = {}
        for event in events:
            match event:
                case AttemptStarted(attempt=attempt):
                    seen.attempt = attempt
                    seen.observations.clear()
                    seen.order.clear()
                    seen.skipped.clear()
                    overruled.clear()
                case SubjectFound(subject=subject):
                    seen.subjects[subject.key] = subject
                case StepDone():
                    seen._add(Observation(event, event.outcome))
                case Overruled(node=node, subject=subject_key, outcome=outcome):
                    overruled[node, subject_key] = outcome
                case PersonAnswered(node=node, subject=subject_key, value=value):
                    seen.answers[node, subject_key] = value
                case Skipped():
                    seen.skipped.append(event)
                case Disputed():
                    seen._dispute(event)
        for (node, key), outcome in overruled.items():
            seen._overrule(node, key, outcome)
        return seen

    def _add(self, observation: Observation) -> None:
        key = observation.step.check, observation.step.subject
        if key not in self.observations:
            self.order.append(observation)
        self.observations[key] = observation

    def _dispute(self, event: Disputed) -> None:
        self.disputed.pop(event.cause, None)
        if event.wrong:
            self.disputed[event.cause] = event

    def _overrule(self, node: str, subject: str, outcome: str) -> None:
        for index, one in enumerate(self.order):
            if one.step.node == node and one.step.subject == subject:
                replaced = Observation(one.step, outcome, outcome)
                self.order[index] = replaced
                self.observations[one.step.check, subject] = replaced

    def lineage(self, key: str) -> tuple[str, ...]:
        """A subject's key and those of the wider ones, narrowest first."""
        keys: list[str] = []
        current: str | None = key
        while current is not None and current in self.subjects and current not in keys:
            keys.append(current)
            current = self.subjects[current].parent
        return tuple(keys) if keys else (key,)

    def find(self, check: str, subject: str) -> Observation | None:
        """What a check observed about a subject or a wider one."""
        for key in self.lineage(subject):
            found = self.observations.get((check, key))
            if found is not None:
                return found
        return None

    def cut(self, check: str, subject: str) -> Skipped | None:
        """The step that would have observed it and was not finished, where one was begun."""
        lineage = self.lineage(subject)
        return next((one for one in self.skipped if one.check == check and one.subject in lineage), None)

    def outcome(self, check: str, subject: str) -> str | None:
        """The outcome of a check for a subject; None where it was not asked."""
        found = self.find(check, subject)
        return None if found is None else found.outcome

    def path(self, key: str) -> tuple[str, ...]:
        """The lineage of a subject, then that of the server through which its gateway is reached, and so on."""
        keys: list[str] = []
        current: str | None = key
        while current is not None and current not in keys:
            lineage = self.lineage(current)
            keys += lineage
            behind = (self.subjects[one].behind for one in lineage if one in self.subjects)
            current = next((one for one in behind if one is not None), None)
        return tuple(keys)

    def related(self, one: str, other: str) -> bool:
        """Whether two subjects lie on one path."""
        return one in self.path(other) or other in self.path(one)

    def values(self, subject: str) -> dict[str, Value]:
        """Every variable that is bound for a subject: its own, and `check.value` of what was observed on its path."""
        bound: dict[str, Value] = {}
        for key in reversed(self.lineage(subject)):
            reference = self.subjects.get(key)
            if reference is not None:
                bound |= variables_of(reference)
            for (check, about), observation in self.observations.items():
                if about == key and observation.outcome != UNKNOWN:
                    bound |= {f"{check}.{name}": value for name, value in observation.step.values.items()}
        return bound


def sentence(template: str, values: Mapping[str, Value]) -> str:
    """A title or summary filled in; foreign values pass the door for text."""
    shown: dict[str, Value] = {}
    for name, value in values.items():
        if isinstance(value, str):
            shown[name] = one_line(value)
        elif isinstance(value, tuple):
            shown[name] = tuple(one_line(word) for word in value)
        else:
            shown[name] = value
    return render(template, shown)


def variables_of(subject: SubjectRef) -> dict[str, Value]:
    """The variables that a subject has of itself."""
    bound: dict[str, Value] = {"host.name": subject.key} if subject.scope == "host" else {}
    gateway = subject.route.gateway if subject.route is not None else subject.gateway
    if gateway is not None:
        bound |= _gateway_variables(gateway)
    if subject.route is not None:
        bound |= _route_variables(subject.route)
        if subject.scope == "server":
            bound |= _server_variables(subject.route, subject.server or "")
    return bound


def _gateway_variables(gateway: Instance) -> dict[str, Value]:
    return {
        "gateway.kind": gateway.kind,
        "gateway.name": gateway.kind,
        "gateway.user": gateway.user or "the gateway's user",
        "gateway.group": str(gateway.gid) if gateway.gid is not None else "",
        "gateway.unit": gateway.unit or "",
        "gateway.config": gateway.config,
        "gateway.pid": gateway.pid or 0,
        **commands_of(gateway),
    }


def _route_variables(route: Route) -> dict[str, Value]:
    place = route.action.at or route.location.at
    return {
        "route.url": route.url,
        "route.place": str(place),
        "route.file": place.file,
        "route.listener": route.listener.address,
        "route.virtual-host": route.virtual_host.name or "(default)",
        "route.location": route.location.pattern or "(none)",
        "route.server-place": str(route.virtual_host.at),
    }


def commands_of(gateway: Instance) -> dict[str, Value]:
    """The argvs that test, reload, restart and start this instance, with its own `-c` and `-p`."""
    tool = gateway.argv or (gateway.kind,)
    reload: tuple[str, ...]
    restart: tuple[str, ...]
    start: tuple[str, ...]
    stop: tuple[str, ...]
    if gateway.unit:
        reload = ("systemctl", "reload", gateway.unit)
        restart = ("systemctl", "restart", gateway.unit)
        start = ("systemctl", "start", gateway.unit)
        stop = ("systemctl", "stop", gateway.unit)
    else:
        reload = ("kill", "-HUP", str(gateway.pid)) if gateway.pid else (*tool, "-s", "reload")
        start = tool
        stop = (*tool, "-s", "quit")
        restart = reload
    return {
        "gateway.test": (*tool, "-t"),
        "gateway.reload": reload,
        "gateway.restart": restart,
        "gateway.start": start,
        "gateway.stop": stop,
    }


def _server_variables(route: Route, address: str) -> dict[str, Value]:
    servers = route.upstream.servers if route.upstream else ()
    server: Server | None = next((one for one in servers if one.address == address), None)
    place = (server.at if server else None) or route.action.at or route.location.at
    bound: dict[str, Value] = {
        "server.address": address,
        "server.name": (server.name if server else None) or address,
        "server.path": address.removeprefix("unix:") if address.startswith("unix:") else "",
        "server.place": str(place),
        "server.pool": (route.upstream.name if route.upstream else None) or address,
    }
    question = question_for(route, address)
    if question.protocol is Protocol.HTTP:
        bound["server.curl"] = tuple(shlex.split(curl_direct(question)))
        bound["server.wait"] = _wait(question)
    if len(servers) > 1 or (server is not None and server.name is not None):
        # A peer set with one address is never set aside (ngx_http_upstream_round_robin.c).
        bound["server.revive"] = commands_of(route.gateway)["gateway.reload"]
    return bound


def _wait(question: Request) -> tuple[str, ...]:
    """Ask until an answer comes, whatever its status, and at most half a minute."""
    scheme = "https" if question.tls else "http"
    words = ["curl", "-ksS" if question.tls else "-sS", "-o", "/dev/null", "-m", "5"]
    words += ["--retry", "20", "--retry-delay", "1", "--retry-max-time", "30", "--retry-all-errors"]
    if question.endpoint.startswith("unix:"):
        return (*words, "--unix-socket", question.endpoint.removeprefix("unix:"), f"{scheme}://localhost/")
    return (*words, f"{scheme}://{question.endpoint}/")
