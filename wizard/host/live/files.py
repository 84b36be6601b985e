"""Answers about files: stat, the steps of a path, one file, all files of a pattern, one folder.

Owns the way from what the kernel says to `FileStat` and its like. May not know what a file is for. Names that are no
UTF-8 are spelled with backslashes, as `wizard.text` does, so that an answer can be written down.
"""

from __future__ import annotations

import itertools
import os
import stat

from wizard.host.live import paths
from wizard.host.live.accounts import Accounts, accounts
from wizard.host.live.failure import failed, said, why
from wizard.host.live.wildcards import compile_wildcard, has_wildcards, literal
from wizard.host.questions import (
    DirList,
    FileRead,
    FilesRead,
    FileStat,
    ListDir,
    NamedProblem,
    NotAnswered,
    PathSteps,
    ReadFile,
    ReadGlob,
    Stat,
    WalkPath,
    Why,
)
from wizard.text import one_line

MAX_NAMES = 200_000  # of one folder; the rest is not looked at


def spelled(name: str) -> str:
    """A file name that can be written down: bytes that are no UTF-8 become backslash sequences."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def answer_stat(question: Stat) -> FileStat | NotAnswered:
    """Look at what a path leads to, or at the link itself. Needs no right to read the file."""
    try:
        with paths.found(question.path, question.within, follow=question.follow) as place:
            seen = os.fstat(place.fd)
            target = os.readlink("", dir_fd=place.fd) if stat.S_ISLNK(seen.st_mode) else None
            return _file_stat(question.path, seen, accounts(question.within), target=target, real=place.real)
    except OSError as error:
        return not_looked_up(error, question.path, question.within)


def answer_walk_path(question: WalkPath) -> PathSteps | NotAnswered:
    """Look at every component of a path, as namei(1) does."""
    try:
        walked = paths.walk(question.path, question.within)
    except OSError as error:
        return failed(error, question.path)
    names = accounts(question.within)
    steps = tuple(_file_stat(step.path, step.seen, names, target=step.target) for step in walked.steps)
    if walked.error is None:
        return PathSteps(steps)
    kind = why(walked.error)
    if kind is Why.MISSING:
        return PathSteps(steps, missing=spelled(walked.at))
    if kind is Why.DENIED:
        return PathSteps(steps, denied=spelled(walked.at))
    return failed(walked.error, walked.at)


def answer_read_file(question: ReadFile) -> FileRead | NotAnswered:
    """Read the first bytes of a regular file."""
    try:
        return _read(question.path, question.max_bytes, question.within)
    except paths.NotRegularError as error:
        return NotAnswered(Why.REFUSED, f"{one_line(question.path)}: {error}")
    except OSError as error:
        return not_looked_up(error, question.path, question.within)


def answer_read_glob(question: ReadGlob) -> FilesRead | NotAnswered:
    """Read every file that matches a pattern, in the order of glob(3): that of the bytes of their paths."""
    if not question.pattern.startswith("/"):
        return NotAnswered(Why.FAILED, f"{one_line(question.pattern)}: a pattern must be an absolute path")
    problems: list[NamedProblem] = []
    try:
        matched = _matches(question.pattern, question.within, problems)
    except OSError as error:
        return failed(error, question.pattern)
    files: list[FileRead] = []
    for path in matched[: question.max_files]:
        try:
            files.append(_read(path, question.max_bytes, question.within))
        except paths.NotRegularError as error:
            problems.append(NamedProblem(spelled(path), Why.REFUSED, str(error)))
        except OSError as error:
            problems.append(NamedProblem(spelled(path), why(error), said(error)))
    return FilesRead(tuple(files), tuple(problems), cut=len(matched) > question.max_files)


def answer_list_dir(question: ListDir) -> DirList | NotAnswered:
    """List a folder, each entry as by lstat(2); entries that vanish meanwhile are left out."""
    names = accounts(question.within)
    entries: list[FileStat] = []
    base = question.path.rstrip("/")
    try:
        with paths.found(question.path, question.within) as place:
            fd = paths.listed(place)
            try:
                found = names_in(fd)
                for name in found[: question.max_entries]:
                    try:
                        seen = os.stat(name, dir_fd=fd, follow_symlinks=False)
                        target = os.readlink(name, dir_fd=fd) if stat.S_ISLNK(seen.st_mode) else None
                    except FileNotFoundError:
                        continue
                    entries.append(_file_stat(f"{base}/{name}", seen, names, target=target))
            finally:
                os.close(fd)
    except OSError as error:
        return not_looked_up(error, question.path, question.within)
    return DirList(question.path, tuple(entries), cut=len(found) > question.max_entries)


def _file_stat(
    path: str, seen: os.stat_result, names: Accounts, *, target: str | None = None, real: str = ""
) -> FileStat:
    return FileStat(
        path=spelled(path),
        kind=paths.kind_of(seen.st_mode),
        mode=stat.S_IMODE(seen.st_mode),
        uid=seen.st_uid,
        gid=seen.st_gid,
        size=seen.st_size,
        mtime=seen.st_mtime,
        inode=seen.st_ino,
        owner=names.user(seen.st_uid),
        group=names.group(seen.st_gid),
        target=None if target is None else spelled(target),
        real=spelled(real),
    )


def _read(path: str, limit: int, within: int | None) -> FileRead:
    with paths.found(path, within) as place:
        content, cut = paths.read(place, limit)
        return FileRead(spelled(path), content, spelled(place.real), os.fstat(place.fd).st_mtime, cut)


def names_in(fd: int) -> list[str]:
    """The names in an open folder, in the order of their bytes."""
    with os.scandir(fd) as entries:
        return sorted((entry.name for entry in itertools.islice(entries, MAX_NAMES)), key=os.fsencode)


def _matches(pattern: str, within: int | None, problems: list[NamedProblem]) -> list[str]:
    """The paths that match, sorted. A folder that may not be listed is a problem: glob(3) would silently skip it."""
    prefixes = [""]
    components = [part for part in pattern.split("/") if part]
    for place, component in enumerate(components):
        last = place == len(components) - 1
        if not has_wildcards(component):
            name = literal(component)
            prefixes = [f"{prefix}/{name}" for prefix in prefixes]
            if last:
                prefixes = [path for path in prefixes if _exists(path, within)]
            continue
        wildcard = compile_wildcard(os.fsencode(component))
        prefixes = [
            f"{prefix}/{name}"
            for prefix in prefixes
            for name in _listing(prefix or "/", within, problems)
            if wildcard.matches(os.fsencode(name))
        ]
    return sorted(prefixes, key=os.fsencode)


def _listing(folder: str, within: int | None, problems: list[NamedProblem]) -> list[str]:
    try:
        with paths.found(folder, within) as place:
            fd = paths.listed(place)
            try:
                return names_in(fd)
            finally:
                os.close(fd)
    except OSError as error:
        if why(error) is not Why.MISSING:
            problems.append(NamedProblem(spelled(folder), why(error), said(error)))
        return []


def _exists(path: str, within: int | None) -> bool:
    """Whether there is something to open, were it a link that leads nowhere; a denied lookup is a problem of reading."""
    try:
        with paths.found(path, within, follow=False):
            return True
    except OSError as error:
        return why(error) is not Why.MISSING


def not_looked_up(error: OSError, path: str, within: int | None) -> NotAnswered:
    """The answer where a path could not be looked up or opened, with the smallest right that would help."""
    grant = _grant(path, within) if why(error) is Why.DENIED and os.geteuid() != 0 else None
    return failed(error, path, grant)


def _grant(path: str, within: int | None) -> str | None:
    """The smallest right that would let the wizard look: membership in a group, where its bits suffice."""
    try:
        walked = paths.walk(path, within)
    except OSError:
        return None
    if not walked.steps:
        return None
    last = walked.steps[-1].seen  # the folder that stopped the lookup, or the file that could not be opened
    wanted = stat.S_IXGRP if walked.error is not None else stat.S_IRGRP
    group = accounts(within).group(last.st_gid)
    if group and last.st_mode & wanted and last.st_gid not in os.getgroups():
        return f"membership in the group {group}"
    return None
