"""A host that remembers what another one was asked, for the session file.

Owns the order of what is kept, and that nothing leaves it with a secret in it. Replacing secrets in a large log takes a
while, so it may be done in a thread while more is asked. May not know files or why something is
asked. Who asks gets the answer as it came: the walk needs what the gateway needs.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import Any, TypeVar

import msgspec

from wizard.host.port import Host, Reply
from wizard.host.questions import Ask, LogTail
from wizard.host.redaction import highest_mark, redacted, redacted_again
from wizard.host.secrets import Redactor

A = TypeVar("A")

REPORTED = 1 << 16  # bytes at the end of a log; a report shows a few lines, and a key that reaches into them is shorter


class RecordingHost:
    """Wraps a host and keeps every reply once.

    Secrets are replaced when the replies are taken out by `records`, in the order of their numbers: so the marks do
    not depend on which answer came first, and the walk does not wait for it. Until then the answers are in memory
    only, as they are in the wrapped host.

    Args:
        host: who answers.
        redactor: what replaces secrets; its marks are the session's.
        earlier: the replies of the session that goes on; what is asked now is numbered after them.
    """

    def __init__(self, host: Host, redactor: Redactor | None = None, earlier: Iterable[Reply[Any]] = ()) -> None:
        self._host = host
        self._raw: dict[int, Reply[Any]] = {}
        self._redacted: dict[int, Reply[Any]] = {reply.number: reply for reply in earlier}
        self._numbers = max(self._redacted, default=0)
        self._attempts = max((reply.attempt for reply in self._redacted.values()), default=0)
        self._known = 0
        self._lock = threading.Lock()
        self.redactor = redactor or Redactor()
        for reply in self._redacted.values():
            self.redactor.leave_out(highest_mark(reply))

    async def ask(self, question: Ask[A]) -> Reply[A]:
        """Pass a question on, and keep the reply."""
        reply = await self._host.ask(question)
        if self._numbers:
            number, attempt = reply.number + self._numbers, reply.attempt + self._attempts
            reply = msgspec.structs.replace(reply, number=number, attempt=attempt)
        if reply.number not in self._redacted:
            self._raw[reply.number] = reply
        return reply

    async def glimpse(self, question: Ask[A]) -> Reply[A]:
        """Pass a question on, and keep nothing of the reply: of what is asked sixty times a count is kept elsewhere."""
        return await self._host.ask(question)

    def new_attempt(self) -> int:
        """Pass on that a new attempt begins; what was kept stays."""
        return self._host.new_attempt() + self._attempts

    def records(self, *, saved: bool = True) -> tuple[Reply[Any], ...]:
        """Everything that was asked so far, in the order of the numbers, with all secrets replaced.

        Args:
            saved: whether the records may become a session file. A report does without all but the last lines of each
                log, and most of the time would be spent on the others.
        """
        with self._lock:
            return self._records(saved=saved)

    def ready(self) -> tuple[Reply[Any], ...]:
        """The replies whose secrets were replaced so far, without doing anything about the others."""
        return tuple(self._redacted.values())

    def _records(self, *, saved: bool) -> tuple[Reply[Any], ...]:
        if not saved:
            self._raw = {number: _for_report(reply) for number, reply in list(self._raw.items())}
        for reply in list(self._raw.values()):
            self.redactor.leave_out(highest_mark(reply))  # where the host is a recorded one
        for number in sorted(self._raw):
            self._redacted[number] = redacted(self._raw.pop(number), self.redactor)
        if self.redactor.known != self._known:  # an early log may hold what a late configuration shows to be secret
            done = list(self._redacted.items())
            self._redacted = {n: redacted_again(reply, self.redactor) for n, reply in done}
            self._known = self.redactor.known
        return tuple(self._redacted[number] for number in sorted(self._redacted))


def _for_report(reply: Reply[Any]) -> Reply[Any]:
    """The reply with only the last lines of a log."""
    answer = reply.answer
    if not isinstance(answer, LogTail) or len(answer.content) <= REPORTED:
        return reply
    start = len(answer.content) - REPORTED
    start = answer.content.find(b"\n", start) + 1 or start
    left_out = answer.left_out + answer.content.count(b"\n", 0, start)
    return msgspec.structs.replace(
        reply, answer=msgspec.structs.replace(answer, content=answer.content[start:], left_out=left_out)
    )
