"""The admin's own shell in place, byte by byte: it has the terminal alone, and the terminal is whole after it."""

from __future__ import annotations

import os
import re
import signal
import termios
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.tui.pseudo import ENTER_ALTERNATE, LEAVE_ALTERNATE, Terminal, terminal
from wizard.commands.own_shell import STANDARD, program

APP = """
import os
from wizard.tui.start import prepare
prepare(os.environ)
from tests.tui.fake import FakeHost, Story, library
from wizard.commands.own_shell import shell_in_place
from wizard.tui.start import start
from wizard.walk.outside import Outside
from wizard.walk.runner import Options
saved = []
doors = Outside(keep=saved.append, shell=shell_in_place)
status = start(FakeHost(), library(), Story().checks(), None, Options(), None, doors=doors)
print(f"saved {len(saved) > 0}", flush=True)
raise SystemExit(status)
"""


@contextmanager
def wizard(shell: str = "/bin/sh") -> Iterator[tuple[Terminal, Callable[[], list[object]]]]:
    """The program in a terminal, and a look at that terminal's settings."""
    with terminal(program=APP, SHELL=shell, PS1="ready> ") as shown:
        yield shown, lambda: termios.tcgetattr(shown.fd)


def opened(shown: Terminal) -> int:
    """Walks to the diagnosis and opens the shell; gives the shell's pid."""
    shown.shows("> shop.example /cart")
    shown.press(b"\r\r")
    shown.shows(">Fix 1")
    shown.press(b"!")
    shown.shows("This is your own shell")
    shown.press(b"echo pid-$$-\n")
    end = time.monotonic() + 30
    while (found := re.search(rb"pid-(\d+)-", shown.written)) is None:
        assert time.monotonic() < end, shown.screen()
        shown.read(0.1)
    return int(found[1])


def leaves(shown: Terminal, settings: Callable[[], list[object]], before: list[object]) -> None:
    shown.shows("The request still fails")
    assert shown.written.rfind(ENTER_ALTERNATE) > shown.written.rfind(LEAVE_ALTERNATE)
    shown.press(b"q")
    assert shown.ends() == 2
    assert shown.restored()
    assert settings() == before


def gone(pid: int) -> bool:
    with suppress(ProcessLookupError):
        os.kill(pid, 0)
        return False
    return True


def test_the_shell_gets_every_key_and_leaving_it_checks_again() -> None:
    with wizard() as (shown, settings):
        before = settings()
        pid = opened(shown)
        assert settings() == before  # the terminal as it was before the wizard
        shown.press(b"echo abcdefghijklmnopqrstuvwxyz-$((1+1))\n")
        shown.shows("abcdefghijklmnopqrstuvwxyz-2")
        shown.press(b"exit\n")
        leaves(shown, settings, before)
        assert gone(pid)
        assert b"saved True" in shown.written


def test_ctrl_c_reaches_what_runs_in_the_shell_and_not_the_wizard() -> None:
    with wizard() as (shown, settings):
        before = settings()
        opened(shown)
        shown.press(b"echo go-$((1+1)); sleep 60; echo over\n")
        shown.shows("go-2")
        for _ in range(3):  # one that comes before the shell has put sleep into the foreground is lost
            time.sleep(0.3)
            shown.press(b"\x03")
        time.sleep(0.5)  # what is typed before the shell has heard of it is flushed with it (termios(3), NOFLSH)
        shown.press(b"echo still-$((40+2))\n")
        shown.shows("still-42")
        shown.press(b"exit\n")
        leaves(shown, settings, before)


@pytest.mark.parametrize(
    "ending", [b"kill -9 $$\n", b"stty raw -echo; kill -9 $$\n", b"printf '\\033[?1000h\\033[5;9r'; kill -9 $$\n"]
)
def test_a_shell_that_is_killed_leaves_a_whole_terminal(ending: bytes) -> None:
    with wizard() as (shown, settings):
        before = settings()
        opened(shown)
        shown.press(ending)
        leaves(shown, settings, before)
        assert shown.written.rfind(b"\x1b[?1000;1002;1003;1006l") > shown.written.rfind(b"\x1b[?1000h")


def test_a_shell_that_stops_itself_goes_on() -> None:
    with wizard() as (shown, settings):
        before = settings()
        opened(shown)
        shown.press(b"kill -STOP $$\n")
        shown.press(b"echo awake-$((40+2))\n")
        shown.shows("awake-42")
        shown.press(b"exit\n")
        leaves(shown, settings, before)


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_wizard_that_is_told_to_end_takes_its_shell_along(number: signal.Signals, status: int) -> None:
    with wizard() as (shown, settings):
        before = settings()
        pid = opened(shown)
        shown.process.send_signal(number)
        assert shown.ends() == status
        assert shown.restored()
        assert settings() == before
        assert gone(pid)
        assert b"saved True" in shown.written


def test_a_shell_that_ignores_being_told_is_ended_all_the_same() -> None:
    with wizard() as (shown, settings):
        before = settings()
        pid = opened(shown)
        shown.press(b"trap '' HUP TERM; echo deaf-$((40+2))\n")
        shown.shows("deaf-42")
        shown.process.send_signal(signal.SIGTERM)
        assert shown.ends() == 143
        assert gone(pid)
        assert settings() == before


@pytest.mark.parametrize("shell", ["/usr/sbin/nologin", "/nonexistent/zsh", "sh", "", "/etc/passwd"])
def test_what_is_no_shell_is_replaced_by_the_standard_one(shell: str) -> None:
    assert program({"SHELL": shell}) == STANDARD


def test_the_persons_own_shell_is_taken(tmp_path: Path) -> None:
    own = tmp_path / "fish"
    own.write_text("#!/bin/sh\n")
    own.chmod(0o755)
    assert program({"SHELL": str(own)}) == str(own)
    assert program({}) == STANDARD
