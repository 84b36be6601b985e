"""Which protocol a peer speaks, by the first bytes it sent.

Owns a small table of openings that are met behind a gateway by mistake. A guess for words in a report, never the
ground of a verdict. Pure.
"""

from __future__ import annotations

import re

# Each from its own specification; the first that matches counts.
_OPENINGS: tuple[tuple[str, re.Pattern[bytes]], ...] = (
    ("HTTP/1", re.compile(rb"HTTP/1\.[01] ")),
    ("an HTTP/1 request", re.compile(rb"(?:GET|HEAD|POST|PUT|OPTIONS|CONNECT) \S{1,500} HTTP/1")),
    ("HTTP/2", re.compile(rb"PRI \* HTTP/2\.0|\x00[\x00-\x40].[\x04\x07][\x00-\x01]\x00\x00\x00\x00", re.DOTALL)),
    ("a TLS alert", re.compile(rb"\x15\x03[\x00-\x04]\x00\x02", re.DOTALL)),
    ("TLS", re.compile(rb"[\x14\x16\x17]\x03[\x00-\x04]", re.DOTALL)),
    ("FastCGI", re.compile(rb"\x01[\x03\x06\x07\x0a\x0b]\x00[\x00\x01]", re.DOTALL)),
    ("SSH", re.compile(rb"SSH-[12]\.")),
    ("MySQL", re.compile(rb".{3}[\x00\x01](?:\x0a[0-9]|\xff..)", re.DOTALL)),
    ("Redis", re.compile(rb"-(?:ERR|NOAUTH|DENIED|MISCONF|LOADING)\b|\+(?:OK|PONG)\r\n")),
    ("PostgreSQL", re.compile(rb"E\x00\x00..S[A-Z]", re.DOTALL)),
    ("AMQP", re.compile(rb"AMQP[\x00-\x03]")),
    ("the PROXY protocol", re.compile(rb"PROXY (?:TCP[46]|UNKNOWN)|\r\n\r\n\x00\r\nQUIT\n")),
    ("SMTP, FTP or the like", re.compile(rb"[1-5]\d\d[ -][^\r\n]{0,200}\r?\n")),
    ("memcached", re.compile(rb"(?:ERROR|CLIENT_ERROR|SERVER_ERROR)[ \r]")),
)


def spoken(received: bytes) -> str | None:
    """The protocol that begins like these bytes, in words that follow "looks like"; None where none is known."""
    return next((name for name, opening in _OPENINGS if opening.match(received)), None)
