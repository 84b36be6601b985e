"""View models from sessions and reports: pure, and complete without a terminal."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from msgspec.structs import replace

from tests.tui.fake import HEALTHY, FakeHost, Story, library
from wizard.flow.engine import Visit
from wizard.session.events import Watched
from wizard.session.report import WatchPart
from wizard.views.after import after_view
from wizard.views.diagnosis import diagnosis_view
from wizard.views.start import start_view, symptoms
from wizard.views.walk import step_view, walk_view
from wizard.walk.plan import Target
from wizard.walk.runner import Options
from wizard.walk.sitting import Sitting

CART = Target(url="http://shop.example/cart")


def sat(story: Story | None = None, host: FakeHost | None = None) -> Sitting:
    return Sitting(host or FakeHost(), library(), (story or Story()).checks(), Options())


def walked(story: Story | None = None, target: Target = CART) -> Sitting:
    sitting = sat(story)
    asyncio.run(sitting.walk(target))
    return sitting


def visits(sitting: Sitting) -> Iterable[Visit]:
    return (visit for position in sitting.positions() for visit in position.done)


def test_the_start_ranks_what_fails_before_everything() -> None:
    shown = start_view(asyncio.run(sat().look()))
    first, last = shown.rows
    assert (first.where, first.upstream, first.word) == ("shop.example /cart", "127.0.0.1:8000", "refused")
    assert (first.status, first.count, first.last) == ("502", "27", "2 s")
    assert first.target == CART
    assert last.target == Target()
    assert shown.gateways == ("nginx  pid 812  up 3 d  loaded 12:00  /etc/nginx/nginx.conf",)


def test_where_nothing_fails_everything_comes_first_and_each_route_after_it() -> None:
    shown = start_view(asyncio.run(sat(host=FakeHost(log=b"")).look()))
    assert [row.target.url for row in shown.rows] == [None, "http://shop.example/cart"]
    assert shown.heading == "Nothing failed in the last 15 min, by the error logs"


def test_while_the_host_is_looked_at_there_is_nothing_to_walk() -> None:
    assert start_view(None).rows == ()
    assert start_view(None).looking
    assert start_view(None, failure="No time.").notes == ("No time.",)


def test_without_a_gateway_the_start_says_what_to_do() -> None:
    shown = start_view(asyncio.run(sat(host=FakeHost(nginx=False)).look()))
    assert shown.rows == ()
    assert shown.notes[0] == "No gateway was found on this host."


def test_symptoms_are_the_trees_that_name_a_status() -> None:
    assert [one.flow for one in symptoms(library())] == [None, "route"]


def test_the_strip_shows_the_path_and_where_it_departs() -> None:
    sitting = walked()
    shown = walk_view("x", sitting.positions(), sitting.events, sitting.checks, report=sitting.report())
    assert [(hop.label, hop.word) for hop in shown.path.hops] == [
        (":80", "ok"),
        ("nginx.conf:5", "ok"),
        ("/cart:9", "ok"),
        ("shop_app", "ok"),
        ("127.0.0.1:8000", "NO"),
        ("http", "-"),
        ("shop.service", "NO"),
    ]
    assert shown.symptom == "502"


def test_the_trail_has_a_heading_for_each_subject() -> None:
    sitting = walked()
    rows = walk_view("x", sitting.positions(), sitting.events, sitting.checks).rows
    assert [row.label for row in rows if row.visit is None] == [
        "this host",
        "http://shop.example/cart",
        "127.0.0.1:8000",
    ]
    assert [row.number for row in rows if row.visit is not None] == [1, 2, 3, 4, 5]


def test_a_step_tells_question_reason_observation_and_evidence() -> None:
    sitting = walked()
    visit = next(one for one in visits(sitting) if one.step.check == "listener")
    done = sitting.session().steps()[3]
    shown = step_view(visit, sitting.events, sitting.checks, sitting.replies(done.evidence), 0)
    assert shown.question == "Who listens on that address?"
    assert shown.word == "NO"
    assert shown.said == "Nobody listens on 127.0.0.1:8000."
    assert shown.why.startswith("Refused means")
    assert shown.by_hand == "ss -Hltnp 'sport = :8000'"
    assert len(shown.evidence) == 1


def test_the_diagnosis_orders_the_repair_before_its_proof_and_the_rest() -> None:
    shown = diagnosis_view(walked().report())
    assert (shown.word, shown.title, shown.id) == ("CONFIRMED", "shop.service is stopped", "service-stopped")
    assert [card.stage for card in shown.cards] == ["Fix", "Verify", "Look"]
    assert shown.cards[0].marks == ("changes this host", "needs root")
    assert shown.cards[0].undo == "systemctl stop shop.service"
    assert [one.text for one in shown.causes[0].because] == [
        "Connecting to 127.0.0.1:8000 as www-data: refused.",
        "Nobody listens on 127.0.0.1:8000.",
        "shop.service is stopped.",
    ]
    assert all(one.evidence for one in shown.causes[0].because)
    assert shown.could_not[0].text.endswith("To change that: add the user to systemd-journal.")


def test_before_and_after_name_what_changed_only() -> None:
    story = Story()
    sitting = walked(story)
    story.findings.update(HEALTHY)
    asyncio.run(sitting.again())
    shown = after_view(sitting.report())
    assert shown.word == "ok"
    assert [(row.what, row.before_word, row.before, row.after_word, row.after) for row in shown.rows[:2]] == [
        ("the visitor's request", "NO", "502", "ok", "200"),
        ("cause", "", "service-stopped", "", "none observed"),
    ]
    assert "gateway" not in {row.what.split(" ", maxsplit=1)[0] for row in shown.rows}
    assert [(one.what, one.answer, one.run) for one in shown.lasts] == [
        ("a restart of this host", "no", "systemctl enable nginx.service")
    ]


def test_a_watch_from_before_the_repair_is_no_part_of_what_is_now() -> None:
    story = Story()
    sitting = walked(story)
    asyncio.run(sitting.again())
    report = sitting.report()
    watches = tuple(
        WatchPart(
            said, "2026-11-23T14:07:31.000Z", 60.0, "http://shop.example/", 0, 60, {"502": 60}, 0, "complete", attempt
        )
        for said, attempt in (("before", 1), ("now", 2))
    )
    assert after_view(replace(report, watched=watches)).watched == ("now",)


def test_a_watch_that_goes_on_shows_how_far_it_is() -> None:
    seen = Watched(1.0, 30.0, "http://shop.example/", 29, 1, {"502": 1}, logged=4)
    assert after_view(None, seen).watched == (
        "[##########..........] 30 s of 60 s: 29 good, 1 bad, 4 failures of others",
    )


def test_no_fault_is_said_carefully() -> None:
    shown = diagnosis_view(walked(Story({**Story().findings, **HEALTHY})).report())
    assert shown.word == "OK"
    assert shown.title == "No fault was observed: the request is answered."
    assert shown.cards == ()
