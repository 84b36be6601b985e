"""What connect(2) gives becomes one outcome, and never says more than came back."""

from __future__ import annotations

import asyncio
import errno

import pytest

from tests.checks.asking import FakeAsker
from tests.checks.subjects import seen, subject
from wizard.checks.connect import FAILURES, connect, deadline_of, located, word_for
from wizard.checks.connect_here import connect_as_admin
from wizard.checks.registry import UNKNOWN, Finding, checks
from wizard.host.questions import HERE, Connect, Connected, ConnectFailed, NotAnswered, Resolve, Resolved, Why
from wizard.model import Server

HERE_SERVER = Server("127.0.0.1:8000")
TABLE = {
    errno.ECONNREFUSED: "refused",
    errno.ETIMEDOUT: "timed-out",
    None: "timed-out",
    errno.EHOSTUNREACH: "host-unreachable",
    errno.ENETUNREACH: "network-unreachable",
    errno.EACCES: "denied",
    errno.EPERM: "not-permitted",
    errno.ENOENT: "missing",
    errno.ENOTDIR: "missing",
    errno.EAGAIN: "queue-full",
    errno.EADDRNOTAVAIL: "no-local-address",
    errno.EINVAL: "invalid",
    errno.EXDEV: UNKNOWN,
}


def connected(answer: object, server: Server = HERE_SERVER) -> Finding:
    return seen(connect, subject(server), FakeAsker({Connect: answer, Resolve: Resolved(("10.0.0.7", "::1"))}))


@pytest.mark.parametrize("number", TABLE)
def test_each_errno_has_its_outcome(number: int | None) -> None:
    assert word_for(number)[0] == TABLE[number]
    found = connected(ConnectFailed(number, 0.1))
    assert found.outcome == TABLE[number]
    assert "as www-data" in found.summary
    assert found.values["address"] == "127.0.0.1:8000"


def test_every_failure_is_declared_and_bad() -> None:
    declared = checks()["connect"]
    assert set(FAILURES) <= declared.bad
    assert set(FAILURES) | {"connected", "falls-back", "partly", UNKNOWN} == set(declared.outcomes)


def test_an_address_that_fails_beside_one_that_works_is_named() -> None:
    def answer(question: Connect) -> object:
        return Connected() if question.endpoint.startswith("10.") else ConnectFailed(errno.ECONNREFUSED)

    found = connected(answer, Server("localhost:8000", "localhost"))
    assert (found.outcome, found.values["failing"]) == ("partly", ("[::1]:8000",))
    assert connected(Connected(), Server("localhost:8000", "localhost")).outcome == "connected"
    assert connected(ConnectFailed(errno.ECONNREFUSED), Server("localhost:8000", "localhost")).outcome == "refused"


LOCALHOST = Server("localhost:8000", "localhost")
BOTH = Resolved(("::1", "127.0.0.1"))


def in_four_only(question: Connect) -> object:
    return Connected() if question.endpoint.startswith("127.") else ConnectFailed(errno.ECONNREFUSED)


def late_in_six(question: Connect) -> object:
    return Connected() if question.endpoint.startswith("127.") else ConnectFailed(None)


def test_a_name_of_loopback_that_is_refused_in_one_family_is_no_fault() -> None:
    found = seen(connect, subject(LOCALHOST), FakeAsker({Connect: in_four_only, Resolve: BOTH}))
    assert (found.outcome, found.values["failing"]) == ("falls-back", ("[::1]:8000",))
    assert found.outcome not in checks()["connect"].bad
    assert seen(connect, subject(LOCALHOST), FakeAsker({Connect: late_in_six, Resolve: BOTH})).outcome == "partly"


def test_the_address_that_answers_is_looked_at_first() -> None:
    here = FakeAsker({Connect: in_four_only, Resolve: BOTH})
    assert asyncio.run(located(subject(LOCALHOST), here)).addresses == ("127.0.0.1:8000", "[::1]:8000")
    nowhere = FakeAsker({Connect: ConnectFailed(errno.ECONNREFUSED), Resolve: BOTH})
    assert asyncio.run(located(subject(LOCALHOST), nowhere)).addresses == ("[::1]:8000", "127.0.0.1:8000")


def test_without_the_rights_it_is_tried_from_here_and_the_gap_is_said() -> None:
    def answer(question: Connect) -> object:
        return ConnectFailed(errno.ECONNREFUSED) if question.view == HERE else NotAnswered(Why.DENIED, "no setuid")

    found = connected(answer)
    assert (found.outcome, "www-data" in found.summary) == ("refused", False)
    (gap,) = found.gaps
    assert (gap.because, gap.grant) == ("no setuid", "run as root: sudo gateway-wizard")


def test_what_could_not_be_tried_is_unknown() -> None:
    assert connected(NotAnswered(Why.TIMED_OUT, "the deadline passed")).outcome == UNKNOWN
    none = seen(connect, subject(Server("x:80", "x")), FakeAsker({Resolve: Resolved((), "EAI_NONAME")}))
    assert none.outcome == UNKNOWN


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (Connected(), "connected"),
        (ConnectFailed(errno.EACCES), "fails-too"),
        (NotAnswered(Why.FAILED, "no socket"), UNKNOWN),
    ],
)
def test_the_admins_own_connection(answer: object, outcome: str) -> None:
    assert seen(connect_as_admin, subject(HERE_SERVER), FakeAsker({Connect: answer})).outcome == outcome


def test_a_walk_waits_no_longer_than_it_can() -> None:
    assert 0.5 <= deadline_of(subject(HERE_SERVER)) <= 3.0
