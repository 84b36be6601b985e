"""The settings with which nginx speaks to an upstream, inheritance and the defaults of nginx 1.22 applied.

Owns which directive gives which setting in each protocol. May not know how the target was found. A
`proxy_set_header` on an inner level replaces all of those around it.
"""

from __future__ import annotations

from wizard.gateways.nginx.levels import Level
from wizard.gateways.nginx.listen import canonical_ip
from wizard.gateways.nginx.octets import text_of
from wizard.gateways.nginx.request import Request
from wizard.gateways.nginx.tree import Configuration, Directive
from wizard.gateways.nginx.upstreams import Destination
from wizard.gateways.nginx.values import seconds, size
from wizard.gateways.nginx.variables import fill
from wizard.model import Proxying


def _protocols(configuration: Configuration) -> tuple[str, ...]:
    """The versions of TLS that are offered where no directive names any (CHANGES: 1.23.4, 1.27.3)."""
    if configuration.since(1, 27, 3):
        return ("TLSv1.2", "TLSv1.3")
    return ("TLSv1", "TLSv1.1", "TLSv1.2", *(("TLSv1.3",) if configuration.since(1, 23, 4) else ()))


def proxying(request: Request, kind: str, passing: Directive, to: Destination, uri: str, *, named: bool) -> Proxying:
    """The settings that hold where a request is passed on.

    Args:
        request: the request as it is passed on; its level's settings hold.
        kind: proxy, fastcgi, uwsgi, scgi, grpc or memcached.
        passing: the `*_pass` directive.
        to: where it is passed to.
        uri: the request target that is sent, one character a byte.
        named: whether the name in the target is looked up for each request.
    """
    level = request.level
    request.values["\0proxy_host"] = to.authority
    request.values["\0proxy_port"] = "" if to.unix else str(to.port or to.default_port or "")

    def word(name: str, default: str = "") -> str:
        return level.word(f"{kind}_{name}", default)

    def conf_file(name: str) -> str | None:
        source = word(name)
        return request.configuration.conf_path(text_of(fill(request, source))) if source else None

    headers = _headers(request, kind, level) if kind in {"proxy", "grpc"} else ()
    version = "2" if kind == "grpc" else word("http_version", _usual_version(request.configuration))
    sent_name = text_of(fill(request, word("ssl_name"))) if word("ssl_name") else to.host
    sent_name = sent_name if to.unix or sent_name.startswith("[") else sent_name.partition(":")[0]
    resolver = level.nearest("resolver")
    bind = word("bind")
    return Proxying(
        tls=to.tls,
        host=text_of(next((value for name, value in headers if name.lower() == "host"), to.authority)),
        uri=text_of(uri),
        version=version,
        connect_timeout=seconds(word("connect_timeout"), 60.0),
        read_timeout=seconds(word("read_timeout"), 60.0),
        send_timeout=seconds(word("send_timeout"), 60.0),
        buffer_size=size(word("buffer_size"), 4096),
        headers=tuple((name, text_of(value)) for name, value in headers if name.lower() != "host" and value),
        params=_params(request, kind, level),
        server_name=sent_name if _sends_name(level, kind, sent_name) else None,
        verify=level.flag(f"{kind}_ssl_verify"),
        verify_name=sent_name if to.tls else None,
        trusted=conf_file("ssl_trusted_certificate"),
        protocols=tuple(_words(level, f"{kind}_ssl_protocols") or _protocols(request.configuration)) if to.tls else (),
        ciphers=word("ssl_ciphers", "DEFAULT") if to.tls else None,
        client_certificate=conf_file("ssl_certificate"),
        client_key=conf_file("ssl_certificate_key"),
        verify_depth=int(depth) if (depth := word("ssl_verify_depth", "1")).isdecimal() else 1,
        revoked=conf_file("ssl_crl"),
        resolvers=_resolvers(resolver),
        resolver_timeout=seconds(level.word("resolver_timeout"), 30.0),
        resolver_ipv6=resolver is None or "ipv6=off" not in resolver.args,
        resolver_at=resolver.at if resolver is not None else None,
        named_at_run_time=named,
        bind=text_of(fill(request, bind)) if bind and bind != "off" else None,
        next_upstream=tuple(_words(level, f"{kind}_next_upstream") or ("error", "timeout")),
        upgrade=_upgrades(request.configuration, level),
        intercept_errors=level.flag(f"{kind}_intercept_errors"),
        at=passing.at,
    )


def _words(level: Level, name: str) -> tuple[str, ...]:
    directive = level.nearest(name)
    return directive.args if directive is not None else ()


def _headers(request: Request, kind: str, level: Level) -> tuple[tuple[str, str], ...]:
    written = level.every(f"{kind}_set_header")
    headers = [(one.args[0], fill(request, one.args[1])) for one in written if len(one.args) == 2]
    names = {name.lower() for name, _ in headers}
    if kind == "proxy" and "connection" not in names and not _keeps_connections(request.configuration):
        headers.append(("Connection", "close"))
    return tuple(headers)


def _params(request: Request, kind: str, level: Level) -> tuple[tuple[str, str], ...]:
    if kind not in {"fastcgi", "uwsgi", "scgi"}:
        return ()
    params = []
    for one in level.every(f"{kind}_param"):
        if len(one.args) < 2:
            continue
        value = fill(request, one.args[1])
        if value or "if_not_empty" not in one.args[2:]:
            params.append((one.args[0], text_of(value)))
    return tuple(params)


def _sends_name(level: Level, kind: str, name: str) -> bool:
    return level.flag(f"{kind}_ssl_server_name") and bool(name) and canonical_ip(name) is None


def _resolvers(directive: Directive | None) -> tuple[str, ...]:
    found = []
    for word in directive.args if directive is not None else ():
        if "=" in word or word == "off":
            continue
        has_port = word.rpartition("]")[2].count(":") == 1 if word.startswith("[") else word.count(":") == 1
        found.append(word if has_port else f"{word}:53")
    return tuple(found)


def _keeps_connections(configuration: Configuration) -> bool:
    """Whether it speaks HTTP/1.1 to upstreams and keeps connections to them without being told (CHANGES: 1.29.7)."""
    return configuration.since(1, 29, 7)


def _usual_version(configuration: Configuration) -> str:
    return "1.1" if _keeps_connections(configuration) else "1.0"


def _upgrades(configuration: Configuration, level: Level) -> bool:
    """Whether a WebSocket handshake would get through: HTTP/1.1, and both headers passed on where the client sent them."""
    written = {one.args[0].lower(): one.args[1] for one in level.every("proxy_set_header") if len(one.args) == 2}
    if level.word("proxy_http_version", _usual_version(configuration)) != "1.1" or "connection" not in written:
        return False
    return bool(written.get("upgrade")) and written["connection"].lower() not in {"", "close"}
