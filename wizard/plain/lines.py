"""Reading answers and writing lines: no cursor movement, no colour, nothing that a screen reader would stumble over.

Owns the two streams. May not know what is said. A line is read in a thread that nobody waits for at the end, so that
probes go on while a person thinks.
"""

from __future__ import annotations

import asyncio
import sys
import threading
from typing import Protocol

from wizard.text import visible


class Lines(Protocol):
    """A way to talk in lines."""

    def say(self, text: str = "") -> None:
        """Write lines."""
        ...

    async def ask(self, prompt: str) -> str | None:
        """Ask for a line; None where no more will come."""
        ...


class Terminal:
    """Standard input and output."""

    def __init__(self) -> None:
        self._ended = sys.stdin is None or sys.stdin.closed

    def say(self, text: str = "") -> None:
        """Write lines, in the stream's own encoding."""
        self._write(f"{visible(text, limit=20000)}\n")

    async def ask(self, prompt: str) -> str | None:
        """Write a prompt and read a line; once the input has ended it stays ended."""
        if self._ended:
            return None
        self._write(prompt)
        line = await _read()
        if not line:
            self._ended = True
            self._write("\n")
            return None
        return line.strip()

    def _write(self, text: str) -> None:
        encoding = sys.stdout.encoding or "utf-8"
        sys.stdout.write(text.encode(encoding, "backslashreplace").decode(encoding))
        sys.stdout.flush()


async def _read() -> str:
    loop = asyncio.get_running_loop()
    read: asyncio.Future[str] = loop.create_future()

    def give(line: str) -> None:
        if not read.done():
            read.set_result(line)

    def wait() -> None:
        try:
            line = sys.stdin.readline()
        except (OSError, ValueError):
            line = ""
        try:
            loop.call_soon_threadsafe(give, line)
        except RuntimeError:  # the loop has ended: nobody waits for the line
            return

    threading.Thread(target=wait, daemon=True, name="read a line").start()
    return await read
