"""Runs programs in turn on a terminal of 120 columns and 40 lines, and measures what a person waits for.

    pty_stopwatch.py '{"commands": [{"argv": ["top"], "mark": "Tasks"}], "rounds": 3}'

Stands alone, so that it can run inside a guest with Debian's own Python. Of each run it measures the seconds from the
start of the process until `mark` was drawn, those on the processors, and the peak of its memory in KiB. Where `keys` names an "opens", a
"shown", a "closes" and a "hidden", one key is pressed again and again (opens, until shown is drawn; closes, until
hidden is drawn) for `seconds` from the mark on: `echoes` are the seconds of each. The first round warms the caches and
is not counted. Prints one JSON object: a list of rounds with one measurement a command.
"""

from __future__ import annotations

import fcntl
import json
import os
import pty
import select
import signal
import struct
import sys
import termios
import time
from typing import Any

SIZE = struct.pack("HHHH", 40, 120, 0, 0)
PATIENCE = 60.0
AT_REST = 0.02  # seconds between two keys


class Terminal:
    """A program on a terminal, and what it wrote since the last mark."""

    def __init__(self, argv: list[str]) -> None:
        self._fd, child = pty.openpty()
        fcntl.ioctl(child, termios.TIOCSWINSZ, SIZE)
        self.began = time.perf_counter()
        self.pid = os.fork()
        if self.pid == 0:
            os.setsid()
            fcntl.ioctl(child, termios.TIOCSCTTY, 0)
            for fd in range(3):
                os.dup2(child, fd)
            os.execvpe(argv[0], argv, {**os.environ, "TERM": "xterm-256color", "HOME": "/tmp"})
        os.close(child)
        self._written = b""

    def until(self, mark: str, patience: float = PATIENCE) -> float:
        """Seconds of the clock when a text was drawn; what came before it is forgotten. TimeoutError where it never is."""
        wanted = mark.encode()
        end = time.perf_counter() + patience
        while wanted not in self._written:
            left = end - time.perf_counter()
            if left <= 0 or not select.select([self._fd], [], [], left)[0]:
                raise TimeoutError(f"{mark!r} was not drawn, but {self._written[-300:]!r}")
            try:
                self._written += os.read(self._fd, 1 << 16)
            except OSError as error:
                raise TimeoutError(f"it ended before {mark!r} was drawn: {self._written[-600:]!r}") from error
        self._written = self._written[self._written.index(wanted) + len(wanted) :]
        return time.perf_counter()

    def cpu(self) -> float:
        """Seconds that it has spent on the processors."""
        with open(f"/proc/{self.pid}/stat") as stat:  # noqa: PTH123 - one line
            fields = stat.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def press(self, keys: str) -> float:
        """Press keys; what was drawn before is forgotten. Gives the time."""
        while select.select([self._fd], [], [], 0)[0]:
            os.read(self._fd, 1 << 16)
        self._written = b""
        os.write(self._fd, keys.encode())
        return time.perf_counter()

    def end(self) -> float:
        """End it; the peak of its memory in KiB."""
        os.kill(self.pid, signal.SIGTERM)
        used: Any = None
        while used is None:
            while select.select([self._fd], [], [], 0.05)[0]:
                try:
                    os.read(self._fd, 1 << 16)
                except OSError:
                    break
            pid, _, seen = os.wait4(self.pid, os.WNOHANG)
            used = seen if pid else None
        os.close(self._fd)
        return float(used.ru_maxrss)


def measured(command: dict[str, Any]) -> dict[str, Any]:
    """One run."""
    terminal = Terminal(command["argv"])
    try:
        seconds = terminal.until(command["mark"]) - terminal.began
        cpu = terminal.cpu()
        echoes = pressed(terminal, **command["keys"]) if "keys" in command else []
    finally:
        peak = terminal.end()
    return {"seconds": seconds, "cpu": cpu, "peak": peak, "echoes": echoes}


def pressed(terminal: Terminal, *, opens: str, shown: str, closes: str, hidden: str, seconds: float) -> list[float]:
    """The seconds from each key to its echo."""
    echoes = []
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        for key, mark in ((opens, shown), (closes, hidden)):
            began = terminal.press(key)
            echoes.append(terminal.until(mark) - began)
            time.sleep(AT_REST)
    return echoes


def main(wanted: dict[str, Any]) -> list[list[dict[str, Any]]]:
    """Measures what is wanted."""
    for command in wanted["commands"]:
        measured(command)
    return [[measured(command) for command in wanted["commands"]] for _ in range(wanted["rounds"])]


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(json.loads(sys.argv[1]))) + "\n")
