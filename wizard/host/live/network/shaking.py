"""The answer to a TLS handshake: what the peer shows, and what verification would say about it.

Owns the order of the two handshakes. The first verifies nothing, so that an expired or foreign certificate can be
read; the second, only where the gateway verifies, tells OpenSSL's verdict (Python does not tell it for a handshake
that goes on regardless). The name is compared afterwards, as nginx does it: an expired certificate for another name
counts as expired. May not know what the facts mean.
"""

from __future__ import annotations

import asyncio
import errno

import msgspec.structs

from wizard.host.live.network.certificates import read_certificate
from wizard.host.live.network.connecting import NotOpened, open_socket
from wizard.host.live.network.streams import Wire
from wizard.host.live.network.tls import TlsBroken, TlsStream, secured
from wizard.host.live.network.unasked import Unasked
from wizard.host.questions import NotAnswered, TlsFailed, TlsHandshake, TlsSettings, TlsShaken, Why

TIMED_OUT = "TIMED_OUT"

_FIRST_READ_SECONDS = 0.5


async def answer_tls(question: TlsHandshake) -> TlsShaken | TlsFailed | NotAnswered:
    """Connect and shake hands.

    `TlsFailed.reason` is OpenSSL's reason (WRONG_VERSION_NUMBER), the name of an errno (ECONNRESET), CLOSED or
    TIMED_OUT. A client certificate that is merely welcome is `client_certificate_wanted`; one that is required is
    refused with an alert, which in TLS 1.3 comes after the handshake (RFC 8446 4.4.2.4) and is a failure all the same.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + question.seconds
    try:
        opened = await open_socket(question.endpoint, question.view, question.seconds)
        with Wire(opened.sock) as wire:
            shaken = await _shake(wire, question.settings, loop.time() - opened.seconds, deadline)
        if isinstance(shaken, TlsShaken) and question.settings.verify:
            return await _verified(question, shaken, deadline)
    except NotOpened as failure:
        reason = errno.errorcode.get(failure.errno, str(failure.errno)) if failure.errno else TIMED_OUT
        return TlsFailed("connecting", failure.errno, reason, seconds=failure.seconds)
    except Unasked as unasked:
        return unasked.answer
    return shaken


async def _shake(wire: Wire, settings: TlsSettings, begun: float, deadline: float) -> TlsShaken | TlsFailed:
    loop = asyncio.get_running_loop()
    stream = TlsStream(wire, settings)

    def failed(reason: str, code: int | None = None, alert: int | None = None) -> TlsFailed:
        wanted = stream.seen.client_certificate_wanted
        seconds = loop.time() - begun
        return TlsFailed("handshaking", code, reason, alert, wire.first, seconds, client_certificate_wanted=wanted)

    try:
        async with asyncio.timeout_at(deadline):
            await stream.handshake()
        seconds = loop.time() - begun
        await _first_read(stream, deadline)
    except TimeoutError:
        return failed(TIMED_OUT)
    except TlsBroken as broken:
        return failed(broken.reason, broken.errno, broken.alert)
    certificates = [read.facts for read in map(read_certificate, stream.chain) if read is not None]
    cipher = stream.tls.cipher()
    return TlsShaken(
        version=stream.tls.version() or "",
        cipher=cipher[0] if cipher else "",
        alpn=stream.tls.selected_alpn_protocol(),
        chain=tuple(certificates),
        client_certificate_wanted=stream.seen.client_certificate_wanted,
        seconds=seconds,
    )


async def _first_read(stream: TlsStream, deadline: float) -> None:
    """Where TLS 1.3 asked for our certificate, wait a moment for what it says about it: a ticket, or an alert."""
    if not stream.seen.client_certificate_wanted or stream.tls.version() != "TLSv1.3":
        return
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout_at(min(deadline, loop.time() + _FIRST_READ_SECONDS)):
            await stream.first_word()
    except (TimeoutError, OSError):
        return


async def _verified(question: TlsHandshake, shaken: TlsShaken, deadline: float) -> TlsShaken | NotAnswered:
    loop = asyncio.get_running_loop()
    try:
        opened = await open_socket(question.endpoint, question.view, max(deadline - loop.time(), 0.0))
        with Wire(opened.sock) as wire:
            async with asyncio.timeout_at(deadline):
                await secured(wire, question.settings)
    except TlsBroken as broken:
        if broken.verify is None:
            return NotAnswered(Why.FAILED, f"the handshake was made; one that verifies ended with {broken.detail}")
        code, text = broken.verify
        return msgspec.structs.replace(shaken, verify_code=code, verify_error=text)
    except NotOpened as failure:
        return NotAnswered(Why.FAILED, f"the handshake was made; a second connection was not: {failure}", failure.errno)
    except TimeoutError:
        return NotAnswered(Why.TIMED_OUT, "the handshake was made; one that verifies did not end in time")
    return shaken
