"""Every key of the Walk screen, and what happens while probes run."""

from __future__ import annotations

import asyncio

from textual.pilot import Pilot

from tests.tui.fake import CONFIG, STOPPED, TWO_SERVERS, FakeHost, Story, fake_app
from tests.tui.looking import drive, pressed, screen_text, shows, until
from wizard.checks.registry import Finding
from wizard.session.events import Finished, Overruled, PersonAnswered, Skipped, StepDone
from wizard.tui.app import WizardApp
from wizard.walk.plan import Target
from wizard.walk.runner import Options

CART = Target(url="http://shop.example/cart")
ENDED = "The walk has ended"


def outcomes(app: WizardApp) -> list[str]:
    assert app.driver.session is not None
    return [f"{one.check} {one.outcome}" for one in app.driver.session.steps()]


def test_space_holds_and_enter_takes_one_step_after_the_other() -> None:
    story = Story(held={"connect": asyncio.Event()})
    app = fake_app(story, target=CART)

    async def steps(pilot: Pilot[None]) -> None:
        await shows(pilot, "3 ... connect", "running")
        await pressed(pilot, "space", "connect")
        story.held["connect"].set()
        await shows(pilot, "4 ... listener", "Held before the next step")
        assert "service" not in screen_text(app)
        await pressed(pilot, "enter", "nobody listens", "5 ... service")
        await pressed(pilot, "space", ENDED)

    drive(app, steps)


def test_back_takes_the_last_step_away_and_holds_before_it() -> None:
    story = Story()
    app = fake_app(story, target=CART)

    async def steps(pilot: Pilot[None]) -> None:
        await shows(pilot, ENDED)
        await pressed(pilot, "b", "5 ... service", "Held")
        assert outcomes(app)[-1] == "listener absent"
        await pressed(pilot, "b", "4 ... listener", "Held")
        assert outcomes(app)[-1] == "connect refused"
        await pressed(pilot, "space", ENDED)
        assert outcomes(app)[-1] == "service stopped"

    drive(app, steps)


def test_back_at_the_beginning_says_that_there_is_no_step() -> None:
    story = Story(held={"gateway": asyncio.Event()})
    app = fake_app(story, target=CART)

    async def steps(pilot: Pilot[None]) -> None:
        await shows(pilot, "... gateway")
        await pressed(pilot, "b", "There is no step to take back.")

    drive(app, steps)


def test_a_step_is_overruled_and_the_walk_goes_another_way() -> None:
    app = fake_app(target=CART)

    async def steps(pilot: Pilot[None]) -> None:
        await shows(pilot, ENDED)
        await pressed(pilot, "home down down", "> 3 NO  connection refused")
        await pressed(pilot, "o", "What is true of connect?", "connected")
        await pressed(pilot, "2", "ok  connected", ENDED)
        assert app.driver.session is not None
        assert [one.outcome for one in app.driver.session.events if isinstance(one, Overruled)] == ["connected"]
        assert "unit is stopped" not in screen_text(app)

    drive(app, steps)


def test_a_step_is_asked_anew() -> None:
    story = Story()
    app = fake_app(story, target=CART)

    async def steps(pilot: Pilot[None]) -> None:
        await shows(pilot, ENDED)
        story.findings["service"] = Finding("running", "shop.service runs.")
        await pressed(pilot, "r", "ok  unit runs", ENDED)
        assert story.asked.count("service") == 2
        assert story.asked.count("gateway") == 1

    drive(app, steps)


def test_a_slow_probe_shows_how_long_it_runs_and_can_be_skipped() -> None:
    story = Story(held={"connect": asyncio.Event()})
    app = fake_app(story, target=CART, options=Options(timeout=30))

    async def steps(pilot: Pilot[None]) -> None:
        await shows(pilot, "of 30 s: connect of 127.0.0.1:8000 since 0 s")
        await shows(pilot, "since 1 s")
        await pressed(pilot, "s", "?   connect: could not tell", ENDED)
        assert app.driver.session is not None
        assert [one.because for one in app.driver.session.events if isinstance(one, Skipped)] == [
            "skipped by the person"
        ]

    drive(app, steps)


def test_ctrl_c_ends_the_probe_and_not_the_session() -> None:
    story = Story(held={"connect": asyncio.Event()})
    app = fake_app(story, target=CART)

    async def steps(pilot: Pilot[None]) -> None:
        await shows(pilot, "... connect")
        await pressed(pilot, "ctrl+c", "Stopped. Space runs on")
        assert app.return_code is None
        assert app.driver.session is not None
        assert [one.how for one in app.driver.session.events if isinstance(one, Finished)] == ["cancelled"]
        story.held["connect"].set()
        await pressed(pilot, "space", "unit is stopped", ENDED)
        await pressed(pilot, "ctrl+c")
        await until(pilot, lambda: app.return_code == 130)

    drive(app, steps)


def test_the_deadline_ends_what_hangs() -> None:
    story = Story(held={"service": asyncio.Event()})
    app = fake_app(story, target=CART, options=Options(timeout=0.3))

    async def steps(pilot: Pilot[None]) -> None:
        await shows(pilot, "?   service: could not tell", ENDED)
        await pressed(pilot, "enter", "could not", "within the 0.3 s")

    drive(app, steps)


def test_a_command_is_copied_for_the_terminal_and_for_the_exit() -> None:
    app = fake_app(target=CART)

    async def steps(pilot: Pilot[None]) -> None:
        await shows(pilot, ENDED)
        await pressed(pilot, "c", "Sent to the terminal's clipboard; check before pasting")
        assert app.clipboard == "systemctl status shop.service"
        assert app.copied == ["systemctl status shop.service"]

    drive(app, steps)


def test_the_log_lists_what_was_asked() -> None:
    app = fake_app(target=CART)

    async def steps(pilot: Pilot[None]) -> None:
        await shows(pilot, ENDED)
        await pressed(pilot, "a", "Everything that was asked", "asked who runs this, and on what  |  id")
        await pressed(pilot, "escape", ENDED)

    drive(app, steps)


def test_moving_shows_another_step_with_its_evidence() -> None:
    app = fake_app(target=CART)

    async def steps(pilot: Pilot[None]) -> None:
        await shows(pilot, ENDED)
        await pressed(pilot, "home", "Does the gateway run?", "Nobody else can answer", "ps -C nginx -f")
        await pressed(pilot, "down", "What does a visitor get?", "502 after 0.01 s")

    drive(app, steps, (140, 40))


def test_escape_leads_back_to_the_start() -> None:
    app = fake_app(target=CART)

    async def steps(pilot: Pilot[None]) -> None:
        await shows(pilot, ENDED)
        await pressed(pilot, "escape", "> shop.example /cart")
        await pressed(pilot, "enter", ENDED)  # and a second walk can begin

    drive(app, steps)


def test_a_person_answers_a_question_of_the_tree() -> None:
    app = fake_app(target=CART, options=Options(flow="asking"))

    async def steps(pilot: Pilot[None]) -> None:
        await shows(pilot, "Was something deployed")
        await pressed(pilot, "1", ENDED)
        assert app.driver.session is not None
        assert [one.value for one in app.driver.session.events if isinstance(one, PersonAnswered)] == ["yes"]

    drive(app, steps)


def test_escape_at_a_question_is_dont_know() -> None:
    app = fake_app(target=CART, options=Options(flow="asking"))

    async def steps(pilot: Pilot[None]) -> None:
        await shows(pilot, "Was something deployed")
        await pressed(pilot, "escape", ENDED)
        assert app.driver.session is not None
        assert [one.value for one in app.driver.session.events if isinstance(one, PersonAnswered)] == ["dont-know"]

    drive(app, steps)


def test_time_at_a_question_does_not_count_against_the_deadline() -> None:
    app = fake_app(target=CART, options=Options(flow="asking", timeout=0.2))

    async def steps(pilot: Pilot[None]) -> None:
        await shows(pilot, "Was something deployed")
        await pilot.pause(0.4)
        await pressed(pilot, "2", "nginx runs", ENDED)

    drive(app, steps)


def test_a_walk_that_cannot_begin_says_why() -> None:
    app = fake_app(host=FakeHost(nginx=False), target=CART)

    async def steps(pilot: Pilot[None]) -> None:
        await shows(pilot, "PROBLEM", "No gateway was found", "gateway-wizard demo")

    drive(app, steps)


def test_a_defect_of_a_check_is_shown_as_could_not_tell() -> None:
    findings = dict(STOPPED)
    del findings["listener"]  # the check then fails with an error of its own
    app = fake_app(Story(findings), target=CART)

    async def steps(pilot: Pilot[None]) -> None:
        await shows(pilot, "?   listener: could not tell", ENDED)

    drive(app, steps)


def test_the_steps_stand_in_the_order_of_the_walk() -> None:
    app = fake_app(target=CART)

    async def steps(pilot: Pilot[None]) -> None:
        await shows(pilot, ENDED)
        assert app.driver.session is not None
        done = [one.check for one in app.driver.session.events if isinstance(one, StepDone)]
        assert done == ["gateway", "request", "connect", "listener", "service"]

    drive(app, steps)


def test_leaving_a_running_walk_ends_it_and_another_can_begin() -> None:
    story = Story(held={"connect": asyncio.Event()})
    app = fake_app(story)

    async def steps(pilot: Pilot[None]) -> None:
        await shows(pilot, "> shop.example /cart")
        await pressed(pilot, "enter", "... connect")
        await pressed(pilot, "escape", "> shop.example /cart")
        story.held["connect"].set()
        await pressed(pilot, "enter", ENDED)

    drive(app, steps)


def test_going_back_to_a_step_takes_back_what_came_after_it() -> None:
    story = Story()
    app = fake_app(story, target=CART)

    async def steps(pilot: Pilot[None]) -> None:
        await shows(pilot, ENDED)
        await pressed(pilot, "home down down", "> 3 NO  connection refused")
        await pressed(pilot, "B", "3 ... connect", "Held")
        assert outcomes(app) == ["gateway running", "request bad-gateway"]
        await pressed(pilot, "space", ENDED)
        assert outcomes(app)[-1] == "service stopped"

    drive(app, steps)


def test_keys_lead_to_what_departs_and_to_a_number() -> None:
    app = fake_app(target=CART)

    async def steps(pilot: Pilot[None]) -> None:
        await shows(pilot, ENDED)
        await pressed(pilot, "home", "> 1 ok")
        await pressed(pilot, "n", "> 2 NO")
        await pressed(pilot, "n", "> 3 NO")
        await pressed(pilot, "N", "> 2 NO")
        await pressed(pilot, "N", "no further step that departs")
        await pressed(pilot, "g", "Go to which step?")
        await pressed(pilot, "4 enter", "> 4 NO")
        await pressed(pilot, "g 9 enter", "There is no step 9.")

    drive(app, steps)


def test_a_step_is_shown_on_the_whole_screen() -> None:
    app = fake_app(target=CART)

    async def steps(pilot: Pilot[None]) -> None:
        await shows(pilot, ENDED)
        await pressed(pilot, "f", "The step in full", "by hand: systemctl status shop.service")
        await pressed(pilot, "escape", ENDED)

    drive(app, steps)


def test_a_page_key_scrolls_the_step_and_not_the_trail() -> None:
    app = fake_app(target=CART)

    async def steps(pilot: Pilot[None]) -> None:
        await shows(pilot, ENDED, "Who runs the application")
        await pressed(pilot, "pagedown", "looked at")
        assert "Who runs the application" not in screen_text(app)
        assert "> 5 NO" in screen_text(app)
        await pressed(pilot, "pageup", "Who runs the application")

    drive(app, steps, (80, 18))


def test_servers_side_by_side_have_a_line_each() -> None:
    app = fake_app(host=FakeHost(config=TWO_SERVERS), target=CART)

    async def steps(pilot: Pilot[None]) -> None:
        await shows(pilot, ENDED, "127.0.0.1:8000  NO", "127.0.0.1:8001  NO")
        assert screen_text(app).count(" > 127.0.0.1:800") == 1
        await pressed(pilot, "home down down down", " > 127.0.0.1:8000  NO")

    drive(app, steps)


def test_of_many_servers_those_that_fail_are_shown_and_the_others_counted() -> None:
    servers = b"".join(b"server 127.0.0.1:%d; " % port for port in range(8000, 8006))
    host = FakeHost(config=CONFIG.replace(b"server 127.0.0.1:8000;", servers))
    app = fake_app(host=host, target=CART)

    async def steps(pilot: Pilot[None]) -> None:
        await shows(pilot, ENDED, "and 3 more servers: 3 NO")

    drive(app, steps)


def test_a_broad_terminal_gives_the_evidence_a_column() -> None:
    app = fake_app(target=CART)

    async def steps(pilot: Pilot[None]) -> None:
        await shows(pilot, ENDED)
        assert any(line.count("|") == 2 and "looked at" in line for line in screen_text(app).splitlines())

    drive(app, steps, (200, 50))
