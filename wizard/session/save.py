"""Writes a file that holds what a host told: whole or not at all, and for its owner's eyes only.

Owns the way in which the wizard writes at all: nothing else opens a file for writing. May not know what is written.
"""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import stat
from pathlib import Path

from wizard.text import one_line

_DEVICES = ("/dev", "/proc", "/sys")
_NO_LINKS = {errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK}  # a file system without hard links
_REASONS = {
    errno.EACCES: ("the folder may not be written to", "choose a folder of your own, such as your home"),
    errno.EPERM: ("the file system does not allow it", "choose another folder; lsattr shows immutable files"),
    errno.ENOENT: ("the folder is not there", "create it first, or choose another one"),
    errno.ENOTDIR: ("a part of the path is not a folder", "choose another path"),
    errno.EROFS: ("the file system is mounted read-only", "choose a folder on another one, such as /tmp or /run"),
    errno.ENOSPC: ("the file system is full", "choose a folder on another one"),
    errno.EDQUOT: ("the disk quota is used up", "choose a folder on another file system"),
    errno.EMFILE: ("too many files are open", "close some, or raise the limit (ulimit -n)"),
    errno.ENAMETOOLONG: ("the name is too long", "choose a shorter one"),
    errno.ELOOP: ("its symbolic links go round in a circle", "choose another path"),
}


class SaveError(Exception):
    """A file was not written: the path, what stood in the way, and what to do. The old content is untouched."""

    def __init__(self, path: str, what: str, hint: str) -> None:
        self.path = path
        self.what = what
        self.hint = hint
        super().__init__(f"cannot write {one_line(path)}: {what}; {hint}")


class ExistsError(SaveError):
    """There is a file already, and it was not to be replaced."""

    def __init__(self, path: str) -> None:
        super().__init__(path, "there is a file of that name already", "choose another name")


def write_private(path: str | Path, data: bytes, *, replace: bool = True) -> None:
    """Write a file with mode 0600, atomically, and flush it to disk.

    The data is written beside its place under a name that cannot be guessed, and renamed: a reader sees the old file
    or the new one, and a symbolic link at the path is replaced, never followed. Only a regular file or a link is
    replaced, and nothing below /dev, /proc or /sys (but for /dev/shm).

    Args:
        path: where to.
        data: what the file will hold.
        replace: whether a file that is there may be replaced.

    Raises:
        ExistsError: there is one, and it was not to be replaced.
        SaveError: the file was not written; its old content is untouched.
    """
    target = Path(path)
    try:
        _check(target)
        _place(target, data, replace=replace)
    except FileExistsError as error:
        raise ExistsError(str(path)) from error
    except OSError as error:
        what, hint = _REASONS.get(error.errno or 0, (os.strerror(error.errno or errno.EIO), "choose another path"))
        raise SaveError(str(path), what, hint) from error
    except ValueError as error:
        raise SaveError(str(path), "the name holds a character that no path can hold", "choose another name") from error


def _check(target: Path) -> None:
    if target.name in {"", ".", ".."}:
        raise SaveError(str(target), "it is a folder", "name a file in it")
    folder = os.path.realpath(target.parent, strict=True)
    inside = any(folder == root or folder.startswith(f"{root}/") for root in _DEVICES)
    if inside and Path(folder).parts[1:3] != ("dev", "shm"):
        raise SaveError(str(target), "it is in a folder of devices", "name a regular file, or print to standard output")
    try:
        mode = target.lstat().st_mode
    except FileNotFoundError:
        return
    if stat.S_ISDIR(mode):
        raise SaveError(str(target), "it is a folder", "name a file in it")
    if not (stat.S_ISREG(mode) or stat.S_ISLNK(mode)):
        raise SaveError(str(target), "it is not a regular file", "name another one")


def _place(target: Path, data: bytes, *, replace: bool) -> None:
    folder = os.open(target.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        temporary = f".{target.name[:200]}.{secrets.token_hex(8)}"
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        file = os.open(temporary, flags, 0o600, dir_fd=folder)
        try:
            try:
                os.fchmod(file, 0o600)
                _write_all(file, data)
                os.fsync(file)
            finally:
                os.close(file)
            if replace:
                os.rename(temporary, target.name, src_dir_fd=folder, dst_dir_fd=folder)
            else:
                _place_beside(temporary, target, folder)
        except BaseException:  # an interrupt too must leave nothing behind
            with contextlib.suppress(OSError):
                os.unlink(temporary, dir_fd=folder)
            raise
        with contextlib.suppress(OSError):  # some file systems cannot flush a folder; the file itself is safe
            os.fsync(folder)
    finally:
        os.close(folder)


def _place_beside(temporary: str, target: Path, folder: int) -> None:
    """Give a file its name where none has it: a second link fails where one is there, in one step."""
    try:
        os.link(temporary, target.name, src_dir_fd=folder, dst_dir_fd=folder)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        if os.path.lexists(target):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST)) from error
        os.rename(temporary, target.name, src_dir_fd=folder, dst_dir_fd=folder)
    else:
        os.unlink(temporary, dir_fd=folder)


def _write_all(file: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(file, rest) :]
