"""nftables: the ruleset that `nft -a list ruleset` prints for people, as the objects of its JSON.

Owns the usual statements of nft(8), and where rules and sets stand in the listing. May not know what they mean to a
packet. For 20,000 rules nft needs a third of the time and of the memory to print this, and so do we to read it. What
is not known here becomes a test without an answer, with the verdict that the line ends in: less is told of such a
rule, never something else.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from io import BytesIO
from typing import Any

Json = Any

MAX_JOINED = 100_000  # lines of one set or of one rule

_TABLE = re.compile(r"table (\w+) (\S+) \{")
_BLOCK = re.compile(r"(chain|set|map) (\S+) \{")
_HANDLE = re.compile(r" # handle (\d+)$")
_WORDS = re.compile(r'"[^"]*"|[{}]|[^\s{}",]+|,')
_SKIPPED_IN_CHAIN = re.compile(r"type \w+ hook |policy |comment |flags |devices? ")

_PLAIN = frozenset({"accept", "drop", "return", "continue"})
_JUMPS = frozenset({"jump", "goto"})
_HEADERS = frozenset({"ip", "ip6", "tcp", "udp", "th", "sctp", "dccp", "udplite", "icmp", "icmpv6", "esp", "ah"})
_BARE_META = frozenset({"iif", "iifname", "oif", "oifname", "iiftype", "oiftype"})
_OPERATORS = frozenset({"==", "!=", "<", ">", "<=", ">="})
_ENDS_NO_VALUE = frozenset(
    {".", "&", "|", "^", "<<", ">>", "/", "map", "vmap", "set", "and", "or", "exists", "missing"}
)
_AFTER_LOG = frozenset({"prefix", "level", "group", "snaplen", "queue-threshold", "flags"})
_NUMBER = re.compile(r"\d{1,39}|0x[0-9a-f]{1,32}")
_PREFIX = re.compile(r"([0-9a-f:.]+)/(\d{1,3})")
_RANGE = re.compile(r"([0-9a-f:.]+)-([0-9a-f:.]+)")
_NOT_KNOWN: Json = {"match": None}
_NO_VERDICT: Json = {"unknown": None}


def objects(printed: bytes) -> Iterator[dict[str, Json]]:
    """The sets and rules of a listing, in its order, as `nft -j` names them; chains themselves are left out.

    A rule has its text under `text`, without what nft adds for the eye.
    """
    lines = (line.decode("utf-8", "replace") for line in BytesIO(printed))  # one at a time: it may be long
    family = table = chain = ""
    depth = 0  # of a block that holds neither rules nor elements
    for line in lines:
        words = line.strip()
        if depth:
            depth += words.count("{") - words.count("}")
        elif not words:
            continue
        elif words == "}":
            chain, table = "", table if chain else ""
        elif not table:
            found = _TABLE.match(words)
            family, table = (found[1], found[2]) if found else ("", "")
        elif chain:
            if not _SKIPPED_IN_CHAIN.match(words):
                yield {"rule": {"family": family, "table": table, "chain": chain, **_rule(_whole(words, lines))}}
        elif (block := _BLOCK.match(words)) and block[1] == "chain":
            chain = block[2]
        elif block:
            name = {"family": family, "table": table, "name": block[2]}
            yield {block[1]: {**name, "elem": _elements(lines)}}
        else:
            depth = words.count("{") - words.count("}")


def _whole(line: str, lines: Iterator[str]) -> str:
    """A rule that was broken inside the braces of a set, on one line."""
    parts = [line]
    depth = line.count("{") - line.count("}") if "{" in line else 0
    while depth > 0 and len(parts) < MAX_JOINED and (following := next(lines, None)) is not None:
        parts.append(following.strip())
        depth += following.count("{") - following.count("}")
    return " ".join(parts)


def _elements(lines: Iterator[str]) -> list[Json]:
    """The elements of a set, up to the end of its block; those of maps are not read."""
    parts: list[str] = []
    inside = False
    for line in lines:
        words = line.strip()
        if words.startswith("elements = {"):
            inside, words = True, words.removeprefix("elements = {")
        if inside:
            parts.append(words.rstrip("}"))
            inside = not words.endswith("}")
        elif words == "}" or len(parts) > MAX_JOINED:
            break
    found = (_element(one) for one in " ".join(parts).split(",") if one.strip())
    return [one for one in found if one is not None]


def _element(text: str) -> Json:
    """One element: its value, without timeout, counter or comment; None for one of a map."""
    words = text.split()
    if ":" in words:
        return None
    parts = [words[0]]
    for dot, word in zip(words[1::2], words[2::2], strict=False):
        if dot != ".":
            break
        parts.append(word)
    return {"concat": [_value(part) for part in parts]} if len(parts) > 1 else _value(parts[0])


# --- rules ----------------------------------------------------------------------------------------------------


def _rule(line: str) -> dict[str, Json]:
    handle = _HANDLE.search(line)
    text = line[: handle.start()] if handle else line
    words = _WORDS.findall(text)
    comment = ""
    if len(words) > 1 and words[-2] == "comment":
        comment = words[-1].strip('"')
        words = words[:-2]
    expr: list[Json] = []
    at = 0
    while at < len(words):
        following, statement = _statement(words, at)
        if statement is not None:
            expr.append(statement)
        if following <= at:
            expr += _ending(words[at:])
            break
        at = following
    return {"handle": int(handle[1]) if handle else None, "expr": expr, "comment": comment, "text": text}


def _statement(words: Sequence[str], at: int) -> tuple[int, Json]:
    """The statement at a place, None for one that lets the packet pass on; and where the next one begins.

    The place itself is returned where nothing is known.
    """
    word, left = words[at], len(words) - at - 1
    if word in _PLAIN:
        return at + 1, _plain(word)
    if word in _JUMPS and left:
        return at + 2, {word: {"target": words[at + 1]}}
    if word == "counter":
        return at + (
            5 if words[at + 1 : at + 2] == ["packets"] else 3 if words[at + 1 : at + 2] == ["name"] else 1
        ), None
    if word == "notrack" or (word == "masquerade" and not left):
        return at + 1, None
    if word == "log":
        end = at + 1
        while end + 1 < len(words) and words[end] in _AFTER_LOG:
            end += 2
        return end, None
    if word in {"meta", "ct"} and words[at + 2 : at + 3] == ["set"] and left == 3:
        return at + 4, None
    if word == "limit":
        return _limit(words, at)
    if word == "reject":
        return _reject(words, at)
    return _match(words, at)


@lru_cache(maxsize=16)
def _plain(word: str) -> Json:
    return {word: None}


def _limit(words: Sequence[str], at: int) -> tuple[int, Json]:
    end = at + 2
    end += words[end : end + 1] == ["over"]
    end += 1 if words[end : end + 1] and "/" in words[end] else 2
    end += 3 if words[end : end + 1] == ["burst"] else 0
    return end, {"limit": None}


def _reject(words: Sequence[str], at: int) -> tuple[int, Json]:
    rest = list(words[at + 1 :])
    if not rest:
        return at + 1, {"reject": None}
    if rest == ["with", "tcp", "reset"]:
        return len(words), {"reject": {"type": "tcp reset"}}
    if rest[0] == "with" and len(rest) >= 3:
        return len(words), {"reject": {"type": rest[1], "expr": rest[-1]}}
    return at, None


def _match(words: Sequence[str], at: int) -> tuple[int, Json]:
    word = words[at]
    if word in _BARE_META:
        start = at + 1
        left = word
    elif (word in _HEADERS or word in {"meta", "ct"}) and at + 1 < len(words):
        start = at + 2
        left = f"{word} {words[at + 1]}"
    else:
        return at, None
    op = words[start] if start < len(words) and words[start] in _OPERATORS else ""
    start += bool(op)
    end = _end_of_value(words, start)
    if end <= start or (end < len(words) and words[end] in _ENDS_NO_VALUE) or left == "tcp flags":
        return at, None
    return end, _test(left, op, tuple(words[start:end]))


def _end_of_value(words: Sequence[str], start: int) -> int:
    """Where a value ends: behind its closing brace, or behind the last of several words with commas between."""
    if start >= len(words) or words[start] in _ENDS_NO_VALUE:
        return start
    if words[start] == "{":
        try:
            return words.index("}", start) + 1
        except ValueError:
            return start
    end = start + 1
    while end + 1 < len(words) and words[end] == ",":
        end += 2
    return end


@lru_cache(maxsize=512)
def _test(left: str, op: str, words: tuple[str, ...]) -> Json:
    """A comparison; rules share those that are written alike."""
    head, _, key = left.partition(" ")
    if head in {"meta", "ct"}:
        field: Json = {head: {"key": key}}
    else:
        field = {"payload": {"protocol": head, "field": key}} if key else {"meta": {"key": head}}
    text = " ".join([left, op, *words])
    if words[0] != "{":
        values = [_value(word) for word in words if word != ","]
        right = values if len(values) > 1 else values[0]
        return {"match": {"op": op or ("in" if len(values) > 1 else "=="), "left": field, "right": right, "text": text}}
    if any(word in _ENDS_NO_VALUE or word == ":" for word in words):
        return _NOT_KNOWN
    right = {"set": [_value(word) for word in words[1:-1] if word != ","]}
    return {"match": {"op": op or "==", "left": field, "right": right, "text": text}}


def _value(word: str) -> Json:
    if word.startswith('"'):
        return word.strip('"')
    if _NUMBER.fullmatch(word):
        return int(word, 0) if word.startswith("0x") else int(word)
    if found := _PREFIX.fullmatch(word):
        return {"prefix": {"addr": found[1], "len": int(found[2])}}
    if found := _RANGE.fullmatch(word):
        return {"range": [_value(found[1]), _value(found[2])]}
    return word


def _ending(rest: Sequence[str]) -> list[Json]:
    """What is left of a rule where a statement is not known: a test without an answer, and the verdict at the end."""
    if rest[-1] in _PLAIN:
        return [_NOT_KNOWN, {rest[-1]: None}]
    if len(rest) > 2 and rest[-2] in _JUMPS:
        return [_NOT_KNOWN, {rest[-2]: {"target": rest[-1]}}]
    if "reject" in rest:
        return [_NOT_KNOWN, _reject(rest, list(rest).index("reject"))[1] or {"reject": None}]
    return [_NOT_KNOWN, _NO_VERDICT]
