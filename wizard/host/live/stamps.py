"""The time at which a log line was written, for the kinds of stamps that logs have.

Owns the shapes of stamps. May not know files, or what a line says otherwise.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator

import msgspec

from wizard.host.live.zone import Zone
from wizard.host.questions import StampKind

_MONTHS = {
    name: number
    for number, name in enumerate(
        (b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec"), 1
    )
}
_OFFSET = rb"(?P<zone>Z|[+-]\d\d:?\d\d)"
_CLOCK = rb"(?P<hour>\d\d):(?P<minute>\d\d):(?P<second>\d\d)"
_COMMON = rb"\[(?P<day>\d\d)/(?P<month>[A-Z][a-z]{2})/(?P<year>\d{4}):" + _CLOCK + rb" " + _OFFSET + rb"\]"
_NGINX = rb"^(?P<year>\d{4})/(?P<month>\d\d)/(?P<day>\d\d) " + _CLOCK + rb"(?P<zone>)"
_ISO = rb"^(?P<year>\d{4})-(?P<month>\d\d)-(?P<day>\d\d)[T ]" + _CLOCK + rb"(?:[.,]\d{1,9})?" + _OFFSET + rb"?"

# In turn. The user name stands before the stamp of a common log, and is the client's own word: a forged stamp in it
# would not be followed by a quote, which is escaped there.
_STAMPS = {
    StampKind.NGINX_ERROR: (re.compile(_NGINX, re.MULTILINE),),
    StampKind.COMMON: (re.compile(_COMMON + rb'(?= ")'), re.compile(_COMMON)),
    StampKind.ISO: (re.compile(_ISO, re.MULTILINE),),
}


class Stamp(msgspec.Struct, frozen=True):
    """A stamped line: where it begins in its text, and its time in seconds since the epoch."""

    line: int
    time: float


def stamps(kind: StampKind, text: bytes, zone: Zone, start: int = 0) -> Iterator[Stamp]:
    """The stamped lines of a text, in their order.

    Args:
        kind: which stamps the log has; `NONE` yields nothing.
        text: some lines.
        zone: the zone of stamps that name none.
        start: the line's start in the text from which to look.
    """
    for pattern in _STAMPS.get(kind, ()):
        found = False
        for match in pattern.finditer(text, start):
            at = _epoch(match, zone)
            if at is not None:
                found = True
                yield Stamp(text.rfind(b"\n", 0, match.start()) + 1, at)
        if found:
            return


def _epoch(match: re.Match[bytes], zone: Zone) -> float | None:
    month = match["month"]
    number = int(month) if month.isdigit() else _MONTHS.get(month, 0)
    named = match["zone"]
    if named:
        zone = Zone(_fixed(named))
    return zone.epoch(
        int(match["year"]), number, int(match["day"]), int(match["hour"]), int(match["minute"]), int(match["second"])
    )


def _fixed(written: bytes) -> dt.tzinfo:
    """`Z`, `+0200` or `+02:00` as a zone."""
    if written == b"Z":
        return dt.UTC
    digits = written[1:].replace(b":", b"")
    minutes = min(int(digits[:2]) * 60 + int(digits[2:]), 24 * 60 - 1)
    return dt.timezone(dt.timedelta(minutes=-minutes if written.startswith(b"-") else minutes))
