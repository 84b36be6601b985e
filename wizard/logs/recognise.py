"""From a line, however it was pasted, to the event that it reports.

Owns the order of the readers, the reading of a whole text line by line, and the joining of lines that a terminal (or a
message with newlines) has broken. May not know any program's wording.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import replace

from wizard.logs import apache, caddy, docker, envoy, gunicorn, haproxy, kernel, nginx, php_fpm, systemd, traefik, uwsgi
from wizard.logs.fields import unescaped
from wizard.logs.hints import Hints
from wizard.logs.stamps import Clock
from wizard.logs.unwrap import cleaned, layers
from wizard.model import LogEvent, Phase

MAX_LINE = 16384  # characters of a line that are looked at; no program writes a longer message
_JOINED = 8  # physical lines that one message may be broken into

Reader = Callable[[str, Hints], LogEvent | None]

READERS: tuple[Reader, ...] = (
    apache.read,
    gunicorn.read,
    php_fpm.read,
    haproxy.read,
    caddy.read,
    traefik.read,
    envoy.read,
    uwsgi.read,
    docker.read,
    systemd.read,
    kernel.read,
    nginx.read,
)

# Programs that quote other programs' lines in their own: what they say is not said by a gateway.
_REPEATERS = frozenset({"sudo", "sshd", "CRON", "cron", "crond", "fail2ban", "fail2ban-server", "su", "audit", "bash"})
_FOREIGN = frozenset(
    {"postgres", "mysqld", "mariadbd", "redis-server", "redis", "mongod", "dovecot", "postfix", "named"}
)

_UNESCAPED_QUOTE = re.compile(r'[^\\]"')

# A frame in the middle of a line: whatever stands before it is a wrapping that nobody has named yet.
_FRAMES = (
    re.compile(r"\d{4}/\d\d/\d\d \d\d:\d\d:\d\d \[\w{4,6}\] \d+#\d+: ", re.ASCII),
    re.compile(r"\[\w{3} \w{3} +\d{1,2} \d\d:\d\d:\d\d(?:\.\d+)? \d{4}\] \[[\w:]{4,50}\] ", re.ASCII),
    re.compile(r"\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d [+-]\d{4}\] \[\d+\] \[[A-Z]{4,8}\] ", re.ASCII),
    re.compile(r"\[\d\d-\w{3}-\d{4} \d\d:\d\d:\d\d\] [A-Z]{4,7}: ", re.ASCII),
    re.compile(r"nginx: (?:\[\w{4,6}\] |configuration file )", re.ASCII),
    re.compile(r"[\da-fA-F.:\[\]]{2,46}:\d{1,5} \[\d\d/\w{3}/\d{4}:\d\d:\d\d:\d\d\.\d{3}\] ", re.ASCII),
    re.compile(r"\d{4}/\d\d/\d\d \d\d:\d\d:\d\d\.\d{3}\s+[A-Z]{4,5}\s+http\.", re.ASCII),
    re.compile(r"\[\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z\] \"", re.ASCII),
)


def explain_line(
    line: bytes | str, *, zone_offset: int | None = None, year_hint: float | None = None
) -> LogEvent | None:
    """What one line reports.

    Args:
        line: as it was found or pasted, in any wrapping; only its first characters are looked at if it is very long.
        zone_offset: seconds east of UTC for stamps without a zone; None: such a line has no time.
        year_hint: seconds since the epoch near which stamps without a year were written.

    Returns:
        The event, or None where no known program wrote the line. An event without causes is no failure, or one that
        the line alone does not explain.
    """
    return _explained(_text(line), Hints(clock=Clock(zone_offset, year_hint)))


def explain_text(
    data: bytes | str, *, zone_offset: int | None = None, year_hint: float | None = None
) -> Iterator[tuple[int, LogEvent | None]]:
    """What each line of a text reports, in order, with line numbers from 1.

    A message that was broken over several lines is reported at its first one; the others report nothing.

    Args:
        data: the text.
        zone_offset: as in `explain_line`.
        year_hint: as in `explain_line`.
    """
    hints = Hints(clock=Clock(zone_offset, year_hint))
    ahead: deque[str] = deque()
    lines = _lines(data)
    number = 0
    while True:
        line = ahead.popleft() if ahead else next(lines, None)
        if line is None:
            return
        number += 1
        event = _explained(line, hints)
        used = 0
        if _may_go_on(line, event):
            while len(ahead) < _JOINED and (following := next(lines, None)) is not None:
                ahead.append(following)
            event, used = _joined(line, event, ahead, hints)
        yield number, event
        for _ in range(used):
            ahead.popleft()
            number += 1
            yield number, None


def _text(line: bytes | str) -> str:
    if isinstance(line, bytes):
        return line[: MAX_LINE * 2].decode("utf-8", "backslashreplace")[:MAX_LINE]
    return line[:MAX_LINE]


def _lines(data: bytes | str) -> Iterator[str]:
    """The lines of a text, one at a time: a large one is never held twice."""
    at, end = 0, len(data)
    while at < end:
        stop = data.find(b"\n", at) if isinstance(data, bytes) else data.find("\n", at)
        stop = end if stop < 0 else stop
        yield _text(data[at : min(stop, at + MAX_LINE * 2)])
        at = stop + 1


def _explained(text: str, hints: Hints) -> LogEvent | None:
    if text[4:5] == "/" and text[7:8] == "/" and text.isascii() and text.isprintable():
        event = nginx.read(text.rstrip(), hints)  # the usual line costs no search for wrappings
        if event is not None and event.upstream is not None:
            return event
    found = list(layers(text, hints))
    for inner, inside in found:
        if inside.program in _REPEATERS or inside.program in _FOREIGN:
            return None
        event = _read(inner, replace(inside, loose=False))
        if event is not None:
            return event
    # What has no frame of its own is read from the inside: there the least foreign text is left.
    for inner, inside in reversed(found):
        event = _in_the_middle(inner, inside) or _read(inner, inside)
        if event is not None:
            return event
    return None


def _read(text: str, hints: Hints) -> LogEvent | None:
    for read in READERS:
        event = read(text, hints)
        if event is not None:
            return event
    return None


def _in_the_middle(text: str, hints: Hints) -> LogEvent | None:
    """The event of a frame that begins somewhere in the line."""
    for frame in _FRAMES:
        found = frame.search(text)
        if found is None or found.start() == 0:
            continue
        inner = text[found.start() :]
        if '\\"' in inner and (end := _UNESCAPED_QUOTE.search(inner)) is not None:
            inner = unescaped(inner[: end.start() + 1])  # it stood in a structure that nobody could decode
        inner = cleaned(inner)
        if inner.count('"') % 2 and inner.endswith('"'):
            inner = inner[:-1]
        event = _read(inner, replace(hints, loose=False))
        if event is not None:
            return event
    return None


# --- lines that were broken -------------------------------------------------------------------------------------------

_BEGINS = re.compile(
    r"\s*(?:<\d{1,3}>|\[?\d{4}[/-]\d\d[/-]\d\d|\[\w{3} \w{3} |\[\d\d-\w{3}-\d{4}|\w{3} [ \d]\d \d\d:\d\d:\d\d|\{\"|==> |"
    r"\[pod/|time=\"|\d{1,3}(?:\.\d{1,3}){3}:\d+ \[|[\w.-]+ +\| |\[ *\d+\.\d+\] )",
    re.ASCII,
)


def _may_go_on(line: str, event: LogEvent | None) -> bool:
    """Whether a line looks as if the rest of its message stood on the next one."""
    if not _BEGINS.match(line):
        return False
    if event is None:
        return True
    if event.program == "nginx":
        whole = event.upstream is not None or event.host is not None
        return (not whole or line.count('"') % 2 == 1) and event.level != "notice"
    if event.program == "haproxy":
        return event.symptom == "request-cut" or line.count('"') % 2 == 1
    return event.phase is Phase.NONE and not event.causes and event.symptom in {"other", "notice", "request-cut"}


def _joined(line: str, event: LogEvent | None, ahead: deque[str], hints: Hints) -> tuple[LogEvent | None, int]:
    """The event of a line with as many following lines as make it say more, and how many these are."""
    best, used = event, 0
    whole = line.rstrip("\r\n")
    for count, following in enumerate(ahead, 1):
        if not following.strip() or _BEGINS.match(following):
            break
        piece = following.rstrip("\r\n")
        # A terminal breaks a line at its edge, an editor at a space (and may indent what follows).
        whole = whole + piece if not piece[:1].isspace() else f"{whole} {piece.strip()}"
        if len(whole) > MAX_LINE:
            break
        for candidate in (whole, f"{line.rstrip()} {piece.strip()}"):
            richer = _explained(candidate, hints)
            if _facts(richer) > _facts(best):
                best, used = richer, count
    return best, used


def _facts(event: LogEvent | None) -> int:
    if event is None:
        return -1
    known = (event.upstream, event.errno, event.client, event.host, event.request, event.status)
    return (
        sum(value is not None for value in known)
        + 2 * (event.phase is not Phase.NONE)
        + 2 * bool(event.causes)
        + (event.symptom not in {"other", "notice", "request-cut"})
    )
