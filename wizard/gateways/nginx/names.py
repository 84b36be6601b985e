"""`server_name`: which server of an address takes a host.

Owns the order exact, longest leading wildcard, longest trailing wildcard, first regex (ngx_hash.c, ngx_http.c), and
the rule that of two equal names on one address the first counts. May not know how a host was sent.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from wizard.gateways.nginx.octets import octets

T = TypeVar("T")

EXACT, WILDCARD, REGEX, DEFAULT = "exact", "wildcard", "regex", "default"


class WildcardNames(Generic[T]):
    """Names with and without wildcards, each with a value; also the table of a `map` with `hostnames`."""

    def __init__(self) -> None:
        self._claimed: set[str] = set()
        self._exact: dict[str, tuple[str, T]] = {}
        self._leading: dict[str, tuple[str, T]] = {}
        self._trailing: dict[str, tuple[str, T]] = {}

    def add(self, name: str, value: T) -> bool:
        """Add a name as configured; False if an equal one is there, or if it is none."""
        key = octets(name).lower()
        entry = (name, value)
        if ".." in key or key.count("*") > 1:
            return False
        if key.startswith(".") and len(key) > 1:
            bare = key[1:]
            free = bare not in self._claimed
            # nginx claims the bare name before it finds the wildcard taken: then nobody has the bare name.
            self._claimed.add(bare)
            if not free or bare in self._leading:
                return False
            self._exact[bare] = self._leading[bare] = entry
            return True
        for mark, table, bare in (("*.", self._leading, key[2:]), (".*", self._trailing, key[:-2])):
            if (key.startswith(mark) if mark == "*." else key.endswith(mark)) and len(key) > 2:
                return table.setdefault(bare, entry) is entry
        if "*" in key:
            return False
        if key in self._claimed:
            return False
        self._claimed.add(key)
        self._exact[key] = entry
        return True

    def find(self, host: str) -> tuple[str, T, str] | None:
        """The name as configured, its value, and exact or wildcard; None where none matches.

        Args:
            host: lower case, one character a byte.
        """
        if (entry := self._exact.get(host)) is not None:
            return (*entry, EXACT)
        labels = host.split(".")
        if self._leading:
            for start in range(1, len(labels)):
                if (entry := self._leading.get(".".join(labels[start:]))) is not None:
                    return (*entry, WILDCARD)
        if self._trailing:
            for end in range(len(labels) - 1, 0, -1):
                if (entry := self._trailing.get(".".join(labels[:end]))) is not None:
                    return (*entry, WILDCARD)
        return None


class ServerNames(Generic[T]):
    """The names of all servers of one address."""

    def __init__(self) -> None:
        self._table: WildcardNames[T] = WildcardNames()
        self._regexes: list[tuple[str, T]] = []
        self.ignored: list[tuple[str, T]] = []

    def add(self, names: Sequence[str], server: T) -> None:
        """Add the names of one server, in file order."""
        for name in names or ("",):
            if name.startswith("~"):
                self._regexes.append((name, server))
            elif not self._table.add(name, server):
                self.ignored.append((name, server))

    def find(self, host: str, matches: Callable[[str], bool]) -> tuple[str, T, str] | None:
        """The name that takes a host, its server, and how it matched; None where the default server takes it.

        Args:
            host: lower case, without port and trailing dot, one character a byte; empty where none was sent.
            matches: tests one regex (without its `~`) against the host, and keeps what it captured.
        """
        if (found := self._table.find(host)) is not None:
            return found
        if host:
            for name, server in self._regexes:
                if matches(name[1:]):
                    return name, server, REGEX
        return None
