"""`diagnose --plan`: everything that a walk may ask, without asking it.

Owns the host that only reads what is needed to know the destinations (configuration, processes, sockets) and writes
down the rest. Every check is tried on every subject, so that the list holds more than one walk would use, never less
of what this configuration leads to.
"""

from __future__ import annotations

import contextlib
import time

from wizard.checks.registry import Subject
from wizard.commands.library import known_checks
from wizard.flow.library import Library
from wizard.host.port import A, Host, Reply
from wizard.host.questions import (
    Ask,
    AskDns,
    Connect,
    NotAnswered,
    ReadLog,
    Request,
    Resolve,
    Run,
    TlsHandshake,
    Why,
)
from wizard.session.evidence import by_hand_of, what_of
from wizard.text import visible
from wizard.walk.asker import Shared, WalkAsker
from wizard.walk.history import History
from wizard.walk.plan import Target, plan
from wizard.walk.runner import Options

_HELD_BACK = (Run, AskDns, Connect, ReadLog, Request, Resolve, TlsHandshake)
_LOOKS = frozenset({"ip", "uname"})  # commands that only say where this host is; needed to know what is local


class PlanningHost:
    """Answers what has to be known to plan, and notes everything."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self.noted: dict[str, tuple[str, str]] = {}

    async def ask(self, question: Ask[A]) -> Reply[A]:
        """Note a question; answer it only where it stays on this host's files and process list."""
        if isinstance(question, Run):
            kind = "commands"
        elif isinstance(question, AskDns | Connect | Request | Resolve | TlsHandshake):
            kind = "network"
        else:
            kind = "files"
        self.noted.setdefault(what_of(question), (kind, by_hand_of(question)))
        if _held_back(question):
            return Reply(0, question, NotAnswered(Why.REFUSED, "only planned"), time.time(), 0.0)
        return await self._host.ask(question)

    def new_attempt(self) -> int:
        """There is one attempt only."""
        return 1


def _held_back(question: object) -> bool:
    return isinstance(question, _HELD_BACK) and not (isinstance(question, Run) and _only_looks(question))


def _only_looks(question: Run) -> bool:
    return question.argv[0].rpartition("/")[2] in _LOOKS or question.argv[1:] == ("-V",)


async def planned(host: Host, target: Target, library: Library, options: Options) -> str:
    """The plan as text: commands, files and network destinations."""
    planning = PlanningHost(host)
    shared = Shared()
    found = await plan(target, WalkAsker(planning, options.since, shared))
    used = {step.check for flow in library.flows.values() for step in flow.steps if step.check}
    for subject in found.subjects():
        for check in known_checks().values():
            if check.name in used and check.scope == subject.scope:
                await _tried(check.name, subject, WalkAsker(planning, options.since, shared))
    history = History(WalkAsker(planning, options.since, shared), found.subjects(), time.time())
    history.begin()
    await history.all()
    lines = [
        f"What a walk of {visible(target.url or target.upstream or 'this host')} may ask. Nothing of it changes the host.",
        "",
    ]
    for kind, heading in (
        ("commands", "Commands"),
        ("files", "Files, sockets and processes that are read"),
        ("network", "Names and network destinations"),
    ):
        lines.append(heading)
        rows = sorted(what for what, (own, _) in planning.noted.items() if own == kind)
        lines += [f"  {row}" for row in rows] or ["  none"]
        lines.append("")
    if found.problem is not None:
        lines += [visible(found.problem.what), ""]
    return "\n".join(lines)


async def _tried(name: str, subject: Subject, asker: WalkAsker) -> None:
    # A check that cannot go on without answers has noted what it asked.
    with contextlib.suppress(Exception):
        await known_checks()[name].function(subject, asker)
