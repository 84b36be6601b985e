"""A line on the terminal while slow probes run: what is asked, for how long, against which deadline.

Owns that line. It is written to standard error, only where that is a terminal, and taken away again.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from wizard.text import one_line
from wizard.walk.runner import Runner

_FIRST = 0.7  # seconds before anything is shown: a quick walk stays silent
_EVERY = 0.5


class Progress:
    """Shows what a runner waits for."""

    def __init__(self, *, enabled: bool) -> None:
        self._enabled = enabled
        self._shown = 0

    @asynccontextmanager
    async def watching(self, runner: Runner) -> AsyncIterator[None]:
        """Show progress while the body runs."""
        task = asyncio.ensure_future(self._watch(runner)) if self._enabled else None
        try:
            yield
        finally:
            if task is not None:
                task.cancel()
                self._show("")

    async def _watch(self, runner: Runner) -> None:
        began = time.monotonic()
        await asyncio.sleep(_FIRST)
        while True:
            spent = time.monotonic() - began
            waiting = [probing.visit for probing in runner.probing]
            what = f"{waiting[0].step.check} of {one_line(waiting[0].about, limit=40)}" if waiting else "looking"
            more = f" and {len(waiting) - 1} more" if len(waiting) > 1 else ""
            self._show(f"{spent:.0f} s of {runner.options.timeout:g} s: {what}{more}")
            await asyncio.sleep(_EVERY)

    def _show(self, said: str) -> None:
        cut = said[:78]
        sys.stderr.write("\r" + cut.ljust(self._shown) + "\r")
        sys.stderr.flush()
        self._shown = len(cut)
