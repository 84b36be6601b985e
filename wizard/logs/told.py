"""The small programs' way from a message to an event: look a row up, fill the fields in.

Owns what application servers, the kernel and service managers have in common. May not know any program's wording.
"""

from __future__ import annotations

from wizard.logs.errnos import errno_of
from wizard.logs.signatures import Match, Signature, find
from wizard.logs.upstreams import endpoint
from wizard.model import LogEvent, Phase

NOTICE = "notice"
OTHER = "other"


def event_of(
    program: str,
    match: Match,
    text: str,
    *,
    time: float | None = None,
    level: str = "",
    pid: int | None = None,
    errno: int | None = None,
    upstream: str | None = None,
    causes: tuple[str, ...] | None = None,
) -> LogEvent:
    """An event of a row that applies.

    Args:
        program: who wrote it.
        match: the row, with the groups `target`, `status`, `upstream`, `pid`, `wording` and `request` of its pattern.
        text: the line.
        time: seconds since the epoch.
        level: as printed, in lower case.
        pid: of the process that is meant, where the pattern names none.
        errno: where the line prints one.
        upstream: where the pattern names none.
        causes: in place of the row's.
    """
    groups = match.groups
    row: Signature = match.row
    if errno is None:
        errno = errno_of(None, groups["wording"]) if "wording" in groups else row.errno
    named = groups.get("upstream")
    status = groups.get("status")
    number = groups.get("pid")
    return LogEvent(
        program=program,
        symptom=row.symptom,
        meaning=row.meaning,
        phase=row.phase or Phase.NONE,
        time=time,
        level=level,
        errno=errno,
        upstream=endpoint(named) if named else upstream,
        request=groups.get("request"),
        pid=int(number) if number else pid,
        causes=row.causes if causes is None else causes,
        line=text,
        status=int(status) if status else None,
        target=groups.get("target"),
    )


def told(
    program: str,
    name: str,
    table: tuple[Signature, ...],
    message: str,
    text: str,
    *,
    time: float | None,
    level: str,
    pid: int | None,
    serious: bool,
) -> LogEvent:
    """An event for a line that is certainly the program's: of its row, or one that says that it is not in the table."""
    match = find(table, message)
    if match is not None:
        return event_of(program, match, text, time=time, level=level, pid=pid)
    symptom, meaning = (
        (OTHER, f"{name} reports an error that is in no table of known faults.")
        if serious
        else (NOTICE, f"{name} reports what it does; this is no failure.")
    )
    return LogEvent(program=program, symptom=symptom, meaning=meaning, time=time, level=level, pid=pid, line=text)
