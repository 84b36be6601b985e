"""From a URL to what nginx works with: the request target, the normalised path, the host.

Owns the rules of ngx_http_parse_request_line, ngx_http_parse_complex_uri and ngx_http_validate_host (nginx 1.22). May
not know any configuration, except whether slashes are merged.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import msgspec

from wizard.gateways.nginx.listen import canonical_ip
from wizard.gateways.nginx.octets import octets

MAX_TARGET = 8192

_UNSENT = re.compile(r"[\x00-\x20\x7f-\xff\"<>]")
_NO_HOST = re.compile(r"[\x00-\x20\x7f/]|\.\.")
_HEX = re.compile(r"[0-9a-fA-F]{2}")
_COMPLEX = re.compile(r"[%#]|//|/\.")


class Target(msgspec.Struct, frozen=True):
    """A URL taken apart: what is connected to, and what is sent. `authority` is the Host header that a client sends."""

    tls: bool
    host: str
    port: int
    authority: str
    target: str  # the request target, one character a byte

    @property
    def ip(self) -> str | None:
        """The address, where the host is one."""
        return canonical_ip(self.host)


class Uri(msgspec.Struct, frozen=True):
    """A request target as nginx understood it: the decoded path, the arguments, and what it saw on the way."""

    path: str
    args: str
    unparsed: str
    quoted: bool
    plus: bool


class BadUrlError(ValueError):
    """Text that is no http or https URL; the message says why."""


def target(url: str) -> Target:
    """Take a URL apart as a client does before it sends a request; a fragment is not sent.

    Raises:
        BadUrlError: it is no http or https URL with a host.
    """
    if len(url) > MAX_TARGET:
        raise BadUrlError("the URL is too long")
    text = url.strip()
    if "://" not in text:
        text = f"http://{text}"
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port
    except ValueError as problem:
        raise BadUrlError(str(problem)) from None
    if parts.scheme not in {"http", "https"}:
        raise BadUrlError(f"{parts.scheme} is neither http nor https")
    if not host:
        raise BadUrlError("the URL names no host")
    host = _sent_host(host)
    tls = parts.scheme == "https"
    usual = 443 if tls else 80
    bracketed = f"[{host}]" if ":" in host else host
    path = text.split("://", 1)[1]
    path = path[re.search(r"[/?#]|\Z", path).start() :].partition("#")[0]  # type: ignore[union-attr]
    if not path.startswith("/"):
        path = "/" + path
    sent = _UNSENT.sub(lambda found: f"%{ord(found[0]):02X}", octets(path))
    authority = bracketed if port in {None, usual} else f"{bracketed}:{port}"
    return Target(tls, host, usual if port is None else port, authority, sent)


def _sent_host(host: str) -> str:
    if host.isascii():
        return host.lower()
    try:
        return host.encode("idna").decode("ascii").lower()
    except UnicodeError as problem:
        raise BadUrlError(f"the host name cannot be sent: {problem}") from None


def valid_host(sent: str) -> str | None:
    """The host that nginx looks a server up with, from a Host header; None where it answers 400."""
    if _NO_HOST.search(sent):
        return None
    end = sent.find("]") + 1 if sent.startswith("[") else sent.find(":")
    if end < 0 or (end == 0 and not sent.startswith(":")):
        end = len(sent)
    if sent.rfind(".") == end - 1:
        end -= 1
    return sent[:end].lower() if end > 0 else None


def normalised(sent: str, *, merge_slashes: bool) -> Uri | None:
    """What nginx makes of a request target; None where it answers 400.

    Args:
        sent: the target as sent, one character a byte, beginning with a slash.
        merge_slashes: the setting of the server that took the connection.
    """
    raw, _, args = sent.partition("?")
    if "#" in raw:
        raw, args = raw.partition("#")[0], ""
    args = args.partition("#")[0]
    plus = "+" in raw
    if not _COMPLEX.search(raw):
        return Uri(raw, args, sent, quoted=False, plus=plus)
    decoded = _decoded(raw)
    if decoded is None:
        return None
    path = _without_dots(decoded, merge_slashes=merge_slashes)
    if path is None:
        return None
    return Uri(path, args, sent, quoted="%" in raw, plus=plus or any(char == "+" for char, _ in decoded))


def _decoded(raw: str) -> list[tuple[str, bool]] | None:
    """Each byte of the path, and whether it is only itself (a decoded `%`, `#` or `?` ends no segment)."""
    out: list[tuple[str, bool]] = []
    at = 0
    while at < len(raw):
        char = raw[at]
        if char != "%":
            out.append((char, False))
            at += 1
            continue
        if not _HEX.fullmatch(raw, at + 1, at + 3):
            return None
        char = chr(int(raw[at + 1 : at + 3], 16))
        if char == "\0":
            return None
        out.append((char, char in "%#?"))
        at += 3
    return out


def _without_dots(decoded: list[tuple[str, bool]], *, merge_slashes: bool) -> str | None:
    """The path with `.` and `..` segments resolved; a decoded dot or slash counts as one that was sent."""
    out: list[str] = []
    segment: list[str] = []
    for char, _ in [*decoded, ("", True)]:
        if char and char != "/":
            segment.append(char)
            continue
        name = "".join(segment)
        segment = []
        if name == ".":
            continue
        if name == "..":
            if not _climb(out):
                return None
            continue
        out += name
        if char == "/" and not (merge_slashes and out and out[-1] == "/"):
            out.append("/")
    return "".join(out)


def _climb(out: list[str]) -> bool:
    """Drop the last segment, its slash included; False above the root. `out` ends with the slash before the dots."""
    if len(out) < 2:
        return False
    out.pop()
    while out and out[-1] != "/":
        out.pop()
    return bool(out)
