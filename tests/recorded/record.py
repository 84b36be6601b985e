"""Makes the recordings anew from real guests of the fault lab; needs root.

    .venv/bin/python tests/recorded/record.py                        all of them
    .venv/bin/python tests/recorded/record.py wrong-port two-faults  these

The program runs in the guest as it would be installed there, so that no path of the developer's machine is recorded.
"""

# ruff: noqa: T201 - a command for people

from __future__ import annotations

import gzip
import importlib
import json
import shutil
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.lab.guest import REPOSITORY, Guest
from tests.lab.scenario import SCENARIOS, Scenario
from tests.lab.stage import break_it, healthy, request, works
from tests.recorded.cases import CASES, SHIPPED, Case
from wizard.commands.run import run
from wizard.host.redaction import texts
from wizard.session.file import load, write

INSTALLED = "/opt/gateway-wizard"
NEEDED = (
    "wizard", "flows", "msgspec", "yaml", "_yaml", "psutil", "httpx", "httpcore", "h11", "anyio", "certifi", "idna",
    "dns", "typing_extensions.py",
)  # fmt: skip
LARGEST = 200_000
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


def record(case: Case, told: Scenario, place: Path) -> None:
    """Tells the story, walks it, and writes recording and expected verdict."""
    with healthy(told) as (guest, story):
        install(guest)
        if not works(guest, told):
            raise SystemExit(f"{case.name}: the site does not work before it is broken")
        if not case.healthy:
            break_it(story)
            request(guest, told)  # a visitor meets the fault
        words = f"cd {INSTALLED} && exec /usr/bin/python3 -m wizard diagnose {told.url} --json --record /tmp/seen.jsonl"
        setpriv = f"setpriv --reuid={told.user} --regid={told.user} --init-groups " if told.user else ""
        done = guest.run(f"{setpriv}sh -c '{words}'", check=False)
        content = guest.read("/tmp/seen.jsonl")
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
    case.expected.write_bytes((place / "case" / "expected.json").read_bytes())
    size = case.session.stat().st_size
    with gzip.open(case.session) as stream:
        plain = len(stream.read())
    if size > LARGEST:
        raise SystemExit(f"{case.name}: {size} bytes are too many")
    said = json.loads(case.expected.read_text())
    live = json.loads(done.out)
    print(f"{case.name}: {size} of {plain} bytes, {said['verdict']} {said['causes']}, live {live['verdict']}")


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
