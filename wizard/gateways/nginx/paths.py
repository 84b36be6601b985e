"""The file behind a URI: `root`, `alias`, and the path that nginx would open (ngx_http_map_uri_to_path).

Owns how the two are inherited and joined. May not know whether the file is there.
"""

from __future__ import annotations

from collections.abc import Callable

from wizard.gateways.nginx.levels import Level
from wizard.gateways.nginx.locations import LocationLevel, Match
from wizard.gateways.nginx.octets import octets
from wizard.gateways.nginx.request import Request
from wizard.gateways.nginx.tree import Directive

Fill = Callable[[Request, str], str]


def _rooted(level: Level) -> tuple[Level, Directive] | None:
    """The nearest `root` or `alias`, and the level on which it stands."""
    for around in level.outwards():
        for directive in (*around.own("root"), *around.own("alias")):
            if directive.args:
                return around, directive
    return None


def _base(request: Request, fill: Fill) -> tuple[str, int | None]:
    """The folder, and how much of the URI it replaces; None where it is the whole path already."""
    rooted = _rooted(request.level)
    if rooted is None:
        return octets(request.configuration.runtime_path("html")), 0
    level, directive = rooted
    path = fill(request, directive.args[0])
    if not path.startswith("/"):
        path = octets(request.configuration.runtime_path("")) + path
    if directive.name == "root":
        return path.removesuffix("/"), 0
    while not isinstance(level, LocationLevel) and level.outer is not None:
        level = level.outer
    if isinstance(level, LocationLevel) and level.match is Match.REGEX:
        return path, None
    return path, len(level.name) if isinstance(level, LocationLevel) else 0


def document_root(request: Request, fill: Fill) -> str:
    """$document_root."""
    return _base(request, fill)[0]


def aliased(request: Request, fill: Fill) -> int | None:
    """How many bytes of the URI an alias replaces: 0 for a root, None for an alias in a regex location."""
    return _base(request, fill)[1]


def path_for(request: Request, uri: str, fill: Fill) -> str | None:
    """The path for a URI; None where an alias is asked about a URI that was rewritten (nginx answers 500).

    Before the fix of CVE-2026-15176 nginx refused only after `break`.
    """
    base, replaced = _base(request, fill)
    if replaced != 0 and (not request.valid_location or request.uri_changed):
        return None
    if replaced is None:
        return base + uri if request.add_uri_to_alias else base
    return base + uri[replaced:]
