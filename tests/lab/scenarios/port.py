"""The address that the gateway dials: nobody there, or the application somewhere else."""

from __future__ import annotations

from collections.abc import Iterator

from tests.lab.decoys import dead_site, failed_unit, old_errors, other_rules
from tests.lab.guest import Guest
from tests.lab.scenario import Repair, scenario
from tests.lab.stack import (
    PYTHON,
    app,
    app_on_neighbour,
    edit,
    end,
    listener_of,
    neighbour,
    program,
    proxy,
    reload_nginx,
    service,
    site,
    start_nginx,
)

SITE = "/etc/nginx/sites-available/shop"
UNIT = "/etc/systemd/system/shop.service"


def shop(guest: Guest, target: str = "http://127.0.0.1:8000", listen: str = "127.0.0.1:8000") -> int:
    """nginx in front of one application."""
    pid = app(guest, listen=listen)
    site(guest, proxy(target))
    start_nginx(guest)
    return pid


def wsgi(guest: Guest) -> None:
    """A WSGI application, as small as one can be."""
    text = 'def app(environ, start_response):\n    start_response("200 OK", [])\n    return [b"the shop is open\\n"]\n'
    guest.write("/srv/shop/shop.py", text)


@scenario("upstream-not-listening", repair=Repair.NONE, twin=True)
def nobody(guest: Guest) -> Iterator[None]:
    """The application ran by hand, without a service manager, and has ended."""
    old_errors(guest)
    pid = shop(guest)
    yield
    end(guest, pid)


@scenario("upstream-not-listening", repair=Repair.NONE)
def killed(guest: Guest) -> Iterator[None]:
    """The same, ended by SIGKILL; other sites and rules mean nothing."""
    pid = shop(guest)
    dead_site(guest)
    other_rules(guest)
    reload_nginx(guest)
    yield
    end(guest, pid, "KILL")


@scenario("upstream-wrong-port", systemd=True, twin=True)
def gateway_has_the_old_port(guest: Guest) -> Iterator[None]:
    """A careless edit: nginx dials 8080, the unit's command line says 8000."""
    shop(guest)
    yield
    edit(guest, SITE, "127.0.0.1:8000", "127.0.0.1:8080")
    reload_nginx(guest)


@scenario("upstream-wrong-port", systemd=True)
def service_moved(guest: Guest) -> Iterator[None]:
    """The service was moved to port 8001 and nobody told nginx."""
    failed_unit(guest)
    old_errors(guest)
    shop(guest)
    yield
    edit(guest, UNIT, "127.0.0.1:8000", "127.0.0.1:8001")
    guest.run("systemctl daemon-reload; systemctl restart shop")
    guest.await_listener("8001")


@scenario("upstream-wrong-port", systemd=True)
def gunicorn_moved(guest: Guest) -> Iterator[None]:
    """gunicorn binds to 8001, nginx dials 8000."""
    wsgi(guest)
    service(guest, "/usr/bin/gunicorn --workers 1 --bind 127.0.0.1:8000 shop:app", "WorkingDirectory=/srv/shop")
    guest.run("systemctl start shop")
    guest.await_listener("8000")
    site(guest, proxy("http://127.0.0.1:8000"))
    start_nginx(guest)
    yield
    edit(guest, UNIT, "127.0.0.1:8000", "127.0.0.1:8001")
    guest.run("systemctl daemon-reload; systemctl restart shop")
    guest.await_listener("8001")


@scenario("upstream-wrong-port", systemd=True)
def uwsgi_moved(guest: Guest) -> Iterator[None]:
    """uwsgi's ini file says 3032, nginx dials 3031 in the uwsgi protocol."""
    wsgi(guest)
    ini = "/etc/uwsgi/apps-available/shop.ini"
    lines = "plugins = python3\nmaster = true\nprocesses = 1\nchdir = /srv/shop\nmodule = shop:app\n"
    guest.write(ini, f"[uwsgi]\n{lines}socket = 127.0.0.1:3031\n")
    service(guest, f"/usr/bin/uwsgi --ini {ini}", "KillSignal=SIGQUIT")
    guest.run("systemctl start shop")
    guest.await_listener("3031")
    site(guest, "include uwsgi_params;\n        uwsgi_pass 127.0.0.1:3031;")
    start_nginx(guest)
    yield
    edit(guest, ini, "127.0.0.1:3031", "127.0.0.1:3032")
    guest.run("systemctl restart shop")
    guest.await_listener("3032")


@scenario("upstream-wrong-port", repair=Repair.OPEN)
def moved_without_manager(guest: Guest) -> Iterator[None]:
    """The application was started by hand on another port."""
    pid = shop(guest)
    yield
    end(guest, pid)
    app(guest, listen="127.0.0.1:8001")


@scenario("upstream-wrong-port", systemd=True)
def upstream_block(guest: Guest) -> Iterator[None]:
    """The wrong port stands in an upstream block in a file of its own."""
    app(guest)
    guest.write(
        "/etc/nginx/conf.d/upstreams.conf", "upstream shop_app {\n    server 127.0.0.1:8000;\n    keepalive 8;\n}\n"
    )
    site(guest, proxy("http://shop_app"))
    start_nginx(guest)
    yield
    edit(guest, "/etc/nginx/conf.d/upstreams.conf", "8000", "8008")
    reload_nginx(guest)


@scenario("upstream-wrong-bind-address", systemd=True, twin=True)
def bound_to_the_lan(guest: Guest) -> Iterator[None]:
    """The application listens on the LAN address only, nginx dials loopback."""
    guest.run("ip address add 192.0.2.10/24 dev lo")
    shop(guest)
    yield
    edit(guest, UNIT, "127.0.0.1:8000", "192.0.2.10:8000")
    guest.run("systemctl daemon-reload; systemctl restart shop")
    guest.await_listener("8000")


@scenario("upstream-wrong-bind-address", repair=Repair.OPEN)
def bound_to_loopback(guest: Guest) -> Iterator[None]:
    """nginx dials this host's LAN address, the application listens on loopback only."""
    guest.run("ip address add 192.0.2.10/24 dev lo")
    pid = shop(guest, "http://192.0.2.10:8000", "0.0.0.0:8000")
    yield
    end(guest, pid)
    app(guest, listen="127.0.0.1:8000")


@scenario("localhost-ipv6-mismatch", systemd=True)
def only_ipv6_dialled(guest: Guest) -> Iterator[None]:
    """nginx dials [::1], the application listens on 127.0.0.1 only."""
    app(guest, "--listen [::1]:8000")
    site(guest, proxy("http://[::1]:8000"))
    start_nginx(guest)
    yield
    edit(guest, UNIT, " --listen [::1]:8000", "")
    guest.run("systemctl daemon-reload; systemctl restart shop")
    guest.await_listener("8000")


@scenario("port-owned-by-other-process", systemd=True, repair=Repair.OPEN, synonyms=("upstream-service-failed-start",))
def squatter(guest: Guest) -> Iterator[None]:
    """A forgotten program took the port while the service was restarted, and the service cannot bind."""
    shop(guest)
    yield
    guest.run("systemctl stop shop")
    start = f"{program(guest, '/home/dev/old-server.py')} --listen 127.0.0.1:8000 --mode close"
    guest.spawn(start, log="/var/log/old-server.log")
    guest.await_listener("8000")
    guest.run("systemctl start shop; sleep 0.3")


@scenario("remote-upstream-down", repair=Repair.NONE, synonyms=("upstream-not-listening",), twin=True)
def neighbour_stopped(guest: Guest) -> Iterator[None]:
    """The application is on another host, which answers, but nothing listens there any more."""
    neighbour(guest)
    pid = app_on_neighbour(guest)
    site(guest, proxy("http://10.77.0.2:8000"))
    start_nginx(guest)
    yield
    end(guest, pid)


@scenario("upstream-wrong-port", systemd=True)
def two_servers_both_wrong(guest: Guest) -> Iterator[None]:
    """Two instances, both moved; nginx knows the old ports."""
    before = "upstream shop_app {\n    server 127.0.0.1:8000;\n    server 127.0.0.1:8001;\n}"
    start = f"{program(guest)} --listen 127.0.0.1:%i"
    unit = "/etc/systemd/system/shop@.service"
    service(guest, start, name="shop@", enabled=False)
    guest.run("systemctl start shop@8000 shop@8001")
    guest.await_listener("8000")
    guest.await_listener(listener_of("127.0.0.1:8001"))
    site(guest, proxy("http://shop_app"), before=before)
    start_nginx(guest)
    yield
    assert PYTHON in guest.read(unit)
    edit(guest, SITE, "127.0.0.1:8000", "127.0.0.1:9000")
    edit(guest, SITE, "127.0.0.1:8001", "127.0.0.1:9001")
    reload_nginx(guest)
