"""What is asked of the file system: files, folders, paths step by step, and the end of a log.

A path may be asked `within` a process: it is then looked up below `/proc/PID/root`, as that process sees it.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

from wizard.host.questions.asking import Answer, Ask, Why


class FileStat(Answer, frozen=True, tag="stat"):
    """lstat or stat of one path. `mtime` is in seconds since the epoch; `real` is the path behind all links."""

    path: str
    kind: str  # file, dir, socket, fifo, link, device
    mode: int  # permission bits only
    uid: int
    gid: int
    size: int
    mtime: float
    inode: int
    owner: str = ""
    group: str = ""
    target: str | None = None  # what a link points to, as written
    real: str = ""


class Stat(Ask[FileStat], frozen=True, tag="stat"):
    """stat one path; `follow=False` looks at a link itself."""

    path: str
    follow: bool = True
    within: int | None = None


class PathSteps(Answer, frozen=True, tag="path-steps"):
    """Every component of a path from `/` on, links followed as in namei(1); ends early where one is missing.

    `missing` is the first component that is not there, `denied` the first that could not be looked at.
    """

    steps: tuple[FileStat, ...]
    missing: str | None = None
    denied: str | None = None


class WalkPath(Ask[PathSteps], frozen=True, tag="walk-path"):
    """Ask for owner, mode and kind of each component of a path."""

    path: str
    within: int | None = None


class FileRead(Answer, frozen=True, tag="file"):
    """One file's first bytes. `real` is the path behind all links."""

    path: str
    content: bytes
    real: str
    mtime: float
    cut: bool = False


class ReadFile(Ask[FileRead], frozen=True, tag="read-file"):
    """Read one regular file (or one below /proc or /sys) up to a limit. Secrets are replaced in recordings."""

    path: str
    max_bytes: int = 1 << 20
    within: int | None = None


class NamedProblem(msgspec.Struct, frozen=True):
    """A file that matched and could not be read."""

    path: str
    why: Why
    detail: str


class FilesRead(Answer, frozen=True, tag="files"):
    """The readable files behind a pattern in glob(3) order, and those that could not be read."""

    files: tuple[FileRead, ...]
    problems: tuple[NamedProblem, ...] = ()
    cut: bool = False  # more files matched than the limit allows


class ReadGlob(Ask[FilesRead], frozen=True, tag="read-glob"):
    """Read all regular files that match a glob(3) pattern (no braces, no tilde, hidden files only by a literal dot)."""

    pattern: str
    max_files: int = 5000
    max_bytes: int = 1 << 20  # each
    within: int | None = None


class DirList(Answer, frozen=True, tag="dir"):
    """The entries of a folder, each as by lstat, in name order."""

    path: str
    entries: tuple[FileStat, ...]
    cut: bool = False


class ListDir(Ask[DirList], frozen=True, tag="list-dir"):
    """List one folder."""

    path: str
    max_entries: int = 2000
    within: int | None = None


class StampKind(StrEnum):
    """How the lines of a log file begin, so that its tail since a time can be found by bisection."""

    NGINX_ERROR = "nginx-error"  # 2026/11/22 09:39:10, the writer's local time
    COMMON = "common"  # ... [22/Nov/2026:09:42:58 +0000] ...
    ISO = "iso"  # 2026-11-22T09:39:10+00:00, at the start of the line
    NONE = "none"  # no known stamp: the last bytes are read


class LogTail(Answer, frozen=True, tag="log-tail"):
    """The end of a log, whole lines only, oldest first; `from_start` where the whole window was read."""

    path: str
    content: bytes
    size: int
    mtime: float
    from_start: bool  # False: the size limit cut older lines of the window off
    utc_offset: int = 0  # seconds east of UTC in which stamps without a zone were read
    left_out: int = 0  # lines before the content that were seen, and not kept for a report


class ReadLog(Ask[LogTail], frozen=True, tag="read-log"):
    """Read what was written to a log in the last `since` seconds, from its end, at most `max_bytes`."""

    path: str
    since: float
    stamp: StampKind = StampKind.NONE
    max_bytes: int = 16 << 20
    within: int | None = None
