r"""The lexical rules of nginx.conf, and the tree of directives that they give.

Owns quoting, escapes, comments, line counting, and the errors that nginx itself reports at this level (src/core/
ngx_conf_file.c of nginx 1.22: ngx_conf_read_token). May not know what a directive means, or how files are found.

What is easily got wrong: a quote or a `#` inside a word is an ordinary character; `${` does not open a block; in a
quoted and in a bare word alike `\"`, `\'`, `\\`, `\t`, `\r`, `\n` are escapes and any other backslash stays; only a
space, `;`, `{` or `)` may follow a closing quote; one word with its terminator, and one comment, must fit into 4096
bytes.
"""

from __future__ import annotations

import codecs
import re

import msgspec

from wizard.gateways.nginx.tree import Directive
from wizard.model import Broken, Place
from wizard.text import one_line

MAX_DEPTH = 64
MAX_WORD = 4096  # NGX_CONF_BUFFER

_SKIP = r"(?: [ \t\r\n]++ | \#[^\n]*+ )*+"

# A whole directive on one line without quotes, escapes or `${`, as most are, or the end of a block. ASCII only, so that
# str.split() splits where nginx does.
_SIMPLE = re.compile(
    _SKIP
    + r"""
    (?: ( [!$-&(-:<-\[\]-z|~]++ (?: [ \t]++ [!$-&(-:<-\[\]-z|~]++ )*+ ) [ \t]*+ ( ; | (?<!\$)\{ )
      | (\})
    )
    """,
    re.VERBOSE,
)
_BLOCK_END = 3
_TOKEN = re.compile(
    _SKIP
    + r"""
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
_COMMENT = re.compile(r"#[^\n]*+")
_CLOSED_QUOTE = {
    '"': re.compile(r'"(?:[^"\\]++|\\.)*+"', re.DOTALL),
    "'": re.compile(r"'(?:[^'\\]++|\\.)*+'", re.DOTALL),
}
_LUA_BLOCK = "_by_lua_block"
_LUA = re.compile(
    r"""
    --\[(?P<comment>=*)\[ (?: .*? \](?P=comment)\] | .*+ )
    | --[^\n]*+
    | \[(?P<string>=*)\[ (?: .*? \](?P=string)\] | .*+ )
    | " (?: [^"\\\n]++ | \\. )*+ "?+
    | ' (?: [^'\\\n]++ | \\. )*+ '?+
    | (?P<brace>[{}])
    """,
    re.VERBOSE | re.DOTALL,
)


class Parsed(msgspec.Struct):
    """One file's directives, its includes with the list that each one stands in, and what stopped the reading."""

    directives: list[Directive] = msgspec.field(default_factory=list)
    includes: list[tuple[list[Directive], Directive]] = msgspec.field(default_factory=list)
    broken: Broken | None = None


def parse(content: bytes, path: str) -> Parsed:
    """One configuration file as a tree; includes stay in it and are listed.

    Like nginx it stops at the first error. What was read until then is kept, open blocks closed.
    """
    marked = content.startswith(codecs.BOM_UTF8)
    reader = _Reader((content[3:] if marked else content).decode("utf-8", "surrogateescape"), path)
    try:
        reader.read()
    except _StopError as problem:
        reader.parsed.broken = Broken(problem.what, Place(path, problem.line), problem.hint)
    parsed = reader.parsed
    if marked and (parsed.directives or parsed.broken):
        first = parsed.directives[0].name if parsed.directives else "#"
        hint = "the file begins with a byte order mark, which is part of the first word for nginx"
        parsed.broken = Broken(f'unknown directive "{one_line(chr(0xFEFF) + first)}"', Place(path, 1), hint)
    return parsed


class _StopError(Exception):
    """nginx would stop here."""

    def __init__(self, what: str, line: int, hint: str = "") -> None:
        super().__init__(what)
        self.what, self.line, self.hint = what, line, hint


def _unescaped(match: re.Match[str]) -> str:
    return _ESCAPED.get(match[1], match[1])


class _Reader:
    """Reads one text from the front to the end, and knows where it is."""

    __slots__ = ("_begun", "_block", "_careful", "_counted", "_line", "_outer", "_path", "_text", "_words", "parsed")

    def __init__(self, text: str, path: str) -> None:
        self._text, self._path = text, path
        self.parsed = Parsed()
        self._block = self.parsed.directives
        self._outer: list[list[Directive]] = []
        self._words: list[str] = []
        self._begun = 1
        # The line of the last position that was counted, so that no part of the text is counted twice.
        self._line, self._counted = 1, 0
        # Some word or comment may be too long for nginx; four bytes are the most that a character takes.
        self._careful = len(text) > MAX_WORD // 4

    def read(self) -> None:
        """Read all of it.

        Raises:
            _StopError: at the first error.
        """
        text, token, careful = self._text, _TOKEN.match, self._careful
        position = 0
        while True:
            if not self._words:
                position = self._read_simple(position)
            match = token(text, position)
            if match is None or (kind := match.lastindex) is None:
                break
            start = match.start(kind)
            if careful:
                self._check_lengths(position, start, match.end(), kind)
            position = match.end()
            if kind == _MARK:
                position = self._mark(text[start], self._line_of(start), position)
            elif kind == _BAD:
                self._bad_quote(start)
            else:
                if not self._words:
                    self._begun = self._line_of(start)
                word = match[kind]
                self._words.append(_ESCAPE.sub(_unescaped, word) if "\\" in word else word)
        self._check_end()

    def _read_simple(self, position: int) -> int:
        """Read on as long as directives are simple ones; returns where the first other thing begins.

        What nginx refuses is such a thing too. This is where the time goes, so that what is used often is held close.
        """
        text, match_at, count, path = self._text, _SIMPLE.match, self._text.count, self._path
        line, counted, block, outer = self._line, self._counted, self._block, self._outer
        longest = MAX_WORD // 4 if self._careful else len(text) + 1
        while (match := match_at(text, position)) is not None and (end := match.end()) - position < longest:
            if match.lastindex == _BLOCK_END:
                if not outer:
                    break
                block, position = outer.pop(), end
                continue
            written, mark = match.group(1, 2)
            name, *args = written.split()
            opens = mark == "{"
            if opens and (len(outer) >= MAX_DEPTH or name.endswith(_LUA_BLOCK)):
                break
            start, position = match.start(1), end
            line += count("\n", counted, start)
            counted = start
            directive = Directive(name, tuple(args), path, line, line)
            block.append(directive)
            if opens:
                outer.append(block)
                block = directive.block = []
            elif name == "include":
                self.parsed.includes.append((block, directive))
        self._line, self._counted, self._block = line, counted, block
        return position

    def _line_of(self, position: int) -> int:
        """The line of a position; positions are asked for in rising order."""
        self._line += self._text.count("\n", self._counted, position)
        self._counted = position
        return self._line

    def _mark(self, mark: str, line: int, position: int) -> int:
        if mark != "}" and self._words:
            return self._end_directive(mark, line, position)
        if mark != "}" or self._words or not self._outer:
            raise self._unexpected(mark, line)
        self._block = self._outer.pop()
        return position

    def _end_directive(self, mark: str, line: int, position: int) -> int:
        """Add the directive that ends with this mark; returns where to read on."""
        name, *args = self._words
        self._words = []
        directive = Directive(name, tuple(args), self._path, self._begun, line)
        self._block.append(directive)
        if mark == "{":
            if name.endswith(_LUA_BLOCK):
                return self._after_lua(position)
            if len(self._outer) >= MAX_DEPTH:
                raise _StopError("blocks are nested too deeply", line)
            directive.block = []
            self._outer.append(self._block)
            self._block = directive.block
        elif name == "include":
            self.parsed.includes.append((self._block, directive))
        return position

    def _after_lua(self, position: int) -> int:
        """The position behind the brace that ends a block of Lua."""
        depth = 1
        for match in _LUA.finditer(self._text, position):
            if (brace := match["brace"]) is not None:
                depth += 1 if brace == "{" else -1
                if depth == 0:
                    return match.end()
        raise _StopError('unexpected end of file, expecting "}"', self._last_line(), 'a "}" is missing')

    def _last_line(self) -> int:
        return self._text.count("\n") + 1

    def _unexpected(self, mark: str, line: int) -> _StopError:
        hint = ""
        if mark == "}" and self._words:
            hint = f'a ";" is missing after "{one_line(" ".join(self._words), limit=80)}" (line {self._begun})'
        elif mark == "}":
            hint = 'there is one "}" more than "{"'
        return _StopError(f'unexpected "{mark}"', line, hint)

    def _check_end(self) -> None:
        if self._words:
            said = one_line(" ".join(self._words), limit=80)
            hint = f'"{said}" (line {self._begun}) has no end'
            raise _StopError('unexpected end of file, expecting ";" or "}"', self._last_line(), hint)
        if self._outer:
            raise _StopError('unexpected end of file, expecting "}"', self._last_line(), 'a "}" is missing')

    def _bad_quote(self, start: int) -> None:
        """A quote that is not closed, or something that follows one too closely."""
        text, quote, line = self._text, self._text[start], self._line_of(start)
        closed = _CLOSED_QUOTE[quote].match(text, start)
        if closed is not None:
            after, at = one_line(text[closed.end()]), self._line_of(closed.end())
            raise _StopError(f'unexpected "{after}"', at, "a space is missing after the quote")
        if len(text) - start > MAX_WORD:
            raise _StopError(f'too long parameter, probably missing terminating "{quote}" character', line)
        hint = f"the quote that opens on line {line} is not closed"
        raise _StopError('unexpected end of file, expecting ";" or "}"', self._last_line(), hint)

    def _check_lengths(self, position: int, start: int, end: int, kind: int) -> None:
        """Whether nginx's buffer holds the comments before a word, and the word (without its opening quote)."""
        text = self._text
        if start - position >= MAX_WORD // 4:
            for comment in _COMMENT.finditer(text, position, start):
                if _bytes(comment[0]) >= MAX_WORD:
                    said = one_line(comment[0][:10])
                    raise _StopError(f'too long parameter "{said}..." started', self._line_of(comment.start()))
        if kind == _MARK or end - start < MAX_WORD // 4 or end >= len(text):
            return
        size = _bytes(text[start:end])
        quoted = kind in {_DOUBLE, _SINGLE}
        if quoted and size > MAX_WORD:
            quote = '"' if kind == _DOUBLE else "'"
            what = f'too long parameter, probably missing terminating "{quote}" character'
            raise _StopError(what, self._line_of(start))
        if size >= MAX_WORD - (not quoted and text[end] in " \t\r\n"):
            said = one_line(text[start : start + 10])
            raise _StopError(f'too long parameter "{said}..." started', self._line_of(start))


def _bytes(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogateescape"))
