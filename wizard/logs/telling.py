"""What the lines of an application, and of the server that runs it, tell about requests that got no answer.

Owns the classes of such lines, their order where several speak of one fault, and the dating of lines without a stamp.
Pure; may not know where lines come from. What a known server writes is read by its own reader; these are the words that
languages and libraries share. A class is what a line says, not what is wrong.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from enum import StrEnum

import msgspec

from wizard.logs.stamps import Clock
from wizard.model import LogEvent

BURST = 5.0  # seconds in which several lines are about one fault
MAX_LINES = 20_000
_LOOKED_AT = 600  # characters of a line


class Tale(StrEnum):
    """What a line tells. The earlier ones say more about the reason: they count where several come together."""

    CONNECTION_DISALLOWED = "connection-disallowed"
    WORKER_TIMEOUT = "worker-timeout"
    TOO_MANY_FILES = "too-many-files"
    NO_MORE_TASKS = "no-more-tasks"
    NO_SPACE = "no-space"
    OUT_OF_MEMORY = "out-of-memory-words"
    MAX_WORKERS = "max-workers"
    QUEUE_FULL = "listen-queue-full"
    WORKER_SIGNAL = "worker-signal"
    WORKER_KILLED = "worker-killed"
    ADDRESS_IN_USE = "address-in-use"
    CANNOT_CONNECT = "cannot-connect"
    EMPTY_REPLY = "empty-reply"
    TRACEBACK = "traceback"


LASTING = frozenset({Tale.MAX_WORKERS})  # said once when it begins, and not again while it lasts

_OF_SYMPTOM = {
    "source-not-allowed": Tale.CONNECTION_DISALLOWED,
    "worker-timeout": Tale.WORKER_TIMEOUT,
    "no-descriptors": Tale.TOO_MANY_FILES,
    "worker-cannot-start": Tale.NO_MORE_TASKS,
    "workers-exhausted": Tale.MAX_WORKERS,
    "queue-full": Tale.QUEUE_FULL,
    "worker-crashed": Tale.WORKER_SIGNAL,
    "crashed": Tale.WORKER_SIGNAL,
    "worker-killed": Tale.WORKER_KILLED,
    "killed": Tale.WORKER_KILLED,
    "oom-kill": Tale.OUT_OF_MEMORY,
    "port-in-use": Tale.ADDRESS_IN_USE,
    "empty-reply": Tale.EMPTY_REPLY,
    "application-error": Tale.TRACEBACK,
}
_PROGRAMS = frozenset({"gunicorn", "uwsgi", "php-fpm", "systemd"})
_ASIDE = " exited on signal 15"  # what a restart looks like too; the deadline itself has a line of its own

_WORDS: tuple[tuple[Tale, re.Pattern[str]], ...] = tuple(
    (tale, re.compile(pattern))
    for tale, pattern in (
        (Tale.TOO_MANY_FILES, r"(?i)too many open files|\bEMFILE\b|\bENFILE\b|\[Errno 24\]"),
        (
            Tale.NO_MORE_TASKS,
            (
                r"(?i)can't start new thread|unable to create (?:new )?native thread|pthread_create failed"
                r"|fork\(?\)?:? .{0,40}resource temporarily unavailable|BlockingIOError: \[Errno 11\]"
            ),
        ),
        (Tale.NO_SPACE, r"(?i)no space left on device|\bENOSPC\b|\[Errno 28\]|disk quota exceeded|\bEDQUOT\b"),
        (
            Tale.OUT_OF_MEMORY,
            (
                r"(?i)\bMemoryError\b|OutOfMemoryError|heap out of memory|cannot allocate memory|\bENOMEM\b"
                r"|Allowed memory size of \d+ bytes exhausted|NoMemoryError|fatal error: runtime: out of memory"
            ),
        ),
        (Tale.ADDRESS_IN_USE, r"(?i)address already in use|\bEADDRINUSE\b"),
        (
            Tale.CANNOT_CONNECT,
            (
                r"(?i)\bECONNREFUSED\b|connection refused|could not connect to (?:server|redis)|can't connect to .{0,20}server"
                r"|could not translate host name|server closed the connection unexpectedly|connection to server .{0,80} failed"
                r"|lost connection to (?:mysql|server)|\bETIMEDOUT\b.{0,80}:\d{2,5}\b"
            ),
        ),
        (
            Tale.TRACEBACK,
            (
                r"^\s*Traceback \(most recent call last\):|^Exception in thread|PHP Fatal error: |^panic: "
                r"|Uncaught (?:\w*Error|\w*Exception|exception)|[Uu]nhandled (?:\w+ )?(?:exception|rejection)"
                r"|^\s*(?:[A-Za-z_][\w.]*\.)?[A-Z]\w*(?:Error|Exception)(?::|$)"
            ),
        ),
    )
)
_ISO = re.compile(r"[\[(]?(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?:\s?(?:Z|UTC|[+-]\d\d:?\d\d))?)")
_CTIME = re.compile(r"\[?(\w{3} \w{3} +\d{1,2} \d\d:\d\d:\d\d \d{4})")


class Said(msgspec.Struct, frozen=True):
    """A telling line: its class, itself, and when it was written (seconds since the epoch, None: not known)."""

    tale: Tale
    line: str
    time: float | None = None


def tale_of(line: str, event: LogEvent | None = None) -> Tale | None:
    """What a line tells, None where nothing of the sort.

    Args:
        line: as it was written.
        event: what the line's program is known to mean by it, where that was read already.
    """
    if event is not None and event.program in _PROGRAMS:
        known = _OF_SYMPTOM.get(event.symptom)
        if known is not None:
            return None if known is Tale.WORKER_TIMEOUT and _ASIDE in line else known
        if event.program == "systemd" or event.symptom in {"served", "application-stderr"}:
            return None
    return next((tale for tale, words in _WORDS if words.search(line[:_LOOKED_AT])), None)


def said_in(lines: Iterable[tuple[str, float | None]], offset: int = 0) -> tuple[Said, ...]:
    """The telling lines of a log, in order.

    Args:
        lines: each with its time where its surroundings tell it (a journal); else the line's own stamp counts, or
            that of the nearest stamped line above.
        offset: seconds east of UTC in which stamps without a zone were written.
    """
    found: list[Said] = []
    from wizard.logs.recognise import explain_line  # noqa: PLC0415 - a dozen readers, and most walks need none

    clock = Clock(offset)
    latest: float | None = None
    for line, known in lines:
        event = explain_line(line, zone_offset=offset)
        own = known if known is not None else (event.time if event is not None else None) or _stamp(line, clock)
        latest = own if own is not None else latest
        tale = tale_of(line, event)
        if tale is not None:
            found.append(Said(tale, line.strip(), own if own is not None else latest))
    return tuple(found)


def _stamp(line: str, clock: Clock) -> float | None:
    match = _ISO.match(line) or _CTIME.match(line)
    return clock.read(match[1]) if match else None


def chief(said: Sequence[Said], times: Sequence[float], near: float) -> tuple[Said, int] | None:
    """The line that says most about a fault, and how many of its class there are in that burst and before.

    Args:
        said: telling lines.
        times: when the fault showed, in seconds since the epoch.
        near: how many seconds a line may be off. What is said once and lasts may be older.
    """
    telling = [
        one
        for one in said
        if one.tale in LASTING or (one.time is not None and any(abs(one.time - time) <= near for time in times))
    ]
    if not telling:
        return None
    dated = [one.time for one in telling if one.time is not None and one.tale not in LASTING]
    newest = max(dated, default=None)
    burst = [
        one
        for one in telling
        if one.tale in LASTING or newest is None or (one.time is not None and one.time >= newest - BURST)
    ]
    order = list(Tale)
    best = min(order.index(one.tale) for one in burst)
    chosen = [one for one in burst if order.index(one.tale) == best]
    return chosen[-1], sum(1 for one in telling if one.tale is chosen[-1].tale)
