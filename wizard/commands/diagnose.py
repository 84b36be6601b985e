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
from wizard.commands.library import known_checks, library_for
from wizard.commands.output import printed, write
from wizard.commands.progress import Progress
from wizard.commands.run import InputError, UsageError
from wizard.host.port import Host
from wizard.host.questions import Identity, Me
from wizard.host.recorded import RecordedHost
from wizard.host.recording import RecordingHost
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


def target_of(text: str | None, *, json: bool = False) -> Target:
    """The target as typed.

    Raises:
        UsageError: it is none.
    """
    try:
        return read_target(text)
    except TargetError as error:
        raise UsageError(str(error), error.hint, json=json) from error


def diagnose(given: argparse.Namespace) -> int:
    """Walk, print, and give the exit status of the verdict."""
    form = given.format or "text"
    target = target_of(given.target, json=form == "json")
    library, flow = library_for(given.flow)
    source = load_session(given.source) if given.source else None
    if source is not None and given.target is None:
        target = target_of(source.target)
    options = Options(given.since, given.timeout, flow, _answers(given))
    host = RecordedHost(source.asked) if source is not None else live_host()
    if given.plan:
        from wizard.commands.planned import planned  # noqa: PLC0415 - seldom asked for

        write(asyncio.run(planned(host, target, library, options)))
        return 0
    recording = RecordingHost(host)
    events: list[Event] = []
    started = time.time() if source is None else source.started

    async def walk() -> Me | None:
        me = (await recording.ask(Identity())).answer
        progress = Progress(enabled=form == "text" and source is None and sys.stderr.isatty())
        events.append(Started(started, given.target, flow, given.since, __version__))
        runner = Runner(
            recording, library, known_checks(), emit=events.append, options=options, clock=lambda: _now(started, source)
        )
        async with progress.watching(runner):
            await runner.run(target)
        return me if isinstance(me, Me) else None

    me = asyncio.run(walk())
    walked = Session(
        id=source.id if source is not None else session_id(started, me.hostname if me else ""),
        started=started,
        wizard=__version__,
        target=given.target if source is None or given.target else source.target,
        me=me,
        asked=recording.records(),
        events=tuple(events),
    )
    session = without_secrets(walked, recording.redactor)
    if given.record:
        try:
            write_session(given.record, session, recording.redactor)
        except SaveError as error:
            raise InputError(error.what, str(error.path), error.hint) from error
    report = build(session, library.causes.values(), known_checks())
    write(printed(report, form))
    return exit_status(report)


def _now(started: float, source: Session | None) -> float:
    """The time of an event: a recorded host has no present."""
    return time.time() if source is None else started


def _answers(given: argparse.Namespace) -> Mapping[str, str]:
    answers: dict[str, str] = {}
    if given.answers:
        try:
            with open(given.answers, encoding="utf-8") as stream:  # noqa: PTH123 - a path as typed, dash included
                lines = stream.read(1 << 20).splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"the answers could not be read: {error}", given.answers) from error
        for number, line in enumerate(lines, 1):
            stripped = line.strip()
            if stripped and not stripped.startswith("#"):
                node, equals, value = stripped.partition("=")
                if not equals:
                    raise InputError("a line that is no answer", f"{given.answers}:{number}", "write FLOW/STEP=VALUE")
                answers[node.strip()] = value.strip()
    answers.update(dict(given.answer))
    return answers
