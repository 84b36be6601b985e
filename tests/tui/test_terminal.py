"""The real entry in a pseudo-terminal, byte by byte: what Textual's own test driver cannot see."""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pyte
import pytest

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 30.0
ENTER_ALTERNATE = b"\x1b[?1049h"
LEAVE_ALTERNATE = b"\x1b[?1049l"
SHOW_CURSOR = b"\x1b[?25h"

APP = """
import sys
from tests.tui.fake import FakeHost, Story, library
from wizard.tui.start import start
from wizard.walk.outside import Outside
from wizard.walk.runner import Options
host = FakeHost(hostname=sys.argv[1]) if len(sys.argv) > 1 else FakeHost()
saved = []
status = start(host, library(), Story().checks(), None, Options(), None, doors=Outside(keep=saved.append))
print(f"saved {len({one.id for one in saved})}")
raise SystemExit(status)
"""


@dataclass(slots=True)
class Terminal:
    """A program in a pseudo-terminal of 80 columns and 24 lines, and every byte that it wrote."""

    process: subprocess.Popen[bytes]
    fd: int
    written: bytearray = field(default_factory=bytearray)

    def read(self, seconds: float) -> None:
        ready, _, _ = select.select([self.fd], [], [], seconds)
        if ready:
            try:
                self.written += os.read(self.fd, 65536)
            except OSError:  # the other end is closed
                time.sleep(min(seconds, 0.05))

    def screen(self) -> str:
        screen = pyte.Screen(80, 24)
        pyte.ByteStream(screen).feed(bytes(self.written))
        return "\n".join(screen.display)

    def shows(self, text: str) -> None:
        end = time.monotonic() + PATIENCE
        while text not in self.screen():
            assert time.monotonic() < end, f"{text!r} is not shown:\n{self.screen()}"
            self.read(0.1)

    def press(self, keys: bytes) -> None:
        os.write(self.fd, keys)

    def ends(self) -> int:
        end = time.monotonic() + PATIENCE
        while self.process.poll() is None:
            assert time.monotonic() < end, f"it does not end:\n{self.screen()}"
            self.read(0.05)
        for _ in range(5):
            self.read(0.02)
        return self.process.returncode

    def restored(self) -> bool:
        end = self.written.rfind(LEAVE_ALTERNATE)
        return end > self.written.rfind(ENTER_ALTERNATE) and SHOW_CURSOR in self.written[end - 200 :]


@contextmanager
def terminal(*words: str, **environment: str) -> Iterator[Terminal]:
    main, child = pty.openpty()
    subprocess.run(["stty", "rows", "24", "cols", "80"], stdin=child, check=True)
    given = {"PATH": os.environ["PATH"], "TERM": "xterm-256color", "LC_ALL": "C.UTF-8", "HOME": "/nonexistent"}
    process = subprocess.Popen(
        [sys.executable, "-c", APP, *words],
        stdin=child,
        stdout=child,
        stderr=child,
        cwd=ROOT,
        env=given | environment,
        start_new_session=True,
    )
    os.close(child)
    shown = Terminal(process, main)
    try:
        yield shown
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
        os.close(main)


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
        codes = {
            int(one) for found in re.findall(rb"\x1b\[([\d;]*)m", shown.written) for one in found.split(b";") if one
        }
        assert not codes & set(range(90, 108))
        assert 38 not in codes
        assert 48 not in codes


def test_no_color_is_honoured() -> None:
    with terminal(NO_COLOR="1") as shown:
        shown.shows("> shop.example /cart")
        shown.press(b"\r\r")
        shown.shows("CONFIRMED")
        shown.press(b"q")
        shown.ends()
        codes = {
            int(one) for found in re.findall(rb"\x1b\[([\d;]*)m", shown.written) for one in found.split(b";") if one
        }
        assert not codes & {*range(30, 39), *range(40, 49), *range(90, 108)}


def test_a_still_screen_writes_nothing() -> None:
    with terminal() as shown:
        shown.shows("> shop.example /cart")
        for _ in range(10):
            shown.read(0.05)
        before = len(shown.written)
        for _ in range(15):
            shown.read(0.1)
        assert len(shown.written) == before
