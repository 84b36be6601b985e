"""The Diagnosis screen: the cause with its evidence, and the commands that repair it.

Owns its layout and keys. Wide terminals show reasons and commands side by side.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from textual import events, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widget import Widget

from wizard.session.report import Report
from wizard.session.save import ExistsError, SaveError
from wizard.text import Visible, cells, visible
from wizard.tui.choice_screen import LineScreen
from wizard.tui.ending_screen import AGAIN, REPORT, SHELL, WATCH, EndingScreen
from wizard.tui.help_screen import TextScreen
from wizard.tui.keys import Key, bindings, footer
from wizard.tui.logs_screen import LogsScreen
from wizard.tui.port import State
from wizard.tui.sizes import WIDE
from wizard.tui.timeline_screen import TimelineScreen
from wizard.tui.widgets.card import CardBox
from wizard.tui.widgets.lines import PLAIN, STRONG, labelled, line, role, stacked, wrapped
from wizard.tui.widgets.text_pane import Keys, Lines, Pane
from wizard.views.diagnosis import Card, CauseView, DiagnosisView, Said, diagnosis_view, evidence_of
from wizard.views.script import script
from wizard.views.words import cut

_LABEL = 13


class DiagnosisScreen(EndingScreen):
    """What a walk found out, and what to do."""

    DEFAULT_CSS = """
    DiagnosisScreen > Vertical { padding: 0 1; }
    DiagnosisScreen #columns { height: 1fr; }
    DiagnosisScreen #cards { height: auto; }
    DiagnosisScreen #left { width: 1fr; }
    DiagnosisScreen #right { width: 1fr; padding-left: 2; }
    """
    KEYS = (
        Key("c", "copy", "c", "copy", "copy the chosen command"),
        Key("C", "copy_all", "C", "copy all", "copy the whole repair, with the command that verifies it"),
        AGAIN,
        WATCH,
        SHELL,
        Key("t", "timeline", "t", "timeline", "what happened before the first error"),
        Key("l", "logs", "l", "logs", "what gateway, units and kernel logged about this path"),
        Key("a", "article", "a", "article", "what this cause is, and how it is told from its look-alikes"),
        REPORT,
        Key("f", "write", "f", "", "write the commands to a file, as a script"),
        Key("x", "dispute", "x", "", "you know that this cause is wrong; x again takes it back"),
        Key(
            "1",
            "evidence(1)",
            "1-9",
            "evidence",
            "what was asked, and what came back, for that sentence",
        ),
        Key("down,j", "next_card(1)", "Down", "", "the next command", first=True),
        Key("up,k", "next_card(-1)", "Up", "", "the command before", first=True),
        Key("pagedown,space", "page(1)", "PgDn", "", "a page further", first=True),
        Key("pageup", "page(-1)", "PgUp", "", "a page back", first=True),
        Key("escape,b", "leave", "Esc", "back", "back to the walk"),
    )
    BINDINGS: ClassVar[list[BindingType]] = bindings(KEYS)

    def __init__(self) -> None:
        super().__init__()
        self._shown: tuple[Report, int] | None = None
        self._view: DiagnosisView | None = None

    def compose(self) -> ComposeResult:
        """The first line, reasons, commands, the rest, the keys."""
        with Vertical():
            yield Lines(id="head")
            with Horizontal(id="columns"):
                if self.app.size.width >= WIDE:
                    with Pane(id="left", can_focus=False):
                        yield Lines(id="reasons")
                        yield Lines(id="rest")
                    with Pane(id="right", can_focus=False):
                        yield Vertical(id="cards")
                else:
                    with Pane(id="left", can_focus=False):
                        yield Lines(id="reasons")
                        yield Vertical(id="cards")
                        yield Lines(id="rest")
            yield Lines(id="status")
            yield Keys(footer(self.KEYS))

    def on_resize(self, event: events.Resize) -> None:
        """Crossing the width for two columns lays the screen out anew."""
        was = self._shown is not None and self._shown[1] >= WIDE
        if self._shown is not None and was != (event.size.width >= WIDE):
            self._shown = None
            self.refresh(recompose=True)
        super().on_resize(event)

    def paint(self, state: State) -> None:
        """Show the report."""
        width = self.app.size.width - 2
        status = self.query_one("#status", Lines)
        running = f"Checking again, {state.elapsed:.0f} s of {state.deadline:.0f} s" if state.running else ""
        status.show(wrapped(Visible(state.said or running), width)[:2] if state.said or running else [])
        if state.report is None or (state.report, self.app.size.width) == self._shown:
            return
        self._shown = (state.report, self.app.size.width)
        self._view = diagnosis_view(state.report)
        room = (width // 2 if self.app.size.width >= WIDE else width) - 2
        self.query_one("#head", Lines).show(_head(self._view, width))
        self.query_one("#reasons", Lines).show(_reasons(self._view, room, beside=self.app.size.width >= WIDE))
        self.query_one("#rest", Lines).show(_rest(self._view, room))
        self._show_causes(self._view.causes, room, beside=self.app.size.width >= WIDE)

    def tick(self, state: State) -> None:
        """Show only how long is waited."""
        self.paint(state)

    @work(group="cards", exclusive=True)
    async def _show_causes(self, causes: tuple[CauseView, ...], room: int, *, beside: bool) -> None:
        """Each cause with its commands below it; where the reasons stand beside, only what tells them apart."""
        box = self.query_one("#cards", Vertical)
        shown: list[Widget] = []
        for number, cause in enumerate(causes):
            heading = [*_cause(cause, room, first=number == 0), Content("")] if not beside else []
            if beside and len(causes) > 1:
                heading = wrapped(Visible(f"{number + 1}. {cause.title}"), room, style=STRONG)
            shown += [Lines(stacked(heading))] if heading else []
            shown += [CardBox(card) for card in cause.cards]
        async with self.batch():
            await box.remove_children()
            await box.mount(*shown)
        first = next(iter(self.query(CardBox)), None)
        if first is not None:
            first.focus(scroll_visible=False)

    # --- keys --------------------------------------------------------------------------------------------------------

    def action_next_card(self, by: int) -> None:
        """Go to the next command; where there is none further, scroll."""
        cards = list(self.query(CardBox))
        at = next((index for index, card in enumerate(cards) if card.has_focus), None)
        to = 0 if at is None else at + by
        if cards and 0 <= to < len(cards):
            cards[to].focus()
        elif by > 0:
            self.query_one("#left", Pane).scroll_relative(y=3, animate=False)
        else:
            self.query_one("#left", Pane).scroll_relative(y=-3, animate=False)

    def action_page(self, by: int) -> None:
        """Scroll by a page."""
        pane = self.query_one("#left", Pane)
        pane.scroll_relative(y=by * max(1, pane.size.height - 2), animate=False)

    def action_copy(self) -> None:
        """Copy the command that is chosen."""
        focused = self.focused
        if isinstance(focused, CardBox):
            self.wizard.copy(focused.card.run)
        else:
            self.wizard.say("There is no command to copy.")

    def action_copy_all(self) -> None:
        """Copy the whole repair: its commands and the one that verifies it."""
        cards = [card for card in self._cards() if card.stage in {"Fix", "Verify"}]
        if cards:
            self.wizard.copy(Visible("\n".join(card.run for card in cards)))
        else:
            self.wizard.say("There is no command to copy.")

    @work(group="dialog", exclusive=True)
    async def action_write(self) -> None:
        """Write the commands to a file."""
        cards = self._cards()
        if not cards:
            self.wizard.say("There is no command to write.")
            return
        why = Visible("The commands with what each does, as a script that stops at the first failure.")
        path = await self.app.push_screen_wait(LineScreen(Visible("Write the commands to"), "repair.sh", why))
        if not path:
            return
        try:
            self.wizard.save({path: script(cards).encode("utf-8", "backslashreplace")})
        except ExistsError:
            self.wizard.say(f"There is a file {path} already; nothing was written. Choose another name.")
        except SaveError as error:
            self.wizard.say(f"{error}.")

    def on_key(self, event: events.Key) -> None:
        """A digit leads to the evidence of the sentence with that number."""
        if event.character is not None and event.character in "23456789":
            event.stop()
            self.action_evidence(int(event.character))

    def action_evidence(self, number: int) -> None:
        """Show what a sentence rests on."""
        report = self.wizard.state.report
        reasons = self._view.reasons if self._view is not None else ()
        said = next((one for one in reasons if one.number == number), None)
        if report is None or said is None:
            self.wizard.say(f"No sentence here has the number {number}.")
            return
        self.app.push_screen(TextScreen(f"Evidence for {number}", evidence_of(report, said)))

    def action_dispute(self) -> None:
        """Say that the first cause is wrong, or take that back."""
        report = self.wizard.state.report
        named = report.causes[:1] or report.disputed[:1] if report is not None else ()
        if named:
            self.wizard.driver.dispute(named[0].id)
        else:
            self.wizard.say("No cause is named here that could be wrong.")

    def action_timeline(self) -> None:
        """Show what happened before."""
        self.app.push_screen(TimelineScreen())

    def action_logs(self) -> None:
        """Show the log lines about this path."""
        self.app.push_screen(LogsScreen())

    def action_article(self) -> None:
        """Show the article behind the first cause."""
        state = self.wizard.state
        cause = state.library.causes.get(self._view.id) if self._view is not None else None
        if cause is None:
            self.wizard.say("There is no article: no cause was named.")
            return
        refused = [visible(f"Do not: {command}. {why}") for command, why in cause.refused]
        self.app.push_screen(TextScreen(cause.id, (visible(cause.article), Visible(""), *refused)))

    def action_leave(self) -> None:
        """Back to the walk."""
        self.app.pop_screen()

    def _cards(self) -> tuple[Card, ...]:
        return self._view.cards if self._view is not None else ()


def _head(shown: DiagnosisView, width: int) -> list[Content]:
    word = Visible(f"{shown.word}  ")
    title = wrapped(shown.title, width, indent=cells(word), style=STRONG)
    first = Content("").join([Content.styled(word, role(shown.word)), title[0][cells(word) :]])
    below = Visible("  ".join(part for part in (shown.id, shown.target) if part))
    impact = [line((cut(shown.impact, width), PLAIN))] if shown.impact else []
    return [first, *title[1:], line((cut(below, width), PLAIN)), *impact, Content("-" * width)]


def _reasons(shown: DiagnosisView, width: int, *, beside: bool) -> list[Content]:
    lines = _listed("disputed", shown.disputed, width)
    for number, cause in enumerate(shown.causes if beside else ()):
        lines += _cause(cause, width, first=number == 0)
    lines += _listed("observed", shown.observed, width)
    return [*lines, Content("")] if lines else []


def _cause(cause: CauseView, width: int, *, first: bool) -> list[Content]:
    lines: list[Content] = []
    if not first:
        lines += [
            Content("-" * width),
            *labelled(cause.word, Visible(f"{cause.title}  {cause.id}"), width, style=STRONG),
        ]
    if cause.summary != cause.title:
        lines += wrapped(cause.summary, width)
    if cause.over:
        lines += wrapped(cause.over, width)
    lines += _listed("because", cause.because, width)
    return lines + (wrapped(cause.repair, width) if cause.repair else [])


def _rest(shown: DiagnosisView, width: int) -> list[Content]:
    return [
        *_listed("ruled out", shown.ruled_out, width),
        *_listed("open", shown.open, width),
        *_listed("could not", shown.could_not, width),
    ]


def _listed(label: str, said: Iterable[Said], width: int) -> list[Content]:
    """Sentences below one another, each with the number that leads to its evidence."""
    lines: list[Content] = []
    for one in said:
        first, *rest = labelled(Visible(label if not lines else ""), one.text, width, left=_LABEL)
        if one.number:
            mark = Content.styled(f"{one.number} ", STRONG)
            first = Content("").join([first[: _LABEL - 2], mark, first[_LABEL:]])
        lines += [first, *rest]
    return lines
