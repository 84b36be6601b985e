"""A program in a pseudo-terminal, and every byte that it wrote."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

import pyte

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 30.0
ENTER_ALTERNATE = b"\x1b[?1049h"
LEAVE_ALTERNATE = b"\x1b[?1049l"
SHOW_CURSOR = b"\x1b[?25h"

APP = """
import os, sys
from wizard.tui.start import prepare
prepare(os.environ)
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

    def screen(self, since: int = 0) -> str:
        """What a terminal shows of the bytes from an offset on."""
        screen = pyte.Screen(80, 24)
        pyte.ByteStream(screen).feed(bytes(self.written[since:]))
        return "\n".join(screen.display)

    def shows(self, text: str, *, since: int = 0) -> None:
        """Wait until a text is shown."""
        end = time.monotonic() + PATIENCE
        while text not in self.screen(since):
            assert time.monotonic() < end, f"{text!r} is not shown:\n{self.screen(since)}"
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

    def settles(self) -> None:
        """Read until nothing has come for a while."""
        before = -1
        while before != len(self.written):
            before = len(self.written)
            for _ in range(6):
                self.read(0.08)

    def hang_up(self) -> None:
        """What a lost connection does: the terminal is gone."""
        os.close(self.fd)
        self.fd = -1

    def restored(self) -> bool:
        end = self.written.rfind(LEAVE_ALTERNATE)
        return end > self.written.rfind(ENTER_ALTERNATE) and SHOW_CURSOR in self.written[end - 200 :]


@contextmanager
def terminal(
    *words: str,
    program: str = APP,
    shell: bool = False,
    environment: Mapping[str, str] = MappingProxyType({}),
    **more: str,
) -> Iterator[Terminal]:
    """The program, or a shell with job control from which APP can be started."""
    main, child = pty.openpty()
    subprocess.run(["stty", "rows", "24", "cols", "80"], stdin=child, check=True)
    given = {"PATH": os.environ["PATH"], "TERM": "xterm-256color", "LC_ALL": "C.UTF-8", "HOME": "/nonexistent"}
    argv = ["bash", "--norc", "-i"] if shell else [sys.executable, "-c", program, *words]
    given |= {"PYTHON": sys.executable, "APP": program} if shell else {}
    process = subprocess.Popen(
        ["setsid", "--ctty", *argv],  # a session of its own, of which this is the controlling terminal
        stdin=child,
        stdout=child,
        stderr=child,
        cwd=ROOT,
        env={**given, **environment, **more},
    )
    os.close(child)
    shown = Terminal(process, main)
    try:
        yield shown
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
        if shown.fd >= 0:
            os.close(main)
