"""Flows drawn as text and for Graphviz."""

from __future__ import annotations

import re

from hypothesis import HealthCheck, given, settings

from tests.flow.samples import SERVER, sound
from tests.flow.strategies import libraries
from wizard.flow.graph import dot, tree
from wizard.flow.language import Flow
from wizard.flow.library import Library
from wizard.flow.load import load_flow
from wizard.flow.order import topological


def test_a_tree_tells_each_step_once_and_joins_on_one_level() -> None:
    assert (
        tree(sound().flows["upstream-server"])
        == """\
upstream-server: Can the gateway reach {server}? (for: server)

connect: check
  Does a connection to {server} succeed?
    connected -> done
    refused, unknown -> listener
    timed-out -> flow firewall

listener: check
    present, unknown -> done
    absent -> service

service: check
    stopped -> cause upstream-service-stopped
    running, unknown -> done
"""
    )


def test_a_branch_is_told_below_its_outcome() -> None:
    flow = load_flow("f", SERVER.replace("connected: done", "connected: service"))
    assert isinstance(flow, Flow)
    text = tree(flow)
    assert "    refused, unknown -> listener\n\n        listener: check\n" in text
    assert "\n\nservice: check\n" in text


def test_dot_names_every_step_and_end() -> None:
    text = dot(sound().flows["upstream-server"])
    assert text.startswith('digraph "upstream-server" {\n')
    assert '"step connect" -> "step listener" [label="refused, unknown"];' in text
    assert '"step connect" -> "end flow firewall" [label="timed-out"];' in text
    assert '"end cause upstream-service-stopped" [label="cause upstream-service-stopped", shape=plain' in text


def test_quotes_and_backslashes_cannot_leave_a_label() -> None:
    flow = load_flow("f", SERVER.replace("title: Can", "title: '\"]; x [label=\"\\' #"))
    assert isinstance(flow, Flow)
    assert flow.title == '"]; x [label="\\'
    assert '  label="\\"]; x [label=\\"\\\\";\n' in dot(flow)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(libraries())
def test_every_reachable_step_is_told_once(library: Library) -> None:
    for flow in library.flows.values():

        def following(name: str, flow: Flow = flow) -> list[str]:
            step = flow.step(name)
            targets = [] if step is None else [target for _, target in step.then] + ([step.next] if step.next else [])
            return [target.step for target in targets if target.step is not None]

        reached = topological([flow.start], following)
        headings = re.findall(r"^ *(s\d+): ", tree(flow), re.MULTILINE)
        assert sorted(headings) == sorted(reached)
