"""What stands before a line: times, hosts, tags, the names of containers and pods, line numbers, marks of quoting.

Owns the prefixes of terminals, `docker compose`, `kubectl` and its kin, containerd, syslog, the journal, dmesg, grep,
e-mail and chat. May not know the programs behind the lines, nor in which order layers are taken off.
"""

from __future__ import annotations

from msgspec.structs import replace

from wizard.logs.fields import unescaped
from wizard.logs.hints import Hints, later, name_of
from wizard.logs.patterns import Pattern
from wizard.logs.stamps import MONTHS

PREFIX = 512  # characters within which a prefix ends

_MONTH = r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
_ISO_STAMP = r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?: ?(?:Z|UTC|[+-]\d\d:?\d\d))?"
_BSD_STAMP = rf"{_MONTH} [ \d]\d \d\d:\d\d:\d\d(?:\.\d{{1,6}})?(?: \d{{4}})?"
_TAG = r"(\([\w.-]{1,48}\)|[\w./@-]{1,64})(?:\[(\d{1,8})\])?: "

# --- with a time ------------------------------------------------------------------------------------------------------

_CRI = Pattern(rf"({_ISO_STAMP}) (?:stdout|stderr) [FP](?::\w)? ")
_RFC5424 = Pattern(r"<\d{1,3}>1 (\S{1,40}) (\S{1,255}) (\S{1,48}) (\S{1,128}) \S{1,32} (?:-|(?:\[[^\]]{0,2000}\])+) ?")
_SYSLOG = Pattern(rf"(?:<\d{{1,3}}>)?({_BSD_STAMP}) (?:([\w.:-]{{1,255}}) )?{_TAG}")
_ISO_SYSLOG = Pattern(rf"(?:<\d{{1,3}}>)?({_ISO_STAMP}) ((?!\d{{4}}-\d\d-)[\w.:-]{{1,255}}) {_TAG}")
_JOURNAL_UNIT = Pattern(rf"((?:\w{{3}} )?{_ISO_STAMP}|{_MONTH} [ \d]\d \d\d:\d\d:\d\d) ([\w.-]{{1,255}}) {_TAG}")
_ISO = Pattern(rf"\[?({_ISO_STAMP})(?:\]|:)?[ \t]+")
_BSD = Pattern(rf"({_BSD_STAMP})(?: [AP]M)?[ \t]+")
_UNIX = Pattern(r"(\d{10}\.\d{3,9})[ \t]+")
_DMESG = Pattern(r"(?:<\d>|\w{3,8} {0,4}:\w{3,8} {0,4}: )?\[ {0,8}\d{1,9}\.\d{3,6}\] ")
_DMESG_DATE = Pattern(r"(?:\w{3,8} {0,4}:\w{3,8} {0,4}: )?\[(\w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d \d{4})\] ")

# --- without a time ---------------------------------------------------------------------------------------------------

_COMPOSE = Pattern(r"[\w][\w.|/@-]{0,80}? {0,40}\| ?")
_POD = Pattern(r"\[pod/[^\]\s]{1,300}\] ")
_BRACKETED_POD = Pattern(r"\[[a-z][a-z0-9.]{0,60}-[a-z0-9.-]{1,120}(?: [\w.-]{1,80}){0,2}\] ")
_POD_AND_CONTAINER = Pattern(
    r"(?:[a-z][a-z0-9.-]{0,60} )?[a-z][a-z0-9.]{0,60}-(?:[a-z0-9-]{0,80}-)?(?:[a-z0-9]{5}|\d{1,3}) [a-z][a-z0-9-]{0,60} "
)
_STERN = Pattern(r"(?:[\w.-]{1,120} ){2,3}\u203a ")
_STREAM = Pattern(r"\[?(?:stdout|stderr|err|out)\]?(?: ?[:|>] ?| F )")
_OUTPUT_OF = Pattern(r"DEBG '[^']{1,80}' std(?:out|err) output:\s*")
_LABELS = Pattern(r'\{\w{1,40}="[^"]{0,200}"(?:, ?\w{1,40}="[^"]{0,200}"){0,30}\}\s+')
_STREAM_NAME = Pattern(r"[\w.-]{1,80}(?:/[\w.=$\[\]-]{1,120}){1,4}[ \t]+(?=\S)")
_HOSTED = Pattern(r"([\w.-]{1,255}) ([\w./@-]{1,64})\[(\d{1,8})\]: ")
_DYNO = Pattern(r"[\w-]{1,40}\[[\w.-]{1,60}\]: ")
_CLOCK = Pattern(r"\[?\d{1,2}:\d\d(?::\d\d(?:[.,]\d{1,9})?)?(?: ?[AP]M)?\]?[ \t]+(?=\S)")
_REPEATED = Pattern(r"message repeated \d{1,9} times: \[ ?")
_EXPORTED = Pattern(r"MESSAGE=")
_TAGS = Pattern(r"(?:<(?:pre|code|p|li|tt|span|div|br)(?: [^>]{0,80})?/?>){1,6}")
_PROMPT = Pattern(r"\[?[\w.-]{1,40}@[\w.-]{1,60}[: ][^#$]{1,100}[#$] ")
_PRIORITY = Pattern(r"<\d{1,3}>(?!1 )")
_TAGGED = Pattern(
    r"(kernel|systemd|nginx|haproxy|apache2|httpd|php-fpm[\d.]*|gunicorn|uwsgi|dockerd|docker-proxy)(?:\[(\d{1,8})\])?: "
)
_FILE = Pattern(r"([\w./@+~-]{2,200}+):(?:\d{1,9}:|\d{1,9}-(?!\d\d-))? ?")
_LOG_NAMES = ("log", "err", "messages", "journal", "txt", "out")
_NUMBERED = Pattern(r"\d{1,8}(?:[:)|-] ?|\. |[ \t]{1,8})(?=\D|\d{4}[/-]|\d{1,3}\.\d{1,3}\.|\d{1,8}[:)|.] )")
_QUOTED_MAIL = Pattern(r"(?:> ?|&gt; ?|\| )+")
_BULLET = Pattern(r"(?:[-*+\u2022\u00b7\u25e6\u2023] |\d{1,3}[.)] |#+ |\u2192 |-> |\$ )")
_MACRO = Pattern(r"\{(?:noformat|code|quote)(?::[^}]{0,60})?\}")
_CLOSING_TAGS = Pattern(r"(?:</\w{1,10}>|<br ?/?>){1,6}$")
_LOOSE = Pattern(r"[\w\[\]()<>./@:|#* \t-]{0,200}?(?=\{\")")

# What may stand before a line without a time, by a text that such a prefix needs.
_PLAIN = (
    ("[pod/", _POD),
    ("\u203a", _STERN),
    ("std", _STREAM),
    ("err", _STREAM),
    ("output:", _OUTPUT_OF),
    ("|", _COMPOSE),
    (">", _QUOTED_MAIL),
    ("&gt;", _QUOTED_MAIL),
    (" ", _BULLET),
    ("<", _PRIORITY),
    ("{", _LABELS),
    ("@", _PROMPT),
    ("MESSAGE=", _EXPORTED),
    ("", _NUMBERED),
)
# What looks less like a prefix comes last.
_UNSURE = (
    ("-", _BRACKETED_POD),
    ("-", _POD_AND_CONTAINER),
    ("]: ", _DYNO),
    (":", _CLOCK),
)


def unquoted(text: str) -> str | None:
    """The inside of quotes, backticks, emphasis or a wiki's macro, also where the closing mark is cut off."""
    if text[0] == "b" and text[1:2] in {"'", '"'}:
        text = text[1:]  # bytes, as Python prints them
    for mark in ("```", "`", "**", "__", '"', "'"):
        if text.startswith(mark):
            return _inside(text[len(mark) :], mark)
    if text.startswith("|"):
        return text.strip("| ")
    if (macro := _MACRO.match(text)) is not None:
        return text[macro.end() :].removesuffix(macro[0])
    if (tags := _TAGS.match(text)) is not None:
        return _CLOSING_TAGS.sub("", text[tags.end() :])
    if (repeated := _REPEATED.match(text)) is not None:
        return text[repeated.end() :].removesuffix("]")
    return None


def _inside(inside: str, mark: str) -> str | None:
    closed = inside.rstrip(" ,;.")
    if closed.endswith(mark) and len(closed) >= len(mark):
        inside = closed[: -len(mark)]
        if mark == '"' and '""' in inside and '"' not in inside.replace('""', ""):
            return inside.replace('""', '"')  # a spreadsheet doubles them
        return unescaped(inside) if '\\"' in inside and inside.count('"') == inside.count('\\"') else inside
    return inside if mark in {"```", "`"} or inside.count(mark) == 0 else None


def stamped(text: str, hints: Hints) -> tuple[str, Hints] | None:
    """The inside of a prefix that carries a time, and perhaps a host, a program and a pid."""
    clock = hints.clock
    first = text[0]
    if first == "[":
        return _from_dmesg(text, hints) or _from_iso(text, hints)
    if not (first == "<" or text[4:5] == "-" or text[:3] in MONTHS or text[3:4] in {" ", "n"} or text[10:11] == "."):
        return None
    if (found := _RFC5424.match(text)) is not None:
        stamp, _, program, pid = found.groups()
        return text[found.end() :], replace(
            hints, time=later(clock.read(stamp), hints), program=name_of(program), pid=_number(pid, hints)
        )
    if (found := _CRI.match(text)) is not None:
        return text[found.end() :], replace(hints, time=later(clock.read(found[1]), hints))
    for pattern in (_SYSLOG, _ISO_SYSLOG, _JOURNAL_UNIT):
        if (found := pattern.match(text)) is not None:
            stamp, _, program, pid = found.groups()
            return text[found.end() :], replace(
                hints, time=later(clock.read(stamp), hints), program=name_of(program), pid=_number(pid, hints)
            )
    if (inside := _from_iso(text, hints) or _from_dmesg(text, hints)) is not None:
        return inside
    if (found := _BSD.match(text)) is not None:
        return text[found.end() :], replace(hints, time=later(clock.read(found[1]), hints))
    if (found := _UNIX.match(text)) is not None:
        return text[found.end() :], replace(hints, time=float(found[1]))
    return None


def _from_iso(text: str, hints: Hints) -> tuple[str, Hints] | None:
    found = _ISO.match(text)
    if found is None:
        return None
    return text[found.end() :], replace(hints, time=later(hints.clock.read(found[1]), hints))


def _from_dmesg(text: str, hints: Hints) -> tuple[str, Hints] | None:
    clock = hints.clock
    if (found := _DMESG_DATE.match(text)) is not None:
        return text[found.end() :], replace(hints, time=later(clock.read(found[1]), hints), program="kernel")
    if (found := _DMESG.match(text)) is not None:
        return text[found.end() :], replace(hints, program="kernel")
    return None


def plain(text: str, hints: Hints) -> tuple[str, Hints] | None:
    """The inside of a prefix that carries no time."""
    head = text[:PREFIX]
    for literal, pattern in _PLAIN:
        if literal in head and (found := pattern.match(text)) is not None and found.end() < len(text):
            return text[found.end() :], hints
    if ":" in head and (found := _FILE.match(text)) is not None and any(name in found[1] for name in _LOG_NAMES):
        return text[found.end() :], hints
    return None


def tagged(text: str, hints: Hints) -> tuple[str, Hints] | None:
    """The inside of what names a program without a time, stands before structured text, or is a prefix only perhaps."""
    for pattern in (_TAGGED, _HOSTED):
        if (found := pattern.match(text)) is not None:
            *_, program, pid = found.groups()
            return text[found.end() :], replace(hints, program=name_of(program), pid=int(pid) if pid else hints.pid)
    head = text[:PREFIX]
    for literal, pattern in _UNSURE:
        if literal in head and (found := pattern.match(text)) is not None and found.end() < len(text):
            return text[found.end() :], hints
    if "/" in head and hints.time is not None and (found := _STREAM_NAME.match(text)) is not None:
        return text[found.end() :], hints
    if '{"' in text and (loose := _LOOSE.match(text)) is not None and loose.end():
        return text[loose.end() :], hints
    return None


def _number(printed: str | None, hints: Hints) -> int | None:
    return int(printed) if printed is not None and printed.isascii() and printed.isdigit() else hints.pid
