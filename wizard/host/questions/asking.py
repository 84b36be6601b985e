"""What a question is, what an answer is, and why there may be none.

Owns the shapes that questions and answers share, and from where a question is asked. May not know any of them.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Generic, TypeVar

import msgspec

A = TypeVar("A")


class Ask(msgspec.Struct, Generic[A], frozen=True, tag_field="ask"):
    """A question whose answer has the type `A` (or is `NotAnswered`)."""


class Why(StrEnum):
    """The reason why a question has no answer."""

    DENIED = "denied"  # the host answered EACCES or EPERM
    MISSING = "missing"  # the file, program or process is not there
    TIMED_OUT = "timed-out"  # the deadline of the question passed
    TOO_BIG = "too-big"  # the answer is larger than the limit of the question
    UNSUPPORTED = "unsupported"  # this kernel or this host cannot answer such a question
    REFUSED = "refused"  # the rules of the wizard forbid the question
    NOT_RECORDED = "not-recorded"  # a recorded host was never asked this
    CANCELLED = "cancelled"  # the person or the deadline of the walk stopped it
    FAILED = "failed"  # anything else; the detail says what


class NotAnswered(msgspec.Struct, frozen=True, tag_field="answer", tag="not-answered"):
    """No answer: why, in words, with the errno where there was one and the smallest grant that would help."""

    why: Why
    detail: str
    errno: int | None = None
    grant: str | None = None


class Answer(msgspec.Struct, frozen=True, tag_field="answer"):
    """What came back."""


class View(msgspec.Struct, frozen=True):
    """From where something is asked: as which user, and in the namespaces of which process.

    None means: as the wizard itself.
    """

    uid: int | None = None
    gid: int | None = None
    groups: tuple[int, ...] = ()
    within: int | None = None


HERE = View()
