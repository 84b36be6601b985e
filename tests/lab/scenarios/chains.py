"""Two and more gateways, and the state of one gateway beside another: idle, stray, stopped by a signal, not reloaded."""

from __future__ import annotations

from collections.abc import Iterator

from tests.lab.decoys import dead_site, failed_unit, old_errors, other_rules
from tests.lab.guest import Guest
from tests.lab.scenario import Kind, Repair, odd, scenario, strange
from tests.lab.scenarios.gateway import SITE, shop
from tests.lab.stack import app, edit, proxy, reload_nginx, restart_nginx, site, start_nginx, stop_nginx, workers

INNER = "/etc/nginx/sites-enabled/inner"
EDGE = """worker_processes 1;
pid /run/edge.pid;
error_log /var/log/nginx/edge.log;
events {{}}
http {{
    access_log off;
    {site}
}}
"""


def block(listen: str, target: str) -> str:
    """A server block that passes the request on."""
    return f"""server {{
        listen {listen};
        server_name shop.example;
        location / {{
            proxy_pass {target};
            proxy_set_header Host $host;
            proxy_read_timeout 2s;
        }}
    }}
"""


def edge(guest: Guest, listen: str, target: str) -> None:
    """A second nginx with a configuration of its own, started by hand."""
    guest.write("/opt/edge/nginx.conf", EDGE.format(site=block(listen, target)))
    guest.run("nginx -c /opt/edge/nginx.conf")


@scenario("upstream-wrong-port")
def over_a_unix_socket(guest: Guest) -> Iterator[None]:
    """The outer site passes to an inner one over a unix socket; the inner one has the wrong port."""
    app(guest)
    site(guest, proxy("http://unix:/run/inner.sock:"))
    guest.write(INNER, block("unix:/run/inner.sock", "http://127.0.0.1:8000"))
    start_nginx(guest)
    yield
    edit(guest, INNER, "127.0.0.1:8000", "127.0.0.1:8009")
    reload_nginx(guest)


@scenario("upstream-service-stopped", systemd=True)
def three_hops(guest: Guest) -> Iterator[None]:
    """Two sites of one nginx, then a second nginx, then the application, which was stopped."""
    old_errors(guest)
    app(guest)
    site(guest, proxy("http://127.0.0.1:8080"))
    guest.write(INNER, block("127.0.0.1:8080", "http://127.0.0.1:8090"))
    edge(guest, "127.0.0.1:8090", "http://127.0.0.1:8000")
    start_nginx(guest)
    yield
    guest.run("systemctl stop shop")


@scenario("upstream-service-stopped", systemd=True, repair=Repair.OPEN, also=("upstream-wrong-port",))
def two_inner_sites_two_faults(guest: Guest) -> Iterator[None]:
    """The outer pool has two inner sites; the application of one was stopped, the other one has the wrong port."""
    app(guest)
    app(guest, listen="127.0.0.1:8001", name="shop2")
    pool = "upstream inner {\n    server 127.0.0.1:8080;\n    server 127.0.0.1:8090;\n}"
    site(guest, proxy("http://inner"), before=pool)
    sites = block("127.0.0.1:8080", "http://127.0.0.1:8000") + block("127.0.0.1:8090", "http://127.0.0.1:8001")
    guest.write(INNER, sites)
    start_nginx(guest)
    yield
    guest.run("systemctl stop shop")
    edit(guest, INNER, "127.0.0.1:8001", "127.0.0.1:8009")
    reload_nginx(guest)


@scenario("gateway-not-running", systemd=True, status=0)
def the_outer_one_was_stopped(guest: Guest) -> Iterator[None]:
    """The gateway that visitors meet was stopped; the one behind it still runs."""
    app(guest)
    site(guest, proxy("http://127.0.0.1:8090"))
    edge(guest, "127.0.0.1:8090", "http://127.0.0.1:8000")
    start_nginx(guest)
    yield
    stop_nginx(guest)


@scenario("port-owned-by-other-process", systemd=True, status=404)
def a_stray_one_holds_the_port(guest: Guest) -> Iterator[None]:
    """Somebody started nginx by hand with an old file; the service could not take the port after that."""
    failed_unit(guest)
    shop(guest)
    yield
    stop_nginx(guest)
    old = EDGE.format(site="server { listen 80; return 404; }").replace("edge", "old")
    guest.write("/root/old.conf", old)
    guest.run("nginx -c /root/old.conf; systemctl start nginx", check=False)


@scenario("gateway-not-running", systemd=True, status=0, restless=True)
def stopped_by_a_signal(guest: Guest) -> Iterator[None]:
    """All processes of nginx are in state T: the kernel takes connections, and nobody reads from them."""
    dead_site(guest)
    shop(guest)
    yield
    guest.run(f"kill -STOP {guest.read('/run/nginx.pid').strip()} {' '.join(workers(guest))}")


@scenario("gateway-reload-failed", systemd=True, kind=Kind.WARNING, status=200, repair=Repair.NONE)
def refused_and_serving(guest: Guest) -> Iterator[None]:
    """A reload was refused; nginx goes on with what it had, and the next restart would fail."""
    shop(guest)
    yield
    guest.run("sleep 1.1")
    guest.write("/etc/nginx/conf.d/limits.conf", "client_max_body_sise 20m;\n")
    guest.run("systemctl reload nginx", check=False)


@scenario("gateway-reload-failed", kind=Kind.WARNING, status=200, repair=Repair.NONE)
def broken_and_serving(guest: Guest) -> Iterator[None]:
    """A brace was forgotten in a file that nobody has loaded yet."""
    other_rules(guest)
    shop(guest)
    yield
    guest.run("sleep 1.1")
    guest.write("/etc/nginx/conf.d/shop-map.conf", "map $host $shop {\n    default 1;\n")


@scenario("upstream-service-stopped", systemd=True, repair=Repair.OPEN, also=("gateway-reload-failed",))
def broken_and_stopped(guest: Guest) -> Iterator[None]:
    """The application was stopped, and the files of the gateway cannot be loaded any more."""
    shop(guest)
    yield
    guest.run("sleep 1.1; systemctl stop shop")
    guest.write("/etc/nginx/conf.d/shop-map.conf", "map $host $shop {\n    default 1;\n")


@scenario("gateway-generated-status", status=0)
def closes_without_an_answer(guest: Guest) -> Iterator[None]:
    """return 444 was left in the site: the connection is closed, and no log says why."""
    shop(guest)
    yield
    edit(guest, SITE, "proxy_pass http://127.0.0.1:8000;", "return 444;\n        proxy_pass http://127.0.0.1:8000;")
    reload_nginx(guest)


@odd(systemd=True)
def an_own_instance_beside_the_package(guest: Guest) -> Iterator[None]:
    """An nginx with its own configuration serves; the package's is installed, and off on purpose."""
    app(guest)
    edge(guest, "80", "http://127.0.0.1:8000")
    yield
    guest.run("systemctl disable nginx", check=False)


@odd(systemd=True)
def every_name_beside_a_site_that_was_left(guest: Guest) -> Iterator[None]:
    """An own instance takes every name; the package is off, and has a dead site of this name left."""
    app(guest)
    site(guest, proxy("http://127.0.0.1:8999"))
    taking = "server { listen 80 default_server; location / { proxy_pass http://127.0.0.1:8000; } }"
    guest.write("/opt/edge/nginx.conf", EDGE.format(site=taking))
    guest.run("nginx -c /opt/edge/nginx.conf")
    yield
    guest.run("systemctl disable nginx", check=False)


@odd(systemd=True)
def localhost_in_one_family(guest: Guest) -> Iterator[None]:
    """proxy_pass to localhost, the application in IPv4 only: an error in the log for each request, and no fault."""
    failed_unit(guest)
    app(guest)
    site(guest, proxy("http://localhost:8000"))
    start_nginx(guest)
    yield
    guest.run("for i in 1 2 3 4 5 6; do curl -s -o /dev/null http://shop.example/; done")


@odd(systemd=True)
def edited_and_not_loaded_yet(guest: Guest) -> Iterator[None]:
    """Somebody wrote a comment into the site; nothing of it counts before the next reload, and nothing has to."""
    other_rules(guest)
    shop(guest)
    yield
    guest.run("sleep 1.1")
    edit(guest, SITE, "server_name", "# moved in spring\n    server_name")


@odd(systemd=True)
def binary_replaced_by_an_upgrade(guest: Guest) -> Iterator[None]:
    """The package was upgraded: the running binary is not in its place any more."""
    shop(guest)
    yield
    guest.run("cp /usr/sbin/nginx /usr/sbin/nginx.new; mv /usr/sbin/nginx.new /usr/sbin/nginx")


@odd()
def pid_file_gone(guest: Guest) -> Iterator[None]:
    """Somebody cleaned /run; the gateway does not need the file to serve. Its neighbour is down."""
    dead_site(guest)
    shop(guest)
    yield
    guest.run("rm /run/nginx.pid")


@strange(systemd=True, status=0)
def listens_on_another_port(guest: Guest) -> Iterator[None]:
    """The site was moved to port 8080; nobody is left on the port that visitors ask."""
    shop(guest)
    yield
    edit(guest, SITE, "listen 80;", "listen 8080;")
    guest.run("systemctl restart nginx")


@strange(url="http://127.0.0.2/", status=0)
def listens_on_another_address(guest: Guest) -> Iterator[None]:
    """The site listens on one address only, and another one is asked."""
    app(guest)
    site(guest, proxy("http://127.0.0.1:8000"), server_name="shop.example 127.0.0.2")
    start_nginx(guest)
    yield
    edit(guest, SITE, "listen 80;", "listen 127.0.0.9:80;")
    restart_nginx(guest)
