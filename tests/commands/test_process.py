"""What only a process of its own shows: what gets loaded, closed streams, signals, and `make run`."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.commands.calling import ENVIRONMENT, REPOSITORY, STOPPED, program
from wizard import __version__
from wizard.session.file import load

LOADED = """
import contextlib, io, json, sys
from wizard.cli import main
with contextlib.redirect_stdout(io.StringIO()):
    status = main(sys.argv[1:])
print(json.dumps(sorted({name.partition(".")[0] for name in sys.modules})))
"""


def loaded(*words: str) -> set[str]:
    """The top-level modules that a command loads."""
    done = subprocess.run(
        [sys.executable, "-c", LOADED, *words],
        cwd=REPOSITORY,
        env=ENVIRONMENT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=60,
        check=True,
    )
    return set(json.loads(done.stdout))


def test_the_version_is_cheap() -> None:
    assert program("--version").out == f"gateway-wizard {__version__}\n"
    heavy = {"textual", "rich", "httpx", "dns", "psutil", "asyncio", "yaml", "msgspec", "argparse"}
    assert not loaded("--version") & heavy
    assert not loaded("-V") & heavy


def test_only_a_live_host_and_a_screen_load_what_they_need() -> None:
    live = {"psutil", "httpx", "dns"}
    assert not loaded("diagnose", "--from", STOPPED, "--json") & (live | {"textual", "rich"})
    assert not loaded("report", STOPPED) & (live | {"textual", "rich"})
    assert not loaded("explain", str(REPOSITORY / "LICENSE")) & (live | {"textual", "rich"})
    assert "textual" not in loaded("demo", "wrong-port", "--plain")


def test_the_command_and_the_module_are_one() -> None:
    command = Path(sys.executable).with_name("gateway-wizard")
    done = subprocess.run([command, "--version"], env=ENVIRONMENT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, f"gateway-wizard {__version__}\n")


@pytest.mark.parametrize("words", [["--version"], ["schema"], ["diagnose", "--from", STOPPED, "--json"], ["demo"]])
def test_closed_and_full_standard_output(words: list[str]) -> None:
    command = " ".join([sys.executable, "-m", "wizard", *words])
    for end in (">&-", "| head -c 0", ">/dev/full"):
        done = subprocess.run(
            ["bash", "-c", f"set -o pipefail; {command} {end}"],
            cwd=REPOSITORY,
            env=ENVIRONMENT,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert "Traceback" not in done.stderr, end
        assert "Exception ignored" not in done.stderr, end
        assert "itself failed" not in done.stderr, end
        assert end != ">/dev/full" or done.returncode == 66


def test_an_interrupt_ends_the_walk_and_keeps_the_recording(tmp_path: Path) -> None:
    file = tmp_path / "session.jsonl"
    held = tmp_path / "held.py"
    held.write_text(
        "import asyncio, sys\n"
        "from wizard.cli import main\n"
        "from wizard.walk import runner\n"
        "async def held(target, asker):\n"
        "    print('walking', file=sys.stderr, flush=True)\n"
        "    await asyncio.sleep(30)\n"
        "runner.plan = held\n"
        "raise SystemExit(main(sys.argv[1:]))\n"
    )
    child = subprocess.Popen(
        [sys.executable, str(held), "diagnose", "--from", STOPPED, "--record", str(file), "--timeout", "60"],
        env={**ENVIRONMENT, "PYTHONPATH": str(REPOSITORY)},
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stderr is not None
    try:
        assert child.stderr.readline() == "walking\n"
        time.sleep(0.1)
        child.send_signal(signal.SIGINT)
        _, err = child.communicate(timeout=20)
    finally:
        child.kill()
        child.wait()
    assert child.returncode == 130
    assert "Traceback" not in err
    session = load(file)
    assert session.warnings == ()
    assert session.events[-1].__struct_config__.tag == "finished"


@pytest.mark.skipif(not (REPOSITORY / ".venv/.run").exists(), reason="the virtual environment was not made by make")
def test_make_run_prints_nothing_of_its_own() -> None:
    done = subprocess.run(
        ["make", "-s", "run", f"ARGS=diagnose --from {STOPPED} --json"],
        cwd=REPOSITORY,
        env={**os.environ, **ENVIRONMENT},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert json.loads(done.stdout)["verdict"] == "cause-found"
