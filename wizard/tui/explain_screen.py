"""Pasted log lines: a box to paste them into, and what each of them means.

Owns the layout and keys of both screens. What a line means is told by the view; what it names can be walked.
"""

from __future__ import annotations

import time
from typing import ClassVar

from textual import events, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import TextArea

from wizard.text import Visible, one_line, visible
from wizard.tui.choice_screen import ChoiceScreen
from wizard.tui.help_screen import TextScreen
from wizard.tui.keys import Key, bindings, footer
from wizard.tui.port import State
from wizard.tui.screen import WizardScreen
from wizard.tui.widgets.lines import PLAIN, STRONG, labelled, line, wrapped
from wizard.tui.widgets.pick_list import PickList, Row
from wizard.tui.widgets.text_pane import Keys, Lines, Pane
from wizard.views.explain import ExplainView, LineView, explain_view
from wizard.views.words import cut, padded
from wizard.walk.plan import Target


class PasteScreen(ModalScreen[str | None]):
    """A box for lines of a log."""

    DEFAULT_CSS = """
    PasteScreen { background: $background; }
    PasteScreen > Vertical { padding: 0 1; }
    PasteScreen TextArea { height: 1fr; border: none; padding: 0; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "none", show=False, priority=True),
        Binding("f2,ctrl+d", "done", show=False, priority=True),
    ]

    def compose(self) -> ComposeResult:
        """What to do, the box, the keys."""
        with Vertical():
            yield Lines(id="title")
            box = TextArea(soft_wrap=True, show_line_numbers=False, highlight_cursor_line=False, tab_behavior="indent")
            box.cursor_blink = False
            yield box
            yield Keys((("F2 or Ctrl+D", "what they mean"), ("Esc", "back")))

    def on_mount(self) -> None:
        """Keys go to the box."""
        self.query_one(TextArea).focus()

    def on_resize(self) -> None:
        """Lay the title out."""
        width = max(20, self.app.size.width - 2)
        title = line((Visible("Paste log lines here, of any of the programs on the path"), STRONG))
        self.query_one("#title", Lines).show([title, Content("-" * width)])

    def action_done(self) -> None:
        """Give the text."""
        self.dismiss(self.query_one(TextArea).text.strip() or None)

    def action_none(self) -> None:
        """Give nothing."""
        self.dismiss(None)


class ExplainScreen(WizardScreen):
    """What pasted lines mean."""

    DEFAULT_CSS = """
    ExplainScreen > Vertical { padding: 0 1; }
    ExplainScreen #lines { height: 1fr; min-height: 4; }
    ExplainScreen #about { height: 2fr; }
    """
    KEYS = (
        Key("enter", "walk", "Enter", "walk it", "walk the URL or the upstream that the chosen line names"),
        Key("a", "article", "a", "article", "the article of a cause that the chosen line fits"),
        Key("p", "paste", "p", "paste others", "paste other lines"),
        Key("pagedown", "page(1)", "PgDn", "", "a page further in what the line means", first=True),
        Key("pageup", "page(-1)", "PgUp", "", "a page back in what the line means", first=True),
        Key("escape", "leave", "Esc", "start", "back to Start"),
    )
    BINDINGS: ClassVar[list[BindingType]] = bindings(KEYS)

    def __init__(self, text: str) -> None:
        super().__init__()
        self._text = text
        self._view = ExplainView((), 0, 0)

    def compose(self) -> ComposeResult:
        """How many lines were recognised, which, and what the chosen one means."""
        with Vertical():
            yield Lines(id="head")
            yield PickList(id="lines")
            yield Lines(id="rule")
            with Pane(id="about", can_focus=False):
                yield Lines(id="meaning")
            yield Lines(id="said")
            yield Keys(footer(self.KEYS))

    def on_mount(self) -> None:
        """Read the lines."""
        self._read()
        self.query_one("#lines", PickList).focus()

    def paint(self, state: State) -> None:
        """Show the lines."""
        width = self.app.size.width - 2
        self.query_one("#head", Lines).show([line((_counted(self._view), STRONG)), Content("-" * width)])
        rows = tuple(Row(_row(one, width - 1)) for one in self._view.lines)
        self.query_one("#lines", PickList).show(rows)
        self.query_one("#rule", Lines).show([Content("-" * width)])
        self.query_one("#said", Lines).show(wrapped(state.said, width) if state.said else [])
        self._paint_meaning()

    def on_pick_list_moved(self) -> None:
        """Another line."""
        self._paint_meaning()
        self.query_one("#about", Pane).scroll_home(animate=False)

    def on_pick_list_picked(self) -> None:
        """Enter walks it."""
        self.action_walk()

    def on_paste(self, event: events.Paste) -> None:
        """Other lines were pasted."""
        event.stop()
        self._text = event.text
        self._read()
        self.repaint()

    @work(group="dialog", exclusive=True)
    async def action_walk(self) -> None:
        """Walk what the line names; where it names two things, ask which."""
        chosen = self._chosen()
        targets = chosen.targets if chosen is not None else ()
        if not targets:
            self.wizard.say("This line names no URL and no upstream to walk.")
            return
        target: Target | None = targets[0]
        if len(targets) > 1:
            choices = tuple((str(number), _named(one)) for number, one in enumerate(targets))
            picked = await self.app.push_screen_wait(ChoiceScreen(Visible("Walk which?"), choices))
            target = targets[int(picked)] if picked is not None else None
        if target is not None:
            self.app.pop_screen()
            self.wizard.driver.begin(target)

    @work(group="dialog", exclusive=True)
    async def action_article(self) -> None:
        """Show the article of a cause; where the line fits several, ask which."""
        chosen = self._chosen()
        known = self.wizard.state.library.causes
        causes = [known[name] for name in (chosen.causes if chosen is not None else ()) if name in known]
        if not causes:
            self.wizard.say("This line fits no cause of the catalogue.")
            return
        picked: str | None = "0"
        if len(causes) > 1:
            choices = tuple((str(number), Visible(one.id)) for number, one in enumerate(causes))
            picked = await self.app.push_screen_wait(ChoiceScreen(Visible("Which cause?"), choices))
        if picked is not None:
            cause = causes[int(picked)]
            refused = [visible(f"Do not: {command}. {why}") for command, why in cause.refused]
            self.app.push_screen(TextScreen(cause.id, (visible(cause.article), Visible(""), *refused)))

    @work(group="dialog", exclusive=True)
    async def action_paste(self) -> None:
        """Paste other lines."""
        text = await self.app.push_screen_wait(PasteScreen())
        if text:
            self._text = text
            self._read()
            self.repaint()

    def action_page(self, by: int) -> None:
        """Scroll what the line means."""
        pane = self.query_one("#about", Pane)
        pane.scroll_relative(y=by * max(1, pane.size.height - 1), animate=False)

    def action_leave(self) -> None:
        """Back."""
        self.app.pop_screen()

    def _read(self) -> None:
        glance = self.wizard.state.glance
        offset = glance.utc_offset if glance is not None else time.localtime().tm_gmtoff
        self._view = explain_view(self._text, now=time.time(), offset=offset)

    def _chosen(self) -> LineView | None:
        cursor = self.query_one("#lines", PickList).cursor
        return self._view.lines[cursor] if cursor < len(self._view.lines) else None

    def _paint_meaning(self) -> None:
        width = max(20, self.app.size.width - 4)
        chosen = self._chosen()
        lines = _meaning(chosen, width) if chosen is not None else _nothing(self._text, width)
        self.query_one("#meaning", Lines).show(lines)


def _counted(shown: ExplainView) -> Visible:
    known = len(shown.lines)
    said = f"{known} line{'s' if known != 1 else ''} recognised"
    if shown.unknown:
        said += f", {shown.unknown} not"
    return Visible(said + (f", {shown.left_out} left out" if shown.left_out else ""))


def _row(one: LineView, width: int) -> Content:
    return line(
        (Visible(f"{one.number:>4}  "), PLAIN),
        (padded(one.program, 10), STRONG),
        (cut(one_line(one.meaning, limit=400), width - 16), PLAIN),
    )


def _meaning(one: LineView, width: int) -> list[Content]:
    lines = wrapped(one.meaning, width, style=STRONG)
    for name, value in one.facts:
        lines += labelled(name, value, width)
    lines += labelled(Visible("fits"), Visible(", ".join(one.causes) or "no cause: the line is no failure"), width)
    if one.targets:
        lines += labelled(
            Visible("Enter"), Visible("walks " + " or ".join(_named(each) for each in one.targets)), width
        )
    return [*lines, Content(""), *wrapped(one.line, width)]


def _named(target: Target) -> Visible:
    return one_line(target.url or target.upstream or "", limit=200)


def _nothing(text: str, width: int) -> list[Content]:
    said = "No line was recognised as one of a gateway, an application server, the kernel or systemd."
    return [*wrapped(Visible(said), width), Content(""), *wrapped(visible(text[:2000]), width)]
