"""nginx's access log: any `log_format` as a reader of its lines.

Owns the compilation of a format (ngx_http_log_module: variables, `escape=default|json|none`) and the values that the
walk needs. May not know checks; takes a tail that the host has read.

Each value is matched by what it may hold or by what follows it, so that a line is read in one pass whatever it holds.
"""

from __future__ import annotations

import json
import re
from functools import lru_cache

import msgspec

from wizard.host.questions import LogTail
from wizard.logs.stamps import Clock
from wizard.logs.upstreams import endpoint

OWN_AGENT = "gateway-wizard/"
COMBINED = (
    '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent"'
)
MAX_LINE = 65536

# A line of the format `combined` or `common`, with whatever a longer format puts after it.
_COMBINED = re.compile(
    r'(?P<remote_addr>\S++) \S++ [^\["]*+\[(?P<time_local>[^\]]++)\] "(?P<request>[^"]*+)" '
    r'(?P<status>\d{3}) (?:\d++|-)(?: "[^"]*+" "(?P<http_user_agent>[^"]*+)")?',
    re.ASCII,
)
_VARIABLE = re.compile(r"\$\{(\w+)\}|\$(\w+)", re.ASCII)
_BYTES = re.compile(r"(?:\\x[0-9A-Fa-f]{2})+")
_SEPARATOR = re.compile(r", | : |,|;")

# Possessive (`*+`): a value that was read is never tried again in another way, so a hostile line costs one pass.
_NUMBER = r"[-\d.]*+"
_LIST = r"[^\s,;\"]*+(?:(?:, | : |,|; )[^\s,;\"]*+)*+"
_EXACT = {
    "status": r"\d{3}|-",
    "time_local": r"\d\d/\w{3}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}",
    "time_iso8601": r"[-\dT:+Z]++",
    "msec": r"\d++\.\d++",
}
_NUMBERS = frozenset(
    {
        "request_time",
        "body_bytes_sent",
        "bytes_sent",
        "bytes_received",
        "request_length",
        "pid",
        "connection",
        "connection_requests",
        "server_port",
        "remote_port",
        "gzip_ratio",
        "tcpinfo_rtt",
    }
)
_WANTED = frozenset(
    {
        "status",
        "time_local",
        "time_iso8601",
        "msec",
        "remote_addr",
        "request",
        "request_method",
        "request_uri",
        "uri",
        "host",
        "http_host",
        "server_name",
        "http_user_agent",
        "request_time",
        "upstream_addr",
        "upstream_status",
        "upstream_response_time",
        "upstream_connect_time",
        "upstream_header_time",
        "request_id",
    }
)


class AccessEvent(msgspec.Struct, frozen=True):
    """One request as the gateway logged it.

    `time` is seconds since the epoch at the end of the request. `status` 9 is HTTP/0.9 (bytes that were no HTTP).
    `upstream` and `upstream_status` are of the last server tried, `tried` are all of them. `asked_upstream` says
    whether any was asked; None: the format does not say. `seconds` is the whole request, `upstream_seconds` what the
    upstreams took together.
    """

    time: float | None
    status: int | None
    host: str | None = None
    request: str | None = None
    upstream: str | None = None
    upstream_status: int | None = None
    user_agent: str | None = None
    seconds: float | None = None
    client: str | None = None
    upstream_seconds: float | None = None
    tried: tuple[str, ...] = ()
    tried_statuses: tuple[int | None, ...] = ()
    asked_upstream: bool | None = None


class Reader(msgspec.Struct, frozen=True):
    """A compiled format."""

    pattern: re.Pattern[str]
    escaping: str


def read_access_log(tail: LogTail, format: str | None = None) -> tuple[AccessEvent, ...]:  # noqa: A002 - nginx's word
    """The requests in the tail of an access log, oldest first; the wizard's own probes are left out.

    Args:
        tail: the tail; stamps carry their zone.
        format: the text of the `log_format` in use (`escape=json` may stand before it); None: `combined`.

    Returns:
        Events. A line that does not fit the format is read as `combined`, and left out where it is not that either.
    """
    reader = compile_format(format) if format else None
    clock = Clock(tail.utc_offset)
    events = []
    for line in tail.content.split(b"\n"):
        if not line or len(line) > MAX_LINE:
            continue
        event = read_access_line(line.decode("utf-8", "backslashreplace").rstrip("\r"), reader, clock)
        if event is not None and not (event.user_agent or "").startswith(OWN_AGENT):
            events.append(event)
    return tuple(events)


def read_access_line(line: str, reader: Reader | None, clock: Clock) -> AccessEvent | None:
    """One line by a compiled format, or as `combined`."""
    found = reader.pattern.fullmatch(line) if reader is not None else None
    escaping = reader.escaping if reader is not None and found is not None else "default"
    if found is None:
        found = _COMBINED.match(line)
    if found is None:
        return None
    values = {name: _plain(text, escaping) for name, text in found.groupdict().items() if text is not None}
    tried = _addresses(values.get("upstream_addr", ""))
    statuses = tuple(_status(part) for part in _parts(values.get("upstream_status", "")))
    return AccessEvent(
        time=_time(values, clock),
        status=_status(values.get("status", "")),
        host=_said(values.get("host") or values.get("http_host") or values.get("server_name")),
        request=_said(_request(values)),
        upstream=tried[-1] if tried else None,
        upstream_status=statuses[-1] if statuses else None,
        user_agent=_said(values.get("http_user_agent")),
        seconds=_seconds(values.get("request_time")),
        client=_said(values.get("remote_addr")),
        upstream_seconds=_sum(values.get("upstream_response_time")),
        tried=tried,
        tried_statuses=statuses,
        asked_upstream=bool(tried) if "upstream_addr" in values else None,
    )


@lru_cache(maxsize=64)
def compile_format(text: str) -> Reader:
    """A `log_format` as a pattern with one named group for each variable that is wanted."""
    escaping = "default"
    text = text.strip()
    if text.startswith("escape="):
        word, _, text = text.partition(" ")
        escaping = word.removeprefix("escape=")
        text = text.strip()
    pieces: list[str] = []
    seen: set[str] = set()
    variables = list(_VARIABLE.finditer(text))
    at = 0
    for index, variable in enumerate(variables):
        name = variable[1] or variable[2]
        pieces.append(re.escape(text[at : variable.start()]))
        at = variable.end()
        following = text[at : variables[index + 1].start() if index + 1 < len(variables) else len(text)]
        before = text[variable.start() - 1 : variable.start()]
        body = _body(name, before, following, at == len(text), escaping)
        if name in _WANTED and name not in seen:
            seen.add(name)
            pieces.append(f"(?P<{name}>{body})")
        else:
            pieces.append(f"(?:{body})")
    pieces.append(re.escape(text[at:]))
    return Reader(re.compile("".join(pieces), re.ASCII | re.DOTALL), escaping)


def _body(name: str, before: str, following: str, last: bool, escaping: str) -> str:
    """What a variable may hold: by its kind, or everything but the character that ends it."""
    if before == '"' and following.startswith('"'):
        return r'[^"\\]*+(?:\\.[^"\\]*+)*+' if escaping == "json" else r'[^"]*+'
    if name in _EXACT:
        return _EXACT[name]
    if name in _NUMBERS:
        return _NUMBER
    if name.startswith("upstream_"):
        return _LIST
    if last:
        return r".*+"
    if not following:
        return r"[^/\s\"]*+"
    if name == "request" and following[0] == " ":
        return r"[^\s\"]*+ [^\s\"]*+ [^\s\"]*+|-"
    if len(following) == 1:
        return f"[^{re.escape(following)}]*+"
    return f"(?:(?!{re.escape(following)}).)*+"


def _plain(text: str, escaping: str) -> str:
    if escaping == "json" and "\\" in text:
        try:
            decoded: object = json.loads(f'"{text}"')
        except ValueError:
            return text
        return decoded if isinstance(decoded, str) else text
    if escaping == "default" and "\\x" in text:
        return _BYTES.sub(
            lambda run: bytes.fromhex(run[0].replace("\\x", "")).decode("utf-8", "backslashreplace"), text
        )
    return text


def _said(text: str | None) -> str | None:
    return None if text in {None, "", "-"} else text


def _request(values: dict[str, str]) -> str | None:
    if "request" in values:
        return values["request"]
    uri = values.get("request_uri") or values.get("uri")
    method = values.get("request_method")
    return f"{method} {uri}" if method and uri else uri


def _time(values: dict[str, str], clock: Clock) -> float | None:
    for name in ("time_iso8601", "time_local"):
        if name in values:
            return clock.read(values[name])
    return _seconds(values.get("msec"))


def _parts(text: str) -> list[str]:
    return [part for part in _SEPARATOR.split(text) if part] if text else []


def _addresses(text: str) -> tuple[str, ...]:
    return tuple(address for part in _parts(text) if part != "-" and (address := endpoint(part)) is not None)


def _status(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() else None


def _seconds(text: str | None) -> float | None:
    if not text or not text[0].isdigit():
        return None
    try:
        return float(text)
    except ValueError:
        return None


def _sum(text: str | None) -> float | None:
    known = [seconds for part in _parts(text or "") if (seconds := _seconds(part)) is not None]
    return sum(known) if known else None
