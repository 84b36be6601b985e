"""Daemon threads for calls that may block for as long as they like: a file on a dead NFS server, a locked /proc file.

Owns a small pool of them. May not know what is called. A call in a thread costs about 10 microseconds more than one in
the event loop, so that no file needs to be trusted to be local.

The threads are daemons and never joined: neither a deadline nor the end of the program waits for one that hangs.
asyncio's own executor is joined at exit, and is what asyncio resolves names with: a few hanging reads would fill it.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import queue
import sys
import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

TURN = 0.001  # seconds that a thread may keep the interpreter while another one waits for it
MUCH = 1 << 18  # bytes; about ten milliseconds of reading
EVENT = 256  # bytes of the log line that an event was made from, about
MOST = 64  # threads; what is asked when all of them hang waits for one until its own deadline


class Pool:
    """Threads that are started when they are needed, and kept."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._calls: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._free = 0  # threads that wait for a call, less the calls that wait for a thread
        self._names = itertools.count(1)
        self._threads = 0

    async def call(self, function: Callable[[], T]) -> T:
        """Call a function in a thread and await what it returns or raises.

        A caller that is cancelled goes at once; the thread runs on, and what it comes to is dropped.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()

        def give(result: T) -> None:
            if not future.done():
                future.set_result(result)

        def fail(error: BaseException) -> None:
            if not future.done():
                future.set_exception(error)

        def work() -> None:
            with contextlib.suppress(RuntimeError):  # a closed loop: nobody waits any more
                try:
                    result = function()
                except BaseException as error:  # noqa: BLE001 - raised again where it is awaited
                    loop.call_soon_threadsafe(fail, error)
                else:
                    loop.call_soon_threadsafe(give, result)

        self._submit(work)
        return await future

    def _submit(self, work: Callable[[], None]) -> None:
        with self._lock:
            self._free -= 1
            start = self._free < 0 and self._threads < self._most
            if start:
                # By default it is 5 ms, and each system call of a question waits so long while a large log is read.
                sys.setswitchinterval(TURN)
                self._threads += 1
                self._free += 1
        self._calls.put(work)
        if start:
            threading.Thread(target=self._serve, name=f"wizard-asks-{next(self._names)}", daemon=True).start()

    def _serve(self) -> None:
        while True:
            self._calls.get()()
            with self._lock:
                self._free += 1


_POOL = Pool()


async def in_thread(function: Callable[[], T]) -> T:
    """Call a function that may block, in a thread of the program's pool (see `Pool.call`)."""
    return await _POOL.call(function)


async def beside(size: int, function: Callable[[], T]) -> T:
    """What a function returns that waits for nothing; in a thread where it has more than a little to read.

    So a screen answers its keys meanwhile. The function must not touch what others change.

    Args:
        size: bytes that it reads, or the number of events times EVENT.
        function: what is done.
    """
    return function() if size <= MUCH else await in_thread(function)
