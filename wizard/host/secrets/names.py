"""Which names carry secrets, and which values under such a name are none.

Owns the words: options, headers, parameters, variables. May not know where in a text a name stands.
Names and values are bytes; names are lower case.
"""

from __future__ import annotations

import re
from enum import Enum, auto

MARK = b"REDACTED-"
A_MARK = re.compile(rb"REDACTED-[0-9]{1,9}\.*")


class Kind(Enum):
    """How the value of a name is read."""

    HARMLESS = auto()
    SECRET = auto()  # the whole value
    DOUBTFUL = auto()  # the whole value, where it looks random
    CREDENTIALS = auto()  # a scheme, then a secret: Authorization
    COOKIES = auto()  # name=value pairs: Cookie, Set-Cookie


# Whatever KEYWORD matches holds one of these; looking for them first is many times faster.
KEYWORD_PARTS = (
    *(
        b"pass",
        b"pwd",
        b"secret",
        b"token",
        b"credential",
        b"auth",
        b"psk",
        b"csrf",
        b"key",
        b"cookie",
        b"jwt",
        b"hmac",
    ),
    b"salt",
)
KEYWORD = re.compile(
    rb"pass(?:wor[dt]|wd|phrase|code)?|pwd|secret|token|credential|authorization|masterauth|psk|csrf"
    rb"|(?:api|app|auth|access|account|encryption|signing|master|private|shared|session|consumer|client|license|jwt"
    rb"|hmac|storage|service|webhook|cookie|secret)[_-]?key"
    rb"|cookie|jwt|hmac|(?<=[_.-])(?:key|salt|auth)(?![a-z])|(?<![a-z])auth(?![a-z_])"
)

_DOUBTFUL_WORDS = {b"key", b"salt", b"auth", b"jwt", b"hmac", b"csrf"}
_GATEWAY_WORDS = re.compile(
    rb"(?:proxy|fastcgi|uwsgi|scgi|grpc|memcached|redis|http|echo|drizzle|postgres)_pass|.*(?:by|com|tres|sur|multi|single"
    rb"|first|second|last|low|high|band)[_-]?pass|(?:load|import)credential(?:encrypted)?"
    rb"|(?:sec-websocket|cache|public|surrogate|proxy_cache|primary|foreign|sort|partition|hash|host)[_-]key"
    rb"|(?:x-)?www-authenticate"
)
_ABOUT_A_SECRET = (
    rb"file path dir directory folder url uri endpoint name header type length len size count limit ttl timeout expiry"
    rb" expires expire expires_in expiration lifetime age policy field param provider manager store algorithm"
    rb" required enabled hint reset change prompt format regex pattern version status error valid validity zone"
    rb" validator validation encoder authentication izer ize location mode source certificate cert ref"
).split()
_ABOUT_AT_THE_END = re.compile(rb"(?:" + b"|".join(_ABOUT_A_SECRET) + rb")s?")

_IN_QUERY = re.compile(
    rb"(?:.*[_.-])?(?:key|sig|signature|auth|sid|sess|sessid|sessionid|session_id|otp|ticket|jwt|hmac|apikey)"
    rb"|session|session_(?:key|state)|phpsessid|jsessionid|aspsessionid.*|cfid|cftoken"
    rb"|code|(?:auth|authorization|invite|reset|verification|access|device|login|magic)_?code"
    rb"|samlresponse|samlrequest|relaystate|assertion|nonce|awsaccesskeyid|pin|pass|pw|x-amz-credential"
)

_PLAIN = re.compile(
    rb"(?i:-|on|off|yes|no|true|false|null|none|nil|undefined|default|required|optional|enabled?|disabled?|auto"
    rb"|include|omit|same-origin|anonymous|basic|bearer|digest|negotiate|ntlm|prompt|ask"
    rb"|\*+|\.{3}|\[?(?:redacted|filtered|hidden|masked|removed|missing)\]?)"
)
_REFERENCE = re.compile(
    # nginx, shell, PHP; make, systemd and Python formats; templates and documentation; functions that fetch
    rb"(?:\$\{?[A-Za-z_][\w.]*+(?::?-[^}]*+)?\}?[\s:.,/_-]*+)+"
    rb"|\$[0-9&*@#?]|\$\([^)]*+\)|%[({][^)}]*+[)}][sd]?|%\[[^]]*+\]|\{\{.*\}\}|\{[\w.$>-]+\}|<[\w .:-]+>|%\w+%|@\w+@"
    rb"|(?i:getenv|env|config|os\.environ|process\.env|secrets|vault|lookup)\b[.(\[].*"
)
_PATH = re.compile(
    rb"(?:file://)?(?:/(?:run|etc|var|usr|home|opt|srv|root|tmp|dev|proc|secrets|mnt|app|data)(?:/|\Z)|\./)[\w./@%+:-]*"
)
_RANDOM = re.compile(rb"(?=.*[0-9])(?=.*[A-Za-z]).{6,}|(?=.*[^\w\s.:/-]).{8,}|[A-Za-z0-9+/_=-]{24,}")
_LONG_RANDOM = re.compile(rb"(?=.*[0-9A-Z/+=])(?:base64:)?[A-Za-z0-9+/_=.~!@#$%^&*(){}\[\]|:;<>?-]{16,}")


def kind_of(name: bytes) -> Kind:
    """How the value under a name is read, where the two stand side by side (an option, a header, a variable)."""
    if _GATEWAY_WORDS.fullmatch(name):
        return Kind.HARMLESS
    hits = list(KEYWORD.finditer(name))
    if not hits:
        return Kind.HARMLESS
    rest = name[hits[-1].end() :].strip(b"_.-")
    if _ABOUT_AT_THE_END.fullmatch(rest.rpartition(b"_")[2].rpartition(b"-")[2].rpartition(b".")[2]):
        return Kind.HARMLESS
    word = hits[-1][0]
    if word == b"authorization":
        return Kind.HARMLESS if rest else Kind.CREDENTIALS
    if word == b"cookie":
        return Kind.HARMLESS if rest.strip(b"2") else Kind.COOKIES
    if word == b"pass" and rest:
        return Kind.HARMLESS
    if all(hit[0] in _DOUBTFUL_WORDS for hit in hits) or rest == b"s":
        return Kind.DOUBTFUL
    return Kind.SECRET


def kind_in_query(name: bytes) -> Kind:
    """How the value of a parameter in a URL or form is read."""
    kind = kind_of(name)
    return Kind.SECRET if kind is Kind.DOUBTFUL or _IN_QUERY.fullmatch(name) else kind


def is_secret(value: bytes) -> bool:
    """Whether a value under a secret's name is one, and not a switch, a variable, a path, or a mark already."""
    value = value.strip()
    return not (
        not value
        or A_MARK.search(value)
        or _PLAIN.fullmatch(value)
        or _PATH.fullmatch(value)
        or _REFERENCE.fullmatch(value)
    )


def looks_random(value: bytes, *, long: bool = False) -> bool:
    """Whether a value has the looks of a generated secret; `long` for names that are often harmless."""
    head = value.strip()[:200]
    return not head.startswith(b"/") and bool((_LONG_RANDOM if long else _RANDOM).fullmatch(head))
