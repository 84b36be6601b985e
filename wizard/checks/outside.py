"""A gateway in a network of its own: its loopback is not the host's.

Owns the check `outside`. May not know containers or how such a network was made.
"""

from __future__ import annotations

from wizard.checks.address import lookup, parse_address, required
from wizard.checks.listen import named_owner, socket_table, takes
from wizard.checks.registry import UNKNOWN, Asker, Finding, Scope, Subject, check
from wizard.host.questions import Sockets, SocketTable
from wizard.text import one_line


@check(
    "outside",
    Scope.SERVER,
    {"same-network": (), "not-loopback": (), "listens-outside": ("address", "program", "pid"), "nobody": ("address",)},
    bad=("listens-outside",),
)
async def outside(subject: Subject, asker: Asker) -> Finding:
    """Where the gateway asks its own loopback, look who listens on the host's."""
    route, _ = required(subject)
    if not route.gateway.elsewhere:
        return Finding("same-network", "The gateway and this shell share one network.")
    found = await lookup(subject, asker)
    addresses = [one for text in found.addresses if (one := parse_address(text)) is not None and one.is_loopback]
    if not addresses:
        return Finding("not-loopback", "The gateway does not ask its own loopback.")
    address = addresses[0]
    inner = await socket_table(subject, asker)
    outer = (await asker.ask(Sockets())).answer
    if not isinstance(inner, SocketTable) or not isinstance(outer, SocketTable):
        return Finding(UNKNOWN, "The listening sockets of both networks could not be compared.")
    by_hand = f"ss -Hltnp 'sport = :{address.port}'"
    shown = one_line(address.text)
    if any(takes(one, address) for one in inner.listening):
        return Finding("nobody", f"Somebody listens on {shown} in the gateway's own network.", {"address": shown})
    here = tuple(
        one for one in outer.listening if one.family != "unix" and one.type == "stream" and one.port == address.port
    )
    if not here:
        return Finding("nobody", f"Nobody listens on port {address.port} outside either.", {"address": shown})
    program, pid = await named_owner(here, asker)
    return Finding(
        "listens-outside",
        f"{one_line(program) or 'A process'} listens on port {address.port} of the host; the gateway's {shown} is another.",
        {"address": shown, "program": program, "pid": pid},
        by_hand=by_hand,
    )
