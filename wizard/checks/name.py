"""The hop from name to address: does the upstream's name resolve, in the way that the gateway resolves it?

Owns the check `name`. May not know what happens at the address.
"""

from __future__ import annotations

from wizard.checks.address import Lookup, lookup, required, resolves_at_run_time
from wizard.checks.registry import UNKNOWN, Asker, Finding, Scope, Subject, check
from wizard.text import one_line

_SAYS = {
    "no-such-name": "{name} does not exist, says {server}.",
    "no-address": "{name} exists and has no address, says {server}.",
    "server-failed": "{server} could not answer for {name} ({detail}).",
    "no-answer": "{server} did not answer ({detail}).",
    "hosts-only": "{server}, which the gateway asks, does not know {name}; this host's own files do ({elsewhere}).",
    "no-resolver": "{name} is looked up for each request, and no resolver is configured for that.",
    "resolves": "{name} is {addresses}.",
}


@check(
    "name",
    Scope.SERVER,
    {
        "literal": (),
        "resolves": ("name", "addresses"),
        "some-fail": ("name", "resolver", "how", "addresses"),
        "no-such-name": ("name", "resolver", "how"),
        "no-address": ("name", "resolver", "how"),
        "server-failed": ("name", "resolver", "how"),
        "no-answer": ("name", "resolver", "how"),
        "hosts-only": ("name", "resolver", "how", "addresses"),
        "no-resolver": ("name", "how"),
    },
    bad=("some-fail", "no-such-name", "no-address", "server-failed", "no-answer", "hosts-only", "no-resolver"),
)
async def name_resolves(subject: Subject, asker: Asker) -> Finding:
    """Look the server's name up as the gateway does: through its resolver, or as the system does at start."""
    route, server = required(subject)
    found = await lookup(subject, asker)
    if found.word == "literal":
        return Finding("literal", f"{one_line(server.address)} is an address; no name has to be looked up.")
    name = server.name or server.address
    at_run_time = resolves_at_run_time(route, server)
    values: dict[str, str | tuple[str, ...]] = {
        "name": name,
        "resolver": found.server,
        "addresses": found.elsewhere or found.addresses,
        "how": "while it runs" if at_run_time else "when it starts",
    }
    summary = _SAYS[found.word].format(
        name=one_line(name),
        server=one_line(found.server),
        detail=one_line(found.detail or "nothing came back"),
        elsewhere=one_line(", ".join(found.elsewhere)),
        addresses=one_line(", ".join(found.addresses)),
    )
    if found.partial:
        summary = (
            f"{one_line(found.server)} has an address of {one_line(name)} and answers {one_line(found.detail)} for its "
            f"{found.kind} record; nginx asks for both, and fails."
        )
    elif found.full:
        summary = (
            f"{one_line(found.server)} does not know {one_line(name)} ({one_line(found.detail)}); it knows "
            f"{one_line(found.full)}. nginx does not complete short names."
        )
    if found.failing:
        values["resolver"] = ", ".join(found.failing)
        summary += f" {one_line(', '.join(found.failing))} would be asked too, and gives no usable answer."
        return Finding("some-fail", summary, values, by_hand=_by_hand(name, found, at_run_time=at_run_time))
    outcome = found.word if found.asked else UNKNOWN
    return Finding(outcome, summary, values, by_hand=_by_hand(name, found, at_run_time=at_run_time))


def _by_hand(name: str, found: Lookup, *, at_run_time: bool) -> str:
    if at_run_time and found.server:
        host, _, port = found.server.rpartition(":")
        return f"dig +short -p {port or 53} @{(host or found.server).strip('[]')} {name}"
    return f"getent ahosts {name}"
