"""Runs commands in turn (A B A B ...) and measures each process as time(1) does.

    stopwatch.py '{"commands": [["true"], ["false"]], "rounds": 5, "folder": "/tmp"}'

Stands alone, so that it can run inside a guest with Debian's own Python, and stays small: a child's peak of memory
counts from what its parent held when it was started. The first round warms the caches and is not counted. Prints one
JSON object: `rounds`, a list of rounds with one measurement a command, and `said`, the last output of each.

Output goes to a file: grep(1) stops at the first match where it is thrown away.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

MOST_SAID = 4 << 20


def measured(argv: list[str], out: Path) -> dict[str, float]:
    """One run: seconds on the wall and on the processors, the peak of the largest process in KiB, and the status."""
    write = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    actions = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, str(out), write, 0o600),
        (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0),
    ]
    began = time.perf_counter()
    child = os.posix_spawnp(argv[0], argv, os.environ, file_actions=actions)
    _, status, used = os.wait4(child, 0)
    return {
        "seconds": time.perf_counter() - began,
        "cpu": used.ru_utime + used.ru_stime,
        "peak": used.ru_maxrss,
        "status": os.waitstatus_to_exitcode(status),
    }


def main(wanted: dict[str, Any]) -> dict[str, Any]:
    """Measures what is wanted."""
    commands: list[list[str]] = wanted["commands"]
    outs = [Path(wanted["folder"], f"stopwatch-{os.getpid()}-{number}") for number in range(len(commands))]
    try:
        for argv, out in zip(commands, outs, strict=True):
            measured(argv, out)
        rounds = [
            [measured(argv, out) for argv, out in zip(commands, outs, strict=True)] for _ in range(wanted["rounds"])
        ]
        said = [out.read_bytes()[:MOST_SAID].decode(errors="replace") for out in outs]
    finally:
        for out in outs:
            out.unlink(missing_ok=True)
    return {"rounds": rounds, "said": said}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(json.loads(sys.argv[1]))) + "\n")
