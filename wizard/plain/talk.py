"""The wizard in plain lines: what fails, the walk step by step, the report, and what to do next, by numbers.

Owns the conversation from its beginning to a report. May not know a host beyond handing it on, nor how a verdict is
drawn. Where nobody answers it takes "don't know" for every question of the walk, and ends after the report.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress

from wizard.checks.registry import Check
from wizard.flow.engine import Visit
from wizard.flow.language import DONT_KNOW
from wizard.flow.library import Library
from wizard.host.recorded import RecordedHost
from wizard.host.recording import RecordingHost
from wizard.plain.ending import Ending
from wizard.plain.lines import Lines, Terminal, pick
from wizard.plain.steps import numbers, said_of
from wizard.session.build import exit_status
from wizard.session.events import Event, InputRefused, Skipped, StepDone
from wizard.session.file import SessionFileError
from wizard.session.print_text import text
from wizard.session.session import Session
from wizard.text import Visible, one_line
from wizard.views.explain import ExplainView, explain_view
from wizard.views.start import Row, StartView, Symptom, start_view, symptoms
from wizard.views.words import age
from wizard.walk.outside import Outside
from wizard.walk.plan import Target, TargetError, read_target
from wizard.walk.resume import standing
from wizard.walk.runner import Options
from wizard.walk.sitting import OtherHostError, Sitting
from wizard.walk.sitting import RecordingHost as Recording

INTERRUPTED = 130
_FIRST_WORD = 3.0  # seconds of silence before it is said what is waited for
_NEXT_WORD = 10.0
_DEMO = "To see how it works without a gateway: choose a recorded incident below, or run gateway-wizard demo"
_QUIT = frozenset({"q", "quit"})

Walking = Callable[[], Coroutine[None, None, None]]
MakeSitting = Callable[[Recording, Session | None], Sitting]


def talk(
    host: Recording,
    library: Library,
    checks: Mapping[str, Check],
    target: Target,
    options: Options,
    session: Session | None,
    *,
    lines: Lines | None = None,
    resumed: bool = False,
    outside: Outside | None = None,
) -> int:
    """Talk until the person has enough.

    Args:
        host: who is asked, live or recorded.
        library: trees and causes.
        checks: by name.
        target: what is walked; where it names nothing the person is asked.
        options: of every walk.
        session: the saved session that is replayed or, if `resumed`, gone on with; None: the host is live.
        lines: where is read and written; standard input and output otherwise.
        resumed: whether the session goes on, on the live host.
        outside: the ways out of the wizard.

    Returns:
        The exit status of the last verdict; 128+n where signal n ended it.
    """
    talker = Talker(lines or Terminal(), library, checks, options, outside or Outside())
    replayed, saved = (None, session) if resumed else (session, None)
    home = talker.sitting = talker.sit(host, replayed)
    try:
        return asyncio.run(talker.talk(target, saved))
    except KeyboardInterrupt:
        talker.lines.say()
        talker.lines.say("Interrupted.")
        return INTERRUPTED
    except asyncio.CancelledError:
        return 128 + talker.ended_by
    finally:
        talker.keep(home)


class Talker:
    """One conversation."""

    def __init__(
        self, lines: Lines, library: Library, checks: Mapping[str, Check], options: Options, outside: Outside
    ) -> None:
        self.lines = lines
        self.outside = outside
        self.ended_by = int(signal.SIGTERM)
        self._library = library
        self._checks = checks
        self._options = options
        self._walking: asyncio.Task[None] | None = None
        self.sitting: Sitting

    def sit(self, host: Recording, replayed: Session | None) -> Sitting:
        """Sit down at a host."""
        return Sitting(
            host,
            self._library,
            self._checks,
            self._options,
            replayed=replayed,
            heard=self.heard,
            answerer=self.answer,
        )

    def keep(self, sitting: Sitting) -> None:
        """Keep what was walked, where it was a live host."""
        if self.outside.keep is not None and sitting.replayed is None and sitting.walked:
            self.outside.keep(sitting.session())

    async def talk(self, target: Target, saved: Session | None = None) -> int:
        """The whole conversation, or its rest where a saved session goes on; the exit status of the last verdict."""
        self._listen_to_signals()
        self.lines.say("gateway-wizard: it only looks, and never changes this host.")
        shown = await self._look()
        walking: Walking | None
        if saved is not None:
            walking = self._resumed(saved)
        elif target == Target() and self.sitting.replayed is None:
            walking = await self._choose(shown)
        else:
            walking = self._walked(target)
        while walking is not None:
            await self._run(walking)
            ending = Ending(self.lines, self.sitting, self.outside, self._run)
            walking = await self._choose(await self._look()) if await ending.talk() else None
        return exit_status(self.sitting.report()) if self.sitting.walked else 0

    # --- what the sitting calls --------------------------------------------------------------------------------------

    def heard(self, event: Event) -> None:
        """Say what happened, a line each, with the number that the step has on the screen too."""
        match event:
            case StepDone() | Skipped():
                number = numbers(self.sitting).get((event.node, event.subject), 0)
                self.lines.say(f"{number}. {said_of(self.sitting, event)}")
            case InputRefused(problem=problem):
                self.lines.say(f"{problem.what} {problem.hint}")
            case _:
                pass

    async def answer(self, visit: Visit) -> str:
        """Ask a question of the walk; no answer is "don't know"."""
        choices = [(value, label) for value, label in visit.step.choices if value != DONT_KNOW]
        choices.append((DONT_KNOW, "I don't know"))
        labels = [label for _, label in choices]
        picked = await pick(self.lines, visit.step.ask or "", labels, len(labels) - 1, visit.step.why)
        return choices[picked][0] if picked is not None else DONT_KNOW

    # --- where a walk begins -----------------------------------------------------------------------------------------

    async def _look(self) -> StartView:
        try:
            await self.sitting.look()
        except TimeoutError:
            return start_view(None, failure="The host could not be looked at in time.")
        shown = start_view(self.sitting.glance)
        for said in (shown.host, *shown.gateways, *shown.notes):
            self.lines.say(said)
        if self.sitting.glance is not None and not self.sitting.glance.gateways:
            self.lines.say(_DEMO)
        return shown

    async def _choose(self, shown: StartView) -> Walking | None:
        """What to do first, by a number or by a URL as it is; without an answer everything is walked."""
        found = self.outside.interrupted() if self.outside.interrupted is not None else None
        while True:
            wishes: list[tuple[str, Callable[[], Coroutine[None, None, Walking | None]]]] = []
            wishes += [(_row(row), self._row_chosen(row)) for row in shown.rows]
            if found is not None:
                said = f"go on with the interrupted walk of {one_line(found.target or 'every route')}"
                wishes.append((said, self._resume_chosen(found.path)))
            for one in symptoms(self._library) if shown.rows else ():
                wishes.append((one.title, self._symptom_chosen(one, shown)))
            wishes.append(("paste log lines, and see what they mean", self._pasted))
            if self.outside.incidents:
                wishes.append(("open a recorded real incident", self._incident))
            self.lines.say()
            self.lines.say(f"{shown.heading or 'What to do'}:")
            for number, (label, _) in enumerate(wishes, 1):
                self.lines.say(f"  {number}. {label}")
            given = await self.lines.ask("Which? A number, a URL, or q to quit [1]: ")
            if given is None:
                return self._walked(Target())
            if given.lower() in _QUIT:
                return None
            chosen: Walking | None
            if not given or (given.isascii() and given.isdigit() and 1 <= int(given[:6]) <= len(wishes)):
                chosen = await wishes[int(given or "1") - 1][1]()
            else:
                chosen = self._typed(given)
            if chosen is not None:
                return chosen

    def _typed(self, given: str) -> Walking | None:
        try:
            return self._walked(read_target(given))
        except TargetError as error:
            self.lines.say(f"{error}. Please {error.hint}.")
            return None

    def _row_chosen(self, row: Row) -> Callable[[], Coroutine[None, None, Walking | None]]:
        async def chosen() -> Walking | None:
            return self._walked(row.target)

        return chosen

    def _symptom_chosen(
        self, symptom: Symptom, shown: StartView
    ) -> Callable[[], Coroutine[None, None, Walking | None]]:
        async def chosen() -> Walking | None:
            places = [row for row in shown.rows if row.target != Target()]
            if len(places) < 2:
                return self._walked(places[0].target if places else Target(), symptom.flow)
            labels = [_row(row) for row in places]
            at = await pick(self.lines, f"Where: {symptom.title}?", [*labels, "everywhere: each route"])
            if at is None:
                return None
            return self._walked(places[at].target if at < len(places) else Target(), symptom.flow)

        return chosen

    def _resume_chosen(self, path: str) -> Callable[[], Coroutine[None, None, Walking | None]]:
        async def chosen() -> Walking | None:
            saved = self._loaded(path)
            if saved is None or self.outside.live is None:
                return None
            self.sitting = self.sit(RecordingHost(self.outside.live(), earlier=saved.asked), None)
            return self._resumed(saved)

        return chosen

    async def _incident(self) -> Walking | None:
        known = list(self.outside.incidents.items())
        at = await pick(self.lines, "Recorded real incidents:", [one.title or name for name, one in known])
        session = self._loaded(known[at][1].path) if at is not None else None
        if session is None:
            return None
        self.sitting = self.sit(RecordingHost(RecordedHost(session.asked)), session)
        target = self._typed(session.target or "")
        await self._look()
        return target

    async def _pasted(self) -> Walking | None:
        self.lines.say("Paste the lines, then an empty line.")
        pasted: list[str] = []
        while line := await self.lines.ask(""):
            pasted.append(line)
        glance = self.sitting.glance
        view = explain_view(
            "\n".join(pasted), now=glance.at if glance else None, offset=glance.utc_offset if glance else None
        )
        for said in _explained(view):
            self.lines.say(said)
        targets = list(dict.fromkeys(target for line in view.lines for target in line.targets))
        if not targets:
            return None
        names = [f"walk {one_line(one.url or one.upstream or '')}" for one in targets]
        at = await pick(self.lines, "What next?", [*names, "something else"])
        return self._walked(targets[at]) if at is not None and at < len(targets) else None

    def _loaded(self, path: str) -> Session | None:
        try:
            return self.outside.load(path)
        except SessionFileError as error:
            self.lines.say(f"{one_line(path)}: {error.what}. Please {error.hint}.")
            return None

    # --- the walk ----------------------------------------------------------------------------------------------------

    def _walked(self, target: Target, flow: str | None = None) -> Walking:
        async def walking() -> None:
            self.lines.say()
            self.lines.say(f"Walking {one_line(target.url or target.upstream or 'everything that is routed')}.")
            await self.sitting.walk(target, flow)

        return walking

    def _resumed(self, saved: Session) -> Walking:
        async def walking() -> None:
            self.lines.say()
            self.lines.say(f"Going on with {one_line(saved.target or 'everything that is routed')}.")
            for event in standing(saved.events).events:
                if isinstance(event, StepDone):
                    self.lines.say(f"done: {said_of(self.sitting, event)}")
            try:
                await self.sitting.resume(saved)
            except OtherHostError as error:
                self.lines.say(str(error))

        return walking

    async def _run(self, walking: Walking) -> None:
        """Walk; Ctrl+C ends the walk and not the conversation. Then the report."""
        task = self._walking = asyncio.ensure_future(walking())
        waiting = asyncio.create_task(self._say_what_is_waited_for())
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError:
            task.cancel()
            await asyncio.wait({task})
            raise
        finally:
            waiting.cancel()
            self._walking = None
        if task.cancelled():
            self.lines.say("Stopped.")
        else:
            task.result()
        if self.sitting.walked:
            self.lines.say()
            self.lines.say(text(self.sitting.report(), width=78))
            self.keep(self.sitting)

    async def _say_what_is_waited_for(self) -> None:
        await asyncio.sleep(_FIRST_WORD)
        while True:
            now = asyncio.get_running_loop().time()
            for probing in self.sitting.probing[:1]:
                about = one_line(probing.visit.about.partition(" of ")[0])
                what = probing.visit.step.check or probing.visit.step.name
                self.lines.say(
                    f"Waiting for {one_line(what)} of {about}, {age(now - probing.since)} so far. Ctrl+C stops the walk."
                )
            await asyncio.sleep(_NEXT_WORD)

    def _listen_to_signals(self) -> None:
        loop, main = asyncio.get_running_loop(), asyncio.current_task()
        assert main is not None  # noqa: S101 - a coroutine runs in a task

        def interrupted() -> None:
            if self._walking is not None:
                self._walking.cancel()
            else:
                self.ended_by = int(signal.SIGINT)
                main.cancel()

        def ended(number: int) -> None:
            self.ended_by = number
            main.cancel()

        with suppress(NotImplementedError, RuntimeError, ValueError):  # not in the main thread
            loop.add_signal_handler(signal.SIGINT, interrupted)
            for number in (signal.SIGTERM, signal.SIGHUP):
                loop.add_signal_handler(number, ended, int(number))


def _row(row: Row) -> Visible:
    times = "once" if row.count == "1" else f"{row.count} times"
    said = [row.where, row.upstream, row.word]
    if row.count:
        said += [Visible(f"status {row.status}"), Visible(times), Visible(f"last {row.last} ago")]
    return Visible(", ".join(part for part in said if part))


def _explained(view: ExplainView) -> list[str]:
    said: list[str] = []
    for one in view.lines:
        facts = ", ".join(f"{name} {value}" for name, value in one.facts)
        said.append(f"Line {one.number}, {one.program}: {one.meaning}" + (f" ({facts})" if facts else ""))
        if one.causes:
            said.append(f"  It fits {', '.join(one.causes)}. gateway-wizard cause ID shows the article of each.")
    if view.unknown or not said:
        said.append(f"{view.unknown} lines were not recognised." if said else "No line was recognised.")
    return said
