"""Why no listener takes a URL, in words."""

from __future__ import annotations

import pytest

from tests.gateways.nginx.memory import NGINX, loaded
from wizard.gateways.nginx.route import route
from wizard.gateways.nginx.untaken import untaken

TEXT = """events {}
stream { server { listen 8443; proxy_pass 127.0.0.1:1; } server { listen 53 udp; proxy_pass 127.0.0.1:2; } }
mail { server { listen 143; protocol imap; } }
http {
  server { listen 80; listen [::]:80; listen 444 ssl; }
  server { listen 10.1.2.3:81; }
}
"""


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://a/", ""),
        ("https://a:444/", ""),
        ("https://a:80/", "0.0.0.0:80, [::]:80 has no TLS (/etc/nginx/nginx.conf:5): a URL for it begins with http://"),
        ("http://127.0.0.1:81/", "it listens on port 81 of 10.1.2.3:81 only"),
        (
            "https://a/",
            "nothing in it listens on port 443; it listens on 0.0.0.0:80, [::]:80, 0.0.0.0:444, 10.1.2.3:81",
        ),
        (
            "https://a:8443/",
            "port 8443 belongs to its stream block, which passes bytes on and reads no HTTP (/etc/nginx/nginx.conf:2)",
        ),
        (
            "http://a:143/",
            "port 143 belongs to its mail block, which speaks the protocols of mail (/etc/nginx/nginx.conf:3)",
        ),
        (
            "http://a:53/",
            "nothing in it listens on port 53; it listens on 0.0.0.0:80, [::]:80, 0.0.0.0:444, 10.1.2.3:81",
        ),
        ("ftp://a/", ""),
    ],
)
def test_why_nobody_takes_it(url: str, why: str) -> None:
    configuration = loaded(TEXT)
    assert configuration.problems == ()
    assert untaken(configuration, url) == why
    assert (route(configuration, NGINX, url) is None) == (why != "" or url.startswith("ftp"))


def test_a_configuration_without_servers() -> None:
    assert untaken(loaded("events {}\nhttp {}\n"), "http://a/") == "no server of it listens anywhere"
