"""Private keys in PEM (RFC 7468), whole or in part, also written on one line.

Owns the reading of key blocks line by line. A border without its counterpart is common: files are cut at a limit and
logs begin anywhere. What stands behind a border stays unless it looks like a key's body, so that a line which only
quotes a border hides nothing. May not know files.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from wizard.host.secrets.spans import Span

_BEGINS = re.compile(rb"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")
_ENDS = re.compile(rb"-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")
_HEADER_OR_EMPTY = re.compile(rb"[ \t]*(?:[A-Za-z-]{1,40}: [^\r\n]*)?\s*")
_ON_ONE_LINE = re.compile(rb"(?:\\[nrt]|[A-Za-z0-9+/=]| (?=[A-Za-z0-9+/=]{16}))++")
_BODY = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/="
_AFTER_BODY = b" \t\r\n\"',;\\"
_LONGEST = 400  # lines; a 16384 bit RSA key has 200


def private_keys(data: bytes) -> Iterator[Span]:
    """The bodies of private keys; their borders stay."""
    if b"PRIVATE KEY" not in data:
        return
    left = 0  # lines of a key that may still follow
    above: list[Span] = []  # lines that are a key's if an END without BEGIN follows
    position = 0
    for line in data.split(b"\n"):
        begins, ends = _BEGINS.search(line), _ENDS.search(line)
        if begins or ends:
            if ends and not begins and not left:
                yield from above
            yield from _beside(line, position, begins, ends)
            left, above = (0 if ends else _LONGEST), []
        else:
            body = _body(line, position, inside=left > 0)
            if left:
                left = left - 1 if body or _HEADER_OR_EMPTY.fullmatch(line) else 0
                yield from [body] if body else []
            elif body and len(above) < _LONGEST:
                above.append(body)
            else:
                above = []
        position += len(line) + 1


def _beside(line: bytes, position: int, begins: re.Match[bytes] | None, ends: re.Match[bytes] | None) -> Iterator[Span]:
    """The body that stands on the line of a border, with its line breaks written as backslash and n."""
    if begins:
        body = _ON_ONE_LINE.match(line, begins.end())
        if body and len(body[0]) >= 16:
            yield Span(position + body.start(), position + body.end())
    elif ends and ends.start():
        tail = line[: ends.start()]
        run = len(tail) - len(tail.rstrip(_BODY + b"\\"))
        if run >= 16:
            yield Span(position + len(tail) - run, position + len(tail))


def _body(line: bytes, position: int, *, inside: bool) -> Span | None:
    """The base64 at the end of a line: all of it, or inside a key what a log's prefix leaves."""
    shown = line.rstrip(_AFTER_BODY)
    run = len(shown) - len(shown.rstrip(_BODY))
    whole = run == len(shown.lstrip(b" \t\"'"))
    if not run or not (whole or (inside and run >= 16)):
        return None
    return Span(position + len(shown) - run, position + len(shown))
