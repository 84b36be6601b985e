"""The schemas of the data files: what ships fits them, what the loader refuses does not."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator

from wizard.flow import load
from wizard.flow.data import flows_root
from wizard.flow.schemas import causes_schema, flow_schema

FLOWS = Draft202012Validator(flow_schema())
CAUSES = Draft202012Validator(causes_schema())
FOLDER = Path(str(flows_root()))
SHIPPED = sorted(FOLDER.glob("*.yaml"))
CATALOGUE = sorted(FOLDER.glob("causes/*.yaml"))

FLOW = """
flow: own
title: Was it deployed?
for: host
steps:
  deployed:
    ask: Was something deployed today?
    choices: {yes: Yes, no: No}
    then: {yes: disk, no: disk, dont-know: disk}
  disk:
    argv: [df, -h, /]
    question: Is there room?
    then: {succeeded: done, failed: {cause: disk-full}, unknown: {flow: more}}
"""


def content(text: str) -> object:
    """A file as an editor sees it: with YAML's own types."""
    return yaml.safe_load(text)


def test_the_schemas_are_schemas() -> None:
    Draft202012Validator.check_schema(FLOWS.schema)
    Draft202012Validator.check_schema(CAUSES.schema)


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_each_shipped_flow_fits(path: Path) -> None:
    assert [error.message for error in FLOWS.iter_errors(content(path.read_text()))] == []


@pytest.mark.parametrize("path", CATALOGUE, ids=lambda path: path.stem)
def test_each_shipped_file_of_causes_fits(path: Path) -> None:
    assert [error.message for error in CAUSES.iter_errors(content(path.read_text()))] == []


def test_a_flow_of_ones_own_fits_and_loads() -> None:
    assert not list(FLOWS.iter_errors(content(FLOW)))
    assert not isinstance(load.load_flow("own.yaml", FLOW), list)


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("for: host", "for: planet"),
        ("    ask: Was", "    check: connect\n    ask: Was"),
        ("argv: [df, -h, /]", "command: [df, -h, /]"),
        ("argv: [df, -h, /]", "argv: []"),
        ("{yes: Yes, no: No}", "{}"),
        ("{yes: Yes, no: No}", "{dont-know: Perhaps}"),
        ("{cause: disk-full}", "{cause: disk-full, flow: more}"),
        ("title: Was it deployed?", "headline: Was it deployed?"),
        ("failed: {cause: disk-full}", "Failed Badly: done, failed: {cause: Disk Full}"),
    ],
)
def test_what_the_loader_refuses_does_not_fit(right: str, wrong: str) -> None:
    text = FLOW.replace(right, wrong)
    assert text != FLOW
    assert isinstance(load.load_flow("own.yaml", text), list)
    assert list(FLOWS.iter_errors(content(text)))


def test_the_schemas_know_every_key_of_the_loader() -> None:
    flows, causes = flow_schema(), causes_schema()
    assert set(flows["properties"]) == set(load._FLOW_KEYS)
    kinds = [(set(one["properties"]), set(one["required"])) for one in flows["$defs"]["step"]["oneOf"]]
    assert kinds == [(set(allowed), set(required)) for allowed, required in load._STEP_KEYS.values()]
    assert set(causes["items"]["properties"]) == set(load._CAUSE_KEYS)
    assert set(causes["$defs"]["command"]["properties"]) == set(load._COMMAND_KEYS)
