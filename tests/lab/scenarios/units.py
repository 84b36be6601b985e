"""What a service manager does not start, or ends, for reasons that stand in the unit and not in the application."""

from __future__ import annotations

from collections.abc import Iterator

from tests.lab.decoys import dead_site, failed_unit, old_errors, other_rules
from tests.lab.guest import Guest, until
from tests.lab.scenario import Repair, scenario
from tests.lab.scenarios.service import UNIT, restart, shop
from tests.lab.stack import app, edit, php, php_site, program, proxy, service, site, start_nginx

POOL = "/etc/php/8.2/fpm/pool.d/www.conf"
ACTIVATED = """import socket

made = socket.socket(fileno=3)
while True:
    connection, _ = made.accept()
    connection.recv(4096)
    connection.sendall(b"HTTP/1.1 200 OK\\r\\nContent-Length: 3\\r\\nConnection: close\\r\\n\\r\\nok\\n")
    connection.close()
"""
CHILD = """#!/bin/sh
/usr/bin/python3 /opt/shop/server.py --listen 127.0.0.1:8000 &
echo $! >/opt/shop/child.pid
while :; do sleep 1; done
"""


def activated(guest: Guest) -> None:
    """nginx in front of a service that systemd starts at its first connection."""
    guest.write("/opt/shop/activated.py", ACTIVATED)
    service(guest, "/usr/bin/python3 /opt/shop/activated.py", enabled=False)
    guest.write("/etc/systemd/system/shop.socket", "[Socket]\nListenStream=127.0.0.1:8000\n")
    guest.run("systemctl daemon-reload; systemctl start shop.socket")
    site(guest, proxy("http://127.0.0.1:8000"))
    start_nginx(guest)


def stopped_or_failed(guest: Guest, name: str) -> None:
    """Waits until a unit is down."""
    shown = f"systemctl show -p ActiveState --value {name}"
    until(lambda: guest.run(shown).out.strip() in {"failed", "inactive"}, seconds=8, every=0.1)


@scenario("upstream-service-stopped", systemd=True, repair=Repair.NONE)
def condition_not_met(guest: Guest) -> Iterator[None]:
    """ConditionPathExists names a file that a deploy removed: a start reports no error and starts nothing."""
    guest.write("/etc/shop/enabled", "")
    shop(guest)
    edit(guest, UNIT, "After=network.target", "After=network.target\nConditionPathExists=/etc/shop/enabled")
    guest.run("systemctl daemon-reload; systemctl restart shop")
    guest.await_listener("8000")
    yield
    guest.run("rm /etc/shop/enabled")
    restart(guest)


@scenario("upstream-dependency-down", systemd=True, repair=Repair.NONE, synonyms=("upstream-service-failed-start",))
def required_unit_fails(guest: Guest) -> Iterator[None]:
    """The unit requires another one, which fails at its start; an unrelated unit failed too."""
    failed_unit(guest)
    service(guest, "/bin/sleep 1000", name="store", description="Store")
    guest.run("systemctl start store")
    shop(guest)
    edit(guest, UNIT, "After=network.target", "After=network.target store.service\nRequires=store.service")
    yield
    edit(guest, "/etc/systemd/system/store.service", "ExecStart=/bin/sleep 1000", "Type=oneshot\nExecStart=/bin/false")
    guest.run("systemctl daemon-reload; systemctl stop shop store; systemctl start shop", check=False)


@scenario("upstream-dependency-down", systemd=True)
def bound_to_a_unit_that_died(guest: Guest) -> Iterator[None]:
    """The unit is bound to another one, which was killed, so systemd stopped it as well."""
    service(guest, "/bin/sleep 1000", name="store", description="Store")
    guest.run("systemctl start store")
    shop(guest)
    edit(guest, UNIT, "After=network.target", "After=network.target store.service\nBindsTo=store.service")
    guest.run("systemctl daemon-reload; systemctl restart shop")
    guest.await_listener("8000")
    yield
    guest.run("systemctl kill --signal=KILL store")
    stopped_or_failed(guest, "shop")


@scenario("upstream-service-stopped", systemd=True, twin=True)
def socket_unit_stopped(guest: Guest) -> Iterator[None]:
    """The service is started by its socket, and the socket was stopped: to start the service alone does not help."""
    activated(guest)
    yield
    guest.run("systemctl stop shop.socket shop.service")


@scenario(
    "upstream-service-failed-start", systemd=True, repair=Repair.NONE, synonyms=("upstream-crash-loop",), restless=True
)
def service_behind_a_socket_fails(guest: Guest) -> Iterator[None]:
    """The socket listens, the service behind it fails at each connection, until systemd gives the socket up too."""
    activated(guest)
    yield
    guest.write("/opt/shop/activated.py", "raise SystemExit('DATABASE_URL is not set')\n")
    guest.run("systemctl stop shop.service", check=False)
    for _ in range(8):
        guest.run("curl -s -m 2 -o /dev/null http://shop.example/", check=False)
    stopped_or_failed(guest, "shop.socket")


@scenario("upstream-crashed-mid-request", systemd=True, synonyms=("upstream-service-stopped",))
def killed_and_not_restarted(guest: Guest) -> Iterator[None]:
    """Somebody killed the process; its unit has no Restart=. Another site's application is gone too."""
    dead_site(guest)
    shop(guest)
    yield
    guest.run("systemctl kill --signal=KILL shop")
    stopped_or_failed(guest, "shop")


@scenario("upstream-service-stopped", systemd=True)
def stopped_the_hard_way(guest: Guest) -> Iterator[None]:
    """It was stopped, did not end in time, and systemd killed it: the unit counts as failed."""
    old_errors(guest)
    program(guest)
    guest.write("/opt/shop/hold.sh", CHILD.replace("/bin/sh", "/bin/sh\ntrap '' TERM"), mode=0o755)
    guest.run("chown www-data /opt/shop")
    service(guest, "/opt/shop/hold.sh", "TimeoutStopSec=500ms")
    guest.run("systemctl start shop")
    guest.await_listener("8000")
    site(guest, proxy("http://127.0.0.1:8000"))
    start_nginx(guest)
    yield
    guest.run("systemctl stop shop", check=False)


@scenario("upstream-service-failed-start", systemd=True, repair=Repair.NONE)
def command_before_it_fails(guest: Guest) -> Iterator[None]:
    """ExecStartPre ends with an error, so the program is never started."""
    other_rules(guest)
    shop(guest)
    yield
    edit(guest, UNIT, "User=www-data", "User=www-data\nExecStartPre=/usr/bin/test -f /srv/shop/migrated")
    restart(guest)


@scenario("upstream-service-failed-start", systemd=True, repair=Repair.NONE)
def folder_of_the_sandbox_missing(guest: Guest) -> Iterator[None]:
    """ReadWritePaths names a folder that is not there (226)."""
    shop(guest)
    yield
    edit(guest, UNIT, "User=www-data", "User=www-data\nReadWritePaths=/srv/shop/data\nProtectSystem=strict")
    restart(guest)


@scenario("upstream-service-failed-start", systemd=True, repair=Repair.NONE)
def worker_of_gunicorn_does_not_boot(guest: Guest) -> Iterator[None]:
    """gunicorn's worker cannot import the application; the master ends with status 3."""
    failed_unit(guest)
    text = 'def app(environ, start_response):\n    start_response("200 OK", [])\n    return [b"open\\n"]\n'
    guest.write("/srv/shop/shop.py", text)
    service(guest, "/usr/bin/gunicorn --bind 127.0.0.1:8000 shop:app", "WorkingDirectory=/srv/shop")
    guest.run("systemctl start shop")
    guest.await_listener("8000")
    site(guest, proxy("http://127.0.0.1:8000"))
    start_nginx(guest)
    yield
    guest.write("/srv/shop/shop.py", "import stripe_sdk\n")
    restart(guest)
    stopped_or_failed(guest, "shop")


@scenario("upstream-wrong-port", systemd=True)
def drop_in_with_another_port(guest: Guest) -> Iterator[None]:
    """A drop-in replaces the command line, with another port in it."""
    shop(guest)
    yield
    command = "ExecStart=/usr/bin/python3 /opt/shop/server.py --listen 127.0.0.1:9000"
    guest.write("/etc/systemd/system/shop.service.d/override.conf", f"[Service]\nExecStart=\n{command}\n")
    guest.run("systemctl daemon-reload; systemctl restart shop")
    guest.await_listener("9000")


@scenario("upstream-not-listening", systemd=True, repair=Repair.NONE)
def child_of_a_supervisor_died(guest: Guest) -> Iterator[None]:
    """The unit is a supervisor, which lives; the application that it started does not."""
    program(guest)
    guest.write("/opt/supervise.sh", CHILD, mode=0o755)
    guest.run("chown www-data /opt/shop")
    service(guest, "/opt/supervise.sh", name="supervisor", description="Supervisor")
    guest.run("systemctl start supervisor")
    guest.await_listener("8000")
    site(guest, proxy("http://127.0.0.1:8000"))
    start_nginx(guest)
    yield
    guest.run("kill $(cat /opt/shop/child.pid)")
    until(lambda: not guest.listening("8000"), seconds=5)


@scenario(
    "upstream-wrong-socket-path",
    systemd=True,
    url="http://shop.example/index.php",
    synonyms=("upstream-wrong-address",),
)
def pool_moved_to_a_port(guest: Guest) -> Iterator[None]:
    """PHP-FPM's pool listens on a port now, the site still names the socket."""
    php(guest)
    php_site(guest)
    start_nginx(guest)
    yield
    edit(guest, POOL, "listen = /run/php/php8.2-fpm.sock", "listen = 127.0.0.1:9000")
    guest.run("systemctl restart php8.2-fpm")
    guest.await_listener("9000")


@scenario(
    "upstream-wrong-port", systemd=True, url="http://shop.example/index.php", synonyms=("upstream-wrong-address",)
)
def pool_moved_to_a_socket(guest: Guest) -> Iterator[None]:
    """PHP-FPM's pool listens on a socket now, the site still names the port."""
    php(guest, listen="127.0.0.1:9000")
    php_site(guest, "127.0.0.1:9000")
    start_nginx(guest)
    yield
    edit(guest, POOL, "listen = 127.0.0.1:9000", "listen = /run/php/php8.2-fpm.sock")
    guest.run("systemctl restart php8.2-fpm")
    guest.await_listener("/run/php/php8.2-fpm.sock")


@scenario("localhost-ipv6-mismatch", systemd=True, synonyms=("upstream-wrong-bind-address",))
def listens_in_ipv6_only(guest: Guest) -> Iterator[None]:
    """The application took to [::1] only, as a runtime's upgrade may do; nginx dials 127.0.0.1."""
    app(guest)
    site(guest, proxy("http://127.0.0.1:8000"))
    start_nginx(guest)
    yield
    edit(guest, UNIT, "127.0.0.1:8000", "[::1]:8000")
    guest.run("systemctl daemon-reload; systemctl restart shop")
    guest.await_listener("8000")
