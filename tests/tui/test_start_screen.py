"""Every key of the Start screen."""

from __future__ import annotations

from pathlib import Path

from textual.events import Paste
from textual.pilot import Pilot

from tests.tui.fake import ERROR, LOG, NOW, FakeHost, Story, fake_app, saved_session, sits
from tests.tui.looking import drive, pressed, screen_text, shows, until
from tests.walk.test_resume import cut_off
from wizard.host.recording import RecordingHost
from wizard.session.session import Session
from wizard.tui.doors import MakeSitting, OpenError
from wizard.tui.start_screen import StartScreen
from wizard.walk.outside import Incident, Interrupted


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


def test_a_symptom_chooses_the_tree_and_is_walked_where_it_shows() -> None:
    app = fake_app()

    async def steps(pilot: Pilot[None]) -> None:
        await shows(pilot, "> shop.example /cart", "as a visitor", "what happens to a visitor")
        await pressed(pilot, "s", "What do you know?", "1  as a visitor", "2  what happens to a visitor")
        await pressed(pilot, "2", "http://shop.example/cart", "The walk has ended")
        assert "nginx runs" not in screen_text(app)  # the chosen tree begins at the route

    drive(app, steps)


def test_a_symptom_is_a_row_of_the_list_and_asks_where_it_shows() -> None:
    other = ERROR.format(second=30, number=99).replace("127.0.0.1:8000", "127.0.0.1:9000").replace("/cart", "/api")
    app = fake_app(host=FakeHost(log=(LOG + other).encode()))

    async def steps(pilot: Pilot[None]) -> None:
        await shows(pilot, "> shop.example /cart")
        await pressed(pilot, "down down down down", ">   as a visitor")
        await pressed(pilot, "enter", "Where: as a visitor", "1  shop.example /cart  127.0.0.1:8000  refused  27")
        await pressed(pilot, "2", "http://shop.example/api", "The walk has ended")

    drive(app, steps)


def test_more_about_the_chosen_row_is_said_below_the_list() -> None:
    app = fake_app()

    async def steps(pilot: Pilot[None]) -> None:
        await shows(pilot, "The connection was refused", "while connecting, errno 111")
        await shows(pilot, "27 times, first seen 14:07:03, last seen 14:07:29")
        await pressed(pilot, "down", "> everything")
        assert "first seen" not in screen_text(app)

    drive(app, steps)


def test_the_host_is_looked_at_again_on_a_key_and_after_a_walk() -> None:
    host = FakeHost()
    app = fake_app(host=host)

    async def steps(pilot: Pilot[None]) -> None:
        await shows(pilot, "> shop.example /cart")
        kept = len(host.records())
        host.log = b""
        await pressed(pilot, "r", "Nothing failed", "> everything")
        assert len(host.records()) == kept  # a later look is not part of the session
        host.log = LOG.encode()
        await pressed(pilot, "enter", "The walk has ended")
        await pressed(pilot, "escape", "> shop.example /cart")

    drive(app, steps)


def test_pasted_lines_are_explained_and_what_they_name_is_walked() -> None:
    app = fake_app()

    async def steps(pilot: Pilot[None]) -> None:
        await shows(pilot, "> shop.example /cart")
        app.post_message(Paste(LOG + "no line of a log\n"))
        await shows(pilot, "27 lines recognised, 1 not", "phase      connecting", "upstream   127.0.0.1:8000")
        await pressed(pilot, "down", ">   2  nginx")
        await pressed(pilot, "enter", "Walk which?", "1  http://shop.example/cart", "2  127.0.0.1:8000")
        await pressed(pilot, "1", "http://shop.example/cart", "The walk has ended")
        await pressed(pilot, "escape", "> shop.example /cart")

    drive(app, steps)


def test_lines_are_pasted_where_a_url_is_typed_and_in_the_box_for_them() -> None:
    app = fake_app()

    async def steps(pilot: Pilot[None]) -> None:
        await shows(pilot, "> shop.example /cart")
        await pilot.press("u")
        app.post_message(Paste(LOG))
        await shows(pilot, "27 lines recognised")
        await pressed(pilot, "p", "Paste log lines here")
        app.post_message(Paste("nothing that is known"))
        await shows(pilot, "nothing that is known")
        await pressed(pilot, "f2", "0 lines recognised, 1 not", "No line was recognised")
        await pressed(pilot, "enter", "names no URL")
        await pressed(pilot, "p", "Paste log lines here")
        await pressed(pilot, "escape", "0 lines recognised")

    drive(app, steps)


def test_the_article_of_a_cause_is_in_reach_of_a_line() -> None:
    app = fake_app()

    async def steps(pilot: Pilot[None]) -> None:
        await shows(pilot, "> shop.example /cart")
        line = "Nov 23 14:08:09 web-03 systemd[1]: shop.service: Main process exited, code=exited, status=1/FAILURE"
        app.post_message(Paste(f"{line}\n{line}"))
        await shows(pilot, "2 lines recognised")
        await pressed(pilot, "a", "fits no cause of the catalogue")  # the catalogue of these tests knows one cause

    drive(app, steps)


def test_a_pasted_url_goes_to_the_line_for_it() -> None:
    app = fake_app()

    async def steps(pilot: Pilot[None]) -> None:
        await shows(pilot, "> shop.example /cart")
        app.post_message(Paste("shop.example/cart?b"))
        await shows(pilot, "shop.example/cart?b")
        await pressed(pilot, "enter", "http://shop.example/cart?b", "The walk has ended")

    drive(app, steps)


def test_an_interrupted_session_is_offered_and_goes_on_where_it_stood(tmp_path: Path) -> None:
    saved = cut_off("connect", tmp_path / "s.jsonl")
    story = Story()
    found = Interrupted("/kept/s.jsonl", saved.target, NOW - 60)

    def resume(path: str) -> tuple[MakeSitting, Session]:
        assert path == "/kept/s.jsonl"
        return sits(RecordingHost(FakeHost(), earlier=saved.asked), story), saved

    app = fake_app(interrupted=found, resume=resume)

    async def steps(pilot: Pilot[None]) -> None:
        await shows(pilot, "> i go on with the interrupted walk of http://shop.example/cart")
        await pressed(pilot, "enter", "The walk has ended", "shop.service is stopped")
        assert story.asked == ["connect", "listener", "service"]
        assert app.driver.session is not None
        assert app.driver.session.id == saved.id
        await pressed(pilot, "escape", "> shop.example /cart")
        assert "interrupted" not in screen_text(app)

    drive(app, steps)


def test_what_was_interrupted_long_ago_is_not_the_likeliest_wish() -> None:
    app = fake_app(interrupted=Interrupted("/kept/s.jsonl", None, NOW - 7200))

    async def steps(pilot: Pilot[None]) -> None:
        await shows(pilot, "> shop.example /cart", "i go on with the interrupted walk of every route")

    drive(app, steps)


def test_escape_leads_from_a_saved_session_back_to_this_host() -> None:
    session = saved_session()

    def open_session(path: str) -> MakeSitting:
        del path
        return sits(FakeHost(hostname="db-01"), Story(), replayed=session)

    app = fake_app(open_session=open_session, incidents={"one": Incident("/i/one.jsonl", "One fault")})

    async def steps(pilot: Pilot[None]) -> None:
        await shows(pilot, "> shop.example /cart", "web-03")
        await pressed(pilot, "d", "1  One fault")
        await pressed(pilot, "1", "The walk has ended")
        await pressed(pilot, "escape", "a recorded session", "db-01")
        await pressed(pilot, "escape", "web-03")
        assert "recorded session" not in screen_text(app)

    drive(app, steps)


def test_without_a_gateway_enter_opens_the_incidents() -> None:
    app = fake_app(host=FakeHost(nginx=False), incidents={"one": Incident("/i/one.jsonl", "One fault")})

    async def steps(pilot: Pilot[None]) -> None:
        await shows(pilot, "No gateway was found on this host.", "> d a recorded real incident")
        await pressed(pilot, "enter", "Recorded real incidents", "1  One fault")

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
