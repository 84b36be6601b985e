"""Run one command of the allow-list, and leave nothing behind.

Owns the child: found in a fixed path, with a fixed environment, no standard input, a session of its own, low priority,
an end at its deadline together with everything that it started. May not know what a command prints.

A thread drives each child with poll(2), and not asyncio's own subprocesses: those need a thread per child too on Python
3.11, and have no deadline for a grandchild that keeps a pipe open.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import select
import signal
import stat
import subprocess
import threading
import time
from collections.abc import Collection, Iterator

import msgspec

from wizard.host.allowed import SEARCH_PATH, Permit, Refusal, permit
from wizard.host.live.failure import failed
from wizard.host.live.kernel import objection
from wizard.host.questions import NotAnswered, Ran, Run, Why
from wizard.host.threads import in_thread
from wizard.text import one_line

ENVIRONMENT = {
    "PATH": ":".join(SEARCH_PATH),
    "LC_ALL": "C.UTF-8",
    "HOME": "/",
    "TERM": "dumb",
    "SYSTEMD_PAGER": "",
    "SYSTEMD_COLORS": "0",
}
NICENESS = 10
DEBIAN_STAFF = 50  # may write to /usr/local, and is as good as root (Debian policy 9.1.2)
LINGER = 0.3  # seconds in which a pipe may still be read after the child's end, where a grandchild holds it open
TICK = 0.05  # seconds between two looks at the child where the kernel has no pidfd (before Linux 5.3)


async def answer_run(question: Run, own: Collection[tuple[str, ...]] = ()) -> Ran | NotAnswered:
    """Run a command; refused where it is not on the list, or where it would make the kernel load a module.

    Args:
        question: the command.
        own: argvs of the person's own, which run although they are on no list.
    """
    permission = Permit(question.argv[0]) if question.argv in own else permit(question.argv)
    if isinstance(permission, Refusal):
        return NotAnswered(Why.REFUSED, f"{_spoken(question)}: {permission.because}")
    child = _Child(question, permission)
    try:
        return await in_thread(child.run)
    except asyncio.CancelledError:
        child.kill()
        raise


def _spoken(question: Run) -> str:
    return one_line(" ".join(question.argv))


def _program(question: Run, permission: Permit) -> str | NotAnswered:
    """The absolute path of a permitted program, if it is there, and may be trusted not to change the host."""
    name = permission.program
    candidates = (name,) if name.startswith("/") else tuple(f"{folder}/{name}" for folder in SEARCH_PATH)
    program = next((one for one in candidates if os.access(one, os.X_OK)), None)
    if program is None:
        return NotAnswered(Why.MISSING, f"{one_line(name)} is not installed")
    writer = stranger(program)
    if writer is not None:
        return NotAnswered(Why.REFUSED, f"{_spoken(question)}: {one_line(writer)} can be changed by somebody else")
    no = objection(permission.needs, os.path.realpath(program))
    if no is not None:
        return msgspec.structs.replace(no, detail=f"{_spoken(question)}: {no.detail}")
    return program


def stranger(program: str) -> str | None:
    """The part of a program's path that somebody else than root and the wizard's user could replace, None if none.

    What a process calls its binary is its own word: without this, running `/tmp/x/nginx -V` as root would be a gift.
    """
    users, groups = {0, os.geteuid()}, {0, DEBIAN_STAFF}
    path = os.path.realpath(program)
    while True:
        seen = os.stat(path)  # noqa: PTH116 - a string suffices
        writable = seen.st_mode & (stat.S_IWOTH if seen.st_gid in groups else stat.S_IWOTH | stat.S_IWGRP)
        if seen.st_uid not in users or writable:
            return path
        if path == "/":
            return None
        path = os.path.dirname(path)  # noqa: PTH120 - a string suffices


class _Child:
    """One command on its way. `kill` may be called from another thread, at any time."""

    def __init__(self, question: Run, permission: Permit) -> None:
        self._question = question
        self._permission = permission
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._ended = False
        self._cancelled = False

    def kill(self) -> None:
        """End the child and all of its process group."""
        with self._lock:
            self._cancelled = True
            self._end_group()

    def _end_group(self) -> None:
        if self._process is not None and not self._ended:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)

    def run(self) -> Ran | NotAnswered:
        """Start the child and read it to its end or its deadline."""
        deadline = time.monotonic() + self._question.seconds
        program = _program(self._question, self._permission)
        if isinstance(program, NotAnswered):
            return program
        with self._lock:
            if self._cancelled:
                return NotAnswered(Why.CANCELLED, "it was not started any more")
            try:
                self._process = process = subprocess.Popen(
                    self._question.argv,
                    executable=program,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    env=ENVIRONMENT,
                    cwd="/",
                    start_new_session=True,
                    close_fds=True,
                )
            except OSError as error:
                return failed(error, program)
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PGRP, process.pid, NICENESS)
        try:
            return self._read(process, deadline)
        finally:
            self._finish(process)

    def _finish(self, process: subprocess.Popen[bytes]) -> None:
        """End what is left of the group. A child that is not reaped yet keeps its number from being given away."""
        with self._lock:
            self._end_group()
            self._ended = True
        for pipe in (process.stdout, process.stderr):
            if pipe is not None:
                pipe.close()
        with contextlib.suppress(subprocess.TimeoutExpired):  # a process in the kernel's D state does not even die
            process.wait(1.0)

    def _read(self, process: subprocess.Popen[bytes], deadline: float) -> Ran | NotAnswered:
        out, err = _Output(self._question.max_bytes), _Output(self._question.max_bytes)
        pipes = ((process.stdout, out), (process.stderr, err))
        outputs = {pipe.fileno(): output for pipe, output in pipes if pipe is not None}
        poll = select.poll()
        for fd in outputs:
            os.set_blocking(fd, False)
            poll.register(fd, select.POLLIN)
        with _exit_of(process.pid) as exited:
            if exited is not None:
                poll.register(exited, select.POLLIN)
            status = _drain(poll, outputs, exited, process.pid, deadline)
        if status is not None:
            return Ran(status, out.content(), err.content(), cut=out.cut or err.cut or bool(outputs))
        if out.cut or err.cut:
            return Ran(-signal.SIGKILL, out.content(), err.content(), cut=True)
        return NotAnswered(Why.TIMED_OUT, f"{_spoken(self._question)} did not end within {self._question.seconds:g} s")


def _drain(poll: select.poll, outputs: dict[int, _Output], exited: int | None, pid: int, deadline: float) -> int | None:
    """Read both pipes until the child has ended and they are closed; its status, None where the deadline came first.

    Pipes that are closed leave `outputs`; those that a grandchild keeps open past the child's end stay in it.
    """
    status: int | None = None
    until = deadline
    while outputs or status is None:
        if status is None and (status := _ended(pid)) is not None:
            until = min(deadline, time.monotonic() + LINGER)
            continue
        left = until - time.monotonic()
        if left <= 0:
            break
        for fd, _ in poll.poll((left if exited is not None else min(left, TICK)) * 1000 + 1):
            if fd == exited:
                poll.unregister(fd)
            elif not outputs[fd].take(fd):
                poll.unregister(fd)
                del outputs[fd]
    return status


class _Output:
    """What came through one pipe, up to a limit; the rest is read and dropped, so that the child can end."""

    def __init__(self, limit: int) -> None:
        self._parts: list[bytes] = []
        self._left = limit
        self.cut = False

    def take(self, fd: int) -> bool:
        """Read what is there; False at the end of the pipe."""
        try:
            part = os.read(fd, 1 << 16)
        except BlockingIOError:
            return True
        if len(part) > self._left:
            self.cut = True
        if self._left:
            self._parts.append(part[: self._left])
            self._left -= len(self._parts[-1])
        return bool(part)

    def content(self) -> bytes:
        return b"".join(self._parts)


@contextlib.contextmanager
def _exit_of(pid: int) -> Iterator[int | None]:
    """A descriptor that becomes readable when a child ends, None on kernels without one."""
    try:
        fd = os.pidfd_open(pid)
    except OSError:
        yield None
        return
    try:
        yield fd
    finally:
        os.close(fd)


def _ended(pid: int) -> int | None:
    """The status of a child that has ended. It stays a zombie, so that nobody else is given its number."""
    seen = os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    if seen is None:
        return None
    return seen.si_status if seen.si_code == os.CLD_EXITED else -seen.si_status
