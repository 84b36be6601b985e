"""systemd: which units there are and what is known of a few of them.

Owns the questions put to `systemctl` and the reading of what it prints. May not know gateways, ports or causes. One
`systemctl show` is made for all units asked about (8 ms for one); it is never made for hundreds (systemd loads each
unit that is not in memory). Facts: systemctl(1), org.freedesktop.systemd1(5).
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import msgspec

from wizard.host.questions import Clock, FileStat, Identity, Me, NotAnswered, Ran, Run, Stat, Told, Why
from wizard.services.manager import Asks
from wizard.services.unitread import first, read_blocks, read_state
from wizard.services.unitstate import UnitState

NAME = "systemd"
MAX_UNITS = 24

PROPERTIES = (
    "Id", "Names", "Description", "LoadState", "LoadError", "ActiveState", "SubState", "Result", "ConditionResult",
    "ConditionTimestampMonotonic", "UnitFileState", "FragmentPath", "SourcePath", "DropInPaths", "NeedDaemonReload",
    "Type", "Restart", "RestartUSec", "NRestarts", "MainPID", "ControlPID", "ExecMainPID", "ExecMainCode",
    "ExecMainStatus", "ExecMainStartTimestamp", "ExecMainStartTimestampMonotonic", "ExecMainExitTimestamp",
    "ExecMainExitTimestampMonotonic", "ActiveEnterTimestamp", "ActiveEnterTimestampMonotonic",
    "ActiveExitTimestamp", "ActiveExitTimestampMonotonic", "InactiveEnterTimestamp",
    "InactiveEnterTimestampMonotonic", "InactiveExitTimestamp", "InactiveExitTimestampMonotonic",
    "StateChangeTimestamp", "StateChangeTimestampMonotonic", "InvocationID", "StatusText", "User", "Group",
    "DynamicUser", "ExecStart", "ExecStartPre", "Environment", "EnvironmentFiles", "WorkingDirectory",
    "RootDirectory", "RootImage", "RuntimeDirectory", "PrivateTmp", "PrivateNetwork", "NetworkNamespacePath",
    "ProtectHome", "Triggers", "TriggeredBy", "Listen", "SocketUser", "SocketGroup", "SocketMode", "MemoryMax",
    "MemoryCurrent", "TasksMax", "TasksCurrent", "LimitNOFILE", "LimitNOFILESoft", "OOMPolicy", "IPAddressAllow",
    "IPAddressDeny", "RestrictAddressFamilies", "ControlGroup", "CanReload", "StandardOutput", "StandardError",
    "TimeoutStartUSec", "StartLimitBurst", "StartLimitIntervalUSec",
)  # fmt: skip


class Listed(msgspec.Struct, frozen=True):
    """A unit in systemd's memory, as `systemctl list-units` shows it."""

    unit: str
    load: str = ""
    active: str = ""
    sub: str = ""
    description: str = ""


async def present(ask: Asks) -> bool:
    """Whether systemd manages the services here: it is process 1 and /run/systemd/system exists (sd_booted(3))."""
    me = (await ask.ask(Identity())).answer
    if not isinstance(me, Me) or me.init not in ("systemd", "init"):
        return False
    folder = (await ask.ask(Stat("/run/systemd/system", follow=False))).answer
    return isinstance(folder, FileStat) and folder.kind == "dir"


async def state(ask: Asks, unit: str) -> UnitState | NotAnswered:
    """The state of one unit; a unit that does not exist has `LoadState` not-found, and is an answer."""
    found = await states(ask, (unit,))
    return found if isinstance(found, NotAnswered) else found[unit]


async def states(ask: Asks, units: Iterable[str]) -> dict[str, UnitState] | NotAnswered:
    """The states of a few units by the names that were asked for, in one call.

    At most `MAX_UNITS` are asked about; names beyond that are left out.
    """
    names = tuple(dict.fromkeys(name for name in units if is_unit_name(name)))[:MAX_UNITS]
    if not names:
        return NotAnswered(Why.MISSING, "no valid unit name was given")
    answer = (await ask.ask(Run(("systemctl", "show", "-p", ",".join(PROPERTIES), "--", *names)))).answer
    if isinstance(answer, NotAnswered):
        return answer
    blocks = [block for block in read_blocks(answer.out) if block]
    if answer.status != 0 or not blocks:
        said = answer.err.decode("utf-8", "replace").strip() or f"systemctl ended with status {answer.status}"
        return NotAnswered(Why.FAILED, said)
    clock = (await ask.ask(Clock())).answer
    told = clock if isinstance(clock, Told) else None
    found: dict[str, UnitState] = {}
    by_name = {name: block for block in blocks for name in (*first(block, "Names").split(), first(block, "Id"))}
    for index, name in enumerate(names):
        block = (
            by_name.get(name)
            or by_name.get(f"{name}.service")
            or (blocks[index] if len(blocks) == len(names) else None)
        )
        if block is not None:
            found[name] = read_state(block, told)
    missing = [name for name in names if name not in found]
    if missing:
        return NotAnswered(Why.TOO_BIG if answer.cut else Why.FAILED, f"systemctl said nothing about {missing[0]}")
    return found


async def down_requirements(ask: Asks, unit: str) -> tuple[UnitState, ...]:
    """The units that a unit requires and that failed, or cannot be started: its own start fails on them.

    Required is what stands in `Requires=`, `BindsTo=` and `Requisite=`. Empty where that cannot be asked.
    """
    properties = ("Requires", "BindsTo", "Requisite")
    if not is_unit_name(unit):
        return ()
    answer = (await ask.ask(Run(("systemctl", "show", "-p", ",".join(properties), "--", unit)))).answer
    if isinstance(answer, NotAnswered) or answer.status != 0:
        return ()
    block = next(iter(read_blocks(answer.out)), {})
    names = [
        name for key in properties for name in first(block, key).split() if not name.endswith((".slice", ".target"))
    ]
    found = await states(ask, names) if names else {}
    if isinstance(found, NotAnswered):
        return ()
    return tuple(one for one in found.values() if one.active == "failed" or one.load not in ("", "loaded"))


async def list_units(ask: Asks) -> tuple[Listed, ...] | NotAnswered:
    """The services and sockets in systemd's memory (a unit that is stopped and not wanted is not among them)."""
    argv = ("systemctl", "list-units", "--all", "--type=service,socket", "--output=json")
    answer = (await ask.ask(Run(argv))).answer
    if isinstance(answer, NotAnswered):
        return answer
    if answer.status == 0 and answer.out.lstrip().startswith(b"["):
        try:
            return tuple(msgspec.json.decode(answer.out, type=list[Listed], strict=False))
        except (msgspec.DecodeError, UnicodeDecodeError):
            return NotAnswered(Why.FAILED, "what systemctl list-units printed is no JSON")
    return await _list_in_words(ask, answer)


async def _list_in_words(ask: Asks, before: Ran) -> tuple[Listed, ...] | NotAnswered:
    # systemd before 246 knows no --output=json here.
    argv = ("systemctl", "list-units", "--all", "--type=service,socket", "--plain", "--no-legend", "--full")
    answer = (await ask.ask(Run(argv))).answer
    if isinstance(answer, NotAnswered):
        return answer
    if answer.status != 0:
        said = (answer.err or before.err).decode("utf-8", "replace").strip()
        return NotAnswered(Why.FAILED, said or f"systemctl ended with status {answer.status}")
    rows = (line.split(None, 4) for line in answer.out.decode("utf-8", "replace").splitlines())
    return tuple(Listed(*row) for row in rows if len(row) >= 4)


def is_unit_name(name: str) -> bool:
    """Whether a text can be the name of a unit (systemd.unit(5)): it is never read as an option or a pattern."""
    return re.fullmatch(r"[A-Za-z0-9:_.\\@][A-Za-z0-9:_.\\@-]{0,254}", name) is not None


class Systemd:
    """systemd as one of the service managers."""

    name = NAME

    async def present(self, ask: Asks) -> bool:
        """Whether it runs the services of this host."""
        return await present(ask)

    async def state(self, ask: Asks, unit: str) -> UnitState | NotAnswered:
        """The state of one unit."""
        return await state(ask, unit)
