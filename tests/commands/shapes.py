"""The examples of the outward interface as data: which keys have to be there, and of what type each one is.

A dictionary stands for an object with at least these keys, a list for an array of such values, a tuple for "one of
these types", a set of words for "one of these words".
"""

from __future__ import annotations

from typing import Any

TEXT, NUMBER, NOTHING = str, (int, float), None

COMMAND = {
    "stage": {"inspect", "fix", "verify", "prevent"},
    "run": TEXT,
    "edits": (NOTHING, {"file": TEXT, "diff": TEXT}),
    "why": TEXT,
    "changes": bool,
    "needs_root": bool,
    "undo": (NOTHING, TEXT),
    "tried": bool,
}
CAUSE = {
    "id": TEXT,
    "title": TEXT,
    "summary": TEXT,
    "confidence": {"confirmed", "likely", "possible"},
    "when": {"now", "past"},
    "subject": TEXT,
    "evidence": [TEXT],
    "explains": [TEXT],
    "commands": [COMMAND],
}
ROUTE = {
    "gateway": {"kind": TEXT, "pid": (NOTHING, int), "config": TEXT},
    "listener": {"address": TEXT, "tls": bool, "at": (NOTHING, TEXT)},
    "virtual_host": {"name": TEXT, "matched": {"exact", "wildcard", "regex", "default"}, "at": TEXT},
    "location": {"pattern": TEXT, "matched": {"exact", "prefix", "regex", "named", "none"}, "at": TEXT},
    "action": {
        "kind": {"proxy", "fastcgi", "uwsgi", "scgi", "grpc", "ajp", "static", "return", "undecided"},
        "to": (NOTHING, TEXT),
        "status": (NOTHING, int),
        "at": (NOTHING, TEXT),
    },
    "upstream": (
        NOTHING,
        {
            "name": (NOTHING, TEXT),
            "at": (NOTHING, TEXT),
            "servers": [{"address": TEXT, "name": (NOTHING, TEXT), "role": {"primary", "backup", "down"}}],
        },
    ),
    "undecided": [TEXT],
}
REPORT = {
    "schema_version": {"1"},
    "wizard": {"version": TEXT},
    "session": {"id": TEXT, "started": TEXT, "seconds": NUMBER, "user": TEXT, "is_root": bool},
    "host": {"hostname": TEXT, "os": TEXT, "kernel": TEXT, "service_manager": TEXT},
    "target": {"url": (NOTHING, TEXT), "route": (NOTHING, ROUTE), "further_routes": [ROUTE]},
    "observed": (NOTHING, {"status": (NOTHING, int), "sender": TEXT, "at": TEXT, "seconds": NUMBER}),
    "verdict": {"ok", "warning", "cause-found", "unknown"},
    "error": (NOTHING, {"what": TEXT, "where": (NOTHING, TEXT), "hint": TEXT}),
    "causes": [CAUSE],
    "warnings": [CAUSE],
    "ruled_out": [{"id": TEXT, "because": TEXT, "evidence": [TEXT]}],
    "open": [{"id": TEXT, "because": TEXT, "next": (NOTHING, {"run": TEXT, "why": TEXT})}],
    "not_checked": [{"what": TEXT, "because": TEXT, "grant": (NOTHING, TEXT)}],
    "steps": [
        {
            "node": TEXT,
            "check": TEXT,
            "subject": TEXT,
            "outcome": TEXT,
            "summary": TEXT,
            "seconds": NUMBER,
            "evidence": [TEXT],
            "overruled_by": (NOTHING, TEXT),
        }
    ],
    "timeline": [{"at": TEXT, "what": TEXT, "source": TEXT}],
    "evidence": {},
}
EVIDENCE = {"what": TEXT, "by_hand": TEXT, "excerpt": TEXT, "at": TEXT, "seconds": NUMBER}
ROUTES = {"schema_version": {"1"}, "url": TEXT, "routes": [ROUTE], "notes": [TEXT]}
EXPLAINED = {
    "schema_version": {"1"},
    "lines": [
        {
            "line": int,
            "gateway": (NOTHING, TEXT),
            "time": (NOTHING, TEXT),
            "phase": {
                "resolving", "connecting", "handshaking", "sending-request", "reading-header", "reading-body", "none",
            },
            "errno": (NOTHING, int),
            "upstream": (NOTHING, TEXT),
            "meaning": TEXT,
            "causes": [TEXT],
        }
    ],
}  # fmt: skip


def misfits(value: Any, shape: Any, place: str = "") -> list[str]:  # noqa: ANN401 - JSON, and a description of it
    """Where a value does not have a shape."""
    match shape:
        case None:
            return [] if value is None else [f"{place}: {value!r} is not null"]
        case dict():
            if not isinstance(value, dict):
                return [f"{place}: {value!r} is no object"]
            missing = [f"{place}.{key} is missing" for key in shape if key not in value]
            return missing + [
                one for key in shape if key in value for one in misfits(value[key], shape[key], f"{place}.{key}")
            ]
        case list():
            if not isinstance(value, list):
                return [f"{place}: {value!r} is no array"]
            return [one for n, each in enumerate(value) for one in misfits(each, shape[0], f"{place}[{n}]")]
        case set():
            return [] if value in shape else [f"{place}: {value!r} is none of {sorted(shape)}"]
        case tuple():
            tries = [misfits(value, each, place) for each in shape]
            return [] if [] in tries else max(tries, key=len)
        case _:
            good = isinstance(value, shape) and (shape is bool or not isinstance(value, bool))
            return [] if good else [f"{place}: {value!r} is no {shape.__name__}"]
