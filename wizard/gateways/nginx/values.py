"""Times and sizes as nginx writes them (ngx_parse.c), in seconds and bytes.

Owns the units. May not know which directive has them.
"""

from __future__ import annotations

import re

_TIME = re.compile(r"(\d+)(ms|[smhdwMy]?)\s*")
_SECONDS = {
    "ms": 0.001, "": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0, "M": 2592000.0, "y": 31536000.0,
}  # fmt: skip
_SIZE = re.compile(r"(\d+)([kKmMgG]?)")
_BYTES = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}


def seconds(text: str, default: float) -> float:
    """A time such as `60`, `500ms` or `1h 30m` in seconds; the default where it is none."""
    total, at = 0.0, 0
    while found := _TIME.match(text, at):
        if len(found[1]) > 12:
            return default
        total += int(found[1]) * _SECONDS[found[2]]
        at = found.end()
    return total if at == len(text) and text else default


def size(text: str, default: int) -> int:
    """A size such as `4k` or `1m` in bytes; the default where it is none."""
    found = _SIZE.fullmatch(text)
    return int(found[1]) * _BYTES[found[2].lower()] if found and len(found[1]) <= 12 else default


def whole(text: str, default: int) -> int:
    """A whole number; the default where it is none."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 12 else default
