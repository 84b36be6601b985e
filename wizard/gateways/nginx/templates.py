"""Values with variables in them: `http://$backend:${port}/$1`, taken apart once and filled in for each request.

Owns which characters make a variable's name (ngx_http_script.c: ngx_http_script_compile). May not know any value.
"""

from __future__ import annotations

import re
from functools import lru_cache

from wizard.gateways.nginx.octets import octets

_PART = re.compile(r"\$(?:([1-9])|\{(\w+)\}|(\w+))", re.ASCII)


class Variable(str):
    """The name of a variable inside a template; a digit from 1 to 9 is a capture."""

    __slots__ = ()


Template = tuple[str, ...]


@lru_cache(maxsize=8192)
def template(source: str) -> Template:
    """A configured value as literal parts (one character a byte) and `Variable` parts, in order."""
    parts: list[str] = []
    at = 0
    for found in _PART.finditer(source):
        if found.start() > at:
            parts.append(octets(source[at : found.start()]))
        parts.append(Variable(found[1] or found[2] or found[3]))
        at = found.end()
    if at < len(source):
        parts.append(octets(source[at:]))
    return tuple(parts)


def constant(source: str) -> str | None:
    """The value of a template without variables, else None."""
    parts = template(source)
    if any(isinstance(part, Variable) for part in parts):
        return None
    return parts[0] if parts else ""


def variables(source: str) -> tuple[str, ...]:
    """The names of the variables in a template."""
    return tuple(part for part in template(source) if isinstance(part, Variable))
