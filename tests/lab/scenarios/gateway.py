"""The gateway itself: not running, not started, not reloaded, misrouting, or answering on its own."""

from __future__ import annotations

from collections.abc import Iterator

from tests.lab.decoys import dead_site, old_errors
from tests.lab.guest import Guest
from tests.lab.scenario import Repair, scenario
from tests.lab.stack import app, edit, end, program, proxy, reload_nginx, site, start_nginx, stop_nginx

SITE = "/etc/nginx/sites-available/shop"
UPSTREAM = "upstream shop_app {\n    server 127.0.0.1:8000;\n    server 127.0.0.1:8001;\n}"


def shop(guest: Guest) -> int:
    """nginx in front of one application."""
    pid = app(guest)
    site(guest, proxy("http://127.0.0.1:8000"))
    start_nginx(guest)
    return pid


@scenario("gateway-not-running", systemd=True, status=0, twin=True)
def stopped(guest: Guest) -> Iterator[None]:
    """nginx was stopped."""
    old_errors(guest)
    shop(guest)
    yield
    stop_nginx(guest)


@scenario("gateway-not-running", status=0)
def stopped_without_manager(guest: Guest) -> Iterator[None]:
    """nginx was stopped; there is no service manager."""
    shop(guest)
    yield
    stop_nginx(guest)


@scenario("gateway-failed-start", systemd=True, status=0, repair=Repair.OPEN)
def syntax_error(guest: Guest) -> Iterator[None]:
    """A semicolon was forgotten, and nginx was restarted."""
    shop(guest)
    yield
    edit(guest, SITE, "proxy_set_header Host $host;", "proxy_set_header Host $host")
    guest.run("systemctl restart nginx", check=False)


@scenario("gateway-failed-start", systemd=True, status=0, repair=Repair.OPEN)
def certificate_missing(guest: Guest) -> Iterator[None]:
    """The certificate file that the site names is not there, and nginx was restarted."""
    shop(guest)
    yield
    edit(guest, SITE, "listen 80;", "listen 80;\n    listen 443 ssl;\n    ssl_certificate /etc/ssl/shop/shop.pem;")
    guest.run("systemctl restart nginx", check=False)


@scenario(
    "port-owned-by-other-process",
    systemd=True,
    status=(0, 404, 501, 503),
    repair=Repair.OPEN,
    synonyms=("gateway-failed-start",),
)
def port_taken(guest: Guest) -> Iterator[None]:
    """Something else took port 80 while nginx was down, and nginx cannot bind."""
    shop(guest)
    yield
    stop_nginx(guest)
    start = f"{program(guest, '/opt/monitor/monitor.py')} --listen 0.0.0.0:80 --mode status --status 503"
    guest.spawn(start, log="/var/log/monitor.log")
    guest.await_listener("80")
    guest.run("systemctl start nginx", check=False)


@scenario("gateway-config-not-reloaded", systemd=True, twin=True)
def edited_and_not_reloaded(guest: Guest) -> Iterator[None]:
    """The application moved, the site was corrected, and nobody reloaded nginx."""
    shop(guest)
    yield
    edit(guest, "/etc/systemd/system/shop.service", "127.0.0.1:8000", "127.0.0.1:8001")
    guest.run("systemctl daemon-reload; systemctl restart shop")
    guest.await_listener("8001")
    guest.run("sleep 1.1")
    edit(guest, SITE, "127.0.0.1:8000", "127.0.0.1:8001")


@scenario("gateway-config-not-reloaded")
def edited_and_not_reloaded_without_manager(guest: Guest) -> Iterator[None]:
    """The same without systemd."""
    pid = shop(guest)
    yield
    end(guest, pid)
    app(guest, listen="127.0.0.1:8001")
    guest.run("sleep 1.1")
    edit(guest, SITE, "127.0.0.1:8000", "127.0.0.1:8001")


@scenario("gateway-reload-failed", systemd=True, repair=Repair.OPEN)
def reload_refused(guest: Guest) -> Iterator[None]:
    """The site was corrected, but another file has an error, so the reload was refused."""
    shop(guest)
    yield
    edit(guest, "/etc/systemd/system/shop.service", "127.0.0.1:8000", "127.0.0.1:8001")
    guest.run("systemctl daemon-reload; systemctl restart shop")
    guest.await_listener("8001")
    guest.run("sleep 1.1")
    edit(guest, SITE, "127.0.0.1:8000", "127.0.0.1:8001")
    guest.write("/etc/nginx/conf.d/limits.conf", "client_max_body_sise 20m;\n")
    guest.run("systemctl reload nginx", check=False)


@scenario("gateway-wrong-vhost", systemd=True, repair=Repair.OPEN, synonyms=("upstream-not-listening",))
def name_not_listed(guest: Guest) -> Iterator[None]:
    """The site's server_name was misspelt: the first other site answers, and its application is gone."""
    dead_site(guest)
    site(guest, "proxy_pass http://127.0.0.1:8999;", name="000-legacy", server_name="legacy.example")
    shop(guest)
    yield
    edit(guest, SITE, "server_name shop.example;", "server_name shop.exmaple;")
    reload_nginx(guest)


@scenario("gateway-wrong-vhost", systemd=True, repair=Repair.OPEN, synonyms=("upstream-not-listening",))
def name_listed_twice(guest: Guest) -> Iterator[None]:
    """An old copy of the site in sites-enabled has the same name and comes first."""
    shop(guest)
    yield
    text = guest.read(SITE).replace("127.0.0.1:8000", "127.0.0.1:7999")
    guest.write("/etc/nginx/sites-enabled/old-shop.bak", text)
    reload_nginx(guest)


@scenario("gateway-generated-status", systemd=True, status=503, twin=True)
def maintenance(guest: Guest) -> Iterator[None]:
    """A maintenance switch was left on: return 503 in the location."""
    shop(guest)
    yield
    edit(guest, SITE, "proxy_pass http://127.0.0.1:8000;", "return 503;\n        proxy_pass http://127.0.0.1:8000;")
    reload_nginx(guest)


@scenario("gateway-generated-status", status=502, repair=Repair.OPEN)
def returns_502(guest: Guest) -> Iterator[None]:
    """return 502 at the server's level."""
    shop(guest)
    yield
    edit(guest, SITE, "server_name shop.example;", "server_name shop.example;\n    return 502;")
    reload_nginx(guest)


@scenario("gateway-generated-status", status=503, repair=Repair.OPEN)
def switch_file(guest: Guest) -> Iterator[None]:
    """A maintenance switch by file: it exists, so the gateway answers 503."""
    app(guest)
    switch = "if (-f /var/www/maintenance.on) {\n        return 503;\n    }"
    site(guest, proxy("http://127.0.0.1:8000"), inside=switch)
    start_nginx(guest)
    yield
    guest.write("/var/www/maintenance.on", "")


@scenario("gateway-upstream-marked-down", restless=True, repair=Repair.OPEN, settle=15)
def still_marked(guest: Guest) -> Iterator[None]:
    """Both servers failed for a moment; they are back, and nginx does not ask them for a while."""
    first, second = app(guest), app(guest, listen="127.0.0.1:8001")
    before = UPSTREAM.replace("8000;", "8000 fail_timeout=90s;").replace("8001;", "8001 fail_timeout=90s;")
    site(guest, proxy("http://shop_app"), before=before)
    edit(guest, "/etc/nginx/nginx.conf", "worker_processes auto;", "worker_processes 1;")
    start_nginx(guest)
    yield
    end(guest, first)
    end(guest, second)
    for _ in range(3):
        guest.run("curl -s -o /dev/null http://shop.example/")
    app(guest)
    app(guest, listen="127.0.0.1:8001")


@scenario("upstream-service-stopped", systemd=True, also=("upstream-not-listening",), repair=Repair.OPEN)
def two_servers_two_faults(guest: Guest) -> Iterator[None]:
    """Two servers, broken for two reasons: one service is stopped, the other address is nobody's."""
    app(guest)
    other = guest.spawn(f"{program(guest)} --listen 127.0.0.1:8001", log="/var/log/other.log")
    guest.await_listener("8001")
    site(guest, proxy("http://shop_app"), before=UPSTREAM)
    start_nginx(guest)
    yield
    guest.run("systemctl stop shop")
    end(guest, other)


@scenario("gateway-source-address-invalid", status=(500, 502), repair=Repair.OPEN)
def source_address_gone(guest: Guest) -> Iterator[None]:
    """proxy_bind names an address that this host no longer has."""
    guest.run("ip address add 192.0.2.77/32 dev lo")
    app(guest)
    site(guest, proxy("http://127.0.0.1:8000", "proxy_bind 192.0.2.77;"))
    start_nginx(guest)
    yield
    guest.run("ip address del 192.0.2.77/32 dev lo")


@scenario("gateway-proxy-loop", status=(500, 502, 503, 504), restless=True, repair=Repair.OPEN)
def asks_itself(guest: Guest) -> Iterator[None]:
    """The site's upstream is the gateway itself, and the same site answers there."""
    shop(guest)
    edit(guest, "/etc/nginx/nginx.conf", "worker_connections 768;", "worker_connections 64;")
    reload_nginx(guest)
    yield
    edit(guest, SITE, "http://127.0.0.1:8000", "http://127.0.0.1:80")
    reload_nginx(guest)


@scenario("upstream-wrong-address", repair=Repair.OPEN, synonyms=("route-missing",))
def address_of_another_network(guest: Guest) -> Iterator[None]:
    """The upstream's address lies in a network that this host has no way to."""
    shop(guest)
    yield
    edit(guest, SITE, "http://127.0.0.1:8000", "http://10.99.0.1:8000")
    reload_nginx(guest)


@scenario("gateway-upstream-marked-down")
def taken_out_by_hand(guest: Guest) -> Iterator[None]:
    """One server was taken out for maintenance long ago, and now the other one."""
    app(guest)
    before = "upstream shop_app {\n    server 127.0.0.1:8000;\n    server 127.0.0.1:8001 down;\n}"
    site(guest, proxy("http://shop_app"), before=before)
    start_nginx(guest)
    yield
    edit(guest, SITE, "127.0.0.1:8000;", "127.0.0.1:8000 down;")
    reload_nginx(guest)
