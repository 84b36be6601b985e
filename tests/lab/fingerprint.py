"""What a host looks like, so that two looks can be compared: asking must not change it.

Files are read from the upper layer of the guest's root, where everything lands that anybody writes, and from its
memory filesystems. A log may grow (the wizard's own request is logged like any other), but not appear, vanish or
change its owner. The kernel's modules are no part of it: they belong to all guests at once. May not know the wizard.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from tests.lab.guest import Guest

GROWING = (
    "upper/var/log/",
    "upper/srv/edge/logs/",
    "run/log/journal/",
    "upper/var/cache/nginx/",
    "upper/var/lib/nginx/",
)
RESTING = ("files",)  # what stays as it is even where programs come and go by themselves
MANAGED = "run/systemd/"  # what systemd itself writes when they do


def fingerprint(guest: Guest) -> dict[str, frozenset[str]]:
    """The guest now, each aspect as a set of lines."""
    return {
        "files": frozenset(_files(guest)),
        "listeners": frozenset(
            _lines(guest, "ss -Hlntu | awk '{print $1, $2, $4, $5, $6}'; ss -Hlx | awk '{print $1, $2, $5}'")
        ),
        "rules": frozenset(_lines(guest, "nft -s list ruleset")),
        "routes": frozenset(_lines(guest, "ip route; ip rule; ip -br address")),
        # A name in brackets is a process that has just ended, such as those of this very look.
        "programs": frozenset(line for line in _lines(guest, "ps -eo args") if not line.startswith(("[", "ps -eo"))),
        "units": frozenset(_lines(guest, "systemctl list-units --all --plain --no-legend") if guest.systemd else ()),
    }


def changes(before: dict[str, frozenset[str]], after: dict[str, frozenset[str]], *, restless: bool) -> list[str]:
    """What differs, a line each: `+` what is new, `-` what is gone."""
    found = []
    for aspect in RESTING if restless else tuple(before):
        found += [f"{aspect} + {line}" for line in sorted(after[aspect] - before[aspect])]
        found += [f"{aspect} - {line}" for line in sorted(before[aspect] - after[aspect])]
    return [line for line in found if not (restless and line.partition(" ")[2][2:].startswith(MANAGED))]


def _lines(guest: Guest, command: str) -> list[str]:
    return [" ".join(line.split()) for line in guest.run(command, check=False).out.splitlines()]


def _files(guest: Guest) -> Iterator[str]:
    for name, top in (("upper", guest.upper), *((name, guest.root / name) for name in ("run", "tmp", "dev/shm"))):
        for folder, folders, files in os.walk(top):
            for entry in (*folders, *files):
                path = Path(folder, entry)
                shown = f"{name}/{path.relative_to(top)}"
                try:
                    found = path.lstat()
                except FileNotFoundError:
                    continue
                yield f"{shown} {stat.filemode(found.st_mode)} {found.st_uid}:{found.st_gid}{_content(shown, found)}"


def _content(shown: str, found: os.stat_result) -> str:
    if not stat.S_ISREG(found.st_mode) or shown.startswith(GROWING):
        return ""
    return f" {found.st_size} bytes, written {found.st_mtime_ns}"
