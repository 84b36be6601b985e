"""Signals in plain lines: a walk is stopped and not the conversation, and whatever ends it keeps the session."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 30.0
PROGRAM = """
import asyncio
from tests.tui.fake import FakeHost, Options, Story, Target, library
from wizard.plain.talk import talk
from wizard.walk.outside import Outside
story = Story()
class Held:
    async def wait(self):
        await asyncio.sleep(60)
story.held["connect"] = Held()
target = Target(url="http://shop.example/cart")
outside = Outside(keep=lambda one: print(f"kept {len(one.steps())} steps", flush=True))
raise SystemExit(talk(FakeHost(), library(), story.checks(), target, Options(), None, outside=outside))
"""


@dataclass(slots=True)
class Talking:
    """The conversation as a process with pipes."""

    process: subprocess.Popen[bytes]
    said: bytearray = field(default_factory=bytearray)

    def hears(self, text: str) -> None:
        assert self.process.stdout is not None
        end = time.monotonic() + PATIENCE
        while text.encode() not in self.said:
            assert time.monotonic() < end, f"{text!r} is not said:\n{self.said.decode()}"
            if select.select([self.process.stdout], [], [], 0.1)[0]:
                self.said += os.read(self.process.stdout.fileno(), 65536)

    def answers(self, line: str) -> None:
        assert self.process.stdin is not None
        os.write(self.process.stdin.fileno(), line.encode() + b"\n")


@contextmanager
def talking() -> Iterator[Talking]:
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        cwd=ROOT,
        start_new_session=True,
    )
    try:
        yield Talking(process)
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                stream.close()


def test_ctrl_c_stops_the_walk_and_enter_goes_on() -> None:
    with talking() as one:
        one.hears("2. NO: request")
        one.process.send_signal(signal.SIGINT)
        one.hears("Stopped.")
        one.hears("1. go on")
        one.answers("skip the step")
        one.hears("3. ?: server/connect, 127.0.0.1:8000: not asked, skipped by the person.")
        one.hears("What next?")
        one.answers("quit")
        assert one.process.wait(PATIENCE) in {2, 3}


def test_ctrl_c_at_a_question_ends_the_conversation() -> None:
    with talking() as one:
        one.hears("2. NO: request")
        one.process.send_signal(signal.SIGINT)
        one.hears("Number [1]: ")
        one.process.send_signal(signal.SIGINT)
        assert one.process.wait(PATIENCE) == 130
        one.hears("kept 2 steps")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_it_and_keeps_the_session(number: signal.Signals) -> None:
    with talking() as one:
        one.hears("2. NO: request")
        one.process.send_signal(number)
        assert one.process.wait(PATIENCE) == 128 + number
        one.hears("kept 2 steps")
