"""The rows of the table: what is measured, against which tool that everybody has, and the budget of each.

Owns the commands. May not know how they are timed.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.bench import hosts, material
from tests.bench.measure import Budget, Pair, Row, Timed, against
from tests.lab import stack
from tests.lab.guest import REPOSITORY, Guest

WIZARD = [str(Path(sys.prefix, "bin", "python")), "-m", "wizard"]
BARE = [str(Path(sys.prefix, "bin", "python")), "-c", "pass"]
DRIVER = str(Path(__file__).with_name("load_config.py"))
URL = "http://site0000.example/"
LARGE_LOG = 1_000_000_000
HEAVY = ("textual", "rich", "httpx", "psutil", "dns", "yaml", "msgspec", "asyncio", "ssl", "argparse")


def version() -> Row:
    """How long a start takes that does nothing."""
    pair = against([*WIZARD, "--version"], BARE, rounds=21)
    loaded = _imported([*WIZARD, "--version"])
    return Row(
        "--version",
        "python -c pass",
        pair,
        (Budget("ratio", pair.ratio, 3.5), Budget("heavy modules", float(len(loaded.intersection(HEAVY))), 0)),
        f"imports of its own: {', '.join(sorted(one for one in loaded if one.partition('.')[0] == 'wizard'))}",
    )


def _imported(argv: Sequence[str]) -> set[str]:
    """The names of the modules that a start loads."""
    timed = [argv[0], "-X", "importtime", *argv[1:]]
    done = subprocess.run(timed, check=False, capture_output=True, text=True, timeout=60, cwd=REPOSITORY)
    return {line.rpartition("|")[2].strip() for line in done.stderr.splitlines() if line.startswith("import time:")}


def configuration() -> Row:
    """Reading 1,000 servers in 1,000 files."""
    with Guest(systemd=False) as guest:
        guest.run("rm -f /etc/nginx/sites-enabled/*")
        material.write_configuration(guest.root, hosts.SITES_FOLDER, sites=1_000)
        main = "/etc/nginx/nginx.conf"
        ours = [WIZARD[0], DRIVER, main]
        pair = against(_in_repository(ours), ["nginx", "-t", "-q", "-c", main], rounds=11, guest=guest)
    return Row("configuration of 1,000 servers", "nginx -t -q", pair, (Budget("ratio", pair.ratio, 1.3), _went(pair)))
