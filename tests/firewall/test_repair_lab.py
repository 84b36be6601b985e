"""A printed repair, run as printed under really loaded rules, lets the connection through."""

from __future__ import annotations

import random
import shlex

import pytest

from tests.firewall.namespace import Case, needs_namespaces, run
from tests.firewall.test_connect import TRIES, connection, random_iptables, random_nft
from wizard.firewall.evaluate import decide
from wizard.firewall.repair import Repair, plan

pytestmark = [pytest.mark.lab, needs_namespaces]


def script(repair: Repair) -> str:
    return "\n".join(shlex.join(change.command) for change in repair.changes)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [100, 101])
def test_a_complete_repair_lets_the_connection_through(seed: int) -> None:
    dice = random.Random(seed)
    cases = [Case(random_nft(dice), TRIES, 0.02) for _ in range(50)]
    cases += [Case(random_iptables(dice), TRIES, 0.02) for _ in range(40)]
    repaired: list[Case] = []
    for case, result in zip(cases, run(cases), strict=True):
        if not result.loaded:
            continue
        for one in TRIES:
            repair = plan(result.rules, connection(*one))
            if decide(result.rules, connection(*one)).certain and repair.changes and repair.complete:
                repaired.append(Case(f"{case.load}\n{script(repair)}", (one,), 0.3))
                break
    assert len(repaired) > 20
    told = [
        (case.load, case.tries, result.said, result.seen)
        for case, result in zip(repaired, run(repaired), strict=True)
        if not result.loaded or result.seen != ("connected",)
    ]
    assert told == []
