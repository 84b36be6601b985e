"""The engine: positions of a sample walk, and what holds of every walk."""

from __future__ import annotations

import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.flow.samples import ENTRY, FIREWALL, SERVER, VOCABULARY, library, sound
from tests.flow.strategies import AT, RANDOM_VOCABULARY, libraries, words_of
from wizard.flow.ahead import Ahead
from wizard.flow.engine import End, Kind, Results, Scene, Subjects, Visit, Walk, walk
from wizard.flow.language import Flow, Step, Target
from wizard.flow.library import Library

SUBJECTS = Subjects.of(
    [("host", "host", None), ("url", "route", "host"), ("a", "server", "url"), ("b", "server", "url")]
)
SCENE = Scene(sound(), VOCABULARY, SUBJECTS)
ROUTE = {("502/route", "url"): "found"}


def asked(position: Walk) -> list[tuple[str, str]]:
    return [(visit.node, visit.about) for visit in position.ready]


def foreseen(scene: Scene, flow: str, subject: str, results: Results) -> list[Visit]:
    """What can be asked beyond what the walk asks now."""
    ready = {visit.question for visit in walk(scene, flow, subject, results).ready}
    return [visit for visit in Ahead(scene, [(flow, subject)], results).visits() if visit.question not in ready]


def test_a_walk_begins_at_the_first_step() -> None:
    position = walk(SCENE, "502", "url", {})
    assert asked(position) == [("502/route", "url")]
    assert position.ready[0].kind is Kind.CHECK
    assert not position.finished


def test_each_opens_a_frame_for_every_server_side_by_side() -> None:
    position = walk(SCENE, "502", "url", ROUTE)
    assert asked(position) == [("upstream-server/connect", "a"), ("upstream-server/connect", "b")]
    assert {visit.depth for visit in position.ready} == {1}


def test_what_follows_each_waits_for_all_frames() -> None:
    one = {**ROUTE, ("upstream-server/connect", "b"): "connected"}
    position = walk(SCENE, "502", "url", one)
    assert asked(position) == [("upstream-server/connect", "a")]
    assert position.ended == (End("b", None, "upstream-server/connect", "connected"),)
    both = {**one, ("upstream-server/connect", "a"): "connected"}
    position = walk(SCENE, "502", "url", both)
    assert asked(position) == [("502/deployed", "url")]
    assert position.ready[0].kind is Kind.ASK
    assert walk(SCENE, "502", "url", {**both, ("502/deployed", "url"): "dont-know"}).finished


def test_done_is_in_the_order_of_the_walk_not_of_completion() -> None:
    results = {
        ("upstream-server/connect", "b"): "refused",
        ("upstream-server/listener", "b"): "present",
        **ROUTE,
        ("upstream-server/connect", "a"): "connected",
    }
    position = walk(SCENE, "502", "url", results)
    assert [(visit.node, visit.subject, visit.outcome) for visit in position.done] == [
        ("502/route", "url", "found"),
        ("upstream-server/connect", "a", "connected"),
        ("upstream-server/connect", "b", "refused"),
        ("upstream-server/listener", "b", "present"),
    ]


def test_a_frame_ends_at_its_cause() -> None:
    results = {
        ("upstream-server/connect", "a"): "refused",
        ("upstream-server/listener", "a"): "absent",
        ("upstream-server/service", "a"): "stopped",
    }
    position = walk(SCENE, "upstream-server", "a", results)
    assert position.ended == (End("a", "upstream-service-stopped", "upstream-server/service", "stopped"),)
    assert position.finished


def test_a_check_of_the_host_is_asked_once_for_all_frames() -> None:
    results = {
        **ROUTE,
        ("upstream-server/connect", "a"): "timed-out",
        ("upstream-server/connect", "b"): "timed-out",
    }
    position = walk(SCENE, "502", "url", results)
    assert asked(position) == [("firewall/clock", "host")]
    position = walk(SCENE, "502", "url", {**results, ("firewall/clock", "host"): "steady"})
    assert [visit.subject for visit in position.done if visit.node == "firewall/clock"] == ["a", "b"]
    assert asked(position) == [("502/deployed", "url")]


TWICE = """\
flow: twice
title: Asks the same twice.
for: server
steps:
  first: {check: connect, then: {connected: second, refused: second, timed-out: second, unknown: second}}
  second: {check: connect, then: {connected: third, refused: done, timed-out: done, unknown: done}}
  third: {check: listener, then: {present: done, absent: done, unknown: done}}
"""


def test_what_was_observed_holds_at_another_step() -> None:
    scene = Scene(library(TWICE), VOCABULARY, SUBJECTS)
    position = walk(scene, "twice", "a", {("twice/first", "a"): "connected"})
    assert [(visit.node, visit.reused, visit.observed_at) for visit in position.done] == [
        ("twice/first", False, "twice/first"),
        ("twice/second", True, "twice/first"),
    ]
    assert asked(position) == [("twice/third", "a")]


def test_a_step_that_was_overruled_keeps_its_own_word() -> None:
    scene = Scene(library(TWICE), VOCABULARY, SUBJECTS)
    results = {("twice/first", "a"): "connected", ("twice/second", "a"): "refused"}
    assert walk(scene, "twice", "a", results).finished


def test_a_pool_without_servers_is_passed_over() -> None:
    scene = Scene(sound(), VOCABULARY, Subjects.of([("url", "route", None)]))
    assert asked(walk(scene, "502", "url", ROUTE)) == [("502/deployed", "url")]


@pytest.mark.parametrize(
    ("flows", "start"),
    [
        ((), "nowhere"),
        ((ENTRY,), "502"),
        (("flow: x\ntitle: t\nfor: route\nsteps: {a: {check: route, then: {found: b}}}\n",), "x"),
        (("flow: x\ntitle: t\nfor: route\nsteps: {a: {check: route, then: {found: {flow: y}}}}\n",), "x"),
        (("flow: x\ntitle: t\nfor: route\nsteps: {a: {check: route, then: {found: a}}}\n",), "x"),
        (("flow: x\ntitle: t\nfor: route\nstart: z\nsteps: {a: {check: route, then: {none: a}}}\n",), "x"),
        (("flow: x\ntitle: t\nfor: route\nsteps: {a: {each: server, flow: x, next: a}}\n",), "x"),
    ],
)
def test_a_flow_that_leads_nowhere_ends_without_a_cause(flows: tuple[str, ...], start: str) -> None:
    scene = Scene(library(*flows), VOCABULARY, SUBJECTS)
    results = {**ROUTE, ("x/a", "url"): "found", ("502/deployed", "url"): "yes"}
    position = walk(scene, start, "url", results)
    assert position.finished
    assert all(end.cause is None for end in position.ended)


def test_subjects_are_a_tree() -> None:
    with pytest.raises(ValueError, match="before its parent"):
        Subjects.of([("a", "server", "url")])
    with pytest.raises(ValueError, match="two subjects"):
        Subjects.of([("a", "server", None), ("a", "server", None)])
    assert SUBJECTS.at_scope("a", "host") == "host"
    assert SUBJECTS.at_scope("a", "elsewhere") == "a"


def test_foreseen_is_what_lies_on_every_way_on() -> None:
    chain = """\
flow: chain
title: t
for: server
steps:
  one: {check: connect, then: {connected: two, refused: three, timed-out: three, unknown: three}}
  two: {check: listener, then: {present: three, absent: three, unknown: three}}
  three: {check: service, then: {running: done, stopped: done, unknown: {flow: firewall}}}
"""
    entry = ENTRY.replace("flow: upstream-server", "flow: chain").replace("next: deployed", "next: last")
    entry += "  last: {check: clock, then: {steady: deployed, jumped: deployed, unknown: deployed}}\n"
    scene = Scene(library(entry, chain, FIREWALL), VOCABULARY, SUBJECTS)
    assert [(visit.node, visit.about) for visit in foreseen(scene, "502", "url", ROUTE)] == [
        ("chain/three", "a"),
        ("chain/three", "b"),
        ("502/last", "host"),
    ]
    results = {**ROUTE, ("chain/one", "a"): "connected"}
    ahead = foreseen(scene, "502", "url", results)
    assert ("chain/three", "a") in [(visit.node, visit.about) for visit in ahead]
    assert foreseen(scene, "502", "url", {}) == []


def test_foreseen_takes_what_is_known_as_decided() -> None:
    text = """\
flow: known
title: t
for: server
steps:
  one: {check: connect, then: {connected: two, refused: two, timed-out: two, unknown: two}}
  two: {check: route, then: {found: three, none: done, unknown: done}}
  three: {check: service, then: {running: done, stopped: done, unknown: done}}
"""
    scene = Scene(library(ENTRY, SERVER, FIREWALL, text), VOCABULARY, SUBJECTS)
    assert [visit.node for visit in foreseen(scene, "known", "a", {})] == ["known/two"]
    assert [visit.node for visit in foreseen(scene, "known", "a", ROUTE)] == ["known/three"]


def test_foreseen_looks_into_an_each_that_is_certain() -> None:
    entry = ENTRY.replace("none: done", "none: servers")
    scene = Scene(library(entry, SERVER, FIREWALL), VOCABULARY, SUBJECTS)
    ahead = foreseen(scene, "502", "url", {})
    assert [(visit.node, visit.about, visit.depth) for visit in ahead] == [
        ("upstream-server/connect", "a", 1),
        ("upstream-server/connect", "b", 1),
    ]


def test_a_very_long_flow_is_walked() -> None:
    steps = tuple(
        Step(f"s{number}", AT, check=None, ask="?", then=(("yes", Target(step=f"s{number + 1}")),))
        for number in range(3000)
    )
    last = Step("s3000", AT, check="server-1", then=(("yes", Target()),))
    scene = Scene(Library({"long": Flow("long", "t", "server", "s0", (*steps, last), AT)}), RANDOM_VOCABULARY, SUBJECTS)
    assert [visit.node for visit in foreseen(scene, "long", "a", {})] == ["long/s3000"]


# --- properties -----------------------------------------------------------------------------------------------


def finish(scene: Scene, choose: random.Random) -> list[dict[tuple[str, str], str]]:
    """A whole walk, each time answering one ready question; the results after each answer."""
    history: list[dict[tuple[str, str], str]] = [{}]
    for _ in range(500):
        position = walk(scene, "top", "url", history[-1])
        if position.finished:
            return history
        assert position.ready
        visit = choose.choice(position.ready)
        word = choose.choice(words_of(visit.step))
        history.append({**history[-1], (visit.node, visit.about): word})
    raise AssertionError("the walk did not end")


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(libraries(), st.randoms(use_true_random=False))
def test_every_walk_ends_and_asks_nothing_twice(flows: Library, choose: random.Random) -> None:
    scene = Scene(flows, RANDOM_VOCABULARY, SUBJECTS)
    for results in finish(scene, choose):
        position = walk(scene, "top", "url", results)
        questions = [visit.question for visit in position.ready]
        assert len(questions) == len(set(questions))
        assert not set(asked(position)) & results.keys()
        assert position.finished == (not position.ready)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(libraries(), st.randoms(use_true_random=False))
def test_going_back_gives_the_earlier_position(flows: Library, choose: random.Random) -> None:
    scene = Scene(flows, RANDOM_VOCABULARY, SUBJECTS)
    history = finish(scene, choose)
    positions = [walk(scene, "top", "url", results) for results in history]
    backwards = dict(history[-1])
    for position in reversed(positions):
        assert walk(scene, "top", "url", backwards) == position
        if backwards:
            backwards.popitem()


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(libraries(), st.randoms(use_true_random=False))
def test_the_order_of_completion_changes_nothing(flows: Library, choose: random.Random) -> None:
    scene = Scene(flows, RANDOM_VOCABULARY, SUBJECTS)
    for results in finish(scene, choose):
        shuffled = list(results.items())
        choose.shuffle(shuffled)
        assert walk(scene, "top", "url", dict(shuffled)) == walk(scene, "top", "url", results)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(libraries(), st.randoms(use_true_random=False))
def test_what_is_foreseen_is_asked_whatever_comes(flows: Library, choose: random.Random) -> None:
    scene = Scene(flows, RANDOM_VOCABULARY, SUBJECTS)
    history = finish(scene, choose)
    end = walk(scene, "top", "url", history[-1])
    questions = {visit.question for visit in end.done}
    for results in history:
        ahead = foreseen(scene, "top", "url", results)
        assert {visit.question for visit in ahead} <= questions
        assert all(visit.kind is Kind.CHECK and not visit.outcome for visit in ahead)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(libraries(), st.randoms(use_true_random=False))
def test_following_comes_to_what_beginning_anew_comes_to(flows: Library, choose: random.Random) -> None:
    scene = Scene(flows, RANDOM_VOCABULARY, SUBJECTS)
    history = finish(scene, choose)
    ahead = Ahead(scene, [("top", "url")], {})
    said: set[tuple[str, str]] = set()
    for before, results in zip(history, [*history[1:], history[-1]], strict=True):
        visits = ahead.visits()
        said |= {visit.question for visit in visits}
        assert {visit.question for visit in walk(scene, "top", "url", before).ready} <= {
            visit.question for visit in visits
        }
        for key in results.keys() - before.keys():
            ahead.learn(*key, results[key])
    assert said == {visit.question for visit in walk(scene, "top", "url", history[-1]).done}
