"""What a unit's settings hide and forbid, and the lines that lift them."""

from __future__ import annotations

import asyncio

import pytest

from tests.firewall.test_judge import Box, ok
from wizard.host.questions import NotAnswered
from wizard.services.sandbox import PROPERTIES, Lifted, Sandbox, sandbox

PRINTED = b"""PrivateTmp=yes
ProtectHome=tmpfs
InaccessiblePaths=/srv/a -/srv/b
TemporaryFileSystem=/opt:ro
PrivateNetwork=no
RestrictAddressFamilies=AF_UNIX AF_INET
IPAddressDeny=10.0.0.0/8
IPAddressAllow=10.1.0.0/16
"""


def read(printed: bytes) -> Sandbox:
    host = Box({f"systemctl show -p {','.join(PROPERTIES)} -- shop.service": ok(printed)})
    found = asyncio.run(sandbox(host, "shop.service"))
    assert isinstance(found, Sandbox)
    return found


@pytest.mark.parametrize(
    ("path", "setting", "lines"),
    [
        ("/tmp/app.sock", "PrivateTmp=yes", ("PrivateTmp=no",)),
        ("/var/tmp/app.sock", "PrivateTmp=yes", ("PrivateTmp=no",)),
        ("/home/deploy/app.sock", "ProtectHome=tmpfs", ("ProtectHome=no",)),
        ("/srv/a/app.sock", "InaccessiblePaths=/srv/a", ("InaccessiblePaths=", "InaccessiblePaths=-/srv/b")),
        ("/srv/b", "InaccessiblePaths=-/srv/b", ("InaccessiblePaths=", "InaccessiblePaths=/srv/a")),
        ("/opt/app.sock", "TemporaryFileSystem=/opt:ro", ("TemporaryFileSystem=",)),
    ],
)
def test_the_setting_that_hides_a_path_is_lifted_and_the_others_stay(
    path: str, setting: str, lines: tuple[str, ...]
) -> None:
    assert read(PRINTED).hides(path) == Lifted(setting, lines)


@pytest.mark.parametrize("path", ["/run/app.sock", "/tmpfiles/app.sock", "/homeless/app.sock", "/srv/ab/app.sock"])
def test_a_path_that_no_setting_covers_is_seen(path: str) -> None:
    assert read(PRINTED).hides(path) is None


def test_protect_home_that_only_forbids_writing_hides_nothing() -> None:
    assert read(b"ProtectHome=read-only\nPrivateTmp=no\n").hides("/home/deploy/app.sock") is None


@pytest.mark.parametrize(
    ("address", "lines"),
    [
        ("::1", ("RestrictAddressFamilies=AF_INET6",)),
        ("10.2.0.1", ("IPAddressAllow=10.2.0.1",)),
        ("10.1.0.1", None),
        ("127.0.0.1", None),
        ("no address", None),
    ],
)
def test_what_is_allowed_wins_over_what_is_denied(address: str, lines: tuple[str, ...] | None) -> None:
    found = read(PRINTED).forbids(address)
    assert (found.lines if found else None) == lines


def test_families_that_are_listed_as_denied_are_denied() -> None:
    found = read(b"RestrictAddressFamilies=~AF_INET6 AF_PACKET\n")
    assert found.forbids("127.0.0.1") is None
    forbidden = found.forbids("::1")
    assert forbidden is not None
    assert forbidden.lines == ("RestrictAddressFamilies=",)


def test_a_drop_in_is_what_printf_writes() -> None:
    assert Lifted("x", ("InaccessiblePaths=/a%b\\c",)).drop_in == "[Service]\\nInaccessiblePaths=/a%%b\\\\c\\n"


def test_what_is_no_unit_is_not_asked_for() -> None:
    assert asyncio.run(sandbox(Box({}), "a;b")) is None
    assert isinstance(asyncio.run(sandbox(Box({}), "shop.service")), NotAnswered)
