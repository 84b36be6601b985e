"""A host that answers from records: tests, the demo incidents, and replay.

Owns how a question finds its recorded answer. May not know files; touches nothing, never waits, reads no clock.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import Any, TypeVar, cast

from wizard.host.port import Reply
from wizard.host.questions import Ask, NotAnswered, Why

A = TypeVar("A")

# How long to wait and how much to take changes no answer: a later version with other limits still finds it.
_LIMITS = {"seconds", "connect_seconds", "max_bytes", "max_files", "max_entries"}


def identity(question: Ask[A]) -> Hashable:
    """What makes two questions the same one: the kind and all fields but deadlines and limits."""
    fields = (getattr(question, name) for name in question.__struct_fields__ if name not in _LIMITS)
    return (type(question), *fields)


class RecordedHost:
    """Answers as another host did, under the recorded numbers and times.

    In the attempt n a question gets its answer of that attempt, or else the latest earlier one. Where a question was
    recorded with several limits, the same limits are preferred, then what was asked last. A question that was not
    asked in this or an earlier attempt is not answered; such replies are numbered after the recorded ones.

    Args:
        records: the replies of a session, in any order.
    """

    def __init__(self, records: Iterable[Reply[Any]]) -> None:
        self._records: dict[Hashable, list[Reply[Any]]] = {}
        self._missed: dict[tuple[int, Hashable], Reply[Any]] = {}
        self._attempt = 1
        self._last = 0
        self._end = 0.0
        for reply in sorted(records, key=lambda one: (one.attempt, one.number)):
            self._records.setdefault(identity(reply.question), []).append(reply)
            self._last = max(self._last, reply.number)
            self._end = max(self._end, reply.at + reply.seconds)

    async def ask(self, question: Ask[A]) -> Reply[A]:
        """The recorded reply, or one that says that there is none."""
        known = self._records.get(identity(question), [])
        asked = [reply for reply in known if reply.attempt <= self._attempt]
        if not asked:
            return self._miss(question, later=bool(known))
        same_attempt = [reply for reply in asked if reply.attempt == asked[-1].attempt]
        return cast("Reply[A]", next((one for one in same_attempt if one.question == question), same_attempt[-1]))

    def new_attempt(self) -> int:
        """Go on to the answers of the next attempt."""
        self._attempt += 1
        return self._attempt

    def _miss(self, question: Ask[A], *, later: bool) -> Reply[A]:
        key = (self._attempt, identity(question))
        if key not in self._missed:
            detail = "this was asked only in a later attempt" if later else "this was not asked when it was recorded"
            self._last += 1
            answer = NotAnswered(Why.NOT_RECORDED, detail)
            self._missed[key] = Reply(self._last, question, answer, self._end, 0.0, self._attempt)
        return cast("Reply[A]", self._missed[key])
