"""After a walk in plain lines: everything that the screens offer there, by numbers.

Owns that part of the conversation. May not know how a verdict is drawn.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import msgspec

from wizard.plain.lines import Lines, pick
from wizard.plain.steps import Walking, talk_of_steps
from wizard.session.around import concluded
from wizard.session.events import Watched
from wizard.session.print_markdown import markdown
from wizard.session.print_text import text
from wizard.session.report import Report
from wizard.session.save import SaveError
from wizard.session.timeline import timeline
from wizard.text import visible
from wizard.views.diagnosis import diagnosis_view
from wizard.views.logs import log_lines, log_view
from wizard.views.script import script
from wizard.views.timeline import timeline_lines
from wizard.views.walk import asked_lines
from wizard.walk.outside import Outside
from wizard.walk.resume import interrupted
from wizard.walk.sitting import Sitting

_COUNTED = 10  # seconds between two words while the request is watched


class Ending:
    """What can be done once a walk has ended, or was stopped."""

    def __init__(
        self, lines: Lines, sitting: Sitting, outside: Outside, run: Callable[[Walking], Awaitable[None]]
    ) -> None:
        self._lines = lines
        self._sitting = sitting
        self._outside = outside
        self._run = run

    async def talk(self) -> bool:
        """Do what the person wants until they want no more; True: something else is to be walked."""
        while True:
            report = self._sitting.report()
            wishes = self._wishes(report)
            # Who presses Enter after a stop wants to go on; who presses it after the end has enough.
            default = 0 if "go on" in wishes else len(wishes) - 1
            at = await pick(self._lines, "What next?", list(wishes), default)
            wish = list(wishes)[at] if at is not None else "quit"
            if wish in {"quit", "walk something else"}:
                return wish != "quit"
            await wishes[wish](report)

    def _wishes(self, report: Report) -> dict[str, Callable[[Report], Awaitable[None]]]:
        sitting = self._sitting
        wishes: dict[str, Callable[[Report], Awaitable[None]]] = {}
        if sitting.walked and interrupted(sitting.events) and any(walk.ready for walk in sitting.positions()):
            wishes["go on"] = self._go_on
            wishes["skip the step that was waited for, and go on"] = self._skip
        if sitting.again_shows:
            wishes["check again"] = self._again
        wishes["look at a step: its evidence, ask it anew, overrule it, go back to it"] = self._steps
        wishes["take the last step back, and go on from there"] = self._back
        if any(cause.commands for cause in (*report.causes, *report.warnings)):
            wishes["print the commands alone, to copy them"] = self._commands
        if report.causes:
            wishes["read the article of this cause"] = self._article
            wishes["say that this cause is wrong"] = self._dispute
        if sitting.watchable is not None:
            wishes["watch the request for a minute"] = self._watch
        wishes["save the report"] = self._save
        if any(cause.commands for cause in (*report.causes, *report.warnings)):
            wishes["write the commands to a file, as a script"] = self._script
        wishes["what happened before the first error"] = self._past
        wishes["the log lines about this path"] = self._logs
        wishes["list everything that was asked"] = self._asked
        wishes["walk something else"] = self._nothing
        wishes["quit"] = self._nothing
        return wishes

    async def _nothing(self, report: Report) -> None:
        del report

    async def _go_on(self, report: Report) -> None:
        del report
        await self._run(self._sitting.go_on)

    async def _skip(self, report: Report) -> None:
        del report
        ready = [visit for walk in self._sitting.positions() for visit in walk.ready]
        if ready:
            self._sitting.skip(ready[0])
        await self._run(self._sitting.go_on)

    async def _back(self, report: Report) -> None:
        del report
        if self._sitting.back():
            await self._run(self._sitting.go_on)
        else:
            self._lines.say("There is no step to take back.")

    async def _again(self, report: Report) -> None:
        del report
        await self._run(self._sitting.again)
        self._say_changes(self._sitting.report())

    async def _steps(self, report: Report) -> None:
        del report
        await talk_of_steps(self._lines, self._sitting, self._run)

    async def _commands(self, report: Report) -> None:
        for card in diagnosis_view(report).cards:
            self._lines.say(f"{card.stage} {card.number}: {card.why} ({', '.join(card.marks)})")
            self._lines.say(card.run)
            if card.undo:
                self._lines.say(f"undo: {card.undo}")

    async def _article(self, report: Report) -> None:
        cause = self._sitting.library.causes.get(report.causes[0].id)
        if cause is None:
            self._lines.say("There is no article of this cause.")
            return
        self._lines.say(visible(cause.article))
        for command, why in cause.refused:
            self._lines.say(visible(f"Do not: {command}. {why}"))

    async def _dispute(self, report: Report) -> None:
        self._sitting.dispute(report.causes[0].id)
        self._lines.say(f"{report.causes[0].id} is marked as wrong; the report says so.")

    async def _watch(self, report: Report) -> None:
        del report
        said: list[int] = []

        def tell(seen: Watched) -> None:
            if int(seen.seconds) // _COUNTED > len(said):
                said.append(seen.good)
                self._lines.say(f"after {seen.seconds:.0f} s: {seen.good} good, {seen.bad} not")

        self._lines.say("The visitor's request is made once a second for a minute. Ctrl+C stops it.")
        await self._run(lambda: self._sitting.watch(tell))

    async def _save(self, report: Report) -> None:
        name = f"{report.session.id or 'report'}.txt"
        why = "The ending chooses: .txt, .md or .json"
        path = await self._lines.ask(f"Save to which file? {why} [{name}]: ")
        if path is not None:
            self._write(path or name, rendered(self._sitting.report_for_others(), path or name))

    async def _script(self, report: Report) -> None:
        path = await self._lines.ask("Write the commands to which file? [repair.sh]: ")
        if path is not None:
            self._write(path or "repair.sh", script(diagnosis_view(report).cards))

    async def _past(self, report: Report) -> None:
        for line in timeline_lines(timeline(self._sitting.session(), concluded(report))):
            self._lines.say(line)

    async def _logs(self, report: Report) -> None:
        for line in log_lines(log_view(self._sitting.session(), concluded(report))):
            self._lines.say(line)

    async def _asked(self, report: Report) -> None:
        del report
        await asyncio.sleep(0)
        for line in asked_lines(self._sitting.session().asked):
            self._lines.say(line)

    def _write(self, path: str, content: str) -> None:
        try:
            self._outside.write(path, content.encode("utf-8", "backslashreplace"), replace=False)
        except SaveError as error:
            self._lines.say(f"{error}.")
        else:
            self._lines.say(f"Saved to {path}.")

    def _say_changes(self, report: Report) -> None:
        if report.after is None:
            return
        self._lines.say(report.after.said)
        for change in report.after.changes:
            self._lines.say(f"{change.what}: before {change.before}, after {change.after}")
        for one in report.after.lasting:
            run = f" Run: {one.run}" if one.run else ""
            self._lines.say(f"Survives {one.what}: {one.answer}. {one.because}{run}")


def rendered(report: Report, path: str) -> str:
    """A report in the format that the ending of a path names; text for an unknown one."""
    if path.endswith(".json"):
        return msgspec.json.format(msgspec.json.encode(report), indent=2).decode() + "\n"
    return markdown(report) if path.endswith(".md") else text(report)
