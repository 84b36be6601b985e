"""Printed addresses of upstreams in the one notation of the outward interface.

Owns the rule: `host:port`, `unix:/path`, IPv6 in brackets; no scheme, no path of a request.
May not know which program printed them.
"""

from __future__ import annotations

from wizard.logs.patterns import Pattern

_IPV6_AND_PORT = Pattern(r"([0-9a-fA-F:.]*:[0-9a-fA-F:.]*:[0-9a-fA-F.]*):(\d{1,5})$")
_LOOPBACK = Pattern(r"(?:127\.\d+\.\d+\.\d+|\[::1\]|localhost)(?::\d+)?$")


def endpoint(printed: str) -> str | None:
    """The address in a printed upstream.

    Args:
        printed: such as `http://127.0.0.1:9001/cart`, `fastcgi://unix:/run/php.sock:`, `[::1]:8000`, `::1:9001`.

    Returns:
        `host:port`, `unix:/path`, a bare group name, or None where nothing is left.
    """
    _, found, rest = printed.partition("://")
    address = rest if found else printed
    if address.startswith("unix:"):
        path = address[5:].partition(":")[0]
        return f"unix:{path}" if path else None
    if address.startswith("/"):
        return f"unix:{address}"
    for end in ("/", "?", "#"):
        address = address.partition(end)[0]
    address = address.rpartition("@")[2]
    if not address.startswith("[") and (bare := _IPV6_AND_PORT.match(address)):
        address = f"[{bare[1]}]:{bare[2]}"
    return address.rstrip("\\") or None


def scheme_of(printed: str) -> str:
    """The scheme before `://` in lower case, or an empty text."""
    scheme, found, _ = printed.partition("://")
    return scheme.lower() if found and scheme.isalpha() else ""


def is_unix(upstream: str | None) -> bool:
    """Whether the address is a unix socket."""
    return upstream is not None and upstream.startswith("unix:")


def is_loopback(upstream: str | None) -> bool:
    """Whether the address is one that only this network namespace can reach."""
    return upstream is not None and _LOOPBACK.match(upstream) is not None
