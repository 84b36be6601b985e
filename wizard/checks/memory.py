"""Whether the kernel ended a process of the service for lack of memory, in the window in which logs are read.

Owns the check `memory`. May not know causes. The kernel's log is one for all containers of a machine: a kill counts
only where its control group is the unit's.
"""

from __future__ import annotations

from wizard.checks.address import lookup
from wizard.checks.registry import UNKNOWN, Asker, Finding, Gap, Scope, Subject, check
from wizard.checks.service import claimed, ownership
from wizard.host.questions import NotAnswered
from wizard.services import systemd
from wizard.services.journal import oom_kills
from wizard.services.unitstate import UnitState
from wizard.text import one_line


@check(
    "memory",
    Scope.SERVER,
    {"killed": ("unit", "task", "line"), "none": ("unit",), "no-unit": ()},
    bad=("killed",),
)
async def memory(subject: Subject, asker: Asker) -> Finding:
    """Look for kills of the service's processes in the kernel's log."""
    found = await lookup(subject, asker)
    if not found.addresses or not await systemd.present(asker):
        return Finding("no-unit", "No service manager says which unit it is.")
    claim = claimed(await ownership(subject, asker, found.addresses[0]))
    if claim is None or claim.service is None:
        return Finding("no-unit", "No unit says that it serves this address.")
    unit = claim.service
    state = await systemd.state(asker, unit)
    group = state.control_group if isinstance(state, UnitState) and state.control_group else unit
    kills = await oom_kills(asker, group, seconds=max(asker.since, 60.0))
    by_hand = "journalctl -k --grep 'out of memory|oom-kill' -n 20"
    if isinstance(kills, NotAnswered):
        gap = Gap("the kernel's log", one_line(kills.detail), kills.grant)
        return Finding(UNKNOWN, "The kernel's log could not be read.", gaps=(gap,), by_hand=by_hand)
    if not kills:
        return Finding(
            "none",
            f"The kernel ended no process of {one_line(unit)} for lack of memory.",
            {"unit": unit},
            by_hand=by_hand,
        )
    last = kills[-1]
    whose = "its own limit was reached" if last.limited else "the machine had none left"
    said = f"The kernel ended {one_line(last.task)} of {one_line(unit)} for lack of memory: {whose}."
    return Finding(
        "killed",
        said,
        {"unit": unit, "task": last.task, "line": said},
        by_hand=by_hand,
        first_seen=kills[0].time,
        last_seen=last.time,
    )
