"""The real entry in a pseudo-terminal, byte by byte: what Textual's own test driver cannot see."""

from __future__ import annotations

import fcntl
import os
import random
import re
import signal
import struct
import termios
import time
from pathlib import Path

import pytest

from tests.tui.pseudo import APP, ENTER_ALTERNATE, LEAVE_ALTERNATE, terminal
from wizard.session.file import load

COLOURS = {*range(30, 38), *range(40, 48)}
BRIGHT = set(range(90, 108))

# The same entry, with probes that hang, a defect on a key, and sessions kept in a file.
HELD = """
import asyncio, os, sys
from tests.tui.fake import FakeHost, Story, library
from wizard.host.recording import RecordingHost
from wizard.session.file import write
from wizard.tui.start import start
from wizard.tui.walk_screen import WalkScreen
from wizard.walk.outside import Outside
from wizard.walk.runner import Options
class Held:
    async def wait(self):
        await asyncio.sleep(3600)
story = Story()
if "hold" in sys.argv:
    story.held["connect"] = Held()
if "break" in sys.argv:
    def broken(screen):
        secret = "a local value"
        raise RuntimeError("a defect")
    WalkScreen.action_copy = broken
doors = Outside(keep=lambda session: write(os.environ["KEPT"], session))
host = RecordingHost(FakeHost())
raise SystemExit(start(host, library(), story.checks(), None, Options(timeout=60), None, doors=doors))
"""


def codes(written: bytes) -> set[int]:
    """Every number that selects how characters look (ECMA-48, SGR)."""
    return {int(one) for found in re.findall(rb"\x1b\[([\d;]*)m", written) for one in found.split(b";") if one}


def test_it_starts_in_the_alternate_screen_and_gives_the_terminal_back() -> None:
    with terminal() as shown:
        shown.shows("> shop.example /cart")
        assert ENTER_ALTERNATE in shown.written
        assert b"?1003h" not in shown.written  # the mouse stays the terminal's
        shown.press(b"q")
        assert shown.ends() == 0
        assert shown.restored()


def test_two_enters_lead_to_the_diagnosis_and_its_status() -> None:
    with terminal() as shown:
        shown.shows("> shop.example /cart")
        shown.press(b"\r\r")
        shown.shows("systemctl start shop.service")
        shown.shows("CONFIRMED")
        shown.press(b"c")
        shown.shows("Sent to the terminal's clipboard")
        shown.press(b"q")
        assert shown.ends() == 2
        after = bytes(shown.written[shown.written.rfind(LEAVE_ALTERNATE) :])
        assert b"systemctl start shop.service" in after  # what a clipboard may have lost
        assert b"saved 1" in after


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_signal_ends_it_and_gives_the_terminal_back(number: signal.Signals, status: int) -> None:
    with terminal() as shown:
        shown.shows("> shop.example /cart")
        shown.press(b"\r")
        shown.shows("The walk has ended")
        shown.process.send_signal(number)
        assert shown.ends() == status
        assert shown.restored()
        assert b"saved 1" in shown.written


def test_ctrl_c_quits_where_nothing_runs() -> None:
    with terminal() as shown:
        shown.shows("> shop.example /cart")
        shown.press(b"\x03")
        assert shown.ends() == 130
        assert shown.restored()


def test_an_escape_sequence_never_reaches_the_terminal() -> None:
    with terminal("\x1b]0;PWNED\x07\x9b31m") as shown:
        shown.shows("PWNED")
        shown.press(b"q")
        shown.ends()
        assert b"\x1b]0;PWNED" not in shown.written
        assert "\x9b".encode() not in shown.written
        assert b"\\x1b]0;PWNED" in shown.written


def test_the_linux_console_gets_ascii_and_its_eight_colours() -> None:
    with terminal(TERM="linux") as shown:
        shown.shows("> shop.example /cart")
        shown.press(b"\r\r")
        shown.shows("CONFIRMED")
        shown.press(b"q")
        shown.ends()
        assert bytes(shown.written).isascii()
        seen = codes(bytes(shown.written))
        assert not seen & BRIGHT
        assert 38 not in seen
        assert 48 not in seen


def test_no_color_is_honoured() -> None:
    with terminal(NO_COLOR="1") as shown:
        shown.shows("> shop.example /cart")
        shown.press(b"\r\r")
        shown.shows("CONFIRMED")
        shown.press(b"q")
        shown.ends()
        assert not codes(bytes(shown.written)) & {*COLOURS, 38, 48, *BRIGHT}


def test_a_still_screen_writes_nothing() -> None:
    with terminal() as shown:
        shown.shows("> shop.example /cart")
        for _ in range(10):
            shown.read(0.05)
        before = len(shown.written)
        for _ in range(15):
            shown.read(0.1)
        assert len(shown.written) == before


def test_an_empty_no_color_counts_as_none() -> None:
    with terminal(NO_COLOR="") as shown:
        shown.shows("> shop.example /cart")
        shown.press(b"\r")
        shown.shows("The walk has ended")
        shown.press(b"q")
        shown.ends()
        assert codes(bytes(shown.written)) & COLOURS


@pytest.mark.parametrize("locale", [{"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}, {"TERM": "vt220"}])
def test_a_terminal_without_utf8_gets_ascii(locale: dict[str, str]) -> None:
    with terminal(environment=locale) as shown:
        shown.shows("> shop.example /cart")
        shown.press(b"\r\r")
        shown.shows("CONFIRMED")
        shown.press(b"q")
        shown.ends()
        assert bytes(shown.written).isascii()
        assert b"\\u25" not in shown.written


def test_inside_screen_no_keyboard_protocol_is_asked_for() -> None:
    with terminal(TERM="screen") as shown:
        shown.shows("> shop.example /cart")
        shown.press(b"\r")
        shown.shows("The walk has ended")
        shown.press(b"q")
        assert shown.ends() == 2
        assert not re.search(rb"\x1b\[>\d*u", shown.written)


def test_a_key_costs_few_bytes_on_a_slow_line() -> None:
    with terminal() as shown:
        shown.shows("> shop.example /cart")
        shown.press(b"\r")
        shown.shows("The walk has ended")
        shown.settles()
        for key in (b"\x1b[A", b"\x1b[A", b"\x1b[B"):
            before = len(shown.written)
            shown.press(key)
            shown.settles()
            assert 0 < len(shown.written) - before < 6000


def test_a_hangup_in_the_middle_of_a_probe_keeps_the_session(tmp_path: Path) -> None:
    kept = tmp_path / "kept.jsonl"
    with terminal("hold", program=HELD, KEPT=str(kept)) as shown:
        shown.shows("> shop.example /cart")
        shown.press(b"\r")
        shown.shows("... connect")
        shown.hang_up()
        assert shown.process.wait(30) == 129
    session = load(kept)
    assert session.warnings == ()
    assert [one.check for one in session.steps()] == ["gateway", "request"]
    assert kept.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_in_the_middle_of_a_probe_keeps_the_session(number: signal.Signals, tmp_path: Path) -> None:
    kept = tmp_path / "kept.jsonl"
    with terminal("hold", program=HELD, KEPT=str(kept)) as shown:
        shown.shows("> shop.example /cart")
        shown.press(b"\r")
        shown.shows("... connect")
        shown.process.send_signal(number)
        assert shown.ends() == 128 + number
        assert shown.restored()
    assert len(load(kept).steps()) == 2


def test_what_was_walked_is_kept_though_the_end_comes_without_warning(tmp_path: Path) -> None:
    kept = tmp_path / "kept.jsonl"
    with terminal(program=HELD, KEPT=str(kept)) as shown:
        shown.shows("> shop.example /cart")
        shown.press(b"\r")
        shown.shows("The walk has ended")
        end = time.monotonic() + 20
        while not kept.exists():
            assert time.monotonic() < end
            shown.read(0.1)
        shown.process.kill()
    assert len(load(kept).steps()) == 5


def test_a_defect_is_a_sentence_and_keeps_the_session(tmp_path: Path) -> None:
    kept = tmp_path / "kept.jsonl"
    with terminal("break", program=HELD, KEPT=str(kept)) as shown:
        shown.shows("> shop.example /cart")
        shown.press(b"\r")
        shown.shows("The walk has ended")
        shown.press(b"c")
        assert shown.ends() == 70
        assert shown.restored()
        after = bytes(shown.written[shown.written.rfind(LEAVE_ALTERNATE) :])
        assert b"the wizard itself failed: RuntimeError('a defect')" in after
        assert b"a local value" not in shown.written
    assert len(load(kept).steps()) == 5


def test_ctrl_c_ends_a_probe_and_then_the_wizard(tmp_path: Path) -> None:
    with terminal("hold", program=HELD, KEPT=str(tmp_path / "kept.jsonl")) as shown:
        shown.shows("> shop.example /cart")
        shown.press(b"\r")
        shown.shows("... connect")
        shown.press(b"\x03")
        shown.shows("Stopped. Space runs on")
        shown.press(b"\x03")
        assert shown.ends() == 130
        assert shown.restored()


def test_ctrl_z_gives_the_shell_back_and_fg_comes_back() -> None:
    with terminal(shell=True, PS1="prompt> ") as shown:
        shown.shows("prompt>")
        shown.press(b'"$PYTHON" -c "$APP"\n')
        shown.shows("> shop.example /cart")
        shown.press(b"\x1a")
        shown.shows("Stopped")
        assert shown.restored()
        left = len(shown.written)
        shown.press(b"fg\n")
        shown.shows("> shop.example /cart", since=left)
        assert shown.written.rfind(ENTER_ALTERNATE) > shown.written.rfind(LEAVE_ALTERNATE)
        shown.press(b"q")
        shown.shows("saved 0")
        shown.press(b"exit\n")
        assert shown.ends() == 0


def test_it_can_be_resized_at_any_moment() -> None:
    sizes = random.Random(7)
    with terminal() as shown:
        shown.shows("> shop.example /cart")
        for key in (b"\r", b"\r", b"a", b"\x1b", b":", b"\x1b", b"?", b"\x1b", b"\x1b", b"n", b"f", b"\x1b", b"\x1b"):
            for _ in range(3):
                lines, columns = sizes.randint(1, 60), sizes.randint(1, 210)
                fcntl.ioctl(shown.fd, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
                os.kill(shown.process.pid, signal.SIGWINCH)
                shown.read(0.03)
            shown.press(key)
            shown.read(0.2)
        assert shown.process.poll() is None
        fcntl.ioctl(shown.fd, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        os.kill(shown.process.pid, signal.SIGWINCH)
        shown.press(b"\x11")
        assert shown.ends() in {0, 2}
        assert shown.restored()


def test_the_entry_of_these_tests_is_the_real_one() -> None:
    assert "from wizard.tui.start import start" in APP


def test_a_key_in_another_encoding_does_not_end_the_input() -> None:
    with terminal() as shown:
        shown.shows("> shop.example /cart")
        shown.press(b"u\xe9\xed\xa0\x80")
        shown.settles()
        shown.press(b"\x1b")
        shown.settles()
        shown.press(b"\r")
        shown.shows("The walk has ended")
        shown.press(b"q")
        assert shown.ends() == 2
