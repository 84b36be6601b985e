"""Packet filters and routes again: rules in the shapes that tools and people leave behind, and routes by user and mark."""

from __future__ import annotations

from collections.abc import Iterator

from tests.lab.guest import Guest
from tests.lab.scenario import Repair, scenario
from tests.lab.stack import app, app_on_neighbour, end, neighbour, nft, proxy, site, start_nginx

FIREWALLD = """table inet firewalld {
    chain filter_INPUT {
        type filter hook input priority filter + 10; policy accept;
        ct state { established, related } accept
        ct status dnat accept
        iifname "lo" accept
        ct state invalid drop
        jump filter_INPUT_ZONES
        reject with icmpx admin-prohibited
    }
    chain filter_OUTPUT {
        type filter hook output priority filter + 10; policy accept;
        ct state { established, related } accept
        oifname "lo" accept
        jump filter_OUTPUT_POLICIES
    }
    chain filter_OUTPUT_POLICIES {
    }
    chain filter_INPUT_ZONES {
        iifname "eth1" goto filter_IN_public
        goto filter_IN_public
    }
    chain filter_IN_public {
        jump filter_IN_public_deny
        jump filter_IN_public_allow
        meta l4proto { icmp, ipv6-icmp } accept
    }
    chain filter_IN_public_deny {
    }
    chain filter_IN_public_allow {
        tcp dport { 22, 80, 443 } accept
    }
}
"""
DOCKER = """table ip filter {
    chain DOCKER { ip daddr 172.17.0.2 iifname != "docker0" oifname "docker0" tcp dport 5432 accept; }
    chain DOCKER-USER { return; }
    chain FORWARD { type filter hook forward priority filter; policy drop; jump DOCKER-USER; oifname "docker0" jump DOCKER; }
}
table ip nat {
    chain DOCKER { iifname "docker0" return; iifname != "docker0" tcp dport 15432 dnat to 172.17.0.2:5432; }
    chain PREROUTING { type nat hook prerouting priority dstnat; policy accept; fib daddr type local jump DOCKER; }
    chain OUTPUT { type nat hook output priority -100; policy accept; ip daddr != 127.0.0.0/8 fib daddr type local jump DOCKER; }
    chain POSTROUTING { type nat hook postrouting priority srcnat; policy accept; oifname != "docker0" ip saddr 172.17.0.0/16 masquerade; }
}
"""


def shop(guest: Guest) -> int:
    """nginx in front of an application on loopback."""
    pid = app(guest)
    site(guest, proxy("http://127.0.0.1:8000"))
    start_nginx(guest)
    return pid


def remote(guest: Guest) -> None:
    """nginx in front of an application on the second host."""
    neighbour(guest)
    app_on_neighbour(guest)
    site(guest, proxy("http://10.77.0.2:8000"))
    start_nginx(guest)


def load(guest: Guest, text: str) -> None:
    """Adds rules as nft reads them."""
    guest.run("nft -f -", given=text)


@scenario("firewall-rejects-upstream")
def protocol_reject(guest: Guest) -> Iterator[None]:
    """REJECT with icmp-proto-unreachable: protocol not available."""
    shop(guest)
    yield
    guest.run("iptables -A OUTPUT -p tcp --dport 8000 -j REJECT --reject-with icmp-proto-unreachable")


@scenario("firewall-rejects-upstream", twin=True)
def redirected(guest: Guest) -> Iterator[None]:
    """A rule of nat output sends the application's port to another one, where nobody listens; Docker's rules beside."""
    load(guest, DOCKER)
    shop(guest)
    yield
    load(
        guest,
        "table ip moved {\nchain out { type nat hook output priority -100; tcp dport 8000 redirect to :8999; }\n}\n",
    )


@scenario("firewall-drops-upstream", status=504)
def marked_and_dropped(guest: Guest) -> Iterator[None]:
    """One chain marks, a later one drops what is marked."""
    shop(guest)
    yield
    load(
        guest,
        "table inet marks {\nchain marking { type route hook output priority mangle; tcp dport 8000 meta mark set 0x42; }\n"
        "chain out { type filter hook output priority filter; meta mark 0x42 drop; }\n}\n",
    )


@scenario("firewall-drops-upstream", status=504)
def one_connection_an_hour(guest: Guest) -> Iterator[None]:
    """One new connection an hour is let in, and the rest is dropped."""
    shop(guest)
    yield
    nft(guest, "output", "tcp dport 8000 ct state new limit rate over 1/hour burst 1 packets drop")
    guest.run("curl -s -o /dev/null -m 3 http://shop.example/", check=False)


@scenario("route-prohibited")
def table_for_the_worker(guest: Guest) -> Iterator[None]:
    """The worker's user has a table of its own, with a blackhole."""
    remote(guest)
    yield
    guest.run("ip route add blackhole default table 100; ip rule add uidrange 33-33 lookup 100 priority 1000")


@scenario("route-prohibited", status=(502, 504))
def table_by_mark(guest: Guest) -> Iterator[None]:
    """A VPN's kill switch: what the worker sends is marked, and marked packets go to a table that is unreachable."""
    remote(guest)
    yield
    guest.run("ip route add unreachable default table 51820; ip rule add fwmark 0xca6c lookup 51820 priority 500")
    load(
        guest,
        'table inet vpn {\nchain out { type route hook output priority mangle; meta skuid "www-data" meta mark set 0xca6c; }\n}\n',
    )


@scenario("gateway-port-blocked", status=0, url="http://203.0.113.10/", synonyms=("firewall-drops-upstream",))
def port_not_accepted(guest: Guest) -> Iterator[None]:
    """A firewalld-like zone lost its http service; visitors are rejected as prohibited."""
    guest.run("ip address add 203.0.113.10/24 dev lo")
    load(
        guest,
        FIREWALLD.replace("inet firewalld", "inet edge").replace(
            'iifname "lo" accept', 'iifname "lo" ip daddr 127.0.0.0/8 accept'
        ),
    )
    shop(guest)
    yield
    load(
        guest,
        "flush chain inet edge filter_IN_public_allow\nadd rule inet edge filter_IN_public_allow tcp dport 22 accept\n",
    )


@scenario("upstream-not-listening", twin=True, repair=Repair.NONE)
def many_decoys(guest: Guest) -> Iterator[None]:
    """Rules for others, a dead route elsewhere, Docker's and firewalld's tables; then the application ends."""
    load(guest, DOCKER + FIREWALLD)
    guest.run("iptables -A OUTPUT -p tcp --dport 25 -j REJECT; ip route add blackhole 192.0.2.0/24")
    guest.run("ip rule add uidrange 1000-2000 to 198.51.100.0/24 prohibit")
    nft(guest, "output", 'meta skuid "nobody" tcp dport 8000 drop', "tcp dport 8080 drop", name="others")
    pid = shop(guest)
    yield
    end(guest, pid)
