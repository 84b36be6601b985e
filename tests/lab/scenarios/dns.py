"""Names: not found, nobody to ask, an answer that nginx does not know of."""

from __future__ import annotations

from collections.abc import Iterator

from tests.lab.guest import Guest
from tests.lab.scenario import Repair, scenario
from tests.lab.stack import app, edit, end, names, proxy, reload_nginx, restart_nginx, site, start_nginx

SITE = "/etc/nginx/sites-available/shop"
RECORD = "address=/app.internal/127.0.0.1"
RESOLVER = "resolver 127.0.0.1 valid=1s ipv6=off;\n    resolver_timeout 2s;"


def by_variable(guest: Guest, name: str = "app.internal", inside: str = RESOLVER) -> None:
    """A site whose upstream is a variable, so that nginx resolves it for each request."""
    site(guest, proxy("http://$shop_app:8000"), inside=f'{inside}\n    set $shop_app "{name}";')
    start_nginx(guest)


@scenario("dns-nxdomain", repair=Repair.OPEN, twin=True)
def misspelt(guest: Guest) -> Iterator[None]:
    """The name in the site is misspelt; the name server has never heard of it."""
    names(guest, RECORD)
    app(guest)
    by_variable(guest)
    yield
    edit(guest, SITE, '"app.internal"', '"aap.internal"')
    reload_nginx(guest)


@scenario("dns-nxdomain", repair=Repair.OPEN)
def record_removed(guest: Guest) -> Iterator[None]:
    """The record was removed from the zone."""
    pid = names(guest, RECORD)
    app(guest)
    by_variable(guest)
    yield
    end(guest, pid)
    names(guest, "address=/other.internal/127.0.0.1")


@scenario("dns-resolver-down", systemd=True, twin=True)
def resolver_stopped(guest: Guest) -> Iterator[None]:
    """The local dnsmasq was stopped."""
    names(guest, RECORD)
    app(guest)
    by_variable(guest)
    yield
    guest.run("systemctl stop dnsmasq")


@scenario("dns-resolver-down", repair=Repair.OPEN)
def resolver_elsewhere(guest: Guest) -> Iterator[None]:
    """The resolver directive names an address where nobody answers."""
    names(guest, RECORD)
    app(guest)
    by_variable(guest)
    yield
    edit(guest, SITE, "resolver 127.0.0.1", "resolver 127.0.0.53")
    reload_nginx(guest)


@scenario("dns-resolver-not-configured", systemd=True)
def no_resolver(guest: Guest) -> Iterator[None]:
    """A variable in proxy_pass, and no resolver in scope."""
    names(guest, RECORD)
    app(guest)
    by_variable(guest)
    yield
    edit(guest, SITE, RESOLVER, "")
    reload_nginx(guest)


@scenario("dns-hosts-file-ignored", twin=True)
def only_in_hosts(guest: Guest) -> Iterator[None]:
    """The name stands in /etc/hosts only, which nginx's own resolver does not read."""
    guest.write("/etc/hosts", guest.read("/etc/hosts") + "127.0.0.1\tapp.internal\n")
    names(guest)
    app(guest)
    site(guest, proxy("http://app.internal:8000"))
    start_nginx(guest)
    yield
    site(guest, proxy("http://$shop_app:8000"), inside=f'{RESOLVER}\n    set $shop_app "app.internal";')
    reload_nginx(guest)


@scenario("dns-stale-in-gateway", twin=True)
def moved_after_start(guest: Guest) -> Iterator[None]:
    """The name moved to another address after nginx had started."""
    pid = names(guest, "address=/app.internal/127.0.0.2")
    served = app(guest, listen="127.0.0.2:8000")
    site(guest, proxy("http://app.internal:8000"))
    start_nginx(guest)
    yield
    end(guest, served)
    end(guest, pid)
    names(guest, "address=/app.internal/127.0.0.3")
    app(guest, listen="127.0.0.3:8000")


@scenario("dns-stale-in-gateway", systemd=True)
def moved_in_hosts(guest: Guest) -> Iterator[None]:
    """The entry in /etc/hosts was changed, nginx was not reloaded."""
    hosts = guest.read("/etc/hosts")
    guest.write("/etc/hosts", hosts + "127.0.0.2\tapp.internal\n")
    app(guest, listen="127.0.0.2:8000")
    site(guest, proxy("http://app.internal:8000"))
    start_nginx(guest)
    yield
    guest.write("/etc/hosts", hosts + "127.0.0.3\tapp.internal\n")
    edit(guest, "/etc/systemd/system/shop.service", "127.0.0.2:8000", "127.0.0.3:8000")
    guest.run("systemctl daemon-reload; systemctl restart shop")
    guest.await_listener("8000")


@scenario("dns-startup-failure", systemd=True, status=0, repair=Repair.OPEN, synonyms=("gateway-failed-start",))
def unknown_at_start(guest: Guest) -> Iterator[None]:
    """nginx was restarted while the name did not resolve, and did not start."""
    names(guest, RECORD)
    app(guest)
    site(guest, proxy("http://app.internal:8000"))
    start_nginx(guest)
    yield
    names(guest, "address=/other.internal/127.0.0.1")
    guest.run("systemctl restart nginx", check=False)


@scenario("dns-startup-failure", systemd=True, status=0, synonyms=("dns-resolver-down",))
def resolver_down_at_start(guest: Guest) -> Iterator[None]:
    """dnsmasq was not there when nginx was restarted: the name cannot be resolved, nginx does not start."""
    names(guest, RECORD)
    app(guest)
    site(guest, proxy("http://app.internal:8000"))
    start_nginx(guest)
    yield
    guest.run("systemctl stop dnsmasq; systemctl restart nginx", check=False)


@scenario("upstream-not-listening", repair=Repair.NONE)
def resolves_but_nobody_there(guest: Guest) -> Iterator[None]:
    """DNS is right; the application is gone."""
    names(guest, RECORD)
    pid = app(guest)
    by_variable(guest)
    restart_nginx(guest)
    yield
    end(guest, pid)
