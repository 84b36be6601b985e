"""From a line, however it was pasted, to the event that it reports.

Owns the order of the readers, the reading of a whole text line by line, and the joining of lines that a terminal (or a
message with newlines) has broken. May not know any program's wording.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from io import BytesIO, StringIO

from msgspec.structs import replace

from wizard.logs import apache, caddy, docker, envoy, gunicorn, haproxy, kernel, nginx, php_fpm, systemd, traefik, uwsgi
from wizard.logs.cleaning import cleaned
from wizard.logs.fields import unescaped
from wizard.logs.hints import Hints
from wizard.logs.stamps import Clock
from wizard.logs.unwrap import layers
from wizard.model import LogEvent, Phase

MAX_LINE = 16384  # characters of a line that are looked at; no program writes a longer message
_JOINED = 8  # physical lines that one message may be broken into

Reader = Callable[[str, Hints], LogEvent | None]

# Who may have written a line with its own frame, by the character that it begins with.
_BRACKET: tuple[Reader, ...] = (apache.read, gunicorn.read, php_fpm.read, haproxy.read, envoy.read, uwsgi.read)
_DIGIT: tuple[Reader, ...] = (nginx.read, haproxy.read, caddy.read, traefik.read, docker.read)
_BRACE: tuple[Reader, ...] = (caddy.read, traefik.read, envoy.read)
_LETTER: tuple[Reader, ...] = (nginx.read, uwsgi.read, traefik.read, docker.read, haproxy.read)
_QUOTE: tuple[Reader, ...] = (envoy.read,)
_STAR: tuple[Reader, ...] = (uwsgi.read,)
_FRAMED = {"[": _BRACKET, "{": _BRACE, '"': _QUOTE, "*": _STAR} | dict.fromkeys("0123456789", _DIGIT)

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
_REPEATERS = frozenset({"sudo", "sshd", "CRON", "cron", "crond", "fail2ban", "fail2ban-server", "su", "bash"})
_FOREIGN = frozenset(
    {"postgres", "mysqld", "mariadbd", "redis-server", "redis", "mongod", "dovecot", "postfix", "named"}
)

_UNESCAPED_QUOTE = re.compile(r'[^\\]"')

# A frame in the middle of a line: whatever stands before it is a wrapping that nobody has named yet.
_FRAMES = tuple(
    (literal, re.compile(pattern, re.ASCII))
    for literal, pattern in (
        ("#", r"\d{4}/\d\d/\d\d \d\d:\d\d:\d\d \[\w{4,6}\] \d+#\d+: "),
        ("] [", r"\[\w{3} \w{3} +\d{1,2} \d\d:\d\d:\d\d(?:\.\d+)? \d{4}\] \[[\w:]{4,50}\] "),
        ("] [", r"\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d [+-]\d{4}\] \[\d+\] \[[A-Z]{4,8}\] "),
        ("] ", r"\[\d\d-\w{3}-\d{4} \d\d:\d\d:\d\d\] [A-Z]{4,7}: "),
        ("nginx: ", r"nginx: (?:\[\w{4,6}\] |configuration file )"),
        ("] ", r"[\da-fA-F.:\[\]]{2,46}:\d{1,5} \[\d\d/\w{3}/\d{4}:\d\d:\d\d:\d\d\.\d{3}\] "),
        ("http.", r"\d{4}/\d\d/\d\d \d\d:\d\d:\d\d\.\d{3}\s+[A-Z]{4,5}\s+http\."),
        ('Z] "', r"\[\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z\] \""),
    )
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
    text = line[: MAX_LINE * 2].decode("utf-8", "backslashreplace") if isinstance(line, bytes) else line
    return text if len(text) <= MAX_LINE else text[:MAX_LINE]


def _lines(data: bytes | str) -> Iterator[str]:
    """The lines of a text, one at a time: a large one is never held twice."""
    stream: Iterable[bytes | str] = BytesIO(data) if isinstance(data, bytes) else StringIO(data, newline="\n")
    for line in stream:
        yield _text(line)


def _explained(text: str, hints: Hints) -> LogEvent | None:
    if text[4:5] == "/" and text[7:8] == "/" and text.isascii() and "\\" not in text and "\x1b" not in text:
        usual = text.rstrip()  # costs no search for wrappings
        event = nginx.read(usual, hints)
        if event is not None and ('"' not in usual or (event.client is not None and usual[-1] == '"')):
            return event
    found: list[tuple[str, Hints]] = []
    for inner, inside in layers(text, hints):
        if inside.program in _REPEATERS or inside.program in _FOREIGN or inside.program.startswith("ansible"):
            return None
        event = _framed(inner, replace(inside, loose=False))
        if event is not None:
            return event
        found.append((inner, inside))
    return _bare(found)


def _framed(text: str, hints: Hints) -> LogEvent | None:
    """The event of a line that begins as a program's own does."""
    for read in _FRAMED.get(text[0], _LETTER):
        event = read(text, hints)
        if event is not None:
            return event
    return None


def _bare(found: Sequence[tuple[str, Hints]]) -> LogEvent | None:
    """The event of the innermost layer that holds a program's words: there the least foreign text is left."""
    for inner, inside in reversed(found):
        event = _in_the_middle(inner, inside)
        if event is not None:
            return event
        for read in READERS:
            event = read(inner, inside)
            if event is not None:
                return event
    return None


def _in_the_middle(text: str, hints: Hints) -> LogEvent | None:
    """The event of a frame that begins somewhere in the line."""
    for literal, frame in _FRAMES:
        if literal not in text:
            continue
        found = frame.search(text)
        if found is None or found.start() == 0:
            continue
        inner = text[found.start() :]
        if '\\"' in inner and (end := _UNESCAPED_QUOTE.search(inner)) is not None:
            inner = unescaped(inner[: end.start() + 1])  # it stood in a structure that nobody could decode
        inner = cleaned(inner)
        if inner.count('"') % 2 and inner.endswith('"'):
            inner = inner[:-1]
        event = _framed(inner, replace(hints, loose=False))
        if event is not None:
            return event
    return None


# --- lines that were broken -------------------------------------------------------------------------------------------

_BEGINS = re.compile(
    r"\s*(?:<\d{1,3}>|\[?\d{4}[/-]\d\d[/-]\d\d|\[\w{3} \w{3} |\[\d\d-\w{3}-\d{4}|\w{3} [ \d]\d \d\d:\d\d:\d\d|\{\"|==> |"
    r"\[pod/|time=\"|\d{1,3}(?:\.\d{1,3}){3}:\d+ \[|[\w.-]+ +\| |\[ *\d+\.\d+\] )",
    re.ASCII,
)


_QUOTES = re.compile(r"(?:> ?){1,8}")


def _may_go_on(line: str, event: LogEvent | None) -> bool:
    """Whether a line looks as if the rest of its message stood on the next one."""
    if event is not None and event.upstream is not None and event.causes and event.host is not None:
        return False
    if not _BEGINS.match(_QUOTES.sub("", line, count=1) if line.startswith(">") else line):
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
    pieces = _pieces(line, ahead)
    glued = spaced = line.rstrip("\r\n")
    # A terminal breaks a line at its edge, an editor or a mail program at a space, which is lost. So is a space at
    # the terminal's edge: the piece before it is then one character shorter than the widest.
    width = max(len(piece) for piece in (glued, *pieces))
    last = len(glued)
    for count, piece in enumerate(pieces, 1):
        glued += (" " if last == width - 1 else "") + piece
        spaced = f"{spaced.rstrip()} {piece.strip()}"
        last = len(piece)
        if len(spaced) > MAX_LINE:
            break
        for candidate in (glued, spaced):
            richer = _explained(candidate, hints)
            if _facts(richer) > _facts(best):
                best, used = richer, count
    return best, used


def _pieces(line: str, ahead: deque[str]) -> list[str]:
    """The following lines that may belong to a line, without the quoting or indentation that it has too."""
    pieces: list[str] = []
    quoted = _QUOTES.match(line) is not None
    indent = line[: len(line) - len(line.lstrip(" "))]
    for following in ahead:
        piece = _QUOTES.sub("", following, count=1) if quoted else following.removeprefix(indent)
        if not piece.strip() or _BEGINS.match(piece):
            break
        pieces.append(piece.rstrip("\r\n"))
    return pieces


def _facts(event: LogEvent | None) -> int:
    if event is None:
        return -1
    known = (event.upstream, event.errno, event.client, event.host, event.request, event.status)
    return (
        sum(value is not None for value in known)
        + 2 * (event.phase is not Phase.NONE)
        + 2 * bool(event.causes)
        - any(" " in value for value in (event.upstream or "", event.host or ""))
        + (event.symptom not in {"other", "notice", "request-cut"})
    )
