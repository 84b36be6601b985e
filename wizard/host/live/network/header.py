"""The header of a reply, read so that every fault in it is told and none of them hides the rest.

Owns status line and header lines of HTTP/1 (RFC 9112) and of CGI (RFC 3875), and what a strict reader objects to.
The wording of a defect begins with one of the phrases below. Pure; linear; never raises.

h11 is not used: it stops at the first fault with one exception, and here the fault is what is looked for.
"""

from __future__ import annotations

import re

import msgspec

# nginx answers these with 502, "upstream sent invalid header" (tried with 1.22.1).
BAD_NAME_SPACE = "space in the header name"
CONTROL_NAME = "control character in the header name"
EMPTY_NAME = "empty header name"
NUL_BYTE = "NUL byte"
BARE_CR = "bare carriage return"
FOLDED = "folded header line"
# nginx lets these pass.
NO_COLON = "no colon"
BAD_NAME = "invalid character in the header name"
# nginx refuses these since 1.23.0 and let them pass before.
TWO_LENGTHS = "two Content-Length headers"
BAD_LENGTH = "invalid Content-Length"
TWO_CODINGS = "two Transfer-Encoding headers"
BAD_CODING = "unknown Transfer-Encoding"
LENGTH_AND_CODING = "Content-Length together with Transfer-Encoding"
BAD_STATUS = "invalid Status header"
TOO_LONG = "header longer than"

_END = re.compile(rb"\r?\n\r?\n")
_STATUS_LINE = re.compile(rb"HTTP/(\d{1,2}\.\d{1,2})[ \t]+([1-9]\d\d)(?:[ \t]+([^\r\n]*))?")
_STATUS_VALUE = re.compile(r"([1-9]\d\d)(?:[ \t]+(.*))?")
_TOKEN = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_MOST_HEADERS = 1000
_MOST_DEFECTS = 20
_LONGEST_FOLDED = 8192  # else a header of nothing but short folded lines is joined in quadratic time


class Head(msgspec.Struct, frozen=True):
    """A reply's header. `size` counts its bytes on the wire with the empty line.

    `length` is the announced Content-Length (None: none that can be believed), `chunked` the transfer coding.
    """

    status: int
    reason: str
    version: str
    headers: tuple[tuple[str, str], ...]
    size: int
    length: int | None
    chunked: bool
    defects: tuple[str, ...]


def end_of_header(data: bytes | bytearray, start: int = 0) -> int | None:
    """The offset after the empty line that ends a header; None where it has not come.

    Args:
        data: everything received so far.
        start: how much of it was looked at before; only the rest is.
    """
    if start < 2 and data.startswith((b"\n", b"\r")):  # CGI without any header line
        line = re.match(rb"\r?\n", data)
        if line:
            return line.end()
    match = _END.search(data, max(0, start - 3))
    return match.end() if match else None


def read_http_header(block: bytes) -> Head | None:
    """Read status line and header lines; None where the first line is no HTTP/1 status line."""
    first, _, rest = block.partition(b"\n")
    status = _STATUS_LINE.fullmatch(first.removesuffix(b"\r"))
    if status is None:
        return None
    version, code, reason = status.groups()
    return _head(int(code), _decoded(reason or b""), version.decode(), rest, len(block), first_line=2)


def read_cgi_header(block: bytes) -> Head:
    """Read header lines without a status line: the status is in `Status`, 302 with a bare `Location`, else 200."""
    head = _head(200, "", "", block, len(block), first_line=1)
    values = {name.lower(): value for name, value in reversed(head.headers)}
    if "status" not in values:
        return _with_status(head, 302, "") if "location" in values else head
    match = _STATUS_VALUE.fullmatch(values["status"])
    if match is None:
        return _with_status(head, 200, "", f"{BAD_STATUS}: {values['status'][:40]}")
    return _with_status(head, int(match[1]), match[2] or "")


def _with_status(head: Head, status: int, reason: str, *defects: str) -> Head:
    return Head(
        status, reason, head.version, head.headers, head.size, head.length, head.chunked, (*head.defects, *defects)
    )


def _head(status: int, reason: str, version: str, lines: bytes, size: int, *, first_line: int) -> Head:
    headers: list[tuple[str, str]] = []
    defects: list[str] = []
    lengths: list[str] = []
    codings: list[str] = []
    for number, raw in enumerate(lines.split(b"\n"), first_line):
        line = raw.removesuffix(b"\r")
        if not line:
            continue
        name, value, faults = _line(line)
        defects += [f"{fault} on header line {number}" for fault in faults]
        if FOLDED in faults and headers:
            before = headers[-1]
            if len(before[1]) < _LONGEST_FOLDED:
                headers[-1] = (before[0], f"{before[1]} {value}")
        elif len(headers) < _MOST_HEADERS:
            headers.append((name, value))
        key = name.lower()
        if key == "content-length":
            lengths.append(value)
        elif key == "transfer-encoding":
            codings.append(value)
    length, chunked, objections = _framing(lengths, codings)
    return Head(status, reason, version, tuple(headers), size, length, chunked, (*objections, *defects[:_MOST_DEFECTS]))


def _line(line: bytes) -> tuple[str, str, list[str]]:
    faults = []
    if b"\0" in line:
        faults.append(NUL_BYTE)
    if b"\r" in line:
        faults.append(BARE_CR)
    if line[:1] in {b" ", b"\t"}:
        return "", _decoded(line.strip()), [*faults, FOLDED]
    name, colon, value = line.partition(b":")
    if not colon:
        return _decoded(line), "", [*faults, NO_COLON]
    if not _TOKEN.fullmatch(name):
        faults.append(_fault_of_name(name))
    return _decoded(name), _decoded(value.strip(b" \t")), faults


def _fault_of_name(name: bytes) -> str:
    if not name:
        return EMPTY_NAME
    if b" " in name or b"\t" in name:
        return BAD_NAME_SPACE
    return CONTROL_NAME if any(byte < 0x20 or byte == 0x7F for byte in name) else BAD_NAME


def _framing(lengths: list[str], codings: list[str]) -> tuple[int | None, bool, list[str]]:
    """The announced length, whether the body is chunked, and what nginx since 1.23.0 objects to in them."""
    objections = []
    if len(lengths) > 1:
        objections.append(TWO_LENGTHS)
    valid = [int(text) for text in lengths if text.isascii() and text.isdecimal() and len(text) <= 18]
    if len(valid) < len(lengths):
        bad = next(text for text in lengths if not (text.isascii() and text.isdecimal() and len(text) <= 18))
        objections.append(f"{BAD_LENGTH}: {bad[:40]}")
    if len(codings) > 1:
        objections.append(TWO_CODINGS)
    unknown = [coding for coding in codings if coding.lower() != "chunked"]
    if unknown:
        objections.append(f"{BAD_CODING}: {unknown[0][:40]}")
    if lengths and codings:
        objections.append(LENGTH_AND_CODING)
    chunked = bool(codings) and codings[-1].lower().rpartition(",")[2].strip() == "chunked"
    believed = valid[0] if len(set(valid)) == 1 and len(valid) == len(lengths) and not codings else None
    return believed, chunked, objections


def _decoded(raw: bytes) -> str:
    return raw.decode("utf-8", "replace") if not raw.isascii() else raw.decode("ascii")
