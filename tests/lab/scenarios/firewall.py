"""Packet filters and routes between the gateway and the application."""

from __future__ import annotations

from collections.abc import Iterator

from tests.lab.decoys import old_errors, other_rules
from tests.lab.guest import Guest
from tests.lab.scenario import Repair, scenario
from tests.lab.stack import app, app_on_neighbour, neighbour, nft, proxy, site, start_nginx


def shop(guest: Guest) -> None:
    """nginx in front of an application on loopback."""
    app(guest)
    site(guest, proxy("http://127.0.0.1:8000"))
    start_nginx(guest)


def remote(guest: Guest, target: str = "http://10.77.0.2:8000") -> None:
    """nginx in front of an application on the second host."""
    neighbour(guest)
    app_on_neighbour(guest)
    site(guest, proxy(target))
    start_nginx(guest)


@scenario("firewall-drops-upstream", status=504, twin=True)
def output_drop(guest: Guest) -> Iterator[None]:
    """A stray rule in the output chain drops what goes to the application's port."""
    other_rules(guest)
    shop(guest)
    yield
    nft(guest, "output", "tcp dport 8000 drop")


@scenario("firewall-drops-upstream", status=504, systemd=True)
def input_drop(guest: Guest) -> Iterator[None]:
    """The same in the input chain, among others, under systemd."""
    old_errors(guest)
    shop(guest)
    yield
    nft(guest, "input", "tcp dport { 3306, 5432 } drop", "tcp dport 8000-8099 counter drop", "tcp dport 443 accept")


@scenario("firewall-drops-upstream", status=504)
def dropped_for_the_worker_only(guest: Guest) -> Iterator[None]:
    """Only the worker's user is dropped: root's own curl succeeds."""
    shop(guest)
    yield
    nft(guest, "output", 'meta skuid "www-data" tcp dport 8000 drop')


@scenario("firewall-drops-upstream", status=504, repair=Repair.OPEN)
def policy_drop(guest: Guest) -> Iterator[None]:
    """The input policy is drop, and only the ports for the world are accepted: loopback was forgotten."""
    shop(guest)
    yield
    nft(guest, "input", "tcp dport { 22, 80, 443 } accept", "tcp sport 80 accept", policy="drop")


@scenario("firewall-drops-upstream", status=504)
def iptables_drop(guest: Guest) -> Iterator[None]:
    """The rule was made with iptables."""
    shop(guest)
    yield
    guest.run("iptables -A OUTPUT -p tcp -d 127.0.0.1 --dport 8000 -j DROP")


@scenario("firewall-drops-upstream", status=504)
def iptables_owner_drop(guest: Guest) -> Iterator[None]:
    """iptables drops what the worker's user sends to the application."""
    shop(guest)
    yield
    guest.run("iptables -A OUTPUT -p tcp --dport 8000 -m owner --uid-owner www-data -j DROP")


@scenario("firewall-drops-upstream", status=504)
def remote_output_drop(guest: Guest) -> Iterator[None]:
    """This host drops what goes to the application's host."""
    remote(guest)
    yield
    nft(guest, "output", "ip daddr 10.77.0.0/24 tcp dport 8000 drop")


@scenario("firewall-drops-upstream", status=504, repair=Repair.NONE, synonyms=("remote-upstream-down",))
def remote_input_drop(guest: Guest) -> Iterator[None]:
    """The application's host drops: from here it can be seen, but not repaired."""
    remote(guest)
    yield
    rules = "table inet filter {\nchain input {\ntype filter hook input priority 0;\ntcp dport 8000 drop\n}\n}\n"
    guest.run("ip netns exec app1 nft -f -", given=rules)


@scenario("firewall-rejects-upstream", twin=True)
def output_reject(guest: Guest) -> Iterator[None]:
    """A plain reject in the output chain."""
    shop(guest)
    yield
    nft(guest, "output", "tcp dport 8000 reject")


@scenario("firewall-rejects-upstream", systemd=True)
def reset_reject(guest: Guest) -> Iterator[None]:
    """Rejected with a TCP reset, as if nobody listened."""
    shop(guest)
    yield
    nft(guest, "input", "tcp dport 8000 reject with tcp reset")


@scenario("firewall-rejects-upstream")
def prohibited_reject(guest: Guest) -> Iterator[None]:
    """Rejected as administratively prohibited: no route to host, says the errno."""
    other_rules(guest)
    shop(guest)
    yield
    nft(guest, "output", "ip daddr 127.0.0.1 tcp dport 8000 reject with icmp type admin-prohibited")


@scenario("firewall-rejects-upstream")
def iptables_reject(guest: Guest) -> Iterator[None]:
    """iptables rejects with a TCP reset."""
    shop(guest)
    yield
    guest.run("iptables -I INPUT -p tcp --dport 8000 -j REJECT --reject-with tcp-reset")


@scenario("firewall-rejects-upstream", repair=Repair.NONE, synonyms=("remote-upstream-down",))
def remote_reject(guest: Guest) -> Iterator[None]:
    """The application's host rejects as administratively prohibited, as firewalld does."""
    remote(guest)
    yield
    rules = (
        "table inet filter {\nchain input {\ntype filter hook input priority 0;\n"
        "tcp dport 8000 reject with icmpx type admin-prohibited\n}\n}\n"
    )
    guest.run("ip netns exec app1 nft -f -", given=rules)


@scenario("route-missing", repair=Repair.OPEN, twin=True)
def link_down(guest: Guest) -> Iterator[None]:
    """The interface towards the application's host was taken down."""
    remote(guest)
    yield
    guest.run("ip link set eth1 down")


@scenario("route-prohibited")
def prohibit_route(guest: Guest) -> Iterator[None]:
    """A prohibit route to the application's host was left behind."""
    remote(guest)
    yield
    guest.run("ip route add prohibit 10.77.0.2/32")


@scenario("route-prohibited")
def blackhole_route(guest: Guest) -> Iterator[None]:
    """A blackhole route to the application's host was left behind."""
    remote(guest)
    yield
    guest.run("ip route add blackhole 10.77.0.2/32")


@scenario("host-down", status=(502, 504), repair=Repair.NONE)
def host_gone(guest: Guest) -> Iterator[None]:
    """The application's host does not answer ARP any more."""
    remote(guest)
    yield
    guest.run("ip -n app1 link set eth0 down")


@scenario("gateway-port-blocked", status=0, url="http://203.0.113.10/", synonyms=("firewall-drops-upstream",))
def gateway_port_dropped(guest: Guest) -> Iterator[None]:
    """The gateway's own port is dropped on input."""
    guest.run("ip address add 203.0.113.10/24 dev lo")
    shop(guest)
    yield
    nft(guest, "input", "tcp dport 80 drop")
