"""The first hop: the gateway itself. Does it run, with which configuration, and what did it say when it did not start?

Owns the checks `gateway`, `gateway-config`, `gateway-service` and `gateway-refusal`. May not know routes.
"""

from __future__ import annotations

from collections.abc import Iterable

from wizard.checks.address import ROOT_GRANT
from wizard.checks.registry import UNKNOWN, Asker, Finding, Gap, Scope, Subject, Value, check
from wizard.checks.survey import Gateway, survey
from wizard.gateways.nginx.command_line import titled
from wizard.gateways.nginx.refusal import WORDS, Refusal, read_refusal
from wizard.host.questions import FileRead, LogTail, NotAnswered, Processes, ProcessTable, ReadLog, StampKind
from wizard.logs.error_log import read_error_log
from wizard.model import Instance
from wizard.services import systemd
from wizard.services.journal import last_words
from wizard.services.manager import UnitCondition, condition_said
from wizard.text import one_line

_SAME_SECOND = 1.0
_DAY = 86400.0


async def _gateway(subject: Subject, asker: Asker) -> Gateway | None:
    seen = await survey(asker)
    return seen.gateway_of(subject.gateway) or (seen.gateways[0] if seen.gateways else None)


@check(
    "gateway",
    Scope.HOST,
    {
        "running": ("name", "version"),
        "suspended": ("name", "version", "pids"),
        "no-workers": ("name", "version"),
        "not-running": ("name", "config"),
    },
    bad=("suspended", "no-workers", "not-running"),
)
async def gateway(subject: Subject, asker: Asker) -> Finding:
    """Find the gateway's master process."""
    seen = await survey(asker)
    found = subject.gateway
    if found is None:
        return Finding(UNKNOWN, "There is no gateway.")
    by_hand = f"pgrep -a {found.kind}"
    if found.unseen:
        said = f"Whether {found.kind} runs cannot be seen: the processes of other users are hidden here."
        return Finding(
            UNKNOWN, said, gaps=(Gap(f"whether {found.kind} runs", "/proc hides it", ROOT_GRANT),), by_hand=by_hand
        )
    if found.pid is None:
        return Finding(
            "not-running",
            f"No {found.kind} process runs; one is installed, with {one_line(found.config)}.",
            {"name": found.kind, "config": found.config},
            by_hand=by_hand,
        )
    others = len([one for one in seen.gateways if one.instance.pid]) - 1
    more = f" {others} more run on this host." if others else ""
    version = f" {one_line(found.version)}" if found.version else ""
    values: dict[str, Value] = {"name": found.name, "version": found.version}
    halted = await _halted(found, asker)
    if halted:
        shown = ", ".join(map(str, halted))
        said = f"{found.kind}{version} is there, and its processes are stopped by a signal (state T): {shown}."
        return Finding("suspended", said, {**values, "pids": tuple(map(str, halted))}, by_hand=f"ps -o pid,stat,args -p {shown}")  # fmt: skip
    if not found.workers and await _leads(found, asker):
        said = f"The master process of {found.kind}{version} runs (pid {found.pid}), and no worker process does."
        return Finding("no-workers", said, values, by_hand=by_hand)
    return Finding(
        "running",
        f"{found.kind}{version} runs (pid {found.pid}, as {one_line(found.user) or 'an unseen user'}).{more}",
        values,
        by_hand=by_hand,
    )


async def _halted(found: Instance, asker: Asker) -> tuple[int, ...]:
    """The stopped processes of a gateway, where nothing that is left of it could take a request (proc_pid_stat(5))."""
    table = (await asker.ask(Processes())).answer
    own = {found.pid, *found.workers}
    processes = [one for one in table.processes if one.pid in own] if isinstance(table, ProcessTable) else []
    stopped = tuple(sorted(one.pid for one in processes if one.state.startswith("T")))
    serving = found.workers or (found.pid,)
    return stopped if stopped and all(pid in stopped for pid in serving) else ()


async def _leads(found: Instance, asker: Asker) -> bool:
    """Whether the process is a master, which takes no request itself: with `master_process off` there is only one."""
    table = (await asker.ask(Processes())).answer
    processes = table.processes if isinstance(table, ProcessTable) else ()
    return any(one.pid == found.pid and titled(one).startswith("nginx: master process") for one in processes)


@check(
    "gateway-config",
    Scope.HOST,
    {
        "read": ("config",),
        "changed": ("config", "file"),
        "broken": ("config", "file", "line", "what"),
    },
    bad=("broken",),
)
async def gateway_config(subject: Subject, asker: Asker) -> Finding:
    """Read the configuration files, and compare their times with the time at which the running one was loaded."""
    found = await _gateway(subject, asker)
    if found is None or found.configuration is None:
        return Finding(UNKNOWN, "There is no configuration to read.")
    instance, configuration = found.instance, found.configuration
    by_hand = f"cat {instance.config}"
    values: dict[str, Value] = {"config": instance.config}
    broken = [one for one in found.problems if "Permission denied" not in one.what]
    denied = [one for one in found.problems if "Permission denied" in one.what]
    if broken:
        first = broken[0]
        values |= {
            "file": first.at.file if first.at else instance.config,
            "line": first.at.line if first.at else 0,
            "what": first.what,
        }
        return Finding("broken", f"{one_line(str(first.at or ''))}: {one_line(first.what)}.", values, by_hand=by_hand)
    gaps = tuple(Gap(f"{one_line(str(one.at))}", one_line(one.what), ROOT_GRANT) for one in denied)
    if not configuration.tree:
        return Finding(UNKNOWN, f"{one_line(instance.config)} could not be read.", gaps=gaps, by_hand=by_hand)
    newest: FileRead | None = configuration.newest
    if newest is not None and instance.loaded is not None and newest.mtime > instance.loaded + _SAME_SECOND:
        return Finding(
            "changed",
            f"{one_line(newest.path)} was changed after the running configuration was loaded.",
            {**values, "file": newest.path},
            gaps,
            by_hand,
        )
    return Finding(
        "read",
        f"{one_line(instance.config)} and {len(configuration.files) - 1} more files were read.",
        values,
        gaps,
        by_hand,
    )


@check(
    "gateway-service",
    Scope.HOST,
    {
        **{
            str(word): ("unit", "condition", "ended")
            for word in UnitCondition
            if word not in {UnitCondition.UNKNOWN, UnitCondition.NOT_FOUND}
        },
        "not-found": (),
        "no-manager": (),
    },
    bad=tuple(
        str(word)
        for word in (
            UnitCondition.FAILED_AT_START,
            UnitCondition.FAILED_LATER,
            UnitCondition.CRASH_LOOPING,
            UnitCondition.STOPPED,
            UnitCondition.MASKED,
            UnitCondition.BAD_UNIT,
        )
    ),
)
async def gateway_service(subject: Subject, asker: Asker) -> Finding:
    """Ask the service manager for the gateway's unit."""
    if not await systemd.present(asker):
        return Finding("no-manager", "No service manager that the wizard knows runs here.")
    unit = (subject.gateway.unit if subject.gateway else None) or "nginx.service"
    by_hand = f"systemctl status {unit}"
    state = await systemd.state(asker, unit)
    if isinstance(state, NotAnswered):
        return Finding(UNKNOWN, f"{unit} could not be asked for: {one_line(state.detail)}.", by_hand=by_hand)
    clock = (await survey(asker)).clock
    condition = state.condition(clock.now if clock else None)
    if condition in {UnitCondition.NOT_FOUND, UnitCondition.UNKNOWN}:
        return Finding("not-found", f"There is no unit {one_line(unit)}.", by_hand=by_hand)
    ended = state.ended_words()
    told = f"; it {ended}" if ended and condition not in {UnitCondition.RUNNING, UnitCondition.STOPPED} else ""
    return Finding(
        str(condition),
        f"{one_line(unit)} {condition_said(condition)}{told}.",
        {"unit": unit, "condition": str(condition), "ended": ended},
        by_hand=by_hand,
    )


@check(
    "gateway-refusal",
    Scope.HOST,
    {"none": (), **dict.fromkeys(WORDS, ("what", "text", "file", "line"))},
    bad=WORDS,
)
async def gateway_refusal(subject: Subject, asker: Asker) -> Finding:
    """Look for the last reason why the gateway refused a configuration, in its unit's journal and its error log."""
    found = await _gateway(subject, asker)
    if found is None:
        return Finding(UNKNOWN, "There is no gateway.")
    said, gaps = await refusals(found, asker)
    since = found.instance.loaded if found.instance.pid is not None else None
    refusal = next((one for at, one in reversed(said) if since is None or at is None or at > since), None)
    by_hand = f"journalctl -u {found.instance.unit or 'nginx.service'} -n 20"
    if refusal is None:
        return Finding(
            UNKNOWN if gaps else "none",
            "No refused start was logged in the last day.",
            gaps=gaps,
            by_hand=by_hand,
        )
    values: dict[str, Value] = {
        "what": refusal.what,
        "text": refusal.text,
        "file": refusal.at.file if refusal.at else found.instance.config,
        "line": refusal.at.line if refusal.at else 0,
    }
    return Finding(refusal.word, f"nginx said: {one_line(refusal.text)}.", values, gaps, by_hand)


async def refusals(found: Gateway, asker: Asker) -> tuple[tuple[tuple[float | None, Refusal], ...], tuple[Gap, ...]]:
    """What the gateway said in the last day when it refused a configuration, oldest first, and what could not be read.

    The journal of its unit is read first; its error log where the journal holds nothing. `still could not bind()` only
    repeats an earlier line and is left out.
    """
    lines: list[tuple[float | None, str]] = []
    gaps: list[Gap] = []
    if await systemd.present(asker):
        said = await last_words(asker, found.instance.unit or "nginx.service", lines=60, seconds=_DAY)
        if isinstance(said, NotAnswered):
            gaps.append(Gap("the journal of the gateway's unit", one_line(said.detail), said.grant))
        else:
            lines = [(one.time, one.message) for one in said]
    read = _refused(lines)
    if not read:
        path = _main_log(found)
        question = ReadLog(path, _DAY, StampKind.NGINX_ERROR, 1 << 18, found.instance.within)
        tail = (await asker.ask(question)).answer
        if isinstance(tail, LogTail):
            read = _refused((one.time, one.line) for one in read_error_log(tail, everything=True))
        else:
            gaps.append(Gap(f"{one_line(path)}", one_line(tail.detail), tail.grant))
    return read, tuple(gaps)


def _refused(lines: Iterable[tuple[float | None, str]]) -> tuple[tuple[float | None, Refusal], ...]:
    read = ((at, read_refusal(line)) for at, line in lines)
    return tuple((at, one) for at, one in read if one is not None and not one.text.startswith("still could not bind"))


def _main_log(found: Gateway) -> str:
    configured = found.configuration.last("error_log") if found.configuration else None
    path = configured.args[0] if configured and configured.args else "/var/log/nginx/error.log"
    if found.configuration is not None and not path.startswith(("syslog:", "stderr", "memory:")):
        return found.configuration.runtime_path(path)
    return "/var/log/nginx/error.log"
