from __future__ import annotations

import asyncio
import socket
import threading
import time

import pytest

from wizard.host.live.network import answer_resolve, resolving
from wizard.host.questions import NotAnswered, Resolve, Resolved, Why


def test_an_address_resolves_to_itself() -> None:
    assert asyncio.run(answer_resolve(Resolve("127.0.0.1"))) == Resolved(("127.0.0.1",))


def test_localhost_is_answered_by_the_hosts_file() -> None:
    answer = asyncio.run(answer_resolve(Resolve("localhost")))
    assert isinstance(answer, Resolved)
    assert set(answer.addresses) & {"127.0.0.1", "::1"}


@pytest.mark.parametrize("code", ["EAI_NONAME", "EAI_AGAIN", "EAI_FAIL", "EAI_NODATA"])
def test_errors_by_name(code: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise socket.gaierror(getattr(socket, code), "text")

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    assert asyncio.run(answer_resolve(Resolve("app.test"))) == Resolved((), code)


def test_a_lookup_that_hangs_is_left_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    release = threading.Event()
    monkeypatch.setattr(resolving, "_look_up", lambda _: release.wait(20))
    begun = time.monotonic()
    answer = asyncio.run(answer_resolve(Resolve("app.test", seconds=0.1)))
    release.set()
    assert isinstance(answer, NotAnswered)
    assert answer.why is Why.TIMED_OUT
    assert time.monotonic() - begun < 15


@pytest.mark.parametrize("name", ["", "a" * 300, "a..b", "x\0y", "b\u00fccher", "\ud800"])
def test_strange_names_never_raise(name: str) -> None:
    async def cancelled_soon() -> object:
        return await answer_resolve(Resolve(name, seconds=2.0))

    assert isinstance(asyncio.run(cancelled_soon()), Resolved | NotAnswered)
