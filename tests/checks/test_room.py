from __future__ import annotations

import msgspec
import pytest

from tests.checks.box import Box, found_by, server
from tests.services.fakes import NOW, process
from wizard.checks.registry import Edit
from wizard.checks.room import allowed_clients, clients_of, limits, read_limit, workers
from wizard.checks.waiting import OPEN
from wizard.host.questions import Listening, Process, Ran
from wizard.model import ActionKind

CONF = "/etc/php/8.2/fpm/php-fpm.conf"
POOL = "/etc/php/8.2/fpm/pool.d/www.conf"
FILES = {
    CONF: "[global]\nerror_log = /var/log/php8.2-fpm.log\ninclude=/etc/php/8.2/fpm/pool.d/*.conf\n",
    POOL: "[www]\nlisten = 127.0.0.1:9000\npm.max_children = 2\nlisten.allowed_clients = 10.0.0.5 ; ours\n",
}


def titled(pid: int, parent: int, title: str, state: str = "S") -> Process:
    return Process(pid, parent, "php-fpm8.2", (title,), 33, 33, NOW - 60, state, cgroup="/system.slice/fpm.service")


def fpm(queue: int, children: int, files: dict[str, str] = FILES, state: str = "S") -> Box:
    pool = [titled(71 + number, 70, "php-fpm: pool www", state) for number in range(children)]
    table = [titled(70, 1, f"php-fpm: master process ({CONF})"), *pool]
    pids = tuple(one.pid for one in table)
    socket = Listening("inet", "127.0.0.1", 9000, queue=queue, backlog=511, pids=pids)
    return Box(files=files, listening=[socket], processes=table)


def prefork(queue: int, count: int, established: str = "") -> Box:
    table = [process(7, "/usr/bin/gunicorn shop:app", "shop.service")]
    for number in range(count):
        child = process(8 + number, "/usr/bin/gunicorn shop:app", "shop.service")
        table.append(msgspec.structs.replace(child, ppid=7))
    pids = tuple(one.pid for one in table)
    socket = Listening("inet", "127.0.0.1", 8000, queue=queue, backlog=2048, pids=pids)
    return Box(listening=[socket], processes=table, commands={OPEN: Ran(0, established.encode(), b"")})


@pytest.mark.parametrize(
    ("queue", "children", "state", "outcome"),
    [(3, 2, "S", "all-busy"), (3, 1, "S", "queueing"), (0, 2, "S", "room"), (3, 2, "T", "queueing")],
)
def test_a_pool_is_full_when_all_children_run_and_somebody_waits(
    queue: int, children: int, state: str, outcome: str
) -> None:
    found = found_by(workers, server("127.0.0.1:9000", ActionKind.FASTCGI), fpm(queue, children, state=state))
    assert found.outcome == outcome


def test_several_workers_that_leave_connections_waiting_are_busy() -> None:
    found = found_by(workers, server(), prefork(4, 2))
    assert (found.outcome, found.values["limit"], found.values["queue"]) == ("all-busy", 2, 4)


def test_one_worker_is_busy_for_others_only_where_others_wait() -> None:
    assert found_by(workers, server(), prefork(2, 1)).outcome == "queueing"
    waiting = "0 0 127.0.0.1:8000 127.0.0.1:50000\n"
    assert found_by(workers, server(), prefork(2, 1, waiting)).outcome == "all-busy"


def test_a_program_without_a_known_number_of_workers() -> None:
    box = Box(
        listening=[Listening("inet", "127.0.0.1", 8000, queue=9, backlog=1, pids=(7,))],
        processes=[process(7, "/srv/shop/server")],
    )
    assert found_by(workers, server(), box).outcome == "not-pooled"


@pytest.mark.parametrize(("used", "outcome"), [(23, "descriptors"), (9, "within")])
def test_descriptors_at_their_limit(used: int, outcome: str) -> None:
    box = prefork(0, 0)
    box.files = {"/proc/7/limits": "Max open files            24                   4096                 files\n"}
    box.descriptors = {7: ("socket:[1]",) * used}
    assert found_by(limits, server(), box).outcome == outcome


def test_limits_that_cannot_be_seen_are_not_within() -> None:
    assert found_by(limits, server(), prefork(0, 0)).outcome == "unseen"


def test_an_unlimited_number_is_no_limit() -> None:
    assert read_limit(b"Max open files            unlimited            unlimited            files\n") is None


def test_the_gateways_address_is_not_on_the_list() -> None:
    found = found_by(allowed_clients, server("127.0.0.1:9000", ActionKind.FASTCGI), fpm(0, 1))
    assert (found.outcome, found.values["source"], found.values["clients"]) == ("excluded", "127.0.0.1", "10.0.0.5")
    edit = found.values["edit"]
    assert isinstance(edit, Edit)
    assert (edit.file, edit.line) == (POOL, 4)
    assert edit.after == "listen.allowed_clients = 10.0.0.5,127.0.0.1 ; ours"


@pytest.mark.parametrize(
    ("line", "outcome"),
    [
        ("listen.allowed_clients = 10.0.0.5, 127.0.0.1", "included"),
        (";listen.allowed_clients = 10.0.0.5", "no-list"),
        ("listen.allowed_clients = any", "no-list"),
    ],
)
def test_lists_that_drop_nobody(line: str, outcome: str) -> None:
    files = {**FILES, POOL: f"[www]\nlisten = 9000\n{line}\n"}
    found = found_by(allowed_clients, server("127.0.0.1:9000", ActionKind.FASTCGI), fpm(0, 1, files))
    assert found.outcome == outcome


def test_addresses_are_compared_in_one_notation() -> None:
    assert clients_of("::ffff:10.0.0.1, 0:0::1,nonsense") == {"10.0.0.1", "::1"}
