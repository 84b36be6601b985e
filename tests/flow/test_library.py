"""Folders of files as one library."""

from __future__ import annotations

from pathlib import Path

from tests.flow.samples import CAUSES, ENTRY, FIREWALL, SERVER, VOCABULARY
from wizard.flow.data import SYSTEM_FLOWS, flows_root, own_flows
from wizard.flow.folders import Source, load_directory, load_library
from wizard.flow.language import At, Problem
from wizard.flow.library import Library
from wizard.flow.lint import lint


def folder(path: Path, **files: str) -> Path:
    (path / "causes").mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (path / name.replace("__", "/")).with_suffix(".yaml").write_text(text)
    return path


def whole(path: Path) -> Path:
    folder(path, causes__services=CAUSES)
    for name, text in (("502", ENTRY), ("upstream-server", SERVER), ("firewall", FIREWALL)):
        (path / f"{name}.yaml").write_text(text)
    return path


def test_a_folder_is_a_library(tmp_path: Path) -> None:
    library = load_directory(whole(tmp_path))
    assert sorted(library.flows) == ["502", "firewall", "upstream-server"]
    assert list(library.causes) == ["upstream-service-stopped"]
    assert library.problems == ()
    assert lint(library, VOCABULARY) == []
    assert library.flows["502"].at.file == str(tmp_path / "502.yaml")


def test_a_folder_that_is_not_there_is_empty(tmp_path: Path) -> None:
    assert load_directory(tmp_path / "none") == Library()


def test_a_bad_file_keeps_no_other_from_loading(tmp_path: Path) -> None:
    whole(tmp_path)
    (tmp_path / "bad.yaml").write_text("flow: [\n")
    (tmp_path / "latin.yaml").write_bytes(b"flow: x\ntitle: caf\xe9\n")
    (tmp_path / "other.yml").write_text(FIREWALL)
    (tmp_path / "other-name.yaml").write_text(FIREWALL)
    (tmp_path / "README.md").write_text("no flow")
    library = load_directory(tmp_path)
    assert sorted(library.flows) == ["502", "firewall", "upstream-server"]
    assert [
        (problem.at.file.rsplit("/", 1)[-1], problem.at.line, problem.at.column) for problem in library.problems
    ] == [
        ("bad.yaml", 2, 1),
        ("latin.yaml", 2, 11),
        ("other-name.yaml", 1, 7),
        ("other.yml", 1, 1),
    ]
    assert set(library.problems) <= set(lint(library, VOCABULARY))


def test_two_files_cannot_hold_one_cause(tmp_path: Path) -> None:
    whole(tmp_path)
    folder(tmp_path, causes__again=CAUSES)
    library = load_directory(tmp_path)
    assert library.problems == (
        Problem(
            At(str(tmp_path / "causes/services.yaml"), 1, 3),
            "two causes are called 'upstream-service-stopped'",
            f"the other at {tmp_path}/causes/again.yaml:1:3",
        ),
    )


def test_a_later_folder_wins_and_carries_its_trust(tmp_path: Path) -> None:
    base = whole(tmp_path / "base")
    own = folder(tmp_path / "own", firewall=FIREWALL.replace("title: Is", "title: Really, is"))
    library = load_library(Source(base), Source(own, trusted=False))
    assert library.flows["firewall"].title.startswith("Really")
    assert not library.flows["firewall"].trusted
    assert library.flows["502"].trusted
    assert library.places["flow", "firewall", "title"].value.file == str(own / "firewall.yaml")


def test_a_single_file_is_a_source(tmp_path: Path) -> None:
    file = tmp_path / "firewall.yaml"
    file.write_text(FIREWALL)
    assert list(load_library(Source(file)).flows) == ["firewall"]


def test_where_own_flows_lie() -> None:
    assert own_flows({"XDG_CONFIG_HOME": "/c", "HOME": "/h"}) == (SYSTEM_FLOWS, Path("/c/gateway-wizard/flows"))
    assert own_flows({"XDG_CONFIG_HOME": "c", "HOME": "/h"}) == (
        SYSTEM_FLOWS,
        Path("/h/.config/gateway-wizard/flows"),
    )
    assert own_flows({}) == (SYSTEM_FLOWS,)


def test_the_flows_of_the_program_are_found() -> None:
    assert flows_root().is_dir()
    assert flows_root().joinpath("causes").is_dir()
