"""Whether the kernel ended a process of the service for lack of memory, in the window in which logs are read.

Owns the check `memory`. May not know causes. The kernel's log is one for all containers of a machine: a kill counts
only where its control group is the unit's.
"""

from __future__ import annotations

import re
import signal

from wizard.checks.connect import located
from wizard.checks.registry import UNKNOWN, Asker, Finding, Gap, Scope, Subject, check
from wizard.checks.service import claimed, ownership
from wizard.host.questions import NotAnswered
from wizard.services import systemd
from wizard.services.journal import OomKill, last_words, oom_kills
from wizard.services.unitstate import UnitState
from wizard.text import one_line

_NEAR = 2.0  # seconds between a kill and what the service's own side shows of it
_TOLD = re.compile(r"SIGKILL|signal[: ]+9|killed|out of memory|oom|status=9", re.IGNORECASE)


async def _felt(
    kills: tuple[OomKill, ...], unit: str, state: UnitState | NotAnswered, asker: Asker
) -> tuple[OomKill, ...]:
    """The kills that the service shows a trace of at the same time.

    Containers of one machine share the kernel's log, and units in two of them may have one name; a kill that the
    service's own manager and journal know nothing of was somebody else's.
    """
    if not kills:
        return ()
    times = [state.ended_at] if isinstance(state, UnitState) and state.exit_signal == signal.SIGKILL else []
    words = await last_words(asker, unit, lines=100)
    if not isinstance(words, NotAnswered):
        times += [line.time for line in words if _TOLD.search(line.message)]
    return tuple(
        kill
        for kill in kills
        if kill.time is not None and any(time is not None and abs(time - kill.time) < _NEAR for time in times)
    )


@check(
    "memory",
    Scope.SERVER,
    {"killed": ("unit", "task", "line"), "none": ("unit",), "no-unit": ()},
    bad=("killed",),
    past=True,
)
async def memory(subject: Subject, asker: Asker) -> Finding:
    """Look for kills of the service's processes in the kernel's log."""
    found = await located(subject, asker)
    if not found.addresses or not await systemd.present(asker):
        return Finding("no-unit", "No service manager says which unit it is.")
    claim = claimed(await ownership(subject, asker, found.addresses[0]))
    if claim is None or claim.service is None:
        return Finding("no-unit", "No unit says that it serves this address.")
    unit = claim.service
    state = await systemd.state(asker, unit)
    group = state.control_group if isinstance(state, UnitState) and state.control_group else unit
    logged = await oom_kills(asker, group, seconds=max(asker.since, 60.0))
    by_hand = "journalctl -k --grep 'out of memory|oom-kill' -n 20"
    if isinstance(logged, NotAnswered):
        gap = Gap("the kernel's log", one_line(logged.detail), logged.grant)
        return Finding(UNKNOWN, "The kernel's log could not be read.", gaps=(gap,), by_hand=by_hand)
    kills = await _felt(logged, unit, state, asker)
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
