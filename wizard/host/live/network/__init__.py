"""The network half of the live host: names, connections, TLS and requests, asked as the gateway would.

Owns the five answers below. Each keeps within its question's seconds, can be cancelled at any point, and never raises:
a defect of this package becomes `NotAnswered(FAILED)` with its type. Nothing here needs rights, except a `View` that
differs from the wizard's own.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from wizard.host.live.network import children, connecting, dns, requesting, resolving, shaking
from wizard.host.questions import (
    AskDns,
    Connect,
    Connected,
    ConnectFailed,
    DnsAnswered,
    NotAnswered,
    NotReplied,
    Replied,
    Request,
    Resolve,
    Resolved,
    TlsFailed,
    TlsHandshake,
    TlsShaken,
    Why,
)

Q = TypeVar("Q")
A = TypeVar("A")

__all__ = [
    "answer_connect",
    "answer_dns",
    "answer_request",
    "answer_resolve",
    "answer_tls",
    "end_children",
]


async def answer_resolve(question: Resolve) -> Resolved | NotAnswered:
    """Look a name up with getaddrinfo(3): addresses in its order, or the name of its error."""
    return await _guarded(resolving.answer_resolve, question)


async def answer_dns(question: AskDns) -> DnsAnswered | NotAnswered:
    """Ask one DNS server over UDP, and over TCP where its answer was cut."""
    return await _guarded(dns.answer_dns, question)


async def answer_connect(question: Connect) -> Connected | ConnectFailed | NotAnswered:
    """Connect from where the view sits; the errno is the kernel's, None where nothing came in time."""
    return await _guarded(connecting.answer_connect, question)


async def answer_tls(question: TlsHandshake) -> TlsShaken | TlsFailed | NotAnswered:
    """Connect and shake hands as the gateway would, and tell what verification would say."""
    return await _guarded(shaking.answer_tls, question)


async def answer_request(question: Request) -> Replied | NotReplied | NotAnswered:
    """Send one GET or HEAD in HTTP, FastCGI or uwsgi and read its reply."""
    return await _guarded(requesting.answer_request, question)


def end_children() -> None:
    """End the processes that sat in other places for this loop. They also end with the loop, and with the wizard."""
    children.end_children()


async def _guarded(answer: Callable[[Q], Awaitable[A]], question: Q) -> A | NotAnswered:
    try:
        return await answer(question)
    except Exception as error:  # noqa: BLE001 - the last line: a defect here must not end a walk
        return NotAnswered(Why.FAILED, f"{type(error).__name__}: {error}")
