"""The journal: what a unit said last, and which of its lines tells why it ended.

Owns the questions put to `journalctl`, the reading of its JSON, and the choice of the decisive line. May not know
ports, gateways or causes. Facts: journalctl(1), systemd.journal-fields(7), and the JSON format's notes: a field that
is no UTF-8 text is an array of bytes, one that is too long is null.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import cache

import msgspec

from wizard.host.questions import NotAnswered, Run, Why
from wizard.services.manager import Asks
from wizard.services.systemd import is_unit_name
from wizard.text import one_line

FIELDS = "MESSAGE,PRIORITY,_PID,SYSLOG_IDENTIFIER,UNIT,_SYSTEMD_UNIT,INVOCATION_ID,_SYSTEMD_INVOCATION_ID,_TRANSPORT,_SOURCE_MONOTONIC_TIMESTAMP"
MAX_LINES = 1000
GRANT = "membership of the group systemd-journal"

_MAX_LINE = 1 << 16
_MAX_MESSAGE = 4000
_DRIFT = 30_000_000  # microseconds


class JournalLine(msgspec.Struct, frozen=True):
    """One message. `time` in seconds since the epoch; `priority` as in syslog(3), 0 to 7; `unit` it is about.

    `from_manager` says that systemd wrote it about the unit, not the unit itself.
    """

    time: float | None
    message: str
    pid: int | None = None
    priority: int | None = None
    identifier: str = ""
    unit: str = ""
    invocation: str = ""
    from_manager: bool = False


class OomKill(msgspec.Struct, frozen=True):
    """A process that the kernel killed for lack of memory.

    `limited` says that the memory of its control group ran out, not that of the machine.
    """

    time: float | None
    control_group: str
    task: str
    pid: int | None
    limited: bool
    line: str


async def last_words(
    ask: Asks, *units: str, lines: int = 40, seconds: float | None = None
) -> tuple[JournalLine, ...] | NotAnswered:
    """What units, and systemd about them, said last, oldest first.

    Args:
        ask: whoever can ask the host.
        units: the names of one or a few units.
        lines: how many lines at most, of all units together.
        seconds: only what was said in the last so many seconds.

    Returns:
        The lines, none where nothing was said; `NotAnswered` (denied, with a grant) where the journal is closed to
        the wizard.
    """
    names = [unit for unit in units if is_unit_name(unit)]
    if not names:
        return NotAnswered(Why.MISSING, "no valid unit name was given")
    window = () if seconds is None else (f"--since=-{max(1, round(seconds))}s",)
    chosen = tuple(word for unit in names for word in ("-u", unit))
    count = str(min(max(1, lines), MAX_LINES))
    argv = ("journalctl", *chosen, "-r", "-o", "json", "-n", count, "--no-pager", f"--output-fields={FIELDS}", *window)
    return await _read(ask, argv)


async def oom_kills(
    ask: Asks, control_group: str = "", *, seconds: float = 86400.0
) -> tuple[OomKill, ...] | NotAnswered:
    """Processes that the kernel killed for lack of memory since boot and in the last `seconds`.

    Args:
        ask: whoever can ask the host.
        control_group: only those in this group or below it (`/system.slice/app.service`); empty for all.
        seconds: how far back to look.
    """
    argv = ("journalctl", "-k", "-r", "-o", "json", "-n", str(MAX_LINES), "--no-pager", f"--output-fields={FIELDS}",
            f"--since=-{max(1, round(seconds))}s")  # fmt: skip
    lines = await _read(ask, argv)
    if isinstance(lines, NotAnswered):
        return lines
    return tuple(kill for kill in read_oom(lines) if is_below(kill.control_group, control_group))


async def _read(ask: Asks, argv: tuple[str, ...]) -> tuple[JournalLine, ...] | NotAnswered:
    """What journalctl prints, oldest first; it is asked newest first (`-r`).

    With `--since` and `-n` together, the journalctl of systemd 252 prints the first lines of the window, not the last.
    """
    answer = (await ask.ask(Run(argv, max_bytes=4 << 20))).answer
    if isinstance(answer, NotAnswered):
        return answer
    found = read_journal(answer.out)
    if found:
        return tuple(reversed(found))
    said = answer.err.decode("utf-8", "replace").strip()
    if "insufficient permissions" in said or "not seeing messages" in said:
        return NotAnswered(Why.DENIED, said.splitlines()[0], grant=GRANT)
    if answer.status != 0:
        return NotAnswered(Why.FAILED, said or f"journalctl ended with status {answer.status}")
    if "No journal files were found" in said:
        return NotAnswered(Why.MISSING, said.splitlines()[0])
    return ()


# --- reading --------------------------------------------------------------------------------------------------


def read_journal(printed: bytes) -> tuple[JournalLine, ...]:
    """Read JSON lines of journalctl; what is no such line (cut off, a heading) is passed over."""
    return tuple(line for raw in printed.split(b"\n") if (line := _line(raw)) is not None)


def _line(raw: bytes) -> JournalLine | None:
    if not raw.startswith(b"{") or len(raw) > _MAX_LINE * 8:
        return None
    try:
        entry = msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    if not isinstance(entry, dict):
        return None
    text = {key: _text(value) for key, value in entry.items()}
    stamp = _written(text)
    about = text.get("UNIT", "")
    return JournalLine(
        time=stamp,
        message=text.get("MESSAGE", "")[:_MAX_MESSAGE],
        pid=_number(text.get("_PID", "")),
        priority=_number(text.get("PRIORITY", "")),
        identifier=text.get("SYSLOG_IDENTIFIER", ""),
        unit=about or text.get("_SYSTEMD_UNIT", ""),
        invocation=text.get("INVOCATION_ID", "") or text.get("_SYSTEMD_INVOCATION_ID", ""),
        from_manager=bool(about) and text.get("_PID") == "1",
    )


def _written(text: dict[str, str]) -> float | None:
    """When a line was written, in seconds since the epoch.

    The journal stamps a kernel message when it takes it over, which is at its own start for all older ones; how long
    before that the kernel wrote it is the difference of two monotonic stamps (systemd.journal-fields(7)). The kernel's
    own clock drifts from the other by seconds, so a small difference is drift.
    """
    taken = _number(text.get("__REALTIME_TIMESTAMP", ""))
    if taken is None:
        return None
    there, source = _number(text.get("__MONOTONIC_TIMESTAMP", "")), _number(text.get("_SOURCE_MONOTONIC_TIMESTAMP", ""))
    late = there - source if text.get("_TRANSPORT") == "kernel" and there is not None and source is not None else 0
    return (taken - (late if late > _DRIFT else 0)) / 1e6


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        if value and all(isinstance(item, int) and 0 <= item <= 255 for item in value):
            return bytes(value).decode("utf-8", "backslashreplace")
        # A field that occurs more than once in one entry is an array of its values.
        return next((item for item in value if isinstance(item, str)), "")
    return "" if value is None else str(value)


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 20 else None


_OOM = re.compile(r"oom-kill:constraint=(?P<constraint>\w+).*?task_memcg=(?P<memcg>[^,]*),task=(?P<task>[^,]*)")
_OOM_PID = re.compile(r",pid=(\d{1,10})\b")


def read_oom(lines: Iterable[JournalLine]) -> tuple[OomKill, ...]:
    """Kernel lines about processes killed for lack of memory (mm/oom_kill.c, dump_oom_summary; Linux 4.19 on)."""
    found = []
    for line in lines:
        match = _OOM.search(line.message)
        if match:
            pid = _OOM_PID.search(line.message, match.end("task"))
            limited = match["constraint"] == "CONSTRAINT_MEMCG"
            found.append(
                OomKill(line.time, match["memcg"], match["task"], int(pid[1]) if pid else None, limited, line.message)
            )
    return tuple(found)


def is_below(control_group: str, top: str) -> bool:
    """Whether a control group is `top` or below it; both may be seen from another root (a container's)."""
    if not top:
        return True
    wanted = f"/{top.strip('/')}/"
    return wanted in f"{control_group.rstrip('/')}/"


# --- the decisive line ----------------------------------------------------------------------------------------

# What a line says about the end of its program: the higher, the nearer to the reason. Within one rank the last line
# wins: a chain of exceptions and a chain of `Caused by` both end with the root.
_RANKED: tuple[tuple[int, str], ...] = (
    (0, r"still could not bind|worker exiting|failed with result|scheduled restart job|start request repeated"),
    (0, r"failed to start\b|main process exited|control process exited|has begun execution"),
    (0, r"configuration file \S+ test failed|fpm initialization failed|more information|see the previous"),
    (5, r"address already in use|eaddrinuse|could not bind|unable to bind"),
    (5, r"failed to (?:locate|execute|spawn|find) |unable to locate executable"),
    (5, r"failed to set up .{0,40}namespac|\S: failed to (?:mount|open|create) "),
    (5, r"failed to (?:load environment files|determine (?:user|group) credentials|set up (?:mount )?namespac)"),
    (5, r"changing to the requested working directory failed|killed by the oom killer|oom-kill:|out of memory"),
    (
        5,
        r"start operation timed out|watchdog timeout|dependency failed for|unmet condition|condition check resulted in",
    ),
    (4, r"\[emerg\]|\[alert\]|failed at step [A-Z_]+ spawning"),
    (4, r"\b(?:module|cannot)\S* ?(?:not ?found|find module|load such file)|no module named|importerror"),
    (4, r"^(?:\[[^\]]*\] ?)*(?:[A-Za-z_][\w.$:]{0,120})?(?:Error|Exception|ImproperlyConfigured)(?::| \(|$)"),
    (4, r"^caused by: |^panic: |^fatal error: |exception in thread|^thread '.{0,80}' panicked"),
    (4, r"permission denied|eacces|operation not permitted"),
    (4, r"no space left on device|too many open files|read-only file system|cannot allocate memory"),
    (4, r"segfault|segmentation fault|core dumped|illegal instruction"),
    (3, r"no such file or directory|enoent|not found|does not exist|cannot open|can't open|unable to open"),
    (3, r"environment variable|(?:is|are|must be) (?:not )?(?:set|required|defined|missing)|missing required"),
    (3, r"connection refused|could not connect|can't connect|econnrefused|access denied|authentication failed"),
    (2, r"\bfatal\b|\bcritical\b|\bpanic\b|\babort(?:ed|ing)?\b"),
    (1, r"\berr(?:or)?s?\b|\bfail(?:ed|ure)?\b|\bexception\b|cannot|unable to|\bdenied\b|\binvalid\b"),
)

_TRACEBACK = "Traceback (most recent call last):"


def decisive(lines: Sequence[JournalLine]) -> JournalLine | None:
    """The line that most nearly tells why a unit ended; None where none does.

    The latest run that says anything of the sort decides: an older crash is another story. What the program itself
    said counts before what systemd says about it, except where systemd never got to start it.
    """
    for invocation in dict.fromkeys(line.invocation for line in reversed(lines)):
        best: tuple[int, JournalLine] | None = None
        unwinding = False
        for line in (line for line in lines if line.invocation == invocation):
            rank = 0 if line.from_manager and not _manager_knows(line) else rank_of(line.message[:600])
            if unwinding and line.message[:1].strip() and not line.from_manager:
                rank, unwinding = max(rank, 4), False
            if line.message.rstrip().endswith(_TRACEBACK):
                unwinding, rank = True, 0
            if rank and (best is None or rank >= best[0]):
                best = (rank, line)
        if best is not None:
            return best[1]
    return None


def _manager_knows(line: JournalLine) -> bool:
    return rank_of(line.message[:600]) >= 4


@cache
def _patterns() -> tuple[tuple[int, re.Pattern[str]], ...]:
    return tuple((rank, re.compile(pattern, re.IGNORECASE)) for rank, pattern in _RANKED)


def rank_of(message: str) -> int:
    """How much a line tells about the end of its program, from 0 (nothing) to 5."""
    for rank, pattern in _patterns():
        if pattern.search(message):
            return rank
    return 0


def quoted(line: JournalLine) -> str:
    """A journal line as it may be shown in a sentence."""
    return one_line(line.message.strip(), limit=180)
