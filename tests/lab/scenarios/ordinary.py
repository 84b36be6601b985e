"""What an ordinary user can find out: the wizard runs as one, and names what shows without root."""

from __future__ import annotations

from collections.abc import Iterator

from tests.lab.guest import Guest
from tests.lab.scenario import Repair, scenario
from tests.lab.scenarios.sockets import harden
from tests.lab.stack import app, edit, proxy, site, start_nginx

SITE = "/etc/nginx/sites-available/shop"


@scenario("unix-socket-private-tmp", systemd=True, user="dev", repair=Repair.OPEN)
def private_tmp_of_the_gateway(guest: Guest) -> Iterator[None]:
    """nginx's unit got PrivateTmp: its view may not be taken, and the unit says enough."""
    app(guest, listen="unix:/tmp/shop.sock")
    site(guest, proxy("http://unix:/tmp/shop.sock:/"))
    start_nginx(guest)
    yield
    harden(guest, "PrivateTmp=yes")


@scenario("gateway-failed-start", systemd=True, user="dev", status=0, repair=Repair.OPEN)
def refused_start(guest: Guest) -> Iterator[None]:
    """nginx does not start. Its words may not be read; the state of its unit may."""
    app(guest)
    site(guest, proxy("http://127.0.0.1:8000"))
    start_nginx(guest)
    yield
    edit(guest, SITE, "proxy_set_header Host $host;", "proxy_set_header Host $host")
    guest.run("systemctl restart nginx", check=False)
