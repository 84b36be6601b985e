"""A guest: a throw-away Debian in namespaces, and what can be done in it.

Two sorts: a light one, without a service manager, made in a few hundredths of a second; and one that boots a real
systemd. Everything that runs, listens and is written stays inside; closing it leaves nothing behind. May not know any
scenario.
"""

from __future__ import annotations

import itertools
import json
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from tests.lab import cgroups

REPOSITORY = Path(__file__).resolve().parents[2]
ENVIRONMENT = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME": "/root",
    "LANG": "C.UTF-8",
    "PYTHONDONTWRITEBYTECODE": "1",  # the guest's root is the host's: what is compiled there would only be thrown away
}
HOSTS = "127.0.0.1\tlocalhost\n127.0.1.1\tweb1\n127.0.0.1\tshop.example api.example\n::1\tlocalhost ip6-localhost\n"
RESOLV = "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n"

_serial = itertools.count(1)


class GuestError(Exception):
    """A guest could not be made, or a command of a scenario's own story failed in it."""


@dataclass(frozen=True, slots=True)
class Result:
    """What a command in the guest gave: exit status and text."""

    status: int
    out: str
    err: str


class Guest:
    """A running guest. Use it as a context manager.

    `systemd` chooses the sort. Raises GuestError where the kernel refuses namespaces or systemd does not come up.
    """

    def __init__(self, *, systemd: bool) -> None:
        self.systemd = systemd
        self.group = f"{os.getpid()}-{next(_serial)}"
        wanted = {"name": "web1", "group": self.group, "systemd": systemd, "keep": kept_folders()}
        self._warden = subprocess.Popen(
            [sys.executable, "-m", "tests.lab.warden", json.dumps(wanted)],
            cwd=REPOSITORY,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self._warden.stdout is not None
        said = self._warden.stdout.readline()
        if not said:
            raise GuestError(f"the guest could not be made: {self._warden.communicate()[1].strip()[-800:]}")
        ready = json.loads(said)
        self.init = int(ready["init"])
        self.upper = Path(f"/proc/{self._warden.pid}/fd/{ready['upper']}")
        self.root = Path(f"/proc/{self.init}/root")
        self._furnish()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Ends everything in the guest."""
        with suppress(ProcessLookupError):
            os.kill(self.init, signal.SIGKILL)  # the warden reaps it and ends
        try:
            self._warden.communicate(timeout=10)
        except subprocess.TimeoutExpired:
            self._warden.kill()
            self._warden.communicate()
        if self.systemd:
            cgroups.remove(f"lab-{self.group}")

    def _furnish(self) -> None:
        if self.systemd:
            if not until((self.root / "run/systemd/private").exists, seconds=30):
                self.close()
                raise GuestError("systemd did not come up in the guest")
            self.run("systemctl is-system-running --wait", check=False)
        else:
            self.run("mkdir -p /run/lock /run/netns; install -d -o www-data -g www-data /run/php")
        self.run("ip link set lo up; rm -f /etc/resolv.conf /var/log/nginx/* /var/log/php*")
        self.write("/etc/hosts", HOSTS)
        self.write("/etc/resolv.conf", RESOLV)
        names = (self.root / "etc/nsswitch.conf").read_text().splitlines()
        self.write("/etc/nsswitch.conf", "\n".join("hosts: files dns" if "hosts:" in n else n for n in names) + "\n")

    def argv(self, command: str | Sequence[str]) -> list[str]:
        """The command as it is started from outside: `nsenter` and the guest's own environment before it."""
        words = ["sh", "-c", command] if isinstance(command, str) else list(command)
        spaces = ["--mount", "--uts", "--ipc", "--net", "--pid", *(["--cgroup"] if self.systemd else [])]
        settings = [f"{name}={value}" for name, value in ENVIRONMENT.items()]
        return ["nsenter", f"--target={self.init}", *spaces, "--root", "--wd", "--", "env", "-i", *settings, *words]

    def run(
        self, command: str | Sequence[str], *, check: bool = True, timeout: float = 60, given: str | None = None
    ) -> Result:
        """Runs a command (text goes through `sh -c`) as root with `/` as its folder, and waits for it.

        Raises GuestError where `check` is set and the status is not 0, and where it does not end within `timeout`
        seconds.
        """
        done = subprocess.Popen(
            self.argv(command),
            stdin=subprocess.PIPE if given is not None else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        try:
            out, err = done.communicate(given, timeout=timeout)
        except subprocess.TimeoutExpired as late:
            os.killpg(done.pid, signal.SIGKILL)  # nsenter has forked: both hold the pipes
            done.communicate()
            raise GuestError(f"no end within {timeout:g} s: {command}") from late
        if check and done.returncode != 0:
            raise GuestError(f"status {done.returncode}: {command}\n{out[-600:]}{err[-600:]}")
        return Result(done.returncode, out, err)

    def spawn(self, command: str | Sequence[str], *, log: str = "/var/log/app.log") -> int:
        """Starts a program that stays, its output in `log`, and returns its pid as the guest numbers it."""
        words = command if isinstance(command, str) else shlex.join(command)
        started = self.run(f"setsid sh -c {shlex.quote(f'exec {words}')} </dev/null >>{log} 2>&1 & echo $!")
        return int(started.out)

    def write(self, path: str, text: str, *, mode: int = 0o644) -> None:
        """Writes a file, with the folders above it."""
        target = self.root / path.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
        target.chmod(mode)

    def read(self, path: str) -> str:
        """The text of a file."""
        return (self.root / path.lstrip("/")).read_text(errors="replace")

    def exists(self, path: str) -> bool:
        """Whether there is something at the path (a link is not followed)."""
        return os.path.lexists(self.root / path.lstrip("/"))

    def listening(self, where: str) -> bool:
        """Whether a TCP port (`8000`), or a unix socket (a path), has a listener. Nothing is connected to."""
        tables = Path(f"/proc/{self.init}/net")
        if where.startswith("/"):
            rows = (row.split() for row in (tables / "unix").read_text().splitlines()[1:])
            return any(row[-1] == where and row[3] == "00010000" for row in rows)
        wanted = f":{int(where):04X}"
        rows = (row.split() for name in ("tcp", "tcp6") for row in (tables / name).read_text().splitlines()[1:])
        return any(row[1].endswith(wanted) and row[3] == "0A" for row in rows)

    def await_listener(self, where: str) -> None:
        """Waits until there is one. Raises GuestError after ten seconds."""
        if not until(lambda: self.listening(where), seconds=10):
            raise GuestError(f"nothing began to listen on {where}")


def until(reached: Callable[[], bool], *, seconds: float, every: float = 0.02) -> bool:
    """Asks again and again, at most for `seconds`. Says whether it was reached."""
    end = time.monotonic() + seconds
    while not reached():
        if time.monotonic() > end:
            return False
        time.sleep(every)
    return True


def kept_folders() -> list[str]:
    """What a guest must see of the host as it is: the repository, the virtual environment, the interpreter."""
    wanted = {REPOSITORY, Path(sys.prefix).resolve(), Path(sys.base_prefix).resolve()}
    apart = [path for path in wanted if path != Path("/usr") and not wanted.intersection(path.parents)]
    return sorted(map(str, apart))
