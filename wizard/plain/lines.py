"""Reading answers and writing lines: no cursor movement, no colour, nothing that a screen reader would stumble over.

Owns the two streams, and how a question with numbered choices is put. May not know what is said. A line is read in a
thread that nobody waits for at the end, so that probes go on while a person thinks; it reads from the descriptor, since
a thread inside Python's own buffer would not let the program end.
"""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from collections.abc import Sequence
from typing import Protocol

from wizard.text import visible

_CHUNK = 1 << 16


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
        self._left = b""

    def say(self, text: str = "") -> None:
        """Write lines, in the stream's own encoding."""
        self._write(f"{visible(text, limit=20000)}\n")

    async def ask(self, prompt: str) -> str | None:
        """Write a prompt and read a line; once the input has ended it stays ended."""
        if self._ended and not self._left:
            return None
        self._write(visible(prompt))
        while b"\n" not in self._left and not self._ended:
            more = await _read()
            self._ended = not more
            self._left += more
        line, _, self._left = self._left.partition(b"\n")
        if not line and self._ended:
            self._write("\n")
            return None
        return line.decode("utf-8", "backslashreplace").strip()

    def _write(self, text: str) -> None:
        encoding = sys.stdout.encoding or "utf-8"
        sys.stdout.write(text.encode(encoding, "backslashreplace").decode(encoding))
        sys.stdout.flush()


async def pick(lines: Lines, question: str, choices: Sequence[str], default: int = 0, why: str = "") -> int | None:
    """The index of the choice that a person makes, by its number or the beginning of its words.

    Args:
        lines: where it is asked.
        question: what is asked.
        choices: what may be chosen.
        default: the index that an empty line chooses.
        why: the reason for the question.

    Returns:
        The index; None where no answer comes.
    """
    lines.say(question)
    if why:
        lines.say(why)
    for number, label in enumerate(choices, 1):
        lines.say(f"  {number}. {label}")
    while True:
        given = await lines.ask(f"Number [{default + 1}]: ")
        if given is None:
            return None
        if not given:
            return default
        if given.isascii() and given.isdigit() and 1 <= int(given[:6]) <= len(choices):
            return int(given) - 1
        begun = [index for index, label in enumerate(choices) if label.lower().startswith(given.lower())]
        if len(begun) == 1:
            return begun[0]
        lines.say(f"Please a number from 1 to {len(choices)}.")


async def _read() -> bytes:
    loop = asyncio.get_running_loop()
    read: asyncio.Future[bytes] = loop.create_future()

    def give(data: bytes) -> None:
        if not read.done():
            read.set_result(data)

    def wait() -> None:
        try:
            data = os.read(sys.stdin.fileno(), _CHUNK)
        except (OSError, ValueError):
            data = b""
        try:
            loop.call_soon_threadsafe(give, data)
        except RuntimeError:  # the loop has ended: nobody waits for the line
            return

    threading.Thread(target=wait, daemon=True, name="read a line").start()
    return await read
