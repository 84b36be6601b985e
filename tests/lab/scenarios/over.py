"""Faults that are over, and faults of pages that are not asked: visitors are served again, and it has to be said."""

from __future__ import annotations

from collections.abc import Iterator

from tests.lab.decoys import old_errors
from tests.lab.guest import Guest
from tests.lab.scenario import Repair, scenario
from tests.lab.scenarios.http import redeploy, shop
from tests.lab.stack import app, proxy, site, start_nginx


@scenario("upstream-crashed-mid-request", systemd=True, over=True, status=200, repair=Repair.NONE)
def crashed_once(guest: Guest) -> Iterator[None]:
    """One page killed the application; systemd has started it again."""
    old_errors(guest)
    shop(guest, "--route /import=segfault", "Restart=on-failure", "RestartSec=200ms")
    yield
    guest.run("curl -s -o /dev/null http://shop.example/import; sleep 0.5")
    guest.await_listener("8000")


@scenario("upstream-slow-response", systemd=True, over=True, status=200, repair=Repair.NONE)
def another_page_waits(guest: Guest) -> Iterator[None]:
    """A page that is not the one asked for was never answered."""
    shop(guest)
    yield
    redeploy(guest, "--route /report=silent")
    guest.run("curl -s -o /dev/null http://shop.example/report")


@scenario("upstream-oom-killed", systemd=True, over=True, status=200, repair=Repair.NONE)
def memory_ran_out_once(guest: Guest) -> Iterator[None]:
    """The kernel ended the application for lack of memory; systemd has started it again.

    Guests share the kernel's log, so the unit has a name that no other story uses.
    """
    limits = ("MemoryMax=40M", "MemorySwapMax=0", "Restart=on-failure", "RestartSec=200ms")
    app(guest, "--route /export=memory", *limits, name="exports")
    site(guest, proxy("http://127.0.0.1:8000"))
    start_nginx(guest)
    yield
    guest.run("curl -s -m 8 -o /dev/null http://shop.example/export; sleep 0.5", check=False)
    guest.await_listener("8000")


@scenario("upstream-crashed-mid-request", systemd=True, over=True, status=200, repair=Repair.NONE)
def another_page_is_ended(guest: Guest) -> Iterator[None]:
    """A page that is not the one asked for is closed without an answer; the process stays."""
    shop(guest)
    yield
    redeploy(guest, "--route /cart=close")
    guest.run("for i in 1 2; do curl -s -o /dev/null http://shop.example/cart; done")
