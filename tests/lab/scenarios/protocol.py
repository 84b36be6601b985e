"""The gateway and what it asks speak different protocols, or only to some."""

from __future__ import annotations

from collections.abc import Iterator

from tests.lab.guest import Guest
from tests.lab.scenario import Repair, scenario
from tests.lab.stack import app, edit, php, php_site, proxy, reload_nginx, service, site, start_nginx

SITE = "/etc/nginx/sites-available/shop"
CLOSED = ("upstream-app-exception-empty-reply", "upstream-closes-early")  # its process may well live on


def shop(guest: Guest, options: str = "", *lines: str) -> int:
    """nginx in front of one application."""
    pid = app(guest, options, *lines)
    site(guest, proxy("http://127.0.0.1:8000"))
    start_nginx(guest)
    return pid


@scenario("upstream-not-http", status=(0, 9, 200, 502), repair=Repair.OPEN)
def ssh_behind_the_port(guest: Guest) -> Iterator[None]:
    """The port belongs to an SSH server."""
    pid = shop(guest)
    yield
    guest.run(f"kill {pid}; sleep 0.2")
    app(guest, "--mode ssh")


@scenario("upstream-not-http", status=(0, 9, 200, 502), repair=Repair.OPEN)
def redis_behind_the_port(guest: Guest) -> Iterator[None]:
    """The port belongs to something that speaks another line protocol."""
    pid = shop(guest)
    yield
    guest.run(f"kill {pid}; sleep 0.2")
    app(guest, "--mode not-http")


@scenario("protocol-http1-vs-http2", status=(0, 9, 200, 502), repair=Repair.OPEN, synonyms=("upstream-not-http",))
def only_http2(guest: Guest) -> Iterator[None]:
    """The application speaks HTTP/2 only."""
    pid = shop(guest)
    yield
    guest.run(f"kill {pid}; sleep 0.2")
    app(guest, "--mode http2")


@scenario("protocol-mismatch-fastcgi-http", systemd=True, url="http://shop.example/index.php", twin=True)
def http_to_fastcgi(guest: Guest) -> Iterator[None]:
    """proxy_pass to PHP-FPM's port."""
    php(guest, listen="127.0.0.1:9000")
    php_site(guest, "127.0.0.1:9000")
    start_nginx(guest)
    yield
    edit(guest, SITE, "fastcgi_pass 127.0.0.1:9000;", "proxy_pass http://127.0.0.1:9000;")
    reload_nginx(guest)


@scenario("protocol-mismatch-fastcgi-http", status=(502, 504))
def fastcgi_to_http(guest: Guest) -> Iterator[None]:
    """fastcgi_pass to an HTTP server."""
    shop(guest)
    yield
    lines = "include fastcgi_params;\n        fastcgi_pass 127.0.0.1:8000;\n        fastcgi_read_timeout 2s;"
    site(guest, lines)
    reload_nginx(guest)


@scenario("protocol-mismatch-uwsgi-http", systemd=True, twin=True)
def http_to_uwsgi(guest: Guest) -> Iterator[None]:
    """proxy_pass to a socket of uwsgi that speaks the uwsgi protocol."""
    text = 'def app(environ, start_response):\n    start_response("200 OK", [])\n    return [b"open\\n"]\n'
    guest.write("/srv/shop/shop.py", text)
    service(
        guest, "/usr/bin/uwsgi --plugin python3 --master --chdir /srv/shop --module shop:app --socket 127.0.0.1:3031"
    )
    guest.run("systemctl start shop")
    guest.await_listener("3031")
    site(guest, "include uwsgi_params;\n        uwsgi_pass 127.0.0.1:3031;")
    start_nginx(guest)
    yield
    site(guest, proxy("http://127.0.0.1:3031"))
    reload_nginx(guest)


@scenario("proxy-protocol-mismatch", systemd=True, repair=Repair.OPEN)
def proxy_header_expected(guest: Guest) -> Iterator[None]:
    """An inner nginx expects the PROXY header, which the outer one does not send over HTTP."""
    inner = "server {\n    listen 127.0.0.1:8000;\n    server_name _;\n    return 200 open;\n}\n"
    guest.write("/etc/nginx/conf.d/inner.conf", inner)
    site(guest, proxy("http://127.0.0.1:8000"))
    start_nginx(guest)
    yield
    edit(guest, "/etc/nginx/conf.d/inner.conf", "127.0.0.1:8000", "127.0.0.1:8000 proxy_protocol")
    guest.run("systemctl restart nginx")


@scenario("proxy-protocol-mismatch", repair=Repair.OPEN, synonyms=("upstream-crashed-mid-request", *CLOSED))
def proxy_header_expected_by_the_application(guest: Guest) -> Iterator[None]:
    """The application closes every connection that does not begin with a PROXY header."""
    pid = shop(guest)
    yield
    guest.run(f"kill {pid}; sleep 0.2")
    app(guest, "--mode proxy-protocol")


@scenario("upstream-allowlist-drops", systemd=True, url="http://shop.example/index.php")
def php_allowed_clients(guest: Guest) -> Iterator[None]:
    """PHP-FPM's listen.allowed_clients does not hold the gateway's address."""
    php(guest, "listen.allowed_clients = 127.0.0.1", listen="127.0.0.1:9000")
    php_site(guest, "127.0.0.1:9000")
    start_nginx(guest)
    yield
    edit(guest, "/etc/php/8.2/fpm/pool.d/www.conf", "allowed_clients = 127.0.0.1", "allowed_clients = 10.0.0.5")
    guest.run("systemctl restart php8.2-fpm")
    guest.await_listener("9000")
