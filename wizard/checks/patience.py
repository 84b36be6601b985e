"""An answer that comes after the gateway has given up: how late, and which side changed last.

Owns the check `patience`. May not know causes. The upstream is asked once more with more patience than the gateway has;
what is later than a walk can wait stays unseen.
"""

from __future__ import annotations

import msgspec

from wizard.checks.address import gateway_view, parse_address, required
from wizard.checks.connect import located
from wizard.checks.directives import holding, with_word
from wizard.checks.listen import socket_table, takes
from wizard.checks.peer import peer, process
from wizard.checks.registry import UNKNOWN, Asker, Edit, Finding, Scope, Subject, Value, check
from wizard.checks.reply import question_for, reply
from wizard.checks.survey import survey
from wizard.checks.visitor import request_for
from wizard.gateways.nginx.tree import Directive
from wizard.host.questions import HERE, NotAnswered, Processes, ProcessTable, Replied, Request, SocketTable, Why
from wizard.model import Route
from wizard.text import one_line

LONGEST = 7.0  # seconds that a walk waits for one late answer
_USUAL = 60.0  # nginx's own default for every read timeout
_AMPLE = "60s"
_HALTED = frozenset({"stopped", "waiting-on-disk"})
_LATE = ("seconds", "limit", "place")


@check(
    "patience",
    Scope.SERVER,
    {
        "in-time": (),
        "not-waited": ("limit",),
        "never": ("waited", "limit"),
        "later": _LATE,
        "limit-changed": (*_LATE, "edit"),
    },
    bad=("never", "later", "limit-changed"),
)
async def patience(subject: Subject, asker: Asker) -> Finding:
    """Ask the upstream with more patience than the gateway has, where the gateway gave up waiting."""
    route, _ = required(subject)
    limit = route.proxying.read_timeout if route.proxying else _USUAL
    whole = subject.parent.route if subject.parent and subject.parent.route else route
    made = request_for(whole, asker.timeout)
    answer = (await asker.ask(made)).answer if made is not None else None
    if not (isinstance(answer, Replied) and answer.status == 504):
        return Finding("in-time", "The gateway did not give up waiting.")
    if limit >= LONGEST - 1.0:
        return Finding("not-waited", f"The gateway waits {limit:g} s, longer than a walk.", {"limit": limit})
    found = await located(subject, asker)
    address = found.addresses[0] if found.addresses else ""
    if parse_address(address) is None:
        return Finding(UNKNOWN, "There is no address to ask.")
    # A server that takes one request at a time answers nothing else meanwhile, so this comes after all other questions.
    if (await reply(subject, asker)).outcome == "silent":
        if (await process(subject, asker)).outcome in _HALTED:
            return Finding("not-waited", "Its process is stopped; there is nothing to wait for.", {"limit": limit})
        await peer(subject, asker)
    seconds = min(LONGEST, 4 * limit + 2.0)
    late = await _asked(msgspec.structs.replace(question_for(route, address), seconds=seconds), route, asker)
    if not isinstance(late, Replied):
        words = f"{one_line(address)} said nothing within {seconds:g} s; the gateway waits {limit:g} s."
        return Finding("never", words, {"waited": seconds, "limit": limit})
    took = round(late.seconds_to_header, 2)
    if took <= limit:
        return Finding("in-time", f"{one_line(address)} answers after {took:g} s now, the gateway waits {limit:g} s.")
    directive = await _limiting(route, asker)
    place = str(directive.at if directive else route.action.at or route.location.at)
    values: dict[str, Value] = {"seconds": took, "limit": limit, "place": place}
    words = f"{one_line(address)} answers after {took:g} s; the gateway waits {limit:g} s ({one_line(place)})."
    edit = await _raised(directive, route, asker)
    if edit is not None and await _limit_is_newer(directive, subject, address, asker):
        return Finding("limit-changed", f"{words} That line is newer than the application.", {**values, "edit": edit})
    return Finding("later", words, values)


async def _asked(question: Request, route: Route, asker: Asker) -> object:
    seen = msgspec.structs.replace(question, view=gateway_view(route.gateway))
    answer = (await asker.ask(seen)).answer
    if isinstance(answer, NotAnswered) and answer.why is Why.DENIED:
        answer = (await asker.ask(msgspec.structs.replace(question, view=HERE))).answer
    return answer


async def _limiting(route: Route, asker: Asker) -> Directive | None:
    gateway = (await survey(asker)).gateway_of(route.gateway)
    configuration = gateway.configuration if gateway else None
    if configuration is None:
        return None
    at = route.action.at or route.location.at
    return holding(configuration, at, f"{route.action.kind}_read_timeout")


async def _raised(directive: Directive | None, route: Route, asker: Asker) -> Edit | None:
    gateway = (await survey(asker)).gateway_of(route.gateway)
    old = directive.args[0] if directive is not None and directive.args else ""
    return with_word(gateway.configuration, directive, old, _AMPLE) if gateway and old else None


async def _limit_is_newer(directive: Directive | None, subject: Subject, address: str, asker: Asker) -> bool:
    """Whether the file of the limit was changed after the application began to run."""
    route, _ = required(subject)
    gateway = (await survey(asker)).gateway_of(route.gateway)
    read = gateway.configuration.files.get(directive.file) if gateway and gateway.configuration and directive else None
    parsed = parse_address(address)
    table = await socket_table(subject, asker)
    seen = (await asker.ask(Processes())).answer
    if read is None or parsed is None or not isinstance(table, SocketTable) or not isinstance(seen, ProcessTable):
        return False
    pids = {pid for one in table.listening if takes(one, parsed) for pid in one.pids}
    began = min((one.started for one in seen.processes if one.pid in pids), default=None)
    return began is not None and read.mtime > began
