"""What the gateway did with the walk's own request, by the lines that it logged about exactly that request.

Owns the check `handling`. May not know causes. The running configuration is what a gateway acts by; the files are what
it would act by after a reload. Its own words about a request that was made a moment ago tell the two apart.
"""

from __future__ import annotations

from collections.abc import Sequence

from wizard.checks.address import parse_address, split_port
from wizard.checks.hops import next_hop
from wizard.checks.ours import about, lately, latest, timely
from wizard.checks.registry import UNKNOWN, Asker, Finding, Gap, Scope, Subject, Value, check
from wizard.checks.survey import Survey, survey
from wizard.checks.visitor import request_for
from wizard.gateways.nginx.samples import routes_of
from wizard.gateways.nginx.servers import http
from wizard.host.port import Reply
from wizard.host.questions import NotAnswered, NotReplied, Replied, Request
from wizard.model import LogEvent, Phase, Route
from wizard.text import one_line

EARLY = 0.7  # seconds by which a deadline must be missed before it counts as another one
_LOUD = frozenset({"crit", "alert", "emerg"})
_AUTH = "gateway-auth-subrequest-down"

_OF_GATEWAY = {
    "connections-exhausted": "connections-exhausted",
    "no-descriptors": "no-descriptors",
}
_OF_REQUEST = {
    **_OF_GATEWAY,
    "no-live-upstreams": "no-live-upstreams",
    "source-address-unusable": "source-address-unusable",
    "limited": "limited",
    "redirect-cycle": "redirect-cycle",
    "temp-disk-full": "temp-file",
    "temp-denied": "temp-file",
}
_SAID = ("meaning",)
_WORDS = tuple(dict.fromkeys(_OF_REQUEST.values()))


@check(
    "handling",
    Scope.ROUTE,
    {
        "quiet": (),
        "same": ("asked", *_SAID),
        "elsewhere": ("asked", "configured", *_SAID),
        "sooner": ("asked", "after", "limit", *_SAID),
        "other": _SAID,
        **dict.fromkeys(_WORDS, _SAID),
    },
    bad=("elsewhere", "sooner", *_WORDS),
)
async def handling(subject: Subject, asker: Asker) -> Finding:
    """Read what the gateway logged while it handled the request that was just made."""
    route = subject.route
    question = request_for(route, asker.timeout) if route else None
    if route is None or question is None:
        return Finding(UNKNOWN, "There is no listener to send the request to.")
    made = await asker.ask(question)
    path = route.logs.error if route.logs else None
    if path is None or path.startswith(("syslog:", "stderr", "memory:", "/dev/")):
        return Finding(UNKNOWN, f"The gateway writes no error log to a file ({one_line(path or '') or 'off'}).")
    by_hand = f"tail -n 20 {path}"
    written = await lately(route, path, asker)
    if isinstance(written, NotAnswered):
        gap = Gap(one_line(path), one_line(written.detail), written.grant)
        return Finding(UNKNOWN, f"{one_line(path)} could not be read: {one_line(written.detail)}.", gaps=(gap,))
    finding = _read(_of_server(written, route, await survey(asker)), route, question, made, by_hand)
    asked = str(finding.values.get("asked", ""))
    if finding.outcome == "elsewhere" and asked in {
        *_of_namesakes(route, await survey(asker)),
        *await _behind(route, asker),
    }:
        return Finding("quiet", "The gateway logged no failure of this request at this hop.", by_hand=by_hand)
    return finding


def _of_server(events: Sequence[LogEvent], route: Route, seen: Survey) -> list[LogEvent]:
    """Without the lines of other virtual hosts of the files; a name that no file has may be this one's older name."""
    gateway = seen.gateway_of(route.gateway)
    if gateway is None or gateway.configuration is None:
        return list(events)
    servers = http(gateway.configuration).servers
    own = {one.name for one in servers if one.at == route.virtual_host.at}
    others = {one.name for one in servers} - own
    return [one for one in events if (one.server or "") not in others or one.request is None]


def _of_namesakes(route: Route, seen: Survey) -> frozenset[str]:
    """What other virtual hosts of this name ask: the request of one hop may come to another with the same words."""
    gateway = seen.gateway_of(route.gateway)
    if gateway is None or gateway.configuration is None:
        return frozenset()
    made = (one.route for one in routes_of(gateway.configuration, gateway.instance))
    others = (one for one in made if one is not None and one.virtual_host.at != route.virtual_host.at)
    same = (one for one in others if one.virtual_host.name == route.virtual_host.name and one.upstream is not None)
    return frozenset(server.address for one in same if one.upstream for server in one.upstream.servers)


async def _behind(route: Route, asker: Asker, depth: int = 4) -> frozenset[str]:
    """The addresses that further gateways of this host ask for the same request."""
    found: set[str] = set()
    for server in route.upstream.servers if route.upstream and depth else ():
        following = await next_hop(route, server, await survey(asker), asker)
        if following is not None:
            found |= {one.address for one in following.upstream.servers} if following.upstream else set()
            found |= await _behind(following, asker, depth - 1)
    return frozenset(found)


def _read(
    events: Sequence[LogEvent],
    route: Route,
    question: Request,
    made: Reply[Replied | NotReplied],
    by_hand: str,
) -> Finding:
    then = timely(events, made)
    own = latest([one for one in then if about(one, question)])
    telling = next((one for one in reversed(own) if one.symptom in _OF_REQUEST), None)
    asked = [one for one in own if one.upstream and _AUTH not in one.causes and parse_address(one.upstream)]
    if asked and (telling is None or telling.upstream is None):
        return _asked(asked[0], route, made, by_hand)
    if telling is None:
        unbound = [one for one in then if one.request is None and one.symptom in _OF_GATEWAY]
        telling = unbound[-1] if unbound else None
    if telling is not None:
        return _finding(_OF_REQUEST[telling.symptom], telling, {}, by_hand)
    if own:
        return _finding("other", own[-1], {}, by_hand)
    if route.logs is not None and route.logs.error_level in _LOUD:
        return Finding(UNKNOWN, f"The error log keeps nothing below {route.logs.error_level}.", by_hand=by_hand)
    return Finding("quiet", "The gateway logged no failure of this request.", by_hand=by_hand)


def _asked(event: LogEvent, route: Route, made: Reply[Replied | NotReplied], by_hand: str) -> Finding:
    upstream = event.upstream or ""
    values: dict[str, Value] = {"asked": upstream}
    if route.undecided:
        return _finding("same", event, values, by_hand)
    if not _configured(route, upstream):
        servers = route.upstream.servers if route.upstream else ()
        shown = ", ".join(one.address for one in servers) or "no upstream"
        finding = _finding("elsewhere", event, {**values, "configured": shown}, by_hand)
        words = f"It asked {one_line(upstream)}; its files say {one_line(shown)}."
        return Finding("elsewhere", words, finding.values, by_hand=by_hand)
    limit = _limit(event, route)
    if limit is not None and isinstance(made.answer, Replied) and made.answer.seconds_to_header < limit - EARLY:
        after = round(made.answer.seconds_to_header, 1)
        finding = _finding("sooner", event, {**values, "after": after, "limit": limit}, by_hand)
        words = f"It gave up after {after:g} s; its files say {limit:g} s."
        return Finding("sooner", words, finding.values, by_hand=by_hand)
    return _finding("same", event, values, by_hand)


def _configured(route: Route, upstream: str) -> bool:
    """Whether the files send the request to this address; of a name only the port can be compared."""
    used = parse_address(upstream)
    for server in route.upstream.servers if route.upstream else ():
        own = parse_address(server.address)
        if own is None:
            port = split_port(server.address)[1]
            if used is None or used.path is not None or port in {0, used.port}:
                return True
        elif used is not None and own.text.rstrip(":") == used.text.rstrip(":"):
            return True
    return False


def _limit(event: LogEvent, route: Route) -> float | None:
    """The deadline that the files set for the phase in which the gateway gave up."""
    if route.proxying is None or event.symptom not in {"response-timeout", "connect-timeout"}:
        return None
    return route.proxying.connect_timeout if event.phase is Phase.CONNECTING else route.proxying.read_timeout


def _finding(outcome: str, event: LogEvent, values: dict[str, Value], by_hand: str) -> Finding:
    about = f" ({one_line(event.upstream)})" if event.upstream else ""
    return Finding(outcome, f"{event.meaning}{about}", {**values, "meaning": event.meaning}, by_hand=by_hand)
