"""What would let a name resolve: another resolver, another form of the name, or an address in its place.

Owns the checks `resolver`, `name-repair`, `literal-name` and `refused-name`. May not know causes. A resolver counts only
where it has just answered for the very name.
"""

from __future__ import annotations

from wizard.checks.address import (
    join_port,
    local_addresses,
    lookup,
    nameservers,
    parse_address,
    required,
    resolves_at_run_time,
    split_port,
)
from wizard.checks.edits import inserted_after, replaced
from wizard.checks.gateway import gateway_refusal
from wizard.checks.registry import UNKNOWN, Asker, Edit, Finding, Scope, Subject, Value, check
from wizard.checks.survey import survey
from wizard.gateways.nginx.tree import Configuration, every
from wizard.host.questions import AskDns, DnsAnswered, NotAnswered, Resolve, Resolved
from wizard.services import systemd
from wizard.text import one_line

_RESOLVER_UNITS = (
    "systemd-resolved.service",
    "dnsmasq.service",
    "unbound.service",
    "named.service",
    "bind9.service",
    "pdns-recursor.service",
    "knot-resolver.service",
    "coredns.service",
)


@check(
    "resolver",
    Scope.SERVER,
    {
        "other-answers": ("edit", "server"),
        "one-kind-fails": ("edit",),
        "others-answer": ("edit",),
        "stopped-here": ("unit",),
        "answers-here": ("server",),
        "none": (),
    },
)
async def resolver(subject: Subject, asker: Asker) -> Finding:
    """Look for a resolver of this host that answers for the name, where the gateway's own does not."""
    route, server = required(subject)
    if server.name is None or not resolves_at_run_time(route, server):
        return Finding("none", "The gateway does not ask a resolver for this server.")
    configured = route.proxying.resolvers if route.proxying else ()
    found = await lookup(subject, asker)
    if found.failing:
        edit = await _without_resolvers(subject, found.failing, asker)
        return Finding("others-answer", "Another resolver of the same line answers.", {"edit": edit} if edit else {})
    if found.partial:
        edit = await without_ipv6(subject, asker) if found.kind == "AAAA" else None
        said = f"{one_line(found.server)} answers for A records, and fails for {found.kind} ones."
        return Finding("one-kind-fails", said, {"edit": edit} if edit else {})
    own = await local_addresses(asker) or frozenset({"127.0.0.1", "::1"})
    if any(split_port(one)[0].strip("[]") in own or one.startswith("127.") for one in configured):
        unit = await stopped_resolver(asker)
        if unit is not None:
            return Finding("stopped-here", f"{one_line(unit)} could answer there and is stopped.", {"unit": unit})
    if found.word == "no-answer" and found.server and await _answers_here(found.server, server.name, asker):
        said = f"{one_line(found.server)} answers this shell, and not the gateway's user: a rule stands between."
        return Finding("answers-here", said, {"server": found.server})
    for other in await nameservers(asker):
        if other in configured:
            continue
        host, port = split_port(other)
        answer = (await asker.ask(AskDns(host.strip("[]"), server.name.rstrip("."), "A", port or 53))).answer
        if isinstance(answer, DnsAnswered) and answer.addresses:
            return await _other(subject, asker, host, configured)
    return Finding("none", "No other resolver of this host answers for the name.")


async def _answers_here(resolver: str, name: str, asker: Asker) -> bool:
    host, port = split_port(resolver)
    if parse_address(join_port(host.strip("[]"), port or 53)) is None:
        return False
    answer = (await asker.ask(AskDns(host.strip("[]"), name.rstrip("."), "A", port or 53))).answer
    return isinstance(answer, DnsAnswered)


async def _without_resolvers(subject: Subject, failing: tuple[str, ...], asker: Asker) -> Edit | None:
    """The edit that leaves out of a line the resolvers that do not answer."""
    route, _ = required(subject)
    gateway = (await survey(asker)).gateway_of(route.gateway)
    configuration = gateway.configuration if gateway else None
    at = route.proxying.resolver_at if route.proxying else None
    line = next((one for one in every(configuration.tree, "resolver") if one.at == at), None) if configuration else None
    if configuration is None or line is None:
        return None
    kept = [one for one in line.args if one not in failing and f"{one}:53" not in failing]
    return replaced(configuration, at, f"resolver {' '.join(line.args)}", f"resolver {' '.join(kept)}")


async def without_ipv6(subject: Subject, asker: Asker) -> Edit | None:
    """The edit that lets the gateway ask its resolver for IPv4 addresses only."""
    route, _ = required(subject)
    gateway = (await survey(asker)).gateway_of(route.gateway)
    configuration = gateway.configuration if gateway else None
    at = route.proxying.resolver_at if route.proxying else None
    if configuration is None or at is None or route.proxying is None or not route.proxying.resolver_ipv6:
        return None
    return replaced(configuration, at, "ipv6=on", "ipv6=off") or replaced(
        configuration, at, "resolver", "resolver ipv6=off"
    )


async def stopped_resolver(asker: Asker) -> str | None:
    """The unit of a DNS server that is installed here and does not run, where there is just one."""
    if not await systemd.present(asker):
        return None
    states = await systemd.states(asker, _RESOLVER_UNITS)
    if isinstance(states, NotAnswered):
        return None
    stopped = [name for name, state in states.items() if state.exists and state.active in {"inactive", "failed"}]
    running = [name for name, state in states.items() if state.exists and state.active == "active"]
    return stopped[0] if len(stopped) == 1 and not running else None


async def _other(subject: Subject, asker: Asker, host: str, configured: tuple[str, ...]) -> Finding:
    route, server = required(subject)
    six = (await asker.ask(AskDns(host.strip("[]"), (server.name or "").rstrip("."), "AAAA"))).answer
    # nginx asks for both kinds and fails the lookup where either answer says that there is no such name.
    only_four = "" if isinstance(six, DnsAnswered) and six.addresses else " ipv6=off"
    gateway = (await survey(asker)).gateway_of(route.gateway)
    configuration = gateway.configuration if gateway else None
    values: dict[str, Value] = {"server": host}
    edit = None
    if configured and route.proxying is not None:
        old = configured[0].removesuffix(":53")
        edit = replaced(configuration, route.proxying.resolver_at, old, host)
    elif configuration is not None:
        edit = inserted_after(configuration, route.virtual_host.at, f"resolver {host} valid=30s{only_four};")
    if edit is not None:
        values["edit"] = edit
    return Finding("other-answers", f"{one_line(host)}, a resolver of this host, answers for the name.", values)


@check(
    "refused-name",
    Scope.HOST,
    {"resolves": ("addresses",), "resolver-stopped": ("unit",), "does-not": (), "no-name": ()},
    bad=("does-not", "resolver-stopped"),
)
async def refused_name(subject: Subject, asker: Asker) -> Finding:
    """Look the name up on which the gateway's start failed."""
    refusal = await gateway_refusal(subject, asker)
    name = str(refusal.values.get("what", "")).rpartition(":")[0] or str(refusal.values.get("what", ""))
    if refusal.outcome != "name-not-found" or not name:
        return Finding("no-name", "The gateway's start did not fail on a name.")
    answer = (await asker.ask(Resolve(name))).answer
    by_hand = f"getent ahosts {name}"
    if not isinstance(answer, Resolved):
        return Finding(UNKNOWN, f"{one_line(name)} could not be looked up: {one_line(answer.detail)}.", by_hand=by_hand)
    if answer.addresses:
        shown = one_line(", ".join(answer.addresses))
        return Finding(
            "resolves", f"{one_line(name)} is {shown} now.", {"addresses": answer.addresses}, by_hand=by_hand
        )
    unit = await stopped_resolver(asker) if answer.error == "EAI_AGAIN" else None
    if unit is not None:
        said = f"{one_line(name)} does not resolve, and {one_line(unit)}, a resolver of this host, is stopped."
        return Finding("resolver-stopped", said, {"unit": unit}, by_hand=by_hand)
    return Finding("does-not", f"{one_line(name)} does not resolve ({answer.error}).", by_hand=by_hand)


@check(
    "name-repair",
    Scope.SERVER,
    {"complete": ("edit", "full"), "one-kind-fails": ("edit",), "other-resolver": ("edit",), "none": ()},
)
async def name_repair(subject: Subject, asker: Asker) -> Finding:
    """Look whether the name would resolve in another form, or with another kind of record."""
    route, server = required(subject)
    found = await lookup(subject, asker)
    if found.partial and found.kind == "AAAA":
        edit = await without_ipv6(subject, asker)
        if edit is not None:
            said = f"Without IPv6 nginx asks for the A record alone, which {one_line(found.server)} has."
            return Finding("one-kind-fails", said, {"edit": edit})
    other = await _another(subject, asker) if not found.full and not found.partial else None
    if other is not None:
        return other
    gateway = (await survey(asker)).gateway_of(route.gateway)
    configuration = gateway.configuration if gateway else None
    if not found.full or configuration is None or server.name is None:
        return Finding("none", "No other form of the name was found.")
    edit = _renamed(configuration, subject, server.name, found.full)
    values: dict[str, Value] = {"full": found.full}
    if edit is None:
        return Finding("none", f"{one_line(found.full)} resolves; the short name does not stand in one line.", values)
    said = f"{one_line(found.full)} resolves; {one_line(edit.file)}:{edit.line} names {one_line(server.name)}."
    return Finding("complete", said, {**values, "edit": edit})


async def _another(subject: Subject, asker: Asker) -> Finding | None:
    """A resolver of this host that knows the name which the gateway's own does not know."""
    route, server = required(subject)
    configured = route.proxying.resolvers if route.proxying else ()
    for one in await nameservers(asker) if server.name is not None and resolves_at_run_time(route, server) else ():
        host, port = split_port(one)
        if one in configured:
            continue
        answer = (await asker.ask(AskDns(host.strip("[]"), (server.name or "").rstrip("."), "A", port or 53))).answer
        if isinstance(answer, DnsAnswered) and answer.addresses:
            found = await _other(subject, asker, host, configured)
            edit = found.values.get("edit")
            values: dict[str, Value] = {"edit": edit} if edit is not None else {}
            return Finding("other-resolver", f"{one_line(host)}, which this host asks, knows the name.", values)
    return None


def _renamed(configuration: Configuration, subject: Subject, name: str, new: str) -> Edit | None:
    """The edit that writes something else for the upstream's name: where it is passed to, or where a variable is set."""
    route, server = required(subject)
    places = [at for at in (server.at, route.action.at) if at is not None]
    places += [one.at for one in every(configuration.tree, "set") if len(one.args) > 1 and name in one.args[1]]
    return next((one for at in places if (one := replaced(configuration, at, name, new)) is not None), None)


@check("literal-name", Scope.SERVER, {"editable": ("edit",), "elsewhere": ()})
async def literal_name(subject: Subject, asker: Asker) -> Finding:
    """Find the line in which the upstream's name stands, so that an address of this host's files can take its place."""
    route, server = required(subject)
    found = await lookup(subject, asker)
    gateway = (await survey(asker)).gateway_of(route.gateway)
    configuration = gateway.configuration if gateway else None
    if configuration is None or server.name is None or not found.elsewhere:
        return Finding("elsewhere", "There is no address that could stand for the name.")
    address = f"[{found.elsewhere[0]}]" if ":" in found.elsewhere[0] else found.elsewhere[0]
    edit = _renamed(configuration, subject, server.name, address)
    if edit is None:
        return Finding("elsewhere", "The name does not stand in one line of the configuration.")
    said = f"{one_line(edit.file)}:{edit.line} names {one_line(server.name)}; {address} can take its place."
    return Finding("editable", said, {"edit": edit})
