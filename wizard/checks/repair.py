"""What would let a failed start succeed, where the failure itself says so: as an argv, never run by the wizard.

Owns the checks `repair`, `resolver` and `refused-name`. May not know causes. A failure whose repair needs knowledge
that this host does not hold (a bug, a missing secret) gives `none`.
"""

from __future__ import annotations

from wizard.checks.address import lookup, nameservers, required, resolves_at_run_time, split_port
from wizard.checks.edits import inserted_after, replaced
from wizard.checks.gateway import gateway_refusal
from wizard.checks.registry import UNKNOWN, Asker, Finding, Scope, Subject, Value, check
from wizard.checks.service import ownership
from wizard.checks.survey import survey
from wizard.host.questions import AskDns, DnsAnswered, FileStat, NotAnswered, Resolve, Resolved, Stat, Why
from wizard.services import systemd
from wizard.services.ownership import How
from wizard.services.unitstate import UnitState
from wizard.text import one_line

_CHDIR, _EXEC, _GROUP, _USER = 200, 203, 216, 217


@check("repair", Scope.SERVER, {"known": ("argv", "why"), "none": ()})
async def repair(subject: Subject, asker: Asker) -> Finding:
    """Derive a repair from the way in which the unit's start failed."""
    found = await lookup(subject, asker)
    if not found.addresses or not await systemd.present(asker):
        return Finding("none", "No service manager says how the start failed.")
    owned = await ownership(subject, asker, found.addresses[0])
    claim = next((one for one in owned.claims if one.service and one.how not in {How.ELSEWHERE, How.SAME_PORT}), None)
    state = await systemd.state(asker, claim.service or "") if claim else None
    if not isinstance(state, UnitState):
        return Finding("none", "No unit's failure could be read.")
    derived = await _derive(state, asker)
    if derived is None:
        return Finding("none", "The failure does not say what would repair it.")
    argv, why = derived
    return Finding("known", why, {"argv": argv, "why": why})


async def _derive(state: UnitState, asker: Asker) -> tuple[tuple[str, ...], str] | None:
    if state.needs_daemon_reload:
        return ("systemctl", "daemon-reload"), "The unit's file was changed after systemd read it."
    program = state.commands[0].split(" ", 1)[0].lstrip("@-:+!") if state.commands else ""
    if state.exit_status == _EXEC and program.startswith("/"):
        answer = (await asker.ask(Stat(program))).answer
        if isinstance(answer, FileStat) and answer.kind == "file" and not answer.mode & 0o111:
            return ("chmod", "755", program), f"{one_line(program)} is not executable."
    folder = state.working_directory.lstrip("-!")
    if state.exit_status == _CHDIR and folder.startswith("/"):
        answer = (await asker.ask(Stat(folder))).answer
        if isinstance(answer, NotAnswered) and answer.why is Why.MISSING:
            owner = ("-o", state.user, "-g", state.group or state.user) if state.user else ()
            return ("install", "-d", *owner, folder), f"Its working directory {one_line(folder)} does not exist."
    if state.exit_status == _USER and state.user and not state.user.isdigit():
        argv = ("useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", state.user)
        return argv, f"Its user {one_line(state.user)} does not exist."
    if state.exit_status == _GROUP and state.group and not state.group.isdigit():
        return ("groupadd", "--system", state.group), f"Its group {one_line(state.group)} does not exist."
    return None


@check(
    "resolver",
    Scope.SERVER,
    {"other-answers": ("edit", "server"), "stopped-here": ("unit",), "none": ()},
)
async def resolver(subject: Subject, asker: Asker) -> Finding:
    """Look for a resolver of this host that answers for the name, where the gateway's own does not."""
    route, server = required(subject)
    if server.name is None or not resolves_at_run_time(route, server):
        return Finding("none", "The gateway does not ask a resolver for this server.")
    configured = route.proxying.resolvers if route.proxying else ()
    owned = [await ownership(subject, asker, one) for one in configured[:2]]
    for claims in owned:
        unit = next((one.service for one in claims.claims if one.service), None)
        state = await systemd.state(asker, unit) if unit else None
        if unit and isinstance(state, UnitState) and state.active in {"inactive", "failed"}:
            return Finding(
                "stopped-here", f"{one_line(unit)} should answer there and is {state.active}.", {"unit": unit}
            )
    for other in await nameservers(asker):
        if other in configured:
            continue
        host, port = split_port(other)
        answer = (await asker.ask(AskDns(host.strip("[]"), server.name.rstrip("."), "A", port or 53))).answer
        if isinstance(answer, DnsAnswered) and answer.addresses:
            return await _other(subject, asker, host, configured)
    return Finding("none", "No other resolver of this host answers for the name.")


async def _other(subject: Subject, asker: Asker, host: str, configured: tuple[str, ...]) -> Finding:
    route, _ = required(subject)
    gateway = (await survey(asker)).gateway_of(route.gateway)
    configuration = gateway.configuration if gateway else None
    values: dict[str, Value] = {"server": host}
    edit = None
    if configured and route.proxying is not None:
        old = configured[0].removesuffix(":53")
        edit = replaced(configuration, route.proxying.resolver_at, old, host)
    elif configuration is not None:
        edit = inserted_after(configuration, route.virtual_host.at, f"resolver {host} valid=30s;")
    if edit is not None:
        values["edit"] = edit
    return Finding("other-answers", f"{one_line(host)}, a resolver of this host, answers for the name.", values)


@check("refused-name", Scope.HOST, {"resolves": ("addresses",), "does-not": (), "no-name": ()}, bad=("does-not",))
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
    return Finding("does-not", f"{one_line(name)} does not resolve ({answer.error}).", by_hand=by_hand)


@check("scheme", Scope.SERVER, {"editable": ("edit",), "elsewhere": ()})
async def scheme(subject: Subject, asker: Asker) -> Finding:
    """Find the line in which the gateway's scheme for this upstream stands."""
    route, _ = required(subject)
    gateway = (await survey(asker)).gateway_of(route.gateway)
    if gateway is None or route.proxying is None:
        return Finding("elsewhere", "The configuration could not be read.")
    old, new = ("https://", "http://") if route.proxying.tls else ("http://", "https://")
    edit = replaced(gateway.configuration, route.action.at, old, new)
    if edit is None:
        return Finding("elsewhere", "The scheme does not stand in one line of the configuration.")
    return Finding("editable", f"{one_line(edit.file)}:{edit.line} says {old[:-3]}.", {"edit": edit})
