"""The value of a variable for one request: nginx's own, and those that a configuration sets.

Owns what each variable of nginx 1.22 says (ngx_http_variables.c and the modules of a usual build). May not know where
a value is used. A variable whose value cannot be known from configuration and request becomes a part that is not
known, with a reason that names the variable.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable

from wizard.gateways.nginx.maps import look_up
from wizard.gateways.nginx.octets import escape_args, octets
from wizard.gateways.nginx.paths import document_root, path_for
from wizard.gateways.nginx.request import MAX_VALUE, Request, Undecided
from wizard.gateways.nginx.templates import Variable, template
from wizard.gateways.nginx.tree import Configuration
from wizard.model import Place
from wizard.text import one_line

MAX_DEPTH = 40

_NAMED_GROUP = re.compile(r"\(\?(?:P?<([A-Za-z_]\w*)>|'([A-Za-z_]\w*)')")
_SETTERS = re.compile(r"(?:_set|^set_\w+|_set_\w+|_var)$|^(?:auth_request_set|geoip2|userid)$")


def fill(request: Request, source: str, *, escape: bool = False, depth: int = 0) -> str:
    """A configured value with its variables filled in.

    Args:
        request: whose values are taken.
        source: the value as configured.
        escape: whether captures are escaped, as in the arguments of a rewrite.
        depth: how many values around this one are being filled in.

    Raises:
        Undecided: the value would not end.
    """
    if depth > MAX_DEPTH:
        raise Undecided(f'"{one_line(source)}" depends on itself')
    wanted = template(source)
    parts: list[str] = []
    used: list[tuple[str, str]] = []
    for part in wanted:
        if isinstance(part, Variable):
            captured = _captured(request, part)
            if captured is not None:
                used.append((part, captured))
                escaped = escape and (request.quoted or request.plus)
                parts.append(escape_args(captured) if escaped else captured)
            else:
                parts.append(value_of(request, part, depth=depth + 1))
        else:
            parts.append(part)
    if any(_captured(request, part) != captured for part, captured in used):
        # nginx measures a value before it writes it: a capture that changes in between is a fault of its own.
        raise Undecided(f'"{one_line(source)}" has a capture and behind it a variable that changes it')
    value = "".join(parts)
    if len(value) > MAX_VALUE:
        raise Undecided(f'the value of "{one_line(source)}" grows without end')
    return value


def _captured(request: Request, name: str) -> str | None:
    """What `$1` to `$9` hold; None for the name of any other variable."""
    if len(name) != 1 or not name.isdigit():
        return None
    return request.captures[int(name)] if int(name) < len(request.captures) else ""


def value_of(request: Request, name: str, *, depth: int = 0) -> str:
    """The value of a variable by its name, without the dollar sign and in any case; empty where it has none."""
    lower = name.lower()
    if (known := request.values.get(lower)) is not None:
        return known
    if (own := _OWN.get(lower)) is not None:
        return own(request)
    made = look_up(request, lower, lambda source: fill(request, source, depth=depth))
    if made is not None:
        return made
    for prefix, by_prefix in _PREFIXES:
        if lower.startswith(prefix):
            return by_prefix(request, lower[len(prefix) :])
    if (setter := _set_by(request.configuration).get(lower)) is not None:
        how, at = setter
        return "" if how in {"set", "a pattern"} else request.choices.unknown(f"${name}, which {how} sets ({at})")
    if lower in _NOT_KNOWN or lower.startswith(_NOT_KNOWN_PREFIXES):
        return request.choices.unknown(f"${name}, which is known only while a request runs")
    return request.choices.unknown(f"${name}, which nothing in this configuration defines")


def _set_by(configuration: Configuration) -> dict[str, tuple[str, Place]]:
    return configuration.once(_setters)


def _setters(configuration: Configuration) -> dict[str, tuple[str, Place]]:
    """Every variable that a directive sets: by which, and where."""
    found: dict[str, tuple[str, Place]] = {}
    pending = list(configuration.tree)
    while pending:
        directive = pending.pop()
        if directive.block:
            pending += directive.block
        if directive.name == "set" or _SETTERS.search(directive.name):
            for word in directive.args[: 1 if directive.name == "set" else None]:
                if word.startswith("$"):
                    found.setdefault(word[1:].lower(), (directive.name, directive.at))
        for word in (directive.name, *directive.args):
            if "(?" in word:
                for named in _NAMED_GROUP.finditer(word):
                    found.setdefault((named[1] or named[2]).lower(), ("a pattern", directive.at))
    return found


def _header(request: Request, name: str) -> str:
    return next((octets(value) for key, value in request.headers.items() if key.replace("-", "_") == name), "")


def _cookie(request: Request, name: str) -> str:
    for pair in _header(request, "cookie").split(";"):
        key, equals, value = pair.partition("=")
        if equals and key.strip(" ").lower() == name:
            return value.strip(" ")
    return ""


def _argument(request: Request, name: str) -> str:
    for pair in request.args.split("&"):
        key, equals, value = pair.partition("=")
        if equals and key.lower() == name:
            return value
    return ""


def _remote_user(request: Request) -> str:
    scheme, _, encoded = _header(request, "authorization").partition(" ")
    if scheme.lower() != "basic":
        return ""
    try:
        return base64.b64decode(encoded.strip()).decode("latin-1").partition(":")[0]
    except (binascii.Error, ValueError):
        return ""


def _forwarded_for(request: Request) -> str:
    before = _header(request, "x_forwarded_for")
    return f"{before}, {request.client}" if before else request.client


def _split_path(request: Request) -> tuple[str, str]:
    """The script and what follows it, by the two captures of `fastcgi_split_path_info`."""
    directive = request.level.nearest("fastcgi_split_path_info")
    if directive is None or not directive.args:
        return request.uri, ""
    kept = request.captures
    matched = request.regex(directive.args[0], request.uri, directive.at)
    found, request.captures = request.captures, kept
    return (found[1], found[2]) if matched and len(found) > 2 else (request.uri, "")


def _script_name(request: Request) -> str:
    path, _ = _split_path(request)
    if path.endswith("/") and (index := request.level.nearest("fastcgi_index")) is not None and index.args:
        return path + octets(index.args[0])
    return path


def _filename(request: Request) -> str:
    path = path_for(request, request.uri, fill)
    if path is None:
        # A variable that could not be made once stays empty for the rest of the request.
        request.values["request_filename"] = path = ""
    return path


def _after(prefix: str, event: str) -> Callable[[Request, str], str]:
    return lambda request, name: request.choices.unknown(f"${prefix}{name}, known after {event}")


def _over_tls(value: str) -> Callable[[Request], str]:
    return lambda request: value if request.tls else ""


_OWN: dict[str, Callable[[Request], str]] = {
    "host": lambda request: request.host or octets(request.server.name),
    "uri": lambda request: request.uri,
    "document_uri": lambda request: request.uri,
    "hostname": lambda request: request.configuration.hostname or request.choices.unknown("$hostname"),
    "request_uri": lambda request: request.unparsed,
    "request": lambda request: request.line,
    "args": lambda request: request.args,
    "query_string": lambda request: request.args,
    "is_args": lambda request: "?" if request.args else "",
    "scheme": lambda request: "https" if request.tls else "http",
    "https": _over_tls("on"),
    "request_method": lambda request: request.method,
    "server_protocol": lambda _: "HTTP/1.1",
    "server_name": lambda request: octets(request.server.name),
    "server_addr": lambda request: request.local[0],
    "server_port": lambda request: str(request.local[1]) if request.local[1] else "",
    "remote_addr": lambda request: request.client,
    "realip_remote_addr": lambda request: request.client,
    "remote_user": _remote_user,
    "document_root": lambda request: document_root(request, fill),
    "realpath_root": lambda request: document_root(request, fill),
    "request_filename": _filename,
    "content_length": lambda request: _header(request, "content_length"),
    "content_type": lambda request: _header(request, "content_type"),
    "proxy_add_x_forwarded_for": _forwarded_for,
    "proxy_internal_body_length": lambda _: "",
    "fastcgi_script_name": _script_name,
    "fastcgi_path_info": lambda request: _split_path(request)[1],
    "ssl_server_name": lambda request: request.host if request.tls else "",
    "ssl_client_verify": _over_tls("NONE"),
    "ssl_client_s_dn": lambda _: "",
    "ssl_client_cert": lambda _: "",
    "ssl_client_fingerprint": lambda _: "",
    "http2": lambda _: "",
    "proxy_protocol_addr": lambda _: "",
    "request_body": lambda _: "",
    "request_body_file": lambda _: "",
    "limit_rate": lambda _: "0",
    "proxy_host": lambda request: request.values.get("\0proxy_host", ""),
    "proxy_port": lambda request: request.values.get("\0proxy_port", ""),
}
_PREFIXES: tuple[tuple[str, Callable[[Request, str], str]], ...] = (
    ("arg_", _argument),
    ("http_", _header),
    ("cookie_", _cookie),
    ("upstream_http_", _after("upstream_http_", "the upstream answered")),
    ("upstream_cookie_", _after("upstream_cookie_", "the upstream answered")),
    ("sent_http_", _after("sent_http_", "the answer")),
)
_RUN_TIME_NAMES = (
    "binary_remote_addr remote_port bytes_sent body_bytes_sent pipe request_completion request_length request_time "
    "request_id status connection connection_requests connection_time nginx_version pid msec time_iso8601 "
    "time_local gzip_ratio uid_got uid_set uid_reset secure_link secure_link_expires invalid_referer slice_range "
    "upstream_addr upstream_status upstream_connect_time upstream_header_time upstream_response_time upstream_queue_time "
    "upstream_response_length upstream_bytes_received upstream_bytes_sent upstream_cache_status "
    "ancient_browser modern_browser msie realip_remote_port session_time spdy"
)
_NOT_KNOWN = frozenset(_RUN_TIME_NAMES.split())
_NOT_KNOWN_PREFIXES = ("ssl_", "tcpinfo_", "geoip", "sent_trailer_", "connections_", "proxy_protocol_", "jwt_")
