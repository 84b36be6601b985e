"""The servers and certificates that the tests of the network share."""

from __future__ import annotations

from collections.abc import Iterator
from shutil import which

import pytest

from tests.host.live.network.servers import Certificates, Serve, serving


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Serve every connection with a handler; see `servers.serving`."""
    with serving() as start:
        yield start


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    if which("openssl") is None:
        pytest.skip("needs the openssl command")
    made = Certificates(tmp_path_factory.mktemp("certificates"))
    made.sign("good", "/CN=backend.test", "DNS:backend.test,DNS:*.wild.test,IP:127.0.0.1,IP:::1")
    made.sign("expired", "/CN=backend.test", "DNS:backend.test", end="20240301000000Z")
    made.sign("notyet", "/CN=backend.test", "DNS:backend.test", start="20480101000000Z")
    made.sign("unnamed", "/O=Nobody", "")
    made.sign("plain", "/O=Acme/CN=only-cn.test", "")
    made.sign_itself("self", "/CN=backend.test", "DNS:backend.test")
    return made
