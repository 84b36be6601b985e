"""Whether what works now will work after a restart: units that start at boot, and rules that come back.

Owns the checks `gateway-at-boot`, `unit-at-boot` and `kept-rules`, which the second walk of a path ends with. May not
know what was repaired. They tell of the future, so none of their outcomes speaks against the path as it is now.
"""

from __future__ import annotations

from wizard.checks.address import lookup, parse_address
from wizard.checks.registry import UNKNOWN, Asker, Finding, Gap, Scope, Subject, check
from wizard.checks.service import claimed, ownership
from wizard.firewall.judge import kept_against
from wizard.host.questions import NotAnswered
from wizard.services import systemd
from wizard.services.unitstate import UnitState
from wizard.text import one_line

_AT_BOOT: dict[str, tuple[str, ...]] = {
    "enabled": ("unit",),
    "disabled": ("unit", "run"),
    "not-kept": ("unit",),
    "not-said": ("unit",),
    "no-unit": (),
    "no-manager": (),
}


@check("gateway-at-boot", Scope.HOST, _AT_BOOT)
async def gateway_at_boot(subject: Subject, asker: Asker) -> Finding:
    """Find out whether the gateway's unit is started when the host is."""
    if not await systemd.present(asker):
        return Finding("no-manager", "No service manager that the wizard knows runs here.")
    return await _at_boot((subject.gateway.unit if subject.gateway else None) or "nginx.service", asker)


@check("unit-at-boot", Scope.SERVER, _AT_BOOT)
async def unit_at_boot(subject: Subject, asker: Asker) -> Finding:
    """Find out whether the unit that answers at the address is started when the host is."""
    found = await lookup(subject, asker)
    endpoint = found.addresses[0] if found.addresses else ""
    if parse_address(endpoint) is None or not await systemd.present(asker):
        return Finding("no-manager", "No service manager of this host runs that address.")
    claim = claimed(await ownership(subject, asker, endpoint))
    if claim is None or claim.service is None:
        return Finding("no-unit", f"No unit says that it serves {one_line(endpoint)}.")
    return await _at_boot(claim.service, asker)


async def _at_boot(unit: str, asker: Asker) -> Finding:
    name = one_line(unit)
    by_hand = f"systemctl is-enabled {unit}"
    state = await systemd.state(asker, unit)
    if isinstance(state, NotAnswered):
        gap = Gap(f"whether {name} starts with the host", one_line(state.detail), state.grant)
        return Finding(UNKNOWN, f"{name} could not be asked for.", gaps=(gap,), by_hand=by_hand)
    if not state.exists:
        return Finding("no-unit", f"There is no unit {name}.", by_hand=by_hand)
    if state.fragment.startswith("/run/") and not state.enabled.startswith("generated"):
        return Finding(
            "not-kept",
            f"{name} is written in {one_line(state.fragment)}: /run is empty after a restart.",
            {"unit": unit},
            by_hand=by_hand,
        )
    return await _enabled(unit, state, asker, by_hand)


async def _enabled(unit: str, state: UnitState, asker: Asker, by_hand: str) -> Finding:
    name = one_line(unit)
    if state.starts_at_boot:
        return Finding("enabled", f"{name} is enabled.", {"unit": unit}, by_hand=by_hand)
    starters = [one for one in state.triggered_by if one != unit]
    found = await systemd.states(asker, starters) if starters else {}
    for starter, its in {} if isinstance(found, NotAnswered) else found.items():
        if its.starts_at_boot:
            said = f"{name} is started by {one_line(starter)}, which is enabled."
            return Finding("enabled", said, {"unit": unit}, by_hand=by_hand)
    if state.starts_at_boot is False:
        return Finding(
            "disabled",
            f"{name} is not enabled: it does not start with the host.",
            {"unit": unit, "run": f"systemctl enable {unit}"},
            by_hand=by_hand,
        )
    return Finding(
        "not-said",
        f"{name} is {one_line(state.enabled or 'of no kind')}: its own file does not say.",
        {"unit": unit},
        by_hand=by_hand,
    )


@check("kept-rules", Scope.SERVER, {"unix-socket": (), "none": (), "blocks": ("place",), "may-block": ("place",)})
async def kept_rules(subject: Subject, asker: Asker) -> Finding:
    """Look in the files from which firewall rules are loaded at boot for one that would end this connection."""
    found = await lookup(subject, asker)
    address = parse_address(found.addresses[0]) if found.addresses else None
    if address is None:
        return Finding(UNKNOWN, "There is no address that a rule could be about.")
    if address.ip is None:
        return Finding("unix-socket", "A unix socket knows no rules.")
    by_hand = f"grep -rn {address.port} /etc/nftables.conf /etc/nftables.d /etc/iptables"
    kept = await kept_against(asker, str(address.ip), address.port)
    if isinstance(kept, NotAnswered):
        gap = Gap("the firewall rules that are loaded at boot", one_line(kept.detail), kept.grant)
        return Finding(UNKNOWN, "The saved firewall rules could not be read.", gaps=(gap,), by_hand=by_hand)
    if kept is None:
        said = f"No saved firewall rule drops or rejects port {address.port}."
        return Finding("none", said, by_hand=by_hand)
    place = str(kept.place)
    if kept.certain:
        said = f"{one_line(place)} drops or rejects port {address.port}, and is loaded again with the host."
        return Finding("blocks", said, {"place": place}, by_hand=by_hand)
    said = f"{one_line(place)} drops or rejects what the saved rules before it do not let through: see whether they name port {address.port}."
    return Finding("may-block", said, {"place": place}, by_hand=by_hand)
