"""The JSON Schemas of flow files and of cause files, as they are written: for editors that complete and check YAML.

Owns the surface of the two languages in the words of JSON Schema (draft 2020-12). May not know how files are read:
`load.py` says more, with exact places, and the linter has the last word.
"""

from __future__ import annotations

from typing import Any

from wizard.flow.language import DONE, DONT_KNOW, Confidence, Stage
from wizard.flow.reading import NAME
from wizard.flow.vocabulary import SCOPES

Schema = dict[str, Any]

DRAFT = "https://json-schema.org/draft/2020-12/schema"
# A word as YAML gives it: `no` and `502` are words of these languages too, whatever YAML makes of them.
_WORD: Schema = {"type": ["string", "number", "boolean"]}
_NAME: Schema = {"type": ["string", "number", "boolean"], "pattern": f"^{NAME.pattern}$"}
_LINE: Schema = {"type": "string", "minLength": 1}
_ON: Schema = {"$ref": "#/$defs/target"}
_ARGV: Schema = {"type": "array", "items": _WORD, "minItems": 1}
_SWITCH: Schema = {"type": "boolean"}


def flow_schema() -> Schema:
    """The schema of a flow file."""
    return {
        "$schema": DRAFT,
        "title": "A flow: a decision tree for one kind of subject",
        **_map(
            {
                "flow": _said(_NAME, "The name of the flow, which is the file's name."),
                "title": _said(_LINE, "One line for people."),
                "for": _said({"enum": list(SCOPES)}, "The kind of subject."),
                "start": _said(_NAME, "The first step; without it the first one that is written."),
                "status": _said(
                    {"type": "array", "items": _NAME},
                    'The observed statuses that select this flow: "502", "504", "no-answer".',
                ),
                "steps": {"type": "object", "minProperties": 1, "additionalProperties": {"$ref": "#/$defs/step"}},
            },
            ("flow", "title", "for", "steps"),
        ),
        "$defs": {"step": {"oneOf": _steps()}, "then": _THEN, "target": _TARGET},
    }


def causes_schema() -> Schema:
    """The schema of a file of causes."""
    return {
        "$schema": DRAFT,
        "title": "Causes: what each requires, what rules it out, its article and its commands",
        "type": "array",
        "items": _map(
            {
                "id": _said(_NAME, "The id of the catalogue."),
                "variant": _said(_NAME, "Another entry of the same id."),
                "title": _said(_LINE, "One line, with {check.value} filled in."),
                "summary": _said(_LINE, "What it comes to on this host."),
                "article": _said(_LINE, "Markdown: what it is, and how it is told from its look-alikes."),
                "decisive": _said(_NAME, "The check whose observation only this cause explains."),
                "needs": {
                    "oneOf": [
                        {"$ref": "#/$defs/needs"},
                        {"type": "array", "items": {"$ref": "#/$defs/needs"}, "minItems": 1},
                    ]
                },
                "excludes": {"$ref": "#/$defs/observations"},
                "explains": {"type": "array", "items": _NAME},
                "priority": {"type": "integer"},
                "other-requests": _said(_SWITCH, "It breaks other requests than the safe one that a walk makes."),
                "commands": {"type": "array", "items": {"$ref": "#/$defs/command"}},
                "refused": {"type": "array", "items": _map({"run": _LINE, "because": _LINE}, ("run", "because"))},
            },
            ("id", "title", "summary", "article", "decisive", "needs"),
        ),
        "$defs": {"needs": _NEEDS, "observations": _OBSERVATIONS, "outcomes": _OUTCOMES, "command": _COMMAND},
    }


def _map(properties: Schema, required: tuple[str, ...]) -> Schema:
    return {"type": "object", "properties": properties, "required": list(required), "additionalProperties": False}


def _said(schema: Schema, description: str) -> Schema:
    return {**schema, "description": description}


def _leads_on(step: Schema) -> Schema:
    return {**step, "oneOf": [{"required": ["then"]}, {"required": ["next"]}]}


def _steps() -> list[Schema]:
    asked = {"question": _LINE, "why": _LINE}
    on = {"then": {"$ref": "#/$defs/then"}, "next": _said(_ON, "Where it leads, whatever it comes to.")}
    choices = {"type": "object", "minProperties": 1, "additionalProperties": _WORD, "not": {"required": [DONT_KNOW]}}
    return [
        _leads_on(_map({"check": _said(_NAME, "A check by name."), **asked, **on}, ("check",))),
        _leads_on(
            _map(
                {"ask": _said(_LINE, "A question to a person."), "why": _LINE, "choices": choices, **on},
                ("ask", "choices"),
            )
        ),
        _leads_on(_map({"argv": _said(_ARGV, "A command of your own; no shell."), **asked, **on}, ("argv",))),
        _map(
            {
                "each": _said({"enum": list(SCOPES)}, "Runs a flow once for every such subject, side by side."),
                "flow": _NAME,
                **asked,
                "next": _ON,
            },
            ("each", "flow", "next"),
        ),
    ]


_TARGET: Schema = {
    "oneOf": [
        _said(_NAME, f"A step of this flow, or {DONE}."),
        _map({"cause": _said(_NAME, "Ends the flow at a cause.")}, ("cause",)),
        _map({"flow": _said(_NAME, "Goes on in another flow with the same subject.")}, ("flow",)),
    ]
}
_THEN: Schema = {
    "type": "object",
    "description": "Where each outcome leads. Every outcome is routed, unknown (or dont-know) too.",
    "minProperties": 1,
    "additionalProperties": {"$ref": "#/$defs/target"},
}
_OUTCOMES: Schema = {"oneOf": [_NAME, {"type": "array", "items": _NAME, "minItems": 1}]}
_OBSERVATIONS: Schema = {
    "type": "object",
    "description": "Check names with the outcomes that fit.",
    "additionalProperties": {"$ref": "#/$defs/outcomes"},
}
_NEEDS: Schema = {
    **_OBSERVATIONS,
    "minProperties": 1,
    "properties": {"certainty": {"enum": [str(one) for one in Confidence]}},
}
_COMMAND: Schema = {
    **_map(
        {
            "stage": {"enum": [str(one) for one in Stage]},
            "run": _said(_ARGV, "Words with {check.value} filled in; never a shell string."),
            "pipe": _said(_ARGV, "A second command that reads what the first one prints."),
            "edit": _said({"type": "string", "pattern": r"^\{[^{}]+\}$"}, "A value of a check that is an edit."),
            "why": _LINE,
            "changes": _SWITCH,
            "needs-root": _SWITCH,
            "undo": _ARGV,
            "when": _said({"$ref": "#/$defs/observations"}, "Printed only where this was observed."),
        },
        ("stage", "why"),
    ),
    "oneOf": [{"required": ["run"]}, {"required": ["edit"]}],
    "dependentRequired": {"pipe": ["run"]},
}
