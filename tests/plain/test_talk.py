"""The conversation in lines, with answers from a list and with none at all."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import pytest

from tests.payloads import PAYLOADS
from tests.tui.fake import ERROR, HEALTHY, NOW, STOPPED, FakeHost, Story, library, saved_session
from tests.walk.test_resume import cut_off
from wizard.checks.registry import Finding
from wizard.host.recording import RecordingHost
from wizard.plain.talk import talk
from wizard.session.report import Report
from wizard.session.session import Session
from wizard.walk.outside import Incident, Interrupted, Outside
from wizard.walk.plan import Target
from wizard.walk.runner import Options

ROOT = Path(__file__).resolve().parents[2]
CART = Target(url="http://shop.example/cart")
ACTS = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


@dataclass(slots=True)
class Script:
    """Gives answers one after the other, then none; keeps what was said."""

    answers: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)

    def say(self, text: str = "") -> None:
        self.said.append(text)

    async def ask(self, prompt: str) -> str | None:
        self.said.append(prompt)
        return self.answers.pop(0) if self.answers else None

    @property
    def text(self) -> str:
        return "\n".join(self.said)


def told(
    answers: Iterable[str] = (),
    *,
    story: Story | None = None,
    host: FakeHost | None = None,
    target: Target | None = None,
    options: Options | None = None,
    outside: Outside | None = None,
    session: Session | None = None,
    resumed: bool = False,
) -> tuple[int, str]:
    script = Script(list(answers))
    status = talk(
        host or FakeHost(),
        library(),
        (story or Story()).checks(),
        target or Target(),
        options or Options(),
        session,
        lines=script,
        outside=outside,
        resumed=resumed,
    )
    return status, script.text


def test_a_number_chooses_what_is_walked_and_the_report_follows() -> None:
    status, text = told(["1", "quit"])
    assert status == 2
    assert "1. shop.example /cart, 127.0.0.1:8000, refused, status 502, 27 times, last 2 s ago" in text
    assert "3. NO: connect, 127.0.0.1:8000: Connecting to 127.0.0.1:8000 as www-data: refused." in text
    assert "CONFIRMED  shop.service is stopped  [service-stopped]" in text
    assert "  systemctl start shop.service" in text


def test_a_url_can_be_typed_and_a_wrong_one_is_explained() -> None:
    status, text = told(["ftp://x", "http://shop.example/cart"])
    assert status == 2
    assert "its scheme is ftp" in text
    assert "Walking http://shop.example/cart." in text


def test_q_quits_before_anything_was_walked() -> None:
    status, text = told(["q"])
    assert status == 0
    assert "Walking" not in text


def test_without_answers_everything_is_walked_and_it_ends_calmly() -> None:
    status, text = told()
    assert status == 2
    assert "Walking everything that is routed." in text
    assert "What next?" in text


def test_a_question_of_the_walk_is_answered_by_number() -> None:
    _, text = told(["x", "1", "quit"], target=CART, options=Options(flow="asking"))
    assert "Was something deployed in the last hour?" in text
    assert "  3. I don't know" in text
    assert "Please a number from 1 to 3." in text
    assert "2. ok: gateway, host" in text


def test_where_nobody_answers_a_question_it_is_dont_know_and_the_walk_goes_on() -> None:
    status, text = told(target=CART, options=Options(flow="asking"))
    assert "2. ok: gateway, host" in text
    assert status in {0, 3}


def test_check_again_shows_before_and_after() -> None:
    story = Story()

    class Repaired(Script):
        async def ask(self, prompt: str) -> str | None:
            story.findings.update(HEALTHY)
            return await Script.ask(self, prompt)

    script = Repaired(["1"])
    status = talk(FakeHost(), library(), story.checks(), CART, Options(), None, lines=script)
    assert status == 0
    assert "the visitor's request: before 502, after 200" in script.text
    assert "cause: before service-stopped, after none observed" in script.text


def test_the_report_is_saved_where_the_person_says(tmp_path: Path) -> None:
    path = tmp_path / "report.txt"
    _, text = told(["save", str(path), "quit"], target=CART)
    assert f"Saved to {path}." in text
    assert "systemctl start shop.service" in path.read_text(encoding="utf-8")
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_folder_that_is_not_there_is_said_and_the_conversation_goes_on(tmp_path: Path) -> None:
    _, text = told(["save", str(tmp_path / "no" / "report.txt"), "quit"], target=CART)
    assert "the folder is not there" in text


def test_without_a_gateway_it_says_so_and_offers_the_demo() -> None:
    status, text = told(host=FakeHost(nginx=False))
    assert status == 3
    assert "No gateway was found on this host." in text
    assert "gateway-wizard demo" in text


def test_the_numbers_are_those_of_the_screen_and_a_step_is_read_in_full() -> None:
    _, text = told(["look at", "4", "", "quit"], target=CART)
    assert "4. NO: listener, 127.0.0.1:8000: Nobody listens on 127.0.0.1:8000." in text
    assert "4. NO: nobody listens" in text
    assert "Who listens on that address?" in text
    assert "by hand: ss -Hltnp 'sport = :8000'" in text


def test_a_step_is_asked_anew() -> None:
    story = Story()
    _, text = told(["look at", "5", "ask it anew", "quit"], target=CART, story=story)
    assert story.asked.count("service") == 2
    assert story.asked.count("connect") == 1
    assert text.count("5. NO: service") == 2


def test_a_step_is_overruled_and_the_walk_goes_another_way() -> None:
    status, text = told(["look at", "3", "overrule", "connected", "quit"], target=CART)
    assert "What is true of connect?" in text
    assert status != 2


def test_going_back_takes_steps_back_and_walks_on() -> None:
    story = Story()
    told(["look at", "4", "go back", "quit"], target=CART, story=story)
    assert [story.asked.count(name) for name in ("connect", "listener", "service")] == [1, 2, 2]
    told(["take the last", "quit"], target=CART, story=story)


def test_no_step_of_that_number_is_said() -> None:
    _, text = told(["look at", "99", "quit"], target=CART)
    assert "There is no step 99." in text


def test_commands_article_script_and_what_was_asked_are_in_reach(tmp_path: Path) -> None:
    script = tmp_path / "repair.sh"
    _, text = told(["print", "read", "write the", str(script), "list", "quit"], target=CART)
    assert "\nsystemctl start shop.service\n" in text
    assert "undo: systemctl stop shop.service" in text
    assert "Do not: chmod 777 /run." in text
    assert "systemctl start shop.service" in script.read_text(encoding="utf-8").splitlines()
    assert "asked who runs this, and on what" in text


def test_a_cause_can_be_marked_as_wrong() -> None:
    _, text = told(["say that", "quit"], target=CART)
    assert "service-stopped is marked as wrong; the report says so." in text


def test_the_report_is_saved_in_the_format_of_its_ending_and_replaces_nothing(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    _, text = told(["save", str(path), "save", str(path), "quit"], target=CART)
    assert msgspec.json.decode(path.read_bytes(), type=Report).verdict == "cause-found"
    assert "there is a file of that name already" in text


def test_something_else_can_be_walked() -> None:
    _, text = told(["1", "walk something", "http://shop.example/cart?b", "quit"])
    assert "Walking http://shop.example/cart?b." in text


def test_a_symptom_chooses_the_tree() -> None:
    story = Story()
    _, text = told(["4", "quit"], story=story)
    assert "4. what happens to a visitor's request on this route?" in text
    assert "gateway" not in story.asked


def test_pasted_lines_are_explained_and_walked() -> None:
    line = ERROR.format(second=3, number=3).strip()
    _, text = told(["5", line, "no line of a log", "", "walk http", "quit"])
    assert "Line 1, nginx: The connection was refused" in text
    assert "1 lines were not recognised." in text
    assert "Walking http://shop.example/cart." in text


def test_an_incident_is_opened() -> None:
    session = saved_session()
    outside = Outside(incidents={"one": Incident("/i/one", "One fault")}, load=lambda _: session)
    status, text = told(["6", "one", "quit"], outside=outside)
    assert "6. open a recorded real incident" in text
    assert "1. One fault" in text
    assert "Walking http://shop.example/cart." in text
    assert status in {2, 3}


def test_an_interrupted_session_goes_on(tmp_path: Path) -> None:
    saved = cut_off("connect", tmp_path / "s.jsonl")
    story = Story()
    recording = RecordingHost(FakeHost(), earlier=saved.asked)
    script = Script(["quit"])
    kept: list[Session] = []
    status = talk(
        recording,
        library(),
        story.checks(),
        Target(),
        Options(),
        saved,
        lines=script,
        resumed=True,
        outside=Outside(keep=kept.append),
    )
    assert status == 2
    assert story.asked == ["connect", "listener", "service"]
    assert "done: ok: gateway" in script.text
    assert {one.id for one in kept} == {saved.id}


def test_an_interrupted_session_is_offered(tmp_path: Path) -> None:
    saved = cut_off("connect", tmp_path / "s.jsonl")
    outside = Outside(interrupted=lambda: Interrupted("/kept", saved.target, NOW), load=lambda _: saved, live=FakeHost)
    status, text = told(["3", "quit"], outside=outside)
    assert "3. go on with the interrupted walk of http://shop.example/cart" in text
    assert status == 2


def test_every_walk_is_kept() -> None:
    kept: list[Session] = []
    told(["1", "walk something", "1", "quit"], outside=Outside(keep=kept.append))
    assert len({one.id for one in kept}) == 2


@pytest.mark.parametrize("name", sorted(PAYLOADS))
def test_foreign_text_is_said_as_text(
    name: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    payload = PAYLOADS[name][:3000].decode("utf-8", "surrogateescape")
    findings = {check: Finding(one.outcome, payload, {**one.values, "unit": payload}) for check, one in STOPPED.items()}
    monkeypatch.setattr(sys, "stdin", None)
    status = talk(FakeHost(hostname=payload), library(), Story(findings).checks(), CART, Options(), None)
    assert status == 2
    assert not ACTS.search(capsys.readouterr().out)


@pytest.mark.parametrize("closed", [False, True], ids=["empty", "closed"])
def test_the_command_ends_by_itself_without_an_input(closed: bool) -> None:
    program = (
        "from tests.tui.fake import *\n"
        "from wizard.plain.talk import talk\n"
        "raise SystemExit(talk(FakeHost(), library(), Story().checks(), Target(), Options(), None))"
    )
    redirected = "<&-" if closed else "</dev/null"
    ran = subprocess.run(
        ["sh", "-c", f'exec "$0" -c "$1" {redirected}', sys.executable, program],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "LC_ALL": "C", "PYTHONUTF8": "0"},
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert ran.returncode == 2, ran.stderr.decode()
    assert ran.stderr == b""
    assert b"CONFIRMED" in ran.stdout
    assert b"\x1b" not in ran.stdout


def test_what_happened_before_and_the_log_lines_can_be_read() -> None:
    _, text = told(["what happened", "the log", "quit"], target=CART)
    assert "first error: first of 27 'connect refused' from 127.0.0.1:8000 (error log)" in text
    assert "decisive: 14:07:03 nginx: 2026/11/23 14:07:03 [error] 813#813: *3 connect() failed" in text
    assert not any(ACTS.search(line) for line in text.split("\n"))
