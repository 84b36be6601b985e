"""Where a service writes what it has to say, besides the journal: named by its unit or command line, or held open.

Owns the options that name a log file and the look at what a process has open. May not know what lines mean. A file
whose name speaks of access holds requests, not faults, and is left out.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable, Sequence

from wizard.host.questions import DirList, ListDir, Process
from wizard.services.manager import Asks
from wizard.services.unitread import split_quoted

MAX_FILES = 6
_MAX_PROCESSES = 4
_MAX_OPEN = 512
# gunicorn --error-logfile, --log-file; uWSGI --logto, --logto2, --daemonize, -d; unicorn, puma and others --log.
_OPTIONS = frozenset(
    {"error-logfile", "log-file", "logfile", "logto", "logto2", "daemonize", "d", "log", "error-log", "stderr-log"}
)
_STREAM = re.compile(r"^(?:file|append|truncate):(/.+)$")
_ACCESS = re.compile(r"access|requests?[._-]", re.IGNORECASE)


def named_on_command(argv: Iterable[str], folder: str = "") -> tuple[str, ...]:
    """The log files that a command line names, as absolute paths.

    Args:
        argv: the words.
        folder: what relative names are below; without one they are left out.
    """
    found: list[str] = []
    option = ""
    for word in argv:
        name, equals, value = word.partition("=")
        key = name.lstrip("-")
        if equals and key in _OPTIONS:
            found.append(value)
        elif option in _OPTIONS and not word.startswith("-"):
            found.append(word)
        option = key if word.startswith("-") and not equals else ""
    return tuple(path for one in found if (path := _absolute(one, folder)))


def _absolute(path: str, folder: str) -> str:
    if path.startswith("/"):
        return path
    named = "/" in path or path.endswith(".log")
    return f"{folder.rstrip('/')}/{path}" if named and folder.startswith("/") else ""


def named_by_unit(commands: Iterable[str], streams: Iterable[str], folder: str = "") -> tuple[str, ...]:
    """The log files that a unit names: on its command lines, and as its standard output or error."""
    named = [path for command in commands for path in named_on_command(split_quoted(command), folder)]
    kept = [match[1] for stream in streams if (match := _STREAM.match(stream))]
    return tuple(dict.fromkeys((*kept, *named)))


async def held_open(ask: Asks, processes: Sequence[Process]) -> tuple[str, ...]:
    """The log files that some processes have open: below /var/log, called `*.log`, or their standard streams."""
    replies = await asyncio.gather(
        *(ask.ask(ListDir(f"/proc/{one.pid}/fd", max_entries=_MAX_OPEN)) for one in processes[:_MAX_PROCESSES])
    )
    found: dict[str, None] = {}
    for reply in replies:
        for entry in reply.answer.entries if isinstance(reply.answer, DirList) else ():
            target = entry.target or ""
            number = entry.path.rpartition("/")[2]
            if is_log(target, stream=number in {"1", "2"}):
                found.setdefault(target)
    return tuple(found)


def is_log(path: str, *, stream: bool = False) -> bool:
    """Whether an open file is one that a program writes its messages to."""
    if not path.startswith("/") or path.startswith(("/dev/", "/proc/", "/sys/")) or path.endswith(" (deleted)"):
        return False
    name = path.rpartition("/")[2]
    if _ACCESS.search(name) or name.endswith((".journal", ".db", ".pid", ".lock")):
        return False
    return stream or path.startswith("/var/log/") or name.endswith(".log")
