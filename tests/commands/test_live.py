"""`diagnose` and `route` on hosts as bad as they come, in throw-away guests: the answer is always one valid object."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.commands.shapes import REPORT, ROUTES, misfits
from tests.lab.guest import Guest
from tests.lab.stack import app, proxy, site, start_nginx
from tests.lab.stage import COMMAND

pytestmark = pytest.mark.lab

SITE = "http://shop.example/"


@pytest.fixture
def guest() -> Iterator[Guest]:
    with Guest(systemd=False) as made:
        yield made


def diagnose(guest: Guest, *words: str) -> tuple[int, dict[str, Any]]:
    """Exit status and report; nothing else may be on standard output."""
    done = guest.run([str(COMMAND), "diagnose", *words, "--json"], check=False)
    report: dict[str, Any] = json.loads(done.out)
    assert misfits(report, REPORT) == []
    assert "Traceback" not in done.err
    return done.status, report


def test_no_gateway(guest: Guest) -> None:
    guest.run("rm -rf /etc/nginx /usr/sbin/nginx /usr/lib/systemd/system/nginx.service")
    for words in ([SITE], []):
        status, report = diagnose(guest, *words)
        assert (status, report["verdict"], report["causes"]) == (3, "unknown", [])
        assert report["error"]["what"]
    routes = guest.run([str(COMMAND), "route", SITE, "--json"], check=False)
    assert routes.status == 3
    assert misfits(json.loads(routes.out), ROUTES) == []


def test_a_broken_configuration_of_a_gateway_that_still_runs(guest: Guest) -> None:
    app(guest)
    site(guest, proxy("http://127.0.0.1:8000"))
    start_nginx(guest)
    guest.write("/etc/nginx/sites-enabled/new", "server {\n    listen 8080;\n    location / {\n")
    status, report = diagnose(guest, SITE)
    assert (status, report["observed"]["status"]) == (0, 200)  # the request is served by what was loaded before
    told = json.dumps([report["error"], report["warnings"], report["not_checked"], report["steps"]])
    assert "/etc/nginx/sites-enabled/new" in told


def test_a_broken_configuration_of_a_gateway_that_does_not_run(guest: Guest) -> None:
    guest.write("/etc/nginx/nginx.conf", "events {\nhttp { server { proxy_pass ; }")
    status, report = diagnose(guest, SITE)
    assert status in {2, 3}
    assert report["verdict"] in {"unknown", "cause-found"}
    assert "/etc/nginx/nginx.conf" in json.dumps([report["error"], report["causes"], report["steps"]])


def test_a_url_that_no_gateway_takes(guest: Guest) -> None:
    app(guest)
    site(guest, proxy("http://127.0.0.1:8000"))
    start_nginx(guest)
    status, report = diagnose(guest, "http://shop.example:8443/")
    assert (status, report["verdict"]) == (3, "unknown")
    assert "8443" in report["error"]["what"]


def test_the_plan_connects_to_nothing(guest: Guest) -> None:
    app(guest)
    site(guest, proxy("http://127.0.0.1:8000"))
    start_nginx(guest)
    before = guest.read("/var/log/nginx/access.log") + guest.read("/var/log/shop.log")
    done = guest.run([str(COMMAND), "diagnose", SITE, "--plan"])
    assert "127.0.0.1:8000" in done.out
    assert "/etc/nginx/sites-enabled/" in done.out
    assert guest.read("/var/log/nginx/access.log") + guest.read("/var/log/shop.log") == before


def test_an_ordinary_user_gets_a_whole_report(guest: Guest) -> None:
    app(guest)
    site(guest, proxy("http://127.0.0.1:8000"))
    start_nginx(guest)
    guest.run("useradd --create-home ann; chmod 711 /root")
    done = guest.run(
        [
            "setpriv",
            "--reuid=ann",
            "--regid=ann",
            "--init-groups",
            "--reset-env",
            str(COMMAND),
            "diagnose",
            SITE,
            "--json",
        ],
        check=False,
    )
    report = json.loads(done.out)
    assert misfits(report, REPORT) == []
    assert (report["session"]["user"], report["session"]["is_root"]) == ("ann", False)
    assert (done.status, report["verdict"]) == (0, "ok")
