"""The strip of hops: which hop a step tells of, and what its word says while a walk goes on and afterwards."""

from __future__ import annotations

import asyncio

import pytest

from tests.tui.fake import CONFIG, TWO_SERVERS, FakeHost, Story, library
from wizard.checks.all import CHECKS
from wizard.flow.engine import Kind, Visit
from wizard.flow.language import At, Step
from wizard.session.observed import Observed
from wizard.views.path import Path, path_of
from wizard.views.words import NO, OK, UNTOLD, WAITING
from wizard.walk.plan import Target
from wizard.walk.runner import Options
from wizard.walk.sitting import Sitting

CART = Target(url="http://shop.example/cart")
ROUTE = "http://shop.example/cart"
SERVER = f"127.0.0.1:8000 of {ROUTE}"


def observed(config: bytes = CONFIG) -> Observed:
    sitting = Sitting(FakeHost(config=config), library(), Story().checks(), Options())
    asyncio.run(sitting.walk(CART))
    return Observed.of(sitting.events)


def visit(check: str, about: str) -> Visit:
    return Visit(f"server/{check}", Step(check, At("tests", 1, 1), check=check), about, about, Kind.CHECK, 1)


def path(*taken: tuple[str, str, str], config: bytes = CONFIG, about: str | None = None) -> Path:
    words = {"NO": NO, "ok": OK, "?": UNTOLD, "...": WAITING}
    return path_of([(visit(check, key), words[word]) for check, key, word in taken], observed(config), about)


def words(of: Path) -> list[str]:
    return [str(hop.word) for hop in of.hops]


def test_a_hop_is_ok_only_once_all_that_was_begun_about_it_is_told() -> None:
    assert words(path(("connect", SERVER, "ok"), ("listener", SERVER, "...")))[4] == "..."
    assert words(path(("connect", SERVER, "ok"), ("listener", SERVER, "ok")))[4] == "ok"


def test_a_step_that_departs_tells_at_once() -> None:
    assert words(path(("connect", SERVER, "NO"), ("listener", SERVER, "...")))[4] == "NO"


def test_could_not_tell_is_no_ok() -> None:
    assert words(path(("connect", SERVER, "?"), ("listener", SERVER, "ok")))[4] == "?"


def test_what_was_not_asked_is_open_while_the_walk_goes_on_and_a_dash_afterwards() -> None:
    assert words(path(("connect", SERVER, "...")))[5:] == ["...", "..."]
    assert words(path(("connect", SERVER, "NO")))[5:] == ["-", "-"]


@pytest.mark.parametrize(
    ("check", "about", "hop"),
    [
        ("gateway", "host", 0),
        ("door", ROUTE, 0),
        ("loaded", ROUTE, 1),
        ("handling", ROUTE, 1),
        ("own-answer", ROUTE, 2),
        ("connect", SERVER, 4),
        ("socket-file", SERVER, 4),
        ("reply", SERVER, 5),
        ("service", SERVER, 6),
    ],
)
def test_the_hop_that_a_check_tells_of(check: str, about: str, hop: int) -> None:
    assert check in CHECKS
    assert [index for index, word in enumerate(words(path((check, about, "NO")))) if word == "NO"] == [hop]


def test_a_name_that_fails_is_a_hop_of_its_own() -> None:
    made = path(("name", SERVER, "NO"))
    assert [str(hop.label) for hop in made.hops][4:6] == ["name", "127.0.0.1:8000"]


def test_each_server_is_a_branch_with_its_own_words() -> None:
    second = f"127.0.0.1:8001 of {ROUTE}"
    made = path(("connect", SERVER, "ok"), ("connect", second, "NO"), config=TWO_SERVERS)
    assert [(str(one.hops[0].label), str(one.word), one.looked_at) for one in made.branches] == [
        ("127.0.0.1:8000", "ok", False),
        ("127.0.0.1:8001", "NO", True),
    ]


def test_the_step_that_is_looked_at_chooses_the_branch() -> None:
    second = f"127.0.0.1:8001 of {ROUTE}"
    made = path(("connect", SERVER, "ok"), ("connect", second, "NO"), config=TWO_SERVERS, about=SERVER)
    assert [one.looked_at for one in made.branches] == [True, False]


def test_without_a_route_there_is_no_path() -> None:
    assert path_of([], Observed(), None) == Path()
