"""Names of users and groups by their ids, read from passwd(5) and group(5).

Owns that reading. May not know NSS: getpwuid(3) asks LDAP or SSSD where they are configured, and hangs with them; the
name of an account that only they know stays empty.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

import msgspec

from wizard.host.live import paths

MAX_BYTES = 4 << 20


class Accounts(msgspec.Struct, frozen=True):
    """Users and groups by id; an unknown id has the empty name."""

    users: Mapping[int, str] = msgspec.field(default_factory=dict)
    groups: Mapping[int, str] = msgspec.field(default_factory=dict)

    def user(self, uid: int) -> str:
        """The name of a user."""
        return self.users.get(uid, "")

    def group(self, gid: int) -> str:
        """The name of a group."""
        return self.groups.get(gid, "")


_Key = tuple[int, int, int, int]
_read: dict[_Key, Mapping[int, str]] = {}


def accounts(within: int | None = None) -> Accounts:
    """The accounts of this host, or those of the root folder of process `within`."""
    return Accounts(_names("/etc/passwd", within), _names("/etc/group", within))


def _names(path: str, within: int | None) -> Mapping[int, str]:
    try:
        with paths.found(path, within) as place:
            seen = os.fstat(place.fd)
            key = (seen.st_dev, seen.st_ino, seen.st_mtime_ns, seen.st_size)
            if key not in _read:
                _read[key] = parse(paths.read(place, MAX_BYTES)[0])
            return _read[key]
    except (OSError, paths.NotRegularError):
        return {}


def parse(content: bytes) -> dict[int, str]:
    """Read passwd(5) or group(5): the first name that an id has. Lines that are neither are skipped."""
    names: dict[int, str] = {}
    for line in content.splitlines():
        name, *fields = line.split(b":")
        if len(fields) > 1 and fields[1].isdigit() and len(fields[1]) <= 10:
            names.setdefault(int(fields[1]), name.decode("utf-8", "backslashreplace"))
    return names
