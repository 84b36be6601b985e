"""Find nginx on a host: running masters with their workers, or an installed one that does not run.

Owns how an nginx process is recognised and which configuration it was started with. May not know what stands in that
configuration. Facts: a master's title is `nginx: master process ARGV`, a worker's `nginx: worker process`, one that
leaves after a reload `nginx: worker process is shutting down` (src/os/unix/ngx_process_cycle.c).
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable
from typing import Protocol, TypeVar

import msgspec

from wizard.host.port import Reply
from wizard.host.questions import (
    Ask,
    FileStat,
    Identity,
    Me,
    NotAnswered,
    Process,
    Processes,
    ProcessTable,
    Ran,
    Run,
    Stat,
)
from wizard.model import Instance

A = TypeVar("A")

PROGRAMS = frozenset({"nginx", "openresty", "nginx-debug", "angie", "freenginx", "tengine"})
DEFAULT_BINARIES = ("/usr/sbin/nginx", "/usr/local/sbin/nginx", "/usr/local/nginx/sbin/nginx", "/usr/bin/nginx")
DEFAULT_CONFIGS = ("/etc/nginx/nginx.conf", "/usr/local/nginx/conf/nginx.conf", "/usr/local/etc/nginx/nginx.conf")

_MASTER = re.compile(r"^nginx: master process (?P<argv>.*)$", re.DOTALL)
_WORKER = "nginx: worker process"
_UNIT = re.compile(r"/([^/]+\.service)(?:/|$)")
_VERSION = re.compile(rb"nginx version: [^/\s]*/?([0-9][^\s]*)")
_BUILT = re.compile(rb"--(?P<name>prefix|conf-path|error-log-path|http-log-path|sbin-path)=(?P<value>'[^']*'|\S+)")


class Asks(Protocol):
    """Whoever can ask the host."""

    async def ask(self, question: Ask[A]) -> Reply[A]:
        """Ask one question."""
        ...


class Built(msgspec.Struct, frozen=True):
    """What `nginx -V` says of its build: version and compiled-in paths."""

    version: str = ""
    prefix: str = "/etc/nginx"
    config: str = "/etc/nginx/nginx.conf"
    error_log: str = "/var/log/nginx/error.log"
    access_log: str = "/var/log/nginx/access.log"


def unit_of(cgroup: str) -> str | None:
    """The innermost service unit in a control group path (`/system.slice/nginx.service`), None where there is none."""
    found = _UNIT.findall(cgroup)
    return str(found[-1]) if found else None


def read_build(printed: bytes) -> Built:
    """Read what `nginx -V` printed; what is missing keeps Debian's defaults."""
    version = _VERSION.search(printed)
    built = {
        match["name"].decode(): match["value"].decode("utf-8", "replace").strip("'")
        for match in _BUILT.finditer(printed)
    }
    prefix = built.get("prefix", "/etc/nginx").rstrip("/") or "/"

    def path(name: str, fallback: str) -> str:
        value = built.get(name)
        if value is None:
            return fallback
        return value if value.startswith("/") else f"{prefix}/{value}"

    return Built(
        version=version[1].decode("ascii", "replace") if version else "",
        prefix=prefix,
        config=path("conf-path", f"{prefix}/conf/nginx.conf" if built else "/etc/nginx/nginx.conf"),
        error_log=path("error-log-path", "/var/log/nginx/error.log"),
        access_log=path("http-log-path", "/var/log/nginx/access.log"),
    )


def arguments(argv: tuple[str, ...]) -> tuple[str | None, str | None, tuple[str, ...]]:
    """The `-c` and `-p` of a command line, and those arguments that a printed command must repeat.

    Both `-c FILE` and `-cFILE` are read, as in nginx.c:ngx_get_options; `-g` and its directives are not repeated,
    because `-g daemon off` has no place beside `-t`.
    """
    config = prefix = None
    rest = iter(argv)
    for word in rest:
        if word.startswith("-c"):
            config = word[2:] or next(rest, None)
        elif word.startswith("-p"):
            prefix = word[2:] or next(rest, None)
    kept: list[str] = []
    if prefix is not None:
        kept += ["-p", prefix]
    if config is not None:
        kept += ["-c", config]
    return config, prefix, tuple(kept)


def titled(process: Process) -> str:
    """The title of a process: its argv joined, as nginx writes it over its own argv."""
    return " ".join(word for word in process.argv if word).strip()


def master_argv(process: Process) -> tuple[str, ...] | None:
    """The command line that a master was started with, None for any other process.

    A master's title has lost its quoting; words are split at blanks, and `-g` takes everything up to the next option.
    """
    match = _MASTER.match(titled(process))
    if match:
        try:
            return tuple(shlex.split(match["argv"]))
        except ValueError:
            return tuple(match["argv"].split())
    program = process.argv[0].rsplit("/", 1)[-1] if process.argv else ""
    if program in PROGRAMS and not titled(process).startswith("nginx: "):
        return process.argv
    return None


async def instances(host: Asks) -> tuple[Instance, ...]:
    """Every nginx of the host, running ones first, oldest first; an installed one that does not run comes last.

    Where no process can be seen and no configuration is found, the tuple is empty.
    """
    seen = (await host.ask(Processes())).answer
    me = (await host.ask(Identity())).answer
    table = seen.processes if isinstance(seen, ProcessTable) else ()
    by_pid = {process.pid: process for process in table}
    found: list[Instance] = []
    for process in sorted(table, key=lambda one: (one.started, one.pid)):
        argv = master_argv(process)
        if argv is None or _is_child(process, by_pid):
            continue
        found.append(await _running(host, process, argv, table, me if isinstance(me, Me) else None))
    if not found:
        found.extend(await _installed(host, me if isinstance(me, Me) else None))
    return tuple(found)


def _is_child(process: Process, by_pid: dict[int, Process]) -> bool:
    """Whether the parent is itself a master: during a binary upgrade both are, and both are instances."""
    parent = by_pid.get(process.ppid)
    return parent is not None and not _MASTER.match(titled(process)) and master_argv(parent) is not None


async def _running(
    host: Asks, master: Process, argv: tuple[str, ...], table: Iterable[Process], me: Me | None
) -> Instance:
    workers = [one for one in table if one.ppid == master.pid and titled(one) == _WORKER]
    connecting = workers or [master]
    first = connecting[0]
    apart = me is not None and (
        _differs(master.mnt_ns, me.mnt_ns) or _differs(master.net_ns, me.net_ns) or master.root not in {"", "/"}
    )
    binary = master.exe.removesuffix(" (deleted)") or (argv[0] if argv and argv[0].startswith("/") else "")
    own_mounts = me is not None and _differs(master.mnt_ns, me.mnt_ns)
    built = Built() if own_mounts and not await _exists(host, binary) else await build_of(host, binary)
    config, prefix, kept = arguments(argv[1:])
    base = (prefix or built.prefix).rstrip("/") or "/"
    path = config or built.config
    return Instance(
        kind="nginx",
        pid=master.pid,
        config=path if path.startswith("/") else f"{base}/{path}",
        prefix=base,
        binary=binary or "nginx",
        version=built.version,
        unit=unit_of(master.cgroup),
        workers=tuple(one.pid for one in workers),
        uid=first.uid,
        gid=first.gid,
        groups=first.groups,
        user=first.user,
        started=master.started,
        loaded=min((one.started for one in workers), default=master.started),
        argv=(_spoken(binary), *kept),
        within=master.pid if apart else None,
        elsewhere=apart and me is not None and _differs(master.net_ns, me.net_ns),
    )


def _spoken(binary: str) -> str:
    """How an admin calls the binary: by name where PATH finds it, else by its path."""
    folder, _, name = binary.rpartition("/")
    return name if folder in {"", "/usr/sbin", "/usr/bin", "/usr/local/sbin"} and name else binary or "nginx"


async def _installed(host: Asks, me: Me | None) -> list[Instance]:
    for binary in DEFAULT_BINARIES:
        if not await _exists(host, binary):
            continue
        built = await build_of(host, binary)
        for config in dict.fromkeys((built.config, *DEFAULT_CONFIGS)):
            if await _exists(host, config):
                return [
                    Instance(
                        kind="nginx",
                        pid=None,
                        config=config,
                        prefix=built.prefix,
                        binary=binary,
                        version=built.version,
                        unit="nginx.service" if me is not None and me.init == "systemd" else None,
                        argv=("nginx",),
                    )
                ]
    return []


async def build_of(host: Asks, binary: str) -> Built:
    """What an nginx binary says of its own build; defaults where it cannot be asked."""
    if not binary:
        return Built()
    ran = (await host.ask(Run((binary, "-V")))).answer
    return read_build(ran.err + ran.out) if isinstance(ran, Ran) else Built()


async def _exists(host: Asks, path: str) -> bool:
    return bool(path) and isinstance((await host.ask(Stat(path))).answer, FileStat)


def _differs(one: int, other: int) -> bool:
    return bool(one and other and one != other)


def unseen(answer: object) -> str | None:
    """Why processes could not be listed, None where they were."""
    return answer.detail if isinstance(answer, NotAnswered) else None
