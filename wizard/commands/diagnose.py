"""`diagnose`: the walk without a screen, on this host or on a recorded one.

Owns the joining of host, runner and printer for one run. May not know checks, or what a report says.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections.abc import Mapping

from wizard import __version__
from wizard.commands.answers import answers_of
from wizard.commands.errors import InputError, UsageError
from wizard.commands.library import known_checks, library_for
from wizard.commands.output import printed, write
from wizard.commands.progress import Progress
from wizard.flow.library import Library
from wizard.host.port import Host
from wizard.host.questions import Identity, Me
from wizard.host.recorded import RecordedHost
from wizard.host.recording import RecordingHost
from wizard.host.secrets import Redactor
from wizard.session.build import build, exit_status
from wizard.session.events import Event, Started
from wizard.session.file import SessionFileError, load
from wizard.session.file import write as write_session
from wizard.session.redact import without_secrets
from wizard.session.save import SaveError
from wizard.session.session import Session, session_id
from wizard.walk.plan import Target, TargetError, read_target
from wizard.walk.runner import Options, Runner


def live_host() -> Host:
    """The machine itself; imported only where it is really asked."""
    from wizard.host.live.host import LiveHost  # noqa: PLC0415

    return LiveHost()


def load_session(path: str) -> Session:
    """A session file.

    Raises:
        InputError: it is missing, unreadable or no session.
    """
    try:
        return load(path)
    except SessionFileError as error:
        raise InputError(
            error.what, f"{error.path}:{error.line}" if error.line else str(error.path), error.hint
        ) from error


def target_of(text: str | None) -> Target:
    """The target as typed.

    Raises:
        UsageError: it is none.
    """
    try:
        return read_target(text)
    except TargetError as error:
        raise UsageError(str(error), error.hint) from error


def diagnose(given: argparse.Namespace) -> int:
    """Walk, print, and give the exit status of the verdict."""
    form = given.format or "text"
    target = target_of(given.target)
    library, flow = library_for(given.flow)
    source = load_session(given.source) if given.source else None
    if source is not None and given.target is None:
        target = target_of(source.target)
    options = options_of(given, source, flow, answers_of(given, library))
    host = RecordedHost(source.asked) if source is not None else live_host()
    if given.plan:
        from wizard.commands.planned import planned  # noqa: PLC0415 - seldom asked for

        write(asyncio.run(planned(host, target, library, options)))
        return 0
    recording = RecordingHost(host)
    run = _Run(recording, library, options, source, given.target)
    progress = Progress(enabled=form == "text" and source is None and sys.stderr.isatty())
    try:
        asyncio.run(run.walk(target, progress, spent=time.monotonic() - given.began))
    finally:  # an interrupted walk is kept too: `resume` goes on with it
        unwritten = given.record is None
        session = without_secrets(run.session(saved=not unwritten), recording.redactor, asked_without=unwritten)
        if given.record:
            _record(given.record, session, recording.redactor)
    report = build(session, library.causes.values(), known_checks())
    write(printed(report, form))
    return exit_status(report)


class _Run:
    """One walk without a screen, and the session that comes of it."""

    def __init__(
        self, host: RecordingHost, library: Library, options: Options, source: Session | None, target: str | None
    ) -> None:
        self._host = host
        self._library = library
        self._options = options
        self._source = source
        self._target = target if source is None or target else source.target
        self._started = self._now()
        self._events: list[Event] = []
        self._me: Me | None = None

    async def walk(self, target: Target, progress: Progress, *, spent: float) -> None:
        """Walk to the end or the deadline, of which some seconds were spent on the start."""
        me = (await self._host.ask(Identity())).answer
        self._me = me if isinstance(me, Me) else None
        self._events.append(Started(self._started, self._target, self._options.flow, self._options.since, __version__))
        runner = Runner(
            self._host,
            self._library,
            known_checks(),
            emit=self._events.append,
            options=self._options,
            clock=self._now,
        )
        async with progress.watching(runner):
            await runner.run(target, spent=spent)

    def session(self, *, saved: bool) -> Session:
        """Everything so far; what is not going to be saved holds of each log only its last lines."""
        source, me = self._source, self._me
        return Session(
            id=source.id if source is not None else session_id(self._started, me.hostname if me else ""),
            started=self._started,
            wizard=__version__,
            target=self._target,
            options={"since": self._options.since, "timeout": self._options.timeout, "flow": self._options.flow},
            me=me,
            asked=self._host.records(saved=saved),
            events=tuple(self._events),
        )

    def _now(self) -> float:
        """The time of an event: a recorded host has no present."""
        return time.time() if self._source is None else self._source.started


def _record(path: str, session: Session, redactor: Redactor) -> None:
    try:
        write_session(path, session, redactor)
    except SaveError as error:
        raise InputError(error.what, str(error.path), error.hint) from error


def options_of(
    given: argparse.Namespace, source: Session | None, flow: str, answers: Mapping[str, str] | None = None
) -> Options:
    """How to walk: as typed, else as the session was recorded.

    Its logs were read so far back and no further, and what was waited for depends on the deadline.
    """
    standard = Options()
    recorded = source.options if source is not None else {}

    def chosen(name: str, otherwise: float) -> float:
        value = getattr(given, name, None) or recorded.get(name)
        return float(value) if isinstance(value, int | float) else otherwise

    return Options(chosen("since", standard.since), chosen("timeout", standard.timeout), flow, answers or {})
