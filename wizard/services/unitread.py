"""Read what `systemctl show` prints.

Owns its text format: properties, timestamps, spans, quoting, command lines. May not know who asked or why. Nothing
here fails: what is not understood keeps its default.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from wizard.host.questions import Told
from wizard.services.unitstate import Memory, UnitState

_WEEKDAY_STAMP = re.compile(r"(?:[A-Z][a-z]{2} )?(\d{4})-(\d\d)-(\d\d) (\d\d):(\d\d):(\d\d)(?:\.\d+)?(?: (\S+))?$")
_EXEC = re.compile(r"\{ path=(?P<path>[^\n]*?) ; argv\[\]=(?P<argv>[^\n]*?) ; (?:ignore_errors|flags)=")
_FAILED = re.compile(r"code=(?:exited|killed|dumped) ; status=(?!0\b)(?P<status>\d+)")
_SPAN = re.compile(r"(\d+(?:\.\d+)?)(us|ms|s|min|h|d|w|month|y)\b")
_SECONDS = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "min": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0,
            "month": 2629800.0, "y": 31557600.0}  # fmt: skip
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}


Block = dict[str, list[str]]


def read_blocks(printed: bytes) -> Iterator[Block]:
    """Split what `systemctl show` printed into units: property name to its values, one per line."""
    block: Block = {}
    for line in printed.decode("utf-8", "replace").split("\n"):
        if not line:
            if block:
                yield block
            block = {}
            continue
        key, equals, value = line.partition("=")
        if equals and key.isalnum():
            block.setdefault(key, []).append(value)
    if block:
        yield block


def first(block: Block, key: str) -> str:
    """The first value of a property, empty where it has none."""
    return block.get(key, ("",))[0]


def read_state(block: Block, told: Told | None) -> UnitState:
    """One unit's properties as values; what is missing or not understood keeps its default."""

    def text(key: str) -> str:
        return first(block, key)

    def yes(key: str) -> bool:
        return first(block, key) in ("yes", "true", "connected", "disconnected")

    def when(key: str) -> float | None:
        return read_time(first(block, key), first(block, f"{key}Monotonic"), told)

    def words(key: str) -> tuple[str, ...]:
        return tuple(first(block, key).split())

    started, ended = number(text("ExecMainStartTimestampMonotonic")), number(text("ExecMainExitTimestampMonotonic"))
    entered, left = number(text("ActiveEnterTimestampMonotonic")), number(text("InactiveExitTimestampMonotonic"))
    return UnitState(
        id=text("Id"),
        names=words("Names"),
        description=text("Description"),
        load=text("LoadState"),
        load_error=text("LoadError"),
        active=text("ActiveState"),
        sub=text("SubState"),
        result=text("Result"),
        condition_unmet=text("ConditionResult") == "no" and bool(number(text("ConditionTimestampMonotonic"))),
        enabled=text("UnitFileState"),
        fragment=text("FragmentPath"),
        source=text("SourcePath"),
        drop_ins=words("DropInPaths"),
        needs_daemon_reload=yes("NeedDaemonReload"),
        type=text("Type"),
        restart=text("Restart"),
        restart_seconds=read_span(text("RestartUSec")),
        restarts=number(text("NRestarts")) or 0,
        main_pid=number(text("MainPID")) or 0,
        control_pid=number(text("ControlPID")) or 0,
        exit_code=number(text("ExecMainCode")) or 0,
        exit_status=number(text("ExecMainStatus")) or 0,
        lived=(ended - started) / 1e6 if started and ended and ended >= started else None,
        became_active=bool(entered and left and entered >= left),
        started_at=when("ExecMainStartTimestamp"),
        ended_at=when("ExecMainExitTimestamp"),
        active_since=when("ActiveEnterTimestamp"),
        active_until=when("ActiveExitTimestamp"),
        inactive_since=when("InactiveEnterTimestamp"),
        changed_at=when("StateChangeTimestamp"),
        invocation=text("InvocationID"),
        status_text=text("StatusText"),
        user=text("User"),
        group=text("Group"),
        dynamic_user=yes("DynamicUser"),
        commands=tuple(read_exec(block.get("ExecStart", ()))),
        commands_before=tuple(read_exec(block.get("ExecStartPre", ()))),
        failed_before=tuple(read_exec(line for line in block.get("ExecStartPre", ()) if _FAILED.search(line[-200:]))),
        environment=read_environment(text("Environment")),
        environment_files=tuple(_file_of(line) for line in block.get("EnvironmentFiles", ()) if line),
        working_directory=text("WorkingDirectory").lstrip("!-"),
        root_directory=text("RootDirectory"),
        root_image=text("RootImage"),
        runtime_directories=words("RuntimeDirectory"),
        private_tmp=yes("PrivateTmp"),
        private_network=yes("PrivateNetwork"),
        network_namespace=text("NetworkNamespacePath"),
        protect_home=text("ProtectHome"),
        triggers=words("Triggers"),
        triggered_by=words("TriggeredBy"),
        listens=tuple(_listen(line) for line in block.get("Listen", ()) if line),
        socket_user=text("SocketUser"),
        socket_group=text("SocketGroup"),
        socket_mode=text("SocketMode"),
        memory=Memory(number(text("MemoryMax")), number(text("MemoryCurrent"))),
        tasks_max=number(text("TasksMax")),
        tasks=number(text("TasksCurrent")),
        files_max=number(text("LimitNOFILE")),
        files_max_soft=number(text("LimitNOFILESoft")),
        oom_policy=text("OOMPolicy"),
        addresses_allowed=words("IPAddressAllow"),
        addresses_denied=words("IPAddressDeny"),
        address_families=words("RestrictAddressFamilies"),
        control_group=text("ControlGroup"),
        can_reload=yes("CanReload"),
        standard_output=text("StandardOutput"),
        standard_error=text("StandardError"),
        start_timeout=read_span(text("TimeoutStartUSec")),
        start_limit_burst=number(text("StartLimitBurst")),
        start_limit_seconds=read_span(text("StartLimitIntervalUSec")),
    )


def number(text: str) -> int | None:
    """A count, or None for what systemd prints where there is none: infinity, `[not set]`, 2^64-1."""
    if not text.isascii() or not text.isdigit() or len(text) > 20:
        return None
    value = int(text)
    return None if value >= 2**64 - 1 else value


def read_time(text: str, monotonic: str, told: Told | None) -> float | None:
    """A timestamp in seconds since the epoch.

    Args:
        text: as printed: `Sun 2026-11-22 09:34:26 UTC`, or `@1795470628`.
        monotonic: the same moment in microseconds since boot. It decides where the zone of `text` is not known here.
        told: the clock of the host.
    """
    if text.startswith("@"):
        return float(value) if (value := number(text[1:])) is not None else None
    match = _WEEKDAY_STAMP.match(text)
    zone = match[7] if match else None
    offset = 0 if zone in ("UTC", "GMT") else told.utc_offset if told and zone and zone == told.zone else None
    if match and offset is not None:
        year, month, day, hour, minute, second = (int(match[group]) for group in range(1, 7))
        return float(_days(year, month, day) * 86400 + hour * 3600 + minute * 60 + second - offset)
    since_boot = number(monotonic)
    return told.boot + since_boot / 1e6 if told and since_boot else None


def _days(year: int, month: int, day: int) -> int:
    # Days from 1970-01-01 in the Gregorian calendar; no exception for a day that does not exist.
    year -= month <= 2
    era, of_era = divmod(year, 400)
    of_year = (153 * (month + (-3 if month > 2 else 9)) + 2) // 5 + day - 1
    return era * 146097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719468


def read_span(text: str) -> float | None:
    """A time span such as `1min 30s` in seconds; None for infinity or what is none."""
    parts = _SPAN.findall(text[:100])
    return sum(float(count) * _SECONDS[unit] for count, unit in parts) if parts else None


def read_exec(lines: Iterable[str]) -> Iterator[str]:
    """The command lines of `ExecStart=` properties: words joined by blanks, quotes already gone."""
    for line in lines:
        match = _EXEC.match(line[:65536])
        if match:
            yield match["argv"]


def read_environment(text: str) -> tuple[tuple[str, str], ...]:
    """The variables of an `Environment=` property: words in shell quoting."""
    pairs = (word.partition("=") for word in split_quoted(text))
    return tuple((name, value) for name, equals, value in pairs if equals)


def split_quoted(text: str) -> Iterator[str]:
    """Split words as systemd quotes them: bare, in double quotes, or in the shell's `$` quotes. Never fails."""
    word: list[str] = []
    quote, begun, index = "", False, 0
    while index < len(text):
        char = text[index]
        if quote:
            if char == quote:
                quote = ""
            elif char == "\\" and index + 1 < len(text):
                index += 1
                word.append(_ESCAPES.get(text[index], text[index]))
            else:
                word.append(char)
        elif char.isspace():
            if begun:
                yield "".join(word)
            word, begun = [], False
        elif char in "\"'":
            if word == ["$"]:
                word = []
            quote, begun = char, True
        else:
            word.append(char)
            begun = True
        index += 1
    if begun:
        yield "".join(word)


def _file_of(line: str) -> str:
    return line.rpartition(" (ignore_errors=")[0] or line


def _listen(line: str) -> tuple[str, str]:
    address, _, kind = line.rpartition(" (")
    return (address, kind.rstrip(")")) if address else (line, "")
