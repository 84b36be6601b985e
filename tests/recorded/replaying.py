"""Walks a recorded host as a live one would be walked, and gives the report."""

from __future__ import annotations

import asyncio
from functools import cache

from wizard.commands.library import known_checks, library_for
from wizard.flow.library import Library
from wizard.host.recorded import RecordedHost
from wizard.host.recording import RecordingHost
from wizard.session.build import build
from wizard.session.events import Event, Started
from wizard.session.report import Report
from wizard.session.session import Session
from wizard.walk.plan import read_target
from wizard.walk.runner import Options, Runner


def walked(session: Session) -> Session:
    """The session that a new walk over the recorded answers gives."""
    library, flow = _library()
    host = RecordingHost(RecordedHost(session.asked))
    since = session.options.get("since")
    options = Options(since=float(since) if isinstance(since, int | float) else 900.0, flow=flow)
    events: list[Event] = [Started(session.started, session.target, flow, options.since, session.wizard)]
    runner = Runner(host, library, known_checks(), emit=events.append, options=options, clock=lambda: session.started)
    asyncio.run(runner.run(read_target(session.target)))
    return Session(
        session.id,
        session.started,
        session.wizard,
        session.target,
        session.options,
        session.me,
        host.records(),
        tuple(events),
    )


def reported(session: Session) -> Report:
    """What a session shows."""
    library, _ = _library()
    return build(session, library.causes.values(), known_checks())


@cache
def _library() -> tuple[Library, str]:
    return library_for(None)
