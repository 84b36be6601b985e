"""A URL for every place that passes requests on, and routes that look at the files of a machine."""

from __future__ import annotations

import asyncio
import re

import pytest

from tests.gateways.nginx.memory import CONFIG, NGINX, Memory, http, target
from wizard.gateways.nginx.asking import route_on_host
from wizard.gateways.nginx.examples import example
from wizard.gateways.nginx.load import load
from wizard.gateways.nginx.samples import addresses_of, routes_of

SITE = """
upstream app { server 127.0.0.1:8000; }
server { listen 443 ssl; listen 80; server_name shop.test *.shop.test; root /srv/www;
  location / { try_files $uri @app; }
  location @app { proxy_pass http://app; }
  location = /health { proxy_pass http://127.0.0.1:1; }
  location /api/ { proxy_pass http://127.0.0.1:2; location ~ ^/api/v(\\d+)/ { proxy_pass http://127.0.0.1:3; } }
  location ~* \\.(php|phtml)$ { fastcgi_pass unix:/run/php.sock; }
  location /write { if ($request_method = GET) { return 204; } if ($request_method = POST) { proxy_pass http://127.0.0.1:4; } }
  location /hidden { internal; proxy_pass http://127.0.0.1:5; }
  location /shadow { return 200; } location ~ ^/never$ { return 404; } location = /never { deny all; proxy_pass http://127.0.0.1:6; }
}
server { listen 8080; server_name ~^(\\w+)\\.re\\.test$; location / { proxy_pass http://127.0.0.1:7; } }
server { listen [::1]:81; location / { grpc_pass 127.0.0.1:8; } }
server { listen unix:/run/front.sock; location / { proxy_pass http://127.0.0.1:9; } }
server { listen 80; server_name shop.test; location / { proxy_pass http://127.0.0.1:10; } }
"""


APP = ("127.0.0.1:8000", "127.0.0.1:8001")


def test_every_passing_place_is_listed_with_a_url_where_there_is_one() -> None:
    samples = routes_of(http(SITE), NGINX)
    found = {sample.location.pattern + f" {sample.at.line}": (sample.url, sample.method) for sample in samples}
    assert found == {
        "@app 7": ("http://shop.test/", "GET"),
        "/health 8": ("http://shop.test/health", "GET"),
        "/api/ 9": ("http://shop.test/api/", "GET"),
        "~ ^/api/v(\\d+)/ 9": ("http://shop.test/api/v1/", "GET"),
        "~* \\.(php|phtml)$ 10": ("http://shop.test/.php", "GET"),
        "/write 11": ("http://shop.test/write", "POST"),
        "/hidden 12": (None, "GET"),
        "/never 13": (None, "GET"),
        "/ 15": ("http://a.re.test:8080/", "GET"),
        "/ 16": ("http://localhost:81/", "GET"),
        "/ 17": (None, "GET"),
        "/ 18": (None, "GET"),  # another server has its name first
    }
    assert all(sample.reason for sample in samples if sample.url is None)
    assert all(sample.route is not None and sample.route.action.at == sample.at for sample in samples if sample.url)


@pytest.mark.parametrize(
    "pattern",
    [
        r"\.php$", r"^/(?<a>[^/]+)/(\d+)$", r"^(.+\.php)(/.*)?$", r"^/api/v[12]/", r"[[:digit:]]+$", r"(?i)\.png$",
        r"^[^.]+$", r"\.(gif|jpg)$", r"^/(?:index|remote)\.php(?:$|/)", r"^/a{2,3}b+?c*$", r"^/x(?=y)y", r"\x2f\w\s",
        r"^/(?P<n>[]a-]+)\]$", r"^/[\w-]+\.(?:css|js)\?$",
    ],
)  # fmt: skip
def test_examples_match_their_pattern(pattern: str) -> None:
    made = example(pattern)
    if made is None:
        assert pattern == r"\x2f\w\s"
        return
    python = pattern.replace("(?<", "(?P<").replace("(?P<a", "(?P<a").replace("[[:digit:]]", r"\d")
    assert re.search(python, made)


@pytest.mark.parametrize("pattern", ["(", "[", "a{", "\\", "(?R)", "[z-a]", "(" * 100])
def test_no_example_is_no_fault(pattern: str) -> None:
    assert example(pattern) is None or isinstance(example(pattern), str)


def test_files_are_looked_up_where_they_matter() -> None:
    text = f"events {{}} http {{ {SITE} }}"

    async def ask(url: str, *files: str) -> tuple[str, int]:
        memory = Memory({CONFIG: text, **dict.fromkeys(files, "")}, folders=("/srv/www",))
        configuration = await load(memory, NGINX)
        before = len(memory.asked)
        made = await route_on_host(memory, configuration, NGINX, url)
        assert made is not None
        assert made.undecided == ()
        return target(made), len(memory.asked) - before

    assert asyncio.run(ask("http://shop.test/a.txt")) == ("proxy 127.0.0.1:8000 /a.txt", 1)
    assert asyncio.run(ask("http://shop.test/a.txt", "/srv/www/a.txt")) == ("static 200", 1)
    assert asyncio.run(ask("http://shop.test/health")) == ("proxy 127.0.0.1:1 /health", 0)


@pytest.mark.parametrize(
    ("passes", "addresses"),
    [
        (("proxy_pass http://app;",), {"127.0.0.1:8000", "127.0.0.1:8001"}),
        (("proxy_pass http://app/x;", "fastcgi_pass unix:/run/php.sock;"), {*APP, "unix:/run/php.sock"}),
        (("proxy_pass https://shop.example;", "uwsgi_pass 127.0.0.1:3031;"), {"shop.example:443", "127.0.0.1:3031"}),
        (("set $to 127.0.0.1:9; proxy_pass http://$to;", "proxy_pass http://app;"), {*APP, "127.0.0.1:9"}),
    ],
)
def test_the_addresses_that_requests_are_passed_to(passes: tuple[str, ...], addresses: set[str]) -> None:
    places = " ".join(f"location /{number} {{ {one} }}" for number, one in enumerate(passes))
    site = f"upstream app {{ server 127.0.0.1:8000; server 127.0.0.1:8001; }} server {{ listen 80; {places} }}"
    configuration = http(site)
    assert addresses_of(configuration, NGINX) == addresses
    upstreams = [one.route.upstream for one in routes_of(configuration, NGINX) if one.route is not None]
    assert addresses == {server.address for one in upstreams if one is not None for server in one.servers}
