"""What the program's own causes make of a server at whose address nobody listens, whoever has its port elsewhere."""

from __future__ import annotations

import pytest

from tests.session.making import URL, A, B, named, server, step, verdict
from wizard.flow.data import flows_root
from wizard.flow.folders import Source, load_library
from wizard.flow.language import Cause
from wizard.session.events import StepDone


@pytest.fixture(scope="module")
def causes() -> list[Cause]:
    return list(load_library(Source(flows_root())).causes.values())


def dead(app: str, service: str, *, listener: str = "other-address") -> list[StepDone]:
    """Both servers refuse."""
    return [
        one
        for key in (server(A), server(B))
        for one in (
            step("connect", key, "refused"),
            step("listener", key, listener),
            step("service", key, service, unit="shop.service", said="It is so."),
            step("app", key, app, listens="127.0.0.2:8000", program="python3 (pid 9)", unit=""),
        )
    ]


FAILS = step("request", URL, "bad-gateway")
ASIDE = [
    step("handling", URL, "no-live-upstreams"),
    step("set-aside", URL, "still-failing", count=3, pool="shop", seconds=10.0),
]


@pytest.mark.parametrize("listener", ["absent", "other-address"])
@pytest.mark.parametrize("before", [[], ASIDE], ids=["asked", "set aside"])
def test_the_cause_is_the_same_whether_or_not_the_gateway_has_set_the_servers_aside(
    causes: list[Cause], before: list[StepDone], listener: str
) -> None:
    """A second walk comes within `fail_timeout` of the first one's request, and finds the servers set aside by it."""
    drawn = verdict(causes, FAILS, *before, *dead("several", "no-unit", listener=listener))
    assert (drawn.word, named(drawn)) == ("cause-found", ["upstream-not-listening"] * 2)


@pytest.mark.parametrize(
    ("service", "found"),
    [
        ("stopped", "upstream-service-stopped"),
        ("failed-at-start", "upstream-service-failed-start"),
        ("failed-later", "upstream-crashed-mid-request"),
        ("running", "upstream-wrong-bind-address"),
    ],
)
def test_a_service_that_is_down_is_the_cause_though_another_has_its_port_on_another_address(
    causes: list[Cause], service: str, found: str
) -> None:
    drawn = verdict(causes, FAILS, *dead("other-address", service))
    assert (drawn.word, set(named(drawn))) == ("cause-found", {found})


def test_a_pool_that_is_set_aside_and_refuses_is_not_said_to_accept_connections(causes: list[Cause]) -> None:
    drawn = verdict(causes, FAILS, *ASIDE)
    assert named(drawn) == ["gateway-upstream-marked-down"]
    assert drawn.causes[0].cause.variant == "still-failing"
