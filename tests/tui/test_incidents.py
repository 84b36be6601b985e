"""Every incident that ships, on the screen: from its walk to the right diagnosis, and what a recording says to v."""

from __future__ import annotations

import json

import pytest
from textual.pilot import Pilot

from tests.make_screenshots import incident_app
from tests.recorded.cases import CASES, Case
from tests.tui.looking import drive, pressed, screen_text, shows
from wizard.session.file import load

SHIPPED = [case for case in CASES.values() if case.title]


@pytest.mark.parametrize("case", SHIPPED, ids=lambda case: case.name)
def test_an_incident_leads_to_its_diagnosis(case: Case) -> None:
    expected = json.loads(case.expected.read_text())
    app = incident_app(load(case.session), replayed=True)

    async def steps(pilot: Pilot[None]) -> None:
        await shows(pilot, "The walk has ended")
        await pressed(pilot, "enter", "v check again", "e report")
        for name in expected["causes"][:1]:
            await shows(pilot, name)
            report = app.state.report
            assert report is not None
            fixed = any(one.stage == "fix" for one in report.causes[0].commands)
            assert fixed or "No command on this host repairs it" in " ".join(screen_text(app).split())
        await pressed(pilot, "v", "The request succeeds now" if case.repaired else "This is a recording")

    drive(app, steps)
    assert app.defect is None
