"""Messages that were broken over several lines: by a terminal's edge, by an editor, or by newlines of their own.

Owns which line may go on, and how its pieces are put together. May not know how a line is recognised.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Generic, TypeVar

from wizard.logs.patterns import Pattern
from wizard.model import LogEvent, Phase

MAX_LINE = 16384  # characters of a line that are looked at; no program writes a longer message
MOST_PIECES = 8  # physical lines that one message may be broken into

_BEGINS = Pattern(
    r"\s*(?:<\d{1,3}>|\[?\d{4}[/-]\d\d[/-]\d\d|\[\w{3} \w{3} |\[\d\d-\w{3}-\d{4}|\w{3} [ \d]\d \d\d:\d\d:\d\d|\{\"|==> |"
    r"\[pod/|\[pid: \d|\[(?:WARNING|ALERT|NOTICE)\] |\*\*\* |nginx: \[|time=\"|\d{1,3}(?:\.\d{1,3}){3}:\d+ \[|[\w.-]+ +\| |\[ *\d+\.\d+\] )"
)
_STAMPED = Pattern(r"\d{4}[/-]\d\d[/-]\d\d[T ]\d\d:\d\d:\d\d|[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d")
_PREFIX = 100  # characters within which the time of a message stands, whatever is before it
_QUOTES = Pattern(r"(?:> ?){1,8}")

Explain = Callable[[str], LogEvent | None]


Line = TypeVar("Line", str, bytes)


class Ahead(Generic[Line]):
    """Lines one after another, with a look at those that follow."""

    def __init__(self, lines: Iterable[Line]) -> None:
        self._lines: Iterator[Line] = iter(lines)
        self._following: deque[Line] = deque()

    def __iter__(self) -> Iterator[Line]:
        following, lines = self._following, self._lines
        while True:
            if following:
                yield following.popleft()
                continue
            for line in lines:
                yield line
                if following:
                    break
            else:
                return

    def following(self, count: int) -> Sequence[Line]:
        """Up to that many of the next lines; they are still to come."""
        while len(self._following) < count and (line := next(self._lines, None)) is not None:
            self._following.append(line)
        return self._following

    def skip(self, count: int) -> None:
        """Leave out that many of the lines that were looked at."""
        for _ in range(count):
            self._following.popleft()


def begins(line: str) -> bool:
    """Whether a line begins as a message does; an empty one ends the message before it too."""
    return not line.strip() or _BEGINS.match(line) is not None or _STAMPED.search(line, 0, _PREFIX) is not None


def may_go_on(line: str, event: LogEvent | None) -> bool:
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


def joined(
    line: str, event: LogEvent | None, following: Sequence[str], explain: Explain
) -> tuple[LogEvent | None, int]:
    """The event of a line with as many following lines as make it say more, and how many these are.

    Together they have to say more than each says alone: else the following lines are messages of their own.
    """
    best, used = event, 0
    most = _facts(event)
    pieces = _pieces(line, following)
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
        most = max(most, _facts(explain(piece)))
        for candidate in (glued, spaced):
            richer = explain(candidate)
            if _facts(richer) > most:
                best, used, most = richer, count, _facts(richer)
    return best, used


def _pieces(line: str, following: Sequence[str]) -> list[str]:
    """The following lines that may belong to a line, without the quoting or indentation that it has too."""
    pieces: list[str] = []
    quoted = _QUOTES.match(line) is not None
    indent = line[: len(line) - len(line.lstrip(" "))]
    for next_line in following:
        piece = _QUOTES.sub("", next_line, count=1) if quoted else next_line.removeprefix(indent)
        if begins(piece):
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
