"""The state of one systemd unit as values, and what it amounts to.

Owns `UnitState` and the reading of states into one `UnitCondition`. May not know how the values were obtained.
`Type=simple` counts as active from the moment of its fork, before its program was even executed (systemd.service(5)),
so "became active" alone does not tell a failed start from a later death: how long the main process lived does.
"""

from __future__ import annotations

import signal

import msgspec

from wizard.services.manager import UnitCondition
from wizard.services.statuses import FAULTS, SETUP, result_words, signal_name, status_words

SOON = 10.0  # seconds: a process that ends sooner after its start did not get to its work
YOUNG = 30.0  # seconds: a unit that was restarted and runs for less is between two crashes, or just recovered

EXITED, KILLED, DUMPED = 1, 2, 3  # si_code of SIGCHLD, as ExecMainCode tells it (waitid(2))


class Memory(msgspec.Struct, frozen=True):
    """Memory in bytes: the limit and what is used, None where there is none or it is not counted."""

    limit: int | None = None
    used: int | None = None


class UnitState(msgspec.Struct, frozen=True):
    """What systemd knows of one unit. Times are seconds since the epoch, sizes bytes, spans seconds.

    `commands` are command lines as systemd prints them: words joined by blanks, the quoting is lost. `lived` is how
    long the main process lived where it has ended. `became_active` tells it for the latest start. `listens` are the
    sockets of a socket unit: address and type (Stream). Environment values are as they are, secrets included.
    """

    id: str = ""
    names: tuple[str, ...] = ()
    description: str = ""
    load: str = ""  # loaded, not-found, masked, bad-setting, error
    load_error: str = ""
    active: str = ""  # active, reloading, inactive, failed, activating, deactivating
    sub: str = ""
    result: str = ""
    condition_unmet: bool = False
    enabled: str = ""  # UnitFileState: enabled, disabled, static, masked, generated ...
    fragment: str = ""
    source: str = ""
    drop_ins: tuple[str, ...] = ()
    needs_daemon_reload: bool = False
    type: str = ""
    restart: str = ""
    restart_seconds: float | None = None
    restarts: int = 0
    main_pid: int = 0
    control_pid: int = 0
    exit_code: int = 0
    exit_status: int = 0
    lived: float | None = None
    became_active: bool = False
    started_at: float | None = None
    ended_at: float | None = None
    active_since: float | None = None
    active_until: float | None = None
    inactive_since: float | None = None
    changed_at: float | None = None
    invocation: str = ""
    status_text: str = ""
    user: str = ""
    group: str = ""
    dynamic_user: bool = False
    commands: tuple[str, ...] = ()
    commands_before: tuple[str, ...] = ()
    failed_before: tuple[str, ...] = ()  # those of `commands_before` that failed at the latest start
    environment: tuple[tuple[str, str], ...] = ()
    environment_files: tuple[str, ...] = ()
    working_directory: str = ""
    root_directory: str = ""
    root_image: str = ""
    runtime_directories: tuple[str, ...] = ()
    private_tmp: bool = False
    private_network: bool = False
    network_namespace: str = ""
    protect_home: str = ""
    triggers: tuple[str, ...] = ()
    triggered_by: tuple[str, ...] = ()
    listens: tuple[tuple[str, str], ...] = ()
    socket_user: str = ""
    socket_group: str = ""
    socket_mode: str = ""
    memory: Memory = Memory()
    tasks_max: int | None = None
    tasks: int | None = None
    files_max: int | None = None
    files_max_soft: int | None = None
    oom_policy: str = ""
    addresses_allowed: tuple[str, ...] = ()
    addresses_denied: tuple[str, ...] = ()
    address_families: tuple[str, ...] = ()
    control_group: str = ""
    can_reload: bool = False
    standard_output: str = ""
    standard_error: str = ""
    start_timeout: float | None = None
    start_limit_burst: int | None = None
    start_limit_seconds: float | None = None

    @property
    def exists(self) -> bool:
        """Whether there is such a unit."""
        return self.load not in ("", "not-found")

    @property
    def starts_at_boot(self) -> bool | None:
        """Whether it is started at boot, None where its file does not say (static, generated, a template)."""
        if self.enabled in ("enabled", "enabled-runtime", "linked-runtime"):
            return self.enabled == "enabled"
        return False if self.enabled in ("disabled", "masked", "masked-runtime", "linked") else None

    @property
    def gave_up(self) -> bool:
        """Whether it was restarted after failures until systemd stopped trying."""
        return self.active == "failed" and (
            self.result in ("start-limit-hit", "start-limit") or (self.restarts > 0 and self.restart not in ("", "no"))
        )

    @property
    def exit_signal(self) -> int | None:
        """The signal that ended the main process."""
        return self.exit_status if self.exit_code in (KILLED, DUMPED) else None

    def condition(self, now: float | None = None) -> UnitCondition:
        """What was observed of this unit.

        Args:
            now: seconds since the epoch; with it, a unit that runs between two crashes is seen as crash-looping.
        """
        if self.load in ("not-found", ""):
            return UnitCondition.NOT_FOUND if self.load else UnitCondition.UNKNOWN
        if self.load == "masked":
            return UnitCondition.MASKED if self.active != "active" else UnitCondition.RUNNING
        if self.load != "loaded" and self.active in ("inactive", "failed"):
            return UnitCondition.BAD_UNIT
        if self.sub.startswith("auto-restart") or self.gave_up:
            return UnitCondition.CRASH_LOOPING
        return self._by_activity(now)

    def _by_activity(self, now: float | None) -> UnitCondition:
        if self.active in ("active", "reloading", "refreshing"):
            if self.sub == "exited":
                return UnitCondition.EXITED
            if self.sub == "listening":
                return UnitCondition.LISTENING
            age = now - self.active_since if now is not None and self.active_since is not None else None
            looping = self.restarts >= 2 and age is not None and age < YOUNG
            return UnitCondition.CRASH_LOOPING if looping else UnitCondition.RUNNING
        if self.active == "activating":
            return UnitCondition.CRASH_LOOPING if self.restarts >= 2 else UnitCondition.STARTING
        if self.active == "deactivating":
            return UnitCondition.STOPPING
        if self.active == "failed":
            if self._was_killed_while_stopping():
                return UnitCondition.STOPPED
            return UnitCondition.FAILED_AT_START if self._failed_at_start() else UnitCondition.FAILED_LATER
        return UnitCondition.STOPPED if self.active == "inactive" else UnitCondition.UNKNOWN

    def _was_killed_while_stopping(self) -> bool:
        """Whether it was told to stop and did not within `TimeoutStopSec=`: it failed, and yet somebody stopped it."""
        return self.result == "timeout" and self.became_active and self.exit_signal == signal.SIGKILL

    def _failed_at_start(self) -> bool:
        if self.result in ("resources", "exec-condition", "protocol"):
            return True
        if self.result in ("oom-kill", "watchdog"):
            return False
        if self.exit_code == EXITED and self.exit_status in SETUP:
            return True
        if not self.became_active:
            return True
        soon = self.lived is not None and self.lived < SOON
        if self.result == "exit-code":
            return soon
        return soon and self.exit_signal in FAULTS

    def ended_words(self) -> str:
        """How the main process ended, in words that fit after the name of the unit; empty where none has ended."""
        after = "" if self.lived is None else f" after {_span(self.lived)}"
        if self.failed_before and not self.became_active and self.result == "exit-code":
            return f"was not started, because what runs before it failed: {self.failed_before[-1]}"
        if self.exit_code == EXITED and self.exit_status:
            return f"exited{after} with {status_words(self.exit_status)}"
        if self.exit_signal is not None:
            dumped = ", and dumped core" if self.exit_code == DUMPED else ""
            words = f"was ended{after} by {signal_name(self.exit_signal)}{dumped}"
            return f"{words}: it {result_words(self.result)}" if self.result in ("timeout", "oom-kill") else words
        if self.result not in ("", "success"):
            return result_words(self.result)
        return f"exited{after} with status 0" if self.exit_code == EXITED else ""


def _span(seconds: float) -> str:
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    for size, name in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {name}"
    return f"{seconds:.0f} s"
