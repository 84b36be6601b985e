"""Text as nginx sees it: one character for one byte, and room for what is not known.

Owns the two-way street between the text of a configuration (UTF-8) and the bytes that nginx compares. May not know
what the text means. A byte is a character below U+0100. A character from U+0100 on stands for a part that cannot be
known from the configuration (see `request.Unknowns`), so that such a part can travel inside a value.
"""

from __future__ import annotations

import re

from wizard.text import one_line

_UNKNOWN = re.compile(r"[^\x00-\xff]")

# What nginx escapes in a path and in an argument (the tables of ngx_escape_uri, ngx_string.c of 1.22).
_ESCAPE_URI = re.compile(r'[\x00-\x20"#%<>?\\^`{|}\x7f-\xff]')
_ESCAPE_ARGS = re.compile(r'[\x00-\x20"#%&+;<>?\\^`{|}\x7f-\xff]')
_PERCENT = re.compile(r"%([0-9a-fA-F]{2})|%([^0-9a-fA-F])|%[0-9a-fA-F]?.?|(\?)", re.DOTALL)


def octets(text: str) -> str:
    """Text of a configuration or a URL, one character a byte."""
    return text if text.isascii() else text.encode("utf-8", "surrogateescape").decode("latin-1")


def text_of(value: str) -> str:
    """One character a byte back to text; parts that are not known become `?`."""
    if value.isascii():
        return value
    return _UNKNOWN.sub("?", value).encode("latin-1").decode("utf-8", "surrogateescape")


def said(value: str, *, limit: int = 120) -> str:
    """A value in a sentence: on one line, nothing in it that a terminal acts on."""
    return one_line(text_of(value), limit=limit)


def unknown_in(value: str) -> bool:
    """Whether a part of the value is not known."""
    return not value.isascii() and _UNKNOWN.search(value) is not None


def escape_uri(value: str) -> str:
    """A path as nginx writes it into a request line."""
    return _ESCAPE_URI.sub(lambda found: f"%{ord(found[0]):02X}", value)


def escape_args(value: str) -> str:
    """A capture as nginx writes it into arguments."""
    return _ESCAPE_ARGS.sub(lambda found: f"%{ord(found[0]):02X}", value)


def unescape_redirect(value: str) -> str:
    """A redirect's target as nginx writes it into Location (ngx_unescape_uri).

    Printable bytes are decoded up to the first question mark, be it sent as one or decoded; a `%` that begins no byte
    is dropped.
    """
    parts: list[str] = []
    at = 0
    for found in _PERCENT.finditer(value):
        parts.append(value[at : found.start()])
        at = found.end()
        if found[1] is not None:
            byte = int(found[1], 16)
            parts.append(chr(byte) if 0x25 < byte < 0x7F else found[0])
        else:
            parts.append(found[2] or found[3] or "")
        if parts[-1] == "?":
            break
    return "".join(parts) + value[at:]
