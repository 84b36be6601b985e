"""One request on its way through nginx, and what has to be guessed about it.

Owns the state that nginx keeps for a request, and how an undecided question is answered: each answer that is possible
is tried in a walk of its own (`walks`), so that what all of them agree on can be said for certain. May not know what
any directive does.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from typing import TypeVar

import msgspec

from wizard.gateways.nginx.levels import Level
from wizard.gateways.nginx.locations import LocationLevel
from wizard.gateways.nginx.octets import octets, said, text_of, unknown_in
from wizard.gateways.nginx.patterns import CannotTranslateError, pattern
from wizard.gateways.nginx.servers import Bound, Server
from wizard.gateways.nginx.templates import variables
from wizard.gateways.nginx.tree import Configuration
from wizard.model import Place
from wizard.text import one_line

T = TypeVar("T")

Exists = Callable[[str], "bool | None"]

_OF_HEADERS = re.compile(r"http_(?!host$)|cookie_", re.IGNORECASE)
MAX_WALKS = 200
MAX_CHANGES = 11  # NGX_HTTP_MAX_URI_CHANGES + 1
MAX_VALUE = 65536


class Undecided(Exception):  # noqa: N818 - it is a result, not a fault
    """The way of a request cannot be followed any further; the message says why."""


class Choices(msgspec.Struct):
    """The answers that one walk gives to questions which the configuration leaves open.

    `script` are the answers to the first questions, by number; later ones get their first answer. `taken` is what was
    answered: (number of the answer, how many there were, why it was open, the answer in words).
    """

    script: tuple[int, ...] = ()
    taken: list[tuple[int, int, str, str]] = msgspec.field(default_factory=list)
    _known: dict[Hashable, object] = msgspec.field(default_factory=dict)
    _unknowns: dict[str, str] = msgspec.field(default_factory=dict)

    def choose(self, key: Hashable, options: Sequence[tuple[T, str]], reason: str) -> T:
        """One of the possible answers, the same for the same key within a walk.

        Args:
            key: what is asked.
            options: each answer with its words.
            reason: why it cannot be known.
        """
        if key in self._known:
            known: T = self._known[key]  # type: ignore[assignment]
            return known
        number = self.script[len(self.taken)] if len(self.taken) < len(self.script) else 0
        value, words = options[number]
        self.taken.append((number, len(options), reason, words))
        self._known[key] = value
        return value

    def unknown(self, reason: str) -> str:
        """A character that stands for a part which cannot be known, for this reason."""
        for char, known in self._unknowns.items():
            if known == reason:
                return char
        char = chr(0x100 + len(self._unknowns) % 0xD000)
        self._unknowns[char] = reason
        return char

    def why(self, value: str) -> str:
        """The reasons behind the parts of a value that are not known."""
        return "; ".join(dict.fromkeys(self._unknowns[char] for char in value if char in self._unknowns))

    def next_script(self) -> tuple[int, ...] | None:
        """The script of the next walk in order; None after the last."""
        answers = [(number, count) for number, count, _, _ in self.taken]
        while answers:
            number, count = answers.pop()
            if number + 1 < count:
                return (*(one for one, _ in answers), number + 1)
        return None


def walks(walk: Callable[[Choices], T]) -> Iterator[tuple[T, Choices]]:
    """Every walk that open questions allow, with the answers that it gave; at most `MAX_WALKS`."""
    script: tuple[int, ...] | None = ()
    for _ in range(MAX_WALKS):
        if script is None:
            return
        choices = Choices(script)
        yield walk(choices), choices
        script = choices.next_script()


class Request(msgspec.Struct):
    """What nginx knows of a request while it handles it. Values are one character a byte."""

    configuration: Configuration
    bound: Bound
    server: Server
    level: Level
    choices: Choices
    method: str
    tls: bool
    host: str
    headers: Mapping[str, str]
    line: str  # the request line
    client: str
    local: tuple[str, int]
    unparsed: str = ""
    uri: str = ""
    args: str = ""
    exists: Exists | None = None
    client_given: bool = False
    quoted: bool = False
    plus: bool = False
    internal: bool = False
    changes: int = MAX_CHANGES
    uri_changed: bool = False
    valid_location: bool = True
    valid_unparsed: bool = True
    error_page: bool = False
    error_status: int | None = None  # the status that an error page keeps or sets
    host_name: str | None = None
    host_matched: str = "default"
    location: LocationLevel | None = None
    handler: Level | None = None
    captures: tuple[str, ...] = ()
    values: dict[str, str] = msgspec.field(default_factory=dict)
    steps: list[str] = msgspec.field(default_factory=list)
    auth_request: str | None = None
    subrequest: bool = False  # made by nginx for another one: nobody is asked who he is
    add_uri_to_alias: bool = False

    def step(self, words: str) -> None:
        """Note an internal redirect or the like, in words."""
        if len(self.steps) < 40:
            self.steps.append(words)

    def regex(self, source: str, subject: str, at: Place | None, *, caseless: bool = False) -> bool:
        """Match as ngx_http_regex_exec does: what a match captured stays until the next match."""
        where = f" ({at})" if at is not None else ""
        try:
            compiled = pattern(source, caseless=caseless)
        except CannotTranslateError as problem:
            raise Undecided(f'the pattern "{one_line(source)}"{where} cannot be tried here: {problem}') from None
        if unknown_in(subject):
            reason = f'whether "{one_line(source)}"{where} matches depends on {self.choices.why(subject)}'
            yes = self.choices.choose(
                ("regex", source, caseless, subject),
                ((False, f'"{one_line(source)}" does not match'), (True, f'"{one_line(source)}" matches')),
                reason,
            )
            if yes:
                part = self.choices.unknown(f'what "{one_line(source)}"{where} captured')
                self.captures = (part,) * 10
                self.values.update((name, part) for name, _ in compiled.names)
            return yes
        if compiled.takes_too_long(subject):
            raise Undecided(f'the pattern "{one_line(source)}"{where} may take too long to try')
        match = compiled.match(subject)
        if match is None:
            return False
        self.captures = tuple(match[group] or "" for group in range((match.re.groups or 0) + 1))
        for name, number in compiled.names:
            self.values[name] = match[number] or ""
        return True

    def equal(self, one: str, other: str, what: str) -> bool:
        """Whether two values are equal; `what` says in words what was compared."""
        if not unknown_in(one) and not unknown_in(other):
            return one == other
        return self.choices.choose(
            ("equal", one, other),
            ((False, f"{what}: no"), (True, f"{what}: yes")),
            f"{what} depends on {self.choices.why(one + other)}",
        )

    def file(self, path: str) -> bool:
        """Whether a file is there; a folder is none."""
        return bool(path) and not path.endswith("/") and self._there(path)

    def folder(self, path: str) -> bool:
        """Whether a folder is there."""
        return bool(path) and self._there(path.rstrip("/") + "/")

    def _there(self, path: str) -> bool:
        if "\0" in path:
            return False
        if unknown_in(path):
            shown = said(path)
            reason = f"{shown} depends on {self.choices.why(path)}"
        else:
            shown = said(path)
            there = self.exists(text_of(path)) if self.exists is not None else None
            if there is not None:
                return there
            reason = f"whether {shown} exists"
        return self.choices.choose(
            ("file", path), ((False, f"{shown} is not there"), (True, f"{shown} is there")), reason
        )

    def step_for_headers(self, words: str, sources: Sequence[str]) -> None:
        """Note what was decided by headers that another client may send in another way."""
        if any(_OF_HEADERS.match(one) for source in sources for one in variables(source)):
            self.step(f"{words} for what this client sends")

    def header(self, name: str) -> str | None:
        """A header of the request by its lower-case name."""
        value = self.headers.get(name)
        return None if value is None else octets(value)
