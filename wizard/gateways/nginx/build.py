"""What was compiled into an nginx: its version, and the paths that hold where no option and no directive says otherwise.

Owns the reading of `nginx -V`. May not know which process or file is meant.
"""

from __future__ import annotations

import re

import msgspec

_VERSION = re.compile(rb"nginx version: [^/\s]*/?([0-9][^\s]*)")
_PATH = re.compile(rb"--(?P<name>prefix|conf-path|error-log-path|http-log-path)=(?P<value>'[^']*'|\S+)")


class Build(msgspec.Struct, frozen=True):
    """Version and paths; where they cannot be asked for, those of the packages of nginx.org and Debian."""

    version: str = ""
    prefix: str = "/etc/nginx"
    config: str = "/etc/nginx/nginx.conf"
    error_log: str = "/var/log/nginx/error.log"
    access_log: str = "/var/log/nginx/access.log"


def read_build(printed: bytes) -> Build:
    """Read what `nginx -V` printed; without its configure arguments the usual paths are assumed."""
    found = _VERSION.search(printed)
    version = found[1].decode("ascii", "replace") if found else ""
    if b"configure arguments:" not in printed:
        return Build(version)
    written = {
        match["name"].decode(): match["value"].decode("utf-8", "replace").strip("'")
        for match in _PATH.finditer(printed)
    }
    prefix = written.get("prefix", "/usr/local/nginx").rstrip("/") or "/"

    def path(name: str, usual: str) -> str:
        value = written.get(name, usual)
        return value if value.startswith("/") or value == "stderr" else f"{prefix.rstrip('/')}/{value}"

    return Build(
        version=version,
        prefix=prefix,
        config=path("conf-path", "conf/nginx.conf"),
        error_log=path("error-log-path", "logs/error.log"),
        access_log=path("http-log-path", "logs/access.log"),
    )
