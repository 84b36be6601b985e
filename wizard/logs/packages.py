"""What package managers wrote down: which packages were installed, upgraded or removed, and when.

Owns the formats of apt's history.log, dpkg.log (both apt and dpkg, Debian and its kin), dnf.rpm.log (Fedora, RHEL),
zypp/history (SUSE) and pacman.log (Arch). May not know which packages matter, or how a log is read. Stamps without a
zone are the host's local time. Nothing here fails: a line of another shape is passed over.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from types import MappingProxyType

import msgspec

from wizard.host.questions import LogTail, StampKind

APK = "/lib/apk/db/installed"  # what apk knows of packages: it writes no log, and this file with every change
APART = 120.0  # seconds without a line after which dpkg's lines belong to another run


class Log(msgspec.Struct, frozen=True):
    """A package manager's log: where it lies, how its lines are stamped, and what people call it."""

    path: str
    stamp: StampKind
    name: str


class Change(msgspec.Struct, frozen=True):
    """One package: what was done (installed, upgraded, downgraded, removed), from and to which version."""

    package: str
    done: str
    before: str = ""
    after: str = ""


class Transaction(msgspec.Struct, frozen=True):
    """Packages that were changed together: from when to when (epoch), and what asked for it where that is known."""

    start: float
    end: float
    changes: tuple[Change, ...]
    source: str
    command: str = ""


APT = Log("/var/log/apt/history.log", StampKind.NONE, "apt history")
DPKG = Log("/var/log/dpkg.log", StampKind.ISO, "dpkg log")
DNF = Log("/var/log/dnf.rpm.log", StampKind.ISO, "dnf log")
ZYPP = Log("/var/log/zypp/history", StampKind.ISO, "zypp history")
PACMAN = Log("/var/log/pacman.log", StampKind.NONE, "pacman log")
_DEBIAN, _REDHAT = (APT, DPKG), (DNF,)
_BY_SYSTEM: tuple[tuple[str, tuple[Log, ...]], ...] = (
    ("debian", _DEBIAN),
    ("ubuntu", _DEBIAN),
    ("mint", _DEBIAN),
    ("raspbian", _DEBIAN),
    ("red hat", _REDHAT),
    ("fedora", _REDHAT),
    ("centos", _REDHAT),
    ("rocky", _REDHAT),
    ("alma", _REDHAT),
    ("oracle", _REDHAT),
    ("amazon", _REDHAT),
    ("suse", (ZYPP,)),
    ("arch", (PACMAN,)),
    ("manjaro", (PACMAN,)),
    ("alpine", ()),
)


def logs_of(system: str) -> tuple[Log, ...]:
    """The logs that a distribution's package manager writes, by its name; a name that says nothing stands for two."""
    lowered = system.lower()
    return next((logs for word, logs in _BY_SYSTEM if word in lowered), (*_DEBIAN, *_REDHAT))


def is_log(path: str) -> bool:
    """Whether a path is that of a package manager's log."""
    return path in _READERS


def transactions(path: str, tail: LogTail) -> tuple[Transaction, ...]:
    """The transactions in the tail of one of the logs, oldest first; none for a path that is no such log."""
    reader = _READERS.get(path)
    if reader is None:
        return ()
    text = tail.content.decode("utf-8", "backslashreplace")
    return tuple(sorted(reader(text.splitlines(), tail.utc_offset), key=lambda one: one.start))


def told_once(found: Iterable[Transaction]) -> tuple[Transaction, ...]:
    """Transactions without those of dpkg that apt tells of too."""
    every = sorted(found, key=lambda one: (one.start, one.source != APT.name))
    whole = [one for one in every if one.source == APT.name]
    return tuple(
        one
        for one in every
        if one.source != DPKG.name
        or not any(other.start - 1 <= one.start and one.end <= other.end + 1 for other in whole)
    )


# --- apt ------------------------------------------------------------------------------------------------------

_APT_DONE = {
    "Install": "installed",
    "Reinstall": "installed",
    "Upgrade": "upgraded",
    "Downgrade": "downgraded",
    "Remove": "removed",
    "Purge": "removed",
}
_APT_PACKAGE = re.compile(r"([a-z0-9][a-z0-9+.-]*)(?::[a-z0-9-]+)? \(([^)]*)\)")


def _apt(lines: Iterable[str], offset: int) -> Iterator[Transaction]:
    """Stanzas of apt's history.log (apt-pkg/deb/dpkgpm.cc); one without an end is still running, or was broken off."""
    fields: dict[str, str] = {}
    for line in [*lines, "Start-Date: "]:
        key, colon, value = line.partition(": ")
        if not colon:
            continue
        if key == "Start-Date":
            start = _stamp(fields.get("Start-Date", ""), offset)
            changes = tuple(_apt_changes(fields))
            if start is not None and changes:
                end = _stamp(fields.get("End-Date", ""), offset)
                yield Transaction(start, max(start, end or start), changes, APT.name, fields.get("Commandline", ""))
            fields = {}
        fields[key] = value.strip()


def _apt_changes(fields: Mapping[str, str]) -> Iterator[Change]:
    for key, done in _APT_DONE.items():
        for match in _APT_PACKAGE.finditer(fields.get(key, "")):
            versions = [one.strip() for one in match[2].split(",") if one.strip() != "automatic"]
            before = versions[0] if versions and done != "installed" else ""
            after = versions[-1] if versions and done != "removed" else ""
            yield Change(match[1], done, before, after)


# --- one change in a line -------------------------------------------------------------------------------------

_DPKG = re.compile(
    r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) (install|upgrade|remove|purge) ([a-z0-9][a-z0-9+.-]*)\S* (\S+) (\S+)"
)
_DNF = re.compile(
    r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:Z|[+-]\d{4})) \S+ (Installed|Upgrade|Downgrade|Erase|Removed): (\S+)"
)
_RPM_NAME = re.compile(r"(?P<name>.+?)-(?P<version>(?:\d+:)?[^-]+-[^-]+)\.[^.-]+")
_ZYPP = re.compile(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)\|(install|remove *)\|([^|]+)\|([^|]*)\|")
_PACMAN = re.compile(
    r"\[(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d{4})\] \[ALPM\] (installed|upgraded|downgraded|removed) (\S+) \(([^)]*)\)"
)


def _dpkg(lines: Iterable[str], offset: int) -> Iterator[tuple[float | None, Change]]:
    done = {"install": "installed", "upgrade": "upgraded", "remove": "removed", "purge": "removed"}
    for line in lines:
        match = _DPKG.match(line)
        if match:
            before, after = (one if one != "<none>" else "" for one in (match[4], match[5]))
            yield _stamp(match[1], offset), Change(match[3], done[match[2]], before, after)


def _dnf(lines: Iterable[str], offset: int) -> Iterator[tuple[float | None, Change]]:
    done = {"Upgrade": "upgraded", "Downgrade": "downgraded", "Installed": "installed"}
    for line in lines:
        match = _DNF.match(line)
        if match:
            named = _RPM_NAME.fullmatch(match[3])
            word = done.get(match[2], "removed")
            version = named["version"] if named else ""
            before, after = (version, "") if word == "removed" else ("", version)
            yield _stamp(match[1], offset), Change(named["name"] if named else match[3], word, before, after)


def _zypp(lines: Iterable[str], offset: int) -> Iterator[tuple[float | None, Change]]:
    for line in lines:
        match = _ZYPP.match(line)
        if match:
            removed = match[2].startswith("remove")
            change = Change(match[3], "removed", match[4]) if removed else Change(match[3], "installed", "", match[4])
            yield _stamp(match[1], offset), change


def _pacman(lines: Iterable[str], offset: int) -> Iterator[tuple[float | None, Change]]:
    for line in lines:
        match = _PACMAN.match(line)
        if match:
            before, arrow, after = match[4].partition(" -> ")
            if not arrow:
                before, after = (before, "") if match[2] == "removed" else ("", before)
            yield _stamp(match[1], offset), Change(match[3], match[2], before, after)


_OneByOne = Callable[[Iterable[str], int], Iterator[tuple[float | None, Change]]]


def _together(source: str, reader: _OneByOne) -> Callable[[Iterable[str], int], Iterator[Transaction]]:
    """Single changes as transactions: those that follow each other without a pause."""

    def read(lines: Iterable[str], offset: int) -> Iterator[Transaction]:
        times: list[float] = []
        changes: list[Change] = []
        for at, change in reader(lines, offset):
            if at is None:
                continue
            if times and not 0 <= at - times[-1] <= APART:
                yield Transaction(times[0], times[-1], tuple(changes), source)
                times, changes = [], []
            times.append(at)
            changes.append(change)
        if times:
            yield Transaction(times[0], times[-1], tuple(changes), source)

    return read


_READERS: Mapping[str, Callable[[Iterable[str], int], Iterator[Transaction]]] = MappingProxyType(
    {
        APT.path: _apt,
        DPKG.path: _together(DPKG.name, _dpkg),
        DNF.path: _together(DNF.name, _dnf),
        ZYPP.path: _together(ZYPP.name, _zypp),
        PACMAN.path: _together(PACMAN.name, _pacman),
    }
)

_WRITTEN = re.compile(r"(\d{4})-(\d\d)-(\d\d)[T ]+(\d\d):(\d\d):(\d\d)(?:Z|([+-])(\d\d)(\d\d))?")


def _stamp(written: str, offset: int) -> float | None:
    """A stamp in seconds since the epoch; one without a zone is `offset` seconds east of UTC."""
    match = _WRITTEN.match(written)
    if match is None:
        return None
    try:
        local = datetime(*(int(match[index]) for index in range(1, 7)), tzinfo=UTC)  # type: ignore[arg-type,misc]
    except ValueError:
        return None
    east = offset
    if match[7]:
        east = (int(match[8]) * 3600 + int(match[9]) * 60) * (-1 if match[7] == "-" else 1)
    elif "Z" in match[0]:
        east = 0
    return local.timestamp() - east
