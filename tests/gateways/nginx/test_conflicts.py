"""What nginx refuses beyond the form of a directive, in its own words; and the same asked of nginx itself."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.gateways.nginx.memory import loaded
from wizard.gateways.nginx.conflicts import conflicts

PART = (
    '"proxy_pass" cannot have URI part in location given by regular expression, or inside named location, or inside '
    '"if" statement, or inside "limit_except" block'
)
CASES: list[tuple[str, str | None]] = [
    ("server { location /a {} location /a {} }", 'duplicate location "/a"'),
    ("server { location = /a {} location /a {} location ^~ /a {} }", 'duplicate location "/a"'),
    ("server { location ~ /a {} location ~ /a {} location @a {} location @a {} }", None),
    ("server { location /a { location /b {} } }", 'location "/b" is outside location "/a"'),
    ("server { location = /a { location /a/b {} } }", 'location "/a/b" cannot be inside the exact location "/a"'),
    ("server { location @a { location /b {} } }", 'location "/b" cannot be inside the named location "@a"'),
    ("server { location /a { location @b {} } }", 'named location "@b" can be on the server level only'),
    ("server { location / { proxy_pass localhost:8000; } }", "invalid URL prefix"),
    ("server { location ~ x { proxy_pass http://127.0.0.1/y; } }", PART),
    ("server { location / { if ($uri) { proxy_pass http://127.0.0.1/; } } }", PART),
    ("server { location / { limit_except GET { proxy_pass http://127.0.0.1/; } } }", PART),
    ("server { location @a { proxy_pass http://127.0.0.1/; } }", PART),
    ("server { location = /a { proxy_pass http://127.0.0.1/; } location ~ x { proxy_pass http://127.0.0.1$uri; } }", None),
    ("upstream a { server 127.0.0.1; } upstream A { server 127.0.0.1; }", 'duplicate upstream "A"'),
    ("server { set $a 1; if ($a == 1) { return 403; } }", 'unexpected "==" in condition'),
    ("server { location / { set $a 1; if ($a !~* b) { return 403; } if ( -f $a ) { break; } } }", None),
    ("upstream a { }", "no servers are inside upstream"),
    ("upstream a { server 127.0.0.1; } server { location / { proxy_pass http://a:80; } }", 'upstream "a" may not have port 80'),
    ("upstream a { server 127.0.0.1; } server { location / { fastcgi_pass a; } }", None),
    ("server { location / { fastcgi_pass 127.0.0.1; } }", 'no port in upstream "127.0.0.1"'),
    ("server { location / { grpc_pass 127.0.0.1; } }", 'no port in upstream "127.0.0.1"'),
    ("server { location / { proxy_pass http://127.0.0.1:99999; } }", 'invalid port in upstream "127.0.0.1:99999"'),
    ("server { location / { proxy_pass http://127.0.0.1:x; } }", 'invalid port in upstream "127.0.0.1:x"'),
    ("server { location / { proxy_pass http://; } }", 'no host in upstream ""'),
    ("server { location / { proxy_pass http://[::1; } }", 'invalid host in upstream "[::1"'),
    ("server { location / { proxy_pass http://unix:; } }", 'no path in the unix domain socket in upstream "unix:"'),
    ("server { listen 8081 default_server; } server { listen *:8081 default_server; }", "a duplicate default server for 0.0.0.0:8081"),
    ("server { listen 8081; listen 0.0.0.0:8081; }", "a duplicate listen 0.0.0.0:8081"),
    ("server { listen 8081; listen [::]:8081; } server { listen 8081 default_server; }", None),
]  # fmt: skip


def text(inside: str) -> str:
    return f"events {{}}\nhttp {{\n{inside}\n}}\n"


@pytest.mark.parametrize(("inside", "expected"), CASES)
def test_refusals(inside: str, expected: str | None) -> None:
    configuration = loaded(text(inside))
    assert configuration.problems == ()
    found = conflicts(configuration)
    assert (found[0].what if found else None) == expected
    assert all(problem.at is not None and problem.at.line == 3 for problem in found)


def test_refusals_are_bounded() -> None:
    assert len(conflicts(loaded(text("server { " + "location /a {} " * 500 + "}")))) == 20


@pytest.mark.lab
@pytest.mark.skipif(shutil.which("nginx") is None or os.geteuid() != 0, reason="needs root and nginx")
@pytest.mark.parametrize(("inside", "expected"), CASES)
def test_nginx_says_the_same(inside: str, expected: str | None, tmp_path: Path) -> None:
    config = tmp_path / "nginx.conf"
    config.write_text(text(inside))
    argv = [
        "unshare",
        "-n",
        "nginx",
        "-t",
        "-c",
        str(config),
        "-p",
        str(tmp_path),
        "-e",
        "stderr",
        "-g",
        f"pid {tmp_path}/p;",
    ]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    said = re.search(r"\[emerg\] \S+ (.*?)(?: in \S+:\d+)?$", done.stderr, re.MULTILINE)
    # A default server that is there twice is told with the address as it was written.
    assert (said[1].replace("*:", "0.0.0.0:") if said else None) == expected
