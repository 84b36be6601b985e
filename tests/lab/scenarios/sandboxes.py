"""What the units of both sides do to the network between them."""

from __future__ import annotations

from collections.abc import Iterator

from tests.lab.guest import Guest
from tests.lab.scenario import scenario
from tests.lab.scenarios.sockets import HARDENED, UNIT, harden
from tests.lab.stack import app, edit, proxy, site, start_nginx


@scenario("systemd-ip-filter", systemd=True, status=500)
def no_ipv6_sockets(guest: Guest) -> Iterator[None]:
    """RestrictAddressFamilies of nginx's unit leaves IPv6 out; the application listens on [::1]."""
    app(guest, listen="[::1]:8000")
    site(guest, proxy("http://[::1]:8000"))
    start_nginx(guest)
    yield
    harden(guest, "RestrictAddressFamilies=AF_UNIX AF_INET")


@scenario("systemd-ip-filter", systemd=True)
def application_in_its_own_network(guest: Guest) -> Iterator[None]:
    """The application's unit got PrivateNetwork=yes: it listens where nobody can reach it."""
    app(guest)
    site(guest, proxy("http://127.0.0.1:8000"))
    start_nginx(guest)
    yield
    edit(guest, UNIT, "User=www-data", "User=www-data\nPrivateNetwork=yes")
    guest.run("systemctl daemon-reload; systemctl restart shop; sleep 0.4")


@scenario("upstream-service-stopped", systemd=True, twin=True)
def both_hardened(guest: Guest) -> Iterator[None]:
    """Both units are hardened in ways that do no harm; then the service is stopped."""
    families = "RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK"
    guest.write(HARDENED, f"[Service]\nPrivateTmp=yes\nProtectHome=yes\nProtectSystem=full\n{families}\n")
    app(guest, "", "PrivateTmp=yes", "ProtectHome=yes", "RestrictAddressFamilies=AF_INET AF_UNIX")
    site(guest, proxy("http://127.0.0.1:8000"))
    start_nginx(guest)
    yield
    guest.run("systemctl stop shop")
