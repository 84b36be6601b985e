"""The time zone of a host or of a process: what a log line without a zone was written in.

Owns the choice of the zone. May not know logs. The wizard's own TZ is that of whoever logged in; the host's is in
/etc/localtime, and a process may have been given another one, or live in a container whose zone is UTC.
"""

from __future__ import annotations

import datetime as dt
import io
import os
import re
import zoneinfo

import msgspec

from wizard.host.live import paths

_ZONE_NAME = re.compile(r"zoneinfo/(?:posix/|right/)?(.+)$")
_PLAIN_NAME = re.compile(r"[A-Za-z0-9_+-]+(?:/[A-Za-z0-9_+-]+){0,2}")
MAX_BYTES = 1 << 16


class Zone(msgspec.Struct, frozen=True):
    """A time zone with its rules, and its name where one is known."""

    info: dt.tzinfo
    name: str = ""

    def offset(self, now: float) -> int:
        """Seconds east of UTC at a moment."""
        there = dt.datetime.fromtimestamp(now, self.info).utcoffset()
        return 0 if there is None else int(there.total_seconds())

    def epoch(self, year: int, month: int, day: int, hour: int, minute: int, second: int) -> float | None:
        """A reading of a wall clock as seconds since the epoch; None where there is no such day or hour.

        Of the two moments that have the same reading when a clock is set back, the later one is meant: it keeps lines
        in a window instead of dropping them.
        """
        try:
            reading = dt.datetime(year, month, day, hour, minute, min(second, 59), tzinfo=self.info, fold=1)
            return reading.timestamp()
        except (ValueError, OverflowError):
            return None


UTC = Zone(dt.UTC, "UTC")


def zone_of(within: int | None = None) -> Zone:
    """The zone of this host, or the one that process `within` writes its times in. UTC where none is set."""
    return _of_environment(within) or _of_file("/etc/localtime", within) or UTC


def _of_environment(within: int | None) -> Zone | None:
    """The zone in the TZ of a process (tzset(3)), where it may be read and names a file."""
    if within is None:
        return None
    try:
        with paths.found(f"/proc/{within}/environ") as place:
            variables = paths.read(place, MAX_BYTES)[0].split(b"\0")
    except (OSError, paths.NotRegularError):
        return None
    value = next((one[3:] for one in variables if one.startswith(b"TZ=")), b"").decode("ascii", "replace")
    value = value.removeprefix(":")
    if value.startswith("/"):
        return _of_file(value, within)
    if not _PLAIN_NAME.fullmatch(value):
        return None
    return UTC if value == "UTC" else _of_file(f"/usr/share/zoneinfo/{value}", within)


def _of_file(path: str, within: int | None) -> Zone | None:
    try:
        with paths.found(path, within) as place:
            content = paths.read(place, MAX_BYTES)[0]
            named = _ZONE_NAME.search(place.real)
        name = named[1] if named else _written_name(within)
        return Zone(zoneinfo.ZoneInfo.from_file(io.BytesIO(content)), name)
    except (OSError, ValueError, paths.NotRegularError):
        return None


def _written_name(within: int | None) -> str:
    """What Debian writes down beside a copied /etc/localtime."""
    try:
        with paths.found("/etc/timezone", within) as place:
            name = os.fsdecode(paths.read(place, 128)[0]).strip()
    except (OSError, paths.NotRegularError):
        return ""
    return name if _PLAIN_NAME.fullmatch(name) else ""
