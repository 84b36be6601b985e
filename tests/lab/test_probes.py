"""The wizard's own requests: few at the upstream, named, left out of what it counts, and no burden on a full queue."""

from __future__ import annotations

import re

import pytest

from tests.lab.guest import Guest
from tests.lab.scenario import SCENARIOS
from tests.lab.scenarios import capacity, http, service  # noqa: F401 - they enter their stories
from tests.lab.stage import break_it, diagnose, healthy, request

pytestmark = pytest.mark.lab

NAMED = "agent=gateway-wizard/"
VISITS = 3


def asked(guest: Guest, unit: str = "shop") -> list[str]:
    """The requests that the application has seen, with the program that made each."""
    return re.findall(r"[A-Z]+ \S+ HTTP/1\.[01] agent=.*", guest.run(f"journalctl -u {unit} -o cat --no-pager").out)


def waiting(guest: Guest) -> int:
    """How many connections wait in the accept queue of port 8000."""
    return int(guest.run("ss -Hltn 'sport = :8000'").out.split()[1])


def knocking(guest: Guest) -> set[str]:
    """The ends of connections to port 8000 that are not made yet."""
    return {line.split()[2] for line in guest.run("ss -Htn state syn-sent 'dport = :8000'").out.splitlines()}


def test_a_healthy_application_is_asked_a_few_times_by_name() -> None:
    told = SCENARIOS["service.stopped"]
    with healthy(told) as (guest, _):
        before = asked(guest)
        assert diagnose(guest, told.url).result.status == 0
        made = asked(guest)[len(before) :]
    assert 0 < len(made) <= 2, made
    assert all(NAMED in line and line.startswith(("GET ", "HEAD ")) for line in made), made


def test_an_application_that_fails_is_not_asked_much_more() -> None:
    told = SCENARIOS["http.application_says_502"]
    with healthy(told) as (guest, story):
        break_it(story)
        before = asked(guest)
        assert diagnose(guest, told.url).causes == ["upstream-returns-502"]
        made = asked(guest)[len(before) :]
    assert 0 < len(made) <= 4, made
    assert all(NAMED in line for line in made), made


def test_its_own_request_is_not_counted_among_the_failures() -> None:
    told = SCENARIOS["service.stopped"]
    with healthy(told) as (guest, story):
        break_it(story)
        for _ in range(VISITS):
            assert request(guest, told) == 502
        seen = diagnose(guest, told.url)
        lines = guest.read("/var/log/nginx/error.log").count("connect() failed")
        access = guest.read("/var/log/nginx/access.log").splitlines()
    assert lines == VISITS + 1, "the wizard made the visitor's request once"
    assert sum("gateway-wizard/" in line for line in access) == 1
    logged = {step["check"]: step["summary"] for step in seen.report["steps"] if step["check"] in {"log", "route-log"}}
    assert all(f"({VISITS} times" in summary for summary in logged.values()), logged
    assert set(logged) == {"log", "route-log"}


def test_a_full_queue_is_not_made_fuller() -> None:
    told = SCENARIOS["capacity.accept_queue_full"]
    with healthy(told) as (guest, story):
        break_it(story)
        before, trying = waiting(guest), knocking(guest)
        assert diagnose(guest, told.url).causes[:1] == ["listen-backlog-overflow"]
        assert before > 0
        assert waiting(guest) <= before
        assert knocking(guest) <= trying, "what the wizard began it has ended"
