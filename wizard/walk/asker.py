"""What a check gets to ask with: it notes which replies a finding rests on, and shares what is costly.

Owns the link from findings to evidence. May not know trees or reports.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import msgspec

from wizard.checks.registry import TIMEOUT, Asker
from wizard.host.port import Host, Reply
from wizard.host.questions import Ask

A = TypeVar("A")


class Shared(msgspec.Struct):
    """What has been made once in this attempt: the value, and the replies that it rests on."""

    made: dict[str, asyncio.Future[tuple[Any, tuple[int, ...]]]] = msgspec.field(default_factory=dict)

    def drop_unfinished(self) -> None:
        """Forget what was not made to its end, so that it is made when it is asked for again."""
        self.made = {name: made for name, made in self.made.items() if made.done() and not made.cancelled()}

    def cancel(self) -> None:
        """End what is still being made."""
        for future in self.made.values():
            future.cancel()


class WalkAsker(msgspec.Struct):
    """Asks the host for one check. `numbers` are the replies so far, each once, in the order of asking."""

    host: Host
    since: float
    shared: Shared
    timeout: float = TIMEOUT
    numbers: list[int] = msgspec.field(default_factory=list)

    async def ask(self, question: Ask[A]) -> Reply[A]:
        """Ask one question and note its reply as evidence."""
        reply = await self.host.ask(question)
        self._note(reply.number)
        return reply

    async def once(self, name: str, make: Callable[[Asker], Awaitable[A]]) -> A:
        """Make something once per attempt; everyone who uses it rests on what was asked for it."""
        task = self.shared.made.get(name)
        if task is None:
            task = asyncio.ensure_future(self._make(make))
            self.shared.made[name] = task
        value, numbers = await asyncio.shield(task)
        for number in numbers:
            self._note(number)
        return value  # type: ignore[no-any-return]

    async def _make(self, make: Callable[[Asker], Awaitable[A]]) -> tuple[A, tuple[int, ...]]:
        inner = WalkAsker(self.host, self.since, self.shared, self.timeout)
        value = await make(inner)
        return value, tuple(inner.numbers)

    def _note(self, number: int) -> None:
        if number not in self.numbers:
            self.numbers.append(number)
