"""The port: how a question reaches whoever answers for the machine.

Owns the `Host` protocol and the `Reply` that links an answer to its question. May not know any implementation.
"""

from __future__ import annotations

from typing import Generic, Protocol, TypeVar

import msgspec

from wizard.host.questions import Ask, NotAnswered

A = TypeVar("A")


class Reply(msgspec.Struct, Generic[A], frozen=True):
    """An answer with the question that it answers: when it was asked (epoch) and how many seconds it took."""

    number: int  # counts the replies of a session from 1; evidence "e12" is reply 12
    question: Ask[A]
    answer: A | NotAnswered
    at: float
    seconds: float
    attempt: int = 1

    @property
    def evidence(self) -> str:
        """The name under which reports cite this reply."""
        return f"e{self.number}"


class Host(Protocol):
    """A machine that answers typed, read-only questions.

    Asking never raises: what could not be answered comes back as `NotAnswered`. The same question asked twice in
    one attempt is answered once, and shared.
    """

    async def ask(self, question: Ask[A]) -> Reply[A]:
        """Answer one question within its own deadline."""
        ...

    def new_attempt(self) -> int:
        """Forget shared answers, so that a re-check sees the present; returns the attempt's number from 1."""
        ...
