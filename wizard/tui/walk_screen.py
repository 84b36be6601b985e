"""The Walk screen: the path at the top, the steps at the left, the step that is looked at beside them.

Owns its layout and keys. The list follows the walk until a person moves in it.
"""

from __future__ import annotations

from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.events import Resize

from wizard.flow.engine import Kind, Visit
from wizard.session.events import StepDone
from wizard.text import Visible, one_line
from wizard.tui.choice_screen import ChoiceScreen
from wizard.tui.help_screen import TextScreen
from wizard.tui.keys import Key, bindings, footer
from wizard.tui.port import State, Waiting
from wizard.tui.screen import WizardScreen
from wizard.tui.sizes import USUAL, WIDE
from wizard.tui.widgets.lines import PLAIN, STRONG, labelled, line, role, spread, wrapped
from wizard.tui.widgets.pick_list import PickList, Row
from wizard.tui.widgets.strip import strip_lines
from wizard.tui.widgets.text_pane import Keys, Lines, Pane
from wizard.views.diagnosis import diagnosis_view
from wizard.views.walk import StepView, TrailRow, WalkView, asked_lines, step_view, walk_view
from wizard.views.words import NO, age, cut, padded


class WalkScreen(WizardScreen):
    """A walk while it goes on, and after it."""

    DEFAULT_CSS = """
    WalkScreen > Vertical { padding: 0 1; }
    WalkScreen #columns { height: 1fr; }
    WalkScreen #trail { width: 36; }
    WalkScreen #step-pane { width: 1fr; padding: 0 0 0 1; border-left: ascii ansi_default; }
    WalkScreen.-wide #trail { width: 48; }
    WalkScreen.-narrow #trail { width: 28; }
    """
    KEYS = (
        Key("enter", "enter", "Enter", "next", "the next step; the diagnosis where the walk has ended"),
        Key("space", "run_on", "Space", "hold, run on", "hold before the next step, or let the walk run by itself"),
        Key("b", "back", "b", "back", "take the last step back, and hold before it"),
        Key("o", "overrule", "o", "overrule", "you know better: say what is true of the chosen step"),
        Key("r", "ask_anew", "r", "again", "ask the chosen step anew, and walk on"),
        Key("s", "skip", "s", "skip", "stop waiting for a step; it counts as could not tell"),
        Key("c", "copy", "c", "copy", "copy the command of the chosen step"),
        Key("a", "asked", "a", "asked", "everything that was asked of the host, with the command for each"),
        Key("escape", "leave", "Esc", "start", "back to Start; what runs is ended, what was found is kept"),
    )
    BINDINGS: ClassVar[list[BindingType]] = bindings(KEYS)

    def __init__(self) -> None:
        super().__init__()
        self._rows: tuple[TrailRow, ...] = ()
        self._follows = True

    def compose(self) -> ComposeResult:
        """Title, strip, two columns, the status line, the keys."""
        with Vertical():
            yield Lines(id="head")
            with Horizontal(id="columns"):
                yield PickList(id="trail")
                with Pane(id="step-pane"):
                    yield Lines(id="step")
            yield Lines(id="status")
            yield Keys(footer(self.KEYS))

    def on_mount(self) -> None:
        """Keys go to the list."""
        self.query_one("#trail", PickList).focus()

    def on_resize(self, event: Resize) -> None:
        """A wide terminal gives the trail more room."""
        self.set_class(event.size.width >= WIDE, "-wide")
        self.set_class(event.size.width < USUAL, "-narrow")
        super().on_resize(event)

    def follow(self) -> None:
        """Follow a new walk."""
        self._follows = True

    def paint(self, state: State) -> None:
        """Show where the walk stands."""
        width = self.app.size.width - 2
        chosen = None if self._follows else self._chosen()
        shown = walk_view(
            state.title, state.positions, state.events, state.checks, chosen, ended=state.report is not None
        )
        self._rows = shown.rows
        self.query_one("#head", Lines).show(_head(shown, state, width))
        trail = self.query_one("#trail", PickList)
        room = _trail_width(width + 2) - 1
        cursor = _newest(shown.rows, ended=not state.running) if self._follows else _index(shown.rows, chosen)
        trail.show(tuple(_row(row, room) for row in shown.rows), cursor)
        self._paint_step(state)
        self.query_one("#status", Lines).show([*_status(state, width)])

    def tick(self, state: State) -> None:
        """Show only how long is waited."""
        width = self.app.size.width - 2
        self.query_one("#status", Lines).show([*_status(state, width)])

    def on_pick_list_moved(self, event: PickList.Moved) -> None:
        """A person looks at another step."""
        event.stop()
        self._follows = False
        self.repaint()

    def on_pick_list_picked(self, event: PickList.Picked) -> None:
        """Enter goes on, wherever the cursor stands."""
        event.stop()
        self.wizard.driver.enter()

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

    @work(group="dialog", exclusive=True)
    async def action_overrule(self) -> None:
        """Say what a step should have observed."""
        visit = self._chosen()
        if visit is None or visit.kind is not Kind.CHECK or not visit.outcome:
            self.wizard.say("Choose a step that came to an outcome, then overrule it.")
            return
        declared = self.wizard.state.checks.get(visit.step.check or "")
        words = [word for word in (declared.outcomes if declared else ()) if word != visit.outcome]
        choices = tuple((word, one_line(word.replace("-", " "))) for word in words)
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

    def action_asked(self) -> None:
        """Show what was asked."""
        session = self.wizard.driver.session
        asked = session.asked if session is not None else ()
        self.app.push_screen(TextScreen("Everything that was asked", asked_lines(asked)))

    async def action_leave(self) -> None:
        """Back to Start; what runs is ended."""
        await self.wizard.driver.end()
        self.app.pop_screen()

    def _chosen(self) -> Visit | None:
        cursor = self.query_one("#trail", PickList).cursor
        return self._rows[cursor].visit if cursor < len(self._rows) else None

    def _paint_step(self, state: State) -> None:
        visit = self._chosen()
        width = max(20, self.app.size.width - _trail_width(self.app.size.width) - 6)
        if visit is None:
            self.query_one("#step", Lines).show(_problem(state, width))
            return
        done = _done(state, visit)
        shown = step_view(
            visit, state.events, state.checks, self.wizard.driver.replies(done.evidence) if done else {}, state.offset
        )
        self.query_one("#step", Lines).show(_step_lines(shown, width))


def _trail_width(width: int) -> int:
    """As in the style sheet above."""
    return 48 if width >= WIDE else 36 if width >= USUAL else 28


def _head(shown: WalkView, state: State, width: int) -> list[Content]:
    right = Visible("  ".join(part for part in (shown.symptom, f"{state.elapsed:.0f} s") if part))
    strip = strip_lines(shown.hops, width)
    return [spread(shown.title, right, width), *strip, Content("-" * width)]


def _row(row: TrailRow, width: int) -> Row:
    if row.visit is None:
        return Row(line((padded(row.label, width), STRONG)), pickable=False)
    text = padded(row.label, width - 7)
    number = Visible(f"{row.number:>2} ")
    return Row(line((number, PLAIN), (padded(row.word, 4), role(row.word)), (text, PLAIN)))


def _step_lines(shown: StepView, width: int) -> list[Content]:
    lines = wrapped(shown.question, width, style=STRONG)
    lines.append(line((shown.about, PLAIN)))
    lines.append(Content(""))
    if shown.said:
        lines += labelled(shown.word, shown.said, width, left=5)
    if shown.overruled:
        lines += labelled(Visible(""), shown.overruled, width, left=5)
    if not shown.said:
        lines += [line((Visible("not asked yet"), PLAIN))]
    lines.append(Content(""))
    if shown.why:
        lines += labelled(Visible("why"), shown.why, width, left=9)
    if shown.by_hand:
        lines += labelled(Visible("by hand"), shown.by_hand, width, left=9)
    if shown.seen:
        lines += labelled(Visible("seen"), shown.seen, width, left=9)
    for one in shown.evidence:
        lines += [Content(""), *wrapped(one.what, width, style=STRONG)]
        lines += wrapped(one.excerpt, width, indent=2)
    return lines


def _problem(state: State, width: int) -> list[Content]:
    if state.report is not None and state.report.error is not None:
        error = state.report.error
        said = (error.what, error.where or "", error.hint)
        return [one for text in said if text for one in [*wrapped(Visible(text), width), Content("")]]
    return [Content("Looking at this host ...")] if state.running else []


def _status(state: State, width: int) -> list[Content]:
    if state.said:
        return wrapped(state.said, width)[:2]
    if state.running:
        return [line((cut(_running(state), width), PLAIN))]
    if state.report is None:
        return [Content("Held. Space runs on.")]
    shown = diagnosis_view(state.report)
    first = line((shown.word, role(shown.word)), (Visible("  "), PLAIN), (padded(shown.title, width - 14), PLAIN))
    return [first, Content("The walk has ended. Enter opens the diagnosis.")]


def _running(state: State) -> Visible:
    if state.stepping and not state.waiting:
        return Visible("Held before the next step. Enter takes it, Space runs on.")
    spent = f"{age(state.elapsed)} of {age(state.deadline)}"
    if not state.waiting:
        return Visible(f"running, {spent}")
    longest = max(state.waiting, key=lambda one: one.seconds)
    more = f" and {len(state.waiting) - 1} more" if len(state.waiting) > 1 else ""
    then = "; then the diagnosis opens" if state.wanted else ""
    return Visible(f"running, {spent}: {_probe(longest)} since {age(longest.seconds)}{more}{then}")


def _probe(waiting: Waiting) -> Visible:
    visit = waiting.visit
    return one_line(f"{visit.step.check or visit.step.name} of {visit.about.partition(' of ')[0]}", limit=48)


def _newest(rows: tuple[TrailRow, ...], *, ended: bool) -> int:
    """The step to look at: the newest one, and at the end the last that departs from what is needed."""
    steps = [index for index, row in enumerate(rows) if row.visit is not None]
    telling = [index for index in steps if rows[index].word == NO]
    if ended and telling:
        return telling[-1]
    return steps[-1] if steps else 0


def _index(rows: tuple[TrailRow, ...], chosen: Visit | None) -> int:
    if chosen is None:
        return 0
    for index, row in enumerate(rows):
        if row.visit is not None and (row.visit.node, row.visit.about) == (chosen.node, chosen.about):
            return index
    return 0


def _done(state: State, visit: Visit) -> StepDone | None:
    node = visit.observed_at or visit.node
    for event in reversed(state.events):
        if isinstance(event, StepDone) and (event.node, event.subject) == (node, visit.about):
            return event
    return None
