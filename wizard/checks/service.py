"""The last hop: which service should answer at the address, and in what state it is.

Owns the check `service`. May not know how ownership is inferred. A resemblance of names is a reason to look at a unit,
not a proof that it is the one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec

from wizard.checks.address import parse_address, required
from wizard.checks.connect import located
from wizard.checks.registry import UNKNOWN, Asker, Finding, Gap, Scope, Subject, Value, check
from wizard.checks.reply import reply
from wizard.checks.survey import survey
from wizard.gateways.nginx.samples import addresses_of
from wizard.host.questions import NotAnswered
from wizard.model import Route
from wizard.services import systemd
from wizard.services.journal import JournalLine, decisive, last_words, quoted
from wizard.services.manager import UP, UnitCondition, condition_said
from wizard.services.mentions import in_message, read_endpoint
from wizard.services.ownership import Certainty, Claim, How, Owners, owners
from wizard.services.unitstate import UnitState
from wizard.text import one_line

_YOUNG = 60.0  # seconds: a unit that was started this long ago may still be on its way to its listener
_VALUES = ("unit", "because", "ended", "said", "restarts")
_DOWN = (
    UnitCondition.FAILED_AT_START,
    UnitCondition.FAILED_LATER,
    UnitCondition.CRASH_LOOPING,
    UnitCondition.STOPPED,
    UnitCondition.MASKED,
    UnitCondition.BAD_UNIT,
    UnitCondition.EXITED,
    UnitCondition.STARTING,
)
_ENDED = frozenset({UnitCondition.FAILED_AT_START, UnitCondition.FAILED_LATER, UnitCondition.CRASH_LOOPING})
_ANSWERED = frozenset({"answers", "client-error", UNKNOWN})
_TAKEN = re.compile(r"address already in use|EADDRINUSE|connection in use|unable to bind|could not bind", re.IGNORECASE)
_SKIPPED = re.compile(r"unmet condition|condition check resulted in", re.IGNORECASE)
_MAX_RIVALS = 4


async def ownership(subject: Subject, asker: Asker, endpoint: str, *, further: bool = False) -> Owners:
    """Who serves an endpoint of this host, with what the gateways call it as hints; `further`: who should, too."""
    route, server = required(subject)
    seen = await survey(asker)
    busy = await busy_addresses(asker)

    async def make(inner: Asker) -> Owners:
        return await owners(
            inner,
            endpoint,
            hints=_hints(route),
            busy=busy - {endpoint, server.address},
            skip=tuple(one.instance.unit for one in seen.gateways if one.instance.unit and one.instance.pid),
            further=further,
        )

    return await asker.once(f"{'all ' if further else ''}owners {endpoint}", make)


def _hints(route: Route) -> tuple[str, ...]:
    host = route.virtual_host.name.lstrip("*.~^").split(".", 1)[0]
    location = route.location.pattern.strip("/^~$ ").split("/", 1)[0]
    upstream = route.upstream.name if route.upstream and route.upstream.name else ""
    return tuple(word for word in (upstream, host, location) if len(word) > 2)


async def busy_addresses(asker: Asker) -> frozenset[str]:
    """The addresses of all upstreams of this host's gateways."""
    seen = await survey(asker)

    async def make(_: Asker) -> frozenset[str]:
        read = ((one.configuration, one.instance) for one in seen.gateways)
        return frozenset().union(*(addresses_of(one, instance) for one, instance in read if one is not None))

    return await asker.once("busy", make)


def claimed(found: Owners) -> Claim | None:
    """The best claim of a unit that rests on more than on being somewhere else."""
    useful = (
        claim
        for claim in found.claims
        if claim.service and claim.how not in {How.ELSEWHERE, How.SAME_PORT} and claim.certainty >= Certainty.WEAK
    )
    return next(useful, None)


@check(
    "service",
    Scope.SERVER,
    {
        **{str(word): _VALUES for word in (*_DOWN, *sorted(UP), UnitCondition.STOPPING)},
        "condition-unmet": _VALUES,
        "requirement-ended": (*_VALUES, "requires"),
        "requirement-failed": (*_VALUES, "requires"),
        "displaced": _VALUES,
        "just-started": _VALUES,
        "just-restarted": _VALUES,
        "resembles-only": _VALUES,
        "no-unit": (),
        "no-manager": (),
    },
    bad=("condition-unmet", "requirement-ended", "requirement-failed", "displaced", *(str(word) for word in _DOWN)),
)
async def service(subject: Subject, asker: Asker) -> Finding:
    """Find the unit that should answer at the address, and its state."""
    found = await located(subject, asker)
    endpoint = found.addresses[0] if found.addresses else ""
    if parse_address(endpoint) is None:
        return Finding(UNKNOWN, "There is no address whose service could be looked for.")
    if not await systemd.present(asker):
        return Finding("no-manager", "No service manager that the wizard knows runs here.", by_hand="ps -ef")
    owned = await ownership(subject, asker, endpoint)
    gaps = tuple(Gap(what, "not permitted", grant) for what, grant in owned.gaps)
    claim = claimed(owned)
    if claim is not None and claim.certainty < Certainty.STRONG and await _spoken_for(subject, asker, claim):
        claim = None
    if claim is None or claim.service is None:
        return Finding(
            "no-unit",
            f"No unit says that it serves {one_line(endpoint)}.",
            gaps=gaps,
            by_hand="systemctl list-units --type=service --all",
        )
    pushed_out = await _pushed_out(subject, asker, endpoint, claim)
    claim = pushed_out or claim
    unit = await _asked_for(claim, asker)
    state = await systemd.state(asker, unit)
    by_hand = f"systemctl status {unit}"
    if isinstance(state, NotAnswered):
        return Finding(
            UNKNOWN, f"{one_line(unit)} could not be asked for: {one_line(state.detail)}.", gaps=gaps, by_hand=by_hand
        )
    told = await _told(state, unit, claim, endpoint, asker)
    told = msgspec.structs.replace(told, gaps=(*gaps, *told.gaps), by_hand=by_hand)
    holder = next((one for one in owned.claims if one.how is How.LISTENS), None)
    if told.outcome in _ENDED and holder is not None and holder.unit != unit:
        return msgspec.structs.replace(told, outcome="displaced", summary=f"{told.summary} {holder.because} instead.")
    return told


async def _told(state: UnitState, unit: str, claim: Claim, endpoint: str, asker: Asker) -> Finding:
    """What the state of the unit comes to."""
    clock = (await survey(asker)).clock
    condition = state.condition(clock.now if clock else None)
    is_its = claim.certainty is not Certainty.WEAK
    held_back = await _held_back(state, asker) if is_its and condition is UnitCondition.STOPPED else None
    said, gaps = await _last_said(unit, condition if held_back is None else UnitCondition.FAILED_AT_START, asker)
    values: dict[str, Value] = {
        "unit": unit,
        "because": claim.because,
        "ended": state.ended_words(),
        "said": said,
        "restarts": state.restarts,
    }
    if condition in {UnitCondition.NOT_FOUND, UnitCondition.UNKNOWN}:
        return Finding("no-unit", f"There is no unit {one_line(unit)}.", gaps=gaps)
    if held_back is not None:
        word, requires = held_back
        reason = f"{one_line(requires)}, which it requires, is down" if requires else "a condition of it is not met"
        words = f" Its journal: {said}" if said else ""
        sentence = f"{one_line(unit)} was not started ({claim.because}): {reason}.{words}"
        return Finding(word, sentence, {**values, "requires": requires} if requires else values, gaps)
    ended = values["ended"] if condition not in {UnitCondition.RUNNING, UnitCondition.STOPPED} else ""
    told = f"; it {ended}" if ended else ""
    words = f" It last said: {said}" if said else ""
    sentence = f"{one_line(unit)} {condition_said(condition)}{told} ({claim.because}).{words}"
    if not is_its:
        return Finding("resembles-only", sentence, values, gaps)
    since = state.started_at or state.active_since
    age = clock.now - since if clock is not None and since is not None else None
    young = condition is UnitCondition.RUNNING and age is not None and age < _YOUNG
    if young and (state.restarts or not await _has_listened(state, endpoint, asker)):
        word = "just-restarted" if state.restarts else "just-started"
        times = "once" if state.restarts == 1 else f"{state.restarts} times"
        again = f", restarted {times}" if state.restarts else ""
        return Finding(word, f"{one_line(unit)} has run for {age:.0f} s{again} ({claim.because}).", values, gaps)
    return Finding(str(condition), sentence, values, gaps)


async def _asked_for(claim: Claim, asker: Asker) -> str:
    """The unit whose state tells: where a socket unit should listen, that one, unless the service behind it failed."""
    unit = claim.service or ""
    if claim.how is not How.SOCKET_UNIT or claim.unit is None:
        return unit
    found = await systemd.states(asker, (claim.unit, unit))
    socket, behind = (found.get(claim.unit), found.get(unit)) if not isinstance(found, NotAnswered) else (None, None)
    if socket is None or socket.active == "active" or (behind is not None and behind.condition() in _ENDED):
        return unit
    return claim.unit


async def _held_back(state: UnitState, asker: Asker) -> tuple[str, str] | None:
    """Why a start of a unit that is not running does not lead to a process: the outcome, and the unit that it requires."""
    if state.condition_unmet or await _was_skipped(state.id, asker):
        return "condition-unmet", ""
    down = await systemd.down_requirements(asker, state.id)
    if not down:
        return None
    died = all(one.condition() is UnitCondition.FAILED_LATER for one in down)
    return ("requirement-ended" if died else "requirement-failed"), down[0].id


async def _has_listened(state: UnitState, endpoint: str, asker: Asker) -> bool:
    """Whether a unit that is up got as far as its listener: by the word of its manager, or by its own in this run.

    A unit of Type=notify counts as active once its program has said that it is ready (systemd.service(5)).
    """
    if state.type in {"notify", "notify-reload"}:
        return True
    wanted = read_endpoint(endpoint)
    lines = await last_words(asker, state.id, lines=40)
    if wanted is None or isinstance(lines, NotAnswered):
        return False
    own = (line for line in lines if line.invocation == state.invocation and not line.from_manager)
    return any(in_message(line.message, wanted) for line in own)


async def _was_skipped(unit: str, asker: Asker) -> bool:
    """Whether its last start was skipped: systemd forgets the result of conditions when it drops a unit from memory."""
    lines = await last_words(asker, unit, lines=40)
    told = [line for line in lines if line.from_manager] if not isinstance(lines, NotAnswered) else []
    return bool(told) and _SKIPPED.search(told[-1].message) is not None


async def _spoken_for(subject: Subject, asker: Asker, claim: Claim) -> bool:
    """Whether a unit that only resembles is set to another server of the same pool: then it is not this one's."""
    route, server = required(subject)
    others = [
        one.address for one in (route.upstream.servers if route.upstream else ()) if one.address != server.address
    ]
    for other in others[:_MAX_RIVALS]:
        if parse_address(other) is None:
            continue
        owned = await ownership(subject, asker, other)
        if any(one.service == claim.service and one.certainty >= Certainty.STRONG for one in owned.claims):
            return True
    return False


async def _pushed_out(subject: Subject, asker: Asker, endpoint: str, holder: Claim) -> Claim | None:
    """The unit that should listen where another one does: set to that address, and it failed because it is taken.

    Looked for only where what listens there does not answer well: two units may take turns on one address.
    """
    if holder.how is not How.LISTENS or holder.unit is None or (await reply(subject, asker)).outcome in _ANSWERED:
        return None
    owned = await ownership(subject, asker, endpoint, further=True)
    rivals = {
        claim.service: claim
        for claim in reversed(owned.claims)
        if claim.service not in {None, holder.service} and claim.how is How.CONFIGURED
    }
    for unit, claim in list(rivals.items())[:_MAX_RIVALS]:
        state = await systemd.state(asker, unit or "")
        if not isinstance(state, UnitState) or state.condition() not in _ENDED:
            continue
        lines = await last_words(asker, unit or "", lines=40)
        if not isinstance(lines, NotAnswered) and any(_TAKEN.search(line.message) for line in lines):
            return claim
    return None


async def _last_said(unit: str, condition: UnitCondition, asker: Asker) -> tuple[str, tuple[Gap, ...]]:
    if condition in {UnitCondition.RUNNING, UnitCondition.STOPPED, UnitCondition.LISTENING}:
        return "", ()
    lines = await last_words(asker, unit, lines=40)
    if isinstance(lines, NotAnswered):
        return "", (Gap(f"the journal of {one_line(unit)}", one_line(lines.detail), lines.grant),)
    line = decisive(lines) or _last_own(lines)
    return (quoted(line) if line is not None else ""), ()


def _last_own(lines: Sequence[JournalLine]) -> JournalLine | None:
    """The last line that the program itself wrote in the latest run: it may say why it ended in words that nobody knows."""
    latest = lines[-1].invocation if lines else ""
    own = [line for line in lines if not line.from_manager and line.invocation == latest and line.message.strip()]
    return own[-1] if own else None
