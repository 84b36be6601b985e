"""What the units of both sides let their processes do on the network: address families, addresses, a network of their own.

Owns the check `unit-network`. May not know how a sandbox is read, or who should serve an address. The wizard's own
connection passes such a filter by, because the filter belongs to the unit (systemd.exec(5), systemd.resource-control(5)).
"""

from __future__ import annotations

from wizard.checks.address import parse_address, required
from wizard.checks.connect import located
from wizard.checks.listen import socket_table, takes
from wizard.checks.registry import UNKNOWN, Asker, Finding, Scope, Subject, Value, check
from wizard.checks.service import claimed, ownership
from wizard.host.questions import Sockets, SocketTable
from wizard.services import systemd
from wizard.services.sandbox import Lifted, Sandbox, sandbox
from wizard.services.unitstate import UnitState
from wizard.text import one_line

_TOLD = ("unit", "setting", "drop-in", "lines")
_APART = Lifted("PrivateNetwork=yes", ("PrivateNetwork=no",))


@check(
    "unit-network",
    Scope.SERVER,
    {
        "free": (),
        "address-forbidden": (*_TOLD, "address"),
        "gateway-apart": _TOLD,
        "service-apart": _TOLD,
        "no-unit": (),
    },
    bad=("address-forbidden", "gateway-apart", "service-apart"),
)
async def unit_network(subject: Subject, asker: Asker) -> Finding:
    """Read what the gateway's unit forbids, and whether the application's unit has a network of its own."""
    route, _ = required(subject)
    found = await located(subject, asker)
    address = parse_address(found.addresses[0]) if found.addresses else None
    if not await systemd.present(asker):
        return Finding("no-unit", "No service manager keeps anybody in here.")
    if address is None or address.ip is None:
        return Finding("free", "A unix socket is no matter of the network.")
    unit = route.gateway.unit
    own = await sandbox(asker, unit) if unit else None
    if unit and isinstance(own, Sandbox):
        if own.private_network and route.gateway.elsewhere:
            return _told("gateway-apart", unit, _APART, "it has a network of its own")
        forbidden = own.forbids(str(address.ip))
        if forbidden is not None:
            said = f"it may not use {address.ip}"
            return _told("address-forbidden", unit, forbidden, said, {"address": address.text})
    elif unit and own is not None:
        return Finding(UNKNOWN, f"{one_line(unit)} could not be asked for.")
    return await _of_service(subject, address.text, asker)


async def _of_service(subject: Subject, endpoint: str, asker: Asker) -> Finding:
    """Whether the service that should listen runs in a network of its own, where nobody can reach it."""
    address = parse_address(endpoint)
    table = await socket_table(subject, asker)
    free = Finding("free", "No unit of both sides forbids this connection.")
    if address is None or not isinstance(table, SocketTable) or any(takes(one, address) for one in table.listening):
        return free
    claim = claimed(await ownership(subject, asker, endpoint))
    unit = claim.service if claim is not None else None
    state = await systemd.state(asker, unit) if unit else None
    if not unit or not isinstance(state, UnitState) or state.active != "active":
        return free
    box = await sandbox(asker, unit)
    if not isinstance(box, Sandbox) or not box.private_network:
        return free
    inner = (await asker.ask(Sockets(state.main_pid))).answer if state.main_pid else None
    if isinstance(inner, SocketTable) and not any(takes(one, address) for one in inner.listening):
        return free
    return _told("service-apart", unit, _APART, f"it listens on {endpoint} in a network of its own")


def _told(outcome: str, unit: str, lifted: Lifted, said: str, more: dict[str, Value] | None = None) -> Finding:
    values: dict[str, Value] = {
        "unit": unit,
        "setting": lifted.setting,
        "drop-in": f"/etc/systemd/system/{unit}.d",
        "lines": lifted.drop_in,
        **(more or {}),
    }
    words = f"{one_line(unit)} has {one_line(lifted.setting)}: {one_line(said)}."
    return Finding(outcome, words, values, by_hand=f"systemctl cat {unit}")
