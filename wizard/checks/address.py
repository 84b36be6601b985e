"""Where a server of an upstream really is: the addresses that the gateway would connect to, and from where.

Owns the view from the gateway. May not know what a connection to such an address means.
"""

from __future__ import annotations

import asyncio
import ipaddress

import msgspec
from msgspec.structs import replace

from wizard.checks.registry import Asker, Gap, Subject
from wizard.host.questions import (
    HERE,
    AskDns,
    DnsAnswered,
    FileRead,
    NotAnswered,
    Ran,
    ReadFile,
    Resolve,
    Resolved,
    Run,
    View,
    Why,
)
from wizard.model import Instance, Route, Server

ROOT_GRANT = "run as root: sudo gateway-wizard"
_MAX_SEARCH = 6  # resolv.conf(5)
_MAX_RESOLVERS = 6


class Address(msgspec.Struct, frozen=True):
    """`host:port` or `unix:/path`, taken apart. `ip` is None for a unix socket."""

    text: str
    ip: ipaddress.IPv4Address | ipaddress.IPv6Address | None
    port: int
    path: str | None

    @property
    def is_loopback(self) -> bool:
        """Whether packets to it stay on the loopback device by its own nature."""
        return self.ip is not None and self.ip.is_loopback


def parse_address(text: str) -> Address | None:
    """An endpoint as written in a configuration or a log line; None where it is a name."""
    if text.startswith("unix:"):
        return Address(text, None, 0, text.removeprefix("unix:").rstrip(":") or "/")
    host, port = split_port(text)
    try:
        ip = ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return None
    return Address(join_port(str(ip), port), ip, port, None)


def split_port(text: str) -> tuple[str, int]:
    """Host and port of `host:port`, `[v6]:port`, or a bare host (port 0)."""
    host, colon, port = text.rpartition(":")
    if colon and port.isascii() and port.isdigit() and not (host.count(":") and not host.endswith("]")):
        return host, int(port)
    return text, 0


def join_port(host: str, port: int) -> str:
    """`host:port`, IPv6 in brackets."""
    return f"[{host}]:{port}" if ":" in host and not host.startswith("[") else f"{host}:{port}"


def gateway_view(instance: Instance | None) -> View:
    """The view from which a gateway's workers connect."""
    if instance is None or instance.pid is None:
        return View()
    return View(uid=instance.uid, gid=instance.gid, groups=instance.groups, within=instance.within)


def required(subject: Subject) -> tuple[Route, Server]:
    """The route and server of a server subject."""
    if subject.route is None or subject.server is None:
        raise ValueError(f"{subject.key} is no server of a route")
    return subject.route, subject.server


def resolves_at_run_time(route: Route, server: Server) -> bool:
    """Whether the gateway looks this server's name up while it runs (not with getaddrinfo when it starts)."""
    return server.resolves or (route.proxying is not None and route.proxying.named_at_run_time)


_UNASKED = frozenset({Why.NOT_RECORDED, Why.CANCELLED, Why.REFUSED, Why.UNSUPPORTED, Why.DENIED})


class Lookup(msgspec.Struct, frozen=True):
    """What a name leads to: `addresses` as host:port; `word` is the outcome of the check `name`.

    `kind` is the record (A, AAAA) whose question failed, and `partial` what the other one brought: one failure fails the
    lookup. `full` is the name that the search list of this host makes of it, where the resolver knows that one.
    """

    word: str
    addresses: tuple[str, ...] = ()
    server: str = ""
    detail: str = ""
    elsewhere: tuple[str, ...] = ()  # what the system answers where the gateway's resolver does not
    kind: str = ""
    partial: tuple[str, ...] = ()
    full: str = ""
    failing: tuple[str, ...] = ()  # the resolvers that fail where another one answers
    asked: bool = True  # False where the question was not put at all, so that silence says nothing


async def lookup(subject: Subject, asker: Asker) -> Lookup:
    """Look a server's name up in the way that the gateway does."""
    route, server = required(subject)
    if server.name is None or parse_address(server.address) is not None:
        return Lookup("literal", (server.address,))
    _, port = split_port(server.address)
    if resolves_at_run_time(route, server):
        return await _by_resolvers(route, server.name, port, asker)
    return await _by_system(server.name, port, asker)


async def _by_system(name: str, port: int, asker: Asker) -> Lookup:
    answer = (await asker.ask(Resolve(name))).answer
    if not isinstance(answer, Resolved):
        put = answer.why not in _UNASKED
        return Lookup("no-answer", server="the system's resolver", detail=answer.detail, asked=put)
    if answer.addresses:
        return Lookup("resolves", tuple(join_port(one, port) for one in dict.fromkeys(answer.addresses)))
    if answer.error in {"EAI_NONAME", "EAI_NODATA"}:
        word = "no-such-name" if answer.error == "EAI_NONAME" else "no-address"
        return Lookup(word, server="the system's resolver", detail=answer.error)
    for nameserver in await nameservers(asker):
        asked = await _ask_server(nameserver, name, port, asker)
        if asked.word in {"no-answer", "server-failed", "resolves"}:
            word = "no-answer" if asked.word == "no-answer" else "server-failed"
            return Lookup(word, server=nameserver, detail=asked.detail, asked=asked.asked)
    return Lookup("server-failed", server="the system's resolver", detail=answer.error or "no answer")


async def nameservers(asker: Asker) -> tuple[str, ...]:
    """The `nameserver` lines of resolv.conf(5) as address:port."""
    lines = await _resolv_conf(asker)
    return tuple(join_port(line[1], 53) for line in lines if len(line) > 1 and line[0] == "nameserver")


async def search_list(asker: Asker) -> tuple[str, ...]:
    """The domains by which the system completes a short name: the last `search` or `domain` line of resolv.conf(5)."""
    lines = [line[1:] for line in await _resolv_conf(asker) if len(line) > 1 and line[0] in {"search", "domain"}]
    return tuple(one.strip(".") for one in lines[-1] if one.strip("."))[:_MAX_SEARCH] if lines else ()


async def _resolv_conf(asker: Asker) -> list[list[str]]:
    answer = (await asker.ask(ReadFile("/etc/resolv.conf"))).answer
    if not isinstance(answer, FileRead):
        return []
    return [line.split() for line in answer.content.decode("utf-8", "replace").splitlines()]


async def _by_resolvers(route: Route, name: str, port: int, asker: Asker) -> Lookup:
    """Ask as nginx does (ngx_resolver.c): for A, and for AAAA unless `ipv6=off`; a failure of either fails the lookup."""
    proxying = route.proxying
    resolvers = proxying.resolvers if proxying else ()
    if proxying is None or not resolvers:
        return Lookup("no-resolver")
    kinds = ("A", "AAAA") if proxying.resolver_ipv6 else ("A",)
    view = gateway_view(route.gateway)
    asked = await asyncio.gather(
        *(_ask_server(one, name, port, asker, kinds=kinds, view=view) for one in resolvers[:_MAX_RESOLVERS])
    )
    last = asked[-1]
    good = next((one for one in asked if one.word == "resolves"), None)
    if good is not None:
        return replace(good, failing=tuple(one.server for one in asked if one.word in {"no-answer", "server-failed"}))
    if last.word == "no-answer" or last.partial:
        return last
    for domain in await search_list(asker) if not name.endswith(".") else ():
        full = f"{name}.{domain}"
        if (await _ask_server(last.server, full, port, asker, kinds=kinds, view=view)).word == "resolves":
            return replace(last, word="no-such-name", full=full)
    system = (await asker.ask(Resolve(name))).answer
    known = isinstance(system, Resolved) and bool(system.addresses) and last.word in {"no-such-name", "no-address"}
    if isinstance(system, Resolved) and known and (await in_hosts(name, asker) or not await _in_dns(last, name, asker)):
        return replace(last, word="hosts-only", elsewhere=system.addresses)
    return last


async def in_hosts(name: str, asker: Asker) -> bool:
    """Whether a line of the hosts file gives a name an address."""
    answer = (await asker.ask(ReadFile("/etc/hosts"))).answer
    text = answer.content.decode("utf-8", "replace") if isinstance(answer, FileRead) else ""
    wanted = name.rstrip(".").lower()
    return any(wanted in line.partition("#")[0].lower().split()[1:] for line in text.splitlines())


async def _in_dns(asked: Lookup, name: str, asker: Asker) -> bool:
    """Whether DNS knows a name after all: by its other kind of record, or where the system asks."""
    for server in dict.fromkeys((asked.server, *await nameservers(asker))):
        for kind in ("A", "AAAA"):
            host, port = split_port(server)
            question = AskDns(host.strip("[]"), name.rstrip("."), kind, port or 53, seconds=1.0)
            answer = (await asker.ask(question)).answer
            if isinstance(answer, DnsAnswered) and answer.addresses:
                return True
    return False


async def _ask_server(
    resolver: str, name: str, port: int, asker: Asker, *, kinds: tuple[str, ...] = ("A", "AAAA"), view: View = HERE
) -> Lookup:
    host, dns_port = split_port(resolver)
    if parse_address(join_port(host.strip("[]"), dns_port or 53)) is None:
        resolved = (await asker.ask(Resolve(host))).answer
        if not isinstance(resolved, Resolved) or not resolved.addresses:
            return Lookup("no-answer", server=resolver, detail=f"the resolver's own name {host} does not resolve")
        host = resolved.addresses[0]
    found: list[str] = []
    failed: tuple[str, str] | None = None
    for kind in kinds:
        answer = await ask_dns(AskDns(host.strip("[]"), name.rstrip("."), kind, dns_port or 53, view=view), asker)
        if not isinstance(answer, DnsAnswered):
            put = answer.why not in _UNASKED
            return Lookup("no-answer", server=resolver, detail=answer.detail, kind=kind, asked=put)
        found += answer.addresses
        failed = failed or ((kind, answer.rcode) if answer.rcode != "NOERROR" else None)
    addresses = tuple(join_port(one, port) for one in found)
    if failed is not None:
        word = "no-such-name" if failed[1] == "NXDOMAIN" else "server-failed"
        return Lookup(word, server=resolver, detail=failed[1], kind=failed[0], partial=addresses)
    if not found:
        return Lookup("no-address", server=resolver, detail="NOERROR")
    return Lookup("resolves", addresses, resolver)


async def ask_dns(question: AskDns, asker: Asker) -> DnsAnswered | NotAnswered:
    """Ask a DNS server in the view of a question, or as the wizard itself where it may not take that view.

    Sessions that were recorded before questions had a view hold the answer to the wizard itself.
    """
    answer = (await asker.ask(question)).answer
    unseen = isinstance(answer, NotAnswered) and answer.why in {Why.DENIED, Why.NOT_RECORDED}
    if unseen and question.view != HERE:
        answer = (await asker.ask(replace(question, view=HERE))).answer
    return answer


class LocalAddress(msgspec.Struct, frozen=True):
    """One entry of `ip -j addr`'s addr_info."""

    local: str = ""


class Link(msgspec.Struct, frozen=True):
    """One interface of `ip -j addr`."""

    addr_info: list[LocalAddress] = []


async def local_addresses(asker: Asker) -> frozenset[str] | None:
    """Every address of this host, None where they could not be listed."""
    answer = (await asker.ask(Run(("ip", "-j", "addr", "show")))).answer
    if not isinstance(answer, Ran) or answer.status != 0:
        return None
    try:
        links = msgspec.json.decode(answer.out, type=list[Link])
    except msgspec.MsgspecError:
        return None
    return frozenset(info.local for link in links for info in link.addr_info if info.local)


async def is_local(address: Address, asker: Asker) -> bool | None:
    """Whether packets to this address stay on this host; None where that could not be seen."""
    if address.path is not None or address.is_loopback or (address.ip is not None and address.ip.is_unspecified):
        return True
    own = await local_addresses(asker)
    return None if own is None else str(address.ip) in own


def not_as_gateway(instance: Instance | None, detail: str) -> Gap:
    """The gap where the wizard could not take the gateway's place."""
    user = instance.user or str(instance.uid) if instance else "the gateway's user"
    return Gap(f"the connection as {user}, in the gateway's place", detail, ROOT_GRANT)
