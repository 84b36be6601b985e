"""Where a text says that its program listens on a certain address.

Owns the reading of command lines, environments and configuration lines into (key, value) pairs and the judgement
whether a pair names an address to listen on, or one to connect to. Pure; may not know units, hosts or files.

The same text often names a port in both senses: `--bind :8000` serves it, `--upstream http://127.0.0.1:8000` uses
it. What stands before the value tells them apart, so that is what is judged.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Iterator
from enum import IntEnum

import msgspec

MAX_TEXT = 1 << 18


class Strength(IntEnum):
    """How plainly a mention says that the program listens there."""

    NONE = 0
    FAINT = 1  # the bare number, nothing that says what it is for
    PLAIN = 2
    EXACT = 3


class Endpoint(msgspec.Struct, frozen=True):
    """An address to listen on or connect to: host and port, or the path of a unix socket (`@` for abstract)."""

    host: str = ""
    port: int = 0
    path: str = ""

    @property
    def is_unix(self) -> bool:
        """Whether it is a unix socket."""
        return bool(self.path)

    def __str__(self) -> str:
        if self.path:
            return f"unix:{self.path}"
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class Mention(msgspec.Struct, frozen=True):
    """One mention of the endpoint: the words, how plain it is, and the host that it names (empty: every address)."""

    words: str
    strength: Strength
    host: str = ""
    line: int = 0


_ENDPOINT = re.compile(r"^(?:\[(?P<six>[0-9A-Fa-f:.%]+)\]|(?P<host>[^:/\[\]\s]*)):(?P<port>\d{1,5})$")


def read_endpoint(text: str) -> Endpoint | None:
    """Read `127.0.0.1:8000`, `[::1]:8000` or `unix:/run/app.sock`; None for anything else."""
    if text.startswith("unix:"):
        path = text[5:].removeprefix("//").rstrip(":") or ""
        return Endpoint(path=path) if path else None
    if text.startswith("/") and len(text) > 1:
        return Endpoint(path=text)
    match = _ENDPOINT.match(text)
    if match is None or not 0 < int(match["port"]) < 65536:
        return None
    return Endpoint(host=match["six"] or match["host"], port=int(match["port"]))


def is_anywhere(host: str) -> bool:
    """Whether a host to listen on stands for every address."""
    return host in ("", "*", "0.0.0.0", "::", "[::]", "any", "all", "+")


def is_loopback(host: str) -> bool:
    """Whether a host is this machine's loopback."""
    if host.lower() in ("localhost", "ip6-localhost", "localhost.localdomain"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def serves(listening: str, wanted: str) -> bool:
    """Whether something that listens on one host is reached through another."""
    return is_anywhere(listening) or listening == wanted or (is_loopback(listening) and is_loopback(wanted))


# --- pairs ----------------------------------------------------------------------------------------------------


Pair = tuple[str, str]

_OPTION = re.compile(r"^(--?|/)?([A-Za-z][\w.:-]*)=(.*)$", re.DOTALL)
_SHORT = re.compile(r"^-([A-Za-z])([^A-Za-z-].*)$", re.DOTALL)


def pairs_of_argv(argv: Iterable[str]) -> Iterator[Pair]:
    """The (key, value) pairs of a command line: options with what follows them, assignments, and bare words."""
    key = ""
    for index, word in enumerate(argv):
        option = _OPTION.match(word)
        short = _SHORT.match(word)
        if option and "/" not in option[2]:
            yield option[2], option[3]
            key = ""
        elif short:
            yield short[1], short[2]
            key = ""
        elif word.startswith("-") and len(word) > 1:
            key = word.lstrip("-")
        else:
            yield (key, word) if index else ("argv0", word)
            key = ""


# name = value, name: value, "name": value, name value; a comment ends nothing because lines with one at their start
# are dropped, and a value is compared whole.
_ASSIGNMENT = re.compile(
    r"""^[\s{\[(,-]*(?:export\s+|set\s+|const\s+|let\s+|var\s+|-D)?["']?(?P<key>[A-Za-z_][\w.\-\[\]]{0,80})["']?
    \s*(?:=>|:=|=|:|\s)\s*(?P<value>\S.{0,400})$""",
    re.VERBOSE,
)
_ATTRIBUTE = re.compile(r"""\b(?P<key>[A-Za-z][\w.-]{0,60})=(?P<quote>["'])(?P<value>[^"'<>]{1,200})(?P=quote)""")
_CALL = re.compile(
    r"""(?P<key>\b(?:listen|bind|run|serve|server_bind|createServer|ListenAndServe|HTTPServer|TCPServer|make_server|WSGIServer|TCPSite|UnixSite)\w{0,12})\(\(?
    [^()\n]{0,80}?(?P<value>["'][^"'\n]{1,120}["']|\b\d{2,5}\b)(?:\s*,\s*(?P<port>\d{2,5})\b)?""",
    re.VERBOSE,
)
_KEYWORD = re.compile(
    r"""\b(?P<key>port|host|bind|listen|addr(?:ess)?)\s*=\s*(?P<value>["'][^"'\n]{1,120}["']|\d{2,5})"""
)
_COMMENT = ("#", ";", "//", "--")
_PROSE = re.compile(r"""^[rRuUbB]{0,2}(?P<mark>"{3}|'{3}|/\*)""")


def pairs_of_lines(text: str) -> Iterator[tuple[int, str, str]]:
    """The (line number, key, value) of a configuration file or a small program, whatever its language."""
    for index, stripped in _code_lines(text):
        match = _ASSIGNMENT.match(stripped)
        if match and "(" not in match["value"].split("#")[0]:
            yield index, match["key"], _unquoted(match["value"])
            continue
        for call in _CALL.finditer(stripped):
            if call["port"]:
                yield index, "listen", f"{_unquoted(call['value'])}:{call['port']}"
            yield index, "listen", _unquoted(call["value"])
        for attribute in (*_ATTRIBUTE.finditer(stripped), *_KEYWORD.finditer(stripped)):
            yield index, attribute["key"], _unquoted(attribute["value"])


def _code_lines(text: str) -> Iterator[tuple[int, str]]:
    """The lines that a program acts on, without indentation: a usage example in a comment sets nothing."""
    end = ""
    for index, line in enumerate(text[:MAX_TEXT].splitlines(), 1):
        stripped = line[:2000].strip()
        if end:
            end = "" if end in stripped else end
        elif opened := _PROSE.match(stripped):
            mark = opened["mark"].replace("/*", "*/")
            end = "" if mark in stripped[opened.end() :] else mark
        elif stripped and not stripped.startswith(_COMMENT):
            yield index, stripped


def _unquoted(value: str) -> str:
    value = value.strip().rstrip(",;").strip()
    for mark in ("#", ";"):
        value = value.partition(f" {mark}")[0].rstrip()
    return value.rstrip(",;)]}").lstrip("([{").strip().strip("\"'")


# --- judgement ------------------------------------------------------------------------------------------------

# Words of a key (split at . - _ and case changes) that say: this program connects to it.
_CLIENT = frozenset({
    "upstream", "upstreams", "backend", "backends", "proxy", "target", "database", "db", "redis", "broker", "amqp",
    "rabbitmq", "mongo", "mongodb", "memcached", "memcache", "elasticsearch", "api", "remote", "connect", "origin",
    "dsn", "smtp", "mail", "statsd", "otel", "jaeger", "peer", "peers", "master", "dest", "destination", "forward",
    "callback", "webhook", "mysql", "postgres", "postgresql", "pg", "ldap", "kafka", "celery", "cache", "to",
    "allow", "allowed", "trusted", "cors", "referer", "health", "healthcheck", "check", "wait", "fastcgi_pass",
})  # fmt: skip
# Words that say: this program listens on it.
_SERVER = frozenset({
    "port", "ports", "bind", "listen", "listener", "listening", "addr", "address", "addresses", "sock", "socket",
    "serve", "interface", "unix", "uds", "publish", "http", "https", "urls", "fd", "listenstream", "endpoints",
    "runserver", "inet", "entrypoint",
})  # fmt: skip
_SERVER_LETTERS = frozenset("pblsSPLa")
_WORDS = re.compile(r"[A-Z]?[a-z0-9]+|[A-Z0-9]+")
_SCHEME = re.compile(r"^([a-z][a-z0-9+.-]{0,20})://", re.IGNORECASE)
_SERVER_SCHEMES = frozenset({"tcp", "tcp4", "tcp6", "http", "https", "unix", "fcgi", "fastcgi", "ssl", "tls"})
_FORWARDED = re.compile(r"^(?:(?P<host>\[[0-9A-Fa-f:.]+\]|[^:\s]*):)?(?P<port>\d{1,5}):[^:\s]*:?\d{1,5}(?:/tcp)?$")
_SOCAT = re.compile(r"^(?:tcp[46]?|ssl|openssl|unix)-listen:(?P<what>[^,]+)(?P<rest>.*)$", re.IGNORECASE)


def _sense(key: str) -> int:
    """1: listens, -1: connects, 0: does not say."""
    if len(key) == 1:
        return 1 if key in _SERVER_LETTERS else 0
    words = {word.lower() for word in _WORDS.findall(key)}
    if words & _CLIENT:
        return -1
    return 1 if words & _SERVER else 0


def judge(key: str, value: str, wanted: Endpoint) -> Mention | None:
    """Whether one pair says that its program listens on the wanted endpoint.

    Args:
        key: the option, variable or setting, empty for a bare word of a command line.
        value: what stands there: an address, a port, a path, or a list of them.
        wanted: the endpoint in question.

    Returns:
        The mention, or None where the pair says nothing of the sort.
    """
    sense = _sense(key)
    if sense < 0 or len(value) > 1000:
        return None
    best: Mention | None = None
    parts = re.split(r"[,\s]+", value)[:50]
    for before, part in zip(("", *parts), parts, strict=False):
        found = _judge_part(sense, key, part.strip("\"'[]{}") if not part.startswith("[") else part, wanted)
        if found is not None and (best is None or found[0] > best.strength):
            option = f"{before} " if before.startswith("-") else f"{key}=" if key else ""
            best = Mention(f"{option}{part}"[:200], found[0], found[1])
    return best


def _judge_part(sense: int, key: str, part: str, wanted: Endpoint) -> tuple[Strength, str] | None:
    socat = _SOCAT.match(part)
    if socat:
        sense, part = 1, socat["what"] if not socat["what"].isdigit() else f":{socat['what']}"
    scheme = _SCHEME.match(part)
    if scheme:
        if scheme[1].lower() not in _SERVER_SCHEMES or (sense <= 0 and scheme[1].lower() != "unix"):
            return None
        part = part[scheme.end() :].rpartition("@")[2]
        part = part if scheme[1].lower() == "unix" else part.split("/", 1)[0]
    if wanted.is_unix:
        return _judge_path(sense, part, wanted)
    forwarded = _FORWARDED.match(part)
    if forwarded and key in ("p", "publish", "L"):
        hit = int(forwarded["port"]) == wanted.port
        return _judge_host((forwarded["host"] or "").strip("[]"), wanted, Strength.EXACT) if hit else None
    if part.isascii() and part.isdigit():
        if len(part) > 5 or int(part) != wanted.port:
            return None
        return (Strength.PLAIN, "") if sense > 0 else (Strength.FAINT, "") if not key else None
    listening = read_endpoint(part)
    if listening is None or listening.port != wanted.port or listening.is_unix:
        return None
    return _judge_host(listening.host, wanted, Strength.EXACT if sense > 0 else Strength.PLAIN)


def _judge_host(host: str, wanted: Endpoint, strength: Strength) -> tuple[Strength, str] | None:
    if serves(host, wanted.host):
        return strength, host
    try:
        ipaddress.ip_address(host)
    except ValueError:
        # A name other than localhost is more often what is connected to.
        return (Strength.FAINT, host) if is_loopback(host) else None
    return min(strength, Strength.PLAIN), host


def _judge_path(sense: int, part: str, wanted: Endpoint) -> tuple[Strength, str] | None:
    path = part.removeprefix("unix:").removeprefix("unix-connect:")
    path = path.partition(":")[0] if path.startswith("/") else path
    if path.rstrip("/") != wanted.path and path.replace("/var/run/", "/run/", 1) != wanted.path.replace(
        "/var/run/", "/run/", 1
    ):
        return None
    return (Strength.EXACT if sense > 0 or part.startswith("unix:") else Strength.PLAIN), ""


def strongest(mentions: Iterable[Mention | None]) -> Mention | None:
    """The plainest of several mentions, the first of equals."""
    return max((mention for mention in mentions if mention), key=lambda mention: mention.strength, default=None)


def in_argv(argv: Iterable[str], wanted: Endpoint) -> Mention | None:
    """The plainest mention of an endpoint in a command line."""
    return strongest(judge(key, value, wanted) for key, value in pairs_of_argv(list(argv)[:500]) if key != "argv0")


def in_environment(environment: Iterable[Pair], wanted: Endpoint) -> Mention | None:
    """The plainest mention of an endpoint in environment variables."""
    return strongest(
        in_argv(value.split(), wanted) if key.endswith(("_ARGS", "_OPTS", "_OPTIONS")) else judge(key, value, wanted)
        for key, value in environment
    )


def in_file(text: str, wanted: Endpoint) -> Mention | None:
    """The plainest mention of an endpoint in a configuration file, with its line."""
    needle = wanted.path.rpartition("/")[2] if wanted.is_unix else str(wanted.port)
    if needle not in text:
        return None
    best: Mention | None = None
    for line, key, value in pairs_of_lines(text):
        if needle not in value:
            continue
        found = judge(key, value, wanted)
        if found and (best is None or found.strength > best.strength):
            best = Mention(found.words, found.strength, found.host, line)
    return best


_LOGGED = re.compile(r"(?:listen|serv|running|start|bound|bind|accept|ready)", re.IGNORECASE)
_LOGGED_NOT = re.compile(r"already in use|upstream|connect(?:ed|ing)? to|refused|forward|proxy|fail", re.IGNORECASE)


def in_message(message: str, wanted: Endpoint) -> bool:
    """Whether a log line says that its program listens on the endpoint: `Listening at: http://127.0.0.1:8000`."""
    message = message[:600]
    if not _LOGGED.search(message) or _LOGGED_NOT.search(message):
        return False
    if wanted.is_unix:
        return wanted.path in message
    for match in re.finditer(r"(?P<host>\[[0-9A-Fa-f:.]+\]|[\w.*-]{0,80}):(?P<port>\d{1,5})(?![\d:.])", message):
        if int(match["port"]) == wanted.port and (serves(match["host"].strip("[]"), wanted.host)):
            return True
    return re.search(rf"\bport:? {wanted.port}\b", message) is not None
