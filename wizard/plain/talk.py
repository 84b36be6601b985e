"""The wizard in plain lines: what fails, the walk step by step, the report, and what to do next, by numbers.

Owns the conversation. May not know a host beyond handing it on, nor how a verdict is drawn. Where nobody answers it
takes "don't know" for every question of the walk, and ends after the report.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from wizard.checks.registry import Check
from wizard.flow.engine import Visit
from wizard.flow.language import DONT_KNOW
from wizard.flow.library import Library
from wizard.plain.lines import Lines, Terminal
from wizard.session.build import exit_status
from wizard.session.events import Event, InputRefused, Skipped, StepDone
from wizard.session.print_text import text
from wizard.session.report import Report
from wizard.session.save import SaveError, write_private
from wizard.session.session import Session
from wizard.text import Visible, one_line
from wizard.views.start import Row, StartView, start_view
from wizard.views.words import age, state_word
from wizard.walk.plan import Target, TargetError, read_target
from wizard.walk.resume import standing
from wizard.walk.runner import Options
from wizard.walk.sitting import RecordingHost, Sitting

INTERRUPTED = 130
_FIRST_WORD = 3.0  # seconds of silence before it is said what is waited for
_NEXT_WORD = 10.0
_DEMO = "To see how it works without a gateway: gateway-wizard demo"


def talk(
    host: RecordingHost,
    library: Library,
    checks: Mapping[str, Check],
    target: Target,
    options: Options,
    session: Session | None,
    *,
    lines: Lines | None = None,
    resumed: bool = False,
    keep: Callable[[Session], None] | None = None,
) -> int:
    """Talk until the person has enough.

    Args:
        host: who is asked, live or recorded.
        library: trees and causes.
        checks: by name.
        target: what is walked; where it names nothing the person is asked.
        options: of every walk.
        session: the saved session that is replayed; None: the host is live.
        lines: where is read and written; standard input and output otherwise.
        resumed: whether the session is not replayed but gone on with, on the live host.
        keep: is given the session at the end, however it came.

    Returns:
        The exit status of the last verdict; 130 where Ctrl+C ended it.
    """
    talker = Talker(lines or Terminal())
    replayed, saved = (None, session) if resumed else (session, None)
    sitting = Sitting(host, library, checks, options, replayed=replayed, heard=talker.heard, answerer=talker.answer)
    talker.sitting = sitting
    try:
        return asyncio.run(talker.talk(target, saved))
    except KeyboardInterrupt:
        talker.lines.say()
        talker.lines.say("Interrupted.")
        return INTERRUPTED
    finally:
        if keep is not None and replayed is None and sitting.walked:
            keep(sitting.session())


@dataclass(slots=True)
class Talker:
    """One conversation."""

    lines: Lines
    sitting: Sitting | None = None
    number: int = 0

    async def talk(self, target: Target, saved: Session | None = None) -> int:
        """The whole conversation, or its rest where a saved session goes on; the exit status of the last verdict."""
        sitting = self._sitting()
        self.lines.say("gateway-wizard: it only looks, and never changes this host.")
        shown = await self._look()
        if sitting.glance is not None and not sitting.glance.gateways:
            self.lines.say(_DEMO)
        chosen: Target | None = target
        if saved is not None:
            chosen = await self._afterwards(await self._go_on_with(saved), shown)
        elif target == Target() and sitting.replayed is None:
            chosen = await self._choose(shown)
        while chosen is not None:
            report = await self._walk(chosen)
            chosen = await self._afterwards(report, shown)
        return exit_status(sitting.report()) if sitting.walked else 0

    # --- what the sitting calls --------------------------------------------------------------------------------------

    def heard(self, event: Event) -> None:
        """Say what happened, a line each."""
        match event:
            case StepDone():
                self.number += 1
                word = state_word(self._sitting().checks, event.check, event.outcome)
                name = event.check.replace("-", " ")
                about = event.subject.partition(" of ")[0]
                self.lines.say(f"{self.number}. {word}: {name}, {one_line(about)}: {event.summary}")
            case Skipped():
                self.number += 1
                self.lines.say(f"{self.number}. ?: {event.node}: {event.because}.")
            case InputRefused(problem=problem):
                self.lines.say(f"{problem.what} {problem.hint}")
            case _:
                pass

    async def answer(self, visit: Visit) -> str:
        """Ask a question of the walk; no answer is "don't know"."""
        choices = [(value, label) for value, label in visit.step.choices if value != DONT_KNOW]
        choices.append((DONT_KNOW, "I don't know"))
        picked = await self._pick(visit.step.ask or "", [label for _, label in choices], len(choices), visit.step.why)
        return choices[picked][0] if picked is not None else DONT_KNOW

    # --- parts of the conversation -----------------------------------------------------------------------------------

    async def _look(self) -> StartView:
        sitting = self._sitting()
        try:
            await sitting.look()
        except TimeoutError:
            return start_view(None, failure="The host could not be looked at in time.")
        shown = start_view(sitting.glance)
        self.lines.say(shown.host)
        for said in (*shown.gateways, *shown.notes):
            self.lines.say(said)
        return shown

    async def _choose(self, shown: StartView) -> Target | None:
        """What to walk: a row by its number, or a URL. Without an answer: everything."""
        if not shown.rows:
            return Target()
        while True:
            self.lines.say()
            self.lines.say(f"{shown.heading}:")
            for number, row in enumerate(shown.rows, 1):
                self.lines.say(f"  {number}. {_row(row)}")
            given = await self.lines.ask("Walk which? A number, a URL, or q to quit [1]: ")
            if given is None:
                return Target()
            if given.lower() in {"q", "quit"}:
                return None
            if given.isascii() and given.isdigit() and 1 <= int(given[:6]) <= len(shown.rows):
                return shown.rows[int(given) - 1].target
            if not given:
                return shown.rows[0].target
            try:
                return read_target(given)
            except TargetError as error:
                self.lines.say(f"{error}. Please {error.hint}.")

    async def _walk(self, target: Target) -> Report:
        sitting = self._sitting()
        self.number = 0
        self.lines.say()
        self.lines.say(f"Walking {one_line(target.url or target.upstream or 'everything that is routed')}.")
        await self._waited_for(sitting.walk(target))
        return self._report()

    async def _go_on_with(self, saved: Session) -> Report:
        sitting = self._sitting()
        self.lines.say()
        self.lines.say(f"Going on with {one_line(saved.target or 'everything that is routed')}.")
        for event in standing(saved.events).events:
            self.heard(event)
        await self._waited_for(sitting.resume(saved))
        return self._report()

    async def _waited_for(self, walking: Coroutine[None, None, None]) -> None:
        async with asyncio.TaskGroup() as group:
            waiting = group.create_task(self._say_what_is_waited_for())
            try:
                await walking
            finally:
                waiting.cancel()

    def _report(self) -> Report:
        report = self._sitting().report()
        self.lines.say()
        self.lines.say(text(report, width=78))
        return report

    async def _afterwards(self, report: Report, shown: StartView) -> Target | None:
        """What next; None ends."""
        again, save, other, leave = "check again", "save the report", "walk something else", "quit"
        choices = [again, save, *([other] if shown.rows else []), leave]
        while True:
            picked = await self._pick("What next?", choices, len(choices))
            wish = choices[picked] if picked is not None else leave
            if wish == leave:
                return None
            if wish == other:
                return await self._choose(shown)
            if wish == again:
                self.number = 0
                await self._sitting().again()
                report = self._report()
                self._say_changes(report)
            else:
                await self._save(report)

    def _say_changes(self, report: Report) -> None:
        if report.after is None:
            return
        self.lines.say(report.after.said)
        for change in report.after.changes:
            self.lines.say(f"{change.what}: before {change.before}, after {change.after}")
        for one in report.after.lasting:
            self.lines.say(
                f"Survives {one.what}: {one.answer}. {one.because}" + (f" Run: {one.run}" if one.run else "")
            )

    async def _save(self, report: Report) -> None:
        name = f"{report.session.id or 'report'}.txt"
        path = await self.lines.ask(f"Save to which file? [{name}]: ")
        if path is None:
            return
        try:
            write_private(path or name, text(report).encode("utf-8", "backslashreplace"))
        except SaveError as error:
            self.lines.say(f"{error}.")
        else:
            self.lines.say(f"Saved to {path or name}.")

    async def _pick(self, question: str, choices: Sequence[str], default: int, why: str = "") -> int | None:
        """The index of a choice; None where no answer comes."""
        self.lines.say(question)
        if why:
            self.lines.say(why)
        for number, label in enumerate(choices, 1):
            self.lines.say(f"  {number}. {label}")
        while True:
            given = await self.lines.ask(f"Number [{default}]: ")
            if given is None:
                return None
            if not given:
                return default - 1
            if given.isascii() and given.isdigit() and 1 <= int(given[:6]) <= len(choices):
                return int(given) - 1
            self.lines.say(f"Please a number from 1 to {len(choices)}.")

    async def _say_what_is_waited_for(self) -> None:
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(_FIRST_WORD)
            while True:
                now = asyncio.get_running_loop().time()
                for probing in self._sitting().probing[:1]:
                    about = one_line(probing.visit.about.partition(" of ")[0])
                    self.lines.say(
                        f"Waiting for {probing.visit.step.check} of {about}, {age(now - probing.since)} so far."
                    )
                await asyncio.sleep(_NEXT_WORD)

    def _sitting(self) -> Sitting:
        assert self.sitting is not None  # noqa: S101 - set before anything is said
        return self.sitting


def _row(row: Row) -> Visible:
    times = "once" if row.count == "1" else f"{row.count} times"
    said = [row.where, row.upstream, row.word]
    if row.count:
        said += [Visible(f"status {row.status}"), Visible(times), Visible(f"last {row.last} ago")]
    return Visible(", ".join(part for part in said if part))
