from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.host.live.places import as_nobody, ended, needs_namespaces, needs_root, unshared
from wizard.host.live import portable, processes
from wizard.host.questions import Process, Processes, ProcessTable


def table() -> dict[int, Process]:
    answer = processes.answer_processes(Processes())
    assert isinstance(answer, ProcessTable)
    return {one.pid: one for one in answer.processes}


def test_our_own_process_is_described() -> None:
    me = table()[os.getpid()]
    assert (me.ppid, me.uid, me.gid) == (os.getppid(), os.geteuid(), os.getegid())
    assert me.exe == str(Path("/proc/self/exe").readlink())
    assert me.argv == tuple(Path("/proc/self/cmdline").read_bytes().decode().rstrip("\0").split("\0"))
    assert (me.root, me.cwd) == ("/", str(Path.cwd()))
    assert me.net_ns == Path("/proc/self/ns/net").stat().st_ino
    assert me.mnt_ns == Path("/proc/self/ns/mnt").stat().st_ino
    assert set(me.groups) == set(os.getgroups())
    assert me.state == "R"


def test_what_psutil_says_is_said() -> None:
    ours, theirs = table(), {one.pid: one for one in portable.processes().processes}
    both = set(ours) & set(theirs)
    assert os.getpid() in both
    for pid in both:
        one, other = ours[pid], theirs[pid]
        if not one.argv or one.state == "Z":
            continue  # a kernel thread, or one that has ended
        assert (one.ppid, one.uid, one.gid) == (other.ppid, other.uid, other.gid)
        assert one.exe.removesuffix(" (deleted)") == other.exe
        assert abs(one.started - other.started) < 1.5


def test_the_start_is_told_to_a_hundredth_of_a_second(tmp_path: Path) -> None:
    file = tmp_path / "edited"
    for _ in range(3):
        time.sleep(0.17)
        file.write_text("x")
        time.sleep(0.05)
        before = time.time()
        with ended(subprocess.Popen(["sleep", "30"], stdout=subprocess.PIPE, text=True)) as child:
            after = time.time()
            started = table()[child.pid].started
        assert before - 0.02 <= started <= after + 0.02
        assert started > file.stat().st_mtime


def test_a_title_that_a_program_wrote_over_its_argv_is_one_word() -> None:
    title = b"nginx: master process /usr/sbin/nginx -g daemon on;"
    assert processes.parse_argv(title + bytes(30)) == (title.decode(),)
    assert processes.parse_argv(b"") == ()
    assert processes.parse_argv(b"a\0\0b\0") == ("a", "", "b")
    assert processes.parse_argv(b"caf\xe9\0") == ("caf\\xe9",)


def test_the_effective_user_counts() -> None:
    if os.geteuid() != 0:
        pytest.skip("needs root")
    script = "import os; os.setgroups([4, 33]); os.setegid(33); os.seteuid(33)"
    with unshared("-u", script=script + "\nimport sys") as pid:
        one = table()[pid]
    assert (one.uid, one.gid, one.groups, one.user) == (33, 33, (4, 33), "www-data")


@needs_namespaces
def test_namespaces_and_control_groups_are_told() -> None:
    with unshared("-n", "-m", script="import sys") as pid:
        one, me = table()[pid], table()[os.getpid()]
        assert one.net_ns not in {0, me.net_ns}
        assert one.mnt_ns not in {0, me.mnt_ns}
        assert one.cgroup == me.cgroup


@needs_root
def test_without_rights_the_rest_is_still_told() -> None:
    with ended(subprocess.Popen(["sleep", "30"], stdout=subprocess.PIPE, text=True)) as child:
        one = as_nobody(table)[child.pid]
    assert (one.argv, one.uid, one.user, one.name) == (("sleep", "30"), 0, "root", "sleep")
    assert (one.exe, one.net_ns, one.mnt_ns, one.root) == ("", 0, 0, "/")


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"0::/system.slice/nginx.service\n", "/system.slice/nginx.service"),
        (b"9:name=systemd:/system.slice/a.service\n8:pids:/x\n0::/\n", "/system.slice/a.service"),
        (b"4:memory:/docker/abc\n0::/docker/abc\n", "/docker/abc"),
        (b"1:name=systemd:/a:b\n", "/a:b"),
        (b"", ""),
    ],
)
def test_the_control_group_is_that_of_the_service_manager(content: bytes, expected: str) -> None:
    assert processes.parse_cgroup(content) == expected


def test_a_name_with_blanks_and_parentheses_is_read() -> None:
    line = Path("/proc/self/stat").read_bytes()
    start, end = line.index(b"("), line.rindex(b")")
    seen = processes.parse_stat(line[: start + 1] + b"a) R (b c" + line[end:])
    assert (seen.name, seen.ppid) == ("a) R (b c", os.getppid())


@given(st.binary(max_size=400))
def test_a_broken_file_is_a_value_error_at_most(content: bytes) -> None:
    for parse in (processes.parse_stat, processes.parse_status):
        with contextlib.suppress(ValueError):
            parse(content)
    assert isinstance(processes.parse_cgroup(content), str)


def test_psutil_is_not_loaded_for_the_table() -> None:
    script = (
        "import sys; from wizard.host.live import processes, sockets; from wizard.host.questions import *;"
        "processes.answer_processes(Processes()); sockets.answer_sockets(Sockets()); print('psutil' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
    assert psutil.pid_exists(os.getpid())
