"""Brings a scenario up, broken, and runs a command in it: for looking at a fault by hand.

    .venv/bin/python tests/lab/try.py                                  lists the scenarios
    .venv/bin/python tests/lab/try.py service.stopped                  a shell in the broken guest
    .venv/bin/python tests/lab/try.py service.stopped -- gateway-wizard diagnose http://shop.example/ --plain
    .venv/bin/python tests/lab/try.py service.stopped --healthy -- curl -si http://shop.example/
    .venv/bin/python tests/lab/try.py service.stopped --fix            diagnoses, repairs as printed, asks again

Needs root. The command runs as root in the guest, connected to this terminal (tmux works); `gateway-wizard` is the
one of this repository. The guest is gone when the command ends.
"""

# ruff: noqa: T201 - a command for people

from __future__ import annotations

import argparse
import importlib
import os
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.lab.guest import Guest
from tests.lab.scenario import SCENARIOS, Scenario
from tests.lab.stage import COMMAND, break_it, diagnose, healthy, repair, request


def enter(guest: Guest, words: list[str]) -> int:
    """Runs the words in the guest on this terminal."""
    argv = guest.argv(words)
    argv.insert(argv.index("-i") + 1, f"TERM={os.environ.get('TERM', 'dumb')}")
    path = next(index for index, word in enumerate(argv) if word.startswith("PATH="))
    argv[path] = f"PATH={COMMAND.parent}:{argv[path].removeprefix('PATH=')}"
    return subprocess.run(argv, check=False).returncode


def say(text: str) -> None:
    """To standard error: standard output belongs to the command."""
    print(text, file=sys.stderr)


def fix(guest: Guest, told: Scenario) -> int:
    """Diagnoses, runs the printed fix, and says what the client and the wizard see then."""
    seen = diagnose(guest, told.url)
    say(seen.told())
    fixes = seen.commands("fix")
    for command in fixes:
        say(f"$ {command}")
    say(f"failed: {repair(guest, fixes)}")
    say(f"the client sees {request(guest, told)}")
    say(diagnose(guest, told.url).told())
    return 0


def main() -> int:
    """Reads the words and does it."""
    given = sys.argv[1:]
    cut = given.index("--") if "--" in given else len(given)
    command = given[cut + 1 :]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scenario", nargs="?")
    parser.add_argument("--healthy", action="store_true", help="only the first half of the story")
    parser.add_argument("--fix", action="store_true", help="diagnose and run the printed fix")
    wish = parser.parse_args(given[:cut])
    for file in sorted(Path(__file__).with_name("scenarios").glob("*.py")):
        importlib.import_module(f"tests.lab.scenarios.{file.stem}")
    if wish.scenario not in SCENARIOS:
        for name, known in sorted(SCENARIOS.items()):
            print(f"{name:44} {known.cause:36} {(known.story.__doc__ or '').strip()}")
        return 0 if wish.scenario is None else 64
    told = SCENARIOS[wish.scenario]
    with healthy(told) as (guest, story):
        if not wish.healthy:
            break_it(story)
        say(f"{told.name}: {told.url} gives {request(guest, told)}; the cause is {told.cause}")
        return fix(guest, told) if wish.fix else enter(guest, command or ["bash"])


if __name__ == "__main__":
    raise SystemExit(main())
