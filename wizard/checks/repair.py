"""What would let a failed start succeed, where the failure itself says so: as an argv, never run by the wizard.

Owns the checks `repair` and `scheme`. May not know causes. A failure whose repair needs knowledge that this host does not
hold (a bug, a missing secret) gives `none`.
"""

from __future__ import annotations

from wizard.checks.address import required
from wizard.checks.connect import located
from wizard.checks.edits import replaced
from wizard.checks.registry import Asker, Finding, Scope, Subject, check
from wizard.checks.service import ownership
from wizard.checks.survey import survey
from wizard.gateways.nginx.tree import every
from wizard.host.questions import FileStat, NotAnswered, Stat, Why
from wizard.model import ActionKind
from wizard.services import systemd
from wizard.services.ownership import How
from wizard.services.unitstate import UnitState
from wizard.text import one_line

_CHDIR, _EXEC, _GROUP, _USER = 200, 203, 216, 217


@check("repair", Scope.SERVER, {"known": ("argv", "why"), "none": ()})
async def repair(subject: Subject, asker: Asker) -> Finding:
    """Derive a repair from the way in which the unit's start failed."""
    found = await located(subject, asker)
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


@check("scheme", Scope.SERVER, {"editable": ("edit",), "elsewhere": ()})
async def scheme(subject: Subject, asker: Asker) -> Finding:
    """Find the line in which the gateway's scheme for this upstream stands."""
    route, _ = required(subject)
    gateway = (await survey(asker)).gateway_of(route.gateway)
    configuration = gateway.configuration if gateway else None
    if configuration is None or route.proxying is None or route.action.at is None:
        return Finding("elsewhere", "The configuration could not be read.")
    plain, secure = ("grpc", "grpcs") if route.action.kind is ActionKind.GRPC else ("http", "https")
    old, new = (f"{secure}://", f"{plain}://") if route.proxying.tls else (f"{plain}://", f"{secure}://")
    edit = replaced(configuration, route.action.at, old, new)
    if edit is None:  # the scheme is a variable
        line = configuration.line_text(route.action.at)
        named = (one for one in every(configuration.tree, "set") if one.args[1:] == (old[:-3],))
        found = [one for one in named if f"{one.args[0]}://" in line]
        edit = replaced(configuration, found[0].at, f" {old[:-3]}", f" {new[:-3]}") if len(found) == 1 else None
    if edit is None:
        return Finding("elsewhere", "The scheme does not stand in one line of the configuration.")
    return Finding("editable", f"{one_line(edit.file)}:{edit.line} says {old[:-3]}.", {"edit": edit})
