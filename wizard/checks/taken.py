"""Who holds the address on which the gateway wanted to listen when its start failed.

Owns the check `port-owner`. May not know why that process is there.
"""

from __future__ import annotations

from wizard.checks.address import parse_address
from wizard.checks.gateway import gateway_refusal
from wizard.checks.listen import takes
from wizard.checks.registry import UNKNOWN, Asker, Finding, Scope, Subject, Value, check
from wizard.host.questions import Listening, Processes, ProcessTable, Sockets, SocketTable
from wizard.services.processes import unit_of
from wizard.text import one_line

_OWNER = ("address", "program", "pid", "stop")


@check(
    "port-owner",
    Scope.HOST,
    {"not-asked": (), "nobody": ("address",), "unit": (*_OWNER, "unit", "start"), "process": _OWNER},
    bad=("unit", "process"),
)
async def port_owner(subject: Subject, asker: Asker) -> Finding:
    """Find the process that listens where the gateway could not."""
    refusal = await gateway_refusal(subject, asker)
    address = parse_address(str(refusal.values.get("what", ""))) if refusal.outcome == "address-in-use" else None
    if address is None:
        return Finding("not-asked", "The gateway's start did not fail on an address that is taken.")
    within = subject.gateway.within if subject.gateway and subject.gateway.elsewhere else None
    table = (await asker.ask(Sockets(within))).answer
    seen = (await asker.ask(Processes())).answer
    by_hand = f"ss -Hltnp 'sport = :{address.port}'"
    if not isinstance(table, SocketTable):
        return Finding(UNKNOWN, "The listening sockets could not be listed.", by_hand=by_hand)
    shown = one_line(address.text)
    holding = [one for one in table.listening if takes(one, address) or _overlaps(one, address.port)]
    pids = {pid for one in holding for pid in one.pids}
    processes = seen.processes if isinstance(seen, ProcessTable) else ()
    owner = min((one for one in processes if one.pid in pids), key=lambda one: one.started, default=None)
    if owner is None:
        if holding:
            return Finding(UNKNOWN, f"Somebody listens on {shown} and cannot be seen.", by_hand=by_hand)
        return Finding("nobody", f"Nobody listens on {shown} now.", {"address": shown}, by_hand=by_hand)
    values: dict[str, Value] = {"address": shown, "program": owner.name, "pid": owner.pid}
    words = f"{one_line(owner.name)} (pid {owner.pid}) listens on {shown}"
    unit = unit_of(owner.cgroup)
    if unit is not None and unit != (subject.gateway.unit if subject.gateway else None):
        more: dict[str, Value] = {
            "unit": unit,
            "stop": ("systemctl", "stop", unit),
            "start": ("systemctl", "start", unit),
        }
        return Finding("unit", f"{words} ({one_line(unit)}).", {**values, **more}, by_hand=by_hand)
    return Finding("process", f"{words}.", {**values, "stop": ("kill", str(owner.pid))}, by_hand=by_hand)


def _overlaps(one: Listening, port: int) -> bool:
    """Whether a socket keeps a wildcard address of its port from being bound."""
    return one.family != "unix" and one.type == "stream" and bool(port) and one.port == port
