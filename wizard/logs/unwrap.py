"""What stands around a log line, taken off layer by layer.

Owns the prefixes and wrappings of terminals, `docker compose`, `kubectl`, containerd, syslog, the journal, dmesg, grep,
JSON collectors, e-mail and chat. May not know the programs behind the lines: a layer is offered to their readers
before the next one is taken off, so that nothing of a program's own notation is mistaken for a wrapping.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape

from msgspec.structs import replace

from wizard.logs.fields import Fields, json_fields, logfmt_fields, number_of, text_of, unescaped
from wizard.logs.hints import Hints
from wizard.logs.stamps import MONTHS

LAYERS = 12  # nobody nests deeper; a hostile line ends there

# Colours: with the escape character, with its many spellings, or with the escape character lost.
_ANSI = re.compile(
    r"(?:\x1b|\\{1,4}(?:x1b|u001b|e|033)|\^\[|#033|\x9b)\[[0-9;:?]{0,20}[A-Za-z]|\x1b[()][A-Z0-9]|\x1b[=>]"
    r"|\[(?:\d{1,3}(?:;\d{1,3}){0,4})?m(?![\w\]])|\[(?:0|1|22|3\d|9\d|38;5;\d{1,3})m",
    re.IGNORECASE | re.ASCII,
)
_COLOURED = re.compile(r"\[[0-9;]{0,12}[mK]|\x9b", re.ASCII)
_TYPOGRAPHY = str.maketrans(
    {
        "\u00a0": " ",
        "\u202f": " ",
        "\u2007": " ",
        "\u3000": " ",
        "\u201c": '"',
        "\u201d": '"',
        "\u201e": '"',
        "\u201f": '"',
        "\u00ab": '"',
        "\u00bb": '"',
        "\u2018": "'",
        "\u2019": "'",
        "\u201a": "'",
        "\u2032": "'",
        "\u2033": '"',
        "\u2013": "-",
        "\u2212": "-",
        "\u200b": None,
        "\u200c": None,
        "\u200d": None,
        "\u2060": None,
        "\ufeff": None,
        "\u00ad": None,
        "\x00": None,
    }
)
_PREFIX = 512  # characters within which a prefix ends
_SPACES = " \t\r\n\x0b\x0c"
_CUT_MARKS = ("\u2026", " $", " >", " \\", "\u23ce")

_MONTH = r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
_ISO_STAMP = r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?: ?(?:Z|UTC|[+-]\d\d:?\d\d))?"
_TAG = r"(\([\w.-]{1,48}\)|[\w./@-]{1,64})(?:\[(\d{1,8})\])?: "

_COMPOSE = re.compile(r"[\w][\w.|/-]{0,80}? {0,40}\| ?")
_POD = re.compile(r"\[pod/[^\]\s]{1,300}\] ")
_STERN = re.compile(r"[\w.-]{1,120} [\w.-]{1,80} \u203a ")
_CRI = re.compile(rf"({_ISO_STAMP}) (?:stdout|stderr) [FP](?::\w)? ", re.ASCII)
_STREAM = re.compile(r"\[?(?:stdout|stderr|err|out)\]?(?: ?[:|>] ?| F )")
_RFC5424 = re.compile(
    r"<\d{1,3}>1 (\S{1,40}) (\S{1,255}) (\S{1,48}) (\S{1,128}) \S{1,32} (?:-|(?:\[[^\]]{0,2000}\])+) ?", re.ASCII
)
_SYSLOG = re.compile(
    rf"(?:<\d{{1,3}}>)?({_MONTH} [ \d]\d \d\d:\d\d:\d\d(?:\.\d{{1,6}})?(?: \d{{4}})?) (?:([\w.:-]{{1,255}}) )?{_TAG}",
    re.ASCII,
)
_ISO_SYSLOG = re.compile(rf"(?:<\d{{1,3}}>)?({_ISO_STAMP}) ((?!\d{{4}}-\d\d-)[\w.:-]{{1,255}}) {_TAG}", re.ASCII)
_JOURNAL_UNIT = re.compile(
    rf"((?:\w{{3}} )?{_ISO_STAMP}|{_MONTH} [ \d]\d \d\d:\d\d:\d\d) ([\w.-]{{1,255}}) {_TAG}", re.ASCII
)
_ISO = re.compile(rf"({_ISO_STAMP})[ \t]+", re.ASCII)
_PRIORITY = re.compile(r"<\d{1,3}>(?!1 )")
_TAGGED = re.compile(
    r"(kernel|systemd|nginx|haproxy|apache2|httpd|php-fpm[\d.]*|gunicorn|uwsgi|dockerd|docker-proxy)(?:\[(\d{1,8})\])?: "
)
_DMESG = re.compile(r"(?:<\d>|\w{3,8} {0,4}:\w{3,8} {0,4}: )?\[ {0,8}\d{1,9}\.\d{3,6}\] ", re.ASCII)
_DMESG_DATE = re.compile(r"(?:\w{3,8} {0,4}:\w{3,8} {0,4}: )?\[(\w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d \d{4})\] ", re.ASCII)
_FILE = re.compile(r"([\w./@+~-]{2,200}+):(?:\d{1,9}[:-])? ?", re.ASCII)
_LOG_NAMES = ("log", "err", "messages", "journal", "txt", "out")
_NUMBERED = re.compile(
    r"\d{1,8}(?:[:)|-] ?|\. |[ \t]{1,8})(?=\D|\d{4}[/-]|\d{1,3}\.\d{1,3}\.|\d{1,8}[:)|.] )", re.ASCII
)
_QUOTED_MAIL = re.compile(r"(?:> ?|&gt; ?|\| )+")
_BULLET = re.compile(r"(?:[-*+\u2022\u00b7\u25e6\u2023] |\d{1,3}[.)] |#+ |\u2192 |-> |\$ )")
_LOOSE = re.compile(r"[\w\[\]()<>./@:|#* \t-]{0,200}?(?=\{\")", re.ASCII)

# What may stand before a line without a time, by a character that such a prefix needs.
_PLAIN = (
    ("[pod/", _POD),
    ("\u203a", _STERN),
    ("std", _STREAM),
    ("err", _STREAM),
    ("|", _COMPOSE),
    (">", _QUOTED_MAIL),
    ("&gt;", _QUOTED_MAIL),
    (" ", _BULLET),
    ("<", _PRIORITY),
    ("", _NUMBERED),
)

_LINE_FIELDS = (
    "MESSAGE",
    "log",
    "message",
    "msg",
    "line",
    "textPayload",
    "@message",
    "body",
    "event",
    "raw",
    "text",
    "error",
    "err",
)
_TIME_FIELDS = ("time", "timestamp", "@timestamp", "ts", "date", "datetime", "TIMESTAMP")
_PROGRAM_FIELDS = ("SYSLOG_IDENTIFIER", "_COMM", "syslog_identifier", "program", "ident", "appname", "tag")


def cleaned(text: str) -> str:
    """A text without colours, typographer's quotes, invisible characters, HTML's entities and marks of a cut line."""
    if not text.isascii() or "\x00" in text:
        text = text.translate(_TYPOGRAPHY)
    if "\x1b" in text or (not text.lstrip().startswith("{") and _COLOURED.search(text) is not None):
        text = _ANSI.sub("", text)
    if "&" in text and ";" in text and '"' not in text and ("&quot;" in text or "&#34;" in text or "&gt;" in text):
        text = unescape(text)
    text = text.strip(_SPACES)
    for mark in _CUT_MARKS:
        if text.endswith(mark):
            text = text.removesuffix(mark).rstrip(_SPACES)
    if '\\"' in text and not text.startswith("{"):
        bare = text[1:-1] if len(text) > 1 and text[0] == '"' and text[-1] == '"' else text.removeprefix('"')
        if bare.count('"') == bare.count('\\"'):
            text = unescaped(bare).strip(_SPACES)  # every quote is escaped: the text stood inside quotes
    return text


def layers(text: str, hints: Hints) -> Iterator[tuple[str, Hints]]:
    """The line, then what is inside each wrapping, the outermost first, each with what its surroundings said."""
    current = cleaned(text)
    for _ in range(LAYERS):
        if not current:
            return
        yield current, hints
        peeled = _peeled(current, hints)
        if peeled is None:
            return
        inside, hints = peeled
        inside = cleaned(inside)
        if len(inside) >= len(current) and inside == current:
            return
        current = inside


def _peeled(text: str, hints: Hints) -> tuple[str, Hints] | None:
    first = text[0]
    if first == "{":
        return _from_json(text, hints)
    if first in "`\"'*_|>&" and (unquoted := _unquoted(text)) is not None:
        return unquoted, hints
    if (stamped := _stamped(text, hints)) is not None:
        return stamped
    head = text[:_PREFIX]
    for literal, pattern in _PLAIN:
        if literal in head and (found := pattern.match(text)) is not None and found.end() < len(text):
            return text[found.end() :], hints
    if ":" in head and (found := _FILE.match(text)) is not None and any(name in found[1] for name in _LOG_NAMES):
        return text[found.end() :], hints
    return _loosely(text, hints)


def _loosely(text: str, hints: Hints) -> tuple[str, Hints] | None:
    """The inside of what names a program without a time, or stands before structured text."""
    if (tagged := _TAGGED.match(text)) is not None:
        return text[tagged.end() :], replace(hints, program=tagged[1], pid=int(tagged[2]) if tagged[2] else hints.pid)
    if '{"' in text and (loose := _LOOSE.match(text)) is not None and loose.end():
        return text[loose.end() :], hints
    if "=" in text:
        return _from_logfmt(text, hints)
    return None


def _unquoted(text: str) -> str | None:
    """The inside of quotes, backticks or emphasis, also where the closing mark is cut off."""
    for mark in ("```", "`", "**", "__", '"', "'"):
        if text.startswith(mark):
            inside = text[len(mark) :]
            closed = inside.rstrip(" ,;.")
            if closed.endswith(mark) and len(closed) >= len(mark):
                inside = closed[: -len(mark)]
                return unescaped(inside) if '\\"' in inside and inside.count('"') == inside.count('\\"') else inside
            return inside if mark in {"```", "`"} or inside.count(mark) == 0 else None
    if text.startswith("|"):
        return text.strip("| ")
    return None


def _stamped(text: str, hints: Hints) -> tuple[str, Hints] | None:
    """The inside of a prefix that carries a time, and perhaps a host, a program and a pid."""
    clock = hints.clock
    first = text[0]
    if not (first in "<[" or text[4:5] == "-" or text[:3] in MONTHS or text[3:4] in {" ", "n"}):
        return None
    if first == "[":
        return _from_dmesg(text, hints)
    if (found := _RFC5424.match(text)) is not None:
        stamp, _, program, pid = found.groups()
        return text[found.end() :], replace(
            hints, time=_later(clock.read(stamp), hints), program=_name(program), pid=_number(pid, hints)
        )
    if (found := _CRI.match(text)) is not None:
        return text[found.end() :], replace(hints, time=_later(clock.read(found[1]), hints))
    for pattern in (_SYSLOG, _ISO_SYSLOG, _JOURNAL_UNIT):
        if (found := pattern.match(text)) is not None:
            stamp, _, program, pid = found.groups()
            return text[found.end() :], replace(
                hints, time=_later(clock.read(stamp), hints), program=_name(program), pid=_number(pid, hints)
            )
    if (found := _ISO.match(text)) is not None:
        return text[found.end() :], replace(hints, time=_later(clock.read(found[1]), hints))
    return _from_dmesg(text, hints)


def _from_dmesg(text: str, hints: Hints) -> tuple[str, Hints] | None:
    clock = hints.clock
    if (found := _DMESG_DATE.match(text)) is not None:
        return text[found.end() :], replace(hints, time=_later(clock.read(found[1]), hints), program="kernel")
    if (found := _DMESG.match(text)) is not None:
        return text[found.end() :], replace(hints, program="kernel")
    return None


def _later(time: float | None, hints: Hints) -> float | None:
    """The innermost time that could be read: it is nearest to the event."""
    return hints.time if time is None else time


def _name(program: str) -> str:
    return program.rpartition("/")[2] if program != "-" else ""


def _number(printed: str | None, hints: Hints) -> int | None:
    return int(printed) if printed is not None and printed.isascii() and printed.isdigit() else hints.pid


def _from_json(text: str, hints: Hints) -> tuple[str, Hints] | None:
    """The line inside a collector's object: its message, with the time, program and pid beside it."""
    fields = json_fields(text)
    if fields is None:
        return None
    inside = ""
    for name in _LINE_FIELDS:
        value = fields.get(name)
        if isinstance(value, str) and value.strip():
            inside = value
            break
        if isinstance(value, list) and value and all(isinstance(byte, int) and 0 <= byte < 256 for byte in value):
            # The journal writes what is no UTF-8, or holds colours, as a list of bytes.
            inside = bytes(byte for byte in value if isinstance(byte, int)).decode("utf-8", "backslashreplace")
            break
        if isinstance(value, dict) and text_of(value, *_LINE_FIELDS):
            inside = text_of(value, *_LINE_FIELDS)
            break
    if not inside:
        return None
    return inside, replace(
        hints,
        time=_later(_json_time(fields, hints), hints),
        program=_name(text_of(fields, *_PROGRAM_FIELDS)) or hints.program,
        pid=number_of(fields, "_PID", "SYSLOG_PID", "pid") or hints.pid,
    )


def _json_time(fields: Fields, hints: Hints) -> float | None:
    micros = text_of(fields, "_SOURCE_REALTIME_TIMESTAMP", "__REALTIME_TIMESTAMP")
    if micros.isascii() and micros.isdigit() and len(micros) < 20:
        return int(micros) / 1e6
    for name in _TIME_FIELDS:
        value = fields.get(name)
        if isinstance(value, str) and (time := hints.clock.read(value)) is not None:
            return time
        if isinstance(value, (int, float)) and not isinstance(value, bool) and 1e8 < value < 1e20:
            for unit in (1.0, 1e3, 1e6, 1e9):
                if value / unit < 1e11:
                    return float(value) / unit
    return None


def _from_logfmt(text: str, hints: Hints) -> tuple[str, Hints] | None:
    if not any(f"{name}=" in text for name in ("msg", "message", "log", "line")):
        return None
    fields = logfmt_fields(text)
    inside = next((fields[name] for name in ("msg", "message", "log", "line") if fields.get(name)), "")
    if not inside or inside == text:
        return None
    time = hints.clock.read(fields["time"]) if fields.get("time") else None
    return inside, replace(hints, time=_later(time, hints))
