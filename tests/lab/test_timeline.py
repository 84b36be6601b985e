"""What happened before a real fault stands in the timeline, in its order, before the first error."""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.lab.guest import Guest
from tests.lab.scenario import SCENARIOS
from tests.lab.scenarios.tls import served
from tests.lab.stack import app, end
from tests.lab.stage import COMMAND, break_it, diagnose, healthy, request, works

for file in sorted(Path(__file__).with_name("scenarios").glob("*.py")):
    importlib.import_module(f"tests.lab.scenarios.{file.stem}")

pytestmark = pytest.mark.lab


def told(name: str, *, change: Callable[[Guest], None] | None = None) -> list[tuple[str, bool]]:
    """The timeline after a visitor met the fault: what happened, and whether it is the first error.

    `change` breaks the site instead of the scenario's own story.
    """
    scenario = SCENARIOS[name]
    with healthy(scenario) as (guest, story):
        assert works(guest, scenario)
        time.sleep(1.1)  # the error log counts whole seconds
        if change is not None:
            change(guest)
        else:
            break_it(story)
        assert request(guest, scenario) in scenario.status
        seen = diagnose(guest, scenario.url, user=scenario.user)
        assert seen.report, seen.result.err
        printed = guest.run([str(COMMAND), "diagnose", scenario.url], check=False).out
    assert "\nthe error  " in printed, printed
    return [(str(one["what"]), bool(one["first_error"])) for one in seen.report["timeline"]]


def place(found: list[tuple[str, bool]], what: str) -> int:
    """Where something stands for the last time."""
    places = [index for index, (said, _) in enumerate(found) if what in said]
    assert places, found
    return places[-1]


def first_error(found: list[tuple[str, bool]]) -> int:
    """Where the first error stands."""
    [index] = [index for index, (_, first) in enumerate(found) if first]
    return index


def test_a_service_that_was_stopped() -> None:
    found = told("service.stopped")
    assert place(found, "nginx.service started") < place(found, "shop.service stopped") < first_error(found)


def test_a_configuration_that_was_edited_and_loaded() -> None:
    found = told("tls.tls_to_plain")
    edited, loaded = place(found, "/etc/nginx/sites-enabled/shop changed"), place(found, "loaded its configuration")
    assert edited < first_error(found)
    assert loaded < first_error(found)


def test_a_program_that_a_deploy_broke() -> None:
    found = told("service.import_error")
    assert place(found, "/opt/shop/server.py changed") < place(found, "shop.service failed") < first_error(found)
    assert place(found, "No module named 'shop_settings'") < first_error(found)


def replace_certificate(guest: Guest) -> None:
    """A new certificate under the old name, and the application started anew with it."""
    pid = int(guest.run("pgrep -f /opt/shop/server.py").out.split()[0])
    options = served(guest)
    guest.run("cp /opt/shop/tls/expired.crt /opt/shop/tls/app.internal.crt")
    end(guest, pid)
    app(guest, options)


def test_a_certificate_that_was_replaced() -> None:
    found = told("tls.expired", change=replace_certificate)
    assert place(found, "certificate /opt/shop/tls/app.internal.crt changed") < first_error(found)
    assert place(found, "'certificate expired' from 127.0.0.1:8000") == first_error(found)


def upgrade_and_stop(guest: Guest) -> None:
    """A package is upgraded, and the service is stopped."""
    guest.run(
        "echo \"$(date '+%F %T') upgrade nginx:amd64 1.22.1-8 1.22.1-9\" >> /var/log/dpkg.log; systemctl stop shop"
    )


def test_a_package_that_was_upgraded_just_before() -> None:
    found = told("service.stopped", change=upgrade_and_stop)
    package = place(found, "nginx upgraded from 1.22.1-8 to 1.22.1-9")
    assert place(found, "nginx.service started") < package < first_error(found)
    assert place(found, "shop.service stopped") < first_error(found)


def test_a_process_that_the_kernel_killed() -> None:
    found = told("capacity.memory_limit")
    kill = place(found, "the kernel killed python3 of reports.service: its memory limit was reached")
    assert place(found, "reports.service restarted") < kill < first_error(found)
    assert place(found, "reports.service failed (killed, status=9/KILL)") < first_error(found)


def fail_for_an_hour(guest: Guest) -> None:
    """The service is stopped; the log says that it failed for an hour, once a minute."""
    line = (
        "%s [error] 9#9: *%s connect() failed (111: Connection refused) while connecting to upstream, client: 192.0.2.9,"
        ' server: shop.example, request: "GET / HTTP/1.1", upstream: "http://127.0.0.1:8000/", host: "shop.example"'
    )
    clock = "date -d \"$n minutes ago\" '+%Y/%m/%d %H:%M:%S'"
    guest.run(f"for n in $(seq 60 -1 1); do printf '{line}\\n' \"$({clock})\" $n; done >> /var/log/nginx/error.log")
    guest.run("systemctl stop shop")


def test_what_began_before_the_log_is_usually_read_is_followed_to_its_beginning() -> None:
    found = told("service.stopped", change=fail_for_an_hour)
    assert place(found, "first of 6") == first_error(found)
    assert first_error(found) < place(found, "shop.service stopped")


def test_without_root_it_is_shorter_and_true() -> None:
    found = told("instances.seen_without_root")
    assert place(found, "shop.service changed") < first_error(found)
