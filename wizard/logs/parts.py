"""The parts of a line that never decide what it means: times, clients, process ids, request lines, durations.

Owns where they stand, by the text beside them. May not know what a line means. Works on bytes, which need no decoding.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import itemgetter

from wizard.logs.patterns import Pattern

Taken = bytes | tuple[bytes, ...]  # parts of a line, taken out of it
Taker = Callable[[bytes], Taken]

# Times: the part in whole seconds, and the zone behind it. What follows a point is left out: it never decides.
_STAMPS = tuple(
    (literal, Pattern(pattern))
    for literal, pattern in (
        (b":", rb"(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d)(?:[.,]\d{1,9})?( ?(?:Z|UTC|[+-]\d\d:?\d\d))?"),
        (b"/", rb"(\d{4}/\d\d/\d\d \d\d:\d\d:\d\d)(?:\.\d{1,9})?"),
        (b":", rb"(\d{1,2}[/-][A-Z][a-z]{2}[/-]\d{4}[: ]\d\d:\d\d:\d\d)(?:\.\d{1,9})?( [+-]\d{4})?"),
        (b":", rb"([A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d)(?:\.\d{1,9})?( \d{4})?"),
        (b"1", rb"(1(?<![\d.]1)\d{9})(?:\.\d{1,9})?(?![\d.])|(1(?<![\d.]1)\d{9})\d{3}(?:\d{3}){0,2}(?![\d.])"),
    )
)
# What is a request's, a client's or a process's alone, by a text that is always beside it. The groups are the parts.
_PARTS = tuple(
    (literal, Pattern(pattern))
    for literal, pattern in (
        (b"#", rb"(\d+)#(\d+): (?:\*(\d+) )?"),
        (b"[pid ", rb"\[pid (\d+)(?::tid (\d+))?\]"),
        (b"id", rb"\b(?:pid|PID|tid|_PID)[ :=]+\"?(\d+)"),
        (b"]: ", rb"[\w.)-]\[(\d+)\]: "),
        (b"] [", rb"\] \[(\d+)\] \["),
        (b") :", rb"\] +(?:\d{3}/\d{6} )?\((\d+)\) :"),
        (b"process ", rb"\bprocess (\d+)"),
        (b"child ", rb"\bchild (\d+)"),
        (b"worker ", rb"\bworker (\d+)"),
        (b"[", rb"\[ *(\d+\.\d{3,6})\]"),
        (b"-rss:", rb"\b(?:total-vm|anon-rss|file-rss|shmem-rss|pgtables|UID|oom_score_adj):-?(\d+)"),
        (b"client", rb"\bclient:? \[?([\da-f.:]+)"),
        (b" [", rb"([\da-f][\da-f.:]*:\d+)(?= \[\d\d/)"),
        (b" - ", rb"([\da-f][\da-f.:]*)(?= - \S+ \[)"),
        (
            b'":',
            rb"\"(?:remote_ip|remote_port|remote_addr|client_ip|Client(?:Addr|Host|Port))\": ?\"([\da-f.:\[\]]*)\"",
        ),
        (b'":', rb"\"(?:duration|size|bytes_read|err_id|request_id|trace_id|RequestCount|Duration)\": ?\"?([\w.-]+)"),
        (b'":', rb"\"(?:uri|RequestPath|request_path|User-Agent)\": ?\[?\"([^\"]*)\""),
        (b" HTTP/", rb"\b(?:GET|POST|PUT|HEAD|DELETE|OPTIONS|PATCH) ([^\" ]*)(?= HTTP/)"),
        (b" => ", rb"\b(?:GET|POST|PUT|HEAD|DELETE|OPTIONS|PATCH) (/[^\" ]*)(?= => generated)"),
        (b"://", rb"://(?!unix:)[^/\"\s]+(/[^\"\s]*)(?=\")"),
        (b"referrer: ", rb"referrer: \"([^\"]*)\""),
        (b"Mozilla/", rb"\"Mozilla/([^\"]*)\""),
        (b"/", rb"(?<= )(-?\d+(?:/-?\d+){1,4})(?= )"),
        (b" - - ", rb"(?<= \d{3} )\+?(\d+)(?= \S+ \S+ [A-Za-z-]{4} )"),
        (b'" ', rb"(?<=\" )(\d+ \d+ \d+) (?:(\d+)|-)(?= \\?\")"),
        (b"bound|", rb" (?:out|in)bound\|([^\"\\]*)"),
        (b"containers/", rb"containers/([\da-f]{12,64})"),
        (b"-", rb"([\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12})(?![\w-])"),
        (b" vars in ", rb"\{(\d+) vars in (\d+) bytes\}|req: (\d+/\d+)|generated ([1-9]\d+) bytes"),
        (b"s", rb"(?<=[ (:])(\d+(?:\.\d+)?) ?(?:ms|sec|seconds|msecs)\b"),
        (b"kB", rb"(\d+)kB\b"),
    )
)
CLOCK = Pattern(rb"\d\d:\d\d:\d\d|\d{10}")
BYTES = Pattern(rb"\[\d{1,3}(?:, ?\d{1,3}){7}")  # a text that the journal printed as numbers
# Of a line that says nothing only these numbers could have made it say something, by what stands before them: codes,
# statuses, sizes, ports, what is in brackets, and what is less than nothing.
_NUMBERS = Pattern(rb"\d+|[\da-f]{12,}")
_TELLING = Pattern(
    rb"(?:[Cc]ode|signal|tatus|errno|rror|number|size|frame|generated|PT|set|response|permissive)[\"':= (]{0,4}-?$|[\w\\(#\[;]$|[/ ]-$"
)
_BEFORE = 16  # bytes before a number within which such a word begins
_STATUS = 3  # digits of a status, which may stand alone
_ALONE = frozenset(b" '\"()[]")


def stamps_in(raw: bytes) -> dict[tuple[int, int], Taker]:
    """The times in a line: where each stands as a whole, and how its seconds and its zone are taken out."""
    found: dict[tuple[int, int], Taker] = {}
    for literal, pattern in _STAMPS:
        if literal in raw:
            for match in pattern.finditer(raw):
                taken = [slice(*span) for span in match.regs[1:] if span[0] >= 0]
                found[match.span()] = itemgetter(*taken)
    return found


def deciding_parts(raw: bytes, stamps: dict[tuple[int, int], Taker], *, silent: bool) -> tuple[slice, ...]:
    """Where the text stands that may decide: outside the times and the parts that never do."""
    spans = [*stamps]
    for literal, pattern in _PARTS:
        if literal in raw:
            for match in pattern.finditer(raw):
                spans += [span for span in match.regs[1:] if span[0] >= 0]
    if silent:
        for match in _NUMBERS.finditer(raw):
            start, end = match.span()
            alone = end - start == _STATUS and _ALONE.issuperset(raw[max(0, start - 1) : end + 1 : _STATUS + 1])
            if not alone and _TELLING.search(raw, max(0, start - _BEFORE), start) is None:
                spans.append((start, end))
    spans.sort()
    slices: list[slice] = []
    at = 0
    for start, end in spans:
        if start > at:
            slices.append(slice(at, start))
        at = max(at, end)
    slices.append(slice(at, len(raw)))
    return tuple(slices)
