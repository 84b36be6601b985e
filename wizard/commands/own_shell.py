"""The admin's own shell, in place of the screen, for the time that the admin wants it.

Owns the handing over of the terminal and its return, whole, however the shell ended. It is the one program that is
started outside the allow-list: on a key, for a person, and never by a walk. The shell leads a process group of its own
in the foreground, so what is typed there (Ctrl+C, Ctrl+Z) reaches it and not the wizard behind it.
"""

from __future__ import annotations

import errno
import os
import signal
import sys
import termios
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from types import FrameType

STANDARD = "/bin/sh"
_NO_SHELLS = frozenset({"nologin", "false", "true", "sync"})
_TURN = 0.05  # seconds between two looks at whether it has ended
_GRACE = 2.0  # seconds that a shell may take to end where the wizard is told to
_TERMINAL = (signal.SIGINT, signal.SIGQUIT, signal.SIGTSTP, signal.SIGTTIN)
_ENDING = (signal.SIGTERM, signal.SIGHUP)
_DEFAULTS = (*_TERMINAL, *_ENDING, signal.SIGTTOU, signal.SIGPIPE, signal.SIGCHLD, signal.SIGCONT)
# What an editor in a killed shell leaves behind: application keys, mouse reports, bracketed paste, margins, no wrapping.
_SOFT_RESET = b"\x1b[?1l\x1b>\x1b[?1000;1002;1003;1006l\x1b[?2004l\x1b[r\x1b[?7h\x1b[?25h\x1b[0m"


def program(environment: Mapping[str, str]) -> str:
    """The shell of this person: what SHELL names, where that is a shell that can be run; /bin/sh otherwise."""
    named = environment.get("SHELL", "")
    usable = named.startswith("/") and os.access(named, os.X_OK) and os.path.basename(named) not in _NO_SHELLS  # noqa: PTH119 - a name, no file
    return named if usable else STANDARD


def own_shell(environment: Mapping[str, str] | None = None, terminal: int = 0) -> int:
    """Give the terminal to a shell, wait until it has ended, and take the terminal back as it was.

    Args:
        environment: of the shell; this process's own without what was set for the screen otherwise.
        terminal: the descriptor of the terminal.

    Returns:
        The shell's exit status, or 128+n where signal n ended it.

    Raises:
        OSError: it could not be started, or there is no terminal.
    """
    given = {name: value for name, value in (environment or os.environ).items() if not name.startswith("TEXTUAL")}
    path = program(given)
    try:
        before = termios.tcgetattr(terminal)
    except termios.error as error:
        raise OSError(errno.ENOTTY, "there is no terminal to open a shell in") from error
    if os.getpgrp() == 0:  # its leader is outside of this PID namespace (nsenter): nobody here could name it again
        os.setpgid(0, 0)
    with _behind() as told:
        pid = os.posix_spawn(
            path,
            [os.path.basename(path)],  # noqa: PTH119 - a name, no file
            given,
            file_actions=[(os.POSIX_SPAWN_DUP2, terminal, number) for number in (0, 1, 2)],
            setpgroup=0,
            setsigmask=[],
            setsigdef=_DEFAULTS,
        )
        status = _waited(pid, terminal, told)
        killed = os.WIFSIGNALED(status)
        with suppress(OSError, termios.error):
            os.tcsetpgrp(terminal, os.getpgrp())
            termios.tcsetattr(terminal, termios.TCSADRAIN, before)
            if killed:
                os.write(terminal, _SOFT_RESET)
    return 128 + os.WTERMSIG(status) if killed else os.waitstatus_to_exitcode(status)


def _waited(pid: int, terminal: int, told: list[int]) -> int:
    """The wait status of the shell once it has ended. One that stopped itself is let go on: nobody could say fg."""
    _give(pid, terminal)
    force = 0.0
    while True:
        found, status = os.waitpid(pid, os.WNOHANG | os.WUNTRACED)
        if found and not os.WIFSTOPPED(status):
            return status
        if found:
            _give(pid, terminal)
        if told and not force:  # as a terminal that goes away would end it
            force = time.monotonic() + _GRACE
            _signal(pid, signal.SIGHUP, signal.SIGCONT)
        elif force and time.monotonic() > force:
            _signal(pid, signal.SIGKILL)
        time.sleep(_TURN)


def _give(pid: int, terminal: int) -> None:
    with suppress(OSError):  # it may have ended already
        os.tcsetpgrp(terminal, pid)
    _signal(pid, signal.SIGCONT)


def _signal(pid: int, *numbers: signal.Signals) -> None:
    for number in numbers:
        with suppress(OSError):
            os.killpg(pid, number)


@contextmanager
def _behind() -> Iterator[list[int]]:
    """Be a process behind the shell, deaf to the terminal's signals; gives the list of signals that told it to end.

    The event loop hears SIGTERM and SIGHUP all the same (by its wakeup descriptor), and acts on them afterwards.
    """
    told: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        del frame
        told.append(number)

    def nothing(number: int, frame: FrameType | None) -> None:
        del number, frame

    kept = {number: signal.getsignal(number) for number in (*_TERMINAL, *_ENDING, signal.SIGTTOU)}
    for number in _TERMINAL:
        signal.signal(number, nothing)
    for number in _ENDING:
        signal.signal(number, note)
    signal.signal(signal.SIGTTOU, signal.SIG_IGN)  # taking the terminal back from the background would stop us
    try:
        yield told
    finally:
        for number, handler in kept.items():
            signal.signal(number, handler if handler is not None else signal.SIG_DFL)


def greeting() -> str:
    """What is said before the prompt."""
    name = program(os.environ)
    return f"\nThis is your own shell ({name}). exit comes back to the wizard, and the path is checked again.\n\n"


def shell_in_place() -> int:
    """Say where one is, and hand the terminal over."""
    sys.stderr.write(greeting())
    sys.stderr.flush()
    return own_shell()
