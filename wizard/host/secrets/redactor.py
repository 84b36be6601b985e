"""Replaces secrets by marks.

Owns the marks: the same secret has the same mark for as long as the redactor lives, and nothing of the secret is kept
in the text. May not know hosts or files. A mark is one plain word (`REDACTED-3`) because it lands in configurations,
URLs and command lines that are read again on replay: no space, quote, bracket or semicolon.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from wizard.host.secrets.files import secrets_of_file
from wizard.host.secrets.keys import private_keys
from wizard.host.secrets.looks import secrets_by_looks, short_option_of
from wizard.host.secrets.named import secrets_by_name, secrets_in_queries, secrets_in_value
from wizard.host.secrets.names import A_MARK, MARK, Kind, kind_of
from wizard.host.secrets.spans import Span, merged

_MARK_TEXT = MARK.decode()
_KEPT_LENGTH = 512  # the size of a long header decides whether it fits into a buffer: such marks are filled up
_MOST_KNOWN = 256  # each is looked for in every text
_WORTH_REMEMBERING = 1 << 16
_MOST_PLAIN = 1 << 16
_ESCAPED = re.compile(rb"\\(.)", re.DOTALL)
_OPTION = re.compile(r"-{0,2}\w[\w.-]*")
_TELLING = re.compile(rb"(?!/)(?:(?=\D{0,200}\d)(?=[^A-Za-z]{0,200}[A-Za-z])\S{8,}|[^\s/]{12,})")


def _beside_keys(data: bytes) -> list[Span]:
    return merged([*secrets_by_looks(data), *secrets_by_name(data), *secrets_in_queries(data)])


class Redactor:
    """Replaces secrets in text of any kind; a secret has one mark wherever it stands.

    Telling secrets that one text shows by their place (a password in a configuration) are replaced in every later text
    too, wherever they stand. The redactor itself knows the secrets: it is never written anywhere.
    """

    def __init__(self, first: int = 1) -> None:
        self._marks: dict[bytes, bytes] = {}
        self._known: dict[bytes, bytes] = {}
        self._next = first
        self._clean: set[bytes] = set()  # large texts that came from here, as they are in the records too
        self._plain: set[str] = set()  # texts that show no secret themselves: a host answers most words many times

    @property
    def known(self) -> int:
        """How many secrets are replaced wherever they stand; when it grows, earlier texts deserve a second look."""
        return len(self._known)

    @property
    def replaced(self) -> int:
        """How many different secrets were replaced so far."""
        return len(self._marks)

    def leave_out(self, number: int) -> None:
        """Give new secrets higher numbers than this one, which is a mark somewhere already."""
        self._next = max(self._next, number + 1)

    def data(self, value: bytes, *, learn: bool = True) -> bytes:
        """Bytes of any kind, with the secrets in them replaced.

        What is no secret stays: addresses, paths, certificates, variables, switches, and marks set before.
        `learn=False` is for logs, which visitors write: their secrets are not looked for elsewhere.
        """
        if value in self._clean:
            return self._again(value)
        done = self._replaced(value, merged(private_keys(value)), learn=False)
        done = self._again(self._replaced(done, _beside_keys(done), learn=learn))
        if len(done) >= _WORTH_REMEMBERING:
            self._clean.add(done)
        return done

    def text(self, value: str, *, learn: bool = True) -> str:
        """Text of any kind, with the secrets in it replaced."""
        if value in self._plain:
            return self.text_again(value)
        data = _bytes(value)
        done = self.data(data, learn=learn)
        if done != data:
            return _text(done)
        if len(self._plain) < _MOST_PLAIN:
            self._plain.add(value)
        return value

    def value(self, name: str, value: str) -> str:
        """The value of a header, parameter or variable of that name."""
        data = _bytes(value)
        spans = secrets_in_value(kind_of(_bytes(name.lower())), data)
        done = self.data(data) if spans is None else self._again(self._replaced(data, merged(spans)))
        return value if done == data else _text(done)

    def pairs(self, pairs: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
        """Headers or parameters, with their values read by their names."""
        return tuple((self.text(name), self.value(name, value)) for name, value in pairs)

    def argv(self, argv: Sequence[str]) -> tuple[str, ...]:
        """The arguments of a program, where `--password` and its value may stand apart."""
        done: list[str] = []
        short = short_option_of(_bytes(argv[0])) if argv else b""
        for before, argument in zip(["", *argv], argv, strict=False):
            if short.endswith(b" ") and _bytes(before) == short[:2]:
                done.append(self.value("password", argument))
                continue
            if short and argument.startswith(short[:2].decode()) and len(argument) > 2:
                done.append(argument[:2] + self.value("password", argument[2:]))
                continue
            name, equals, value = argument.partition("=")
            if before.startswith("-") and "=" not in before and not argument.startswith("-"):
                done.append(self.value(before.lstrip("-"), argument))
            elif equals and _OPTION.fullmatch(name) and kind_of(_bytes(name.lower().lstrip("-"))) is Kind.SECRET:
                done.append(f"{name}={self.value(name.lstrip('-'), value)}")
            else:
                done.append(self.text(argument))
        return tuple(done)

    def file(self, path: str, content: bytes) -> bytes:
        """A file's content; one that is a key or a password as a whole is replaced line by line."""
        spans = secrets_of_file(path, content)
        return self.data(self._replaced(content, spans, learn=len(spans) == 1))

    def again(self, value: bytes) -> bytes:
        """Bytes with only those secrets replaced that are known by now."""
        return self._again(value)

    def text_again(self, value: str) -> str:
        """Text with only those secrets replaced that are known by now."""
        if not self._known:
            return value
        data = _bytes(value)
        done = self._again(data)
        return value if done == data else _text(done)

    def _mark(self, secret: bytes) -> bytes:
        secret = _ESCAPED.sub(rb"\1", secret)  # a quoted string and what it means are one secret
        mark = self._marks.get(secret)
        if mark is None:
            mark = MARK + str(self._next).encode()
            self._next += 1
            self._marks[secret] = mark = mark.ljust(len(secret), b".") if len(secret) >= _KEPT_LENGTH else mark
        return mark

    def _replaced(self, data: bytes, spans: Sequence[Span], *, learn: bool = True) -> bytes:
        parts: list[bytes] = []
        end = 0
        for span in spans:
            secret = data[span.start : span.end]
            mark = self._mark(secret)
            if learn and len(self._known) < _MOST_KNOWN and _TELLING.fullmatch(secret) and MARK not in secret:
                self._known[secret] = mark
            parts += [data[end : span.start], b'"%s"' % mark if span.bare_number else mark]
            end = span.end
        return b"".join([*parts, data[end:]]) if parts else data

    def _again(self, data: bytes) -> bytes:
        for secret in sorted(self._known, key=len, reverse=True):
            if secret in data:
                data = data.replace(secret, self._known[secret])
        return data


def marks_in(value: bytes | str) -> int:
    """The highest number among the marks in a text; 0 without any."""
    if isinstance(value, str):
        value = _bytes(value) if _MARK_TEXT in value else b""  # most texts have none
    if MARK not in value:
        return 0
    return max((int(mark[0].rstrip(b".")[len(MARK) :]) for mark in A_MARK.finditer(value)), default=0)


def _bytes(value: str) -> bytes:
    """The bytes that stood behind a text (PEP 383), or for text that never was bytes, some that lead back to it."""
    try:
        return value.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return value.encode("utf-8", "surrogatepass")


def _text(value: bytes) -> str:
    try:
        return value.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return value.decode("utf-8", "surrogateescape")
