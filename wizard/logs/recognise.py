"""From a line, however it was pasted, to the event that it reports.

Owns the order of the readers, and the reading of a whole text line by line. May not know any program's wording.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from io import BytesIO, StringIO

from msgspec.structs import replace

from wizard.logs import apache, caddy, docker, envoy, gunicorn, haproxy, kernel, nginx, php_fpm, systemd, traefik, uwsgi
from wizard.logs.cleaning import cleaned
from wizard.logs.fields import unescaped
from wizard.logs.hints import Hints
from wizard.logs.joining import MAX_LINE, MOST_PIECES, Ahead, joined, may_go_on
from wizard.logs.patterns import Pattern
from wizard.logs.stamps import Clock
from wizard.logs.unwrap import layers
from wizard.model import LogEvent

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

_UNESCAPED_QUOTE = Pattern(r'[^\\]"')

# A frame in the middle of a line: whatever stands before it is a wrapping that nobody has named yet.
_FRAMES = tuple(
    (literal, Pattern(pattern))
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
    return explained(text_of_line(line), Hints(clock=Clock(zone_offset, year_hint)))


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
    lines = Ahead(_lines(data))
    number = 0
    for line in lines:
        number += 1
        event, used = explained(line, hints), 0
        if may_go_on(line, event):
            event, used = joined(line, event, lines.following(MOST_PIECES), lambda text: explained(text, hints))
        yield number, event
        lines.skip(used)
        for _ in range(used):
            number += 1
            yield number, None


def text_of_line(line: bytes | str) -> str:
    """A line as text, as far as it is looked at; what is no UTF-8 is made visible."""
    text = line[: MAX_LINE * 2].decode("utf-8", "backslashreplace") if isinstance(line, bytes) else line
    return text if len(text) <= MAX_LINE else text[:MAX_LINE]


def _lines(data: bytes | str) -> Iterator[str]:
    """The lines of a text, one at a time: a large one is never held twice."""
    stream: Iterable[bytes | str] = BytesIO(data) if isinstance(data, bytes) else StringIO(data, newline="\n")
    for line in stream:
        yield text_of_line(line)


def explained(text: str, hints: Hints) -> LogEvent | None:
    """What one line reports, where its clock is set already; as `explain_line`."""
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
