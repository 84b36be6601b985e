"""Configurations as installers, panels and the manuals of applications write them, beside a real nginx."""

from __future__ import annotations

import asyncio
import json
import re
import sys
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.gateways.nginx import lab
from tests.gateways.nginx.generate import Ask
from tests.gateways.nginx.memory import NGINX, Memory, target
from tests.gateways.nginx.test_differential import needs_lab
from tests.lab.guest import REPOSITORY, Guest
from wizard.gateways.nginx.load import load
from wizard.gateways.nginx.rewrite import CLOSES
from wizard.gateways.nginx.route import DEFAULT_HEADERS, route
from wizard.gateways.nginx.samples import routes_of
from wizard.gateways.nginx.tree import Configuration
from wizard.model import Route

FOLDER = Path(__file__).parent / "found"
MAIN = """user root; events {} http { include /etc/nginx/mime.types; access_log off; include /etc/nginx/site.conf;
ssl_certificate /etc/nginx/ssl_certificate.pem; ssl_certificate_key /etc/nginx/ssl_certificate_key.pem; }
"""
SHOP = "fastcgi unix:/var/run/php-fpm-shop.sock"
BLUE = "proxy 127.0.0.1:8101,127.0.0.1:8102"
PHP = "unix:/run/php/php8.2-fpm.sock"
WORKHORSE = "unix:/var/opt/gitlab/gitlab-workhorse/sockets/socket"
MAGENTO = "fastcgi unix:/run/php-fpm/magento.sock"


@dataclass(frozen=True)
class Case:
    """A URL, the files that are there (folders end with a slash), and what happens; `sent` are headers."""

    site: str
    url: str
    expected: str
    files: tuple[str, ...] = ()
    sent: tuple[tuple[str, str], ...] = ()


_FILES = {
    "laravel": ("/var/www/shop/public/index.php", "/var/www/shop/public/css/a.css"),
    "drupal": tuple(f"/var/www/drupal/{name}" for name in ("index.php", "update.php", "core/a.js", "README.txt")),
    "certbot": ("/var/www/html/index.html",),
    "panel": ("/var/www/panel.example/web/index.php",),
    "switches": ("/srv/closed/maintenance.html",),
    "mastodon": ("/home/mastodon/live/public/robots.txt",),
    "magento": tuple(
        f"/var/www/magento2/pub/{name}" for name in ("index.php", "get.php", "static.php", "static/frontend/a.css")
    ),
}
_URLS = {
    "laravel": {
        "http://shop.example/": f"{SHOP} /",
        "http://shop.example/cart?id=1": f"{SHOP} /cart?id=1",
        "http://shop.example/index.php/x": f"{SHOP} /index.php/x",
        "http://shop.example/css/a.css": "static 200",
        "http://shop.example/favicon.ico": f"{SHOP} /favicon.ico",
        "http://shop.example/.env": "return 403",
        "http://shop.example/other.php": f"{SHOP} /other.php",
    },
    "drupal": {
        "http://drupal.example/": f"fastcgi {PHP} /",
        "http://drupal.example/node/1": f"fastcgi {PHP} /node/1",
        "http://drupal.example/index.php/node/1": "return 307 /node/1",
        "http://drupal.example/core/a.js": "static 200",
        "http://drupal.example/core/gone.js": f"fastcgi {PHP} /core/gone.js",
        "http://drupal.example/sites/default/files/x.php": "return 403",
        "http://drupal.example/sites/default/private/x": "return 403",
        "http://drupal.example/composer.json": f"fastcgi {PHP} /composer.json",
        "http://drupal.example/core/x.yml": "return 404",
        "http://drupal.example/.git/config": "return 403",
        "http://drupal.example/update.php/selection": f"fastcgi {PHP} /update.php/selection",
        "http://drupal.example/install.php": "static 404",
        "http://drupal.example/vendor/a.php": "return 404",
        "http://drupal.example/de/system/files/a": f"fastcgi {PHP} /de/system/files/a",
    },
    "gitlab": {
        "http://git.example/a/b": "return 301 https://git.example:443/a/b",
        "https://git.example/a/b?c": f"proxy {WORKHORSE} /a/b?c",
        "https://git.example/a.git/git-receive-pack": f"proxy {WORKHORSE} /a.git/git-receive-pack",
        "https://git.example/-/kubernetes-agent/": "proxy localhost:8150 /",
        "https://git.example/-/kubernetes-agent/k8s-proxy/x": "proxy localhost:8154 /x",
        "https://git.example/-/kubernetes-agent/k8s-proxy": "return 301 /-/kubernetes-agent/k8s-proxy/",
        "https://git.example/404.html": "static 404",
    },
    "subpaths": {
        "http://tools.example/grafana": "return 302 /grafana/",
        "http://tools.example/grafana/d/1?a=b": "proxy 127.0.0.1:3000 /d/1?a=b",
        "http://tools.example/grafana/api/live/ws": "proxy 127.0.0.1:3000 /api/live/ws",
        "http://tools.example/jenkins": "return 301 /jenkins/",
        "http://tools.example/jenkins/job/a%20b/": "proxy 127.0.0.1:8080 /jenkins/job/a%20b/",
        "http://tools.example/jenkins/static/0123abcd/css/a.css": "static 404",
        "http://tools.example/prometheus/graph?x": "proxy 127.0.0.1:9090 /graph?x",
        "http://tools.example/kibana/app": "proxy 127.0.0.1:5601 /kibana/app",
        "http://tools.example/phpmyadmin/a%20b/?x": "proxy 127.0.0.1:8081 /a b/?x",
        "http://tools.example/phpmyadmin/index?x": "proxy 127.0.0.1:8081 /index?x",
        "http://tools.example/ha/x": "return 301 http://home.example/ha/x",
        "http://home.example/api/": "proxy 127.0.0.1:8123 /api/",
        "http://10.1.1.1/prometheus/": "proxy 127.0.0.1:9090 /",
    },
    "nginx-proxy": {
        "http://whoami.example/x": "proxy 172.17.0.4:8000 /x",
        "http://app.example/api/v1?y": "proxy 172.17.0.5:3000,172.17.0.6:3000 /v1?y",
        "http://a.app.example/": "proxy 172.17.0.5:3000,172.17.0.6:3000 /",
        "http://x.y.preview.example/": "return 200 x.y",
        "http://unknown.example/": "return 503",
    },
    "proxy-manager": {
        "http://media.example/web": "return 301 https://media.example/web",
        "https://media.example/web?x=%20": "proxy 192.168.1.10:8096 /web?x=%20",
        "https://media.example/photos/1": "proxy 192.168.1.11:2342 /photos/1",
        "http://media.example/.well-known/acme-challenge/test-challenge": "static 404",
        "https://media.example/.well-known/acme-challenge/": "return 404",
    },
    "certbot": {
        "http://www.example.org/a?b": "return 301 https://www.example.org/a?b",
        "http://other.example/": "return 404",
        "https://example.org/": "static 200",
        "https://example.org/app": "proxy 127.0.0.1:5000 /",
        "https://example.org/app/x": "proxy 127.0.0.1:5000 //x",
        "https://example.org/gone": "static 404",
    },
    "panel": {
        "http://panel.example/x?y": "return 301 https://panel.example/x?y",
        # The page for the 404 starts at the server again, whose rewrite takes it.
        "http://panel.example/.well-known/acme-challenge/t": (
            "return 301 https://panel.example/.well-known/acme-challenge/t"
        ),
        "https://panel.example/": "fastcgi unix:/var/lib/php8.2-fpm/web1.sock /",
        "https://panel.example/a.php": "return 500",
        "https://panel.example/index.php?a": "fastcgi unix:/var/lib/php8.2-fpm/web1.sock /index.php?a",
        "https://panel.example/.htaccess": "return 403",
        "https://panel.example/hestia/x": "proxy 10.77.1.2:8080 /hestia/x",
        "https://panel.example/hestia/x.css": "proxy 10.77.1.2:8080 /hestia/x.css",
        "https://panel.example/internal-nginx-static-location/a": "return 500",
        "http://elsewhere.example/": "proxy 127.0.0.1:7080 /",
        "http://10.77.1.1/": "return 444",
    },
    "switches": {
        "http://open.example/": f"{BLUE} /",
        "http://open.example/?pool=GREEN": "proxy 127.0.0.1:8201 /?pool=GREEN",
        "http://open.example/login": f"{BLUE} /login",
        "http://open.example/de/about": f"{BLUE} /about?lang=de",
        "http://open.example/old/x": "return 410",
        "http://closed.example/": "static 503",
        "http://closed.example/status": "return 200 ok",
    },
    "ingress": {
        "http://web.example/": "proxy 10.77.1.2:8080 /",
        "http://web.example/API/v1/x?y": "proxy 10.77.1.2:8081 /v1/x?y",
        "http://web.example/api": "proxy 10.77.1.2:8081 /",
        "http://web.example/exact": "proxy 10.77.1.2:8081 /exact",
        "http://web.example/exact/": "proxy 10.77.1.2:8080 /exact/",
        "http://web.example/ws/": "return 308 https://web.example/ws/",
        "https://web.example/ws/": "proxy 10.77.1.2:8080 /ws/",
        "http://web.example/ws": "return 301 /ws/",
        "http://web.example/canary": "proxy 10.77.1.2:8080 /canary",
        "http://nobody.example/x": "return 404",
        "http://nobody.example/healthz": "return 200",
    },
    "mastodon": {
        "http://social.example/@a": "return 301 https://social.example/@a",
        "https://social.example/@a": "proxy 127.0.0.1:3000 /@a",
        "https://social.example/": "proxy 127.0.0.1:3000 /",
        "https://social.example/robots.txt": "static 200",
        "https://social.example/api/v1/streaming?x": "proxy 127.0.0.1:4000 /api/v1/streaming?x",
        "https://social.example/assets/gone.js": "proxy 127.0.0.1:3000 /500.html",
    },
    "magento": {
        "http://store.example/": f"{MAGENTO} /",
        "http://store.example/women/tops.html?p=2": f"{MAGENTO} /women/tops.html?p=2",
        "http://store.example/static/version123/frontend/a.css": "static 200",
        "http://store.example/static/version123/frontend/gone.css": f"{MAGENTO} /static/version123/frontend/gone.css",
        "http://store.example/media/catalog/a.jpg": f"{MAGENTO} /media/catalog/a.jpg",
        "http://store.example/pub/media/customer/x": "static 404",
        "http://store.example/.git/config": "static 404",
        "http://store.example/setup/x": "static 404",
        "http://store.example/x.phtml": "static 404",
    },
}
_WITH_HEADERS = (
    ("proxy-manager", "http://media.example/web", ("X-Forwarded-Proto", "https"), "proxy 192.168.1.10:8096 /web"),
    ("switches", "http://open.example/login", ("Cookie", "pool=green"), "proxy 127.0.0.1:8201 /login"),
    ("switches", "http://closed.example/", ("Cookie", "preview=letmein"), f"{BLUE} /"),
    ("ingress", "http://web.example/canary", ("X-Canary", "always"), "proxy 10.77.1.2:8081 /canary"),
)
_BEHIND_A_SWITCH = {"switches": ["proxy_pass http://pool_blue;"]}  # a cookie opens it
CASES = (
    *(
        Case(site, url, expected, _FILES.get(site, ()))
        for site, urls in _URLS.items()
        for url, expected in urls.items()
    ),
    *(Case(site, url, expected, _FILES.get(site, ()), (sent,)) for site, url, sent, expected in _WITH_HEADERS),
)
SITES = tuple(_URLS)


def text_of(site: str) -> str:
    text = (FOLDER / f"{site}.conf").read_text()
    return re.sub(r"(ssl_certificate(?:_key)?)\s+[^;]+;", r"\1 /etc/nginx/\1.pem;", text)


def configuration_of(site: str) -> Configuration:
    files = {
        "/etc/nginx/nginx.conf": MAIN,
        "/etc/nginx/site.conf": text_of(site),
        "/etc/nginx/mime.types": "types { text/html html; }",
        "/etc/nginx/fastcgi_params": "fastcgi_param REQUEST_URI $request_uri;",
    }
    made = asyncio.run(load(Memory(files), NGINX))
    assert made.problems == ()
    return made


def there(case: Case) -> Callable[[str], bool]:
    known = set(case.files)
    known.update(f"{parent}/" for path in case.files for parent in Path(path).parents)
    return lambda path: path in known


def routed(configuration: Configuration, case: Case) -> Route:
    headers = {**DEFAULT_HEADERS, **dict(case.sent)}
    made = route(configuration, NGINX, case.url, headers=headers, exists=there(case))
    assert made is not None
    assert made.undecided == ()
    return made


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.site} {case.url.partition('//')[2]}")
def test_where_a_url_leads(case: Case) -> None:
    assert target(routed(configuration_of(case.site), case)) == case.expected


@pytest.mark.parametrize("site", SITES)
def test_without_a_look_at_the_files_nothing_else_is_decided(site: str) -> None:
    configuration = configuration_of(site)
    for case in CASES:
        if case.site == site:
            known = routed(configuration, case)
            made = route(configuration, NGINX, case.url, headers={**DEFAULT_HEADERS, **dict(case.sent)})
            assert made is not None
            if not made.undecided and made.action.kind != "static":
                assert target(made) == target(known)


@pytest.mark.parametrize("site", SITES)
def test_every_upstream_of_it_has_a_url(site: str) -> None:
    samples = routes_of(configuration_of(site), NGINX)
    missed = [configuration_of(site).line_text(sample.at).strip() for sample in samples if sample.url is None]
    assert missed == _BEHIND_A_SWITCH.get(site, [])


def ask_for(made: Route, case: Case) -> Ask:
    parts = urlsplit(case.url)
    ip, _, port = made.listener.address.rpartition(":")
    path = case.url.split("/", 3)[3:]
    return Ask(
        address={"0.0.0.0": "127.0.0.1", "[::]": "::1"}.get(ip, ip),
        port=int(port),
        tls=parts.scheme == "https",
        name=parts.hostname or "",
        host=parts.netloc,
        target="/" + "".join(path),
        method="GET",
        headers=(*DEFAULT_HEADERS.items(), *case.sent),
    )


def servers_of(routes: Iterable[Route]) -> list[str]:
    return sorted({address for made in routes for address in usable(made)})


def usable(made: Route) -> list[str]:
    servers = made.upstream.servers if made.upstream is not None else ()
    return [one.address.replace("localhost:", "127.0.0.1:") for one in servers if one.role != "down"]


def difference(case: Case, made: Route, seen: lab.Seen) -> str | None:
    if made.upstream is not None:
        usable = [
            one.address.replace("localhost:", "127.0.0.1:") for one in made.upstream.servers if one.role != "down"
        ]
        return None if seen.upstream in usable else f"{case.url}: {usable}, but {seen}"
    if made.action.status in CLOSES:
        return None if seen.status == 0 else f"{case.url}: closed, but {seen}"
    if seen.upstream or made.action.status != seen.status:
        return f"{case.url}: {target(made)}, but {seen}"
    if made.action.to is not None and seen.location and not seen.location.endswith(made.action.to):
        return f"{case.url}: {made.action.to}, but {seen}"
    return None


@pytest.mark.lab
@needs_lab
@pytest.mark.parametrize("site", SITES)
def test_nginx_does_the_same(site: str, tmp_path: Path) -> None:
    configuration = configuration_of(site)
    cases = [case for case in CASES if case.site == site]
    made = [routed(configuration, case) for case in cases]
    lab.make_certificate(tmp_path)
    with Guest(systemd=False) as guest:
        guest.run("for ip in 10.77.1.1 10.77.1.2 10.1.1.1; do ip addr add $ip/32 dev lo; done; rm -rf /var/www/*")
        guest.write("/etc/nginx/nginx.conf", MAIN)
        guest.write("/etc/nginx/site.conf", text_of(site))
        guest.write("/etc/nginx/ssl_certificate.pem", (tmp_path / "certificate.pem").read_text())
        guest.write("/etc/nginx/ssl_certificate_key.pem", (tmp_path / "key.pem").read_text())
        for path in dict.fromkeys(path for case in cases for path in case.files if not path.endswith("/")):
            guest.write(path, "file")
        asks = [asdict(ask_for(one, case)) for one, case in zip(made, cases, strict=True)]
        plan = {
            "config": "/etc/nginx/nginx.conf",
            "site": "/etc/nginx/site.conf",
            "servers": servers_of(made),
            "asks": asks,
        }
        words = ["env", f"PYTHONPATH={REPOSITORY}", sys.executable, "-m", "tests.gateways.nginx.found_lab"]
        done = guest.run(words, given=json.dumps(plan))
    answers = [lab.Seen(**one) for one in json.loads(done.out)]
    wrong = [difference(*three) for three in zip(cases, made, answers, strict=True)]
    assert [one for one in wrong if one] == []
