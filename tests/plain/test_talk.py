"""The conversation in lines, with answers from a list and with none at all."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.payloads import PAYLOADS
from tests.tui.fake import HEALTHY, STOPPED, FakeHost, Story, library
from wizard.checks.registry import Finding
from wizard.plain.talk import talk
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
) -> tuple[int, str]:
    script = Script(list(answers))
    checks = (story or Story()).checks()
    status = talk(host or FakeHost(), library(), checks, target or Target(), options or Options(), None, lines=script)
    return status, script.text


def test_a_number_chooses_what_is_walked_and_the_report_follows() -> None:
    status, text = told(["1", "4"])
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
    _, text = told(["x", "1", "4"], target=CART, options=Options(flow="asking"))
    assert "Was something deployed in the last hour?" in text
    assert "  3. I don't know" in text
    assert "Please a number from 1 to 3." in text
    assert "1. ok: gateway, host" in text


def test_where_nobody_answers_a_question_it_is_dont_know_and_the_walk_goes_on() -> None:
    status, text = told(target=CART, options=Options(flow="asking"))
    assert "1. ok: gateway, host" in text
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
    _, text = told(["2", str(path), "4"], target=CART)
    assert f"Saved to {path}." in text
    assert "systemctl start shop.service" in path.read_text(encoding="utf-8")
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_folder_that_is_not_there_is_said_and_the_conversation_goes_on(tmp_path: Path) -> None:
    _, text = told(["2", str(tmp_path / "no" / "report.txt"), "4"], target=CART)
    assert "the folder is not there" in text


def test_without_a_gateway_it_says_so_and_offers_the_demo() -> None:
    status, text = told(host=FakeHost(nginx=False))
    assert status == 3
    assert "No gateway was found on this host." in text
    assert "gateway-wizard demo" in text


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
