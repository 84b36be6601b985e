"""The process that holds one guest: it makes the namespaces and the root, becomes the parent of PID 1, and waits.

Run as `python -m tests.lab.warden '{"name": ..., "systemd": ..., "keep": [...]}'`. It prints one JSON line when the
guest is ready for commands: the guest's PID 1 as the host numbers it, and the descriptor that leads to the upper
layer, where everything lands that anybody in the guest has written. When the warden ends, so does the guest: the
kernel kills every process of its pid namespace and drops its mounts and interfaces.

The root is an overlay of the host's root with its upper layer in memory, so a guest sees Debian's true paths and the
host stays as it is. May not know what a guest is used for.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import sys
from pathlib import Path

from tests.lab import cgroups
from tests.lab.boot import prepare_systemd

MS_RDONLY, MS_REMOUNT, MS_BIND, MS_REC, MS_PRIVATE = 1, 32, 4096, 16384, 1 << 18
MNT_DETACH = 2
CLONE_NEWNS, CLONE_NEWCGROUP, CLONE_NEWUTS, CLONE_NEWIPC = 0x20000, 0x2000000, 0x4000000, 0x8000000
CLONE_NEWPID, CLONE_NEWNET = 0x20000000, 0x40000000
PR_SET_PDEATHSIG = 1

SCRATCH = Path("/mnt")  # hidden below a tmpfs in the warden's own mount namespace, never on the host
ROOT = SCRATCH / "root"
DEVICES = ("null", "zero", "full", "random", "urandom", "tty", "kmsg")
INIT = "/run/init"  # the name of the file becomes the name of the process
SYSTEMD = [
    "/lib/systemd/systemd",
    "--log-target=journal",
    "--log-level=info",
    "--show-status=no",
    "--unit=lab.target",
]

libc = ctypes.CDLL(None, use_errno=True)


def _checked(result: int, what: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def mount(source: str, target: Path | str, kind: str, flags: int = 0, options: str = "") -> None:
    """mount(2), with the errno as an OSError."""
    done = libc.mount(
        source.encode(), str(target).encode(), kind.encode() or None, ctypes.c_ulong(flags), options.encode() or None
    )
    _checked(done, f"mount {kind or 'bind'} on {target}")


def bind(source: str, target: Path, *, read_only: bool = False) -> None:
    """Shows `source` at `target`, which is made where it is missing."""
    if Path(source).is_dir():
        target.mkdir(parents=True, exist_ok=True)
    else:
        target.touch()
    mount(source, target, "", MS_BIND | MS_REC)
    if read_only:
        mount(source, target, "", MS_BIND | MS_REMOUNT | MS_RDONLY)


def lay_overlay(keep: list[str]) -> int:
    """Makes the guest's root and returns a descriptor of its upper layer.

    `keep` are folders that must be seen as they are: the repository and the interpreter. They are opened before the
    scratch tmpfs can hide them.
    """
    mount("none", "/", "", MS_REC | MS_PRIVATE)
    kept = [(path, os.open(path, os.O_PATH)) for path in keep]
    mount("guest", SCRATCH, "tmpfs", 0, "mode=755,size=2g")
    for name in ("upper", "work", "root"):
        (SCRATCH / name).mkdir()
    layers = f"lowerdir=/,upperdir={SCRATCH}/upper,workdir={SCRATCH}/work"
    mount("guest", ROOT, "overlay", 0, layers)
    for name, mode in (("run", "755"), ("tmp", "1777"), ("dev", "755")):
        mount("tmpfs", ROOT / name, "tmpfs", 0, f"mode={mode}")
    for path, descriptor in kept:
        bind(f"/proc/self/fd/{descriptor}", ROOT / path.lstrip("/"), read_only=True)
        os.close(descriptor)
    return os.open(SCRATCH / "upper", os.O_PATH)


def lay_devices() -> None:
    """A small /dev of its own."""
    device = ROOT / "dev"
    for name in DEVICES:
        if Path("/dev", name).exists():
            bind(f"/dev/{name}", device / name)
    for name in ("pts", "shm", "mqueue"):
        (device / name).mkdir()
    mount("devpts", device / "pts", "devpts", 0, "newinstance,ptmxmode=0666,mode=620,gid=5")
    mount("tmpfs", device / "shm", "tmpfs", 0, "mode=1777")
    (device / "ptmx").symlink_to("pts/ptmx")
    (device / "fd").symlink_to("/proc/self/fd")
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        (device / name).symlink_to(f"/proc/self/fd/{number}")


def enter_root() -> None:
    """Makes the overlay the root of this mount namespace and drops the host's."""
    (ROOT / "run/host").mkdir()
    os.chdir(ROOT)
    _checked(libc.pivot_root(b".", b"run/host"), "pivot_root")
    os.chroot(".")
    os.chdir("/")
    _checked(libc.umount2(b"/run/host", MNT_DETACH), "umount of the host's root")
    Path("/run/host").rmdir()


def become_init(name: str, *, systemd: bool, ready: int) -> None:
    """The child: PID 1 of the guest. Does not return."""
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    os.setsid()
    libc.sethostname(name.encode(), len(name))
    mount("proc", ROOT / "proc", "proc")
    mount("sysfs", ROOT / "sys", "sysfs", MS_RDONLY)
    lay_devices()
    if systemd:
        prepare_systemd(ROOT, name)
        cgroups.show_in(ROOT / "sys/fs/cgroup", mount)
    enter_root()
    null = os.open("/dev/null", os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(null, number)
    if systemd:
        os.write(ready, b"1")
        path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        os.execve(SYSTEMD[0], SYSTEMD, {"container": "lab", "PATH": path, "LANG": "C.UTF-8"})
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel reaps what is handed to this process; exec(2) keeps that
    Path(INIT).symlink_to("/usr/bin/sleep")
    os.write(ready, b"1")
    os.execve(INIT, ["init", "infinity"], {})  # a guest's process list shows nothing of this program


def main() -> int:
    """Makes the guest, says so, and waits until its PID 1 is gone."""
    wanted = json.loads(sys.argv[1])
    name, systemd = str(wanted["name"]), bool(wanted["systemd"])
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    flags = CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET | CLONE_NEWPID
    home = cgroups.move_into(f"lab-{wanted['group']}") if systemd else None
    _checked(libc.unshare(flags | (CLONE_NEWCGROUP if systemd else 0)), "unshare")
    upper = lay_overlay(list(wanted["keep"]))
    waiting, ready = os.pipe()
    child = os.fork()
    if child == 0:
        become_init(name, systemd=systemd, ready=ready)
    os.close(ready)
    if home is not None:
        cgroups.move_back(home)
    if os.read(waiting, 1) != b"1":
        return 1
    sys.stdout.write(json.dumps({"init": child, "upper": upper}) + "\n")
    sys.stdout.flush()
    os.waitpid(child, 0)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
