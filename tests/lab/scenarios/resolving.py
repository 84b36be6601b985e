"""Names again: name servers that fail in their own ways, files that shadow them, and names that are only half right."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tests.lab.guest import Guest, until
from tests.lab.scenario import Repair, scenario
from tests.lab.stack import (
    PYTHON,
    app,
    app_on_neighbour,
    edit,
    end,
    names,
    neighbour,
    nft,
    proxy,
    reload_nginx,
    site,
    start_nginx,
)

SITE = "/etc/nginx/sites-available/shop"
SERVER = Path(__file__).parents[1] / "nameserver.py"
RESOLVER = "resolver 127.0.0.1 valid=1s ipv6=off;\n    resolver_timeout 2s;"
RECORD = "--record app.internal=127.0.0.1"


def nameserver(guest: Guest, options: str = RECORD) -> int:
    """Runs the lab's own name server and returns its pid."""
    log = "/var/log/nameserver.log"
    guest.write("/opt/nameserver.py", SERVER.read_text())
    guest.write(log, "")
    pid = guest.spawn(f"{PYTHON} /opt/nameserver.py {options}", log=log)
    until(lambda: "listening" in guest.read(log), seconds=5)
    return pid


def by_variable(guest: Guest, name: str = "app.internal", inside: str = RESOLVER) -> None:
    """A site whose upstream is a variable, so that nginx resolves it for each request."""
    site(guest, proxy("http://$shop_app:8000"), inside=f'{inside}\n    set $shop_app "{name}";')
    start_nginx(guest)


def swap(guest: Guest, pid: int, options: str) -> None:
    """The name server with other options."""
    end(guest, pid)
    nameserver(guest, options)


@scenario("dns-wrong-address-family", repair=Repair.OPEN)
def only_ipv6(guest: Guest) -> Iterator[None]:
    """The name has an IPv6 address only now, and this host has no way to it."""
    pid = nameserver(guest)
    app(guest)
    by_variable(guest, inside=RESOLVER.replace(" ipv6=off", ""))
    yield
    swap(guest, pid, "--record app.internal=2001:db8::10")


@scenario("dns-nxdomain", twin=True)
def short_name(guest: Guest) -> Iterator[None]:
    """A short name that only the search list of resolv.conf completes: nginx's resolver does not."""
    guest.write("/etc/resolv.conf", guest.read("/etc/resolv.conf") + "search internal\n")
    names(guest, "address=/app.internal/127.0.0.1")
    app(guest)
    by_variable(guest)
    yield
    edit(guest, SITE, '"app.internal"', '"app"')
    reload_nginx(guest)


@scenario("dns-nxdomain")
def no_such_name_for_ipv6(guest: Guest) -> Iterator[None]:
    """The name server denies the name when it is asked for an IPv6 address; somebody took ipv6=off out."""
    names(guest, "address=/app.internal/127.0.0.1")
    app(guest)
    by_variable(guest)
    yield
    edit(guest, SITE, " ipv6=off", "")
    reload_nginx(guest)


@scenario("dns-wrong-answer", status=(502, 504))
def hosts_file_shadows(guest: Guest) -> Iterator[None]:
    """An old address of the name stands in /etc/hosts; nginx was reloaded and took it."""
    nameserver(guest)
    app(guest)
    site(guest, proxy("http://app.internal:8000"))
    start_nginx(guest)
    yield
    guest.write("/etc/hosts", guest.read("/etc/hosts") + "127.0.0.77\tapp.internal\n")
    reload_nginx(guest)


@scenario("dns-resolver-down", repair=Repair.NONE)
def rule_against_dns(guest: Guest) -> Iterator[None]:
    """DNS is dropped for the worker's user only."""
    names(guest, "address=/app.internal/127.0.0.1")
    app(guest)
    by_variable(guest)
    yield
    nft(guest, "output", 'meta skuid "www-data" udp dport 53 drop')


@scenario("dns-stale-in-gateway", status=(502, 504))
def kept_for_an_hour(guest: Guest) -> Iterator[None]:
    """nginx keeps answers for an hour (valid=), and the name moved."""
    pid = nameserver(guest, "--record app.internal=127.0.0.2")
    served = app(guest, listen="127.0.0.2:8000")
    edit(guest, "/etc/nginx/nginx.conf", "worker_processes auto;", "worker_processes 1;")
    by_variable(guest, inside="resolver 127.0.0.1 valid=1h ipv6=off;\n    resolver_timeout 2s;")
    yield
    end(guest, served)
    swap(guest, pid, "--record app.internal=127.0.0.3")
    app(guest, listen="127.0.0.3:8000")


@scenario("dns-resolver-down")
def most_resolvers_dead(guest: Guest) -> Iterator[None]:
    """Four resolvers that are dead stand before the one that answers."""
    nameserver(guest)
    app(guest)
    by_variable(guest)
    yield
    edit(
        guest,
        SITE,
        "resolver 127.0.0.1 valid=1s",
        "resolver 127.0.0.99 127.0.0.98 127.0.0.97 127.0.0.96 127.0.0.1 valid=1s",
    )
    reload_nginx(guest)


@scenario("dns-stale-in-gateway")
def pool_of_names_moved(guest: Guest) -> Iterator[None]:
    """A pool of two names; both moved to other addresses after nginx had started."""
    pid = nameserver(guest, "--record a.internal=127.0.0.2 --record b.internal=127.0.0.3")
    served = app(guest, "--listen 127.0.0.3:8000", listen="127.0.0.2:8000")
    site(
        guest,
        proxy("http://pool"),
        before="upstream pool {\n    server a.internal:8000;\n    server b.internal:8000;\n}",
    )
    start_nginx(guest)
    yield
    end(guest, served)
    swap(guest, pid, "--record a.internal=127.0.0.4 --record b.internal=127.0.0.5")
    app(guest, "--listen 127.0.0.5:8000", listen="127.0.0.4:8000")


@scenario("upstream-not-listening", twin=True, repair=Repair.NONE, synonyms=("remote-upstream-down",))
def hosts_overrides_on_purpose(guest: Guest) -> Iterator[None]:
    """/etc/hosts keeps traffic on this host although DNS knows a public address that answers; the application ends."""
    neighbour(guest)
    app_on_neighbour(guest)
    nameserver(guest, "--record app.internal=10.77.0.2")
    guest.write("/etc/hosts", guest.read("/etc/hosts") + "127.0.0.1\tapp.internal\n")
    pid = app(guest)
    site(guest, proxy("http://app.internal:8000"))
    start_nginx(guest)
    yield
    end(guest, pid)


@scenario("dns-nxdomain")
def public_resolver(guest: Guest) -> Iterator[None]:
    """nginx was told to ask a public resolver, which has never heard of internal names; this host's own has."""
    nameserver(guest)
    log = "/var/log/public.log"
    guest.spawn(f"{PYTHON} /opt/nameserver.py --listen 127.0.0.8 --record public.example=192.0.2.1", log=log)
    until(lambda: guest.exists(log) and "listening" in guest.read(log), seconds=5)
    app(guest)
    by_variable(guest)
    yield
    edit(guest, SITE, "resolver 127.0.0.1", "resolver 127.0.0.8")
    reload_nginx(guest)
