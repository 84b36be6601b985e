"""Calls of the C library that may block for as long as they like.

Owns one thing: a daemon thread per call, whose result comes back as an awaitable that can be cancelled. The thread
is never joined, so neither a deadline nor the end of the program waits for it. (asyncio's own executor is joined at
exit, and a handful of hanging lookups would use it up.)
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import TypeVar, cast

T = TypeVar("T")


async def in_thread(call: Callable[[], T], abandoned: Callable[[T], object] | None = None) -> T:
    """Run `call` in a daemon thread of its own.

    Args:
        call: what may block; its exceptions are raised here.
        abandoned: gets the result where nobody waits for it any more, to give back what it holds.
    """
    loop = asyncio.get_running_loop()
    outcome: asyncio.Future[T] = loop.create_future()
    give_up = abandoned or (lambda _: None)

    def report(result: T | None, error: BaseException | None) -> None:
        if outcome.done():
            _discard(result, error, give_up)
        elif error is not None:
            outcome.set_exception(error)
        else:
            outcome.set_result(cast("T", result))

    def run() -> None:
        result, error = _called(call)
        try:
            loop.call_soon_threadsafe(report, result, error)
        except RuntimeError:  # the loop is closed
            _discard(result, error, give_up)

    threading.Thread(target=run, name="wizard-blocking-call", daemon=True).start()
    try:
        return await outcome
    except asyncio.CancelledError:
        if outcome.done() and not outcome.cancelled() and outcome.exception() is None:
            give_up(outcome.result())  # result and cancellation came in the same turn of the loop
        raise


def _called(call: Callable[[], T]) -> tuple[T | None, BaseException | None]:
    try:
        return call(), None
    except BaseException as error:  # noqa: BLE001 - raised again where the call is awaited
        return None, error


def _discard(result: T | None, error: BaseException | None, give_up: Callable[[T], object]) -> None:
    if error is None:
        give_up(cast("T", result))
