"""Find nginx on a host: running masters with their workers, or an installed one that does not run.

Owns which process is an instance, and which configuration, paths and namespaces it has. May not know what stands in
that configuration.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Protocol, TypeVar

import msgspec

from wizard.gateways.nginx.build import Build, read_build
from wizard.gateways.nginx.command_line import (
    PROGRAMS,
    WORKER,
    Options,
    is_master,
    master_argv,
    options,
    regrouped,
    titled,
)
from wizard.host.port import Reply
from wizard.host.questions import (
    Ask,
    FilesRead,
    FileStat,
    Identity,
    Me,
    Process,
    Processes,
    ProcessTable,
    Ran,
    ReadGlob,
    Run,
    Stat,
)
from wizard.model import Instance

A = TypeVar("A")

DEFAULT_BINARIES = (
    "/usr/sbin/nginx",
    "/usr/local/sbin/nginx",
    "/usr/local/nginx/sbin/nginx",
    "/usr/bin/nginx",
    "/usr/local/openresty/nginx/sbin/nginx",
)
DEFAULT_CONFIGS = ("/etc/nginx/nginx.conf", "/usr/local/nginx/conf/nginx.conf", "/usr/local/etc/nginx/nginx.conf")
UNITS = tuple(f"{name}.service" for name in sorted(PROGRAMS))

OWN_UNITS = "/etc/systemd/system/*.service"

_UNIT = re.compile(r"/([^/]+\.service)(?:/|$)")
_CONTAINER = re.compile(r"docker|libpod|containerd|kubepods|crio|lxc\.|machine\.slice|/lxc/")
_STARTS_ONE = re.compile(rb"^ExecStart=[^\n]*/(?:%s)(?:[ \n]|$)" % "|".join(PROGRAMS).encode(), re.MULTILINE)
_ID = re.compile(rb"^Id=(\S+)$", re.MULTILINE)
_STARTED_BY = re.compile(rb"^ExecStart=\{ path=[^\n]*? ; argv\[\]=([^\n]*?) ; (?:ignore_errors|flags)=", re.MULTILINE)


class Asks(Protocol):
    """Whoever can ask the host."""

    async def ask(self, question: Ask[A]) -> Reply[A]:
        """Ask one question."""
        ...


def unit_of(cgroup: str) -> str | None:
    """The innermost service unit in a control group path (`/system.slice/nginx.service`), None where there is none."""
    found = _UNIT.findall(cgroup)
    return str(found[-1]) if found else None


async def instances(host: Asks) -> tuple[Instance, ...]:
    """Every nginx of the host, running ones first, oldest first; where none runs, those that are installed.

    Where no process can be seen and no configuration is found, the tuple is empty.
    """
    seen = (await host.ask(Processes())).answer
    identity = (await host.ask(Identity())).answer
    me = identity if isinstance(identity, Me) else None
    table = seen.processes if isinstance(seen, ProcessTable) else ()
    by_pid = {process.pid: process for process in table}
    found: list[Instance] = []
    for process in sorted(table, key=lambda one: (one.started, one.pid)):
        argv = master_argv(process)
        if argv is None or _is_child(process, by_pid):
            continue
        found.append(await _running(host, process, argv, table, me))
    if found:
        return tuple(found)
    # Everybody can see process 1, unless /proc hides the processes of others (proc(5), hidepid).
    hidden = me is not None and me.uid != 0 and 1 not in by_pid
    return tuple(msgspec.structs.replace(one, unseen=hidden) for one in await _installed(host, me))


async def idle(host: Asks, found: Iterable[Instance]) -> tuple[Instance, ...]:
    """The installed nginx beside those that run: the one that packages made, where no running one has its configuration."""
    taken = {one.config for one in found}
    me = (await host.ask(Identity())).answer
    installed = await _installed(host, me if isinstance(me, Me) else None)
    return tuple(one for one in installed if one.config not in taken)


def _is_child(process: Process, by_pid: dict[int, Process]) -> bool:
    """Whether the parent is itself a master: during a binary upgrade both are, and both are instances."""
    parent = by_pid.get(process.ppid)
    return parent is not None and not is_master(process) and master_argv(parent) is not None


async def _running(
    host: Asks, master: Process, argv: Sequence[str], table: Iterable[Process], me: Me | None
) -> Instance:
    workers = [one for one in table if one.ppid == master.pid and titled(one) == WORKER]
    connecting = workers or [master]
    first = connecting[0]
    contained = not master.mnt_ns and _CONTAINER.search(master.cgroup) is not None
    own_mounts = contained or (me is not None and _differs(master.mnt_ns, me.mnt_ns))
    own_network = contained or (me is not None and _differs(master.net_ns, me.net_ns))
    apart = me is not None and (own_mounts or own_network or master.root not in {"", "/"})
    binary = master.exe.removesuffix(" (deleted)") or await _called(host, argv)
    build = Build() if own_mounts and not await _exists(host, binary) else await build_of(host, binary)
    made = _configured(build, binary, options(argv[1:]), cwd=master.cwd)
    return msgspec.structs.replace(
        made,
        pid=master.pid,
        unit=unit_of(master.cgroup),
        workers=tuple(one.pid for one in workers),
        uid=first.uid,
        gid=first.gid,
        groups=first.groups,
        user=first.user,
        started=master.started,
        loaded=min((one.started for one in workers), default=master.started),
        within=master.pid if apart else None,
        elsewhere=apart and own_network,
    )


def _configured(build: Build, binary: str, given: Options, *, cwd: str = "") -> Instance:
    """An instance as far as its binary and its options say. Paths that stand on a folder nobody can see stay relative."""
    prefix = given.prefix or build.prefix
    if not prefix.startswith("/") and cwd:
        prefix = f"{cwd.rstrip('/')}/{prefix.removeprefix('./')}"
    prefix = prefix.removesuffix("/.").rstrip("/") or "/"
    shown = msgspec.structs.replace(given, prefix=prefix if given.prefix is not None else None)

    def full(path: str) -> str:
        return path if path.startswith("/") or path == "stderr" else f"{prefix.rstrip('/')}/{path}"

    return Instance(
        kind="nginx",
        pid=None,
        config=full(given.config or build.config),
        prefix=prefix,
        binary=binary or "nginx",
        version=build.version,
        argv=(_spoken(binary), *shown.repeated),
        settings=given.settings or "",
        error_log=full(given.error_log or build.error_log),
        access_log=full(build.access_log),
    )


async def _called(host: Asks, argv: Sequence[str]) -> str:
    """The binary by the name that it was called by, where its file cannot be seen; empty where that says nothing."""
    called = argv[0] if argv else ""
    if called.startswith("/"):
        return called
    for binary in DEFAULT_BINARIES:
        if called and binary.endswith(f"/{called}") and await _exists(host, binary):
            return binary
    return ""


def _spoken(binary: str) -> str:
    """How an admin calls the binary: by name where PATH finds it, else by its path."""
    folder, _, name = binary.rpartition("/")
    return name if folder in {"", "/usr/sbin", "/usr/bin", "/usr/local/sbin"} and name else binary or "nginx"


async def _installed(host: Asks, me: Me | None) -> list[Instance]:
    """What would run if it were started: by its units where systemd knows any, else what lies in the usual places."""
    systemd = me is not None and me.init == "systemd"
    if systemd and (by_units := await _of_units(host)):
        return by_units
    for binary in DEFAULT_BINARIES:
        if not await _exists(host, binary):
            continue
        build = await build_of(host, binary)
        for config in dict.fromkeys((build.config, *DEFAULT_CONFIGS)):
            if await _exists(host, config):
                made = _configured(build, binary, Options())
                unit = "nginx.service" if systemd else None
                return [msgspec.structs.replace(made, config=config, unit=unit)]
    return []


async def _of_units(host: Asks) -> list[Instance]:
    units = dict.fromkeys((*UNITS, *await _own_units(host)))
    shown = (await host.ask(Run(("systemctl", "show", "--property=Id,ExecStart", *units)))).answer
    found: list[Instance] = []
    for block in shown.out.split(b"\n\n") if isinstance(shown, Ran) else ():
        started, named = _STARTED_BY.search(block), _ID.search(block)
        if started is None or named is None:
            continue
        argv = regrouped(started[1].decode("utf-8", "replace"))
        made = _configured(await build_of(host, argv[0]), argv[0], options(argv[1:]))
        found.append(msgspec.structs.replace(made, unit=named[1].decode("utf-8", "replace")))
    return found


async def _own_units(host: Asks) -> list[str]:
    """The units that the admin wrote and that start an nginx; systemd itself lists only those that it has loaded."""
    read = (await host.ask(ReadGlob(OWN_UNITS))).answer
    files = read.files if isinstance(read, FilesRead) else ()
    return [file.path.rpartition("/")[2] for file in files if _STARTS_ONE.search(file.content)]


async def build_of(host: Asks, binary: str) -> Build:
    """What an nginx binary says of its own build; the usual where it cannot be asked."""
    if not binary:
        return Build()
    ran = (await host.ask(Run((binary, "-V")))).answer
    if isinstance(ran, Ran):
        return read_build(ran.err + ran.out)
    # A binary by another name is not run. Left where it was installed, its folder is what it stands on.
    folder, _, _ = binary.rpartition("/sbin/")
    beside = f"{folder}/conf/nginx.conf"
    return (
        read_build(f"configure arguments: --prefix={folder}".encode())
        if folder and await _exists(host, beside)
        else Build()
    )


async def _exists(host: Asks, path: str) -> bool:
    return bool(path) and isinstance((await host.ask(Stat(path))).answer, FileStat)


def _differs(one: int, other: int) -> bool:
    return bool(one and other and one != other)
