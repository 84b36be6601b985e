"""Which nginx run on a host, and with what: from titles, options, builds and units."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec
import pytest

from wizard.gateways.nginx.build import read_build
from wizard.gateways.nginx.command_line import Options, options, regrouped
from wizard.gateways.nginx.find import instances
from wizard.host.port import Reply
from wizard.host.questions import (
    Ask,
    FileRead,
    FilesRead,
    FileStat,
    Identity,
    Me,
    NotAnswered,
    Process,
    Processes,
    ProcessTable,
    Ran,
    ReadGlob,
    Run,
    Stat,
    Why,
)
from wizard.model import Instance

A = TypeVar("A")

ROOT = Me(0, "root", (), "web1", "Debian 12", "6.1", init="systemd", pid=900, net_ns=1, mnt_ns=2)
ALICE = msgspec.structs.replace(ROOT, uid=1000, user="alice")
DEBIAN = b"""nginx version: nginx/1.22.1
configure arguments: --with-cc-opt='-g -O2' --prefix=/usr/share/nginx --conf-path=/etc/nginx/nginx.conf --http-log-path=/var/log/nginx/access.log --error-log-path=stderr
"""
OPENRESTY = b"""nginx version: openresty/1.25.3.1
configure arguments: --prefix=/usr/local/openresty/nginx --with-cc-opt=-O2
"""
UNITS = b"""Id=nginx.service
ExecStart={ path=/usr/sbin/nginx ; argv[]=/usr/sbin/nginx -g daemon on; master_process on; ; ignore_errors=no ; start_time=[n/a] }

Id=tengine.service

Id=openresty.service
ExecStart={ path=/usr/local/openresty/nginx/sbin/nginx ; argv[]=/usr/local/openresty/nginx/sbin/nginx -c /srv/o r/nginx.conf ; ignore_errors=no ; pid=0 }
"""


class Host:
    """Answers from a table of processes, of files that are there, and of what commands print."""

    def __init__(
        self,
        *processes: Process,
        me: Me = ROOT,
        files: tuple[str, ...] = (),
        commands: Mapping[str, bytes] | None = None,
    ) -> None:
        self.processes, self.me, self.files, self.commands = processes, me, files, commands or {}

    async def ask(self, question: Ask[A]) -> Reply[A]:
        answer: Any = self._answer(question)
        return Reply(number=1, question=question, answer=answer, at=0.0, seconds=0.0)

    def _answer(self, question: object) -> object:
        if isinstance(question, Processes):
            return ProcessTable(self.processes)
        if isinstance(question, Identity):
            return self.me
        if isinstance(question, Stat) and question.path in self.files:
            return FileStat(question.path, "file", 0o644, 0, 0, 0, 0.0, 1)
        if isinstance(question, Run) and question.argv[0] in self.commands:
            return Ran(0, b"", self.commands[question.argv[0]])
        return NotAnswered(Why.MISSING, "not there")


def process(pid: int, title: str, ppid: int = 1, **more: Any) -> Process:  # noqa: ANN401 - fields of a process
    known: dict[str, Any] = {
        "uid": 0,
        "gid": 0,
        "exe": "/usr/sbin/nginx",
        "net_ns": 1,
        "mnt_ns": 2,
        "started": float(pid),
    } | more
    return Process(pid, ppid, "nginx", (title,), state="S", **known)


def found(host: Host) -> tuple[Instance, ...]:
    return asyncio.run(instances(host))


@pytest.mark.parametrize(
    ("title", "config", "prefix"),
    [
        ("nginx", "/etc/nginx/nginx.conf", "/usr/share/nginx"),
        ("/usr/sbin/nginx -g daemon off; master_process on;", "/etc/nginx/nginx.conf", "/usr/share/nginx"),
        ("nginx -c /srv/n.conf", "/srv/n.conf", "/usr/share/nginx"),
        ("nginx -c n.conf", "/usr/share/nginx/n.conf", "/usr/share/nginx"),
        ("nginx -p/srv/b -cn.conf -e stderr -g daemon off;", "/srv/b/n.conf", "/srv/b"),
        ("nginx -p . -c conf/n.conf", "/home/joe/app/conf/n.conf", "/home/joe/app"),
        ("nginx -p ./run/ -qc n.conf", "/home/joe/app/run/n.conf", "/home/joe/app/run"),
        ("nginx -c /srv/with space/n  c.conf -g daemon off;", "/srv/with space/n  c.conf", "/usr/share/nginx"),
        ("nginx -c /srv/o'brien/n.conf", "/srv/o'brien/n.conf", "/usr/share/nginx"),
    ],
)
def test_the_configuration_of_a_running_master(title: str, config: str, prefix: str) -> None:
    master = process(10, f"nginx: master process {title}", cwd="/home/joe/app")
    worker = process(11, "nginx: worker process", 10, uid=33, gid=33, user="www-data")
    leaving = process(9, "nginx: worker process is shutting down", 10)
    (made,) = found(Host(master, worker, leaving, commands={"/usr/sbin/nginx": DEBIAN}))
    assert (made.config, made.prefix) == (config, prefix)
    assert (made.pid, made.workers, made.user, made.loaded) == (10, (11,), "www-data", 11.0)
    assert made.error_log == "stderr"


def test_a_relative_prefix_is_printed_in_full() -> None:
    master = process(10, "nginx: master process nginx -p . -c n.conf", cwd="/home/joe/app")
    (made,) = found(Host(master, commands={"/usr/sbin/nginx": DEBIAN}))
    assert made.argv == ("nginx", "-p", "/home/joe/app", "-c", "n.conf")


def test_without_rights_a_relative_prefix_leads_nowhere() -> None:
    master = process(10, "nginx: master process nginx -p . -c n.conf", exe="", net_ns=0, mnt_ns=0)
    (made,) = found(Host(master, me=ALICE, files=("/usr/sbin/nginx",), commands={"/usr/sbin/nginx": DEBIAN}))
    assert made.config == "./n.conf"
    assert made.binary == "/usr/sbin/nginx"


def test_masters_side_by_side_are_told_apart() -> None:
    one = process(10, "nginx: master process nginx -c /a.conf")
    other = process(20, "nginx: master process /opt/nginx/sbin/webfront", exe="/opt/nginx/sbin/webfront")
    host = Host(
        one, process(11, "nginx: worker process", 10), other, process(21, "nginx: worker process", 20),
        files=("/opt/nginx/conf/nginx.conf",), commands={"/usr/sbin/nginx": DEBIAN},
    )  # fmt: skip
    assert [(made.pid, made.workers, made.config) for made in found(host)] == [
        (10, (11,), "/a.conf"),
        (20, (21,), "/opt/nginx/conf/nginx.conf"),
    ]


@pytest.mark.parametrize(
    ("more", "within", "elsewhere"),
    [
        ({}, None, False),
        ({"net_ns": 7}, 10, True),
        ({"mnt_ns": 7}, 10, False),
        ({"root": "/srv/jail"}, 10, False),
        ({"net_ns": 0, "mnt_ns": 0, "cgroup": "/system.slice/docker-4f5.scope"}, 10, True),
        ({"net_ns": 0, "mnt_ns": 0, "cgroup": "/system.slice/nginx.service"}, None, False),
    ],
)
def test_what_runs_apart(more: dict[str, Any], within: int | None, elsewhere: bool) -> None:
    (made,) = found(Host(process(10, "nginx: master process nginx", **more)))
    assert (made.within, made.elsewhere) == (within, elsewhere)


def test_what_does_not_run_is_found_by_its_units() -> None:
    commands = {"systemctl": b"", "/usr/sbin/nginx": DEBIAN, "/usr/local/openresty/nginx/sbin/nginx": OPENRESTY}

    class Stopped(Host):
        def _answer(self, question: object) -> object:
            if isinstance(question, Run) and question.argv[0] == "systemctl":
                return Ran(0, UNITS, b"")
            return super()._answer(question)

    host = Stopped(commands=commands)
    assert [(made.unit, made.pid, made.config, made.error_log) for made in found(host)] == [
        ("nginx.service", None, "/etc/nginx/nginx.conf", "stderr"),
        ("openresty.service", None, "/srv/o r/nginx.conf", "/usr/local/openresty/nginx/logs/error.log"),
    ]


def test_what_cannot_be_seen_may_run() -> None:
    files = ("/usr/sbin/nginx", "/etc/nginx/nginx.conf")
    init = process(1, "/sbin/init", 0, exe="/lib/systemd/systemd")
    own = process(900, "python", 800)
    assert [one.unseen for one in found(Host(init, own, me=ALICE, files=files))] == [False]
    assert [one.unseen for one in found(Host(own, me=ALICE, files=files))] == [True]
    assert [one.unseen for one in found(Host(own, me=ROOT, files=files))] == [False]


def test_units_that_the_admin_wrote_are_asked_for() -> None:
    asked: list[tuple[str, ...]] = []

    class Written(Host):
        def _answer(self, question: object) -> object:
            if isinstance(question, ReadGlob):
                texts = {
                    "front": b"[Service]\nExecStart=/usr/sbin/nginx -c /srv/n.conf\n",
                    "app": b"ExecStart=/bin/nginxd\n",
                }
                return FilesRead(
                    tuple(
                        FileRead(f"/etc/systemd/system/{name}.service", text, "", 0.0) for name, text in texts.items()
                    )
                )
            if isinstance(question, Run):
                asked.append(question.argv)
            return super()._answer(question)

    found(Written())
    assert asked[0][-1] == "front.service"
    assert "app.service" not in asked[0]


def test_what_does_not_run_is_found_where_it_usually_lies() -> None:
    files = ("/usr/local/nginx/sbin/nginx", "/usr/local/nginx/conf/nginx.conf")
    built = b"nginx version: nginx/1.29.0\nconfigure arguments: --with-http_ssl_module"
    (made,) = found(Host(files=files, commands={files[0]: built}))
    assert (made.config, made.error_log) == (files[1], "/usr/local/nginx/logs/error.log")
    assert made.version == "1.29.0"
    assert found(Host()) == ()


def test_options() -> None:
    assert options(("-tqc", "a", "-p", "b", "-gc;", "-e", "x", "-z")) == Options("a", "b", "x", "c;")
    assert regrouped("/opt/my nginx/nginx -q -g a b; c d; -c x y") == (
        "/opt/my nginx/nginx", "-q", "-g", "a b; c d;", "-c", "x y",
    )  # fmt: skip


def test_paths_that_were_compiled_in() -> None:
    debian = read_build(DEBIAN)
    assert (debian.version, debian.prefix, debian.config) == ("1.22.1", "/usr/share/nginx", "/etc/nginx/nginx.conf")
    assert (debian.error_log, debian.access_log) == ("stderr", "/var/log/nginx/access.log")
    bare = read_build(b"nginx version: x\nconfigure arguments: --with-x")
    assert (bare.config, bare.error_log) == ("/usr/local/nginx/conf/nginx.conf", "/usr/local/nginx/logs/error.log")
