"""Who serves an address now: the sockets that take its connections, their processes, and the unit of those.

Owns that join, and what PHP-FPM was told where it is the one. May not know what is wrong with them.
"""

from __future__ import annotations

import msgspec

from wizard.checks.address import Address, parse_address
from wizard.checks.connect import located
from wizard.checks.listen import socket_table, takes
from wizard.checks.registry import Asker, Subject
from wizard.host.questions import Listening, Process, Processes, ProcessTable, SocketTable
from wizard.services import phpfpm
from wizard.services.mentions import read_endpoint
from wizard.services.processes import container_of, unit_of


class Serving(msgspec.Struct, frozen=True):
    """What takes connections at an address. `owners` have the socket open; `processes` are these and their kin."""

    address: Address
    sockets: tuple[Listening, ...] = ()
    owners: tuple[Process, ...] = ()
    processes: tuple[Process, ...] = ()
    unit: str | None = None

    @property
    def queue(self) -> int:
        """How many connections wait to be accepted."""
        return sum(one.queue or 0 for one in self.sockets)

    @property
    def workers(self) -> tuple[Process, ...]:
        """The owners that another owner started; all of them where none did."""
        pids = {one.pid for one in self.owners}
        children = tuple(one for one in self.owners if one.ppid in pids)
        return children or self.owners


async def serving(subject: Subject, asker: Asker) -> Serving | None:
    """Who serves a server's address on this host; None where the address or the tables could not be had."""
    found = await located(subject, asker)
    address = parse_address(found.addresses[0]) if found.addresses else None
    sockets = await socket_table(subject, asker)
    answer = (await asker.ask(Processes())).answer
    if address is None or not isinstance(sockets, SocketTable) or not isinstance(answer, ProcessTable):
        return None
    table = answer.processes
    matching = tuple(one for one in sockets.listening if takes(one, address))
    pids = {pid for one in matching for pid in one.pids if pid != 1}
    owners = tuple(sorted((one for one in table if one.pid in pids), key=lambda one: one.pid))
    unit = next((name for one in owners if (name := unit_of(one.cgroup))), None)
    kin = tuple(
        one
        for one in table
        if one.pid in pids or one.ppid in pids or (unit is not None and unit_of(one.cgroup) == unit)
    )
    return Serving(address, matching, owners, kin, unit)


async def fpm_of(who: Serving, asker: Asker) -> phpfpm.Fpm | None:
    """What PHP-FPM was told, where it is what serves an address."""
    for one in who.owners:
        master = phpfpm.master_of(one, who.processes)
        if master is not None:
            within = master.pid if container_of(master.cgroup) else None
            return await phpfpm.configuration(asker, master, within)
    return None


def pool_of(fpm: phpfpm.Fpm, who: Serving) -> phpfpm.Section | None:
    """The pool that serves an address."""
    endpoint = read_endpoint(who.address.text)
    return fpm.pool_at(endpoint) if endpoint is not None else None
