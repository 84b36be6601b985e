"""What an application answers, or does not: malformed, cut, its own errors, now and then, for one method only."""

from __future__ import annotations

from collections.abc import Iterator

from tests.lab.decoys import dead_site, old_errors
from tests.lab.guest import Guest
from tests.lab.scenario import Kind, Repair, odd, scenario
from tests.lab.scenarios.http import CLOSED, redeploy, shop
from tests.lab.stack import app, edit, nft, proxy, reload_nginx, site, start_nginx

SITE = "/etc/nginx/sites-available/shop"
POOL = "upstream shop_app {\n    server 127.0.0.1:8000;\n    server 127.0.0.1:8001;\n}"
SORRY = "error_page 502 504 =200 /sorry.html;\n    location = /sorry.html {\n        root /var/www/html;\n    }"
ASK = "for i in 1 2 3; do curl -s -o /dev/null"


def pool(guest: Guest, *more: str, before: str = POOL) -> None:
    """nginx in front of the services shop0 and shop1."""
    for number in range(2):
        app(guest, listen=f"127.0.0.1:800{number}", name=f"shop{number}")
    site(guest, proxy("http://shop_app", *more), before=before)
    start_nginx(guest)


def redeploy_pool(guest: Guest, options: str) -> None:
    """Both services get another command line."""
    for number in range(2):
        unit = f"/etc/systemd/system/shop{number}.service"
        edit(guest, unit, f"127.0.0.1:800{number}", f"127.0.0.1:800{number} {options}")
    guest.run("systemctl daemon-reload; systemctl restart shop0 shop1")
    guest.await_listener("8000")
    guest.await_listener("8001")


@scenario("upstream-invalid-header", systemd=True, status=(0, 200, 502), repair=Repair.NONE, synonyms=("upstream-not-http",))  # fmt: skip
def status_line_without_a_number(guest: Guest) -> Iterator[None]:
    """The status line has no status: nginx takes the answer for HTTP/0.9 and passes it on as it is."""
    shop(guest)
    yield
    redeploy(guest, "--mode bad-status")


@scenario("response-truncated", systemd=True, status=(0, 200), repair=Repair.NONE)
def body_shorter_than_announced(guest: Guest) -> Iterator[None]:
    """Content-Length says more than comes: the status is 200, and the page is not whole."""
    old_errors(guest)
    shop(guest)
    yield
    redeploy(guest, "--mode short-body")


@scenario("response-truncated", systemd=True, status=(0, 200, 502), repair=Repair.NONE)
def chunk_that_is_none(guest: Guest) -> Iterator[None]:
    """A chunk's size is no number."""
    app(guest)
    site(guest, proxy("http://127.0.0.1:8000", "proxy_http_version 1.1;"))
    start_nginx(guest)
    yield
    redeploy(guest, "--mode bad-chunk")


@scenario("upstream-returns-502", systemd=True, status=500, repair=Repair.NONE)
def application_says_500(guest: Guest) -> Iterator[None]:
    """The application itself answers 500; another site of this gateway is down too."""
    dead_site(guest)
    shop(guest)
    yield
    redeploy(guest, "--mode status --status 500")


@scenario("upstream-header-too-big", systemd=True)
def many_headers_and_small_buffers(guest: Guest) -> Iterator[None]:
    """The location sets its buffers itself, and they are too small: three lines have to be changed together."""
    app(guest)
    lines = ("proxy_buffer_size 4k;", "proxy_buffers 4 8k;", "proxy_busy_buffers_size 16k;")
    site(guest, proxy("http://127.0.0.1:8000", *lines))
    start_nginx(guest)
    yield
    redeploy(guest, "--mode many-headers")


@scenario("upstream-header-too-big", systemd=True, url="http://shop.example/login")
def header_that_poisons_the_pool(guest: Guest) -> Iterator[None]:
    """Every server sends it, so nginx sets one after the other aside: one repair, and "no live upstreams" means nothing."""
    pool(guest, "proxy_next_upstream error timeout invalid_header;")
    yield
    redeploy_pool(guest, "--route /login=big-header --size 12000")
    guest.run(f"{ASK} http://shop.example/login; done")


@scenario("upstream-wrong-address", systemd=True, status=500, repair=Repair.OPEN, twin=True)
def target_without_a_scheme(guest: Guest) -> Iterator[None]:
    """The target is a variable, and its value has no http:// in front."""
    app(guest)
    site(guest, proxy("$target"), inside="set $target http://127.0.0.1:8000;")
    start_nginx(guest)
    yield
    edit(guest, SITE, "set $target http://127.0.0.1:8000;", "set $target 127.0.0.1:8000;")
    reload_nginx(guest)


@scenario("upstream-crashed-mid-request", systemd=True, body=100, repair=Repair.NONE, synonyms=CLOSED)
def only_posts_are_ended(guest: Guest) -> Iterator[None]:
    """A POST is closed without an answer, a GET is answered: what the wizard may ask itself works."""
    shop(guest)
    yield
    redeploy(guest, "--no-post")
    guest.run("sleep 1.2")


@scenario("upstream-service-stopped", systemd=True, status=200)
def masked_by_an_error_page(guest: Guest) -> Iterator[None]:
    """error_page turns the 502 into a friendly page with status 200."""
    guest.write("/var/www/html/sorry.html", "sorry\n")
    app(guest)
    site(guest, proxy("http://127.0.0.1:8000"), inside=SORRY)
    start_nginx(guest)
    yield
    guest.run("systemctl stop shop")
    guest.run("curl -s -o /dev/null http://shop.example/")


@scenario("upstream-service-stopped", systemd=True, repair=Repair.OPEN, also=("upstream-wrong-port",))
def pool_with_two_reasons(guest: Guest) -> Iterator[None]:
    """One server of the pool was stopped, the other one was moved to another port."""
    pool(guest)
    yield
    guest.run("systemctl stop shop0")
    edit(guest, "/etc/systemd/system/shop1.service", "127.0.0.1:8001", "127.0.0.1:9001")
    guest.run("systemctl daemon-reload; systemctl restart shop1")
    guest.await_listener("9001")


@scenario("upstream-service-stopped", systemd=True, repair=Repair.OPEN, also=("upstream-returns-502",))
def pool_stopped_and_failing(guest: Guest) -> Iterator[None]:
    """One server of the pool was stopped, the other one answers 502 itself."""
    old_errors(guest)
    pool(guest)
    yield
    guest.run("systemctl stop shop0")
    edit(guest, "/etc/systemd/system/shop1.service", "127.0.0.1:8001", "127.0.0.1:8001 --mode status")
    guest.run("systemctl daemon-reload; systemctl restart shop1")
    guest.await_listener("8001")


@scenario("upstream-service-failed-start", systemd=True, repair=Repair.OPEN, also=("upstream-invalid-header",))
def pool_failed_and_malformed(guest: Guest) -> Iterator[None]:
    """One server of the pool does not start, the other one writes a warning among its headers."""
    pool(guest)
    yield
    edit(guest, "/etc/systemd/system/shop0.service", "/opt/shop/server.py", "/opt/shop/gone.py")
    edit(guest, "/etc/systemd/system/shop1.service", "127.0.0.1:8001", "127.0.0.1:8001 --mode bad-header")
    guest.run("systemctl daemon-reload; systemctl restart shop0 shop1; sleep 0.3", check=False)
    guest.await_listener("8001")


@scenario("upstream-crashed-mid-request", systemd=True, repair=Repair.OPEN, also=("upstream-wrong-port",))
def pool_killed_and_moved(guest: Guest) -> Iterator[None]:
    """One server of the pool was killed, the other one listens on another port."""
    pool(guest)
    yield
    edit(guest, "/etc/systemd/system/shop1.service", "127.0.0.1:8001", "127.0.0.1:9001")
    guest.run("systemctl daemon-reload; systemctl restart shop1; systemctl kill --signal=KILL shop0; sleep 0.2")
    guest.await_listener("9001")


@scenario("upstream-wrong-bind-address", systemd=True, repair=Repair.OPEN, also=("upstream-service-stopped",))
def pool_bound_elsewhere_and_stopped(guest: Guest) -> Iterator[None]:
    """One server of the pool took to another address of loopback, the other one was stopped."""
    pool(guest)
    yield
    guest.run("systemctl stop shop1")
    edit(guest, "/etc/systemd/system/shop0.service", "127.0.0.1:8000", "127.0.0.9:8000")
    guest.run("systemctl daemon-reload; systemctl restart shop0")
    guest.await_listener("8000")


@scenario("firewall-rejects-upstream", systemd=True, repair=Repair.OPEN, also=("upstream-crashed-mid-request",))
def pool_rejected_and_killed(guest: Guest) -> Iterator[None]:
    """A rule rejects what goes to one server of the pool, the other one was killed."""
    pool(guest)
    yield
    nft(guest, "output", "tcp dport 8000 reject with tcp reset")
    guest.run("systemctl kill --signal=KILL shop1; sleep 0.2")


@scenario("upstream-service-stopped", systemd=True, kind=Kind.WARNING, status=200, repair=Repair.NONE)
def one_of_two_is_down(guest: Guest) -> Iterator[None]:
    """Half of the pool is down; nginx goes on to the other server, so visitors notice nothing."""
    pool(guest)
    yield
    guest.run(f"systemctl stop shop1; {ASK} http://shop.example/; done")


@scenario("upstream-service-stopped", systemd=True, kind=Kind.WARNING, status=200, repair=Repair.NONE)
def the_backup_serves(guest: Guest) -> Iterator[None]:
    """The primary is down, the backup answers."""
    pool(guest, before=POOL.replace("8001;", "8001 backup;"))
    yield
    guest.run(f"systemctl stop shop0; {ASK} http://shop.example/; done")


@odd(systemd=True)
def events_without_an_end(guest: Guest) -> Iterator[None]:
    """A stream of events, whose body never ends: that is what it is for."""
    shop(guest)
    yield
    redeploy(guest, "--mode stream")


@odd(systemd=True, status=426)
def wants_another_protocol(guest: Guest) -> Iterator[None]:
    """A WebSocket's address answers 426 to whoever does not ask for one."""
    shop(guest)
    yield
    redeploy(guest, "--mode status --status 426")


@odd(systemd=True)
def a_server_that_is_marked_down(guest: Guest) -> Iterator[None]:
    """One server of the pool is taken out with `down`, and is not there."""
    pool(guest)
    yield
    edit(guest, SITE, "127.0.0.1:8001;", "127.0.0.1:8001 down;")
    reload_nginx(guest)
    guest.run("systemctl stop shop1")
