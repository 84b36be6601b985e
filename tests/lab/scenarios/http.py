"""The application is there and answers wrongly, late, or not at all."""

from __future__ import annotations

from collections.abc import Iterator

from tests.lab.decoys import old_errors
from tests.lab.guest import Guest
from tests.lab.scenario import Repair, scenario
from tests.lab.stack import app, edit, nft, php, php_site, program, proxy, reload_nginx, service, site, start_nginx

SITE = "/etc/nginx/sites-available/shop"
UNIT = "/etc/systemd/system/shop.service"
CLOSED = ("upstream-app-exception-empty-reply", "upstream-closes-early")  # its process may well live on
CRASHED = ("upstream-crashed-mid-request",)
CART = "http://shop.example/cart"


def shop(guest: Guest, options: str = "", *lines: str) -> int:
    """nginx in front of one application."""
    pid = app(guest, options, *lines)
    site(guest, proxy("http://127.0.0.1:8000"))
    start_nginx(guest)
    return pid


def redeploy(guest: Guest, options: str) -> None:
    """The service gets another command line."""
    edit(guest, UNIT, "--listen 127.0.0.1:8000", f"--listen 127.0.0.1:8000 {options}")
    guest.run("systemctl daemon-reload; systemctl restart shop")
    guest.await_listener("8000")


@scenario("upstream-crashed-mid-request", systemd=True, url=CART, repair=Repair.NONE, restless=True, twin=True)
def exits_in_the_request(guest: Guest) -> Iterator[None]:
    """One URL makes the application exit; systemd starts it again."""
    shop(guest, "", "Restart=always", "RestartSec=100ms", "StartLimitIntervalSec=0")
    yield
    redeploy(guest, "--route /cart=exit")


@scenario("upstream-crashed-mid-request", systemd=True, url=CART, repair=Repair.NONE, restless=True)
def killed_in_the_request(guest: Guest) -> Iterator[None]:
    """One URL makes the application die of a segmentation fault."""
    old_errors(guest)
    shop(guest, "", "Restart=on-failure", "RestartSec=100ms", "StartLimitIntervalSec=0")
    yield
    redeploy(guest, "--route /cart=segfault")


@scenario("upstream-crashed-mid-request", systemd=True, url="http://shop.example/crash.php", repair=Repair.NONE)
def php_worker_segfaults(guest: Guest) -> Iterator[None]:
    """A PHP worker dies by signal 11 in the request; the master starts another."""
    php(guest)
    php_site(guest)
    guest.write("/var/www/html/crash.php", "<?php echo 1;\n")
    start_nginx(guest)
    yield
    guest.write("/var/www/html/crash.php", "<?php posix_kill(getmypid(), 11); sleep(1);\n")


@scenario("upstream-crashed-mid-request", repair=Repair.NONE, synonyms=CLOSED, twin=True)
def closes(guest: Guest) -> Iterator[None]:
    """The application reads the request and closes the connection; its process stays."""
    pid = shop(guest)
    yield
    guest.run(f"kill {pid}; sleep 0.2")
    app(guest, "--mode close")


@scenario("upstream-crashed-mid-request", repair=Repair.NONE, synonyms=CLOSED)
def resets(guest: Guest) -> Iterator[None]:
    """The application resets the connection."""
    pid = shop(guest)
    yield
    guest.run(f"kill {pid}; sleep 0.2")
    app(guest, "--mode reset")


@scenario("upstream-hung", systemd=True, status=504, twin=True)
def process_stopped(guest: Guest) -> Iterator[None]:
    """The process is in state T: the kernel accepts for it, and nothing answers."""
    shop(guest)
    yield
    guest.run("systemctl kill --signal=STOP shop")


@scenario("upstream-hung", status=504, repair=Repair.NONE)
def every_request_waits(guest: Guest) -> Iterator[None]:
    """A deadlock: whatever is asked, no answer comes."""
    pid = shop(guest)
    yield
    guest.run(f"kill {pid}; sleep 0.2")
    app(guest, "--mode silent")


@scenario(
    "upstream-slow-response",
    systemd=True,
    status=504,
    url="http://shop.example/report",
    repair=Repair.OPEN,
    synonyms=("gateway-timeout-too-short",),
)
def one_slow_page(guest: Guest) -> Iterator[None]:
    """One page takes longer than the gateway waits; the others are fast."""
    shop(guest)
    yield
    redeploy(guest, "--route /report=slow --delay 6")


@scenario(
    "gateway-timeout-too-short",
    systemd=True,
    status=504,
    url="http://shop.example/report",
    synonyms=("upstream-slow-response",),
    twin=True,
)
def timeout_lowered(guest: Guest) -> Iterator[None]:
    """The page always took two seconds; somebody set proxy_read_timeout to one."""
    shop(guest, "--route /report=slow --delay 1.8")
    edit(guest, SITE, "proxy_read_timeout 2s;", "proxy_read_timeout 30s;")
    reload_nginx(guest)
    yield
    edit(guest, SITE, "proxy_read_timeout 30s;", "proxy_read_timeout 1s;")
    reload_nginx(guest)


@scenario("upstream-header-too-big", systemd=True, url="http://shop.example/login", twin=True)
def cookie_too_big(guest: Guest) -> Iterator[None]:
    """The login sets a cookie that does not fit into nginx's buffer."""
    shop(guest)
    yield
    redeploy(guest, "--route /login=big-header --size 12000")


@scenario("upstream-header-too-big", systemd=True, url="http://shop.example/big.php")
def php_headers_too_big(guest: Guest) -> Iterator[None]:
    """A PHP page sends more headers than fastcgi_buffer_size takes."""
    php(guest)
    php_site(guest)
    guest.write("/var/www/html/big.php", "<?php echo 1;\n")
    start_nginx(guest)
    yield
    guest.write("/var/www/html/big.php", "<?php header('X-Debug: ' . str_repeat('a', 9000)); echo 1;\n")


@scenario("upstream-invalid-header", systemd=True, repair=Repair.NONE, twin=True)
def warning_among_headers(guest: Guest) -> Iterator[None]:
    """The application prints a warning among its headers."""
    shop(guest)
    yield
    redeploy(guest, "--mode bad-header")


@scenario("upstream-crashed-mid-request", systemd=True, repair=Repair.NONE, synonyms=CLOSED)
def dies_inside_the_headers(guest: Guest) -> Iterator[None]:
    """The answer ends in the middle of its headers."""
    shop(guest)
    yield
    redeploy(guest, "--mode partial-header")


@scenario("upstream-returns-502", systemd=True, repair=Repair.NONE, twin=True)
def application_says_502(guest: Guest) -> Iterator[None]:
    """The application itself answers 502."""
    shop(guest)
    yield
    redeploy(guest, "--mode status --status 502")


@scenario("upstream-returns-502", systemd=True, status=503, repair=Repair.NONE, synonyms=("upstream-returns-503",))
def application_says_503(guest: Guest) -> Iterator[None]:
    """The application itself answers 503."""
    shop(guest)
    yield
    redeploy(guest, "--mode status --status 503")


@scenario("upstream-returns-502", repair=Repair.NONE, synonyms=("upstream-not-listening",))
def inner_gateway_says_502(guest: Guest) -> Iterator[None]:
    """A second gateway behind the first: the inner one's own upstream is gone."""
    guest.write(
        "/etc/nginx/conf.d/inner.conf",
        "server {\n    listen 127.0.0.1:8080;\n    server_name _;\n"
        "    location / {\n        proxy_pass http://127.0.0.1:8000;\n    }\n}\n",
    )
    pid = app(guest)
    site(guest, proxy("http://127.0.0.1:8080"))
    start_nginx(guest)
    yield
    guest.run(f"kill {pid}; sleep 0.2")
    program(guest)


@scenario("upstream-app-exception-empty-reply", systemd=True, url=CART, repair=Repair.NONE, synonyms=CRASHED)
def uwsgi_exception(guest: Guest) -> Iterator[None]:
    """uwsgi sends nothing at all where the application raises an exception."""
    text = (
        "def app(environ, start_response):\n"
        '    if environ["PATH_INFO"] == "/cart":\n        raise KeyError("basket")\n'
        '    start_response("200 OK", [])\n    return [b"open\\n"]\n'
    )
    guest.write("/srv/shop/shop.py", text.replace('raise KeyError("basket")', "pass"))
    start = "/usr/bin/uwsgi --plugin python3 --master --chdir /srv/shop --module shop:app --socket 127.0.0.1:3031"
    service(guest, start, "KillSignal=SIGQUIT")
    guest.run("systemctl start shop")
    guest.await_listener("3031")
    site(guest, "include uwsgi_params;\n        uwsgi_pass 127.0.0.1:3031;")
    start_nginx(guest)
    yield
    guest.write("/srv/shop/shop.py", text)
    guest.run("systemctl restart shop")
    guest.await_listener("3031")


@scenario(
    "upstream-dependency-down",
    systemd=True,
    status=504,
    repair=Repair.OPEN,
    synonyms=("upstream-hung", "upstream-slow-response"),
)
def database_silent(guest: Guest) -> Iterator[None]:
    """The application waits for a database whose packets are dropped."""
    guest.spawn("socat TCP-LISTEN:5432,fork,reuseaddr /dev/null", log="/var/log/database.log")
    guest.await_listener("5432")
    shop(guest, "--mode database --database 127.0.0.1:5432")
    yield
    nft(guest, "input", "tcp dport 5432 drop")


@scenario("upstream-service-stopped", systemd=True, status=500, synonyms=("gateway-auth-subrequest-down",), twin=True)
def login_service_stopped(guest: Guest) -> Iterator[None]:
    """The shop works; the service that auth_request asks first was stopped, and clients see 500."""
    app(guest, listen="127.0.0.1:8200", name="login")
    app(guest)
    inside = "location = /check {\n        internal;\n        proxy_pass http://127.0.0.1:8200;\n    }"
    site(guest, proxy("http://127.0.0.1:8000", "auth_request /check;"), inside=inside)
    start_nginx(guest)
    yield
    guest.run("systemctl stop login")
