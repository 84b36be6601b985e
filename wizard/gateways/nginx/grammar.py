"""What nginx refuses about its own directives: how many words they take, whether they open a block, where they stand.

Owns the table for the directives that everyone uses (nginx 1.22, unchanged since). Directives that are not in it are
somebody's module and are let through. May not know what a directive means.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from itertools import islice

import msgspec

from wizard.gateways.nginx.tree import Directive
from wizard.model import Broken
from wizard.text import one_line

MAX_PROBLEMS = 20

# How many words (least and most; 99: any number), and the directives that take as many.
_WORDS = {
    (0, 0): "internal break ip_hash empty_gif flv mp4",
    (1, 1): """
        root alias default_type proxy_pass fastcgi_pass uwsgi_pass scgi_pass grpc_pass memcached_pass fastcgi_index
        proxy_http_version proxy_connect_timeout proxy_read_timeout proxy_send_timeout proxy_buffer_size proxy_method
        proxy_busy_buffers_size proxy_ssl_name proxy_ssl_trusted_certificate proxy_ssl_certificate proxy_ssl_ciphers
        proxy_ssl_certificate_key proxy_ssl_verify_depth proxy_hide_header proxy_pass_header proxy_cache
        proxy_cache_key proxy_next_upstream_timeout proxy_next_upstream_tries proxy_max_temp_file_size proxy_set_body
        fastcgi_connect_timeout fastcgi_read_timeout fastcgi_send_timeout fastcgi_buffer_size fastcgi_hide_header
        fastcgi_split_path_info fastcgi_cache fastcgi_cache_key uwsgi_connect_timeout uwsgi_read_timeout
        uwsgi_send_timeout uwsgi_buffer_size scgi_connect_timeout scgi_read_timeout scgi_send_timeout
        grpc_connect_timeout grpc_read_timeout grpc_send_timeout client_max_body_size client_body_buffer_size
        client_body_timeout client_header_timeout client_header_buffer_size send_timeout keepalive_requests
        resolver_timeout satisfy auth_basic auth_basic_user_file auth_request allow deny server_tokens gzip_comp_level
        gzip_min_length gzip_http_version types_hash_max_size server_names_hash_bucket_size
        server_names_hash_max_size map_hash_max_size map_hash_bucket_size variables_hash_max_size
        variables_hash_bucket_size ssl_certificate ssl_certificate_key ssl_ciphers ssl_dhparam ssl_client_certificate
        ssl_trusted_certificate ssl_verify_client ssl_session_timeout pid worker_processes worker_rlimit_nofile
        worker_connections env load_module real_ip_header set_real_ip_from charset
        proxy_buffering proxy_request_buffering proxy_intercept_errors proxy_ssl_server_name proxy_ssl_verify
        proxy_ssl_session_reuse proxy_pass_request_headers proxy_pass_request_body proxy_ignore_client_abort
        fastcgi_buffering fastcgi_intercept_errors fastcgi_keep_conn fastcgi_request_buffering uwsgi_buffering
        uwsgi_intercept_errors recursive_error_pages merge_slashes autoindex sendfile tcp_nopush tcp_nodelay gzip
        gzip_vary log_not_found absolute_redirect port_in_redirect server_name_in_redirect ssl_prefer_server_ciphers
        ssl_session_tickets ssl_stapling ssl_stapling_verify ssl_reject_handshake underscores_in_headers
        ignore_invalid_headers real_ip_recursive multi_accept etag
    """,
    (1, 2): "user return keepalive_timeout expires proxy_redirect proxy_bind hash zone open_file_cache",
    (2, 2): """
        set proxy_set_header grpc_set_header proxy_buffers fastcgi_buffers uwsgi_buffers auth_request_set limit_conn
        large_client_header_buffers gzip_buffers limit_conn_zone sub_filter
    """,
    (2, 3): "rewrite fastcgi_param uwsgi_param scgi_param add_header",
    (2, 99): "error_page try_files log_format proxy_cache_path fastcgi_cache_path",
    (1, 99): """
        listen server_name error_log access_log index resolver proxy_next_upstream fastcgi_next_upstream
        uwsgi_next_upstream gzip_types ssl_protocols proxy_cache_valid proxy_ssl_protocols
    """,
}
_BLOCKS = {
    (0, 0): "http events server types",
    (1, 1): "upstream",
    (1, 2): "location geo",
    (2, 2): "map split_clients",
    (1, 99): "if limit_except",
}
_LEVELS = {
    "main": "http events user worker_processes pid worker_rlimit_nofile load_module env error_log include",
    "http": "server upstream map geo split_clients log_format root error_page access_log index resolver types allow "
    "deny proxy_set_header proxy_read_timeout proxy_connect_timeout fastcgi_param error_log",
    "server": "location listen server_name if return rewrite set break try_files root error_page access_log index "
    "resolver types allow deny proxy_set_header proxy_read_timeout proxy_connect_timeout fastcgi_param error_log",
    "location": "location if return rewrite set break try_files root alias internal limit_except error_page access_log "
    "index resolver types allow deny proxy_pass fastcgi_pass uwsgi_pass scgi_pass grpc_pass memcached_pass "
    "proxy_set_header proxy_read_timeout proxy_connect_timeout fastcgi_param error_log",
    "server if": "return rewrite set break",
    "location if": "return rewrite set break proxy_pass fastcgi_pass uwsgi_pass scgi_pass grpc_pass memcached_pass root "
    "error_page access_log",
    "limit_except": "proxy_pass allow deny access_log",
    "upstream": "server",
    "events": "worker_connections",
}
_TABLES = {"map": frozenset({"hostnames", "volatile"}), "geo": frozenset({"ranges", "proxy_recursive"})}
_MODIFIERS = frozenset({"=", "^~", "~", "~*"})
_NO_NAME = re.compile(r"\W", re.ASCII)  # no directive of any module is called so
_LISTEN_FLAGS = "default_server default bind ssl http2 spdy proxy_protocol deferred reuseport quic multipath"
_LISTEN_WORDS = frozenset(_LISTEN_FLAGS.split())
_LISTEN_PREFIXES: tuple[str, ...] = (
    "backlog=", "rcvbuf=", "sndbuf=", "accept_filter=", "ipv6only=", "setfib=", "fastopen=", "so_keepalive=",
)  # fmt: skip
_SERVER_WORDS = frozenset({"backup", "down", "resolve", "drain"})
_SERVER_PREFIXES: tuple[str, ...] = (
    "weight=",
    "max_conns=",
    "max_fails=",
    "fail_timeout=",
    "route=",
    "service=",
    "slow_start=",
)


class _Rule(msgspec.Struct, frozen=True):
    """What holds for one directive on one level; `inside` is the level of its block, where that has rules."""

    least: int
    most: int
    block: bool
    placed: bool = True
    inside: str | None = None
    words: frozenset[str] | None = None  # those that may follow the first; others have to begin as `prefixes` say
    prefixes: tuple[str, ...] = ()


def _rules() -> dict[str, _Rule]:
    made: dict[str, _Rule] = {}
    for table, block in ((_WORDS, False), (_BLOCKS, True)):
        for (least, most), names in table.items():
            made.update(dict.fromkeys(names.split(), _Rule(least, most, block)))
    return made


_RULES = _rules()
_ALLOWED = {level: frozenset(names.split()) for level, names in _LEVELS.items()}
_PLACED = frozenset(name for names in _ALLOWED.values() for name in names)


@cache
def _rules_on(level: str) -> dict[str, _Rule]:
    """The rules of all known directives on a level."""
    rules = dict(_RULES)
    for name in _PLACED & _RULES.keys():
        inside = f"{level} if" if name == "if" else name
        rules[name] = msgspec.structs.replace(
            rules[name], placed=name in _ALLOWED[level], inside=inside if inside in _ALLOWED else None
        )
    rules["listen"] = msgspec.structs.replace(rules["listen"], words=_LISTEN_WORDS, prefixes=_LISTEN_PREFIXES)
    if level == "upstream":
        rules["server"] = _Rule(1, 99, block=False, words=_SERVER_WORDS, prefixes=_SERVER_PREFIXES)
    return rules


def objections(tree: list[Directive]) -> list[Broken]:
    """What nginx would refuse in a tree, in file order; the first is the one that it would report."""
    return list(islice(_level(tree, "main"), MAX_PROBLEMS))


def _level(directives: list[Directive], level: str) -> Iterator[Broken]:
    rules = _rules_on(level)
    for directive in directives:
        rule = rules.get(directive.name)
        if rule is None:
            if _NO_NAME.search(directive.name):
                yield _broken(directive, f'unknown directive "{one_line(directive.name)}"')
            continue
        if (problem := _problem(directive, rule)) is not None:
            yield _broken(directive, problem)
        elif rule.inside is not None and directive.block:
            yield from _level(directive.block, rule.inside)
        elif directive.name in _TABLES and directive.block:
            yield from _table(directive.name, directive.block)


def _table(name: str, entries: list[Directive]) -> Iterator[Broken]:
    """Entries of a `map` or `geo` that are no pair: mostly two of them, after a lost `;`."""
    for entry in entries:
        if entry.block is not None:
            yield _broken(entry, 'unexpected "{"')
        elif len(entry.args) != 1 and not (not entry.args and entry.name in _TABLES[name]):
            yield _broken(entry, f"invalid number of the {name} parameters")


def _problem(directive: Directive, rule: _Rule) -> str | None:
    name = directive.name
    if not rule.placed:
        return f'"{name}" directive is not allowed here'
    if (directive.block is not None) is not rule.block:
        return f'directive "{name}" ' + ('has no opening "{"' if rule.block else 'is not terminated by ";"')
    if not rule.least <= len(directive.args) <= rule.most:
        return f'invalid number of arguments in "{name}" directive'
    if name == "location" and len(directive.args) == 2 and directive.args[0] not in _MODIFIERS:
        return f'invalid location modifier "{one_line(directive.args[0])}"'
    if rule.words is None:
        return None
    # Mostly the next line, after a lost `;`.
    unknown = (word for word in directive.args[1:] if word not in rule.words and not word.startswith(rule.prefixes))
    return next((f'invalid parameter "{one_line(word)}"' for word in unknown), None)


def _broken(directive: Directive, what: str) -> Broken:
    hint = ""
    if directive.last_line > directive.line:
        hint = f'it goes on to line {directive.last_line}: a ";" may be missing at the end of line {directive.line}'
    return Broken(what, directive.at, hint)
