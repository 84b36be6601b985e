"""What the service behind an endpoint said itself, around the time at which requests to it failed.

Owns the check `app-log`: which logs are read, and near which moments. May not know what a line means, or causes. A line
of another hour tells of another fault, so only what was said near one counts.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from wizard.checks.logged import server_events
from wizard.checks.registry import UNKNOWN, Asker, Finding, Gap, Scope, Subject, check
from wizard.checks.service import claimed, ownership
from wizard.checks.serving import Serving, fpm_of, serving
from wizard.checks.survey import survey
from wizard.host.questions import LogTail, NotAnswered, ReadLog, StampKind, Why
from wizard.logs.telling import Said, Tale, chief, said_in
from wizard.services import logfiles, systemd
from wizard.services.journal import MAX_LINES, last_words
from wizard.services.unitstate import UnitState
from wizard.text import one_line

NEAR = 45.0  # seconds between a failing request and the line about it
_MAX_LOG = 256 << 10
_LAST = ("-n", "50", "--no-pager")
_SAID = ("sample", "count", "source", "argv")

_MEANING = {
    Tale.CONNECTION_DISALLOWED: "it drops connections from this address",
    Tale.WORKER_TIMEOUT: "a worker was ended because its request took too long",
    Tale.TOO_MANY_FILES: "it has no file descriptor left",
    Tale.NO_SPACE: "a file system that it writes to is full",
    Tale.NO_MORE_TASKS: "it can start no further process or thread",
    Tale.OUT_OF_MEMORY: "memory ran out",
    Tale.MAX_WORKERS: "all of its workers are busy",
    Tale.QUEUE_FULL: "its accept queue is full",
    Tale.WORKER_SIGNAL: "a worker crashed",
    Tale.WORKER_KILLED: "a worker was killed",
    Tale.ADDRESS_IN_USE: "its address is taken",
    Tale.CANNOT_CONNECT: "it cannot connect to something that it needs",
    Tale.EMPTY_REPLY: "a request raised an error, and nothing was sent",
    Tale.TRACEBACK: "a request raised an error",
}


@check(
    "app-log",
    Scope.SERVER,
    {**{str(tale): _SAID for tale in Tale}, "quiet": ()},
    bad=tuple(str(tale) for tale in Tale),
    past=True,
)
async def app_log(subject: Subject, asker: Asker) -> Finding:
    """Read what the service wrote to the journal and to its own files when requests failed."""
    who = await serving(subject, asker)
    clock = (await survey(asker)).clock
    if who is None or clock is None:
        return Finding(UNKNOWN, "Who serves the address could not be seen.")
    if await _is_gateway(who, asker):
        return Finding("quiet", "A gateway of this host listens there; its log is read where it is walked itself.")
    unit, state = await _unit(subject, who, asker)
    by_hand = f"journalctl -u {unit} -n 50 --no-pager" if unit else None
    said: list[tuple[Said, str]] = []
    gaps: list[Gap] = []
    read = 0
    if unit:
        lines = await last_words(asker, unit, lines=MAX_LINES, seconds=max(asker.since, 60.0))
        if isinstance(lines, NotAnswered):
            gaps.append(Gap(f"the journal of {one_line(unit)}", one_line(lines.detail), lines.grant))
        else:
            read += 1
            said += [(one, "the journal") for one in said_in((line.message, line.time) for line in lines)]
    for path in await _files(who, state, asker):
        tail = (await asker.ask(ReadLog(path, max(asker.since, 60.0), StampKind.NONE, _MAX_LOG))).answer
        if isinstance(tail, LogTail):
            read += 1
            said += [(one, path) for one in _of_file(tail)]
        elif tail.why is not Why.MISSING:
            gaps.append(Gap(one_line(path), one_line(tail.detail), tail.grant))
    times = [clock.now, *await _failures(subject, asker)]
    found = chief([one for one, _ in said], times, NEAR)
    if found is None:
        return _nothing(unit, read, tuple(gaps), by_hand)
    line, count = found
    source = next(source for one, source in said if one is line)
    argv = ("tail", "-n", "50", source) if source.startswith("/") else ("journalctl", "-u", unit or "", *_LAST)
    return Finding(
        str(line.tale),
        f"{_MEANING[line.tale].capitalize()}, by {one_line(source)}: {one_line(line.line, limit=160)}",
        {"sample": one_line(line.line, limit=240), "count": count, "source": source, "argv": argv},
        tuple(gaps),
        shlex.join(argv),
        first_seen=line.time,
        last_seen=line.time,
    )


async def _is_gateway(who: Serving, asker: Asker) -> bool:
    """Whether what listens is a gateway that is walked: what it logs of its own upstreams is no word of an application."""
    gateways = (await survey(asker)).gateways
    own = {pid for one in gateways for pid in (one.instance.pid, *one.instance.workers)}
    return any(one.pid in own for one in who.owners)


def _nothing(unit: str | None, read: int, gaps: tuple[Gap, ...], by_hand: str | None) -> Finding:
    who = one_line(unit) if unit else "The process that listens"
    if read:
        return Finding("quiet", f"{who} wrote nothing that tells of a failed request.", gaps=gaps, by_hand=by_hand)
    if gaps:
        return Finding(UNKNOWN, "What the service wrote could not be read.", gaps=gaps, by_hand=by_hand)
    return Finding(UNKNOWN, f"Where {who} writes its messages could not be found.", by_hand=by_hand)


async def _unit(subject: Subject, who: Serving, asker: Asker) -> tuple[str | None, UnitState | None]:
    if not await systemd.present(asker):
        return None, None
    unit = who.unit
    if unit is None:
        claim = claimed(await ownership(subject, asker, who.address.text))
        unit = claim.service if claim is not None else None
    state = await systemd.state(asker, unit) if unit else None
    return unit, state if isinstance(state, UnitState) else None


async def _files(who: Serving, state: UnitState | None, asker: Asker) -> tuple[str, ...]:
    """The log files of a service, those that are its server's own first."""
    found: list[str] = []
    fpm = await fpm_of(who, asker)
    if fpm is not None:
        found.append(fpm.log)
    if state is not None:
        streams = (state.standard_output, state.standard_error)
        found += logfiles.named_by_unit(state.commands, streams, state.working_directory)
    for process in who.owners[:2]:
        found += logfiles.named_on_command(process.argv[1:], process.cwd)
    found += await logfiles.held_open(asker, who.owners)
    return tuple(path for path in dict.fromkeys(found) if logfiles.is_log(path, stream=True))[: logfiles.MAX_FILES]


def _of_file(tail: LogTail) -> Sequence[Said]:
    """The telling lines of a file. Where it has no stamps, its last lines were written when it was last written to."""
    text = tail.content.decode("utf-8", "replace").splitlines()
    said = said_in(((line, None) for line in text), tail.utc_offset)
    if any(one.time is not None for one in said):
        return said
    return said_in(((line, tail.mtime) for line in text[-60:]), tail.utc_offset)


async def _failures(subject: Subject, asker: Asker) -> tuple[float, ...]:
    """When the gateway logged failures of this server."""
    events, _ = await server_events(subject, asker)
    times = [event.time for event in events if event.time is not None] if isinstance(events, tuple) else []
    return tuple(dict.fromkeys(times))[-50:]
