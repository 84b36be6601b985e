"""The Walk screen: the path at the top, the steps at the left, the step that is looked at beside them.

Owns its layout and keys. The list follows the walk until a person moves in it. Broad terminals show the evidence in a
column of its own.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.events import Resize

from wizard.flow.engine import Kind, Visit
from wizard.session.events import StepDone
from wizard.text import Visible, one_line
from wizard.tui import walk_lines as lay
from wizard.tui.choice_screen import Choice, ChoiceScreen, LineScreen
from wizard.tui.help_screen import TextScreen
from wizard.tui.keys import Key, bindings, footer
from wizard.tui.logs_screen import LogsScreen
from wizard.tui.port import State
from wizard.tui.screen import WizardScreen
from wizard.tui.sizes import BROAD, ROOMY, USUAL, WIDE
from wizard.tui.timeline_screen import TimelineScreen
from wizard.tui.widgets.pick_list import PickList
from wizard.tui.widgets.text_pane import Keys, Lines, Pane
from wizard.views.step_words import step_words
from wizard.views.walk import StepView, TrailRow, asked_lines, step_text, step_view, walk_view
from wizard.views.words import NO


class WalkScreen(WizardScreen):
    """A walk while it goes on, and after it."""

    DEFAULT_CSS = """
    WalkScreen > Vertical { padding: 0 1; }
    WalkScreen #columns { height: 1fr; }
    WalkScreen #trail { width: 36; }
    WalkScreen #step-pane { width: 1fr; padding: 0 0 0 1; border-left: ascii ansi_default; }
    WalkScreen #evidence-pane { width: 1fr; padding: 0 0 0 1; border-left: ascii ansi_default; display: none; }
    WalkScreen.-wide #trail { width: 48; }
    WalkScreen.-narrow #trail { width: 28; }
    WalkScreen.-broad #evidence-pane { display: block; }
    """
    KEYS = (
        Key("enter", "enter", "Enter", "next", "the next step; the diagnosis where the walk has ended"),
        Key("space", "run_on", "Space", "hold, run on", "hold before the next step, or let the walk run by itself"),
        Key("b", "back", "b", "back", "take the last step back, and hold before it"),
        Key("B", "back_to", "B", "", "take back the chosen step and all that came after it, and hold there"),
        Key("o", "overrule", "o", "overrule", "you know better: say what is true of the chosen step"),
        Key("r", "ask_anew", "r", "again", "ask the chosen step anew, and walk on"),
        Key("s", "skip", "s", "skip", "stop waiting for a step; it counts as could not tell"),
        Key("c", "copy", "c", "copy", "copy the command of the chosen step"),
        Key("f", "full", "f", "full", "the chosen step on the whole screen, with all its evidence"),
        Key("l", "logs", "l", "logs", "what gateway, units and kernel logged about this path"),
        Key("t", "timeline", "t", "timeline", "what happened before the first error"),
        Key("a", "asked", "a", "", "everything that was asked of the host, with the command for each"),
        Key("n", "next_no(1)", "n", "next NO", "go to the next step that departs from what a working path needs"),
        Key("N", "next_no(-1)", "N", "", "go to the one before"),
        Key("g", "go_to", "g", "", "go to a step by its number"),
        Key("pagedown", "page(1)", "PgDn", "", "a page further in the chosen step", first=True),
        Key("pageup", "page(-1)", "PgUp", "", "a page back in the chosen step", first=True),
        Key("escape", "leave", "Esc", "start", "back to Start; what runs is ended, what was found is kept"),
    )
    BINDINGS: ClassVar[list[BindingType]] = bindings(KEYS)

    def __init__(self) -> None:
        super().__init__()
        self._rows: tuple[TrailRow, ...] = ()
        self._follows = True

    def compose(self) -> ComposeResult:
        """Title, strip, the columns, the status line, the keys."""
        with Vertical():
            yield Lines(id="head")
            with Horizontal(id="columns"):
                yield PickList(id="trail")
                with Pane(id="step-pane", can_focus=False):
                    yield Lines(id="step")
                with Pane(id="evidence-pane", can_focus=False):
                    yield Lines(id="evidence")
            yield Lines(id="status")
            yield Keys(footer(self.KEYS))

    def on_mount(self) -> None:
        """Keys go to the list."""
        self.query_one("#trail", PickList).focus()

    def on_resize(self, event: Resize) -> None:
        """A wide terminal gives the trail more room, a broad one the evidence a column."""
        self.set_class(event.size.width >= WIDE, "-wide")
        self.set_class(event.size.width >= BROAD, "-broad")
        self.set_class(event.size.width < USUAL, "-narrow")
        super().on_resize(event)

    def follow(self) -> None:
        """Follow a new walk."""
        self._follows = True

    def paint(self, state: State) -> None:
        """Show where the walk stands."""
        width = self.app.size.width - 2
        chosen = None if self._follows else self._chosen()
        shown = walk_view(state.title, state.positions, state.events, state.checks, chosen, state.report)
        self._rows = shown.rows
        most = lay.SERVERS_ROOMY if self.app.size.height >= ROOMY else lay.SERVERS
        self.query_one("#head", Lines).show(lay.head(shown, state, width, most))
        room = lay.trail_width(width + 2) - 1
        cursor = shown.look_at if chosen is None else _index(shown.rows, chosen, shown.look_at)
        self.query_one("#trail", PickList).show(tuple(lay.row(one, room) for one in shown.rows), cursor)
        self._paint_step(state)
        self.query_one("#status", Lines).show(lay.status(state, width))

    def tick(self, state: State) -> None:
        """Show only how long is waited."""
        self.query_one("#status", Lines).show(lay.status(state, self.app.size.width - 2))

    def on_pick_list_moved(self, event: PickList.Moved) -> None:
        """A person looks at another step."""
        event.stop()
        self._look_at()

    def on_pick_list_picked(self, event: PickList.Picked) -> None:
        """Enter goes on, wherever the cursor stands."""
        event.stop()
        self.wizard.driver.enter()

    # --- keys --------------------------------------------------------------------------------------------------------

    def action_enter(self) -> None:
        """Go on."""
        self.wizard.driver.enter()

    def action_run_on(self) -> None:
        """Run by itself, or hold."""
        self._follows = True
        self.wizard.driver.run_on()

    async def action_back(self) -> None:
        """Take the last step back."""
        self._follows = True
        await self.wizard.driver.back()

    async def action_back_to(self) -> None:
        """Take back the chosen step and what came after it."""
        visit = self._chosen()
        if visit is None or not visit.outcome:
            self.wizard.say("Choose a step that came to an outcome, then go back to it.")
            return
        self._follows = True
        await self.wizard.driver.back(visit)

    @work(group="dialog", exclusive=True)
    async def action_overrule(self) -> None:
        """Say what a step should have observed."""
        visit = self._chosen()
        if visit is None or visit.kind is not Kind.CHECK or not visit.outcome:
            self.wizard.say("Choose a step that came to an outcome, then overrule it.")
            return
        declared = self.wizard.state.checks.get(visit.step.check or "")
        choices = overruling(visit, declared.outcomes if declared is not None else ())
        question = Visible(f"What is true of {one_line((visit.step.check or '').replace('-', ' '))}?")
        why = Visible(f"Observed: {one_line(visit.outcome)}. The report will say that it was overruled.")
        chosen = await self.app.push_screen_wait(ChoiceScreen(question, choices, why))
        if chosen is not None:
            self._follows = True
            await self.wizard.driver.overrule(visit, chosen)

    async def action_ask_anew(self) -> None:
        """Ask the chosen step anew."""
        visit = self._chosen()
        if visit is not None and visit.outcome:
            await self.wizard.driver.ask_anew(visit)

    def action_skip(self) -> None:
        """Stop waiting."""
        visit = self._chosen()
        self.wizard.driver.skip(visit if visit is not None and not visit.outcome else None)

    def action_copy(self) -> None:
        """Copy the command of the chosen step."""
        visit = self._chosen()
        done = _done(self.wizard.state, visit) if visit is not None else None
        if done is None or not done.by_hand:
            self.wizard.say("This step has no command.")
            return
        self.wizard.copy(Visible(one_line(done.by_hand, limit=20000)))

    def action_full(self) -> None:
        """Show the chosen step on the whole screen."""
        visit = self._chosen()
        if visit is None:
            self.wizard.say("There is no step to show yet.")
            return
        self.app.push_screen(
            TextScreen("The step in full", step_text(self._step(visit, self.wizard.state, whole=True)))
        )

    def action_logs(self) -> None:
        """Show the log lines about this path."""
        self.app.push_screen(LogsScreen())

    def action_timeline(self) -> None:
        """Show what happened before."""
        self.app.push_screen(TimelineScreen())

    def action_asked(self) -> None:
        """Show what was asked."""
        session = self.wizard.driver.session
        asked = session.asked if session is not None else ()
        self.app.push_screen(TextScreen("Everything that was asked", asked_lines(asked)))

    def action_next_no(self, by: int) -> None:
        """Go to the next step that departs."""
        trail = self.query_one("#trail", PickList)
        departing = [index for index, row in enumerate(self._rows) if row.visit is not None and row.word == NO]
        further = [index for index in departing if (index - trail.cursor) * by > 0]
        if not further:
            self.wizard.say("There is no further step that departs." if departing else "No step departs so far.")
            return
        trail.cursor = min(further) if by > 0 else max(further)
        self._look_at()

    @work(group="dialog", exclusive=True)
    async def action_go_to(self) -> None:
        """Go to a step by its number."""
        typed = await self.app.push_screen_wait(LineScreen(Visible("Go to which step? Its number")))
        found = [index for index, row in enumerate(self._rows) if row.number and str(row.number) == typed]
        if found:
            self.query_one("#trail", PickList).cursor = found[0]
            self._look_at()
        elif typed:
            self.wizard.say(f"There is no step {one_line(typed, limit=20)}.")

    def action_page(self, by: int) -> None:
        """Scroll the chosen step, and its evidence where that has a column."""
        for pane in (self.query_one("#step-pane", Pane), self.query_one("#evidence-pane", Pane)):
            pane.scroll_relative(y=by * max(1, pane.size.height - 1), animate=False)

    async def action_leave(self) -> None:
        """Back to Start; what runs is ended."""
        await self.wizard.driver.end()
        self.app.pop_screen()

    # --- parts -------------------------------------------------------------------------------------------------------

    def _look_at(self) -> None:
        self._follows = False
        for pane in (self.query_one("#step-pane", Pane), self.query_one("#evidence-pane", Pane)):
            if pane.scroll_y:
                pane.scroll_home(animate=False)
        self.repaint()

    def _chosen(self) -> Visit | None:
        cursor = self.query_one("#trail", PickList).cursor
        return self._rows[cursor].visit if cursor < len(self._rows) else None

    def _step(self, visit: Visit, state: State, *, whole: bool = False) -> StepView:
        done = _done(state, visit)
        replies = self.wizard.driver.replies(done.evidence) if done is not None else {}
        return step_view(visit, state.events, state.checks, replies, state.offset, whole=whole)

    def _paint_step(self, state: State) -> None:
        visit = self._chosen()
        total = self.app.size.width
        room = total - lay.trail_width(total) - 4
        beside = total >= BROAD
        width = max(20, (room // 2 if beside else room) - 2)
        step, evidence = self.query_one("#step", Lines), self.query_one("#evidence", Lines)
        if visit is None:
            step.show(lay.problem(state, width))
            evidence.show([])
            return
        shown = self._step(visit, state)
        step.show([*lay.step(shown, width), *([] if beside else lay.evidence(shown, width))])
        evidence.show(lay.evidence(shown, width) if beside else [])


def overruling(visit: Visit, outcomes: Iterable[str]) -> tuple[Choice, ...]:
    """What a person may say instead of the outcome of a step, in the words of the trail."""
    check = visit.step.check or ""
    words = [word for word in outcomes if word != visit.outcome]
    return tuple((word, Visible(f"{one_line(word)}: {step_words(check, word)}")) for word in words)


def _index(rows: tuple[TrailRow, ...], chosen: Visit, otherwise: int) -> int:
    for index, row in enumerate(rows):
        if row.visit is not None and (row.visit.node, row.visit.about) == (chosen.node, chosen.about):
            return index
    return otherwise


def _done(state: State, visit: Visit) -> StepDone | None:
    node = visit.observed_at or visit.node
    for event in reversed(state.events):
        if isinstance(event, StepDone) and (event.node, event.subject) == (node, visit.about):
            return event
    return None
