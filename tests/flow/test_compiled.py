"""Trees in the form in which they are read fastest: the same trees, and none that are not those of the files."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from wizard.flow import compiled
from wizard.flow.data import flows_root
from wizard.flow.folders import load_directory


@pytest.fixture
def made(tmp_path: Path) -> tuple[Path, Path]:
    """A copy of the program's trees, and what was made of it."""
    root, file = tmp_path / "flows", tmp_path / "flows.msgpack"
    shutil.copytree(str(flows_root()), root)
    compiled.write(root, file)
    return root, file


def test_they_are_the_trees_that_were_written(made: tuple[Path, Path]) -> None:
    found = compiled.read(*made)
    written = load_directory(made[0])
    assert found is not None
    assert (dict(found.flows), dict(found.causes)) == (dict(written.flows), dict(written.causes))
    assert list(found.flows) == list(written.flows)


@pytest.mark.parametrize("changed", ["502.yaml", "causes/service.yaml"])
def test_an_edit_counts_at_once(made: tuple[Path, Path], changed: str) -> None:
    file = made[0] / changed
    file.write_text(file.read_text() + "\n")
    assert compiled.read(*made) is None


def test_a_new_file_counts_at_once(made: tuple[Path, Path]) -> None:
    (made[0] / "mine.yaml").write_text("flow: mine\n")
    assert compiled.read(*made) is None


@pytest.mark.parametrize("content", [b"", b"\x00", b"\xff" * 100, b"\x83\xa7sources\xa1x\xa5flows\x90\xa6causes\x90"])
def test_what_is_no_such_file_is_passed_over(made: tuple[Path, Path], content: bytes) -> None:
    made[1].write_bytes(content)
    assert compiled.read(*made) is None
    assert compiled.read(made[0], made[1].with_name("none")) is None


def test_trees_with_a_problem_are_not_compiled(made: tuple[Path, Path]) -> None:
    (made[0] / "mine.yaml").write_text("flow: mine\n")
    with pytest.raises(ValueError, match=r"mine\.yaml"):
        compiled.write(*made)
