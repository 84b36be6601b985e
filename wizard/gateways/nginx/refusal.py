"""Why nginx refused to start or to take a new configuration: its `[emerg]` lines, taken apart.

Owns the reading of those lines. May not know where they were found. Messages: src/core/ngx_conf_file.c, ngx_inet.c,
ngx_connection.c, ngx_cycle.c and src/event/ngx_event_openssl.c of nginx.
"""

from __future__ import annotations

import re

import msgspec

from wizard.model import Place

_AT = r" in (?P<file>/[^:\n]+):(?P<line>\d+)"
_PATTERNS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("name-not-found", re.compile(r'host not found in (?:upstream|resolver|"[^"]*" of the "[^"]*" directive) ?"?(?P<what>[^"\s]*)"?')),
    ("name-not-found", re.compile(r"host not found in (?P<what>\S+)")),
    ("address-in-use", re.compile(r"bind\(\) to (?P<what>\S+) failed \(98:")),
    ("address-not-local", re.compile(r"bind\(\) to (?P<what>\S+) failed \(99:")),
    ("address-denied", re.compile(r"bind\(\) to (?P<what>\S+) failed \(13:")),
    ("key-unreadable", re.compile(r'cannot load certificate(?: key)? "(?P<what>[^"]+)"')),
    ("key-unreadable", re.compile(r'SSL_CTX_use_(?:certificate|PrivateKey)[a-z_]*\("(?P<what>[^"]+)"\) failed')),
    ("module-missing", re.compile(r'dlopen\(\) "(?P<what>[^"]+)" failed')),
    ("user-missing", re.compile(r'getpwnam\("(?P<what>[^"]+)"\) failed')),
    ("group-missing", re.compile(r'getgrnam\("(?P<what>[^"]+)"\) failed')),
    ("file-missing", re.compile(r'(?:open|mkdir)\(\) "(?P<what>[^"]+)" failed \(2:')),
    ("file-denied", re.compile(r'(?:open|mkdir)\(\) "(?P<what>[^"]+)" failed \(13:')),
    ("syntax", re.compile(r"(?P<what>unknown directive \S+|unexpected .+?|directive \S+ .+?|invalid .+?|\S+ directive .+?|duplicate .+?|a duplicate .+?|too (?:many|long) .+?|unknown .+?)" + _AT)),
    ("syntax", re.compile(r"(?P<what>[^\n]+?)" + _AT)),
)  # fmt: skip
_EMERG = re.compile(r"\[emerg\](?: \d+#\d+:)?(?: \*\d+)? ?(?P<text>.*)", re.DOTALL)
_PLACE = re.compile(_AT)
MAX_LINE = 4000


class Refusal(msgspec.Struct, frozen=True):
    """One `[emerg]` line: the word for its class, what it names, the place it names, and its text."""

    word: str
    what: str
    text: str
    at: Place | None = None


WORDS = (*dict.fromkeys(word for word, _ in _PATTERNS), "other")


def read_refusal(line: str) -> Refusal | None:
    """Take an `[emerg]` line apart; None for every other line."""
    found = _EMERG.search(line[:MAX_LINE])
    if found is None:
        return None
    text = found["text"].strip()
    place = _PLACE.search(text)
    at = Place(place["file"], int(place["line"])) if place else None
    for word, pattern in _PATTERNS:
        match = pattern.search(text)
        if match:
            return Refusal(word, match["what"], text, at)
    return Refusal("other", text, text, at)
