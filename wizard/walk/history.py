"""What happened before: the questions about the time before the first error, asked beside the walk.

Owns which questions those are, and that they neither slow the walk nor change what it comes to. May not know what the
answers tell: `wizard.session.timeline` reads them. What is asked for lies on the path that is walked: its units, the
files of its configuration, its certificates, the programs behind it, and the log of the package manager.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from functools import partial

from wizard.checks.logged import route_events
from wizard.checks.registry import Asker, Gap, Scope, Subject
from wizard.checks.survey import survey
from wizard.host.questions import (
    DirList,
    Identity,
    ListDir,
    LogTail,
    Me,
    NotAnswered,
    Processes,
    ProcessTable,
    ReadLog,
    Run,
    Sockets,
    SocketTable,
    StampKind,
    Stat,
    Why,
)
from wizard.host.threads import EVENT, beside
from wizard.logs.bursts import Burst, Counts, at_the_edge, bursts, counted, extended
from wizard.logs.packages import APK, logs_of
from wizard.model import LogEvent, Route
from wizard.services import systemd
from wizard.services.application import MAX_ENTRIES, MAX_FOLDERS, below, files_of, folder_of
from wizard.services.journal import FIELDS, last_words
from wizard.services.mentions import read_endpoint
from wizard.services.processes import accepts, unit_of
from wizard.services.unitread import split_quoted
from wizard.services.unitstate import UnitState
from wizard.session.events import Recalled, StepDone
from wizard.text import one_line
from wizard.walk.bearing import certificates_of, events_about, files_on_path

DAY = 86400.0
LATE = 1.0  # seconds that a walk which is over waits for what was begun beside it
MAX_LOG = 1 << 16
MAX_UNITS = 6
_LINES = 300
_MAX_CERTIFICATES = 8
_MAX_LOGS = 3
_MAX_FURTHER = 2 << 20
_UNREADABLE = frozenset({Why.DENIED, Why.TIMED_OUT})

_NAMES = ("/etc/hosts", "/etc/resolv.conf")
_LOCAL_UNITS = ("/etc/", "/run/systemd/")


class History:
    """Asks while the walk goes on: what the plan names at once, and what the steps name as they come."""

    def __init__(self, asker: Asker, subjects: Sequence[Subject], started: float) -> None:
        """Ask nothing yet.

        Args:
            asker: of the walk, so that nothing is asked twice.
            subjects: what is walked.
            started: when the walk began (epoch); what was logged later is its own doing.
        """
        self._asker = asker
        self._subjects = subjects
        self._started = started
        self._tasks: list[asyncio.Task[None]] = []
        self._units: dict[str, None] = {}
        self._gateway_units = tuple(
            dict.fromkeys(unit for one in subjects if one.route and (unit := one.route.gateway.unit))
        )
        self._files: dict[str, None] = {}
        self._certificates: dict[str, None] = {}
        self._application: dict[str, None] = {}
        self._bursts: tuple[Burst, ...] = ()
        self._counts: Counts | None = None
        self._gaps: dict[tuple[str, str], Gap] = {}

    def begin(self) -> None:
        """Ask what the plan names."""
        for work in (self._packages, self._kernel, self._configured, self._programs, self._failures):
            self._also(work)
        for unit in self._gateway_units:
            self._also(partial(self._unit, unit))

    def heard(self, step: StepDone) -> None:
        """Ask about a unit that a step named."""
        unit = step.values.get("unit")
        if isinstance(unit, str):
            self._found(unit)

    async def told(self, at: float, seconds: float, attempt: int) -> Recalled:
        """What was learned within so many seconds from now; the rest is given up."""
        pending = {task for task in self._tasks if not task.done()}
        end = asyncio.get_running_loop().time() + min(LATE, seconds)
        while pending and (left := end - asyncio.get_running_loop().time()) > 0:
            await asyncio.wait(pending, timeout=left)
            pending = {task for task in self._tasks if not task.done()}
        self.cancel()
        return Recalled(
            at=at,
            units=tuple(sorted(self._units)),
            gateway_units=self._gateway_units,
            files=tuple(self._files),
            certificates=tuple(self._certificates),
            application=tuple(sorted(self._application)),
            bursts=self._bursts,
            counts=self._counts,
            gaps=tuple(self._gaps[key] for key in sorted(self._gaps)),
            attempt=attempt,
        )

    def cancel(self) -> None:
        """Ask no further."""
        for task in self._tasks:
            task.cancel()

    async def all(self) -> None:
        """Wait for everything: for a plan of what may be asked."""
        while pending := [task for task in self._tasks if not task.done()]:
            await asyncio.wait(pending)

    def _also(self, work: Callable[[], Awaitable[None]]) -> None:
        self._tasks.append(asyncio.ensure_future(_quietly(work)))

    def _found(self, unit: str) -> None:
        known = (*self._units, *self._gateway_units)
        if unit.endswith(".service") and unit not in known and len(self._units) < MAX_UNITS:
            self._units[unit] = None
            self._also(partial(self._unit, unit))

    def _missed(self, what: str, answer: NotAnswered) -> None:
        if answer.why in _UNREADABLE:
            gap = Gap(what, one_line(answer.detail), answer.grant)
            self._gaps[gap.what, gap.because] = gap

    # --- the questions ----------------------------------------------------------------------------------------------

    async def _packages(self) -> None:
        me = (await self._asker.ask(Identity())).answer
        system = me.os if isinstance(me, Me) else ""
        if "alpine" in system.lower():
            await self._asker.ask(Stat(APK))
            return
        for log in logs_of(system):
            await self._asker.ask(ReadLog(log.path, DAY, log.stamp, MAX_LOG))

    async def _kernel(self) -> None:
        if await systemd.present(self._asker):
            argv = ("journalctl", "-k", "-r", "-o", "json", "-n", "50", "--no-pager", f"--output-fields={FIELDS}",
                    f"--since=-{DAY:.0f}s", "--grep=oom-kill:constraint")  # fmt: skip
            await self._asker.ask(Run(argv))

    async def _configured(self) -> None:
        """The files of the configuration that bear on the path are known; of its certificates, their times are asked."""
        seen = await survey(self._asker)
        paths: dict[str, int | None] = {}
        for route in self._routes():
            gateway = seen.gateway_of(route.gateway)
            if gateway is not None and gateway.configuration is not None:
                self._files.update(dict.fromkeys(files_on_path(gateway.configuration, route)))
                paths.update(dict.fromkeys(certificates_of(gateway.configuration, route), route.gateway.within))
        self._certificates.update(dict.fromkeys(list(paths)[:_MAX_CERTIFICATES]))
        named = any(one.server is not None and one.server.name is not None for one in self._subjects)
        await _each(self._asker, (Stat(path) for path in (_NAMES if named else ())))
        await _each(self._asker, (Stat(path, within=paths[path]) for path in self._certificates))

    async def _unit(self, unit: str) -> None:
        if not await systemd.present(self._asker):
            return
        lines = await last_words(self._asker, unit, lines=_LINES, seconds=DAY)
        if isinstance(lines, NotAnswered):
            self._missed(f"the journal of {one_line(unit)}", lines)
        state = await systemd.state(self._asker, unit)
        if not isinstance(state, UnitState):
            return
        own = [
            path
            for path in (state.fragment, *state.drop_ins, *state.environment_files)
            if path.startswith(_LOCAL_UNITS)
        ]
        await _each(self._asker, (Stat(path) for path in own))
        if unit in self._units:
            for command in state.commands:
                await self._program(tuple(split_quoted(command)), state.working_directory)

    async def _programs(self) -> None:
        """Who listens at the servers' addresses: a unit, or a process that no unit has."""
        sockets, table = (await self._asker.ask(Sockets())).answer, (await self._asker.ask(Processes())).answer
        if not isinstance(sockets, SocketTable) or not isinstance(table, ProcessTable):
            return
        servers = [one.server.address for one in self._subjects if one.scope is Scope.SERVER and one.server]
        wanted = [endpoint for one in dict.fromkeys(servers) if (endpoint := read_endpoint(one)) is not None]
        pids = {pid for one in sockets.listening if any(accepts(one, each) for each in wanted) for pid in one.pids}
        for process in table.processes:
            if process.pid not in pids or process.pid == 1:
                continue
            unit = unit_of(process.cgroup)
            if unit is not None:
                self._found(unit)
            elif process.cwd in {"", "/"} or process.argv:
                await self._program(process.argv, process.cwd)

    async def _program(self, argv: Sequence[str], working: str) -> None:
        """The times of what a deploy would have touched: the files that a program was started with, and its folder."""
        files = files_of(argv)
        self._application.update(dict.fromkeys(files))
        await _each(self._asker, (Stat(path) for path in files))
        folder = folder_of(argv, working)
        if folder is None:
            return
        await self._asker.ask(Stat(folder, follow=False))  # a deploy may only turn a link to another release
        waiting = [folder]
        for _ in range(MAX_FOLDERS):
            if not waiting:
                return
            path = waiting.pop(0)
            listed = (await self._asker.ask(ListDir(path, MAX_ENTRIES))).answer
            if isinstance(listed, DirList):
                self._application[path] = None
                waiting += below(listed.entries) if path == folder else ()

    async def _failures(self) -> None:
        start = self._started - self._asker.since
        paths: dict[str, int | None] = {}
        found: dict[int, LogEvent] = {}  # two routes of one virtual host share the same events
        for subject in self._subjects:
            if subject.scope is not Scope.ROUTE or subject.route is None:
                continue
            events = await route_events(subject, self._asker)
            if isinstance(events, tuple) and subject.route.logs is not None and subject.route.logs.error:
                found.update((id(one), one) for one in events_about(events, subject.route))
                paths[subject.route.logs.error] = subject.route.gateway.within
        events, until = tuple(found.values()), self._started
        self._bursts, self._counts = await beside(
            len(events) * EVENT,
            lambda: (bursts(events, until=until), counted(events, start=start, until=until)),
        )
        if any(at_the_edge(one, start) for one in self._bursts):
            await self._further_back(paths, start)

    async def _further_back(self, paths: Mapping[str, int | None], start: float) -> None:
        """Look for the beginning of what was failing already when the reading of the log begins."""
        for path, within in list(paths.items())[:_MAX_LOGS]:
            question = ReadLog(path, DAY, StampKind.NGINX_ERROR, _MAX_FURTHER, within)
            tail = (await self._asker.ask(question)).answer
            if isinstance(tail, LogTail):
                self._bursts = await beside(len(tail.content), partial(_extended, self._bursts, tail, start))

    def _routes(self) -> list[Route]:
        return [one.route for one in self._subjects if one.scope is Scope.ROUTE and one.route is not None]


async def _quietly(work: Callable[[], Awaitable[None]]) -> None:
    """What happened before is an addition: a defect in asking for it must not end a walk."""
    try:
        await work()
    except Exception:  # noqa: BLE001 - the timeline is shorter then
        return


def _extended(known: Iterable[Burst], tail: LogTail, start: float) -> tuple[Burst, ...]:
    longer = (extended(one, tail) if at_the_edge(one, start) else one for one in known)
    return tuple(sorted(longer, key=lambda one: one.first))


async def _each(asker: Asker, questions: Iterable[Stat]) -> None:
    await asyncio.gather(*(asker.ask(question) for question in questions))
