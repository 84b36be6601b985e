"""Asking never changes the host: what the live host does is watched call by call."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ASK = """
import asyncio, sys
from wizard.host.live.host import LiveHost
from wizard.host.questions import *

QUESTIONS = [
    Processes(), Sockets(), Clock(), Identity(),
    Stat("/etc/passwd"), Stat("/nowhere"), WalkPath("/var/run/nothing"), ReadFile("/etc/passwd"), ReadFile("/dev/null"),
    ReadFile(sys.argv[1] + "/fifo"), ReadGlob("/etc/*.conf"), ListDir("/etc"), ReadLog(sys.argv[1] + "/error.log", 900),
    Run(("uname", "-a")), Run(("ss", "-Hlntp")), Run(("ss", "-Hlxp")), Run(("ip", "-j", "addr", "show")),
    Run(("nft", "-j", "list", "ruleset")), Run(("iptables-save", "-c")), Run(("ip6tables-save",)),
    Run(("iptables-legacy-save",)), Run(("nginx", "-V")), Run(("systemctl", "show", "nginx.service", "--no-pager")),
    Run(("systemctl", "list-units")), Run(("journalctl", "-n", "5", "--no-pager")), Run(("getent", "passwd", "root")),
    Run(("namei", "-l", "/etc/passwd")), Run(("rm", "-rf", sys.argv[1])),
]

async def main():
    host = LiveHost()
    for reply in await asyncio.gather(*(host.ask(question) for question in QUESTIONS)):
        print(type(reply.question).__name__, getattr(reply.answer, "why", "answered"))

asyncio.run(main())
"""

CALLS = (
    "file,network,creat,ftruncate,fchmod,fchown,fsetxattr,init_module,finit_module,delete_module,mount,reboot,"
    "sethostname,settimeofday,clock_settime,setns,kill,tkill,tgkill"
)
# A descriptor that is no file on a disk, or a write that goes nowhere.
NOWHERE = re.compile(r'"(?:/dev/null|/dev/tty|/proc/self/(?:task/\d+/)?comm|/dev/shm/[^"]*|/sys/fs/selinux/[^"]*)"')
WRITES = re.compile(r"O_WRONLY|O_RDWR|O_CREAT|O_TRUNC|O_APPEND|O_TMPFILE")
CHANGES = re.compile(
    r"\b(?:creat|unlink|unlinkat|rename|renameat|renameat2|link|linkat|symlink|symlinkat|mkdir|mkdirat|rmdir|mknod|"
    r"mknodat|chmod|fchmod|fchmodat|fchmodat2|chown|lchown|fchown|fchownat|truncate|ftruncate|utime|utimes|utimensat|"
    r"futimesat|setxattr|lsetxattr|fsetxattr|removexattr|lremovexattr|fremovexattr|mount|umount|umount2|pivot_root|"
    r"chroot|swapon|swapoff|acct|quotactl|init_module|finit_module|delete_module|reboot|sethostname|settimeofday|"
    r"clock_settime|tkill|tgkill)\("
)


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, list[str]]:
    """What the questions came to, and the system calls that were made for them."""
    if shutil.which("strace") is None:
        pytest.skip("strace is not installed")
    folder = tmp_path_factory.mktemp("watched")
    os.mkfifo(folder / "fifo")
    (folder / "error.log").write_text("2026/11/22 09:39:10 [error] 1#1: old\n")
    trace = folder / "trace"
    argv = [
        "strace",
        "-f",
        "-qq",
        "-o",
        str(trace),
        "-e",
        f"trace={CALLS}",
        sys.executable,
        "-B",
        "-c",
        ASK,
        str(folder),
    ]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=120, check=False, cwd=Path.cwd())
    if "Operation not permitted" in done.stderr and not done.stdout:
        pytest.skip("strace may not watch here")
    assert done.returncode == 0, done.stderr
    assert (folder / "error.log").exists()
    return done.stdout, trace.read_text("utf-8", "backslashreplace").splitlines()


def test_every_question_came_to_an_answer(watched: tuple[str, list[str]]) -> None:
    answers = watched[0].splitlines()
    assert len(answers) == 28
    assert "timed-out" not in watched[0]
    assert "failed" not in watched[0]
    assert answers[9] == "ReadFile refused"
    assert answers[-1] == "Run refused"


def test_no_file_is_opened_for_writing(watched: tuple[str, list[str]]) -> None:
    opened = [line for line in watched[1] if re.search(r"\bopen(?:at|at2)?\(", line)]
    assert len(opened) > 200
    assert [line for line in opened if WRITES.search(line) and not NOWHERE.search(line)] == []


def test_nothing_is_made_moved_or_removed(watched: tuple[str, list[str]]) -> None:
    assert [line for line in watched[1] if CHANGES.search(line)] == []


def test_no_fifo_and_no_device_is_opened(watched: tuple[str, list[str]]) -> None:
    opened = [line for line in watched[1] if "/fifo" in line and "O_PATH" not in line and "open" in line]
    assert opened == []


def test_nothing_is_sent_beyond_this_machine(watched: tuple[str, list[str]]) -> None:
    sent = [line for line in watched[1] if re.search(r"\b(?:connect|sendto|bind)\(", line)]
    assert sent
    assert [line for line in sent if "sa_family=AF_INET" in line] == []


def test_the_packet_filter_is_only_asked(watched: tuple[str, list[str]]) -> None:
    messages = re.findall(r"NFT_MSG_(\w+)", "\n".join(line for line in watched[1] if re.search(r"\bsend", line)))
    assert {message for message in messages if not message.startswith("GET")} == set()


def test_modules_are_loaded_by_nobody(watched: tuple[str, list[str]]) -> None:
    assert [line for line in watched[1] if re.search(r'execve\("[^"]*modprobe|init_module\(', line)] == []
