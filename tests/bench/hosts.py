"""The hosts that whole walks are measured on, in guests: a typical one, and one at scale.

Owns how they are furnished. May not know what is measured on them.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.bench import material
from tests.lab import stack
from tests.lab.guest import Guest, GuestError

HOLDER = Path(__file__).with_name("holder.py")
SITES_FOLDER = "/etc/nginx/sites"
ERROR_LOG = "/var/log/nginx/error.log"


@dataclass(frozen=True, slots=True)
class Size:
    """How much there is on a host; `log` in bytes, `sockets` with both ends and the listeners."""

    sites: int
    listeners: int
    sockets: int
    log: int
    rules: int
    systemd: bool


TYPICAL = Size(sites=5, listeners=120, sockets=1_200, log=10_000_000, rules=20, systemd=True)
LARGE = Size(sites=1_000, listeners=1_000, sockets=10_000, log=1_000_000_000, rules=20_000, systemd=False)


@contextmanager
def host(size: Size) -> Iterator[Guest]:
    """A guest of a size, with nginx running; nobody listens on the addresses of its first site."""
    with Guest(systemd=size.systemd) as guest:
        known = "".join(f"127.0.0.1\t{name}\n" for name in material.names(min(size.sites, 5)))
        guest.write("/etc/hosts", guest.read("/etc/hosts") + known)
        guest.run("rm -f /etc/nginx/sites-enabled/*")
        material.write_configuration(guest.root, SITES_FOLDER, sites=size.sites)
        guest.run("nft -f -", given=material.rules(size.rules))
        _serve(guest)
        stack.start_nginx(guest)
        with _holding(guest, size):
            material.write_error_log(guest.root / ERROR_LOG.lstrip("/"), size=size.log)
            yield guest


def _serve(guest: Guest) -> None:
    """An application on the addresses of the sites from the second to the fifth."""
    where = [address for site in range(1, 5) for address in material.addresses(site)]
    more = " ".join(f"--listen {address}" for address in where[1:])
    stack.program(guest)
    guest.spawn(f"{stack.PYTHON} {stack.PROGRAM} --listen {where[0]} {more}")
    guest.await_listener(where[0].rpartition(":")[2])


@contextmanager
def _holding(guest: Guest, size: Size) -> Iterator[None]:
    guest.write("/opt/holder.py", HOLDER.read_text())
    words = [stack.PYTHON, "/opt/holder.py", str(size.listeners), str(size.sockets)]
    held = subprocess.Popen(guest.argv(words), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        assert held.stdout is not None
        if held.stdout.readline() != "ready\n":
            raise GuestError("the sockets could not be held")
        yield
    finally:
        held.kill()  # nsenter; the holder itself ends with the guest
        held.wait()
