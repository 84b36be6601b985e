"""Gateways that are not where Debian puts them, and requests that take another way through them."""

from __future__ import annotations

from collections.abc import Iterator

from tests.lab.decoys import other_rules
from tests.lab.guest import Guest
from tests.lab.scenario import Repair, scenario
from tests.lab.stack import app, edit, end, nft, program, proxy, reload_nginx, service, site, start_nginx

SITE = "/etc/nginx/sites-available/shop"
OWN = """user www-data;
worker_processes 1;
pid logs/nginx.pid;
error_log logs/error.log;
events { worker_connections 64; }
http {
    access_log logs/access.log;
    include conf/sites/*.conf;
}
"""
OWN_SITE = """server {
    listen 8080;
    location / {
        proxy_pass http://127.0.0.1:8000;
        proxy_connect_timeout 2s;
        proxy_read_timeout 2s;
    }
}
"""
CERTIFICATE = (
    "mkdir -p /etc/ssl/shop && openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=shop.example"
    " -addext subjectAltName=DNS:shop.example -keyout /etc/ssl/shop/shop.key -out /etc/ssl/shop/shop.crt 2>/dev/null"
)
API = """location /api/ {
        proxy_pass http://127.0.0.1:8100/;
    }"""


def own_instance(guest: Guest) -> None:
    """A second nginx with its own -c and -p below /srv/edge; Debian's does not run."""
    guest.run("mkdir -p /srv/edge/logs /srv/edge/conf/sites")
    guest.write("/srv/edge/conf/edge.conf", OWN.replace("conf/sites", "/srv/edge/conf/sites"))
    guest.write("/srv/edge/conf/sites/shop.conf", OWN_SITE)
    command = "/usr/sbin/nginx -p /srv/edge -c conf/edge.conf"
    if guest.systemd:
        service(guest, command, "Type=forking", "PIDFile=/srv/edge/logs/nginx.pid", name="edge", description="Edge")
        edit(guest, "/etc/systemd/system/edge.service", "User=www-data\n", "ExecReload=/bin/kill -HUP $MAINPID\n")
        guest.run("systemctl daemon-reload; systemctl start edge")
    else:
        guest.run(command)


@scenario("upstream-service-stopped", systemd=True, url="http://127.0.0.1:8080/", twin=True)
def own_configuration_service_stopped(guest: Guest) -> Iterator[None]:
    """The gateway runs with its own configuration and prefix; its application was stopped."""
    app(guest)
    own_instance(guest)
    yield
    guest.run("systemctl stop shop")


@scenario("upstream-wrong-port", systemd=True, url="http://127.0.0.1:8080/")
def own_configuration_wrong_port(guest: Guest) -> Iterator[None]:
    """The repair must test and reload this instance, with its -c and -p, and not Debian's."""
    app(guest)
    own_instance(guest)
    yield
    edit(guest, "/srv/edge/conf/sites/shop.conf", "127.0.0.1:8000", "127.0.0.1:8800")
    guest.run("systemctl reload edge; sleep 0.5")


@scenario("upstream-not-listening", url="http://127.0.0.1:8080/", repair=Repair.NONE)
def own_configuration_nobody(guest: Guest) -> Iterator[None]:
    """The same without systemd."""
    pid = app(guest)
    own_instance(guest)
    yield
    end(guest, pid)


@scenario("upstream-service-stopped", systemd=True, url="https://shop.example/", twin=True)
def over_tls(guest: Guest) -> Iterator[None]:
    """The site is served over TLS, with a certificate that nobody trusts; that is not the fault."""
    guest.run(CERTIFICATE)
    app(guest)
    keys = "ssl_certificate /etc/ssl/shop/shop.crt;\n    ssl_certificate_key /etc/ssl/shop/shop.key;"
    site(guest, proxy("http://127.0.0.1:8000"), listen="443 ssl http2", inside=keys)
    start_nginx(guest)
    yield
    guest.run("systemctl stop shop")


@scenario("upstream-service-stopped", systemd=True, url="http://shop.example/api/orders", twin=True)
def only_one_location(guest: Guest) -> Iterator[None]:
    """The shop works; what lies below /api/ has a service of its own, and that was stopped."""
    app(guest)
    app(guest, listen="127.0.0.1:8100", name="api")
    site(guest, proxy("http://127.0.0.1:8000"), inside=API)
    start_nginx(guest)
    yield
    guest.run("systemctl stop api")


@scenario("upstream-service-stopped", systemd=True, user="dev", synonyms=("upstream-not-listening",))
def seen_without_root(guest: Guest) -> Iterator[None]:
    """The wizard runs as an ordinary user."""
    app(guest)
    site(guest, proxy("http://127.0.0.1:8000"))
    start_nginx(guest)
    yield
    guest.run("systemctl stop shop")


@scenario("gateway-in-container-localhost", url="http://10.77.0.2/", repair=Repair.OPEN)
def in_another_network(guest: Guest) -> Iterator[None]:
    """nginx runs in a network namespace of its own, and its 127.0.0.1 is not the host's."""
    guest.run(
        "ip netns add web && ip link add veth0 type veth peer name eth0 netns web"
        " && ip address add 10.77.0.1/24 dev veth0 && ip link set veth0 up"
        " && ip -n web address add 10.77.0.2/24 dev eth0 && ip -n web link set eth0 up && ip -n web link set lo up"
    )
    app(guest, "--listen 10.77.0.1:8000")
    site(guest, proxy("http://10.77.0.1:8000"), server_name="_")
    guest.run("ip netns exec web nginx")
    yield
    edit(guest, SITE, "10.77.0.1:8000", "127.0.0.1:8000")
    guest.run("ip netns exec web nginx -s reload; sleep 0.5")


@scenario(
    "upstream-service-stopped", systemd=True, status=(502, 504), also=("firewall-drops-upstream",), repair=Repair.OPEN
)
def two_servers_two_faults(guest: Guest) -> Iterator[None]:
    """One server's service is stopped, packets to the other are dropped: two causes, both named."""
    other_rules(guest)
    app(guest)
    app(guest, listen="127.0.0.1:8001", name="shop2")
    site(
        guest,
        proxy("http://shop_app"),
        before="upstream shop_app {\n    server 127.0.0.1:8000;\n    server 127.0.0.1:8001;\n}",
    )
    start_nginx(guest)
    yield
    guest.run("systemctl stop shop")
    nft(guest, "output", "tcp dport 8001 drop")


@scenario("upstream-service-stopped", systemd=True, status=200, over=True)
def stopped_for_a_moment(guest: Guest) -> Iterator[None]:
    """The service was away for a moment, clients saw 502, and it is back."""
    app(guest)
    site(guest, proxy("http://127.0.0.1:8000"))
    start_nginx(guest)
    yield
    guest.run(
        "systemctl stop shop; curl -s -o /dev/null http://shop.example/; curl -s -o /dev/null http://shop.example/"
    )
    guest.run("sleep 1; systemctl start shop")
    guest.await_listener("8000")


@scenario("upstream-not-listening", status=200, over=True)
def away_for_a_moment(guest: Guest) -> Iterator[None]:
    """The same without a service manager."""
    pid = app(guest)
    site(guest, proxy("http://127.0.0.1:8000"))
    start_nginx(guest)
    yield
    end(guest, pid)
    guest.run("curl -s -o /dev/null http://shop.example/; sleep 1")
    app(guest)


@scenario("upstream-wrong-port", systemd=True, url="http://api.example/v1/status")
def mapped_upstream(guest: Guest) -> Iterator[None]:
    """The upstream is chosen by a map on the host name, and its group has the wrong port."""
    app(guest)
    app(guest, listen="127.0.0.1:8100", name="api")
    groups = (
        "upstream shop_app {\n    server 127.0.0.1:8000;\n}\nupstream api_app {\n    server 127.0.0.1:8100;\n}\n"
        "map $host $app {\n    default shop_app;\n    api.example api_app;\n}\n"
    )
    guest.write("/etc/nginx/conf.d/groups.conf", groups)
    site(guest, proxy("http://$app"), server_name="shop.example api.example")
    start_nginx(guest)
    yield
    edit(guest, "/etc/nginx/conf.d/groups.conf", "127.0.0.1:8100", "127.0.0.1:8101")
    reload_nginx(guest)
    program(guest)
