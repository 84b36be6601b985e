"""Reads the last 15 minutes of an nginx error log through the live host, and understands them: `read_log.py FILE`.

Prints the seconds from the question to the understood events, the start of the interpreter apart, and their number.
"""

from __future__ import annotations

import asyncio
import sys
import time

from wizard.host.live.host import LiveHost
from wizard.host.questions import LogTail, ReadLog, StampKind
from wizard.logs.error_log import read_error_log


async def main(path: str) -> int:
    """Reads it; 0 where there is something to read."""
    host = LiveHost()
    began = time.perf_counter()
    answer = (await host.ask(ReadLog(path, 900.0, StampKind.NGINX_ERROR))).answer
    if not isinstance(answer, LogTail):
        return 1
    events = read_error_log(answer)
    sys.stdout.write(f"{time.perf_counter() - began} {len(events)} {answer.content.count(10)}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(asyncio.run(main(sys.argv[1])))
