"""Makes the recordings anew from real guests of the fault lab; needs root.

    .venv/bin/python tests/recorded/record.py                        all of them
    .venv/bin/python tests/recorded/record.py wrong-port two-faults  these

A case that is `repaired` is walked twice: between the walks the printed commands are run, as printed.

The program runs in the guest as it would be installed there, so that no path of the developer's machine is recorded.
"""

# ruff: noqa: T201 - a command for people

from __future__ import annotations

import gzip
import importlib
import json
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import msgspec
from msgspec.structs import replace

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.lab.guest import REPOSITORY, Guest
from tests.lab.scenario import SCENARIOS, Scenario
from tests.lab.stage import break_it, healthy, repair, request, works
from tests.recorded.cases import CASES, SHIPPED, Case
from wizard.commands.run import run
from wizard.commands.sessions import Expected, report_of
from wizard.host.redaction import texts
from wizard.session.after import earlier_events
from wizard.session.build import exit_status
from wizard.session.file import load, write

INSTALLED = "/opt/gateway-wizard"
NEEDED = (
    "wizard", "flows", "msgspec", "yaml", "_yaml", "psutil", "httpx", "httpcore", "h11", "anyio", "certifi", "idna",
    "dns", "typing_extensions.py",
)  # fmt: skip
LARGEST = 200_000
SEEN = "/tmp/seen.jsonl"
QUIET = 5.0  # seconds without a failure between the repair and the second walk
TWICE = """
import asyncio, json, sys
sys.path.insert(0, ".")
from wizard.commands.diagnose import live_host
from wizard.commands.library import known_checks, library_for
from wizard.host.recording import RecordingHost
from wizard.session.file import write
from wizard.walk.plan import read_target
from wizard.walk.runner import Options
from wizard.walk.sitting import Sitting

async def walk():
    library, flow = library_for(None)
    host = RecordingHost(live_host())
    sitting = Sitting(host, library, known_checks(), Options(flow=flow))
    await sitting.look()
    await sitting.walk(read_target(sys.argv[1]))
    causes = sitting.report().causes[:1]
    print(json.dumps([one.run for cause in causes for one in cause.commands if one.stage == "fix"]), flush=True)
    sys.stdin.readline()
    await sitting.again()
    write(sys.argv[2], sitting.session(), host.redactor)

asyncio.run(walk())
"""
OURS = (str(REPOSITORY), sys.prefix, sys.base_prefix, str(Path.home() / ".pyenv"))


def install(guest: Guest) -> None:
    """Puts the program into the guest, beside what it imports."""
    packages = next(path for path in map(Path, sys.path) if path.name == "site-packages")
    target = guest.root / INSTALLED.lstrip("/")
    target.mkdir(parents=True)
    for name in NEEDED:
        source = next(path / name for path in (REPOSITORY, packages) if (path / name).exists())
        if source.is_dir():
            shutil.copytree(source, target / name, ignore=shutil.ignore_patterns("__pycache__", "_incidents"))
        else:
            shutil.copy(source, target / name)
    guest.run(f"chmod -R a+rX {INSTALLED}")


def once(guest: Guest, told: Scenario) -> None:
    """Walks it as `diagnose --record` does."""
    words = f"cd {INSTALLED} && exec /usr/bin/python3 -m wizard diagnose {told.url} --json --record {SEEN}"
    setpriv = f"setpriv --reuid={told.user} --regid={told.user} --init-groups " if told.user else ""
    guest.run(f"{setpriv}sh -c '{words}'", check=False)


def twice(guest: Guest, told: Scenario) -> None:
    """Walks it, runs the printed repair, waits until the site works, and walks it again in the same session."""
    guest.write("/tmp/twice.py", TWICE)
    walking = subprocess.Popen(
        guest.argv(["sh", "-c", f"cd {INSTALLED} && exec /usr/bin/python3 -P /tmp/twice.py {told.url} {SEEN}"]),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert walking.stdin is not None
    assert walking.stdout is not None
    fixes = json.loads(walking.stdout.readline() or "[]")
    failed = repair(guest, fixes)
    if failed is not None or not fixes or not works(guest, told):
        raise SystemExit(f"{told.name}: the printed repair does not work: {fixes} {failed}")
    time.sleep(QUIET)
    walking.communicate("repaired\n", timeout=60)


def record(case: Case, told: Scenario, place: Path) -> None:
    """Tells the story, walks it, and writes recording and expected verdict."""
    with healthy(told) as (guest, story):
        install(guest)
        if not works(guest, told):
            raise SystemExit(f"{case.name}: the site does not work before it is broken")
        if not case.healthy:
            break_it(story)
            request(guest, told)  # a visitor meets the fault
        (twice if case.repaired else once)(guest, told)
        content = guest.read(SEEN)
    raw = place / "seen.jsonl"
    raw.write_text(content)
    if run(["capture-case", str(raw), str(place / "case")]) != 0:
        raise SystemExit(f"{case.name}: no case could be made")
    seen = load(place / "case" / "session.jsonl")
    for said in texts(seen):
        shown = said if isinstance(said, str) else said.decode("utf-8", "replace")
        found = next((path for path in OURS if path in shown), None)
        if found is not None:
            at = shown.index(found)
            raise SystemExit(f"{case.name}: the recording holds ...{shown[max(0, at - 60) : at + 60]}...")
    case.folder.mkdir(exist_ok=True)
    case.session.parent.mkdir(exist_ok=True)
    write(case.session, seen)
    case.session.chmod(0o644)
    first = earlier_events(seen.events)
    if first is not None:  # what the first walk has to come to; the second one has a test of its own
        built = report_of(replace(seen, events=first))
        expected = Expected(built.verdict, tuple(cause.id for cause in built.causes), exit_status(built))
        case.expected.write_bytes(msgspec.json.format(msgspec.json.encode(expected), indent=2) + b"\n")
    else:
        case.expected.write_bytes((place / "case" / "expected.json").read_bytes())
    size = case.session.stat().st_size
    with gzip.open(case.session) as stream:
        plain = len(stream.read())
    if size > LARGEST:
        raise SystemExit(f"{case.name}: {size} bytes are too many")
    said = json.loads(case.expected.read_text())
    print(f"{case.name}: {size} of {plain} bytes, {said['verdict']} {said['causes']}")


def main() -> int:
    """Records what is named, or everything."""
    for file in sorted((REPOSITORY / "tests/lab/scenarios").glob("*.py")):
        importlib.import_module(f"tests.lab.scenarios.{file.stem}")
    for name in sys.argv[1:] or list(CASES):
        case = CASES[name]
        with tempfile.TemporaryDirectory() as place:
            record(case, SCENARIOS[case.scenario], Path(place))
    titles = {case.name: case.title for case in CASES.values() if case.title}
    (SHIPPED / "titles.json").write_text(json.dumps(titles, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
