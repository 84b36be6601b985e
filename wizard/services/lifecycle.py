"""What became of a unit and when: the journal's lines of the service manager as a few moments.

Owns the wording in which systemd tells of starts, stops, failures and reloads (src/core/job.c, unit.c, service.c of
versions 208 to 258), and which of those lines are one story. May not know which unit matters. A unit's own lines are
no moments.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from enum import StrEnum

import msgspec

from wizard.services.journal import JournalLine

TOGETHER = 5.0  # seconds between two lines of one story
QUICKLY = 30.0  # seconds between a stop and a start that make a restart


class Became(StrEnum):
    """What became of a unit."""

    STARTED = "started"
    RESTARTED = "restarted"
    STARTED_AGAIN = "started again by systemd"
    STOPPED = "stopped"
    ENDED = "ended by itself"
    FAILED = "failed"
    NOT_STARTED = "failed to start"
    GAVE_UP = "failed, and systemd gave up restarting it"
    RELOADED = "reloaded"
    NOT_RELOADED = "failed to reload"
    OUT_OF_MEMORY = "lost a process to the OOM killer"


BAD = frozenset({Became.FAILED, Became.NOT_STARTED, Became.GAVE_UP, Became.NOT_RELOADED, Became.OUT_OF_MEMORY})


class UnitMoment(msgspec.Struct, frozen=True):
    """Something that became of a unit, when (epoch), and the manager's detail: `exited, status=1/FAILURE`."""

    time: float
    unit: str
    became: Became
    detail: str = ""


class _Word(StrEnum):
    STARTED, STOPPING, STOPPED, QUIET, EXITED, FAILED, NOT_STARTED = "sta", "ing", "sto", "qui", "exi", "fai", "not"
    AGAIN, GAVE_UP, RELOADED, NOT_RELOADED, MEMORY = "aga", "giv", "rel", "nor", "mem"


_WORDS: tuple[tuple[_Word, re.Pattern[str]], ...] = tuple(
    (word, re.compile(pattern))
    for word, pattern in (
        (_Word.STARTED, r"Started |Listening on "),
        (_Word.STOPPING, r"Stopping "),
        (_Word.STOPPED, r"Stopped |Closed "),
        (_Word.RELOADED, r"Reloaded "),
        (_Word.NOT_RELOADED, r"Reload failed for "),
        (_Word.NOT_STARTED, r"Failed to (?:start|listen on) |Dependency failed for "),
        (_Word.QUIET, r"(?:\S+: )?(?:Deactivated successfully|Succeeded)\.?$"),
        (_Word.EXITED, r"(?:\S+: )?(?:[Mm]ain|[Cc]ontrol) process exited, code=(?P<detail>\w+, status=\S+)"),
        (_Word.MEMORY, r"(?:\S+: )?A process of this unit has been killed by the OOM killer"),
        (_Word.FAILED, r"(?:\S+: )?Failed with result '(?P<detail>[\w-]+)'|Unit \S+ entered failed state"),
        (_Word.AGAIN, r"(?:\S+: )?(?:Scheduled restart job|(?:Service )?\S* ?[Hh]old-?off time over)"),
        (_Word.GAVE_UP, r"(?:\S+: )?[Ss]tart request repeated too quickly"),
    )
)
_LIMIT = 400  # characters of a message that are looked at


class _Told(msgspec.Struct, frozen=True):
    time: float
    word: _Word
    detail: str


def moments(lines: Iterable[JournalLine]) -> tuple[UnitMoment, ...]:
    """What became of each unit that the manager speaks of, in the order of time."""
    by_unit: dict[str, list[_Told]] = {}
    for line in lines:
        told = _told(line)
        if told is not None:
            by_unit.setdefault(line.unit, []).append(told)
    found = [moment for unit, told in by_unit.items() for moment in _of_unit(unit, told)]
    return tuple(sorted(found, key=lambda one: (one.time, one.unit)))


def _told(line: JournalLine) -> _Told | None:
    if not line.from_manager or line.time is None:
        return None
    message = line.message[:_LIMIT]
    for word, pattern in _WORDS:
        match = pattern.match(message)
        if match:
            return _Told(line.time, word, match.groupdict().get("detail") or "")
    return None


def _of_unit(unit: str, told: Iterable[_Told]) -> list[UnitMoment]:
    found: list[UnitMoment] = []
    again = False
    for story in _stories(sorted(told, key=lambda one: one.time)):
        moment = _read(unit, story)
        if moment is not None and moment.became is Became.STARTED:
            last = found[-1] if found else None
            if last is not None and last.became is Became.STOPPED and moment.time - last.time <= QUICKLY:
                found[-1] = UnitMoment(last.time, unit, Became.RESTARTED)
                moment = None
            elif again:
                moment = UnitMoment(moment.time, unit, Became.STARTED_AGAIN)
        if moment is not None:
            found.append(moment)
        again = any(one.word is _Word.AGAIN for one in story)
    return found


def _stories(told: Sequence[_Told]) -> list[list[_Told]]:
    """Lines that belong together: each start, and each end with what led to it, is a story of its own."""
    stories: list[list[_Told]] = []
    for one in told:
        joins = bool(stories) and one.time - stories[-1][-1].time <= TOGETHER
        if joins and not _begins(one, stories[-1]):
            stories[-1].append(one)
        else:
            stories.append([one])
    return stories


def _begins(one: _Told, story: Sequence[_Told]) -> bool:
    """Whether a line begins another story than the one before it."""
    words = {each.word for each in story}
    if one.word is _Word.NOT_RELOADED and words <= {_Word.EXITED, _Word.FAILED}:
        return False  # what ended was the command that reloads
    ended = words & {_Word.STARTED, _Word.RELOADED, _Word.NOT_RELOADED}
    if ended or one.word in {_Word.RELOADED, _Word.NOT_RELOADED, _Word.STARTED}:
        return True
    # An end after an end: the next round of a loop.
    return one.word in {_Word.EXITED, _Word.STOPPING} and bool(words & {_Word.FAILED, _Word.STOPPED, _Word.NOT_STARTED})


_ONE_LINE = {
    _Word.STARTED: Became.STARTED,
    _Word.RELOADED: Became.RELOADED,
    _Word.NOT_RELOADED: Became.NOT_RELOADED,
}


def _read(unit: str, story: Sequence[_Told]) -> UnitMoment | None:
    """What a story comes to; None where it is only a part of one."""
    first, words = story[0], {one.word: one for one in reversed(story)}
    if first.word in _ONE_LINE:
        return UnitMoment(first.time, unit, _ONE_LINE[first.word])
    if first.word is _Word.STOPPING:
        return UnitMoment(first.time, unit, Became.STOPPED)
    if _Word.NOT_RELOADED in words:
        return UnitMoment(first.time, unit, Became.NOT_RELOADED)
    result = words[_Word.FAILED].detail if _Word.FAILED in words else ""
    detail = words[_Word.EXITED].detail if _Word.EXITED in words else result
    became: Became | None = None
    if _Word.GAVE_UP in words:
        became = Became.GAVE_UP
    elif _Word.MEMORY in words or result == "oom-kill":
        became, detail = Became.OUT_OF_MEMORY, ""
    elif _Word.NOT_STARTED in words:
        became = Became.NOT_STARTED
    elif _Word.FAILED in words or _Word.EXITED in words:
        became = Became.FAILED
    elif _Word.QUIET in words:
        became = Became.ENDED
    elif _Word.STOPPED in words and _Word.AGAIN not in words:
        became = Became.STOPPED
    return None if became is None else UnitMoment(first.time, unit, became, detail)
