"""Texts with variables: `{service.unit}`, `{url}`; `{{` and `}}` stand for the braces themselves.

Owns the syntax and the filling in. May not know which variables exist (see `Vocabulary`) or whether a value may be
shown: whoever fills a sentence makes foreign values visible first.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

import msgspec

# A name is `variable` or `check.value`; both parts in lower case with dashes or underscores.
_PART = r"[a-z][a-z0-9]*(?:[-_][a-z0-9]+)*"
_TOKEN = re.compile(rf"\{{\{{|\}}\}}|\{{({_PART}(?:\.{_PART})?)\}}|[{{}}]|[^{{}}]+")


class TemplateError(ValueError):
    """A text that is no template. `offset` counts characters from 0."""

    def __init__(self, what: str, offset: int) -> None:
        super().__init__(what)
        self.offset = offset


class NotBoundError(LookupError):
    """A variable without a value, or with one that cannot stand where it is used."""

    def __init__(self, name: str, what: str) -> None:
        super().__init__(f"{{{name}}} {what}")
        self.name = name


class Variable(msgspec.Struct, frozen=True):
    """A place that is filled in."""

    name: str


class Template(msgspec.Struct, frozen=True):
    """A text taken apart: literal text and variables in order."""

    parts: tuple[str | Variable, ...]

    @property
    def variables(self) -> tuple[str, ...]:
        """The names used, each once, in order of first use."""
        return tuple(dict.fromkeys(part.name for part in self.parts if isinstance(part, Variable)))

    @property
    def sole(self) -> str | None:
        """The variable's name where the text is exactly one variable."""
        match self.parts:
            case (Variable(name),):
                return name
        return None


def parse(text: str) -> Template:
    """Take a text apart.

    Raises:
        TemplateError: a brace that is neither doubled nor part of a variable.
    """
    parts: list[str | Variable] = []
    literal: list[str] = []
    for token in _TOKEN.finditer(text):
        if token[0] in ("{", "}"):
            raise TemplateError(
                "a single brace: write {{ or }} for the brace itself, {name} for a value", token.start()
            )
        if token[1] is None:
            literal.append({"{{": "{", "}}": "}"}.get(token[0], token[0]))
            continue
        if literal:
            parts.append("".join(literal))
            literal.clear()
        parts.append(Variable(token[1]))
    if literal:
        parts.append("".join(literal))
    return Template(tuple(parts))


def variables(texts: Iterable[str]) -> tuple[str, ...]:
    """The names used in some texts, each once, in order of first use.

    Raises:
        TemplateError: one of the texts is no template.
    """
    return tuple(dict.fromkeys(name for text in texts for name in parse(text).variables))


def _shown(name: str, value: object, *, listing: bool) -> str:
    match value:
        case bool():
            return "yes" if value else "no"
        case str() | int():
            return str(value)
        case float():
            return f"{value:g}"
        case tuple() if listing and all(isinstance(each, str) for each in value):
            return ", ".join(value)
        case tuple():
            raise NotBoundError(name, "is a list, which cannot be a part of a word")
    raise NotBoundError(name, "has no value that can be written as text")


def _filled(template: Template, values: Mapping[str, object], *, listing: bool) -> str:
    words: list[str] = []
    for part in template.parts:
        if isinstance(part, str):
            words.append(part)
        elif part.name not in values:
            raise NotBoundError(part.name, "has no value here")
        else:
            words.append(_shown(part.name, values[part.name], listing=listing))
    return "".join(words)


def render(text: str, values: Mapping[str, object]) -> str:
    """Fill a sentence in; a list of words is joined with commas.

    Raises:
        TemplateError: the text is no template.
        NotBoundError: a variable has no value, or one that is no text (an edit).
    """
    return _filled(parse(text), values, listing=True)


def render_words(words: Sequence[str], values: Mapping[str, object]) -> tuple[str, ...]:
    """Fill the words of an argv in; a word that is exactly one variable becomes as many words as its value has.

    Raises:
        TemplateError: a word is no template.
        NotBoundError: a variable has no value, or a list where it is only a part of a word.
    """
    filled: list[str] = []
    for word in words:
        template = parse(word)
        many = values.get(template.sole) if template.sole is not None else None
        if isinstance(many, tuple) and all(isinstance(each, str) for each in many):
            filled.extend(many)
        else:
            filled.append(_filled(template, values, listing=False))
    return tuple(filled)
