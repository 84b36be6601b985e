"""Printed times as seconds since the epoch.

Owns the notations of the programs and of what surrounds them, and the rule that a time without a zone is no time
unless the reader says which zone. May not know which line a stamp came from.
"""

from __future__ import annotations

from wizard.logs.patterns import Pattern

_NAMES = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
MONTHS = {name: number for number, name in enumerate(_NAMES, 1)}
DAY = 86400
_MEMO = 4096  # a log has few distinct seconds per screenful; the memo is emptied, not grown

_ISO = Pattern(r"(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d):(\d\d)(?:[.,](\d{1,9}))?\s?(Z|UTC|[+-]\d\d:?\d\d)?")
_SLASHED = Pattern(r"(\d{4})/(\d\d)/(\d\d) (\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?")
_COMMON = Pattern(r"(\d{1,2})[/-](\w{3})[/-](\d{4})[: ](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(?: ([+-]\d{4}))?")
_CTIME = Pattern(r"(?:\w{3} )?(\w{3}) +(\d{1,2}) (\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))? (\d{4})")
_SYSLOG = Pattern(r"(\w{3}) +(\d{1,2}) (\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?")


def epoch(year: int, month: int, day: int, hour: int = 0, minute: int = 0, second: int = 0) -> float | None:
    """Seconds since 1970 of a UTC date (proleptic Gregorian calendar), or None where there is no such date."""
    if not (1970 <= year <= 9999 and 1 <= month <= 12 and 1 <= day <= 31):
        return None
    if not (hour < 24 and minute < 60 and second <= 60):
        return None
    # A year that begins in March puts the leap day last, so that the days before a month are a linear formula.
    shifted = year - (month <= 2)
    of_year = (153 * (month + (-3 if month > 2 else 9)) + 2) // 5 + day - 1
    days = shifted * 365 + shifted // 4 - shifted // 100 + shifted // 400 + of_year - 719468
    return float(days * DAY + hour * 3600 + minute * 60 + second)


def _fraction(digits: str | None) -> float:
    return int(digits) / 10 ** len(digits) if digits else 0.0


def _zone(text: str) -> int:
    if text in {"Z", "UTC"}:
        return 0
    sign = -1 if text[0] == "-" else 1
    return sign * (int(text[1:3]) * 3600 + int(text[-2:]) * 60)


class Clock:
    """Reads stamps of one text.

    Args:
        zone_offset: seconds east of UTC in which stamps without a zone were written; None: unknown, and such stamps
            have no time.
        year_hint: seconds since the epoch near which stamps without a year were written (a date later than a day
            after it is taken from the year before); None: such stamps have no time.
    """

    __slots__ = ("_memo", "year_hint", "zone_offset")

    def __init__(self, zone_offset: int | None = None, year_hint: float | None = None) -> None:
        self.zone_offset = zone_offset
        self.year_hint = year_hint
        self._memo: dict[str, float | None] = {}

    def read(self, stamp: str) -> float | None:
        """The time of a stamp in any notation that is known here, or None."""
        memo = self._memo
        if stamp in memo:
            return memo[stamp]
        if len(memo) >= _MEMO:
            memo.clear()
        memo[stamp] = time = self._read(stamp)
        return time

    def _read(self, stamp: str) -> float | None:
        if found := _SLASHED.match(stamp):
            year, month, day, hour, minute, second, digits = found.groups()
            return self._placed(int(year), int(month), day, hour, minute, second, digits, None)
        if found := _ISO.match(stamp):
            year, month, day, hour, minute, second, digits, zone = found.groups()
            return self._placed(int(year), int(month), day, hour, minute, second, digits, zone)
        if found := _COMMON.match(stamp):
            day, name, year, hour, minute, second, digits, zone = found.groups()
            return self._placed(int(year), MONTHS.get(name, 0), day, hour, minute, second, digits, zone)
        if found := _CTIME.match(stamp):
            name, day, hour, minute, second, digits, year = found.groups()
            return self._placed(int(year), MONTHS.get(name, 0), day, hour, minute, second, digits, None)
        if found := _SYSLOG.match(stamp):
            name, day, hour, minute, second, digits = found.groups()
            return self._without_year(MONTHS.get(name, 0), day, hour, minute, second, digits)
        return None

    def _placed(
        self, year: int, month: int, day: str, hour: str, minute: str, second: str, digits: str | None, zone: str | None
    ) -> float | None:
        offset = self.zone_offset if zone is None else _zone(zone)
        if offset is None:
            return None
        whole = epoch(year, month, int(day), int(hour), int(minute), int(second))
        return None if whole is None else whole - offset + _fraction(digits)

    def _without_year(
        self, month: int, day: str, hour: str, minute: str, second: str, digits: str | None
    ) -> float | None:
        if self.year_hint is None:
            return None
        year = 1970 + int(self.year_hint / 31556952)
        for candidate in (year + 1, year, year - 1):
            time = self._placed(candidate, month, day, hour, minute, second, digits, None)
            if time is not None and time <= self.year_hint + DAY:
                return time
        return None
