"""Shell wildcards as glob(3) matches them in the C locale, which is how nginx reads `include`.

Owns the matching of one name against one pattern. May not know files. The standard library's `fnmatch` differs: it has
no backslash, lets `*` match a leading dot, and its regular expressions take time that grows with every `*`.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

_CLASSES: dict[bytes, Callable[[bytes], bool]] = {
    b"alpha": bytes.isalpha,
    b"digit": bytes.isdigit,
    b"alnum": bytes.isalnum,
    b"upper": bytes.isupper,
    b"lower": bytes.islower,
    b"space": bytes.isspace,
    b"xdigit": lambda one: one in b"0123456789abcdefABCDEF",
    b"punct": lambda one: b"!" <= one <= b"~" and not one.isalnum(),
    b"blank": lambda one: one in b" \t",
    b"cntrl": lambda one: one < b" " or one == b"\x7f",
    b"graph": lambda one: b"!" <= one <= b"~",
    b"print": lambda one: b" " <= one <= b"~",
}


class Wildcard(msgspec.Struct, frozen=True):
    """One component of a pattern. Each part is a set of bytes, or None for `*`."""

    parts: tuple[frozenset[int] | None, ...]
    literal_dot: bool

    def matches(self, name: bytes) -> bool:
        """Whether a name fits. Takes at most the product of both lengths steps."""
        if name.startswith(b".") and not self.literal_dot:
            return False
        at = part = 0
        star = resume = -1
        parts = self.parts
        while at < len(name):
            if part < len(parts):
                wanted = parts[part]
                if wanted is None:
                    star, resume = part, at
                    part += 1
                    continue
                if name[at] in wanted:
                    at += 1
                    part += 1
                    continue
            if star < 0:
                return False
            resume += 1
            at, part = resume, star + 1
        return all(one is None for one in parts[part:])


def has_wildcards(component: str) -> bool:
    """Whether glob(3) treats a component as a pattern (a lone `[` is none)."""
    quoted = False
    for place, one in enumerate(component):
        if quoted:
            quoted = False
        elif one == "\\":
            quoted = True
        elif one in "*?" or (one == "[" and "]" in component[place + 1 :]):
            return True
    return False


def literal(component: str) -> str:
    """A component without wildcards as the name that it stands for: backslashes quote."""
    out: list[str] = []
    quoted = False
    for one in component:
        if one == "\\" and not quoted:
            quoted = True
        else:
            out.append(one)
            quoted = False
    return "".join(out) + ("\\" if quoted else "")


def compile_wildcard(component: bytes) -> Wildcard:
    """Read one component of a pattern (fnmatch(3) with FNM_PERIOD)."""
    parts: list[frozenset[int] | None] = []
    at = 0
    while at < len(component):
        one = component[at : at + 1]
        at += 1
        if one == b"*":
            if not parts or parts[-1] is not None:
                parts.append(None)
        elif one == b"?":
            parts.append(_ANY)
        elif one == b"[":
            found = _bracket(component, at)
            if found is None:
                parts.append(frozenset(one))
            else:
                wanted, at = found
                parts.append(wanted)
        elif one == b"\\":  # at the end it quotes nothing, and nothing fits
            parts.append(frozenset(component[at : at + 1]))
            at += 1
        else:
            parts.append(frozenset(one))
    return Wildcard(tuple(parts), component.startswith((b".", b"\\.")))


_ANY = frozenset(range(256))


def _bracket(pattern: bytes, at: int) -> tuple[frozenset[int], int] | None:
    """The bytes of a bracket expression and the place behind it; None where it does not end."""
    inverted = pattern[at : at + 1] in {b"!", b"^"}
    at += inverted
    wanted: set[int] = set()
    first = True
    while at < len(pattern):
        one = pattern[at : at + 1]
        if one == b"]" and not first:
            return (_ANY - wanted if inverted else frozenset(wanted)), at + 1
        first = False
        if pattern.startswith(b"[:", at) and (end := pattern.find(b":]", at + 2)) > 0:
            fits = _CLASSES.get(pattern[at + 2 : end])
            if fits is not None:
                wanted |= {byte for byte in range(128) if fits(bytes([byte]))}
                at = end + 2
                continue
        low, at = _member(pattern, at)
        if pattern[at : at + 1] == b"-" and pattern[at + 1 : at + 2] not in {b"]", b""}:
            high, at = _member(pattern, at + 1)
            wanted |= set(range(low, high + 1))
        else:
            wanted.add(low)
    return None


def _member(pattern: bytes, at: int) -> tuple[int, int]:
    if pattern[at] == ord("\\") and at + 1 < len(pattern):
        at += 1
    return pattern[at], at + 1
