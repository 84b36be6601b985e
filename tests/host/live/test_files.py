from __future__ import annotations

import errno
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.host.live.places import NOBODY, as_nobody, chrooted, needs_root
from wizard.host.live import files, paths
from wizard.host.questions import (
    DirList,
    FileRead,
    FilesRead,
    FileStat,
    ListDir,
    NotAnswered,
    PathSteps,
    ReadFile,
    ReadGlob,
    Stat,
    WalkPath,
    Why,
)


def read(path: Path | str, limit: int = 1 << 20, within: int | None = None) -> FileRead:
    answer = files.answer_read_file(ReadFile(str(path), limit, within))
    assert isinstance(answer, FileRead), answer
    return answer


def not_read(path: Path | str) -> NotAnswered:
    answer = files.answer_read_file(ReadFile(str(path)))
    assert isinstance(answer, NotAnswered), answer
    return answer


def looked_at(path: Path | str, *, follow: bool = True, within: int | None = None) -> FileStat:
    answer = files.answer_stat(Stat(str(path), follow, within))
    assert isinstance(answer, FileStat), answer
    return answer


def walked(path: Path | str, within: int | None = None) -> PathSteps:
    answer = files.answer_walk_path(WalkPath(str(path), within))
    assert isinstance(answer, PathSteps), answer
    return answer


def globbed(pattern: Path | str, within: int | None = None, most: int = 5000) -> FilesRead:
    answer = files.answer_read_glob(ReadGlob(str(pattern), max_files=most, within=within))
    assert isinstance(answer, FilesRead), answer
    return answer


# --- stat -----------------------------------------------------------------------------------------------------


def test_each_kind_of_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x" * 5)
    (tmp_path / "link").symlink_to("file")
    os.mkfifo(tmp_path / "fifo")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "socket"))
        kinds = {name: looked_at(tmp_path / name, follow=False).kind for name in ("file", "link", "fifo", "socket")}
    assert kinds == {"file": "file", "link": "link", "fifo": "fifo", "socket": "socket"}
    assert looked_at(tmp_path).kind == "dir"
    assert looked_at("/dev/null").kind == "device"


def test_a_link_is_followed_or_looked_at_itself(tmp_path: Path) -> None:
    (tmp_path / "real").write_text("12345")
    (tmp_path / "real").chmod(0o640)
    (tmp_path / "link").symlink_to("real")
    behind, itself = looked_at(tmp_path / "link"), looked_at(tmp_path / "link", follow=False)
    assert (behind.size, behind.mode, behind.target) == (5, 0o640, None)
    assert behind.real == str(tmp_path.resolve() / "real")
    assert (itself.kind, itself.target) == ("link", "real")
    assert itself.path == str(tmp_path / "link")


def test_ids_and_names_of_the_owner_are_told() -> None:
    seen = looked_at("/etc/passwd")
    assert (seen.uid, seen.owner, seen.group) == (0, "root", "root")
    assert seen.mtime == Path("/etc/passwd").stat().st_mtime
    assert seen.inode == Path("/etc/passwd").stat().st_ino


@pytest.mark.parametrize("path", ["/nowhere/at/all", "relative", "", "/etc/passwd/below", "/etc\0/passwd"])
def test_what_is_not_there_is_missing(path: str) -> None:
    answer = files.answer_stat(Stat(path))
    assert isinstance(answer, NotAnswered)
    assert answer.why is Why.MISSING


def test_a_path_that_is_too_long_or_goes_round_is_an_answer(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    for path, number in ((f"/{'x' * 5000}", errno.ENAMETOOLONG), (str(tmp_path / "a"), errno.ELOOP)):
        for answer in (files.answer_stat(Stat(path)), not_read(path)):
            assert isinstance(answer, NotAnswered)
            assert (answer.why, answer.errno) == (Why.FAILED, number)


# --- reading --------------------------------------------------------------------------------------------------


def test_a_file_is_read_up_to_a_limit(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"0123456789")
    assert read(tmp_path / "f").content == b"0123456789"
    assert read(tmp_path / "f", 10).cut is False
    assert (read(tmp_path / "f", 4).content, read(tmp_path / "f", 4).cut) == (b"0123", True)


def test_the_real_path_of_a_linked_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "real").write_text("x")
    (tmp_path / "enabled").symlink_to("real")
    assert read(tmp_path / "enabled").real == str(tmp_path.resolve() / "real")


def test_files_of_the_kernel_can_be_read() -> None:
    assert read("/proc/self/status").content.startswith(b"Name:")
    assert read("/proc/loadavg").content


@pytest.mark.parametrize("path", ["/dev/null", "/dev/zero", "/proc/kmsg", "/proc/self/mem", "/dev/stdin", "/dev/fd/0"])
def test_devices_and_files_that_act_are_refused(path: str) -> None:
    if not Path(path).exists():
        pytest.skip(f"there is no {path} here")
    assert not_read(path).why is Why.REFUSED


def test_a_fifo_is_refused_at_once_and_its_writer_not_woken(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    assert not_read(tmp_path / "fifo").why is Why.REFUSED
    with pytest.raises(OSError, match="No such device") as nobody_reads:
        os.open(tmp_path / "fifo", os.O_WRONLY | os.O_NONBLOCK)
    assert nobody_reads.value.errno == errno.ENXIO


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    assert not_read(tmp_path).errno == errno.EISDIR


@needs_root
def test_reading_leaves_the_access_time_alone(tmp_path: Path) -> None:
    file = tmp_path / "f"
    file.write_text("x")
    os.utime(file, (1000, 2000))
    read(file)
    globbed(tmp_path / "*")
    assert file.stat().st_atime == 1000


@needs_root
def test_a_denied_file_names_the_smallest_grant() -> None:
    folder = Path("/tmp") / f"wizard-denied-{os.getpid()}"
    folder.mkdir()
    try:
        log = folder / "error.log"
        log.write_text("x")
        log.chmod(0o640)
        os.chown(log, 0, 4)
        answer = as_nobody(lambda: files.answer_read_file(ReadFile(str(log))))
        assert isinstance(answer, NotAnswered)
        assert (answer.why, answer.errno, answer.grant) == (Why.DENIED, errno.EACCES, "membership in the group adm")
        log.chmod(0o600)
        answer = as_nobody(lambda: files.answer_read_file(ReadFile(str(log))))
        assert isinstance(answer, NotAnswered)
        assert answer.grant == "run as root: sudo gateway-wizard"
        assert as_nobody(lambda: files.answer_stat(Stat(str(log)))) == looked_at(log)
        folder.chmod(0o700)
        steps = as_nobody(lambda: files.answer_walk_path(WalkPath(str(log))))
        assert isinstance(steps, PathSteps)
        assert steps.denied == str(log)
        assert steps.steps[-1].path == str(folder)
        pattern = as_nobody(lambda: files.answer_read_glob(ReadGlob(f"{folder}/*.log")))
        assert isinstance(pattern, FilesRead)
        assert [(one.path, one.why) for one in pattern.problems] == [(str(folder), Why.DENIED)]
    finally:
        folder.chmod(0o755)
        log.unlink()
        folder.rmdir()


# --- the steps of a path --------------------------------------------------------------------------------------


def test_every_component_is_a_step_and_links_are_followed(tmp_path: Path) -> None:
    base = tmp_path.resolve()
    (base / "run").mkdir()
    (base / "run" / "app.sock").write_text("")
    (base / "var").symlink_to(base / "run")
    steps = walked(base / "var" / "app.sock").steps
    tail = [(step.path, step.kind, step.target) for step in steps if str(base) in step.path]
    assert steps[0].path == "/"
    assert tail == [
        (str(base), "dir", None),
        (str(base / "var"), "link", str(base / "run")),
        (str(base), "dir", None),
        (str(base / "run"), "dir", None),
        (str(base / "run" / "app.sock"), "file", None),
    ]


def test_the_first_missing_component_is_named(tmp_path: Path) -> None:
    base = tmp_path.resolve()
    answer = walked(base / "no" / "such" / "thing")
    assert answer.missing == str(base / "no")
    assert answer.steps[-1].path == str(base)


def test_a_file_in_the_middle_ends_the_walk(tmp_path: Path) -> None:
    base = tmp_path.resolve()
    (base / "file").write_text("")
    answer = walked(base / "file" / "below")
    assert answer.missing == str(base / "file" / "below")
    assert answer.steps[-1].kind == "file"


def test_links_that_go_round_end_with_an_errno(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    answer = files.answer_walk_path(WalkPath(str(tmp_path / "a")))
    assert isinstance(answer, NotAnswered)
    assert answer.errno == errno.ELOOP


@pytest.fixture(scope="module")
def maze(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folders a/b, files, and links of all kinds between them."""
    base = tmp_path_factory.mktemp("maze").resolve()
    (base / "a" / "b").mkdir(parents=True)
    (base / "a" / "f").write_text("f")
    links = {"l": "a", "m": "l/b", "a/n": "../l", "a/b/o": "/", "a/b/p": "../../q", "q": "q", "r": "nowhere"}
    for name, target in links.items():
        (base / name).symlink_to(target)
    (base / "a" / "s").symlink_to(base / "m")
    return base


@settings(max_examples=800)
@given(parts=st.lists(st.sampled_from(["a", "b", "f", "l", "m", "n", "p", "q", "r", "s", "..", ".", ""]), max_size=7))
def test_the_walk_comes_to_where_the_kernel_comes_to(maze: Path, parts: list[str]) -> None:
    path = f"{maze}/{'/'.join(parts)}"
    ours, kernel = paths.walk(path), errno_or_stat(path)
    if isinstance(kernel, int):
        assert ours.error is not None
        assert ours.error.errno == kernel
    else:
        assert ours.error is None
        assert ours.real == os.path.realpath(path)
        assert os.path.samestat(Path(ours.real).stat(), kernel)


def errno_or_stat(path: str) -> int | os.stat_result:
    try:
        return os.stat(path)  # noqa: PTH116 - a Path would lose the last slash
    except OSError as error:
        return error.errno or 0


# --- patterns and folders -------------------------------------------------------------------------------------


def test_matching_files_are_read_in_the_order_of_their_bytes(tmp_path: Path) -> None:
    for name in ("b.conf", "a.conf", "B.conf", "10.conf", "9.conf", ".hidden.conf", "c.txt"):
        (tmp_path / name).write_text(name)
    answer = globbed(tmp_path / "*.conf")
    assert [file.content.decode() for file in answer.files] == ["10.conf", "9.conf", "B.conf", "a.conf", "b.conf"]
    assert answer.problems == ()


def test_wildcards_in_folders_match_too(tmp_path: Path) -> None:
    for folder in ("x/conf.d", "y/conf.d", "z/other"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "a.conf").write_text(folder)
    answer = globbed(tmp_path / "[xyz]" / "conf.d" / "?.conf")
    assert [file.content for file in answer.files] == [b"x/conf.d", b"y/conf.d"]


def test_matches_that_cannot_be_read_are_problems(tmp_path: Path) -> None:
    (tmp_path / "a.conf").write_text("fine")
    (tmp_path / "b.conf").symlink_to("gone")
    (tmp_path / "c.conf").mkdir()
    os.mkfifo(tmp_path / "d.conf")
    answer = globbed(tmp_path / "*.conf")
    assert [file.content for file in answer.files] == [b"fine"]
    assert [(Path(one.path).name, one.why) for one in answer.problems] == [
        ("b.conf", Why.MISSING),
        ("c.conf", Why.FAILED),
        ("d.conf", Why.REFUSED),
    ]


def test_a_pattern_that_matches_nothing_is_an_empty_answer(tmp_path: Path) -> None:
    assert globbed(tmp_path / "*.conf") == FilesRead(())
    assert globbed(tmp_path / "no" / "*.conf") == FilesRead(())
    assert globbed(tmp_path / "no.conf") == FilesRead(())


def test_a_pattern_without_wildcards_is_that_file(tmp_path: Path) -> None:
    (tmp_path / "a*b").write_text("star")
    assert [file.content for file in globbed(f"{tmp_path}/a\\*b").files] == [b"star"]


def test_too_many_matches_are_cut(tmp_path: Path) -> None:
    for number in range(5):
        (tmp_path / f"{number}.conf").write_text("")
    answer = globbed(tmp_path / "*", most=3)
    assert (len(answer.files), answer.cut) == (3, True)


def test_names_that_are_no_text_are_spelled(tmp_path: Path) -> None:
    name = os.fsencode(tmp_path) + b"/caf\xe9.conf"
    with open(name, "wb") as file:  # noqa: PTH123 - a name of bytes
        file.write(b"x")
    answer = globbed(tmp_path / "*.conf")
    assert [file.path for file in answer.files] == [f"{tmp_path}/caf\\xe9.conf"]
    listing = files.answer_list_dir(ListDir(str(tmp_path)))
    assert isinstance(listing, DirList)
    assert [entry.path for entry in listing.entries] == [f"{tmp_path}/caf\\xe9.conf"]


def test_a_folder_is_listed_in_the_order_of_names(tmp_path: Path) -> None:
    for name in ("b", "a", ".c"):
        (tmp_path / name).write_text("")
    (tmp_path / "l").symlink_to("nowhere")
    answer = files.answer_list_dir(ListDir(str(tmp_path)))
    assert isinstance(answer, DirList)
    assert [(Path(one.path).name, one.kind, one.target) for one in answer.entries] == [
        (".c", "file", None),
        ("a", "file", None),
        ("b", "file", None),
        ("l", "link", "nowhere"),
    ]
    cut = files.answer_list_dir(ListDir(str(tmp_path), max_entries=2))
    assert isinstance(cut, DirList)
    assert (len(cut.entries), cut.cut) == (2, True)


def test_a_file_is_no_folder_to_list() -> None:
    answer = files.answer_list_dir(ListDir("/etc/passwd"))
    assert isinstance(answer, NotAnswered)
    assert answer.why is Why.MISSING


# --- as another process sees it -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def jail(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, int]]:
    """A root folder of its own with absolute links in it, and a process that lives there."""
    root = tmp_path_factory.mktemp("jail").resolve()
    for folder in ("etc/nginx/sites", "run", "srv"):
        (root / folder).mkdir(parents=True)
    (root / "etc/passwd").write_text("inner:x:0:0::/:/bin/sh\n")
    (root / "etc/group").write_text("inners:x:0:\n")
    (root / "etc/nginx/nginx.conf").write_text("# of the jail\n")
    (root / "etc/nginx/sites/real.conf").write_text("# real\n")
    (root / "etc/nginx/sites/link.conf").symlink_to("/etc/nginx/sites/real.conf")
    (root / "var").symlink_to("/run")
    (root / "run/up").symlink_to("../../../../etc/nginx/nginx.conf")
    (root / "srv/only-outside").symlink_to("/usr/bin/env")
    with chrooted(root) as pid:
        yield root, pid


@needs_root
def test_absolute_links_mean_the_root_of_the_process(jail: tuple[Path, int]) -> None:
    root, pid = jail
    file = read("/etc/nginx/sites/link.conf", within=pid)
    assert (file.content, file.real) == (b"# real\n", "/etc/nginx/sites/real.conf")
    assert read("/run/up", within=pid).content == b"# of the jail\n"
    assert read("/../../etc/nginx/nginx.conf", within=pid).content == b"# of the jail\n"
    outside = files.answer_stat(Stat("/srv/only-outside", within=pid))
    assert isinstance(outside, NotAnswered)
    assert outside.why is Why.MISSING
    assert looked_at("/var", within=pid).inode == (root / "run").stat().st_ino


@needs_root
def test_steps_names_and_patterns_are_those_of_the_process(jail: tuple[Path, int]) -> None:
    _, pid = jail
    assert [step.path for step in walked("/var/up", pid).steps] == [
        "/", "/var", "/run", "/run/up", "/etc", "/etc/nginx", "/etc/nginx/nginx.conf",
    ]  # fmt: skip
    assert looked_at("/etc/passwd", within=pid).owner == "inner"
    assert looked_at("/etc/passwd", within=pid).group == "inners"
    answer = globbed("/etc/nginx/sites/*.conf", pid)
    assert [file.path for file in answer.files] == ["/etc/nginx/sites/link.conf", "/etc/nginx/sites/real.conf"]
    listing = files.answer_list_dir(ListDir("/var", within=pid))
    assert isinstance(listing, DirList)
    assert [entry.path for entry in listing.entries] == ["/var/up"]


@needs_root
def test_a_process_that_is_gone_or_not_ours_is_an_answer(jail: tuple[Path, int]) -> None:
    gone = files.answer_stat(Stat("/etc", within=2**22 - 1))
    assert isinstance(gone, NotAnswered)
    assert gone.why is Why.MISSING
    _, pid = jail
    denied = as_nobody(lambda: files.answer_read_file(ReadFile("/etc/passwd", within=pid)))
    assert isinstance(denied, NotAnswered)
    assert (denied.why, denied.grant) == (Why.DENIED, "run as root: sudo gateway-wizard")


def test_our_own_process_is_looked_at_directly() -> None:
    assert paths.same_root(os.getpid())
    assert read("/etc/passwd", within=os.getpid()).real == "/etc/passwd"


def test_nobody_is_who_is_meant() -> None:
    if os.geteuid() == 0:
        assert as_nobody(os.geteuid) == NOBODY
