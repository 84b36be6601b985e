"""A private file is written whole or not at all, to a file and nothing else."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

import pytest

from wizard.session.save import ExistsError, SaveError, write_private


def names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


def refusal(path: Path) -> SaveError:
    with pytest.raises(SaveError) as caught:
        write_private(path, b"new")
    error = caught.value
    assert error.path == str(path)
    assert str(error).startswith(f"cannot write {error.path}"[:60])
    return error


def test_only_the_owner_may_read_it_whatever_the_mask(tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        write_private(tmp_path / "a", b"x")
    finally:
        os.umask(old)
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o600
    (tmp_path / "a").chmod(0o644)
    write_private(tmp_path / "a", b"y")
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o600
    assert (tmp_path / "a").read_bytes() == b"y"
    assert names(tmp_path) == ["a"]


def test_a_relative_name_is_written_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_private("a", b"x")
    assert (tmp_path / "a").read_bytes() == b"x"


def test_a_link_is_replaced_and_never_followed(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_bytes(b"old")
    (tmp_path / "a").symlink_to(victim)
    write_private(tmp_path / "a", b"new")
    assert victim.read_bytes() == b"old"
    assert not (tmp_path / "a").is_symlink()
    assert (tmp_path / "a").read_bytes() == b"new"


def test_a_hard_link_keeps_the_old_content(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_bytes(b"old")
    os.link(victim, tmp_path / "a")
    write_private(tmp_path / "a", b"new")
    assert victim.read_bytes() == b"old"


@pytest.mark.parametrize("call", ["write", "fsync", "rename", "fchmod"])
def test_a_failure_leaves_the_old_content_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"old")

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(f"wizard.session.save.os.{call}", full)
        assert refusal(path).what == "the file system is full"
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["a"]


def test_an_interrupt_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_: int) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("wizard.session.save.os.fsync", interrupted)
        with pytest.raises(KeyboardInterrupt):
            write_private(tmp_path / "a", b"new")
    assert names(tmp_path) == []


def test_only_files_are_replaced(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_bytes(b"old")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    assert refusal(tmp_path / "fifo").what == "it is not a regular file"
    assert refusal(tmp_path / "folder").what == "it is a folder"
    assert refusal(tmp_path / "folder" / "..").what == "it is a folder"
    assert refusal(tmp_path / "missing" / "a").what == "the folder is not there"
    assert refusal(tmp_path / "file" / "a").what == "a part of the path is not a folder"
    assert refusal(tmp_path / "loop" / "a").what == "its symbolic links go round in a circle"
    assert refusal(tmp_path / ("x" * 300)).what == "the name is too long"
    assert refusal(tmp_path / "a\0b").what == "the name holds a character that no path can hold"


def test_devices_stay(tmp_path: Path) -> None:
    (tmp_path / "to-dev").symlink_to("/dev")
    for path in ("/dev/null", "/dev/stdout", "/dev/gateway-wizard-test", "/proc/self/x", str(tmp_path / "to-dev/x")):
        assert refusal(Path(path)).what == "it is in a folder of devices"
    assert stat.S_ISCHR(Path("/dev/null").stat().st_mode)


def test_a_file_that_is_there_is_kept_where_it_is_not_to_be_replaced(tmp_path: Path) -> None:
    path = tmp_path / "report.md"
    write_private(path, b"first", replace=False)
    with pytest.raises(ExistsError) as caught:
        write_private(path, b"second", replace=False)
    assert caught.value.path == str(path)
    assert path.read_bytes() == b"first"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [one.name for one in tmp_path.iterdir()] == ["report.md"]


def test_a_link_that_is_there_is_kept_too(tmp_path: Path) -> None:
    (tmp_path / "report.md").symlink_to(tmp_path / "nowhere")
    with pytest.raises(ExistsError):
        write_private(tmp_path / "report.md", b"x", replace=False)
    assert not (tmp_path / "nowhere").exists()


def test_a_file_system_without_links_keeps_what_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    path = tmp_path / "report.md"
    write_private(path, b"first", replace=False)
    with pytest.raises(ExistsError):
        write_private(path, b"second", replace=False)
    assert path.read_bytes() == b"first"
    assert [one.name for one in tmp_path.iterdir()] == ["report.md"]
