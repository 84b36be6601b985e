"""Every key of the After screen: check again, watch, shell, report; and what a recording says to them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import msgspec
import pytest
from textual.pilot import Pilot

from tests.tui.fake import HEALTHY, FakeHost, Folder, Story, answered, fake_app, sits
from tests.tui.looking import drive, pressed, screen_text, shows, until
from wizard.session.events import Watched
from wizard.session.report import Report
from wizard.session.save import SaveError
from wizard.session.session import Session
from wizard.tui.after_screen import AfterScreen
from wizard.tui.app import WizardApp
from wizard.tui.diagnosis_screen import DiagnosisScreen
from wizard.walk import watching
from wizard.walk.outside import Incident
from wizard.walk.plan import Target

CART = Target(url="http://shop.example/cart")


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "PACE", 0.02)


async def diagnosed(pilot: Pilot[None]) -> None:
    await shows(pilot, "The walk has ended")
    await pressed(pilot, "enter", "systemctl start shop.service", ">Fix 1")


def handed_over(app: WizardApp, monkeypatch: pytest.MonkeyPatch) -> None:
    """A driver without a terminal cannot hand it over; the rest of the way is the same."""

    @contextmanager
    def suspend() -> Iterator[None]:
        yield

    monkeypatch.setattr(app, "suspend", suspend)


def test_check_again_walks_the_whole_path_and_shows_both() -> None:
    story = Story()
    app = fake_app(story, target=CART)

    async def steps(pilot: Pilot[None]) -> None:
        await diagnosed(pilot)
        story.findings.update(HEALTHY)
        await pressed(pilot, "v", "before", "after", "The request succeeds now, and service-stopped is no longer")
        assert story.asked.count("request") == 2
        assert story.asked.count("gateway-at-boot") == 1
        session = app.driver.session
        assert session is not None
        assert session.attempt == 2
        await pressed(pilot, "v", "The request succeeds.")
        await pressed(pilot, "escape", "No fault was observed")
        assert isinstance(app.screen, DiagnosisScreen)

    drive(app, steps)


def test_what_would_make_it_last_is_shown() -> None:
    story = Story()
    app = fake_app(story, target=CART)

    async def steps(pilot: Pilot[None]) -> None:
        await diagnosed(pilot)
        await pressed(pilot, "v", "The request still fails, for the same cause")
        assert "Survives" not in screen_text(app)
        story.findings.update(HEALTHY)
        await pressed(pilot, "v", "The request succeeds now", "Survives", "no   nginx.service is not")
        await shows(pilot, "systemctl enable nginx.service")

    drive(app, steps)


def test_a_watch_counts_and_ends_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wizard.walk.sitting.SECONDS", 0.3)
    monkeypatch.setattr("wizard.walk.sitting.Sitting.watch.__defaults__", (0.3,))
    app = fake_app(host=FakeHost(replies=lambda question: answered(502 if question.turn == 2 else 200)), target=CART)

    async def steps(pilot: Pilot[None]) -> None:
        await diagnosed(pilot)
        await pressed(pilot, "w", "1 x 502", "no failure of another request", "in the gateway's log.")
        session = app.driver.session
        assert session is not None
        (seen,) = [event for event in session.events if isinstance(event, Watched)]
        assert (seen.bad, seen.ended) == (1, "complete")
        assert f"{seen.good} of {seen.good + 1} good" in screen_text(app)
        report = msgspec.json.decode(
            next(c for p, c in app.driver.report_files().items() if p.endswith(".json")), type=Report
        )
        assert (report.watched[0].good, report.watched[0].bad) == (seen.good, 1)

    drive(app, steps)


def test_escape_stops_a_watch_and_keeps_what_it_saw() -> None:
    app = fake_app(target=CART)

    async def steps(pilot: Pilot[None]) -> None:
        await diagnosed(pilot)
        await pressed(pilot, "w", "watching; Esc stops", "of 60 s:", "none bad")
        await pressed(pilot, "v", "Something is still being asked.")
        await pressed(pilot, "escape", "stopped early.")
        assert isinstance(app.screen, AfterScreen)
        session = app.driver.session
        assert session is not None
        assert isinstance(session.events[-1], Watched)
        await pressed(pilot, "escape", ">Fix 1")

    drive(app, steps)


def test_ctrl_c_stops_a_watch_and_not_the_wizard() -> None:
    app = fake_app(target=CART)

    async def steps(pilot: Pilot[None]) -> None:
        await diagnosed(pilot)
        await pressed(pilot, "w", "watching; Esc stops", "none bad")
        await pressed(pilot, "ctrl+c", "stopped early.")
        assert app.is_running

    drive(app, steps)


def test_a_shell_is_followed_by_a_check(monkeypatch: pytest.MonkeyPatch) -> None:
    story = Story()

    def repaired() -> int:
        story.findings.update(HEALTHY)
        return 0

    app = fake_app(story, target=CART, shell=repaired)
    handed_over(app, monkeypatch)

    async def steps(pilot: Pilot[None]) -> None:
        await diagnosed(pilot)
        await pressed(pilot, "!", "The request succeeds now", "before", "after")

    drive(app, steps)


def test_a_shell_that_does_not_start_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> int:
        raise FileNotFoundError(2, "No such file or directory")

    story = Story()
    app = fake_app(story, target=CART, shell=missing)
    handed_over(app, monkeypatch)

    async def steps(pilot: Pilot[None]) -> None:
        await diagnosed(pilot)
        await pressed(pilot, "$", "No shell was opened: No such file or directory.")
        assert story.asked.count("request") == 1

    drive(app, steps)


def test_a_terminal_that_cannot_be_handed_over_says_so() -> None:
    app = fake_app(target=CART, shell=lambda: 0)

    async def steps(pilot: Pilot[None]) -> None:
        await diagnosed(pilot)
        await pressed(pilot, "!", "No shell was opened: this terminal cannot be handed over.")

    drive(app, steps)


def test_the_report_is_saved_in_both_forms_and_says_where() -> None:
    folder = Folder()
    app = fake_app(target=CART, write=folder)

    async def steps(pilot: Pilot[None]) -> None:
        await diagnosed(pilot)
        await pressed(pilot, "e", "Saved, readable by you only: /reports/")
        markdown, data = folder.files.values()
        assert [path.rpartition(".")[2] for path in folder.files] == ["md", "json"]
        assert b"shop.service is stopped" in markdown
        assert msgspec.json.decode(data, type=Report).verdict == "cause-found"

    drive(app, steps)


@pytest.mark.parametrize(("keys", "files"), [("1", 2), ("2", 4), ("escape", 2)])
def test_a_report_that_is_there_is_replaced_only_where_a_person_says_so(keys: str, files: int) -> None:
    folder = Folder()
    app = fake_app(target=CART, write=folder)

    async def steps(pilot: Pilot[None]) -> None:
        await diagnosed(pilot)
        await pressed(pilot, "e", "Saved")
        before = dict.fromkeys(folder.files, b"somebody's own")
        folder.files.update(before)
        await pressed(pilot, "e", "There is a file already", "Replace it")
        if keys == "2":
            await pressed(pilot, keys, "Save the report as")
            await pilot.press("ctrl+u", *"/reports/second", "enter")
            await shows(pilot, "Saved, readable by you only: /reports/second.md")
        else:
            await pressed(pilot, keys, "Saved" if keys == "1" else "Nothing was saved.")
        assert len(folder.files) == files
        kept = [content == b"somebody's own" for path, content in folder.files.items() if path in before]
        assert all(kept) if keys != "1" else not any(kept)

    drive(app, steps)


def test_a_folder_that_cannot_be_written_leads_to_another_name() -> None:
    folder = Folder(refusal=SaveError("/reports/x.md", "the file system is mounted read-only", "choose another folder"))
    app = fake_app(target=CART, write=folder)

    async def steps(pilot: Pilot[None]) -> None:
        await diagnosed(pilot)
        await pressed(pilot, "e", "Save the report as")
        folder.refusal = None
        await pilot.press("ctrl+u", *"/run/r", "enter")
        await shows(pilot, "Saved, readable by you only: /run/r.md")

    drive(app, steps)


def replayed_app(shell: Callable[[], int] | None = None) -> WizardApp:
    session = Session("s", 1.0, "0.1.0", "http://shop.example/cart")
    make = sits(FakeHost(), Story(), replayed=session)
    incidents = {"one": Incident("/one", "An incident.")}
    return fake_app(open_session=lambda _: make, incidents=incidents, shell=shell)


@pytest.mark.parametrize(("key", "said"), [("v", "to ask again"), ("w", "to watch"), ("!", "to open a shell on")])
def test_a_recording_has_no_live_host(key: str, said: str) -> None:
    opened: list[int] = []

    def shell() -> int:
        opened.append(1)
        return 0

    app = replayed_app(shell)

    async def steps(pilot: Pilot[None]) -> None:
        await shows(pilot, "Failing now")
        app.open("one", incident=True)
        await diagnosed(pilot)
        await pressed(pilot, key, f"This is a recording: there is no live host behind it {said}.")
        assert isinstance(app.screen, DiagnosisScreen)
        assert not opened

    drive(app, steps)


def test_a_check_that_is_stopped_shows_nothing_as_repaired() -> None:
    story = Story()
    app = fake_app(story, target=CART)

    async def steps(pilot: Pilot[None]) -> None:
        await diagnosed(pilot)
        story.held["request"] = asyncio.Event()
        await pressed(pilot, "v", "Walking the path again")
        await until(pilot, lambda: story.asked.count("request") == 2)
        await pressed(pilot, "ctrl+c", "so this attempt shows nothing.")

    drive(app, steps)
