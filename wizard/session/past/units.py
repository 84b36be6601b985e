"""What became of the path's units, gateways and processes: starts, stops, failures, reloads, kills, and the boot.

Owns the choice among the sources that tell of one thing: the journal before systemd's state, both before the process
table. May not know files or logs of the gateway.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from wizard.host.questions import Process, ProcessTable, SocketTable
from wizard.model import Instance
from wizard.services.journal import JournalLine, OomKill, decisive, is_below, quoted, read_journal, read_oom
from wizard.services.lifecycle import BAD, Became, UnitMoment, moments
from wizard.services.mentions import read_endpoint
from wizard.services.processes import accepts, unit_of
from wizard.services.unitread import read_blocks, read_state
from wizard.services.unitstate import UnitState
from wizard.session.past.scene import SAME, Kind, Moment, Scene
from wizard.text import one_line

JOURNAL, STATE, PROCESSES, KERNEL = "systemd journal", "systemd", "process table", "kernel log"
_STAMP = re.compile(r"^\d{4}[/-]\d\d[/-]\d\d[ T]\d\d:\d\d:\d\d\S* ")  # a moment has its own
_FELT = 2.0  # seconds between a kill and what the unit's own side shows of it
_KILLED = re.compile(r"SIGKILL|signal[: ]+9|killed|out of memory|oom|status=9", re.IGNORECASE)


def of_units(scene: Scene, states: Mapping[str, UnitState]) -> list[Moment]:
    """Everything that became of units and gateways."""
    lines = journal_lines(scene)
    told = list(_units(scene, lines, states))
    return [*told, *_instances(scene, told), *_programs(scene), *_kills(scene, lines, states), *_boot(scene)]


def journal_lines(scene: Scene) -> tuple[JournalLine, ...]:
    """Every line of the journal that was read, each once, oldest first."""
    found: dict[tuple[float | None, str, str], JournalLine] = {}
    for question, answer in scene.commands():
        if question.argv[0].rpartition("/")[2] == "journalctl":
            lines = read_journal(answer.out)
            for line in reversed(lines) if "-r" in question.argv else lines:  # several may have one time
                found.setdefault((line.time, line.unit, line.message), line)
    return tuple(sorted(found.values(), key=lambda line: line.time or 0.0))


def unit_states(scene: Scene) -> dict[str, UnitState]:
    """What systemd said of each unit that it was asked about, by all of its names."""
    found: dict[str, UnitState] = {}
    for question, answer in scene.commands():
        if question.argv[:2] == ("systemctl", "show"):
            for block in read_blocks(answer.out):
                state = read_state(block, scene.told)
                found.update(dict.fromkeys((state.id, *state.names), state))
    return found


def _units(scene: Scene, lines: Sequence[JournalLine], states: Mapping[str, UnitState]) -> Iterator[Moment]:
    for unit in (*scene.units, *scene.gateway_units):
        own = [line for line in lines if line.unit == unit]
        told = [_unit_moment(one, scene) for one in moments(own)]
        yield from told or _by_state(unit, states.get(unit), scene)
        if any(one.kind is Kind.FAILURE for one in told):
            yield from _last_words(unit, own)


def _kind(unit: str, scene: Scene, *, bad: bool) -> Kind:
    if bad:
        return Kind.FAILURE
    return Kind.GATEWAY if unit in scene.gateway_units else Kind.UNIT


def _unit_moment(one: UnitMoment, scene: Scene) -> Moment:
    bad = one.became in BAD
    detail = f" ({one.detail})" if one.detail else ""
    weight = 85 if bad else 80 if one.became in {Became.STOPPED, Became.ENDED} else 72
    what = one_line(f"{one.unit} {one.became}{detail}")
    return Moment(one.time, what, JOURNAL, _kind(one.unit, scene, bad=bad), one.unit, weight)


def _by_state(unit: str, state: UnitState | None, scene: Scene) -> Iterator[Moment]:
    """What systemd itself knows of the last change, where the journal says nothing or is closed."""
    if state is None or not state.exists:
        return
    if state.active in {"active", "reloading"} and state.active_since:
        kind = _kind(unit, scene, bad=False)
        yield Moment(state.active_since, one_line(f"{unit} started"), STATE, kind, unit, 72)
    if state.active == "inactive" and state.inactive_since:
        kind = _kind(unit, scene, bad=False)
        yield Moment(state.inactive_since, one_line(f"{unit} stopped"), STATE, kind, unit, 80)
    if state.active == "failed" and (ended := state.inactive_since or state.changed_at):
        what = one_line(f"{unit} failed ({state.result})")
        yield Moment(ended, what, STATE, Kind.FAILURE, unit, 85)


def _last_words(unit: str, lines: Sequence[JournalLine]) -> Iterator[Moment]:
    line = decisive(lines)
    if line is not None and line.time is not None and not line.from_manager:
        said = _STAMP.sub("", quoted(line))
        yield Moment(line.time, one_line(f"{unit} said: {said}"), JOURNAL, Kind.WORDS, unit, 75)


def _instances(scene: Scene, told: Sequence[Moment]) -> Iterator[Moment]:
    """When each gateway began and loaded its configuration, by its processes; not where the journal says so."""
    known = [one.at for one in told if one.about in scene.gateway_units]
    for gateway in dict.fromkeys(one.gateway for one in scene.routes):
        for at, what in _lifetimes(gateway):
            if not any(abs(at - other) <= SAME for other in known):
                yield Moment(at, what, PROCESSES, Kind.GATEWAY, gateway.kind, 72)


def _lifetimes(gateway: Instance) -> Iterator[tuple[float, str]]:
    if gateway.started:
        yield gateway.started, one_line(f"{gateway.name} started")
    if gateway.loaded and (not gateway.started or gateway.loaded - gateway.started > SAME):
        yield gateway.loaded, one_line(f"{gateway.name} loaded its configuration")


def _programs(scene: Scene) -> Iterator[Moment]:
    """When the programs that listen for the gateway began, where no unit runs them: the eldest process of each."""
    wanted = [endpoint for one in sorted(scene.servers) if (endpoint := read_endpoint(one)) is not None]
    pids = {
        pid
        for table in scene.answers(SocketTable)
        for one in table.listening
        if any(accepts(one, each) for each in wanted)
        for pid in one.pids
    }
    found: dict[str, Process] = {}
    for table in scene.answers(ProcessTable):
        for one in sorted(table.processes, key=lambda process: process.started):
            if one.pid in pids and one.pid != 1 and unit_of(one.cgroup) is None:
                found.setdefault(one.name, one)
    for one in found.values():
        what = one_line(f"{one_line(one.name, limit=40)} (pid {one.pid}) started")
        yield Moment(one.started, what, PROCESSES, Kind.UNIT, one.name, 72)


def kills(
    scene: Scene, lines: Sequence[JournalLine], states: Mapping[str, UnitState]
) -> Iterator[tuple[OomKill, str | None]]:
    """Kills for want of memory with the unit that lost a process; without one where the machine as a whole was short.

    The kernel's log is one for all containers of a machine, and units in two of them may have one name: a kill is the
    path's where the unit's own manager or journal shows a trace of it too.
    """
    for kill in read_oom(lines):
        own = next((unit for unit in (*scene.units, *scene.gateway_units) if is_below(kill.control_group, unit)), None)
        if _felt(kill, own, lines, states) if own is not None else not kill.limited:
            yield kill, own


def _kills(scene: Scene, lines: Sequence[JournalLine], states: Mapping[str, UnitState]) -> Iterator[Moment]:
    for kill, own in kills(scene, lines, states):
        if kill.time is None:
            continue
        whose = f" of {own}" if own else ""
        because = "its memory limit was reached" if kill.limited else "the machine had no memory left"
        what = one_line(f"the kernel killed {kill.task}{whose}: {because}")
        yield Moment(kill.time, what, KERNEL, Kind.MEMORY, own or kill.task, 90 if own else 60)


def _felt(kill: OomKill, unit: str, lines: Sequence[JournalLine], states: Mapping[str, UnitState]) -> bool:
    state = states.get(unit)
    times = [state.ended_at] if state is not None else []
    times += [line.time for line in lines if line.unit == unit and _KILLED.search(line.message)]
    return any(kill.time is not None and time is not None and abs(time - kill.time) <= _FELT for time in times)


def _boot(scene: Scene) -> Iterator[Moment]:
    if scene.told is not None and scene.told.boot > 0:
        yield Moment(scene.told.boot, "the host booted", "boot time", Kind.BOOT, "host", 74)
