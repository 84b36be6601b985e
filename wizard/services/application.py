"""Where a program's own files lie: what a deploy of it would have touched.

Owns the choice of folder and files from a command line and a working folder. Pure; may not know units or hosts. A
folder that is no application's own (the root, /usr, a home folder, where data or temporary files lie) is never chosen.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from wizard.host.questions import FileStat

MAX_FILES = 8
MAX_FOLDERS = 6
MAX_ENTRIES = 200

_NOT_OURS = frozenset({"bin", "sbin", "lib", "lib32", "lib64", "libx32", "proc", "sys", "dev", "run", "boot", "tmp"})
_SYSTEM = ("/usr/", "/etc/", "/var/run/", "/var/tmp/", "/var/log/", "/var/cache/", "/var/spool/", "/var/lib/")  # noqa: S108 - compared with
_SHALLOW = {"home": 3, "usr": 3, "var": 3}  # how many parts a folder there needs at least
# What stands between an application's folder and an interpreter or script of its own.
_INSIDE = re.compile(r"/(?:\.?venv|\.?env|virtualenv|node_modules|bin|\.bin|sbin|target/release|dist|build)(?:/|$)")
_SKIPPED = frozenset(
    {
        "node_modules", "__pycache__", "venv", "env", "virtualenv", "uploads", "upload", "media", "cache", "tmp", "temp",
        "logs", "log", "sessions", "storage", "data", "backup", "backups", "vendor", "static", "staticfiles", "run",
    }
)  # fmt: skip
_PASSING = re.compile(r"\.(?:log(?:\.\d+)?|pid|sock|socket|lock|db|sqlite3?|db-\w+|sqlite3?-\w+|py[co]|swp|tmp|gz)$")


def folder_of(argv: Sequence[str], working: str = "") -> str | None:
    """The folder of an application: its working folder, else that of its script or program; None where none is its own.

    Args:
        argv: the command line.
        working: the folder in which it runs.
    """
    own = [_above(word.rpartition("/")[0]) for word in argv[:8] if word.startswith("/")]
    return next((one for one in (working.rstrip("/"), *own) if is_own(one)), None)


def files_of(argv: Iterable[str]) -> tuple[str, ...]:
    """The files that a command line names in full: script, settings, certificates; not programs, sockets or folders."""
    found: dict[str, None] = {}
    for word in argv:
        path = word.partition("=")[2] if word.startswith("-") else word
        if path.startswith("/") and not path.endswith(("/", ".sock", ".socket", ".pid", ".log")) and "\0" not in path:
            parts = path.split("/")
            if "bin" not in parts and "sbin" not in parts and parts[1] not in _NOT_OURS:
                found.setdefault(path)
    return tuple(found)[:MAX_FILES]


def is_own(folder: str) -> bool:
    """Whether a folder can be an application's own, deep enough to hold nothing else."""
    parts = folder.strip("/").split("/")
    if not folder.startswith("/") or ".." in parts or len(parts) < _SHALLOW.get(parts[0], 2) or parts[0] in _NOT_OURS:
        return False
    if parts[:2] == ["usr", "local"]:
        return parts[2] not in {*_NOT_OURS, "share", "etc", "libexec", "include", "src"}
    return not folder.startswith(_SYSTEM)


def below(entries: Iterable[FileStat]) -> tuple[str, ...]:
    """The folders among some entries that may hold the program itself, the one that was changed last first."""
    folders = [one for one in entries if one.kind == "dir" and not _is_skipped(one.path)]
    return tuple(one.path for one in sorted(folders, key=lambda one: -one.mtime))


def is_lasting(one: FileStat) -> bool:
    """Whether an entry is a file (or a link) that a deploy would write, and not one that a running program writes."""
    return one.kind in {"file", "link"} and not _PASSING.search(one.path)


def _is_skipped(path: str) -> bool:
    name = path.rpartition("/")[2]
    return name.startswith(".") or name.lower() in _SKIPPED


def _above(folder: str) -> str:
    match = _INSIDE.search(folder)
    return folder[: match.start()] if match and match.start() else folder
