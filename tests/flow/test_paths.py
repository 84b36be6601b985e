"""The proof over all paths against every path walked one by one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pytest
from hypothesis import HealthCheck, assume, given, settings

from tests.flow.samples import CAUSES, ENTRY, FIREWALL, SERVER, VOCABULARY, library
from tests.flow.strategies import AT, CAUSE, RANDOM_VOCABULARY, libraries, words_of
from wizard.flow import paths
from wizard.flow.engine import Kind, Scene, Subjects, walk
from wizard.flow.language import Flow, Step, Target
from wizard.flow.library import Library
from wizard.flow.paths import Claim, Site, TooManyPathsError, failures
from wizard.flow.step_graph import Graph
from wizard.flow.vocabulary import SCOPES, outcome_sets

TREE = (("host", "host", None), ("url", "route", "host"), ("one", "server", "url"))
KEYS = {"host": "host", "route": "url", "server": "one"}


def claim_of(library: Library) -> Claim:
    cause = library.causes[CAUSE]
    return Claim(tuple(outcome_sets(need.outcomes) for need in cause.needs), outcome_sets(cause.excludes))


def cause_sites(graph: Graph) -> frozenset[Site]:
    return frozenset(
        (node, word) for node in graph.steps for word, target in graph.exits(node) if target.cause is not None
    )


def is_root(library: Library, flow: Flow) -> bool:
    steps = [step for each in library.flows.values() for step in each.steps]
    entered = {step.flow for step in steps} | {target.flow for step in steps for _, target in step.then}
    entered |= {step.next.flow for step in steps if step.next is not None}
    return flow.name not in entered


def every_walk(scene: Scene, flow: str, subject: str) -> Iterator[tuple[dict[tuple[str, str], str], set[Site]]]:
    """Each position of every walk with one child at most: the results so far, and the sites met with just these."""
    waiting: list[tuple[dict[tuple[str, str], str], int, int]] = [({}, 0, 0)]
    while waiting:
        results, ended, arrived = waiting.pop()
        position = walk(scene, flow, subject, results)
        met: set[Site] = {
            ((end.via.split("/")[0], end.via.split("/")[1]), end.outcome)
            for end in position.ended[ended:]
            if end.cause is not None
        }
        visits = (*position.done, *position.ready)
        met |= {((visit.node.split("/")[0], visit.node.split("/")[1]), None) for visit in visits[arrived:]}
        yield results, met
        for visit in position.ready[:1]:
            waiting += [
                ({**results, (visit.node, visit.about): word}, len(position.ended), len(visits))
                for word in words_of(visit.step)
            ]


def seen_at(scene: Scene, subject: str, results: Mapping[tuple[str, str], str]) -> dict[str, str]:
    lineage = {scene.subjects.at_scope(subject, scope) for scope in SCOPES}
    found = {}
    for (node, about), outcome in results.items():
        step = scene.library.flows[node.split("/")[0]].step(node.split("/")[1])
        if step is not None and step.check is not None and about in lineage:
            found[step.check] = outcome
    return found


def broken(claim: Claim, seen: Mapping[str, str]) -> set[bool]:
    """Whether a claim is broken by missing needs (False) or by an exclusion (True)."""
    met = any(all(seen.get(check) in fit for check, fit in each.items()) for each in claim.alternatives)
    excluded = any(seen.get(check) in outcomes for check, outcomes in claim.excludes.items())
    return ({False} if not met else set()) | ({True} if excluded else set())


def by_force(library: Library, claim: Claim) -> set[tuple[Site, bool]]:
    found: set[tuple[Site, bool]] = set()
    for flow in library.flows.values():
        if not is_root(library, flow):
            continue
        for size in range(1, len(TREE) + 1):
            subjects = Subjects.of(TREE[:size])
            if KEYS[flow.scope] not in subjects.scopes:
                continue
            scene = Scene(library, RANDOM_VOCABULARY, subjects)
            for results, met in every_walk(scene, flow.name, KEYS[flow.scope]):
                for site in met:
                    seen = seen_at(scene, KEYS[library.flows[site[0][0]].scope], results)
                    found |= {(site, excluded) for excluded in broken(claim, seen)}
    return found


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(libraries())
def test_the_proof_finds_exactly_the_sites_that_walking_every_path_finds(library: Library) -> None:
    graph = Graph(library, RANDOM_VOCABULARY)
    claim = claim_of(library)
    arriving = frozenset((node, None) for node, step in graph.steps.items() if step.each is None)
    forced = by_force(library, claim)
    for sites in (cause_sites(graph), arriving):
        found = {(failure.site, failure.excluded_by is not None) for failure in failures(graph, claim, sites)}
        assert found == {(site, excluded) for site, excluded in forced if site in sites}


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(libraries())
def test_looking_at_one_site_says_the_same_as_looking_at_all(library: Library) -> None:
    graph = Graph(library, RANDOM_VOCABULARY)
    claim = claim_of(library)
    sites = cause_sites(graph)
    together = {(failure.site, failure.excluded_by is not None) for failure in failures(graph, claim, sites)}
    alone = {
        (failure.site, failure.excluded_by is not None)
        for site in sites
        for failure in failures(graph, claim, frozenset([site]))
    }
    assert alone == together


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(libraries())
def test_the_path_that_is_told_breaks_the_claim_when_walked(library: Library) -> None:
    graph = Graph(library, RANDOM_VOCABULARY)
    claim = claim_of(library)
    for failure in failures(graph, claim, cause_sites(graph)):
        root = failure.path[0][0].split("/")[0]
        childless = any(word == "none" for _, word in failure.path)
        size = len(TREE)
        if childless:
            size = 2 if any(library.flows[node.split("/")[0]].scope == "route" for node, _ in failure.path) else 1
        scene = Scene(library, RANDOM_VOCABULARY, Subjects.of(TREE[:size]))
        results = {}
        for node, word in failure.path:
            step = library.flows[node.split("/")[0]].step(node.split("/")[1])
            assert step is not None
            if step.each is None:
                subject = KEYS[library.flows[node.split("/")[0]].scope]
                scope = RANDOM_VOCABULARY.scope_of(step.check or "")
                results[node, scene.subjects.at_scope(subject, scope)] = word
        position = walk(scene, root, KEYS[library.flows[root].scope], results)
        (flow, name), left_by = failure.site
        end = next(end for end in position.ended if end.via == f"{flow}/{name}" and end.outcome == (left_by or ""))
        assert end.cause == CAUSE
        assert (failure.excluded_by is not None) in broken(claim, seen_at(scene, end.subject, results))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(libraries())
def test_a_second_server_breaks_nothing_that_one_does_not(library: Library) -> None:
    assume(is_root(library, library.flows["top"]))
    graph = Graph(library, RANDOM_VOCABULARY)
    claim = claim_of(library)
    found = {failure.site for failure in failures(graph, claim, cause_sites(graph)) if failure.excluded_by is None}
    scene = Scene(library, RANDOM_VOCABULARY, Subjects.of((*TREE, ("two", "server", "url"))))
    for count, (results, _) in enumerate(every_walk(scene, "top", "url")):
        for end in walk(scene, "top", "url", results).ended:
            if end.cause is not None and False in broken(claim, seen_at(scene, end.subject, results)):
                flow, name = end.via.split("/")
                assert ((flow, name), end.outcome) in found
        if count > 400:
            break


def test_the_sample_ends_at_its_cause_only_where_it_holds() -> None:
    graph = Graph(library(ENTRY, SERVER, FIREWALL, causes=CAUSES), VOCABULARY)
    claim = Claim(({"listener": frozenset(["absent"]), "service": frozenset(["stopped"])},), {})
    site: Site = (("upstream-server", "service"), "stopped")
    assert failures(graph, claim, frozenset([site])) == []
    stricter = Claim(({"connect": frozenset(["refused"]), "service": frozenset(["stopped"])},), {})
    (failure,) = failures(graph, stricter, frozenset([site]))
    assert failure.path == (
        ("502/route", "found"),
        ("502/servers", "some"),
        ("upstream-server/connect", "unknown"),
        ("upstream-server/listener", "absent"),
        ("upstream-server/service", "stopped"),
    )


def test_an_observation_of_a_server_says_nothing_of_the_route_after_it() -> None:
    entry = ENTRY.replace("next: deployed", "next: {cause: upstream-service-stopped}")
    entry = entry[: entry.index("  deployed:")]
    graph = Graph(library(entry, SERVER, FIREWALL, causes=CAUSES), VOCABULARY)
    claim = Claim(({"connect": frozenset(["connected", "refused", "timed-out", "unknown"])},), {})
    site: Site = (("502", "servers"), "")
    assert [failure.site for failure in failures(graph, claim, frozenset([site]))] == [site]


BEHIND = """\
flow: entry
title: t
for: route
steps:
  servers: {each: server, flow: one, next: {cause: upstream-service-stopped}}
"""
ONE = """\
flow: one
title: t
for: server
steps:
  clock: {check: clock, then: {steady: done, jumped: {flow: other}, unknown: done}}
"""
OTHER = """\
flow: other
title: t
for: server
steps:
  connect: {check: connect, then: {connected: done, refused: done, timed-out: done, unknown: done}}
"""


@pytest.mark.parametrize(
    ("outcomes", "path"),
    [
        (["steady", "jumped", "unknown"], (("entry/servers", "none"),)),
        (["steady", "unknown"], (("entry/servers", "none"),)),
    ],
)
def test_a_pool_may_be_empty(outcomes: list[str], path: tuple[tuple[str, str], ...]) -> None:
    graph = Graph(library(BEHIND, ONE, OTHER, causes=CAUSES), VOCABULARY)
    site: Site = (("entry", "servers"), "")
    (failure,) = failures(graph, Claim(({"clock": frozenset(outcomes)},), {}), frozenset([site]))
    assert failure.path == path


def test_a_path_comes_back_from_a_flow_that_another_handed_over_to() -> None:
    graph = Graph(library(BEHIND, ONE, OTHER, causes=CAUSES), VOCABULARY)
    site: Site = (("entry", "servers"), "")
    (failure,) = failures(graph, Claim(({},), {"clock": frozenset(["jumped"])}), frozenset([site]))
    assert failure.path[:3] == (("entry/servers", "some"), ("one/clock", "jumped"), ("other/connect", "connected"))


def test_a_claim_with_too_many_paths_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paths, "MAX_STATES", 1)
    graph = Graph(library(ENTRY, SERVER, FIREWALL), VOCABULARY)
    claim = Claim(({"listener": frozenset(["absent"])},), {})
    with pytest.raises(TooManyPathsError):
        failures(graph, claim, frozenset([(("upstream-server", "service"), "stopped")]))


def test_a_long_flow_is_proven_without_following_each_path_alone() -> None:
    names = list(RANDOM_VOCABULARY.checks)
    steps = [
        Step(
            f"s{number}",
            AT,
            check=names[number % 4],
            then=tuple((word, Target(step=f"s{number + 1}")) for word in ("yes", "no", "unknown")),
        )
        for number in range(400)
    ]
    steps.append(
        Step("s400", AT, check="server-1", then=(("yes", Target(cause=CAUSE)), ("no", Target()), ("unknown", Target())))
    )
    graph = Graph(Library({"long": Flow("long", "t", "server", "s0", tuple(steps), AT)}), RANDOM_VOCABULARY)
    site: Site = (("long", "s400"), "yes")
    assert failures(graph, Claim(({"server-1": frozenset(["yes"])},), {}), frozenset([site])) == []
    assert len(failures(graph, Claim(({"server-2": frozenset(["yes"])},), {}), frozenset([site]))) == 1


def test_kinds_of_steps_that_are_visited() -> None:
    scene = Scene(library(ENTRY, SERVER, FIREWALL), VOCABULARY, Subjects.of(TREE))
    kinds = {
        visit.kind
        for results, _ in every_walk(scene, "502", "url")
        for visit in walk(scene, "502", "url", results).ready
    }
    assert kinds == {Kind.CHECK, Kind.ASK}
