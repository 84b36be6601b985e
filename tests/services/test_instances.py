from __future__ import annotations

import asyncio
import json

from tests.services.fakes import FakeHost, listens, process
from wizard.host.questions import NotAnswered, Ran
from wizard.services.instances import unloaded
from wizard.services.mentions import Endpoint
from wizard.services.ownership import How, owners
from wizard.services.unitfiles import local_units

UNITS = "/etc/systemd/system"
TEMPLATE = "[Service]\nExecStart=/srv/shop --listen 127.0.0.1:%i\n"
SAID = json.dumps({"MESSAGE": "Stopped.", "_PID": "1", "UNIT": "shop@8000.service"}).encode()


def found(host: FakeHost, wanted: Endpoint) -> list[str]:
    async def look() -> list[str]:
        return sorted(await unloaded(host, await local_units(host), (), wanted))

    return asyncio.run(look())


def test_an_instance_that_ran_is_found_by_the_port_that_it_is_named_after() -> None:
    journal: dict[tuple[str, ...], Ran | NotAnswered] = {("journalctl", "-u", "shop@8000.service"): Ran(0, SAID, b"")}
    host = FakeHost(files={f"{UNITS}/shop@.service": TEMPLATE}, commands=journal)
    assert found(host, Endpoint("127.0.0.1", 8000)) == ["shop@8000.service"]
    assert found(host, Endpoint("127.0.0.1", 8800)) == []


def test_an_instance_that_is_enabled_is_found_by_its_link() -> None:
    files = {
        f"{UNITS}/shop@.service": TEMPLATE,
        f"{UNITS}/multi-user.target.wants/shop@8000.service": TEMPLATE,
        f"{UNITS}/multi-user.target.wants/other@1.service": "",
    }
    assert found(FakeHost(files=files), Endpoint("127.0.0.1", 9)) == ["shop@8000.service"]


def test_an_instance_with_a_file_of_its_own() -> None:
    template = "[Service]\nEnvironmentFile=-/etc/shop/%i.env\nExecStart=/srv/shop\n"
    files = {f"{UNITS}/shop@.service": template, "/etc/shop/blue.env": "PORT=8000\n"}
    claims = asyncio.run(owners(FakeHost(files=files), "127.0.0.1:8000")).claims
    assert [(claim.unit, claim.how) for claim in claims] == [("shop@blue.service", How.CONFIGURED)]


def test_going_further_finds_who_is_configured_where_another_one_listens() -> None:
    host = FakeHost(
        files={f"{UNITS}/shop.service": "[Service]\nExecStart=/srv/shop --listen 127.0.0.1:8000\n"},
        listening=[listens("127.0.0.1", 8000, 7)],
        processes=[process(7, "/srv/preview", "preview.service")],
    )
    near = asyncio.run(owners(host, "127.0.0.1:8000"))
    far = asyncio.run(owners(host, "127.0.0.1:8000", further=True))
    assert [claim.unit for claim in near.claims] == ["preview.service"]
    assert [claim.unit for claim in far.claims] == ["preview.service", "shop.service"]
