"""The live host: each question once per attempt, within its deadline, its answer shared.

Owns the table from question to whoever answers it, the numbers of the replies, and the sharing. May not know what any
answer means. Whoever answers is imported when the first such question is asked: a walk that speaks no TLS does not pay
for it.
"""

from __future__ import annotations

import asyncio
import importlib
import time
from collections.abc import Awaitable, Callable, Collection, Mapping
from functools import partial
from types import MappingProxyType
from typing import Any, TypeVar

import msgspec

from wizard.host.port import Reply
from wizard.host.questions import (
    Answer,
    Ask,
    AskDns,
    Clock,
    Connect,
    Identity,
    ListDir,
    NotAnswered,
    Processes,
    ReadFile,
    ReadGlob,
    ReadLog,
    Request,
    Resolve,
    Run,
    Sockets,
    Stat,
    TlsHandshake,
    WalkPath,
    Why,
)
from wizard.host.threads import in_thread
from wizard.text import one_line

A = TypeVar("A")

Answering = Callable[[Any], Awaitable[Answer | NotAnswered]]

GRACE = 0.5  # seconds by which a question may miss its own deadline: whoever answers it knows best what was seen
FILE_SECONDS = 3.0
SCAN_SECONDS = 5.0  # many files, or every process


class By(msgspec.Struct, frozen=True):
    """Who answers a kind of question: a function of a module, and whether it blocks (then it gets a thread).

    `seconds` is the deadline of those questions that carry none.
    """

    module: str
    function: str
    blocks: bool = False
    seconds: float = FILE_SECONDS


LIVE = "wizard.host.live"

TABLE: Mapping[type[Ask[Any]], By] = MappingProxyType(
    {
        Run: By(f"{LIVE}.run", "answer_run"),
        Stat: By(f"{LIVE}.files", "answer_stat", blocks=True),
        WalkPath: By(f"{LIVE}.files", "answer_walk_path", blocks=True),
        ReadFile: By(f"{LIVE}.files", "answer_read_file", blocks=True),
        ReadGlob: By(f"{LIVE}.files", "answer_read_glob", blocks=True, seconds=SCAN_SECONDS),
        ListDir: By(f"{LIVE}.files", "answer_list_dir", blocks=True),
        ReadLog: By(f"{LIVE}.logs", "answer_read_log", blocks=True, seconds=SCAN_SECONDS),
        Sockets: By(f"{LIVE}.sockets", "answer_sockets", blocks=True, seconds=SCAN_SECONDS),
        Processes: By(f"{LIVE}.processes", "answer_processes", blocks=True, seconds=SCAN_SECONDS),
        Resolve: By(f"{LIVE}.network", "answer_resolve"),
        AskDns: By(f"{LIVE}.network", "answer_dns"),
        Connect: By(f"{LIVE}.network", "answer_connect"),
        TlsHandshake: By(f"{LIVE}.network", "answer_tls"),
        Request: By(f"{LIVE}.network", "answer_request"),
        Clock: By(f"{LIVE}.machine", "answer_clock", blocks=True),
        Identity: By(f"{LIVE}.machine", "answer_identity", blocks=True),
    }
)


class _Asked(msgspec.Struct):
    """A question on its way, and how many wait for its answer."""

    task: asyncio.Task[Reply[Any]]
    waiting: int = 0


class _Attempt(msgspec.Struct):
    """What was asked in one attempt: on its way, and answered."""

    number: int
    asked: dict[Ask[Any], _Asked] = msgspec.field(default_factory=dict)
    answered: dict[Ask[Any], Reply[Any]] = msgspec.field(default_factory=dict)


class LiveHost:
    """This machine. For use in one event loop; its threads and children end by their own deadlines."""

    def __init__(
        self,
        table: Mapping[type[Ask[Any]], By | Answering] = TABLE,
        own_commands: Collection[tuple[str, ...]] = (),
    ) -> None:
        """Answer questions by a table.

        Args:
            table: who answers each kind of question: a `By`, or a coroutine function.
            own_commands: argvs of a person's own flows, from files that nobody else can write: they run as they are,
                beside what the allow-list permits.
        """
        self._table = table
        self._own_commands = frozenset(own_commands)
        self._answerers: dict[type[Ask[Any]], Answering] = {}
        self._replies = 0
        self._attempt = _Attempt(1)

    def new_attempt(self) -> int:
        """Forget all answers; questions that are on their way still answer those who wait. The first attempt is 1."""
        self._attempt = _Attempt(self._attempt.number + 1)
        return self._attempt.number

    async def ask(self, question: Ask[A]) -> Reply[A]:
        """Answer one question; never raises, except that the caller's own cancellation ends its waiting.

        The question goes on for others who wait for it, and is cancelled when nobody does.
        """
        attempt = self._attempt
        known = attempt.answered.get(question)
        if known is not None:
            return known
        asked = attempt.asked.get(question)
        if asked is None:
            asked = attempt.asked[question] = self._start(attempt, question)
        asked.waiting += 1
        try:
            await asyncio.wait([asked.task])
        finally:
            asked.waiting -= 1
            if not asked.waiting and not asked.task.done():
                asked.task.cancel()
                if attempt.asked.get(question) is asked:
                    del attempt.asked[question]
        return asked.task.result()

    def _start(self, attempt: _Attempt, question: Ask[A]) -> _Asked:
        self._replies += 1
        reply = self._reply(attempt, question, self._replies)
        return _Asked(asyncio.get_running_loop().create_task(reply, name=type(question).__name__))

    async def _reply(self, attempt: _Attempt, question: Ask[A], number: int) -> Reply[A]:
        at, start = time.time(), time.monotonic()
        cancelled = False
        try:
            answer = await self._answer(question)
        except asyncio.CancelledError:
            cancelled = True
            answer = NotAnswered(Why.CANCELLED, "nobody waited for the answer any more")
        reply: Reply[Any] = Reply(number, question, answer, at, time.monotonic() - start, attempt.number)
        asked = attempt.asked.get(question)
        if asked is not None and asked.task is asyncio.current_task():
            del attempt.asked[question]
            if not cancelled:
                attempt.answered[question] = reply
        return reply

    async def _answer(self, question: Ask[Any]) -> Answer | NotAnswered:
        seconds = self._seconds(question)
        try:
            async with asyncio.timeout(seconds + GRACE):
                return await self._answerer(type(question))(question)
        except TimeoutError:
            return NotAnswered(Why.TIMED_OUT, f"no answer within {seconds:g} s")
        except Exception as error:  # noqa: BLE001 - asking never raises
            return NotAnswered(Why.FAILED, one_line(f"{type(error).__name__}: {error}"))

    def _seconds(self, question: Ask[Any]) -> float:
        """The deadline that a question carries: all of its phases together, or that of its kind."""
        by = self._table.get(type(question))
        own = getattr(question, "seconds", by.seconds if isinstance(by, By) else FILE_SECONDS)
        return float(own) + float(getattr(question, "connect_seconds", 0.0))

    def _answerer(self, kind: type[Ask[Any]]) -> Answering:
        answerer = self._answerers.get(kind)
        if answerer is None:
            by = self._table[kind]
            also = {"own": self._own_commands} if kind is Run else {}
            answerer = self._answerers[kind] = _imported(by, also) if isinstance(by, By) else by
        return answerer


def _imported(by: By, also: Mapping[str, object]) -> Answering:
    function = partial(getattr(importlib.import_module(by.module), by.function), **also)
    if not by.blocks:
        return function

    async def answer(question: Ask[Any]) -> Answer | NotAnswered:
        return await in_thread(partial(function, question))

    return answer
