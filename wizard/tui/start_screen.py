"""The Start screen: the host at a glance, what fails now, and where a walk begins.

Owns its layout and keys. The most likely wish is selected, so that Enter goes.
"""

from __future__ import annotations

from typing import ClassVar

from textual import events, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input

from wizard.text import Visible, one_line
from wizard.tui import start_lines as lay
from wizard.tui.choice_screen import ChoiceScreen, LineScreen
from wizard.tui.keys import Key, bindings, footer
from wizard.tui.port import State
from wizard.tui.screen import WizardScreen
from wizard.tui.sizes import LOW, ROOMY
from wizard.tui.widgets.address import Address
from wizard.tui.widgets.lines import wrapped
from wizard.tui.widgets.pick_list import PickList, Row
from wizard.tui.widgets.text_pane import Keys, Lines
from wizard.views import start as view
from wizard.walk.plan import Target, TargetError, read_target

_DETAIL = 3


class StartScreen(WizardScreen):
    """Where the wizard begins."""

    DEFAULT_CSS = """
    StartScreen > Vertical { padding: 0 1; }
    StartScreen #address { height: 1; border: none; padding: 0; }
    """
    KEYS = (
        Key("enter", "pick", "Enter", "walk this", "do what the chosen row says"),
        Key("u", "address", "u", "URL", "type a URL, a host name or an upstream, and walk it"),
        Key("s", "symptom", "s", "symptom", "begin at what visitors see"),
        Key("p", "paste", "p", "paste log lines", "paste log lines, and see what they mean"),
        Key("i", "resume", "i", "", "go on with the interrupted session of this host"),
        Key("r", "look", "r", "look again", "look at the host again"),
        Key("o", "open", "o", "open", "open a saved session by its path"),
        Key("d", "demo", "d", "demo", "open a recorded real incident"),
        Key("escape", "rows", "Esc", "", "back to the list; from a saved session back to this host"),
    )
    BINDINGS: ClassVar[list[BindingType]] = bindings(KEYS)

    def __init__(self) -> None:
        super().__init__()
        self._view = view.start_view(None)
        self._wishes: tuple[lay.Wish, ...] = ()
        self._moved = False

    def compose(self) -> ComposeResult:
        """Host, gateways, the list, more about its row, a line for a URL, the keys."""
        with Vertical():
            yield Lines(id="head")
            yield PickList(id="rows")
            yield Lines(id="foot")
            yield Address(placeholder="https://shop.example/cart, a host name, or 127.0.0.1:8000", id="address")
            yield Lines(id="said")
            yield Keys(footer(self.KEYS))

    def on_mount(self) -> None:
        """Keys go to the list."""
        self.query_one("#address", Input).display = False
        self.query_one("#rows", PickList).focus()

    def on_screen_resume(self) -> None:
        """What fails now may be something else than before the walk."""
        super().on_screen_resume()
        self.wizard.driver.look_again()

    def paint(self, state: State) -> None:
        """Show the glance."""
        size = self.app.size
        self._view = view.start_view(state.glance, failure=state.failure)
        width = size.width - 2
        self.query_one("#head", Lines).show(lay.head(self._view, state, width, roomy=size.height >= ROOMY))
        listed = lay.listed(self._view, state, width - 1)
        self._wishes = tuple(wish for wish, _ in listed)
        rows = tuple(Row(content, pickable=wish is not None) for wish, content in listed)
        self.query_one("#rows", PickList).show(rows, None if self._moved else lay.likeliest(self._wishes, state))
        self._paint_detail()
        self.query_one("#said", Lines).show(wrapped(state.said, width) if state.said else [])

    def on_pick_list_moved(self) -> None:
        """A person chooses; the cursor stays where they put it."""
        self._moved = True
        self._paint_detail()

    def on_pick_list_picked(self, event: PickList.Picked) -> None:
        """Do what the row says."""
        wish = self._wishes[event.index] if event.index < len(self._wishes) else None
        if isinstance(wish, view.Row):
            self.wizard.driver.begin(wish.target)
        elif isinstance(wish, view.Symptom):
            self._begin_at(wish)
        elif wish is not None:
            self.run_worker(self.run_action(wish), group="dialog", exclusive=True)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Walk what was typed."""
        event.stop()
        try:
            target = read_target(event.value)
        except TargetError as error:
            self.wizard.say(f"{error}. Please {error.hint}.")
            return
        self.wizard.driver.begin(target)

    def on_paste(self, event: events.Paste) -> None:
        """A pasted target is put into the line for it; anything else is explained."""
        event.stop()
        try:
            target = read_target(event.text)
        except TargetError:
            target = Target()
        if target == Target():
            self._explain(event.text)
            return
        self.action_address()
        self.query_one("#address", Input).value = event.text.strip()

    def on_address_lines_pasted(self, event: Address.LinesPasted) -> None:
        """Several lines are no URL, also where one is typed."""
        event.stop()
        self.action_rows()
        self._explain(event.text)

    # --- keys --------------------------------------------------------------------------------------------------------

    def action_pick(self) -> None:
        """Do what the chosen row says."""
        self.query_one("#rows", PickList).action_pick()

    def action_address(self) -> None:
        """Type a URL."""
        address = self.query_one("#address", Input)
        address.display = True
        address.focus()

    def action_rows(self) -> None:
        """Back to the list; from there back to this host."""
        address = self.query_one("#address", Input)
        if not address.display and self.wizard.state.away:
            self.run_worker(self.wizard.driver.go_home(), group="session", exit_on_error=False)
        address.display = False
        self.query_one("#rows", PickList).focus()

    def action_look(self) -> None:
        """Look again."""
        self.wizard.driver.look_again(said=True)

    @work(group="dialog", exclusive=True)
    async def action_symptom(self) -> None:
        """Choose where a walk begins."""
        known = view.symptoms(self.wizard.state.library)
        choices = tuple((str(number), one.title) for number, one in enumerate(known))
        chosen = await self.app.push_screen_wait(ChoiceScreen(Visible("What do you know?"), choices))
        if chosen is not None:
            self._begin_at(known[int(chosen)])

    @work(group="dialog", exclusive=True)
    async def action_paste(self) -> None:
        """Paste log lines."""
        from wizard.tui.explain_screen import PasteScreen  # noqa: PLC0415 - an editor of text costs the first frame

        text = await self.app.push_screen_wait(PasteScreen())
        if text:
            self._explain(text)

    def action_resume(self) -> None:
        """Go on with the interrupted session."""
        found = self.wizard.state.interrupted
        if found is None:
            self.wizard.say("No session of this host was interrupted lately. o opens any session by its path.")
        else:
            self.wizard.resume(found.path)

    @work(group="dialog", exclusive=True)
    async def action_open(self) -> None:
        """Open a saved session."""
        why = Visible("A session is opened as it was recorded; nothing is asked of this host.")
        path = await self.app.push_screen_wait(LineScreen(Visible("The path of a session file"), why=why))
        if path:
            self._moved = False
            self.wizard.open(path)

    @work(group="dialog", exclusive=True)
    async def action_demo(self) -> None:
        """Open a recorded incident."""
        known = self.wizard.incidents
        if not known:
            self.wizard.say("No incident ships with this copy.")
            return
        choices = tuple((name, one_line(one.title or name)) for name, one in known.items())
        why = Visible("Each was recorded on a real host with this fault. Nothing is asked of this host.")
        chosen = await self.app.push_screen_wait(ChoiceScreen(Visible("Recorded real incidents"), choices, why))
        if chosen is not None:
            self._moved = False
            self.wizard.open(chosen, incident=True)

    # --- parts -------------------------------------------------------------------------------------------------------

    @work(group="dialog", exclusive=True)
    async def _begin_at(self, symptom: view.Symptom) -> None:
        """Ask where the symptom shows, unless there is one place only, and walk that."""
        places = [row for row in self._view.rows if row.target != Target()]
        target: Target | None = places[0].target if len(places) == 1 else Target()
        if len(places) > 1:
            choices = [(str(number), lay.place(row)) for number, row in enumerate(places)]
            choices.append(("", Visible("everywhere: every route that there is")))
            chosen = await self.app.push_screen_wait(ChoiceScreen(Visible(f"Where: {symptom.title}?"), tuple(choices)))
            target = None if chosen is None else places[int(chosen)].target if chosen else Target()
        if target is not None:
            self.wizard.driver.begin(target, symptom.flow)

    def _explain(self, text: str) -> None:
        from wizard.tui.explain_screen import ExplainScreen  # noqa: PLC0415 - the same

        self.app.push_screen(ExplainScreen(text))

    def _paint_detail(self) -> None:
        """More about the chosen row, in a room of its own, so that nothing moves."""
        width = self.app.size.width - 2
        cursor = self.query_one("#rows", PickList).cursor
        wish = self._wishes[cursor] if cursor < len(self._wishes) else None
        said = wish.detail if isinstance(wish, view.Row) else ()
        room = _DETAIL if self.app.size.height >= LOW else 1
        lines = [one for text in said for one in wrapped(text, width)][:room]
        blank = [Content(" ")] * (room - len(lines)) if self._view.failing else []
        self.query_one("#foot", Lines).show([*lines, *blank])
