"""A status that the gateway makes itself: no upstream was asked, a line of the configuration answers.

Owns the check `own-answer`. May not know what is behind the gateway. A line is only offered for removal where the
configuration without it leads the same request to an upstream.
"""

from __future__ import annotations

import re

from wizard.checks.directives import chain_to, taken_out, without
from wizard.checks.registry import UNKNOWN, Asker, Finding, Scope, Subject, Value, check
from wizard.checks.survey import survey
from wizard.checks.visitor import request_for
from wizard.gateways.nginx.asking import route_on_host
from wizard.gateways.nginx.rewrite import condition_words
from wizard.gateways.nginx.route import route as route_of
from wizard.gateways.nginx.tree import Configuration, Directive, every
from wizard.host.questions import FileStat, NotReplied, Replied, Stat
from wizard.model import ActionKind, Route
from wizard.text import one_line

_SENT_ON = re.compile(r"error_page (\d{3}) leads to ")
_CLOSES = 444  # nginx's own code: the connection is closed without an answer (ngx_http_special_response.c)
_MAX_SWITCHES = 20
_MADE = ("status", "place")


@check(
    "own-answer",
    Scope.ROUTE,
    {
        "no-error": (),
        "passes": (),
        "other-status": ("status", "configured"),
        "line": (*_MADE, "edit"),
        "switch": (*_MADE, "file", "aside"),
        "returns": _MADE,
    },
    bad=("line", "switch", "returns"),
)
async def own_answer(subject: Subject, asker: Asker) -> Finding:
    """Compare the status that came with the one that the configuration makes itself, and find the line that does."""
    route = subject.route
    question = request_for(route, asker.timeout) if route else None
    if route is None or question is None:
        return Finding(UNKNOWN, "There is no request to look at.")
    answer = (await asker.ask(question)).answer
    if isinstance(answer, NotReplied) and answer.ending == "closed" and made_status(route) == _CLOSES:
        return await _made(route, _CLOSES, asker)
    if not isinstance(answer, Replied):
        return Finding("no-error", "No status came back.")
    if answer.status < 500:
        return Finding("no-error", f"{answer.status} is no failure of a gateway.")
    if route.action.kind is ActionKind.UNDECIDED:
        return Finding(UNKNOWN, "The configuration alone does not tell who answers.")
    if route.upstream is not None:
        return Finding("passes", f"The configuration passes the request to {one_line(route.action.to or '')}.")
    made = made_status(route)
    if made != answer.status:
        return Finding(
            "other-status",
            f"The configuration answers {made or 'with a file'}; {answer.status} came.",
            {"status": answer.status, "configured": made or 0},
        )
    return await _made(route, answer.status, asker)


def made_status(route: Route) -> int | None:
    """The status that a route makes without an upstream, an error page that keeps it included."""
    if route.action.status is not None and route.action.status >= 500:
        return route.action.status
    kept = [int(found[1]) for step in route.steps if (found := _SENT_ON.match(step))]
    return kept[0] if kept else route.action.status


async def _made(route: Route, status: int, asker: Asker) -> Finding:
    gateway = (await survey(asker)).gateway_of(route.gateway)
    configuration = gateway.configuration if gateway else None
    at = route.action.at or route.location.at
    values: dict[str, Value] = {"status": status, "place": str(at)}
    by_hand = f"sed -n {at.line}p {at.file}"
    if configuration is None:
        return Finding("returns", f"{one_line(str(at))} answers {status} itself.", values, by_hand=by_hand)
    line = _answering(configuration, route, status)
    if line is None:
        return Finding("returns", f"{one_line(str(at))} answers {status} itself.", values, by_hand=by_hand)
    values["place"] = str(line.at)
    by_hand = f"sed -n {line.line}p {line.file}"
    said = f"{one_line(str(line.at))} answers {status} itself; no upstream is asked."
    switch = await _switch(configuration, route, line, asker)
    if switch is not None:
        found = {**values, "file": switch, "aside": f"{switch}.off"}
        return Finding("switch", f"{said} It does while {one_line(switch)} is there.", found, by_hand=by_hand)
    edit = taken_out(configuration, line)
    if edit is not None and await _leads_on(without(configuration, line.at), route, asker):
        return Finding("line", said, {**values, "edit": edit}, by_hand=by_hand)
    return Finding("returns", said, values, by_hand=by_hand)


def _answering(configuration: Configuration, route: Route, status: int) -> Directive | None:
    """The `return` that gives the status: the one of the action, or the only one of its server."""
    if route.action.at is not None:
        there = chain_to(configuration, route.action.at)
        if there and there[-1].name == "return":
            return there[-1]
    server = chain_to(configuration, route.virtual_host.at)
    blocks = server[-1].block or [] if server else []
    found = [one for one in every(blocks, "return") if one.args[:1] == (str(status),)]
    return found[0] if len(found) == 1 else None


async def _leads_on(configuration: Configuration, route: Route, asker: Asker) -> bool:
    made = await route_on_host(asker, configuration, route.gateway, route.url)
    return made is not None and made.upstream is not None and not made.undecided


async def _switch(configuration: Configuration, route: Route, line: Directive, asker: Asker) -> str | None:
    """The file whose being there makes the line answer; None where it is no such switch.

    A file is the switch where it is there, is tested by the condition around the line, and the request would be passed
    on if it were not there.
    """
    if not any(_tests_file(one) for one in chain_to(configuration, line.at)):
        return None
    asked: list[str] = []

    def note(path: str) -> bool | None:
        asked.append(path)
        return None

    route_of(configuration, route.gateway, route.url, exists=note)
    for path in list(dict.fromkeys(one for one in asked if not one.endswith("/")))[:_MAX_SWITCHES]:
        there = (await asker.ask(Stat(path, within=route.gateway.within))).answer
        if not isinstance(there, FileStat) or there.kind != "file":
            continue
        if _without_file(configuration, route, path):
            return path
    return None


def _without_file(configuration: Configuration, route: Route, path: str) -> bool:
    made = route_of(
        configuration, route.gateway, route.url, exists=lambda asked: False if asked.rstrip("/") == path else None
    )
    return made is not None and made.upstream is not None


def _tests_file(directive: Directive) -> bool:
    words = condition_words(directive) if directive.name == "if" else ()
    return bool(words) and words[0] in {"-f", "-e"}
