"""What Apache httpd writes to its error log: the frame of a line in 2.2 and 2.4, and what stands before a message.

Owns the frame: time, module and level, `(errno)text: `, `[client ...]`, the AH number, in the order of either version.
May not know the table of messages, or where the log lies.
"""

from __future__ import annotations

import msgspec
from msgspec.structs import replace

from wizard.logs.connecting import Failure, connect_failure
from wizard.logs.errnos import errno_of
from wizard.logs.hints import PLAIN, Hints
from wizard.logs.patterns import Pattern
from wizard.logs.signatures import Match, Signature, find
from wizard.logs.tables.apache import BY_NUMBER, MESSAGES
from wizard.logs.upstreams import endpoint
from wizard.model import LogEvent, Phase

PROGRAM = "apache"

HEAD = Pattern(
    r"\[(\w{3} \w{3} +\d{1,2} \d\d:\d\d:\d\d(?:\.\d{1,6})? \d{4}|\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d{1,6})?)\] "
    r"\[(?:([a-z]\w{0,40}):)?(emerg|alert|crit|error|warn|notice|info|debug|trace\d|-)\] "
    r"(?:\[pid (\d+)(?::tid \d+)?\] )?"
)
_ERRNO = Pattern(r"\((EAI \d+|\d{1,6})\)([^\[\]]{1,90}?): ")
_PEER = Pattern(r"\[(client|remote) ([^\]\s]{1,200})\] ")
_NUMBER = Pattern(r"(AH\d{5}): ?")
_TIMEOUT = 70007  # APR_TIMEUP
_SERIOUS = frozenset({"error", "crit", "alert", "emerg"})
_TCP = Pattern(r"attempt to connect to (\S+) \([^)]*\) failed")
_UNIX = Pattern(r"attempt to connect to Unix domain socket (\S+) \(|WSGI daemon process '[^']*' on '(/[^']*)'")
# What httpd prints to its terminal (or the journal) when it does not start: nothing else begins so.
_STDERR = Pattern(
    r"(?P<frame>(?:apache2|httpd)(?:\[\d+\])?: )?(?:Syntax error on line \d+ of /|could not open (?:error|transfer) log file |"
    r"\(\d{1,3}\)[A-Z][\w -]+: make_sock: could not bind to address |no listening sockets available, shutting down|"
    r"Invalid command '[^']*', perhaps misspelled or defined by a module|"
    r"SSLCertificate(?:Key)?File: file '[^']*' does not exist or is empty)"
)
_SOURCE = Pattern(r"\w+\.c\(\d+\): ")  # of the source, at the levels debug and trace
_OUTRIGHT = ("attempt to connect", "WSGI daemon process", "FastCGI: failed to connect")
_APR = ("(70007)", "(70014)", "(20014)")
_BY_ERRNO = frozenset(
    {
        *("AH00957", "AH02454", "AH01102", "AH01084", "AH01075", "AH10404", "AH00072"),
        *("AH01030", "AH00992", "AH01032", "AH01012", "AH00878"),
    }
)
_TO = Pattern(
    r"(?:remote server|failed to|failed from|dialog to|connection to backend:|worker for|connection for|sending data to|"
    r"request to|Request to|Environment to|headers from) "
    r"\(?(\[[0-9a-fA-F:.]+\]:\d+|[\w.-]+:\d+)(?=[\s),:]|$)"
)


def read(text: str, hints: Hints = PLAIN) -> LogEvent | None:
    """A line of Apache's error log as an event, or None where it is none of Apache's."""
    head = HEAD.match(text)
    if head is not None:
        stamp, _, level, pid = head.groups()
        time = hints.clock.read(stamp)
        return _event(
            text, text[head.end() :], level, hints.time if time is None else time, int(pid) if pid else hints.pid
        )
    if not hints.loose:
        return None
    if "AH" in text and (number := _NUMBER.search(text)) is not None and number[1] in BY_NUMBER:
        return _without_errno(_event(text, _from_errno(text, number.start()), "", hints.time, hints.pid), number[1])
    if "proxy: " in text and (start := text.find("proxy: ")) >= 0:
        event = _event(text, _from_errno(text, start), "", hints.time, hints.pid)
        number_ = "AH01102" if "status line" in text or "request body" in text else ""
        return _without_errno(event, number_) if event.causes else None
    if (stderr := _STDERR.match(text)) is not None:
        event = _event(text, text[max(stderr.end("frame"), 0) :], "", hints.time, hints.pid)
        return event if event.causes else None
    return None


def _without_errno(event: LogEvent, number: str) -> LogEvent:
    """An event whose errno was cut off with the frame: it decides about the cause."""
    if event.errno is None and number in _BY_ERRNO and not any(code in event.line for code in _APR):
        return msgspec.structs.replace(event, causes=())
    return event


def _from_errno(text: str, start: int) -> str:
    """The text from the first errno or peer on that stands before position `start`, where one does."""
    found = [match.start() for pattern in (_ERRNO, _PEER) if (match := pattern.search(text, 0, start)) is not None]
    return text[min(found, default=start) :]


def _event(text: str, body: str, level: str, time: float | None, pid: int | None) -> LogEvent:
    code: int | None = None
    resolver = False
    wording, client, remote, number = "", None, None, None
    for _ in range(6):
        if body.startswith("(") and (found := _ERRNO.match(body)):
            resolver = found[1].startswith("EAI")
            code, wording = (None if resolver else int(found[1])), found[2]
        elif body.startswith("[") and (found := _PEER.match(body)):
            if found[1] == "client":
                client = found[2]
            else:
                remote = found[2]
        elif body.startswith("AH") and (found := _NUMBER.match(body)):
            number = found[1]
        elif ".c(" in body[:40] and (found := _SOURCE.match(body)):
            pass
        elif body.startswith("proxy: "):
            body = body[len("proxy: ") :]
            continue
        else:
            break
        body = body[found.end() :]
    errno = None if resolver else errno_of(code, wording)
    match = _match(number, body, errno, code, remote is not None)
    upstream = _upstream(body) or (endpoint(remote) if remote is not None else None)
    if match is None:
        serious = level in _SERIOUS
        meaning = (
            "Apache reports an error that no known fault of an upstream explains."
            if serious
            else "Apache reports what it does; this is no failure."
        )
        return _made(text, "other" if serious else "notice", meaning, Phase.NONE, errno, (), level, time, pid, client)
    row = match.row
    known = Failure(row.symptom, row.meaning, row.causes)
    if row.symptom == "connect-failed" and any(words in body for words in _OUTRIGHT):
        unix = number == "AH02454" or "Unix domain" in body or "WSGI daemon" in body
        known = connect_failure(110 if code == _TIMEOUT else errno, "unix:" if unix else upstream)
    return LogEvent(
        program=PROGRAM,
        symptom=known.symptom,
        meaning=known.meaning,
        phase=row.phase or Phase.NONE,
        time=time,
        level=level,
        errno=errno,
        upstream=upstream,
        client=_without_port(client),
        pid=pid,
        causes=known.causes,
        line=text,
        target=match.groups.get("target"),
    )


def _made(
    text: str,
    symptom: str,
    meaning: str,
    phase: Phase,
    errno: int | None,
    causes: tuple[str, ...],
    level: str,
    time: float | None,
    pid: int | None,
    client: str | None,
) -> LogEvent:
    return LogEvent(
        program=PROGRAM,
        symptom=symptom,
        meaning=meaning,
        phase=phase,
        time=time,
        level=level,
        errno=errno,
        client=_without_port(client),
        pid=pid,
        causes=causes,
        line=text,
    )


def _match(number: str | None, body: str, errno: int | None, code: int | None, remote: bool) -> Match | None:
    """The row for a message: by its text, else (where the text is cut) by its number."""
    said = code if code is not None else errno
    if number == "AH02039" and not remote:
        return None  # a client's certificate, not the upstream's
    known: tuple[Signature, ...] = BY_NUMBER.get(number, ()) if number is not None else ()
    match = find(known or MESSAGES, body, errno=said)
    if match is None and number is not None:
        fitting = [row for row in known if not row.errnos or said in row.errnos]
        if fitting:
            # The text decides between rows of one number; where it is cut off, no cause is named.
            same = all(row.causes == fitting[0].causes for row in fitting)
            return Match(fitting[0] if same else replace(fitting[0], causes=()))
    return match


def _upstream(body: str) -> str | None:
    if found := _UNIX.search(body):
        return f"unix:{found[1] or found[2]}"
    if found := _TCP.search(body):
        return endpoint(found[1])
    if found := _TO.search(body):
        return endpoint(found[1])
    return None


def _without_port(client: str | None) -> str | None:
    """Apache prints the client's port behind its address, IPv6 addresses without brackets in old versions."""
    if client is None:
        return None
    host, colon, port = client.rpartition(":")
    return host if colon and port.isdigit() and ("." in host or "[" in host or host.count(":") > 6) else client
