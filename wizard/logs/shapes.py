"""Lines of one shape, explained once: a log says the same again and again, at other times and to other clients.

Owns the memory of what lines meant. May not know any program's wording, or which parts of a line decide.

Two lines with the same text outside the parts that never decide mean the same. To find that text without matching a pattern, each line
is reduced to its shape first: every character of a word becomes one of two marks, by a table that the interpreter
applies at once. Lines of one shape have their parts at the same places; what stands between these is compared whole.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from io import BytesIO
from operator import itemgetter
from typing import NamedTuple

import msgspec

from wizard.logs.hints import Hints
from wizard.logs.joining import MOST_PIECES, Ahead, begins, joined, may_go_on
from wizard.logs.parts import BYTES, CLOCK, Taken, Taker, deciding_parts, stamps_in
from wizard.logs.recognise import explained, text_of_line
from wizard.logs.stamps import Clock
from wizard.model import LogEvent, Phase

LONGEST = 4096  # bytes of a line that is remembered; longer ones are rare, and each is its own
MOST_SHAPES = 8192
MOST_ANSWERS = 32768  # the memory is emptied, not grown, where a log has more
MOST_RECIPES = 4
TRIALS = 1000  # what is learnt before it has to pay: a log in which nothing repeats is read without

_HEX = b"0123456789abcdef"
_OTHER = bytes(letter for letter in range(65, 123) if chr(letter).isalpha() and letter not in _HEX)
_SHAPE = bytes.maketrans(_HEX + _OTHER, b"0" * len(_HEX) + b"x" * len(_OTHER))

_LEAP_SECOND = 60
_DIGITLESS = bytes.maketrans(b"123456789", b"0" * 9)


class Meaning(msgspec.Struct, frozen=True):
    """What a line says whenever it is said: an event without its time, and without what is one request's alone."""

    program: str
    symptom: str
    phase: Phase
    errno: int | None
    upstream: str | None
    meaning: str
    causes: tuple[str, ...]


# The number of a line, what it means, and when it was written in whole seconds since the epoch; None where not known.
Told = tuple[int, Meaning | None, int | None]
# What a line means, its time, whether the next line may belong to it, and whether it can belong to none before it.
_Known = tuple[Meaning | None, int | None, bool, bool]


class _Answer(NamedTuple):
    """What lines of one text mean, as far as it does not change with their time, and where this stands.

    `same` are further places of the same time, `others` of other times, which have to be times at all.
    """

    known: _Known
    stamp: Taker | None
    same: tuple[Taker, ...]
    others: tuple[Taker, ...]


class _Recipe(NamedTuple):
    """Where lines of one shape keep what decides, and what it meant so far."""

    form: Taken  # what decides in the line that it was made of, without its digits
    silent: bool
    deciding: Taker
    answers: dict[Taken, _Answer]


def told_lines(data: bytes, *, zone_offset: int | None = None, year_hint: float | None = None) -> Iterator[Told]:
    """What each line of a text means, as `explain_text` says it, at a tenth of the cost where lines are alike.

    Args:
        data: the text.
        zone_offset: seconds east of UTC for stamps without a zone; None: such a line has no time.
        year_hint: seconds since the epoch near which stamps without a year were written.
    """
    memory = _Memory(Hints(clock=Clock(zone_offset, year_hint)))
    explain = memory.explain
    lines = Ahead(BytesIO(data))
    number = 0
    ahead: _Known | None = None
    for raw in lines:
        number += 1
        meaning, time, goes_on, _ = ahead if ahead is not None else explain(raw)
        ahead = None
        if goes_on and (following := lines.following(1)):
            ahead = explain(following[0])
            if not ahead[3]:
                joined_, used = memory.joined(raw, lines.following(MOST_PIECES))
                if used:
                    yield number, joined_[0], joined_[1]
                    lines.skip(used)
                    yield from ((number + more, None, None) for more in range(1, used + 1))
                    number += used
                    ahead = None
                    continue
        yield number, meaning, time


class _Memory:
    """What lines meant so far."""

    def __init__(self, hints: Hints) -> None:
        self._hints = hints
        self._shapes: dict[bytes, list[_Recipe]] = {}
        self._times: dict[Taken, int | None] = {}
        self._minutes: dict[tuple[bytes, bytes], int | None] = {}
        self._meanings: dict[Meaning, Meaning] = {}
        self._answers = 0
        self._learnt = 0
        self._hits = 0

    def explain(self, raw: bytes) -> _Known:
        """What a line means."""
        if len(raw) > LONGEST:
            return self._explained(raw)
        shape = raw.translate(_SHAPE)
        recipes = self._shapes.get(shape)
        if recipes is None:
            # Most shapes of a varied log are met once: nothing is learnt of those.
            self._make_room()
            self._shapes[shape] = []
            return self._explained(raw)
        for recipe in recipes:
            answer = recipe.answers.get(recipe.deciding(raw))
            if answer is not None:
                self._hits += 1
                known, stamp, same, others = answer
                if stamp is None:
                    return known
                time = self._time(stamp(raw))
                if time is None or ((same or others) and not self._agree(raw, time, same, others)):
                    return self._explained(raw)
                return known[0], time, known[2], known[3]
        return self._learn(raw, recipes)

    def _agree(self, raw: bytes, time: int, same: tuple[Taker, ...], others: tuple[Taker, ...]) -> bool:
        return all(self._time(stamp(raw)) == time for stamp in same) and all(
            self._time(stamp(raw)) is not None for stamp in others
        )

    def joined(self, raw: bytes, following: Sequence[bytes]) -> tuple[_Known, int]:
        """What a line means together with those that follow, and how many of these belong to it."""
        line = text_of_line(raw)
        event, used = joined(
            line,
            explained(line, self._hints),
            [text_of_line(one) for one in following],
            lambda text: explained(text, self._hints),
        )
        return (self._meaning(event), _seconds(event), False, True), used

    def _explained(self, raw: bytes) -> _Known:
        text = text_of_line(raw)
        event = explained(text, self._hints)
        return self._meaning(event), _seconds(event), may_go_on(text, event), begins(text)

    def _learn(self, raw: bytes, recipes: list[_Recipe]) -> _Known:
        known = self._explained(raw)
        if (self._learnt > TRIALS and self._hits < 4 * self._learnt) or BYTES.search(raw) is not None:
            return known
        self._learnt += 1
        stamps = stamps_in(raw)
        meaning, time, _, _ = known
        times = {stamp: self._time(stamp(raw)) for stamp in stamps.values()}
        dated = tuple(stamp for stamp, read in times.items() if read == time and read is not None)
        if None in times.values() or (meaning is not None and not dated and CLOCK.search(raw) is not None):
            return known  # its time is written in a way that is not known here, or is none
        silent = meaning is None or (not meaning.causes and meaning.errno is None and meaning.upstream is None)
        recipe = next((one for one in recipes if one.silent == silent and one.form == _form(one.deciding(raw))), None)
        if recipe is None:
            if len(recipes) >= MOST_RECIPES:
                return known
            deciding = itemgetter(*deciding_parts(raw, stamps, silent=silent))
            recipe = _Recipe(_form(deciding(raw)), silent, deciding, {})
            recipes.append(recipe)
        others = tuple(stamp for stamp in times if stamp not in dated) if dated else ()
        recipe.answers[recipe.deciding(raw)] = _Answer(known, dated[0] if dated else None, dated[1:], others)
        self._answers += 1
        return known

    def _make_room(self) -> None:
        if len(self._shapes) >= MOST_SHAPES or self._answers >= MOST_ANSWERS:
            self._shapes.clear()
            self._answers = 0

    def _time(self, printed: Taken) -> int | None:
        times = self._times
        if printed in times:
            return times[printed]
        if len(times) >= MOST_ANSWERS:
            times.clear()
            self._minutes.clear()
        times[printed] = time = self._read(*printed) if isinstance(printed, tuple) else self._read(printed)
        return time

    def _read(self, stamp: bytes, zone: bytes = b"") -> int | None:
        """A time in seconds; each minute is read once."""
        if stamp.isdigit():
            return int(stamp)
        minute = (stamp[:-2], zone)
        if minute not in self._minutes:
            text = b"%b00%b" % minute
            time = self._hints.clock.read(text.decode("ascii", "replace"))
            self._minutes[minute] = None if time is None else int(time)
        start, second = self._minutes[minute], int(stamp[-2:])
        return None if start is None or second > _LEAP_SECOND else start + second

    def _meaning(self, event: LogEvent | None) -> Meaning | None:
        """One value for all events that say the same."""
        if event is None:
            return None
        found = Meaning(
            event.program, event.symptom, event.phase, event.errno, event.upstream, event.meaning, event.causes
        )
        return self._meanings.setdefault(found, found)


def _form(decides: Taken) -> Taken:
    """What decides in a line without its digits: in lines of one form the same parts never decide."""
    if isinstance(decides, bytes):
        return decides.translate(_DIGITLESS)
    return tuple(part.translate(_DIGITLESS) for part in decides)


def _seconds(event: LogEvent | None) -> int | None:
    return None if event is None or event.time is None else int(event.time)
