"""Every key of the Start screen."""

from __future__ import annotations

from textual.pilot import Pilot

from tests.tui.fake import FakeHost, Story, fake_app, sits
from tests.tui.looking import drive, pressed, screen_text, shows, until
from wizard.tui.doors import Incident, MakeSitting, OpenError
from wizard.tui.start_screen import StartScreen


def test_enter_walks_the_row_that_fails_most() -> None:
    app = fake_app()

    async def steps(pilot: Pilot[None]) -> None:
        await shows(pilot, "> shop.example /cart")
        await pressed(pilot, "enter", "http://shop.example/cart", "The walk has ended")

    drive(app, steps)


def test_two_enters_in_a_row_lead_to_the_diagnosis_as_soon_as_it_is_there() -> None:
    app = fake_app()

    async def steps(pilot: Pilot[None]) -> None:
        await shows(pilot, "> shop.example /cart")
        await pilot.press("enter", "enter")
        await shows(pilot, "CONFIRMED", "service-stopped", "systemctl start shop.service")

    drive(app, steps)


def test_arrows_choose_to_walk_everything() -> None:
    app = fake_app()

    async def steps(pilot: Pilot[None]) -> None:
        await shows(pilot, "> shop.example /cart")
        await pressed(pilot, "down", "> everything")
        await pressed(pilot, "enter", "everything that this host's gateways route", "The walk has ended")

    drive(app, steps)


def test_a_url_is_typed_and_walked() -> None:
    app = fake_app()

    async def steps(pilot: Pilot[None]) -> None:
        await shows(pilot, "> shop.example /cart")
        await pilot.press("u", *"shop.example/cart?a", "enter")
        await shows(pilot, "http://shop.example/cart?a", "The walk has ended")

    drive(app, steps)


def test_what_is_no_target_is_refused_with_a_hint() -> None:
    app = fake_app()

    async def steps(pilot: Pilot[None]) -> None:
        await shows(pilot, "> shop.example /cart")
        await pilot.press("u", *"ftp://x", "enter")
        await shows(pilot, "its scheme is ftp", "give a URL")
        await pressed(pilot, "escape", "> shop.example")
        assert isinstance(app.screen, StartScreen)

    drive(app, steps)


def test_a_symptom_chooses_the_tree() -> None:
    app = fake_app()

    async def steps(pilot: Pilot[None]) -> None:
        await shows(pilot, "> shop.example /cart")
        await pressed(pilot, "s", "What do visitors see?", "as observed by the walk", "2  route:")
        await pressed(pilot, "2", "Symptom: route")
        await pressed(pilot, "enter", "The walk has ended")
        assert "gateway:" not in screen_text(app)  # the chosen tree begins at the route

    drive(app, steps)


def test_a_saved_session_is_opened() -> None:
    story = Story()
    opened: list[str] = []

    def open_session(path: str) -> MakeSitting:
        opened.append(path)
        if path == "/no":
            raise OpenError("/no: the file is missing. Please give another path.")
        return sits(FakeHost(hostname="db-01"), story)

    app = fake_app(open_session=open_session)

    async def steps(pilot: Pilot[None]) -> None:
        await shows(pilot, "> shop.example /cart")
        await pressed(pilot, "o", "The path of a session file")
        await pilot.press(*"/no", "enter")
        await shows(pilot, "the file is missing")
        await pressed(pilot, "o", "The path of a session file")
        await pilot.press(*"/s", "enter")
        await shows(pilot, "db-01")
        assert opened == ["/no", "/s"]

    drive(app, steps)


def test_an_incident_is_chosen_by_its_number() -> None:
    opened: list[str] = []

    def open_session(path: str) -> MakeSitting:
        opened.append(path)
        return sits(FakeHost(hostname="demo-01"), Story())

    app = fake_app(
        open_session=open_session,
        incidents={"cut-cable": Incident("/i/cut-cable.jsonl", "A cable was cut"), "full": Incident("/i/full.jsonl")},
    )

    async def steps(pilot: Pilot[None]) -> None:
        await shows(pilot, "> shop.example /cart")
        await pressed(pilot, "d", "1  A cable was cut", "2  full")
        await pressed(pilot, "2", "demo-01")
        assert opened == ["/i/full.jsonl"]

    drive(app, steps)


def test_without_incidents_the_demo_says_so() -> None:
    app = fake_app()

    async def steps(pilot: Pilot[None]) -> None:
        await shows(pilot, "> shop.example /cart")
        await pressed(pilot, "d", "No incident ships with this copy.")

    drive(app, steps)


def test_q_quits() -> None:
    app = fake_app()

    async def steps(pilot: Pilot[None]) -> None:
        await shows(pilot, "> shop.example /cart")
        await pilot.press("q")
        await until(pilot, lambda: app.return_code == 0)

    drive(app, steps)


def test_below_the_smallest_size_one_line_says_so() -> None:
    app = fake_app()

    async def steps(pilot: Pilot[None]) -> None:
        await shows(pilot, "terminal too small")
        await pilot.resize_terminal(80, 24)
        await shows(pilot, "> shop.example /cart")
        await pilot.resize_terminal(40, 8)
        await shows(pilot, "terminal too small")
        assert "shop.example" not in screen_text(app)

    drive(app, steps, (50, 12))
