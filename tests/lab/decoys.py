"""Things that look like the fault and are not: a wizard must walk past them."""

from __future__ import annotations

from tests.lab.guest import Guest
from tests.lab.stack import nft, service, site

OLD_LINES = (
    "2024/03/02 04:12:{second:02d} [error] 811#811: *{request} connect() failed (111: Connection refused) while connecting"
    ' to upstream, client: 192.0.2.{client}, server: shop.example, request: "GET /cart HTTP/1.1", upstream:'
    ' "http://127.0.0.1:9999/cart", host: "shop.example"\n'
)


def old_errors(guest: Guest, *, count: int = 40) -> None:
    """An error log full of another fault, long over. Call it before nginx starts."""
    lines = (OLD_LINES.format(second=n % 60, request=n, client=n % 200) for n in range(count))
    guest.write("/var/log/nginx/error.log", "".join(lines), mode=0o640)


def failed_unit(guest: Guest) -> None:
    """A service that failed and has nothing to do with the site."""
    service(guest, "/usr/bin/false", name="backup", description="Nightly backup", enabled=False)
    guest.run("systemctl start backup; sleep 0.1", check=False)


def dead_site(guest: Guest) -> None:
    """Another virtual host, whose application is not there."""
    site(guest, "proxy_pass http://127.0.0.1:8999;", name="old-shop", server_name="old.example")


def other_rules(guest: Guest) -> None:
    """Packet rules that concern other ports."""
    nft(guest, "input", "tcp dport { 25, 3306, 8080 } drop", "tcp dport 5432 reject", name="hardening")
