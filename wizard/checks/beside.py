"""Reading much beside the event loop, so that a screen answers its keys meanwhile.

Owns when that is worth a thread. May not know what is read. The function must not touch what others change.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

MUCH = 1 << 18  # bytes; about ten milliseconds of reading
EVENT = 256  # bytes of the log line that an event was made from, about


async def beside(size: int, function: Callable[[], T]) -> T:
    """What the function returns; in a thread where it has more than a little to read.

    Args:
        size: bytes that it reads, or the number of events times EVENT.
        function: what is done.
    """
    return function() if size <= MUCH else await asyncio.to_thread(function)
