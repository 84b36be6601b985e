from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.checks.box import Box, found_by, server
from tests.services.fakes import listens, process
from wizard.checks.registry import Finding
from wizard.checks.waiting import CONNECTING, OPEN, dependency, read_connections
from wizard.host.questions import Ran

IDLE = (
    '0 0 127.0.0.1:41000 127.0.0.1:5432 users:(("python3",pid=7,fd=9)) cubic bytes_sent:90 bytes_received:40'
    " lastsnd:9000 lastrcv:8990 lastack:8990"
)
OPEN_QUESTION = (
    '0 0 127.0.0.1:41002 127.0.0.1:6379 users:(("python3",pid=7,fd=11)) cubic bytes_sent:90 bytes_received:40'
    " lastsnd:2000 lastrcv:7000 lastack:2000"
)
FROM_THE_GATEWAY = (
    '0 0 127.0.0.1:8000 127.0.0.1:50000 users:(("python3",pid=7,fd=12)) cubic bytes_sent:9 lastsnd:2000 lastrcv:7000'
)


def asked(connecting: str = "", established: str = "") -> Finding:
    box = Box(
        listening=[listens("127.0.0.1", 8000, 7)],
        processes=[process(7, "/usr/bin/python3 /srv/shop.py", "shop.service")],
        commands={CONNECTING: Ran(0, connecting.encode(), b""), OPEN: Ran(0, established.encode(), b"")},
    )
    return found_by(dependency, server(), box)


def test_a_connection_that_is_not_answered() -> None:
    found = asked('0 1 127.0.0.1:41000 127.0.0.1:5432 users:(("python3",pid=7,fd=9))\n')
    assert (found.outcome, found.values["peer"], found.values["port"]) == ("connecting", "127.0.0.1:5432", 5432)
    assert "PostgreSQL" in found.summary


def test_a_connection_of_somebody_else() -> None:
    assert asked('0 1 127.0.0.1:41000 127.0.0.1:5432 users:(("curl",pid=99,fd=9))\n').outcome == "none"


def test_a_collector_of_traces_is_no_reason_to_wait() -> None:
    assert asked('0 1 127.0.0.1:41000 127.0.0.1:4317 users:(("python3",pid=7,fd=9))\n').outcome == "none"


def test_an_idle_connection_of_a_pool_waits_for_nothing() -> None:
    assert asked(established=IDLE).outcome == "none"


def test_a_question_that_is_open() -> None:
    found = asked(established=f"{IDLE}\n{OPEN_QUESTION}\n")
    assert (found.outcome, found.values["peer"]) == ("unanswered", "127.0.0.1:6379")


def test_the_gateways_own_connection_is_none_of_the_applications() -> None:
    assert asked(established=FROM_THE_GATEWAY).outcome == "none"


@given(st.binary(max_size=400))
def test_any_output_is_read(printed: bytes) -> None:
    assert all(one.unconfirmed >= 0 for one in read_connections(printed))
