"""Secrets that follow a name: in headers, queries, options, variables, units, configurations and structured text.

Owns how a name is bound to its value and where the value ends. May not know which names matter. Every name is looked
at once, and its value is read once.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from wizard.host.secrets.looks import after_scheme
from wizard.host.secrets.names import (
    KEYWORD,
    KEYWORD_PARTS,
    MARK,
    Kind,
    is_secret,
    kind_in_query,
    kind_of,
    looks_random,
)
from wizard.host.secrets.spans import Span

_BEFORE = 256  # how far back a line is looked at
_LONGEST_NAME = 64
_NAME_BYTES = b"abcdefghijklmnopqrstuvwxyz0123456789_.-"
_NAME_REST = re.compile(rb"[\w.-]{0,64}")

_SEPARATOR = re.compile(
    rb"(?P<close>\\*[\"'`]|\])?[ \t]{0,16}"
    rb"(?P<op>=>|:=|!?={1,3}~?|:(?!//)|,(?=[ \t]{0,4}[\"'])|>(?=[^\s<>])|(?:content|value)=(?=[\"']))"
    rb"[ \t]{0,16}(?:\[[ \t]{0,8}(?=[\"']))?"
)
_SPACES = re.compile(rb"[\"']?[ \t]{1,64}(?=[^\s;])")
_QUOTE = re.compile(rb"(\\*)([\"'`])")
_NUMBER = re.compile(rb"\d+(?=\s*[,}\]])")
_SETS_A_VALUE = re.compile(
    rb"(?:^|[\s;{(\"'])(?:(?:proxy|grpc)_set_header|(?:fastcgi|uwsgi|scgi)_param|add_header|more_set(?:_input)?_headers|set"
    rb"|setenv(?:if)?|passenger_env_var|header_up|header_down|header|(?:requestheader|header)(?:[ \t]{1,40}always)?"
    rb"[ \t]{1,40}(?:set|add|append|merge|setifempty)|(?:http-(?:request|response)[ \t]{1,40})?(?:set|add|replace)-header"
    rb"|hdr)[ \t]{1,40}[\"']?\$?\Z"
)
_SAYS_WHO = re.compile(rb"[ \t]*(?:user|login|machine|default)[ \t]")
_ONLY_WORD = re.compile(rb"[ \t]{1,64}\S++[ \t]*+(?=[\r\n]|\Z)")
_ALWAYS_FOLLOWED = {b"requirepass", b"masterauth", b"insecure-password", b"secure_link_secret"}
_LINE_STARTS = re.compile(
    rb"(?:[ \t]|(?:export|declare|set|let|const|var|-x|-e)[ \t]|[-#;$<>*|\[({]|\w{1,40}\[)*+[\"'`]?"
)
_ONE_WORD = {Kind.SECRET, Kind.DOUBTFUL}  # not several parts, as cookies and credentials have
_PARAMETERS = re.compile(rb"[A-Za-z]{1,20}=[\"\w]")  # as of Digest and AWS4
_NEXT_PAIR = re.compile(rb"\s[\w.-]{1,64}=|[&,;][ \t]{0,8}[\w.-]{1,64}[=:]")
_COMMENT = re.compile(rb"[ \t][#;]")

_BARE = re.compile(rb"(?:[^\s\"'<>\0\\]|\\[^\r\n\0])*+")
_LINE = re.compile(rb"[^\r\n\0]*+")
_HEADER_LINE = re.compile(rb"[^\r\n\"'\0]*+")
_UNTIL = {mark: re.compile(rb"[^\r\n\0" + mark + rb"]*+") for mark in (b'"', b"'", b"`", b"<")}
_QUOTED = {mark: re.compile(rb"(?:[^\\\r\n\0" + mark + rb"]|\\[^\r\n\0])*+") for mark in (b'"', b"'", b"`")}
_QUOTED_TWICE = {mark: re.compile(rb"[^\\\r\n\0" + mark + rb"]*+") for mark in (b'"', b"'", b"`")}

_PARAMETER = re.compile(rb"(?:[?&;]|%3f|%26)(?:amp;)?([a-z][\w.\[\]-]{1,63})(=|%3d)")
_PARAMETER_VALUE = re.compile(rb"[^\0&\s\"'<>#;,|\\)}\]]*+")
_PATH_VALUE = re.compile(rb"[^\0?&\s\"'<>#;,|\\)}\]]*+")
_ENCODED_VALUE = re.compile(rb"(?:[^\0&\s\"'<>#;,|\\)}\]%]|%(?!26))*+")
_EXPRESSION_STARTS = (b"(", b"[", b"\\", b".*", b".+", b"^", b"{", b"?", b"*")

_COOKIE_ATTRIBUTES = {b"expires", b"max-age", b"domain", b"path", b"samesite", b"version", b"comment", b"priority"}


class _Site(NamedTuple):
    """A name in a text, and what stands before it on its line."""

    data: bytes
    name: bytes
    start: int
    end: int
    before: bytes
    kind: Kind
    option: bool  # written as --name


class _Link(NamedTuple):
    """What binds a name to its value, which begins at `at`; `op` is empty for mere spaces."""

    at: int
    op: bytes
    quoted_name: bool = False


class _Value(NamedTuple):
    """A value's place. A `certain` one is bounded by its syntax, and not merely by the next space in a sentence."""

    start: int
    end: int
    certain: bool = True


def secrets_by_name(data: bytes) -> Iterator[Span]:
    """The secrets that stand beside a name which says so."""
    lower = data.lower()
    position = 0
    patience = _patience(data)
    for first, last in _lines_of_interest(lower):
        position = max(position, first)
        while hit := KEYWORD.search(lower, position, last):
            site = _site(data, lower, hit)
            position = max(hit.end(), site.end)
            link = _link(site) if site.kind is not Kind.HARMLESS else None
            value = _value(site, link) if link else None
            if link and value:
                spans = [Span(value.start, value.end)] if patience < 0 else _judged(site, link, value)
                yield from spans
                # What stands in a secret, or before a mark that an earlier look set, is no name.
                position = max([position, data.rfind(MARK, value.start, value.end), *(span.end for span in spans)])
                patience -= value.end - max(position, value.start)


def secrets_in_queries(data: bytes) -> Iterator[Span]:
    """The secrets among the parameters of URLs and forms, also of a URL inside another one's parameter."""
    lower = data.lower()
    position = 0
    patience = _patience(data)
    while match := _PARAMETER.search(lower, position):
        position = match.end()
        if kind_in_query(match[1]) is Kind.HARMLESS:
            continue
        of_path = match[0].startswith(b";")
        reader = _ENCODED_VALUE if match[2] != b"=" else _PATH_VALUE if of_path else _PARAMETER_VALUE
        end = _end(reader, data, position)
        if patience < 0 or _worth(data[position:end]):
            yield Span(position, end)
            position = end
        else:
            patience -= end - position


def secrets_in_value(kind: Kind, value: bytes) -> list[Span] | None:
    """The secrets in a value that stands alone under a name of that kind; None: read it as any text."""
    if b"\n" in value or kind is Kind.HARMLESS:
        return None
    if kind is Kind.COOKIES:
        return _cookies(value, 0, len(value))
    if kind is Kind.CREDENTIALS:
        return _credentials(value, _Value(0, len(value)))
    if kind is Kind.DOUBTFUL and not looks_random(value, long=True):
        return None
    return [Span(0, len(value))] if is_secret(value) else []


def _patience(data: bytes) -> int:
    """How many bytes of harmless values may be read again for names in them.

    Names nested in the values of names would make the work grow with the square of the size. Nobody but an attacker
    writes so; then everything under such a name counts as secret.
    """
    return 4 * len(data) + (1 << 20)


def _lines_of_interest(lower: bytes) -> list[tuple[int, int]]:
    """The lines in which a keyword may be; each once, in order."""
    lines: set[tuple[int, int]] = set()
    for part in KEYWORD_PARTS:
        found = lower.find(part)
        while found >= 0:
            end = lower.find(b"\n", found)
            end = end if end >= 0 else len(lower)
            lines.add((lower.rfind(b"\n", 0, found) + 1, end))
            found = lower.find(part, end)
    return sorted(lines)


def _site(data: bytes, lower: bytes, hit: re.Match[bytes]) -> _Site:
    end = _end(_NAME_REST, lower, hit.end())
    window = lower[max(0, hit.start() - _LONGEST_NAME) : hit.start()]
    start = hit.start() - (len(window) - len(window.rstrip(_NAME_BYTES)))
    dashed = lower[start:end]
    dashes = len(dashed) - len(dashed.lstrip(b"-."))
    name = dashed[dashes:].rstrip(b".-")
    start += dashes
    floor = max(0, start - _BEFORE)
    line = max(lower.rfind(b"\n", floor, start), lower.rfind(b"\0", floor, start)) + 1
    return _Site(
        data, name, start, start + len(name), lower[max(line, floor) : start], kind_of(name), option=dashes >= 2
    )


def _link(site: _Site) -> _Link | None:
    """What binds the name to a value; None where nothing does, as in a sentence."""
    separator = _SEPARATOR.match(site.data, site.end)
    if separator:
        op = separator["op"]
        if op == b"," and not site.before.rstrip(b"\"' ").endswith(b"define("):
            return None
        if op == b">" and not site.before.endswith(b"<"):
            return None
        return _Link(separator.end(), op, quoted_name=(separator["close"] or b"]") != b"]")
    gap = _SPACES.match(site.data, site.end)
    told = (
        site.option
        or site.name in _ALWAYS_FOLLOWED
        or (site.name in {b"password", b"passwd"} and _belongs_to_login(site))
        or _SETS_A_VALUE.search(site.before)
    )
    return _Link(gap.end(), b"") if gap and told else None


def _belongs_to_login(site: _Site) -> bool:
    """Whether `password WORD` is an entry of a netrc or HAProxy's user list, and not the beginning of a sentence."""
    alone = not site.before.strip() and _ONLY_WORD.match(site.data, site.end)
    return bool(alone or _SAYS_WHO.match(site.before))


def _value(site: _Site, link: _Link) -> _Value | None:
    """Where the value is; None where it cannot be one."""
    data, at = site.data, link.at
    outer = site.before[-1:] if site.before[-1:] in _QUOTED and not link.quoted_name and link.op else b""
    quote = _QUOTE.match(data, at)
    if quote and quote[2] != outer:
        reader = (_QUOTED_TWICE if quote[1] else _QUOTED)[quote[2]]
        return _Value(quote.end(), _end(reader, data, quote.end()))
    if outer:
        end = _unslashed(data, at, _end(_UNTIL[outer], data, at))
        return _Value(at, _before_next_pair(data, at, end) if site.kind in _ONE_WORD else end)
    if quote or (link.op and data[site.start - 1 : site.start] in {b"?", b"&"}):
        return None  # an empty value, or a parameter, which is read as one
    if link.op == b">":
        return _Value(at, _end(_UNTIL[b"<"], data, at))
    if link.quoted_name and (number := _NUMBER.match(data, at)):
        return _Value(at, number.end())
    certain = link.op != b":"
    if site.kind is Kind.COOKIES:
        return _Value(at, _end(_HEADER_LINE, data, at), certain)
    at_start = bool(link.op) and bool(_LINE_STARTS.fullmatch(site.before))
    if at_start and site.kind in _ONE_WORD:
        return _Value(at, _end_of_line_value(data, at))
    start = at
    if site.kind is Kind.CREDENTIALS:
        start = after_scheme(data, at, len(data))
        if at_start or (start > at and _PARAMETERS.match(data, start)):
            return _Value(at, _end(_LINE, data, at))
    end = _before_next_pair(data, start, _end(_BARE, data, start))
    return _Value(at, start + len(data[start:end].rstrip(b";,)}]|.\\")), certain)


def _judged(site: _Site, link: _Link, value: _Value) -> list[Span]:
    """The secrets in a value: none where it is a switch, a variable, a path, or a word of a sentence."""
    data, text = site.data, site.data[value.start : value.end]
    if site.kind is Kind.COOKIES:
        return _cookies(data, value.start, value.end)
    if site.kind is Kind.CREDENTIALS:
        return _credentials(data, value)
    if (
        not is_secret(text)
        or (not value.certain and not (_worth(text) and looks_random(text)))
        or (site.kind is Kind.DOUBTFUL and not looks_random(text, long=True))
        or (site.name in {b"pwd", b"oldpwd"} and text.startswith(b"/"))
        or (site.option and not link.op and text.startswith(b"-"))
        or (
            link.op.startswith(b"=") and not _LINE_STARTS.fullmatch(site.before) and text.startswith(_EXPRESSION_STARTS)
        )
    ):
        return []
    bare_number = link.quoted_name and text.isdigit() and data[value.start - 1 : value.start] not in _QUOTED
    return [Span(value.start, value.end, bare_number)]


def _worth(value: bytes) -> bool:
    """Whether a bare value can be a secret: it is no regular expression either."""
    return is_secret(value) and not value.startswith(_EXPRESSION_STARTS)


def _credentials(data: bytes, value: _Value) -> list[Span]:
    start = after_scheme(data, value.start, value.end)
    text = data[start : value.end]
    if not is_secret(text) or not (start > value.start or value.certain or looks_random(text)):
        return []
    return [Span(start, value.end)]


def _cookies(data: bytes, start: int, end: int) -> list[Span]:
    """The values of cookies; their names and attributes stay (RFC 6265)."""
    spans: list[Span] = []
    for pair in data[start:end].split(b";"):
        name, equals, value = pair.partition(b"=")
        text = value.strip(b" \t\"'\\")
        if equals and name.strip().lower() not in _COOKIE_ATTRIBUTES and is_secret(text):
            first = start + len(name) + 1 + value.index(text)
            spans.append(Span(first, first + len(text)))
        elif not equals and looks_random(pair) and not pair.strip().count(b" ") and is_secret(pair):
            first = start + pair.index(pair.strip())
            spans.append(Span(first, first + len(pair.strip())))
        start += len(pair) + 1
    return spans


def _end(reader: re.Pattern[bytes], data: bytes, start: int) -> int:
    match = reader.match(data, start)
    return match.end() if match else start


def _unslashed(data: bytes, start: int, end: int) -> int:
    """The end without the backslash that escapes a closing quote."""
    return start + len(data[start:end].rstrip(b"\\"))


def _before_next_pair(data: bytes, start: int, end: int) -> int:
    following = _NEXT_PAIR.search(data, start, end)
    return following.start() if following else end


def _end_of_line_value(data: bytes, at: int) -> int:
    """The end of a value that has the rest of its line, but for a next pair, a comment, and what closes a statement."""
    end = _before_next_pair(data, at, _end(_LINE, data, at))
    comment = _COMMENT.search(data, at, end)
    value = data[at : comment.start() if comment else end]
    return at + len(value.rstrip().rstrip(b";,\"'`{}").rstrip())
