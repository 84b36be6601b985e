"""What a command does not need is not imported: it would be paid for at every start."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
HEAVY = ("textual", "rich", "httpx", "dns", "psutil", "asyncio")

PROGRAM = """
import sys
from wizard.cli import main
try:
    status = main(sys.argv[1:])
except SystemExit as ended:
    status = ended.code
loaded = sorted({name.partition(".")[0] for name in sys.modules})
sys.stderr.write("\\nloaded " + " ".join(loaded))
"""


def loaded(*words: str) -> set[str]:
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM, *words],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "HOME": "/nonexistent"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=120,
        check=False,
    )
    last = ran.stderr.decode().splitlines()[-1]
    assert last.startswith("loaded "), ran.stderr.decode()
    return set(last.split()[1:])


def test_the_version_needs_nothing_heavy() -> None:
    assert not loaded("--version") & set(HEAVY)


@pytest.mark.parametrize("words", [("diagnose", "--from", "/nonexistent"), ("explain", "/dev/null"), ("flow", "list")])
def test_what_has_no_screen_does_not_import_one(words: tuple[str, ...]) -> None:
    assert not loaded(*words) & {"textual", "rich"}


def test_a_whole_diagnosis_imports_no_screen(tmp_path: Path) -> None:
    session = tmp_path / "session.jsonl"
    made = (
        "import sys; from wizard.session.file import write; from wizard.session.session import Session;"
        "write(sys.argv[1], Session(id='x', started=1795442851.0, wizard='0'))"
    )
    subprocess.run([sys.executable, "-c", made, str(session)], cwd=ROOT, check=True, timeout=60)
    assert not loaded("diagnose", "--from", str(session)) & {"textual", "rich", "psutil", "httpx"}
    assert not loaded("replay", str(session)) & {"textual", "rich", "psutil", "httpx"}  # no terminal: plain lines


def test_the_plain_lines_import_no_screen() -> None:
    ran = subprocess.run(
        [sys.executable, "-c", "import sys, wizard.plain.talk; print('textual' in sys.modules, 'rich' in sys.modules)"],
        cwd=ROOT,
        capture_output=True,
        timeout=60,
        check=True,
    )
    assert ran.stdout.split() == [b"False", b"False"]
