"""Paths looked up as a process sees them, and files opened without any effect on the host.

Owns every lookup and every open of a file. May not know what stands in a file.

Three rules keep it harmless. What a path leads to is held with O_PATH first, which opens nothing (open(2)), and only a
regular file is opened then, through /proc/self/fd: opening a FIFO wakes a writer, a tape rewinds, a watchdog starts to
bite. O_NOATIME leaves the access time alone where the rights allow. Files in /proc that act when they are read (the
kernel log's /proc/kmsg forgets what was read) stay closed.

Below another process' root an absolute link means that root, so links are followed here, component by component, with
descriptors. openat2(2) with RESOLVE_IN_ROOT would do the same in one call on Linux 5.6 and later; since namei(1)'s
steps are needed too, and old kernels, there is one way for all.
"""

# pathlib knows neither descriptors nor O_PATH:
# ruff: noqa: PTH115, PTH116

from __future__ import annotations

import contextlib
import errno
import os
import re
import stat
from collections import deque
from collections.abc import Iterator

import msgspec

MAX_LINKS = 40  # as in the kernel (path_resolution(7))
MAX_PATH = 4096
CHUNK = 1 << 20

_HOLD = os.O_PATH | os.O_CLOEXEC
_READ = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
# Files that act when read, show memory, or follow the kernel's trace without end.
_ACTING = re.compile(
    r"/proc/(?:kmsg|kcore|sysrq-trigger|\d+/(?:task/\d+/)?(?:mem|pagemap|clear_refs))$|/sys/kernel/(?:debug|tracing)/"
)
# Names of the wizard's own descriptors: what a gateway has there is another file.
_OWN = re.compile(r"/dev/(?:std(?:in|out|err)$|fd/)|/proc/(?:self|thread-self)/fd/")


class NotRegularError(Exception):
    """What is there is no regular file; the text says what it is."""


class Place(msgspec.Struct, frozen=True):
    """What a path leads to, held open with O_PATH. `real` is the path behind all links, below the same root."""

    path: str
    fd: int
    real: str


class Step(msgspec.Struct, frozen=True):
    """One component on the way: its path, what lstat(2) says of it, and what a link says."""

    path: str
    seen: os.stat_result
    target: str | None = None


class Walked(msgspec.Struct):
    """The components of a path in the order of the lookup; where it ended early, the error and the component."""

    steps: list[Step] = msgspec.field(default_factory=list)
    real: str = "/"
    error: OSError | None = None
    at: str = "/"


def same_root(within: int | None) -> bool:
    """Whether a process sees the same tree as the wizard. Raises OSError where that cannot be seen."""
    if within is None:
        return True
    if os.stat(f"/proc/{within}/ns/mnt").st_ino != os.stat("/proc/self/ns/mnt").st_ino:
        return False
    root, own = os.stat(f"/proc/{within}/root"), os.stat("/")
    return (root.st_dev, root.st_ino) == (own.st_dev, own.st_ino)


@contextlib.contextmanager
def found(path: str, within: int | None = None, *, follow: bool = True) -> Iterator[Place]:
    """Hold what a path leads to.

    Args:
        path: an absolute path.
        within: the process in whose root to look; None: the wizard's.
        follow: False holds a link itself, where the last component is one.

    Raises:
        OSError: as the kernel says; ENOENT for a relative path, which means nothing here.
    """
    check(path)
    if same_root(within):
        fd = os.open(path, _HOLD if follow else _HOLD | os.O_NOFOLLOW)
        real = None
    else:
        with root_of(within) as root:
            walked, fd = _walk(root, path, follow=follow)
        real = walked.real
    try:
        yield Place(path, fd, real if real is not None else own_path(fd))
    finally:
        os.close(fd)


def walk(path: str, within: int | None = None) -> Walked:
    """Every component of a path, links followed, as far as it can be looked up. Raises OSError for the root only."""
    check(path)
    with root_of(None if same_root(within) else within) as root:
        walked, fd = _walk(root, path, follow=True, keep=True)
    if fd >= 0:
        os.close(fd)
    return walked


@contextlib.contextmanager
def root_of(within: int | None) -> Iterator[int]:
    """A descriptor of the root folder of a process."""
    fd = os.open("/" if within is None else f"/proc/{within}/root", _HOLD | os.O_DIRECTORY)
    try:
        yield fd
    finally:
        os.close(fd)


def check(path: str) -> None:
    """Refuse what no kernel would look up, and relative paths."""
    if "\0" in path or not path.startswith("/"):
        raise OSError(errno.ENOENT, os.strerror(errno.ENOENT), path)
    if len(path) >= MAX_PATH:
        raise OSError(errno.ENAMETOOLONG, os.strerror(errno.ENAMETOOLONG), path)


def own_path(fd: int) -> str:
    """The path of a held file in the wizard's own root."""
    return os.readlink(f"/proc/self/fd/{fd}")


class _Folders:
    """The folders from a root to where a lookup stands, each held open: `..` goes back the way that was come."""

    def __init__(self, root: int) -> None:
        self._held = [(os.dup(root), "")]

    @property
    def here(self) -> int:
        return self._held[-1][0]

    @property
    def path(self) -> str:
        return self._held[-1][1]

    def enter(self, fd: int, path: str) -> None:
        self._held.append((fd, path))

    def up(self) -> None:
        if len(self._held) > 1:
            os.close(self._held.pop()[0])

    def to_root(self) -> None:
        while len(self._held) > 1:
            self.up()

    def close(self) -> None:
        self.to_root()
        os.close(self.here)


def _walk(root: int, path: str, *, follow: bool, keep: bool = False) -> tuple[Walked, int]:
    """Look a path up below a root folder, component by component.

    With `keep` the steps are kept, and errors are part of the result (with the descriptor -1); else they are raised.
    """
    walked = Walked()
    folders = _Folders(root)
    if keep:
        walked.steps.append(Step("/", os.fstat(root)))
    try:
        fd = _components(walked, folders, path, follow=follow, keep=keep)
    except OSError as error:
        if not keep:
            raise
        walked.error = error
        return walked, -1
    finally:
        folders.close()
    return walked, fd


def _parts(path: str) -> list[str]:
    """The components of a path; a slash at its end asks for a folder, as `/.` does."""
    parts = [part for part in path.split("/") if part]
    return [*parts, "."] if parts and path.endswith("/") else parts


def _components(walked: Walked, folders: _Folders, path: str, *, follow: bool, keep: bool) -> int:
    pending = deque(_parts(path))
    links = 0
    while pending:
        name = pending.popleft()
        if name == ".":
            continue
        if name == "..":
            folders.up()
            continue
        walked.at = f"{folders.path}/{name}"
        seen = os.stat(name, dir_fd=folders.here, follow_symlinks=False)
        target = os.readlink(name, dir_fd=folders.here) if stat.S_ISLNK(seen.st_mode) else None
        if keep:
            walked.steps.append(Step(walked.at, seen, target))
        if target is not None and (pending or follow):
            links += 1
            if links > MAX_LINKS or len(pending) > MAX_PATH:
                raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), walked.at)
            if target.startswith("/"):
                folders.to_root()
            pending.extendleft(reversed(_parts(target)))
            continue
        if pending and not stat.S_ISDIR(seen.st_mode):
            walked.at = f"{walked.at}/{pending[0]}"
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), walked.at)
        fd = os.open(name, _HOLD | os.O_NOFOLLOW, dir_fd=folders.here)
        if not pending:
            walked.real = walked.at
            return fd
        folders.enter(fd, walked.at)
    walked.real = folders.path or "/"
    return os.dup(folders.here)


def kind_of(mode: int) -> str:
    """The word for a file's type: file, dir, socket, fifo, link or device."""
    words = {
        stat.S_IFREG: "file",
        stat.S_IFDIR: "dir",
        stat.S_IFSOCK: "socket",
        stat.S_IFIFO: "fifo",
        stat.S_IFLNK: "link",
    }
    return words.get(stat.S_IFMT(mode), "device")


@contextlib.contextmanager
def opened(place: Place) -> Iterator[int]:
    """Open a held regular file for reading.

    Raises:
        NotRegularError: it is something else, or a file that acts when it is read.
        OSError: it cannot be opened.
    """
    kind = kind_of(os.fstat(place.fd).st_mode)
    if kind == "dir":
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), place.path)
    if kind != "file":
        raise NotRegularError(f"it is a {kind}, not a regular file")
    if _ACTING.search(place.real) or _OWN.match(place.path):
        raise NotRegularError("it is a file of the kernel or of the wizard itself, not one to read")
    fd = _reopened(place.fd, _READ)
    try:
        yield fd
    finally:
        os.close(fd)


def listed(place: Place) -> int:
    """A descriptor to list a held folder with; the caller closes it."""
    return _reopened(place.fd, _READ | os.O_DIRECTORY)


def _reopened(fd: int, flags: int) -> int:
    path = f"/proc/self/fd/{fd}"
    try:
        return os.open(path, flags | os.O_NOATIME)
    except PermissionError:  # O_NOATIME is for the owner and for root
        return os.open(path, flags)


def read(place: Place, limit: int) -> tuple[bytes, bool]:
    """The first `limit` bytes of a held file, and whether there are more. Raises as `opened`."""
    with opened(place) as fd:
        parts: list[bytes] = []
        left = limit + 1
        while left > 0:
            part = os.read(fd, min(left, CHUNK))
            if not part:
                break
            parts.append(part)
            left -= len(part)
    content = b"".join(parts)
    return content[:limit], len(content) > limit
