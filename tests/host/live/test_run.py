from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import time
from pathlib import Path

import pytest

from wizard.host.live import run
from wizard.host.live.host import LiveHost
from wizard.host.live.run import answer_run, stranger
from wizard.host.questions import NotAnswered, Ran, Run, Why

SHELL = "/bin/sh"


def ran(script: str, *, seconds: float = 10.0, limit: int = 1 << 20) -> Ran | NotAnswered:
    """Run a shell script as a person's own command: the allow-list has nothing that hangs."""
    argv = (SHELL, "-c", script)
    return asyncio.run(answer_run(Run(argv, seconds=seconds, max_bytes=limit), own={argv}))


def is_gone(pid: int) -> bool:
    """Whether a process has ended (a zombie that waits for its parent has)."""
    for _ in range(200):
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            return True
        if state == "Z":
            return True
        time.sleep(0.01)
    return False


def pid_in(file: Path) -> int:
    for _ in range(500):
        with contextlib.suppress(OSError, ValueError):
            return int(file.read_text())
        time.sleep(0.01)
    raise AssertionError(f"nothing wrote its pid to {file}")


def test_both_streams_and_the_status_come_back() -> None:
    assert ran("echo out; echo err >&2; exit 3") == Ran(3, b"out\n", b"err\n")


def test_a_signal_is_a_negative_status() -> None:
    assert ran("kill -TERM $$") == Ran(-15, b"", b"")


def test_the_environment_is_fixed_and_there_is_no_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LESS", "-X")
    monkeypatch.setenv("LD_PRELOAD", "")
    monkeypatch.setenv("SECRET", "x")
    answer = ran("env; pwd; cat; readlink /proc/self/fd/0; cat /proc/$$/sessionid; echo $$")
    assert isinstance(answer, Ran)
    *settings, folder, stdin, pid = answer.out.decode().splitlines()
    told = dict(line.split("=", 1) for line in settings)
    assert {name: told[name] for name in run.ENVIRONMENT} == run.ENVIRONMENT
    assert not {"LESS", "LD_PRELOAD", "SECRET"} & set(told)
    assert (folder, stdin) == ("/", "/dev/null")
    assert int(pid) != os.getpid()


def test_a_child_has_a_session_of_its_own_and_a_low_priority() -> None:
    answer = ran("sleep 0.2; cat /proc/$$/stat")
    assert isinstance(answer, Ran)
    fields = answer.out.rpartition(b")")[2].split()
    session, nice = int(fields[3]), int(fields[16])
    assert session != os.getsid(0)
    assert nice >= run.NICENESS


def test_output_is_cut_at_the_limit_and_the_status_kept() -> None:
    answer = ran("head -c 300000 /dev/zero; head -c 9 /dev/zero >&2; exit 4", limit=1000)
    assert answer == Ran(4, bytes(1000), bytes(9), cut=True)


def test_endless_output_ends_at_the_deadline() -> None:
    answer = ran("while :; do echo y; done", seconds=0.3, limit=4)
    assert answer == Ran(-9, b"y\ny\n", b"", cut=True)


def test_a_hanging_child_is_killed_with_its_own_children(tmp_path: Path) -> None:
    child, grandchild = tmp_path / "child", tmp_path / "grandchild"
    answer = ran(f"echo $$ > {child}; (echo started; sleep 60) & echo $! > {grandchild}; wait", seconds=0.5)
    assert isinstance(answer, NotAnswered)
    assert answer.why is Why.TIMED_OUT
    assert "did not end within 0.5 s" in answer.detail
    assert is_gone(pid_in(child))
    assert is_gone(pid_in(grandchild))


def test_a_grandchild_that_keeps_the_pipe_open_is_cut_off_and_killed(tmp_path: Path) -> None:
    grandchild = tmp_path / "grandchild"
    answer = ran(f"sleep 60 & echo $! > {grandchild}; echo done")
    assert answer == Ran(0, b"done\n", b"", cut=True)
    assert is_gone(pid_in(grandchild))


def test_a_child_that_closes_its_pipes_is_still_waited_for() -> None:
    assert ran("exec >&- 2>&-; sleep 0.2; exit 5") == Ran(5, b"", b"")


@pytest.mark.parametrize("pidfd", [True, False])
def test_a_cancelled_question_leaves_no_process(tmp_path: Path, pidfd: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if not pidfd:

        def old_kernel(_pid: int) -> int:
            raise OSError(38, "Function not implemented")

        monkeypatch.setattr(os, "pidfd_open", old_kernel)
    file = tmp_path / "pid"
    argv = (SHELL, "-c", f"echo $$ > {file}; sleep 60")

    async def scenario() -> int:
        asking = asyncio.create_task(answer_run(Run(argv), own={argv}))
        pid = await asyncio.to_thread(pid_in, file)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        return pid

    assert is_gone(asyncio.run(scenario()))


def test_without_pidfds_a_command_still_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "pidfd_open")
    monkeypatch.setattr(os, "pidfd_open", lambda _pid: (_ for _ in ()).throw(OSError(38, "x")), raising=False)
    assert ran("echo one; sleep 0.1; echo two") == Ran(0, b"one\ntwo\n", b"")


def test_what_is_not_on_the_list_is_refused_by_name() -> None:
    answer = asyncio.run(answer_run(Run(("systemctl", "restart", "nginx\x1b[0m"))))
    assert isinstance(answer, NotAnswered)
    assert answer.why is Why.REFUSED
    assert answer.detail.startswith("systemctl restart nginx\\x1b[0m: ")


def test_a_program_that_is_not_there_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "SEARCH_PATH", ("/nowhere",))
    answer = asyncio.run(answer_run(Run(("ss", "-t"))))
    assert answer == NotAnswered(Why.MISSING, "ss is not installed")


def test_a_binary_that_a_stranger_could_replace_is_not_run(tmp_path: Path) -> None:
    folder = tmp_path / "sbin"
    folder.mkdir()
    mark = tmp_path / "mark"
    program = folder / "nginx"
    program.write_text(f"#!/bin/sh\n: > {mark}\n")
    program.chmod(0o755)
    folder.chmod(0o777)
    answer = asyncio.run(answer_run(Run((str(program), "-V"))))
    assert isinstance(answer, NotAnswered)
    assert answer.why is Why.REFUSED
    assert not mark.exists()


def test_the_part_that_can_be_changed_is_named(tmp_path: Path) -> None:
    assert stranger(sys.executable) is None
    assert stranger("/bin/sh") is None
    program = tmp_path / "x"
    program.write_text("")
    program.chmod(0o666)
    assert stranger(str(program)) == str(program.resolve())


def test_a_command_that_would_load_a_module_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        run, "objection", lambda needs, _program: NotAnswered(Why.REFUSED, f"not run unless {next(iter(needs))}")
    )
    answer = asyncio.run(answer_run(Run(("ss", "-ltn"))))
    assert isinstance(answer, NotAnswered)
    assert answer.why is Why.REFUSED
    assert "tcp_diag is loaded or built in" in answer.detail


def test_the_end_of_the_event_loop_ends_its_commands(tmp_path: Path) -> None:
    file = tmp_path / "pid"
    argv = (SHELL, "-c", f"echo $$ > {file}; sleep 60")

    async def scenario() -> int:
        host = LiveHost(own_commands=[argv])
        asking = asyncio.create_task(host.ask(Run(argv)))
        pid = await asyncio.to_thread(pid_in, file)
        assert not asking.done()
        return pid

    assert is_gone(asyncio.run(scenario()))
