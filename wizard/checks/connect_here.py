"""The same connection from the admin's own shell: where it succeeds and the gateway's fails, the two views differ.

Owns the check `connect-as-admin`. May not know why. Where systemd holds the socket alone, connecting starts a service; the
gateway may, for its visitor, and the wizard may not.
"""

from __future__ import annotations

from wizard.checks.address import lookup, parse_address
from wizard.checks.connect import deadline_of, word_for
from wizard.checks.listen import socket_table, takes
from wizard.checks.registry import UNKNOWN, Asker, Finding, Scope, Subject, check
from wizard.host.questions import HERE, Connect, Connected, ConnectFailed, SocketTable
from wizard.services import systemd
from wizard.text import one_line


@check(
    "connect-as-admin",
    Scope.SERVER,
    {"connected": ("address",), "fails-too": ("address",)},
)
async def connect_as_admin(subject: Subject, asker: Asker) -> Finding:
    """Connect as the person who runs the wizard: where this succeeds and the gateway's fails, the view differs."""
    found = await lookup(subject, asker)
    if not found.addresses:
        return Finding(UNKNOWN, "There is no address to connect to.")
    address = found.addresses[0]
    if await _is_activated(address, subject, asker):
        return Finding(UNKNOWN, "It was not tried from this shell: systemd would start the service for it.")
    answer = (await asker.ask(Connect(address, HERE, deadline_of(subject)))).answer
    if isinstance(answer, Connected):
        return Finding(
            "connected", f"The same connection succeeds from this shell to {one_line(address)}.", {"address": address}
        )
    if isinstance(answer, ConnectFailed):
        _, words = word_for(answer.errno)
        return Finding("fails-too", f"From this shell the same connection fails too: {words}.", {"address": address})
    return Finding(UNKNOWN, f"The connection could not be tried from this shell: {one_line(answer.detail)}.")


async def _is_activated(endpoint: str, subject: Subject, asker: Asker) -> bool:
    """Whether systemd alone holds the socket, so that a connection to it starts a service."""
    address = parse_address(endpoint)
    table = await socket_table(subject, asker)
    if address is None or not isinstance(table, SocketTable):
        return False
    owners = {pid for one in table.listening if takes(one, address) for pid in one.pids}
    return owners == {1} and await systemd.present(asker)
