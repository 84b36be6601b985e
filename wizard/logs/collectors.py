"""The line inside a collector's record: its message, with the time, program and pid that stand beside it.

Owns the names that Docker, containerd, journald, Fluentd, Loki, CloudWatch, Elastic and Google give to their fields.
May not know the programs behind the lines.
"""

from __future__ import annotations

from msgspec.structs import replace

from wizard.logs.fields import Fields, json_fields, logfmt_fields, number_of, text_of
from wizard.logs.hints import Hints, later, name_of

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
    "_source",
    "raw",
    "text",
    "error",
    "err",
)
_TIME_FIELDS = ("time", "timestamp", "@timestamp", "ts", "date", "datetime", "TIMESTAMP")
_PROGRAM_FIELDS = ("SYSLOG_IDENTIFIER", "_COMM", "syslog_identifier", "program", "ident", "appname", "tag")


def from_json(text: str, hints: Hints) -> tuple[str, Hints] | None:
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
        time=later(_json_time(fields, hints), hints),
        program=name_of(text_of(fields, *_PROGRAM_FIELDS)) or hints.program,
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


def from_logfmt(text: str, hints: Hints) -> tuple[str, Hints] | None:
    """The line inside `key=value` pairs: their message."""
    if not any(f"{name}=" in text for name in ("msg", "message", "log", "line")):
        return None
    fields = logfmt_fields(text)
    inside = next((fields[name] for name in ("msg", "message", "log", "line") if fields.get(name)), "")
    if not inside or inside == text:
        return None
    time = hints.clock.read(fields["time"]) if fields.get("time") else None
    return inside, replace(hints, time=later(time, hints))
