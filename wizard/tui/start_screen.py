"""The Start screen: the host at a glance, what fails now, and where a walk begins.

Owns its layout and keys. The most likely wish is selected, so that Enter goes.
"""

from __future__ import annotations

from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input

from wizard.text import Visible, cells, one_line
from wizard.tui.choice_screen import ChoiceScreen, LineScreen
from wizard.tui.keys import Key, bindings, footer
from wizard.tui.port import State
from wizard.tui.screen import WizardScreen
from wizard.tui.widgets.lines import PLAIN, STRONG, line, spread, wrapped
from wizard.tui.widgets.pick_list import PickList, Row
from wizard.tui.widgets.text_pane import Keys, Lines
from wizard.views import start as view
from wizard.views.words import cut, padded
from wizard.walk.plan import TargetError, read_target

_ANY = "any"


class StartScreen(WizardScreen):
    """Where the wizard begins."""

    DEFAULT_CSS = """
    StartScreen > Vertical { padding: 0 1; }
    StartScreen #address { height: 1; border: none; padding: 0; }
    StartScreen #foot { margin-top: 1; }
    """
    KEYS = (
        Key("enter", "pick", "Enter", "walk this", "walk the chosen row"),
        Key("u", "address", "u", "URL", "type a URL, a host name or an upstream, and walk it"),
        Key("s", "symptom", "s", "symptom", "say what visitors see; the walk begins there"),
        Key("o", "open", "o", "open a session", "open a saved session by its path"),
        Key("d", "demo", "d", "demo", "open a recorded real incident"),
        Key("escape", "rows", "Esc", "", "from the line for a URL back to the list"),
    )
    BINDINGS: ClassVar[list[BindingType]] = bindings(KEYS)

    def __init__(self) -> None:
        super().__init__()
        self._view = view.start_view(None)
        self._flow: str | None = None

    def compose(self) -> ComposeResult:
        """Host, gateways, what fails, a line for a URL, the keys."""
        with Vertical():
            yield Lines(id="head")
            yield PickList(id="rows")
            yield Lines(id="foot")
            address = Input(placeholder="https://shop.example/cart, a host name, or 127.0.0.1:8000", id="address")
            address.cursor_blink = False
            yield address
            yield Lines(id="said")
            yield Keys(footer(self.KEYS))

    def on_mount(self) -> None:
        """Keys go to the list."""
        self.query_one("#address", Input).display = False
        self.query_one("#rows", PickList).focus()

    def paint(self, state: State) -> None:
        """Show the glance."""
        fresh = view.start_view(state.glance, failure=state.failure)
        width = self.app.size.width - 2
        self.query_one("#head", Lines).show(_head(fresh, width))
        rows = tuple(Row(one) for one in _rows(fresh, width - 1))
        self.query_one("#rows", PickList).show(rows, 0 if fresh != self._view else None)
        foot = [line((Visible(f"Symptom: {self._flow or 'as observed by the walk'}"), PLAIN))]
        self.query_one("#foot", Lines).show(foot if fresh.rows else [])
        self.query_one("#said", Lines).show(wrapped(state.said, width) if state.said else [])
        self._view = fresh

    def on_pick_list_picked(self, event: PickList.Picked) -> None:
        """Walk the row."""
        if event.index < len(self._view.rows):
            self.wizard.driver.begin(self._view.rows[event.index].target, self._flow)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Walk what was typed."""
        event.stop()
        try:
            target = read_target(event.value)
        except TargetError as error:
            self.wizard.say(f"{error}. Please {error.hint}.")
            return
        self.wizard.driver.begin(target, self._flow)

    def action_pick(self) -> None:
        """Walk the chosen row."""
        self.query_one("#rows", PickList).action_pick()

    def action_address(self) -> None:
        """Type a URL."""
        address = self.query_one("#address", Input)
        address.display = True
        address.focus()

    def action_rows(self) -> None:
        """Back to the list."""
        self.query_one("#address", Input).display = False
        self.query_one("#rows", PickList).focus()

    @work(group="dialog", exclusive=True)
    async def action_symptom(self) -> None:
        """Choose the tree that a walk begins with."""
        known = tuple((one.flow, one.title) for one in view.symptoms(self.wizard.state.library))
        choices = ((_ANY, Visible("as observed by the walk")), *known)
        chosen = await self.app.push_screen_wait(ChoiceScreen(Visible("What do visitors see?"), choices))
        if chosen is not None:
            self._flow = None if chosen == _ANY else chosen
            self.repaint()

    @work(group="dialog", exclusive=True)
    async def action_open(self) -> None:
        """Open a saved session."""
        why = Visible("A session is opened as it was recorded; nothing is asked of this host.")
        path = await self.app.push_screen_wait(LineScreen(Visible("The path of a session file"), why=why))
        if path:
            self.wizard.open(path)

    @work(group="dialog", exclusive=True)
    async def action_demo(self) -> None:
        """Open a recorded incident."""
        known = self.wizard.incidents
        if not known:
            self.wizard.say("No incident ships with this copy.")
            return
        choices = tuple((name, one_line(one.title or name)) for name, one in known.items())
        chosen = await self.app.push_screen_wait(ChoiceScreen(Visible("Recorded real incidents"), choices))
        if chosen is not None:
            self.wizard.open(chosen, incident=True)


def _head(shown: view.StartView, width: int) -> list[Content]:
    lines = [spread(Visible("gateway-wizard"), shown.host, width), Content("-" * width)]
    lines += [one for gateway in shown.gateways for one in wrapped(gateway, width)]
    lines += [one for note in shown.notes for one in wrapped(note, width)]
    lines.append(Content(""))
    if shown.heading:
        right = Visible(f"{'':3} {'count':>5} {'last':>6}  {'':8}") if shown.failing else Visible("")
        lines.append(spread(shown.heading, right, width))
    return lines


def _rows(shown: view.StartView, width: int) -> list[Content]:
    """Columns in the width of the terminal: what is left of the numbers is shared by request, server and word."""
    numbers = 28
    left = width - numbers - 1
    columns = [_widest([row.where for row in shown.rows]), _widest([row.upstream for row in shown.rows])]
    word = max(9, min(_widest([row.word for row in shown.rows]), 16))
    room = left - word - 2
    upstream = min(columns[1], max(14, room - columns[0] - 2), room // 2 + 6)
    where = max(10, room - upstream - 2)
    lines: list[Content] = []
    for row in shown.rows:
        if not row.word:
            lines.append(line((Visible(" "), PLAIN), (padded(row.where, width - 2), PLAIN)))
            continue
        cells_ = f"{row.status:>3} {cut(row.count, 5):>5} {cut(row.last, 6):>6}  {row.spark:>8}" if row.count else ""
        lines.append(
            line(
                (Visible(" "), PLAIN),
                (padded(row.where, where), STRONG),
                (Visible("  "), PLAIN),
                (padded(row.upstream, upstream), PLAIN),
                (Visible("  "), PLAIN),
                (padded(row.word, word), PLAIN),
                (Visible(" "), PLAIN),
                (Visible(cells_), PLAIN),
            )
        )
    return lines


def _widest(texts: list[Visible]) -> int:
    return max((cells(text) for text in texts), default=0)
