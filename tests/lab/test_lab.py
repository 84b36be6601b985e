"""Real faults in real services: the symptom shows, the cause is named, and the printed repair works.

`LAB_SYMPTOMS_ONLY=1` stops each test after the symptom: it checks the stories, not the wizard.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from tests.lab.fingerprint import changes, fingerprint
from tests.lab.guest import Guest
from tests.lab.scenario import SCENARIOS, Kind, Repair, Scenario
from tests.lab.score import Mark
from tests.lab.stage import Diagnosis, break_it, diagnose, healthy, repair, request, works
from wizard.session.report import Report

for file in sorted(Path(__file__).with_name("scenarios").glob("*.py")):
    importlib.import_module(f"tests.lab.scenarios.{file.stem}")

SYMPTOMS_ONLY = bool(os.environ.get("LAB_SYMPTOMS_ONLY"))
ALL = [told for told in SCENARIOS.values() if not told.over and told.kind is Kind.FAULT]
OVER = [told for told in SCENARIOS.values() if told.over]
OTHERS = [told for told in SCENARIOS.values() if told.kind is not Kind.FAULT]
STATUS = {Kind.WARNING: (1, "warning"), Kind.UNKNOWN: (3, "unknown"), Kind.HEALTHY: (0, "ok")}
TWINS = [told for told in ALL if told.twin]
Record = Callable[[str, object], None]

pytestmark = pytest.mark.lab


def look(guest: Guest, told: Scenario) -> tuple[Diagnosis, list[str]]:
    """Diagnoses, and compares the guest before and after."""
    before = fingerprint(guest)
    seen = diagnose(guest, told.url, user=told.user)
    return seen, changes(before, fingerprint(guest), restless=told.restless)


def check_shape(seen: Diagnosis) -> None:
    """The output is one report, and every reference in it leads to its evidence."""
    assert seen.report, f"no JSON on standard output, exit {seen.result.status}\n{seen.result.err[-3000:]}"
    report = msgspec.json.decode(seen.result.out, type=Report)
    referred = {e for cause in (*report.causes, *report.warnings) for e in (*cause.evidence, *cause.explains)}
    referred |= {e for step in report.steps for e in step.evidence}
    assert referred <= set(report.evidence)
    assert report.schema_version == "1"


@pytest.mark.parametrize("told", ALL, ids=lambda told: told.name)
def test_fault(told: Scenario, record_property: Record) -> None:
    expected = ("symptom", "named", "unchanged", *(["repaired"] if told.repair is Repair.WORKS else []))
    mark = Mark(told.name, told.cause, steps=expected[:1] if SYMPTOMS_ONLY else expected)
    try:
        with healthy(told) as (guest, story):
            assert works(guest, told), "the site does not work before it is broken"
            break_it(story)
            shown = request(guest, told)
            assert shown in told.status, f"the client sees {shown}"
            mark.symptom = True
            if not SYMPTOMS_ONLY:
                check_diagnosis(guest, told, mark)
    finally:
        mark.note(record_property)


def check_diagnosis(guest: Guest, told: Scenario, mark: Mark) -> None:
    """What follows once the symptom shows."""
    seen, changed = look(guest, told)
    check_shape(seen)
    mark.unchanged = not changed
    mark.named = bool(seen.causes) and seen.causes[0] in told.causes and set(told.also) <= set(seen.causes)
    assert mark.named, f"expected {told.causes}, also {told.also}\n{seen.told()}"
    assert not changed, "\n".join(changed)
    assert (seen.result.status, seen.report["verdict"]) == (2, "cause-found"), seen.told()
    fixes = seen.commands("fix")
    if told.repair is Repair.NONE:
        assert not fixes, f"no command can repair this: {fixes}"
    if told.repair is Repair.WORKS:
        check_repair(guest, told, fixes)
        mark.repaired = True


def check_repair(guest: Guest, told: Scenario, fixes: list[str]) -> None:
    """The printed commands make the request succeed, and the wizard agrees."""
    assert fixes, "no repair is printed"
    failed = repair(guest, fixes)
    assert failed is None, failed
    assert works(guest, told), f"the client still sees {request(guest, told)} after: {fixes}"
    again = diagnose(guest, told.url)
    assert again.result.status in {0, 1}, f"after the repair\n{again.told()}"


@pytest.mark.parametrize("told", OVER, ids=lambda told: told.name)
def test_fault_that_is_over(told: Scenario, record_property: Record) -> None:
    mark = Mark(
        told.name, f"{told.cause} (over)", steps=("symptom",) if SYMPTOMS_ONLY else ("symptom", "named", "unchanged")
    )
    try:
        with healthy(told) as (guest, story):
            break_it(story)
            assert works(guest, told), "the client is not served again"
            mark.symptom = True
            if SYMPTOMS_ONLY:
                return
            seen, changed = look(guest, told)
            check_shape(seen)
            mark.unchanged = not changed
            said = [(warning["id"], warning["when"]) for warning in seen.report["warnings"]]
            mark.named = seen.result.status == 1 and not seen.causes and any((c, "past") in said for c in told.causes)
            assert mark.named, f"expected a warning: {told.causes}\n{seen.told()}"
            assert not changed, "\n".join(changed)
    finally:
        mark.note(record_property)


@pytest.mark.parametrize("told", OTHERS, ids=lambda told: told.name)
def test_what_is_no_fault_of_the_catalogue(told: Scenario, record_property: Record) -> None:
    wanted = ("symptom",) if SYMPTOMS_ONLY else ("symptom", "named", "unchanged")
    mark = Mark(told.name, f"{told.cause}{' (warning)' if told.kind is Kind.WARNING else ''}", steps=wanted)
    try:
        with healthy(told) as (guest, story):
            assert works(guest, told), "the site does not work before it is broken"
            break_it(story)
            shown = request(guest, told)
            assert shown in told.status, f"the client sees {shown}"
            mark.symptom = True
            if SYMPTOMS_ONLY:
                return
            seen, changed = look(guest, told)
            check_shape(seen)
            mark.unchanged = not changed
            mark.named = right(seen, told)
            assert mark.named, f"expected {told.kind}: {told.causes}\n{seen.told()}"
            assert not changed, "\n".join(changed)
    finally:
        mark.note(record_property)


def right(seen: Diagnosis, told: Scenario) -> bool:
    """Whether a walk came to what the scenario asks for, and to nothing beside it."""
    if seen.causes or (seen.result.status, seen.report["verdict"]) != STATUS[told.kind]:
        return False
    warned = [str(one["id"]) for one in seen.report["warnings"]]
    if told.kind is Kind.WARNING:
        return bool(warned) and warned[0] in told.causes
    if told.kind is Kind.UNKNOWN:
        return bool(seen.report["open"]) and all(one["next"] and one["next"]["run"] for one in seen.report["open"])
    return not warned


@pytest.mark.skipif(SYMPTOMS_ONLY, reason="only the symptoms are looked at")
@pytest.mark.parametrize("name", ["firewall.output_reject", "filters.redirected"])
def test_without_root_it_names_what_is_open(name: str) -> None:
    """Rules cannot be read without root: no cause is made up, and the reader is told what would tell."""
    told = replace(SCENARIOS[name], user="dev")
    with healthy(told) as (guest, story):
        break_it(story)
        assert request(guest, told) in told.status
        seen, changed = look(guest, told)
        check_shape(seen)
        assert (seen.result.status, seen.causes) == (3, []), seen.told()
        assert told.cause in [one["id"] for one in seen.report["open"]], seen.told()
        assert any("root" in str(one["grant"]) for one in seen.report["not_checked"])
        assert not changed, "\n".join(changed)


@pytest.mark.skipif(SYMPTOMS_ONLY, reason="only the symptoms are looked at")
@pytest.mark.parametrize("name", ["service.stopped", "port.nobody", "dns.misspelt", "firewall.output_drop"])
def test_without_a_target_it_finds_what_is_failing(name: str) -> None:
    told = SCENARIOS[name]
    with healthy(told) as (guest, story):
        assert works(guest, told)
        break_it(story)
        assert request(guest, told) in told.status
        seen = diagnose(guest)
        check_shape(seen)
        assert seen.causes[:1] == [told.cause], seen.told()
        assert seen.result.status == 2


@pytest.mark.parametrize("told", TWINS, ids=lambda told: told.name)
def test_healthy_twin(told: Scenario, record_property: Record) -> None:
    mark = Mark(told.name, "healthy", steps=("symptom",) if SYMPTOMS_ONLY else ("symptom", "named", "unchanged"))
    try:
        with healthy(told) as (guest, _):
            assert works(guest, told), "the healthy site does not work"
            mark.symptom = True
            if SYMPTOMS_ONLY:
                return
            seen, changed = look(guest, told)
            check_shape(seen)
            mark.unchanged = not changed
            mark.named = (seen.result.status, seen.report["verdict"], seen.causes) == (0, "ok", [])
            assert mark.named, seen.told()
            assert not changed, "\n".join(changed)
    finally:
        mark.note(record_property)
