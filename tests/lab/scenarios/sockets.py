"""Unix sockets again: rights at every depth and by lists, and what the units of both sides hide from each other."""

from __future__ import annotations

from collections.abc import Iterator

from tests.lab.guest import Guest
from tests.lab.scenario import Repair, scenario
from tests.lab.stack import PYTHON, app, edit, folder, proxy, service, site, start_nginx

PATH = "/run/shop/app.sock"
UNIT = "/etc/systemd/system/shop.service"
HARDENED = "/etc/systemd/system/nginx.service.d/hardening.conf"
ACTIVATED = """import socket
made = socket.socket(fileno=3)
while True:
    connection, _ = made.accept()
    with connection:
        if connection.recv(65536):
            connection.sendall(b"HTTP/1.1 200 OK\\r\\nContent-Length: 3\\r\\nConnection: close\\r\\n\\r\\nok\\n")
"""
LISTED_OUT = """import os, struct, sys
user, named, group, mask, other = 1, 2, 4, 16, 32
entries = [(user, 6, -1), (named, 0, 33), (group, 6, -1), (mask, 6, -1), (other, 6, -1)]
packed = struct.pack("<I", 2) + b"".join(struct.pack("<HHi", *one) for one in entries)
os.setxattr(sys.argv[1], "system.posix_acl_access", packed)
"""


def shop(guest: Guest, path: str = PATH) -> None:
    """nginx in front of an application on a unix socket."""
    app(guest, listen=f"unix:{path}")
    site(guest, proxy(f"http://unix:{path}:/"))
    start_nginx(guest)


def harden(guest: Guest, *lines: str) -> None:
    """Adds settings to nginx's unit, and restarts it."""
    guest.write(HARDENED, "\n".join(["[Service]", *lines, ""]))
    guest.run("systemctl daemon-reload; systemctl restart nginx")


@scenario("unix-socket-dir-permission")
def closed_at_two_depths(guest: Guest) -> Iterator[None]:
    """Two folders on the way are closed."""
    guest.run("useradd --create-home --home-dir /home/deploy deploy; chmod 755 /home/deploy")
    folder(guest, "/home/deploy/shop/run")
    shop(guest, "/home/deploy/shop/run/app.sock")
    yield
    guest.run("chown -R deploy:deploy /home/deploy/shop; chmod 700 /home/deploy /home/deploy/shop/run")


@scenario("unix-socket-dir-permission")
def folder_and_socket(guest: Guest) -> Iterator[None]:
    """The folder is closed, and the socket below it too."""
    folder(guest, "/run/shop")
    shop(guest)
    yield
    guest.run(f"chown root:root /run/shop {PATH}; chmod 750 /run/shop; chmod 600 {PATH}")


@scenario("unix-socket-permission", repair=Repair.OPEN)
def denied_by_a_list(guest: Guest) -> Iterator[None]:
    """An access control list denies the worker's user; the mode bits let everybody in."""
    folder(guest, "/run/shop")
    shop(guest)
    yield
    guest.write("/opt/acl.py", LISTED_OUT)
    guest.run(f"chown root:root {PATH}; chmod 666 {PATH}; {PYTHON} /opt/acl.py {PATH}")


@scenario("unix-socket-permission", systemd=True)
def socket_unit_narrowed(guest: Guest) -> Iterator[None]:
    """SocketMode of the socket unit was narrowed. The service does not run, and asking must not start it."""
    guest.write("/opt/shop/activated.py", ACTIVATED)
    service(guest, f"{PYTHON} /opt/shop/activated.py", enabled=False)
    lines = "[Unit]\nDescription=Shop socket\n[Socket]\nListenStream=/run/shop.sock\nSocketMode=0666\n"
    guest.write("/etc/systemd/system/shop.socket", lines)
    guest.run("systemctl daemon-reload; systemctl start shop.socket")
    site(guest, proxy("http://unix:/run/shop.sock:/"))
    start_nginx(guest)
    yield
    edit(guest, "/etc/systemd/system/shop.socket", "SocketMode=0666", "SocketMode=0600")
    guest.run("systemctl daemon-reload; systemctl stop shop.service; systemctl restart shop.socket")


@scenario("unix-socket-private-tmp", systemd=True)
def gateway_has_its_own_tmp(guest: Guest) -> Iterator[None]:
    """It is nginx whose unit got PrivateTmp."""
    shop(guest, "/tmp/shop.sock")
    yield
    harden(guest, "PrivateTmp=yes")


@scenario("unix-socket-dir-permission", systemd=True, synonyms=("unix-socket-private-tmp",))
def home_hidden_from_the_gateway(guest: Guest) -> Iterator[None]:
    """nginx's unit got ProtectHome; the socket lies below /home."""
    guest.run("useradd --create-home --home-dir /home/deploy deploy; chmod 755 /home/deploy")
    folder(guest, "/home/deploy/shop")
    shop(guest, "/home/deploy/shop/app.sock")
    yield
    harden(guest, "ProtectHome=yes")


@scenario("upstream-service-stopped", systemd=True, twin=True, synonyms=("unix-socket-missing", "unix-socket-stale"))
def decoys_beside(guest: Guest) -> Iterator[None]:
    """A root-only socket of another program, a dead link, a stale socket of nobody; then the service is stopped."""
    left = 'import socket; socket.socket(socket.AF_UNIX).bind("/run/old.sock")'
    guest.run(f"{PYTHON} -c '{left}'; ln -s /run/gone.sock /run/link.sock")
    guest.spawn("socat UNIX-LISTEN:/run/admin.sock,mode=600,fork OPEN:/dev/null", log="/dev/null")
    hardening = ("PrivateTmp=yes", "ProtectHome=yes", "ProtectSystem=strict")
    app(guest, "", "RuntimeDirectory=shop", *hardening, listen=f"unix:{PATH}")
    site(guest, proxy(f"http://unix:{PATH}:/"))
    start_nginx(guest)
    yield
    guest.run("systemctl stop shop")
