r"""The lexical rules of nginx.conf, and the tree of directives that they give.

Owns quoting, escapes, comments, line counting, and the errors that nginx itself reports at this level (src/core/
ngx_conf_file.c of nginx 1.22: ngx_conf_read_token). May not know what a directive means, or how files are found.

What is easily got wrong: a quote or a `#` inside a word is an ordinary character; `${` does not open a block; in a
quoted and in a bare word alike `\"`, `\'`, `\\`, `\t`, `\r`, `\n` are escapes and any other backslash stays; only a
space, `;`, `{` or `)` may follow a closing quote; one word with its terminator must fit into 4096 bytes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from wizard.gateways.nginx.tree import Directive
from wizard.model import Broken, Place
from wizard.text import one_line

MAX_DEPTH = 64
MAX_WORD = 4096  # NGX_CONF_BUFFER

_TOKEN = re.compile(
    r"""
    (?: [ \t\r\n]++ | \#[^\n]*+ )*+
    (?: ( (?!["'};{\#]) (?: [^ \t\r\n;{\\$]++ | \$\{*+ | \\(?:.|\Z) )++ )
      | ([;{}])
      | " ( (?: [^"\\]++ | \\. )*+ ) " (?= [ \t\r\n;{)] | \Z )
      | ' ( (?: [^'\\]++ | \\. )*+ ) ' (?= [ \t\r\n;{)] | \Z )
      | (["'])
      | \Z
    )
    """,
    re.VERBOSE | re.DOTALL,
)
_WORD, _MARK, _DOUBLE, _SINGLE, _BAD = range(1, 6)

_ESCAPE = re.compile(r"""\\(["'\\trn])""")
_ESCAPED = {"t": "\t", "r": "\r", "n": "\n"}

_CLOSED_QUOTE = {
    '"': re.compile(r'"(?:[^"\\]++|\\.)*+"', re.DOTALL),
    "'": re.compile(r"'(?:[^'\\]++|\\.)*+'", re.DOTALL),
}

_LUA = re.compile(
    r"""
    --\[(?P<comment>=*)\[ .*? \](?P=comment)\]
    | --[^\n]*+
    | \[(?P<string>=*)\[ .*? \](?P=string)\]
    | " (?: [^"\\\n]++ | \\. )*+ "
    | ' (?: [^'\\\n]++ | \\. )*+ '
    | (?P<brace>[{}])
    """,
    re.VERBOSE | re.DOTALL,
)


@dataclass(slots=True)
class Parsed:
    """One file's directives, its includes with the list that each one stands in, and what stopped the reading."""

    directives: list[Directive]
    includes: list[tuple[list[Directive], Directive]] = field(default_factory=list)
    broken: Broken | None = None


def parse(content: bytes, path: str) -> Parsed:
    """One configuration file as a tree; includes stay in it and are listed.

    Like nginx it stops at the first error. What was read until then is kept, open blocks closed.
    """
    text = content.decode("utf-8", "surrogateescape")
    return _Reader(text, path).read()


def _unescaped(match: re.Match[str]) -> str:
    return _ESCAPED.get(match[1], match[1])


def _plain(word: str) -> str:
    return _ESCAPE.sub(_unescaped, word) if "\\" in word else word


class _Reader:
    """Reads one text; a class only because errors need what was read last."""

    __slots__ = ("_parsed", "_path", "_text")

    def __init__(self, text: str, path: str) -> None:
        self._text, self._path = text, path
        self._parsed = Parsed([])

    def read(self) -> Parsed:
        text, path, parsed = self._text, self._path, self._parsed
        includes = parsed.includes
        block = parsed.directives
        outer: list[list[Directive]] = []
        words: list[str] = []
        line, counted, begun = 1, 0, 1
        scan, position = _TOKEN.match, 0
        careful = len(text) > MAX_WORD
        while match := scan(text, position):
            kind = match.lastindex
            if kind is None:
                break
            start, position = match.start(kind), match.end()
            if kind == _MARK:
                mark = text[start]
                end_line = line + text.count("\n", counted, start)
                if mark == "}":
                    if words or not outer:
                        return self._unexpected(mark, end_line, words, begun)
                    block = outer.pop()
                    line, counted = end_line, start
                    continue
                if not words:
                    return self._unexpected(mark, end_line, words, begun)
                directive = Directive(words[0], tuple(words[1:]), path, begun, end_line)
                block.append(directive)
                if mark == "{":
                    if words[0].endswith("_by_lua_block"):
                        after = _after_lua(text, position)
                        if after is None:
                            return self._ended(block_open=True)
                        position = after
                    else:
                        if len(outer) >= MAX_DEPTH:
                            return self._stop("blocks are nested too deeply", end_line)
                        directive.block = []
                        outer.append(block)
                        block = directive.block
                elif words[0] == "include":
                    includes.append((block, directive))
                words = []
                continue
            if not words:
                begun = line = line + text.count("\n", counted, start)
                counted = start
            if kind == _BAD:
                return self._bad_quote(start)
            word = match[kind]
            if careful and position - start >= MAX_WORD // 4 and (problem := self._too_long(start, position, kind)):
                return problem
            words.append(_plain(word))
        if words:
            return self._ended(block_open=False, words=words, begun=begun)
        if outer:
            return self._ended(block_open=True)
        return parsed

    def _line(self, position: int) -> int:
        return self._text.count("\n", 0, position) + 1

    def _stop(self, what: str, line: int, hint: str = "") -> Parsed:
        self._parsed.broken = Broken(what, Place(self._path, line), hint)
        return self._parsed

    def _unexpected(self, mark: str, line: int, words: list[str], begun: int) -> Parsed:
        hint = ""
        if mark == "}" and words:
            hint = f'a ";" is missing after "{one_line(" ".join(words), limit=80)}" (line {begun})'
        elif mark == "}":
            hint = 'there is one "}" more than "{"'
        return self._stop(f'unexpected "{mark}"', line, hint)

    def _ended(self, *, block_open: bool, words: list[str] | None = None, begun: int = 0) -> Parsed:
        line = self._line(len(self._text))
        if block_open:
            return self._stop('unexpected end of file, expecting "}"', line, 'a "}" is missing')
        said = one_line(" ".join(words or ()), limit=80)
        hint = f'"{said}" (line {begun}) has no end' if said else ""
        return self._stop('unexpected end of file, expecting ";" or "}"', line, hint)

    def _bad_quote(self, start: int) -> Parsed:
        text = self._text
        quote = text[start]
        closed = _CLOSED_QUOTE[quote].match(text, start)
        if closed is not None:
            after = one_line(text[closed.end()])
            return self._stop(f'unexpected "{after}"', self._line(closed.end()), "a space is missing after the quote")
        begun = self._line(start)
        if len(text) - start > MAX_WORD:
            return self._stop(f'too long parameter, probably missing terminating "{quote}" character', begun)
        return self._ended(block_open=False, words=[text[start : start + 80]], begun=begun)

    def _too_long(self, start: int, end: int, kind: int) -> Parsed | None:
        # The first byte of a quoted word is the one after its quote; its terminator is the byte after the closing one.
        size = len(self._text[start:end].encode("utf-8", "surrogateescape")) + 1
        if size <= MAX_WORD or end >= len(self._text):
            return None
        line = self._line(start)
        if kind == _WORD:
            said = one_line(self._text[start : start + 10])
            return self._stop(f'too long parameter "{said}..." started', line)
        quote = '"' if kind == _DOUBLE else "'"
        return self._stop(f'too long parameter, probably missing terminating "{quote}" character', line)


def _after_lua(text: str, position: int) -> int | None:
    """The position behind the brace that ends a Lua block which was opened before `position`."""
    depth = 1
    for match in _LUA.finditer(text, position):
        if (brace := match["brace"]) is not None:
            depth += 1 if brace == "{" else -1
            if depth == 0:
                return match.end()
    return None
