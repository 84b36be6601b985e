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
from statistics import median
from typing import Any

from tests.bench import hosts, material
from tests.bench.measure import Budget, Painted, Pair, Row, against, echoes, painted
from tests.lab import stack
from tests.lab.guest import REPOSITORY, Guest

INTERPRETER = str(Path(sys.prefix, "bin", "python"))
WIZARD = [str(Path(sys.prefix, "bin", "gateway-wizard"))]
FOLDER = Path(__file__).parent
URL = "http://site0000.example/"
LARGE_LOG = 1_000_000_000
EXPLAINED = 40_000
EXPLAINED_AT = 1_795_000_000
HUNG_TIMEOUT = 5
LOOKING = "Looking at this host"
FAILING = "site0000.example"
MODULES_AT_START = 3  # __future__, wizard and wizard.cli
# What an admin types on a box that answers 502. The log's last lines are those of the last 15 minutes.
BY_HAND = """
nginx -T; ss -tlnp; ps -eo pid,user,args; nft list ruleset; systemctl status nginx; journalctl -u nginx -n 100 --no-pager
tail -n {lines} /var/log/nginx/error.log | grep -F 'connect() failed'
curl -s -o /dev/null -m 2 {url}
for upstream in {upstreams}; do curl -s -o /dev/null -m 2 http://$upstream/; done
"""


def version() -> Row:
    """A start that does nothing."""
    pair = against([*WIZARD, "--version"], [INTERPRETER, "-c", "pass"], rounds=21)
    loaded = _imported([INTERPRETER, *WIZARD, "--version"]) - _imported([INTERPRETER, "-c", "pass"])
    return Row(
        "--version",
        "python -c pass",
        pair,
        (Budget("ratio", pair.ratio, 3.5), Budget("modules", float(len(loaded)), MODULES_AT_START)),
        f"imports {', '.join(sorted(loaded))}",
    )


def _imported(argv: Sequence[str]) -> set[str]:
    """The names of the modules that a start loads."""
    timed = [argv[0], "-X", "importtime", *argv[1:]]
    done = subprocess.run(timed, check=False, capture_output=True, text=True, timeout=60, cwd=REPOSITORY)
    lines = (line for line in done.stderr.splitlines() if line.startswith("import time:"))
    return {line.rpartition("|")[2].strip() for line in lines} - {"imported package"}


def configuration() -> Row:
    """Reading 1,000 servers in 1,000 files, the start of the interpreter and its imports included."""
    with Guest(systemd=False) as guest:
        guest.run("rm -f /etc/nginx/sites-enabled/*")
        material.write_configuration(guest.root, hosts.SITES_FOLDER, sites=1_000)
        main = "/etc/nginx/nginx.conf"
        driver = [INTERPRETER, str(FOLDER / "load_config.py"), main]
        pair = against(driver, ["nginx", "-t", "-q", "-c", main], rounds=11, guest=guest)
    return Row(
        "configuration, 1,000 servers", "nginx -t -q", pair, (Budget("ratio", pair.ratio, 1.3), *_ended(pair, 0))
    )


def window() -> Row:
    """The last 15 minutes of a 1 GB log."""
    with _scratch(LARGE_LOG) as folder:
        log = folder / "error.log"
        material.write_error_log(log, size=LARGE_LOG)
        driver = [INTERPRETER, str(FOLDER / "read_log.py"), str(log)]
        pair = against(driver, ["grep", "-c", "-F", "connect() failed", str(log)], rounds=9)
    found, reading, events, lines = (float(word) for word in pair.ours.said.split())
    return Row(
        "last 15 minutes of a 1 GB log",
        "grep -c -F",
        pair,
        (Budget("ratio", pair.ratio, 1.0), Budget("ms to find it", found * 1000, 100), *_ended(pair, 0)),
        f"{lines:.0f} lines found in {found * 1000:.0f} ms and understood in {reading * 1000:.0f} ms: {events:.0f} events",
    )


def explain() -> Row:
    """40,000 lines explained: of nginx alone, and of all programs in all wrappings."""
    with _scratch(30_000_000) as folder:
        plain, mixed = folder / "error.log", folder / "mixed.log"
        plain.write_text("".join(material.error_lines(EXPLAINED, end=EXPLAINED_AT, span=900)))
        mixed.write_text("".join(material.mixed_lines(EXPLAINED, end=EXPLAINED_AT)))
        of_nginx, of_all = (
            against(
                [*WIZARD, "explain", str(log), "--json"],
                ["grep", "-c", "-i", "-E", "connect|upstream|timed? ?out|refused|killed", str(log)],
                rounds=11,
            )
            for log in (plain, mixed)
        )
        empty = against([*WIZARD, "explain", "/dev/null", "--json"], [INTERPRETER, "-c", "pass"], rounds=5)
    budgets = (
        Budget("seconds, nginx alone", of_nginx.ours.seconds, 0.3),
        Budget("seconds, all programs", of_all.ours.seconds, 0.3),
        Budget("ratio of all to nginx alone", of_all.ratio / of_nginx.ratio, 2.0),
    )
    return Row(
        f"explain, {EXPLAINED:,} lines",
        "grep -c -i -E",
        of_all,
        (*budgets, *_ended(of_nginx, 0), *_ended(of_all, 0)),
        f"of nginx alone {of_nginx.ratio:.2f} times grep; an empty file takes {empty.ours.seconds * 1000:.0f} ms",
    )


def typical() -> Row:
    """A whole walk on a typical host."""
    with hosts.host(hosts.TYPICAL) as guest:
        pair = against([*WIZARD, "diagnose", URL, "--json"], _by_hand(hosts.TYPICAL), rounds=9, guest=guest)
    budgets = (Budget("ratio", pair.ratio, 4.0), Budget("peak MiB", pair.ours.peak, 40), *_ended(pair, 2))
    return Row("diagnose, a typical host", "the same by hand, aim 2", pair, budgets, _told(pair))


def _by_hand(size: hosts.Size) -> list[str]:
    upstreams = [address for site in range(size.sites) for address in material.addresses(site)]
    lines = size.log // 270 // 96  # a quarter of an hour of a day
    return ["sh", "-c", BY_HAND.format(lines=lines, url=URL, upstreams=" ".join(upstreams))]


def sos() -> Row:
    """A whole walk on a typical host, against the report that a support desk asks for."""
    if shutil.which("sos") is None:
        raise NoRoomError("sos is not installed (Debian: apt-get install sosreport)")
    with hosts.host(hosts.TYPICAL) as guest:
        gathered = [
            "sos",
            "report",
            "--batch",
            "--quiet",
            "-o",
            "networking,process,nginx,systemd",
            "--tmp-dir",
            "/tmp",
        ]
        pair = against([*WIZARD, "diagnose", URL, "--json"], gathered, rounds=3, guest=guest)
    budgets = (Budget("ratio", pair.ratio, 0.15), *_ended(pair, 2))
    return Row("diagnose, a typical host", "sos report, four plugins", pair, budgets, _told(pair))


def paint() -> Row:
    """The first frame of the screen."""
    with hosts.host(hosts.TYPICAL) as guest:
        ours, theirs = Painted(WIZARD, LOOKING), Painted([INTERPRETER, str(FOLDER / "minimal_screen.py")], "Here I am")
        pair = painted(ours, theirs, rounds=9, guest=guest)
    budgets = (
        Budget("ratio", pair.ratio, 1.5),
        Budget("seconds", pair.ours.seconds, 0.5),
        Budget("peak MiB", pair.ours.peak, 90),
    )
    return Row("the first frame", "the least that Textual can show", pair, budgets)


def picture() -> Row:
    """The first screen with what fails on it."""
    with hosts.host(hosts.TYPICAL) as guest:
        ours, theirs = Painted(WIZARD, FAILING), Painted([INTERPRETER, str(FOLDER / "minimal_screen.py")], "Here I am")
        pair = painted(ours, theirs, rounds=9, guest=guest)
    budgets = (Budget("seconds", pair.ours.seconds, 1.5), Budget("peak MiB", pair.ours.peak, 90))
    return Row("what fails, on the screen", "the least that Textual can show", pair, budgets)


def keys() -> Row:
    """How long a key waits while a host at scale is walked, beyond what it takes at rest."""
    with _scratch(LARGE_LOG), hosts.host(hosts.LARGE) as guest:
        help_key = {
            "opens": "?",
            "shown": "every key of this screen",
            "closes": "\x1b",
            "hidden": "site0000",
            "seconds": 0,
        }
        walking, peak = echoes([*WIZARD, URL], LOOKING, help_key | {"seconds": 6}, guest=guest)
    longest, usual = max(walking), median(walking)
    return Row(
        "keys while a host at scale is walked",
        budgets=(Budget("ms behind probes", (longest - usual) * 1000, 50), Budget("peak MiB", peak, 90)),
        note=f"{len(walking)} keys, {usual * 1000:.0f} ms each, the longest {longest * 1000:.0f} ms",
    )


def large() -> Row:
    """A whole walk at scale."""
    with _scratch(LARGE_LOG), hosts.host(hosts.LARGE) as guest:
        ours = [*WIZARD, "diagnose", URL, "--json"]
        pair = against(ours, ["nft", "list", "ruleset"], rounds=5, guest=guest)
    budgets = (
        Budget("ratio", pair.ratio, 2.5),
        Budget("seconds", pair.ours.seconds, 3.0),
        Budget("peak MiB", pair.ours.peak, 80),
        *_ended(pair, 2),
    )
    return Row("diagnose at scale", "nft list ruleset", pair, budgets, _told(pair))


def hung() -> Row:
    """A walk to an upstream that takes the request and never answers."""
    with Guest(systemd=False) as guest:
        stack.site(guest, stack.proxy("http://127.0.0.1:8000", quick=False))
        stack.app(guest, "--mode silent")
        stack.start_nginx(guest)
        ours = [*WIZARD, "diagnose", "http://shop.example/", "--json", "--timeout", str(HUNG_TIMEOUT)]
        pair = against(ours, ["curl", "-s", "-m", str(HUNG_TIMEOUT), "http://shop.example/"], rounds=3, guest=guest)
    report = _report(pair)
    told = {step["check"] for step in report["steps"] if step["outcome"] != "unknown"}
    missing = {"gateway", "gateway-config", "request", "vhost", "listener", "connect"} - told
    budgets = (
        Budget("seconds", pair.ours.seconds, HUNG_TIMEOUT + 1.0),
        Budget("steps missing", float(len(missing)), 0),
    )
    return Row(
        "a hung upstream", f"curl -m {HUNG_TIMEOUT}", pair, budgets, f"{_told(pair)}; known: {', '.join(sorted(told))}"
    )


ROWS = (version, configuration, window, explain, typical, sos, large, hung, paint, picture, keys)


def _ended(pair: Pair, status: int) -> tuple[Budget, ...]:
    """A measurement counts only of runs that did what was asked for."""
    wrong = pair.ours.statuses - {status}
    return (Budget(f"runs without status {status}", float(len(wrong)), 0),) if wrong else ()


def _report(pair: Pair) -> dict[str, Any]:
    report: dict[str, Any] = json.loads(pair.ours.said)
    return report


def _told(pair: Pair) -> str:
    report = _report(pair)
    causes = ", ".join(str(cause["id"]) for cause in report["causes"]) or "no cause"
    return f"{len(report['steps'])} steps, {report['verdict']}: {causes}"


@contextmanager
def _scratch(size: int) -> Iterator[Path]:
    """A folder in memory, or else on disk, with room for twice that many bytes.

    Raises:
        NoRoomError: there is none.
    """
    room = [one for one in ("/dev/shm", "/tmp") if Path(one).is_dir() and shutil.disk_usage(one).free > 2 * size]
    if not room:
        raise NoRoomError(f"neither /dev/shm nor /tmp has room for {2 * size / 1e9:.1f} GB")
    with tempfile.TemporaryDirectory(prefix="gateway-wizard-bench-", dir=room[0]) as folder:
        yield Path(folder)


class NoRoomError(Exception):
    """The material of a row has no place on this host."""
