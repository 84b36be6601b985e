"""Secrets that are known by their own looks or by the syntax around them.

Owns tokens, password hashes, user and password in URLs, and the places where nginx and SQL take a secret without a
name. May not know names. Each pattern takes time linear in the text: what repeats is possessive, bounded, or cannot
start again inside itself.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from wizard.host.secrets.names import Kind, is_secret, kind_in_query
from wizard.host.secrets.spans import Span


class _Look(NamedTuple):
    """A pattern, the number of the group that is the secret, and what has to be somewhere in a text for a match."""

    pattern: re.Pattern[bytes]
    group: int
    needle: Callable[[bytes], object]
    judged: bool = True  # variables, switches and marks are none


_TOKENS = re.compile(
    rb"(?<![\w-])(?:"
    rb"eyJ[\w-]{5,}+\.[\w-]{4,}+(?:\.[\w-]++){0,3}"  # JWT, JWE (RFC 7515, 7516)
    rb"|(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}(?![A-Z0-9])"
    rb"|gh[pousr]_\w{20,}+|github_pat_\w{20,}+|gl(?:pat|dt|rt)-[\w-]{16,}+|xox[abeoprs]-[\w-]{10,}+"
    rb"|[srp]k_(?:live|test)_\w{10,}+|AIza[\w-]{35}|ya29\.[\w-]{20,}+|SG\.[\w-]{16,}+\.[\w-]{16,}+|npm_\w{30,}+"
    rb"|hv[sbr]\.[\w-]{20,}+|dop_v1_\w{40,}+|pypi-[\w-]{40,}+|sk-[\w-]{20,}+|whsec_[\w+/=]{16,}+|glsa_\w{20,}+)"
)
_TOKEN_STARTS = (
    *(
        b"eyJ",
        b"AKIA",
        b"ASIA",
        b"ABIA",
        b"ACCA",
        b"ghp_",
        b"gho_",
        b"ghu_",
        b"ghs_",
        b"ghr_",
        b"github_pat_",
        b"glpat-",
    ),
    *(
        b"gldt-",
        b"glrt-",
        b"xox",
        b"k_live_",
        b"k_test_",
        b"AIza",
        b"ya29.",
        b"SG.",
        b"npm_",
        b"hvs.",
        b"hvb.",
        b"hvr.",
    ),
    *(b"dop_v1_", b"pypi-", b"sk-", b"whsec_", b"glsa_"),
)
_HASHES = re.compile(
    # crypt(5), and what htpasswd(1), LDAP and PostgreSQL write
    rb"(?<![\w$])\$(?:(?:(?:1|apr1)\$[./\w]{1,8}\$[./\w]{22}|2[abxy]?\$\d\d\$[./\w]{53})(?![./\w])"
    rb"|[56]\$(?:rounds=\d{1,9}\$)?[./\w]{1,16}\$[./\w]{43,86}|(?:y|gy|7|sm3)\$[./\w$]{20,200}"
    rb"|(?:argon2\w{1,2}|scrypt|pbkdf2[\w-]{0,12})\$[\w./+=,$-]{20,400})"
    rb"|\{(?:SSHA|SHA|SMD5|MD5|PBKDF2|CRYPT|ARGON2)[\w-]{0,10}\}[\w./+=$,-]{8,400}"
    rb"|(?<![\w$])pbkdf2_sha\d{1,3}\$\d{1,9}\$[\w./+=$]{20,200}|SCRAM-SHA-\d{1,3}\$\d{1,9}:[\w./+=$:]{20,300}"
)
_USERINFO = re.compile(rb":\\?/\\?/[^\s/?#@:\"'<>\\]*+:((?:[^\s\0/\"'<>\\]|\\[\"'])+)@")
_DSN = re.compile(
    # Raw slashes and hashes are not allowed in a password (RFC 3986), and common.
    rb"(?:postgres(?:ql)?|mysql|mariadb|rediss?|amqps?|mongodb|mssql|sqlserver|clickhouse|ldaps?|smtps?|s?ftp|nats|kafka)"
    rb"(?:\+\w{1,20})?://[^\s/?#@:\"'<>]{0,256}:(?!\d{1,5}[/?])([^\s\0\"'<>]{1,512})@"
)
_GO_DSN = re.compile(rb":([^\s\0@:\"'/]{1,200})@(?:tcp|unix)\(")
_USER_OPTION = re.compile(
    rb"(?:\s-u|--(?:proxy-)?user|--basic-auth|\bstats[ \t]{1,8}auth)[ \t=]{1,8}[\"']?[^\s:\"'$]{1,64}:(?!\d+\b)([^\s\0\"']+)"
)
_IDENTIFIED = re.compile(
    rb"(?i:\bidentified[ \t]{1,8}(?:with[ \t]{1,8}\w{1,40}[ \t]{1,8})?(?:by|as)[ \t]{1,8})(['\"])((?:[^'\"\\\r\n\0]|\\[^\r\n\0])++)\1"
)
_SECURE_LINK = re.compile(
    rb"(?m:^)[ \t]*+(?:secure_link_md5|secure_link_hmac_secret|secure_link_secret)[ \t]([^;\r\n]+)"
)
_LITERAL = re.compile(rb"(?<![\w${}])[^\s\0\"'${}]{4,}+")
_MAP = re.compile(
    rb"(?m:^)[ \t]*+map[ \t]{1,40}[\"']?\$\{?(?:http|arg|cookie)_(\w{1,64})\}?[\"']?[ \t]{1,40}\$\w{1,64}\s{0,40}"
    rb"\{([^{}]*+)\}"
)
_MAP_KEY = re.compile(
    rb"(?<=[{;\n])[ \t]*+(?!(?:default|include|hostnames|volatile)\b)(?:([\"'])(?!~)((?:[^\"'\\\r\n\0]|\\[^\r\n\0])*+)\1|([^\s\0\"'~#;{}]++))"
)
# A literal that a configuration sends along is there to be recognised by: its name may be anything.
_SENT_ALONG = re.compile(
    rb"(?m:^|[;{])[ \t]*+(?:(?:proxy|grpc)_set_header|(?:fastcgi|uwsgi|scgi)_param)[ \t]{1,40}[\w-]{1,64}[ \t]{1,40}"
    rb"[\"']?((?:[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}|[0-9a-f]{24,200}|(?=[\w+=~-]{0,200}[0-9])(?=[\w+=~-]{0,200}[A-Z])"
    rb"(?=[\w+=~-]{0,200}[a-z])[\w+=~][\w+/=~-]{15,200}))[\"']?[ \t]*;"
)
# What chat services take in the path of a URL, and links that are mailed to one person.
_IN_PATHS = re.compile(
    rb"(?:hooks\.slack\.com/(?:services|workflows)/\w{1,40}/\w{1,40}/|discord(?:app)?\.com/api/webhooks/\d{1,30}/"
    rb"|/bot\d{6,12}:|/(?:(?:password|account|e?mail)[/_-])?(?:reset|verify|confirm|activate|invite|magic|unsubscribe)"
    rb"(?:[/_-](?:password|account|e?mail|link|token))?/)([\w-]{16,}+)"
)
_MAILED = (b"reset", b"verify", b"confirm", b"activate", b"invite", b"magic", b"unsubscribe")
_SHORT_OPTION = re.compile(
    rb"\b(?:mysql\w{0,12}|mariadb\w{0,12}|sshpass)\b[^\r\n\0|;]{0,200}?[ \t]-p[\"']?([^\s\0\"'-][^\s\0\"']*)"
    rb"|\bsshpass[ \t]{1,8}-p[ \t]{1,8}[\"']?([^\s\0\"']+)"
    rb"|\bredis-cli\b[^\r\n\0|;]{0,200}?[ \t]-a[ \t]{1,8}[\"']?([^\s\0\"']+)"
)
_SCHEME = re.compile(
    rb"(?i:basic|bearer|digest|token|negotiate|ntlm|api-?key|aws4-hmac-sha256|hawk|oauth|signature|key|jwt|dpop)"
    rb"(?:\\?[ \t]){1,8}"
)


def _has_token_start(data: bytes) -> bool:
    for start in _TOKEN_STARTS:  # noqa: SIM110 - a generator would take twice as long, for every text of a session
        if start in data:
            return True
    return False


_LOOKS = (
    _Look(_TOKENS, 0, _has_token_start, judged=False),
    _Look(_HASHES, 0, lambda data: b"$" in data or b"}" in data, judged=False),
    _Look(_USERINFO, 1, lambda data: b"@" in data),
    _Look(_DSN, 1, lambda data: b"@" in data and b"://" in data),
    _Look(_GO_DSN, 1, lambda data: b"@tcp(" in data or b"@unix(" in data),
    _Look(_USER_OPTION, 1, lambda data: b"-u" in data or b"auth" in data),
    _Look(_SENT_ALONG, 1, lambda data: b"_set_header" in data or b"_param" in data),
    _Look(_IN_PATHS, 1, lambda data: b"hook" in data or b"/bot" in data or any(word in data for word in _MAILED)),
    _Look(_IDENTIFIED, 2, lambda data: b"dentified" in data or b"DENTIFIED" in data),
)


def secrets_by_looks(data: bytes) -> Iterator[Span]:
    """The secrets that show themselves."""
    for look in _LOOKS:
        if look.needle(data):
            for match in look.pattern.finditer(data):
                if not look.judged or is_secret(match[look.group]):
                    yield Span(*match.span(look.group))
    if b"-p" in data or b"-a" in data:
        for match in _SHORT_OPTION.finditer(data):
            if match.lastindex is not None and is_secret(match[match.lastindex]):
                yield Span(*match.span(match.lastindex))
    if b"secure_link" in data:
        yield from _in_secure_links(data)
    if b"map" in data:
        yield from _in_maps(data)


def short_option_of(program: bytes) -> bytes:
    """How a program takes a password on its command line: `-p` with the password glued on, `-a ` with it as a word.

    Source: mysql(1), sshpass(1), redis-cli --help. Empty for every other program.
    """
    name = program.rpartition(b"/")[2]
    if name.startswith((b"mysql", b"mariadb")):
        return b"-p"
    return {b"sshpass": b"-p ", b"redis-cli": b"-a "}.get(name, b"")


def after_scheme(data: bytes, start: int, end: int) -> int:
    """Where the secret begins in the value of an Authorization header: after the scheme, where there is one."""
    scheme = _SCHEME.match(data, start, end)
    return scheme.end() if scheme else start


def _in_secure_links(data: bytes) -> Iterator[Span]:
    """The fixed word among the variables of ngx_http_secure_link_module."""
    for match in _SECURE_LINK.finditer(data):
        for word in _LITERAL.finditer(data, *match.span(1)):
            if is_secret(word[0]):
                yield Span(*word.span())


def _in_maps(data: bytes) -> Iterator[Span]:
    """The keys of an nginx map over a header, argument or cookie that carries a secret."""
    for match in _MAP.finditer(data):
        if kind_in_query(match[1].lower()) is Kind.HARMLESS:
            continue
        for key in _MAP_KEY.finditer(data, *match.span(2)):
            start, end = key.span(2 if key[1] else 3)
            start = after_scheme(data, start, end)
            if is_secret(data[start:end]):
                yield Span(start, end)
