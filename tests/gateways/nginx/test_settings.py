"""Upstreams, settings towards them and logs: inheritance, defaults, names."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from tests.gateways.nginx.memory import CONFIG, NGINX, Memory, http, loaded, routed, target
from wizard.gateways.nginx.load import load
from wizard.gateways.nginx.route import route
from wizard.gateways.nginx.servers import each_listen, listeners
from wizard.gateways.nginx.values import seconds, size
from wizard.model import ActionKind, Proxying, Role, Route


def settings(text: str, url: str = "http://x/") -> Proxying:
    made = routed(text, url)
    assert made.proxying is not None
    return made.proxying


def test_an_upstream_block_with_all_that_a_server_can_have() -> None:
    made = routed(
        """
        upstream app { zone app 64k; least_conn; keepalive 16;
          server 127.0.0.1:8001 weight=3 max_fails=2 fail_timeout=1m30s max_conns=9;
          server app.internal:8002 backup resolve;
          server unix:/run/app.sock down;
          server [::1]:8003; server plain; }
        server { listen 80; location / { proxy_pass http://APP; } }
        """,
        "http://x/",
    )
    upstream = made.upstream
    assert upstream is not None
    assert (upstream.name, upstream.keepalive, upstream.zone, upstream.balance) == ("app", 16, True, "least-conn")
    assert upstream.at is not None
    assert upstream.at.line == 4
    first, second, third, fourth, fifth = upstream.servers
    assert (first.address, first.name, first.weight, first.max_fails) == ("127.0.0.1:8001", None, 3, 2)
    assert (first.fail_timeout, first.max_conns, first.role) == (90.0, 9, Role.PRIMARY)
    assert (second.address, second.name, second.role, second.resolves) == (
        "app.internal:8002",
        "app.internal",
        Role.BACKUP,
        True,
    )
    assert (third.address, third.role) == ("unix:/run/app.sock", Role.DOWN)
    assert (fourth.address, fifth.address, fifth.name) == ("[::1]:8003", "plain:80", "plain")
    assert fifth.at is not None
    assert fifth.at.line == 8


@pytest.mark.parametrize(
    ("passing", "expected"),
    [
        ("proxy_pass http://127.0.0.1:8000;", "proxy 127.0.0.1:8000 /p?q"),
        ("proxy_pass http://127.0.0.1;", "proxy 127.0.0.1:80 /p?q"),
        ("proxy_pass https://app.test;", "proxy app.test:443 /p?q"),
        ("proxy_pass http://[::1]:81/x/;", "proxy [::1]:81 /x/p?q"),
        ("proxy_pass http://unix:/run/a.sock;", "proxy unix:/run/a.sock /p?q"),
        ("proxy_pass http://unix:/run/a.sock:/x/;", "proxy unix:/run/a.sock /x/p?q"),
        ("proxy_pass HTTP://app.test:82;", "proxy app.test:82 /p?q"),
        ("fastcgi_pass unix:/run/php.sock;", "fastcgi unix:/run/php.sock /p?q"),
        ("fastcgi_pass 127.0.0.1:9000;", "fastcgi 127.0.0.1:9000 /p?q"),
        ("uwsgi_pass uwsgi://127.0.0.1:3031;", "uwsgi 127.0.0.1:3031 /p?q"),
        ("scgi_pass localhost:4000;", "scgi localhost:4000 /p?q"),
        ("grpc_pass grpcs://app.test:50051;", "grpc app.test:50051 /p?q"),
        ("grpc_pass app.test:50051;", "grpc app.test:50051 /p?q"),
        ("set $b app.test:83; proxy_pass http://$b;", "proxy app.test:83 /p?q"),
        ("proxy_pass http://group;", "proxy 127.0.0.1:7000,127.0.0.1:7001 /p?q"),
        ("set $b group; proxy_pass http://$b/x;", "proxy 127.0.0.1:7000,127.0.0.1:7001 /x"),
        ("set $b group:80; proxy_pass http://$b;", "proxy group:80 /p?q"),
    ],
)
def test_targets(passing: str, expected: str) -> None:
    text = "upstream group { server 127.0.0.1:7000; server 127.0.0.1:7001; }"
    made = routed(f"{text} server {{ listen 80; location / {{ {passing} }} }}", "http://x/p?q")
    assert target(made) == expected
    assert made.upstream is not None
    assert (made.upstream.name == "group") is ("7000" in expected)


def test_defaults_are_those_of_nginx() -> None:
    made = settings("server { listen 80; location / { proxy_pass http://127.0.0.1:8000; } }")
    assert (made.connect_timeout, made.read_timeout, made.send_timeout) == (60.0, 60.0, 60.0)
    assert (made.version, made.host, made.buffer_size, made.tls) == ("1.0", "127.0.0.1:8000", 4096, False)
    assert made.headers == (("Connection", "close"),)
    assert made.next_upstream == ("error", "timeout")
    assert (made.server_name, made.verify, made.protocols, made.resolvers) == (None, False, (), ())
    assert (made.named_at_run_time, made.upgrade, made.intercept_errors) == (False, False, False)


def test_settings_come_from_the_nearest_level() -> None:
    made = settings(
        """
        proxy_read_timeout 10s; proxy_connect_timeout 1500ms; proxy_set_header X-Http 1; proxy_set_header Host http;
        server { listen 80; proxy_read_timeout 1m; proxy_set_header X-Server $host; proxy_intercept_errors on;
          location / { proxy_send_timeout 5; proxy_buffer_size 8k; proxy_http_version 1.1;
            proxy_next_upstream error http_502; proxy_pass http://127.0.0.1:8000;
            if ($uri = /) { set $x 1; } } }
        """,
        "http://a.test/",
    )
    assert (made.read_timeout, made.connect_timeout, made.send_timeout) == (60.0, 1.5, 5.0)
    assert (made.buffer_size, made.version, made.intercept_errors) == (8192, "1.1", True)
    assert made.headers == (("X-Server", "a.test"), ("Connection", "close"))
    assert made.host == "127.0.0.1:8000"
    assert made.next_upstream == ("error", "http_502")


def test_headers_are_filled_in() -> None:
    made = settings(
        """
        server { listen 80; location / { proxy_pass https://app.test/x;
          proxy_set_header Host $host; proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
          proxy_set_header X-Forwarded-Proto $scheme; proxy_set_header X-Id $request_id; proxy_set_header Accept "";
          proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection "upgrade"; } }
        """,
        "http://shop.test/",
    )
    assert made.host == "shop.test"
    assert dict(made.headers) == {
        "X-Forwarded-For": "127.0.0.1",
        "X-Forwarded-Proto": "http",
        "X-Id": "?",
        "Connection": "upgrade",
    }
    assert made.upgrade is True


def test_tls_towards_the_upstream() -> None:
    made = settings(
        """
        server { listen 80; location / { proxy_pass https://app.test:8443;
          proxy_ssl_server_name on; proxy_ssl_verify on; proxy_ssl_name real.test; proxy_ssl_protocols TLSv1.2 TLSv1.3;
          proxy_ssl_trusted_certificate ca.pem; proxy_ssl_certificate /c.pem; proxy_ssl_certificate_key /k.pem; } }
        """
    )
    assert (made.tls, made.server_name, made.verify, made.verify_name) == (True, "real.test", True, "real.test")
    assert made.trusted == "/etc/nginx/ca.pem"
    assert (made.client_certificate, made.client_key) == ("/c.pem", "/k.pem")
    assert made.protocols == ("TLSv1.2", "TLSv1.3")
    plain = settings("server { listen 80; location / { proxy_pass https://app.test:8443; } }")
    assert (plain.server_name, plain.verify, plain.verify_name) == (None, False, "app.test")
    assert plain.protocols == ("TLSv1", "TLSv1.1", "TLSv1.2")
    numeric = settings("server { listen 80; proxy_ssl_server_name on; location / { proxy_pass https://10.0.0.1; } }")
    assert numeric.server_name is None


def test_names_that_are_looked_up_while_nginx_runs() -> None:
    text = """
        resolver 127.0.0.53 [::1]:5353 10.0.0.2:54 valid=10s ipv6=off; resolver_timeout 3s;
        server { listen 80;
          location /run { set $b app.test; proxy_pass http://$b:8080; }
          location /start { proxy_pass http://app.test:8080; }
          location /known { set $b app.test; proxy_pass http://$b:9090; }
          location /constant { proxy_pass http://app.test:9090; }
          location /ip { set $b 10.0.0.1; proxy_pass http://$b; } }
        """
    run = settings(text.replace("location /start { proxy_pass http://app.test:8080; }", ""), "http://x/run")
    assert run.named_at_run_time is True
    assert run.resolvers == ("127.0.0.53:53", "[::1]:5353", "10.0.0.2:54")
    assert (run.resolver_timeout, run.resolver_ipv6) == (3.0, False)
    assert run.resolver_at is not None
    assert run.resolver_at.line == 4
    # The same host and port stands in a constant target: nginx knows its addresses from the start.
    assert settings(text, "http://x/run").named_at_run_time is False
    assert settings(text, "http://x/known").named_at_run_time is False
    assert settings(text, "http://x/start").named_at_run_time is False
    assert settings(text, "http://x/ip").named_at_run_time is False


def test_fastcgi_parameters() -> None:
    made = settings(
        """
        server { listen 80; root /srv/www; index index.php; fastcgi_param OUTER 1;
          location ~ \\.php { fastcgi_pass unix:/run/php.sock; fastcgi_index index.php; fastcgi_read_timeout 300;
            fastcgi_split_path_info ^(.+\\.php)(/.*)$;
            fastcgi_param SCRIPT_FILENAME $document_root$fastcgi_script_name; fastcgi_param PATH_INFO $fastcgi_path_info;
            fastcgi_param QUERY_STRING $query_string; fastcgi_param REQUEST_METHOD $request_method;
            fastcgi_param HTTPS $https if_not_empty; } }
        """,
        "http://x/a/b.php/info?q=1",
    )
    assert made.params == (
        ("SCRIPT_FILENAME", "/srv/www/a/b.php"),
        ("PATH_INFO", "/info"),
        ("QUERY_STRING", "q=1"),
        ("REQUEST_METHOD", "GET"),
    )
    assert made.read_timeout == 300.0


def logs_of(text: str, url: str = "http://x/") -> tuple[str | None, str, str | None, str | None]:
    made: Route | None = route(loaded(f"events {{}}\n{text}"), NGINX, url)
    assert made is not None
    assert made.logs is not None
    return made.logs.error, made.logs.error_level, made.logs.access, made.logs.access_format


def test_logs() -> None:
    location = "location / { proxy_pass http://127.0.0.1:1; }"
    default = "/var/log/nginx/error.log", "error", "/var/log/nginx/access.log", None
    assert logs_of(f"http {{ server {{ listen 80; {location} }} }}") == default
    assert logs_of(
        f"error_log /l/main warn; http {{ access_log logs/a.log timed; log_format timed escape=json '$a' ' $b';"
        f"server {{ listen 80; {location} }} }}"
    ) == ("/l/main", "warn", "/usr/share/nginx/logs/a.log", "$a $b")
    assert logs_of(
        f"error_log /l/main; http {{ error_log stderr; server {{ listen 80; error_log syslog:server=1.2.3.4 info;"
        f" error_log /l/server debug; access_log off; {location} }} }}"
    ) == ("/l/server", "debug", None, None)
    assert logs_of(f"http {{ server {{ listen 80; error_log stderr; {location} }} }}")[0] == "stderr"
    inner = "location / { error_log /l/inner; proxy_pass http://127.0.0.1:1; }"
    assert logs_of(f"http {{ server {{ listen 80; error_log /l/outer; {inner} }} }}")[0] == "/l/inner"


def test_listeners() -> None:
    configuration = http(
        """
        server { listen 80 default_server; listen [::]:443 ssl http2; listen 127.0.0.1:8080-8081 proxy_protocol; }
        server { server_name a; }
        server { listen unix:/run/n.sock; listen *:81; listen localhost:82; listen 443 quic; listen 443 ssl; }
        server { listen 80 ssl; listen bad:99999; }
        """
    )
    assert [(one.address, one.tls, one.http2, one.proxy_protocol) for one in listeners(configuration)] == [
        ("0.0.0.0:80", True, False, False),
        ("[::]:443", True, True, False),
        ("127.0.0.1:8080", False, False, True),
        ("127.0.0.1:8081", False, False, True),
        ("unix:/run/n.sock", False, False, False),
        ("0.0.0.0:81", False, False, False),
        ("127.0.0.1:82", False, False, False),
        ("0.0.0.0:443", True, False, False),
    ]
    written = [(str(one.address), one.default, one.written) for _, one in each_listen(configuration)]
    assert written[0] == ("0.0.0.0:80", True, True)
    assert ("0.0.0.0:80", False, False) in written


def test_a_server_without_listen_is_on_port_80() -> None:
    assert (
        target(routed("server { location / { proxy_pass http://127.0.0.1:1; } }", "http://x/")) == "proxy 127.0.0.1:1 /"
    )


def test_switches_for_all_addresses_of_a_server() -> None:
    made = routed("server { listen 443; ssl on; location / { proxy_pass http://127.0.0.1:1; } }", "https://x/")
    assert made.listener.tls is True
    newer = routed("server { listen 443 ssl; http2 on; location / { proxy_pass http://127.0.0.1:1; } }", "https://x/")
    assert newer.listener.http2 is True


def test_fallbacks_of_a_failing_upstream_are_told() -> None:
    made = routed(
        "server { listen 80; error_page 502 504 = @down; location / { proxy_pass http://127.0.0.1:1; }"
        " location @down { proxy_pass http://127.0.0.1:2; } }",
        "http://x/",
    )
    assert target(made) == "proxy 127.0.0.1:1 /"
    assert made.steps == ("on 502, 504 error_page leads to @down",)
    assert made.action.kind is ActionKind.PROXY


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("60", 60.0),
        ("60s", 60.0),
        ("500ms", 0.5),
        ("1h30m", 5400.0),
        ("1d 12h", 129600.0),
        ("", 7.0),
        ("x", 7.0),
        ("1x", 7.0),
    ],
)
def test_times(text: str, expected: float) -> None:
    assert seconds(text, 7.0) == expected


@pytest.mark.parametrize(("text", "expected"), [("4k", 4096), ("1M", 1 << 20), ("10", 10), ("", 3), ("4x", 3)])
def test_sizes(text: str, expected: int) -> None:
    assert size(text, 3) == expected


@pytest.mark.parametrize(
    ("version", "http", "connection", "protocols", "keepalive"),
    [
        ("", "1.0", "close", ("TLSv1", "TLSv1.1", "TLSv1.2"), 0),
        ("1.22.1", "1.0", "close", ("TLSv1", "TLSv1.1", "TLSv1.2"), 0),
        ("1.25.3.1", "1.0", "close", ("TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"), 0),
        ("1.28.0", "1.0", "close", ("TLSv1.2", "TLSv1.3"), 0),
        ("1.29.7", "1.1", None, ("TLSv1.2", "TLSv1.3"), 32),
        ("1.30.0", "1.1", None, ("TLSv1.2", "TLSv1.3"), 32),
    ],
)
def test_defaults_are_those_of_the_version(
    version: str, http: str, connection: str | None, protocols: tuple[str, ...], keepalive: int
) -> None:
    instance = msgspec.structs.replace(NGINX, version=version)
    text = "events {} http { upstream a { server b; } server { listen 80; location / { proxy_pass https://a; } } }"
    made = route(asyncio.run(load(Memory({CONFIG: text}), instance)), instance, "http://x/")
    assert made is not None
    assert made.proxying is not None
    assert made.upstream is not None
    assert (made.proxying.version, dict(made.proxying.headers).get("Connection")) == (http, connection)
    assert (made.proxying.protocols, made.upstream.keepalive) == (protocols, keepalive)


def test_a_log_of_its_own_for_each_host() -> None:
    text = "server { listen 80; server_name A.test; access_log logs/$server_name/$host.log; location /b { access_log /l/$pid; } }"
    made = routed(text, "http://a.test/")
    assert made.logs is not None
    assert made.logs.access == "/usr/share/nginx/logs/a.test/a.test.log"
    unknown = routed(text, "http://a.test/b").logs
    assert unknown is not None
    assert unknown.access == "/l/$pid"
