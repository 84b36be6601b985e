"""Reads the last 15 minutes of an nginx error log through the live host, and understands them: `read_log.py FILE`.

Prints the seconds until the lines were found, the seconds until they were understood, and how many events and lines
there are.
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
    found = time.perf_counter()
    if not isinstance(answer, LogTail):
        return 1
    events = read_error_log(answer)
    read = time.perf_counter()
    sys.stdout.write(f"{found - began} {read - found} {len(events)} {answer.content.count(10)}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(asyncio.run(main(sys.argv[1])))
