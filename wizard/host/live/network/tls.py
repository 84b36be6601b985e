"""TLS over a connection of our own, with every byte, message and alert in view.

Owns the handshake and the encrypted stream. The engine is OpenSSL by
way of `ssl.SSLObject` and two memory buffers, so that what the peer sent is known also where it is no TLS. May not
know how a connection is made, nor what is said inside.
"""

from __future__ import annotations

import errno as errnos
import ssl
from contextlib import suppress
from typing import cast

import msgspec

from wizard.host.live.network.certificates import carries_name, read_certificate
from wizard.host.live.network.streams import READ_SIZE, Wire
from wizard.host.live.network.tls_context import context_for
from wizard.host.live.network.unasked import Unasked
from wizard.host.questions import NotAnswered, TlsSettings, Why

# X509_V_ERR_HOSTNAME_MISMATCH, X509_V_ERR_CERT_CHAIN_TOO_LONG
HOSTNAME_MISMATCH = (62, "hostname mismatch")
TOO_LONG = (22, "certificate chain too long")

# RFC 8446: content types of records, types of handshake messages.
_ALERT, _HANDSHAKE = 21, 22
_NEW_SESSION_TICKET, _CERTIFICATE, _CERTIFICATE_REQUEST = 4, 11, 13
_TLS13 = 0x0304


class TlsBroken(Exception):  # noqa: N818 - an observation, not an error of the program
    """TLS ended: OpenSSL's reason (or CLOSED, or the name of an errno), the peer's alert, what verification said."""

    def __init__(
        self,
        reason: str,
        *,
        alert: int | None = None,
        errno: int | None = None,
        verify: tuple[int, str] | None = None,
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.alert = alert
        self.errno = errno
        self.verify = verify

    @property
    def detail(self) -> str:
        """The reason in one line, with the alert or what verification said."""
        if self.verify is not None:
            return f"{self.reason} ({self.verify[0]}: {self.verify[1]})"
        return self.reason if self.alert is None else f"{self.reason} (alert {self.alert})"


class Seen(msgspec.Struct):
    """What passed by in the handshake: the peer's certificates (DER), its wish for one of ours, its alert."""

    chain: list[bytes] = msgspec.field(default_factory=list)
    client_certificate_wanted: bool = False
    ticket: bool = False
    alert: int | None = None

    def note(self, content_type: int, message_type: int, tls13: bool, data: bytes) -> None:
        """Take note of one message that the peer sent."""
        if content_type == _ALERT and len(data) == 2 and data[1]:  # 0 is close_notify
            self.alert = data[1]
        elif content_type == _HANDSHAKE and message_type == _CERTIFICATE:
            self.chain = certificates_in(data, tls13=tls13)
        elif content_type == _HANDSHAKE and message_type == _CERTIFICATE_REQUEST:
            self.client_certificate_wanted = True
        elif content_type == _HANDSHAKE and message_type == _NEW_SESSION_TICKET:
            self.ticket = True


def certificates_in(message: bytes, *, tls13: bool) -> list[bytes]:
    """The DER certificates of a Certificate message (RFC 5246 7.4.2, RFC 8446 4.4.2); stops where it is cut."""
    at = 4
    if tls13:
        at += 1 + (message[at] if len(message) > at else 0)
    at += 3
    found = []
    while at + 3 <= len(message):
        length = int.from_bytes(message[at : at + 3], "big")
        der = message[at + 3 : at + 3 + length]
        if len(der) < length or not length:
            break
        found.append(der)
        at += 3 + length
        if tls13:
            at += 2 + int.from_bytes(message[at : at + 2], "big")
    return found


class TlsStream:
    """An encrypted stream over a wire. Shake hands first."""

    def __init__(self, wire: Wire, settings: TlsSettings, *, verify: bool = False) -> None:
        """Prepare; nothing is sent yet.

        Raises:
            Unasked: the settings cannot be followed here.
        """
        self._wire = wire
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._ended = False
        self.seen = Seen()
        context = context_for(settings, verify=verify)
        _watch(context, self.seen)
        try:
            self.tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=settings.server_name)
        except ValueError as error:
            detail = f"{settings.server_name!r} is no name that a server can be asked for: {error}"
            raise Unasked(NotAnswered(Why.FAILED, detail)) from error

    @property
    def first(self) -> bytes:
        """The first bytes that came, as they were on the wire."""
        return self._wire.first

    @property
    def chain(self) -> tuple[bytes, ...]:
        """The peer's certificates in DER, its own first; all that it sent, or at least its own."""
        if self.seen.chain:
            return tuple(self.seen.chain)
        try:
            own = self.tls.getpeercert(binary_form=True)
        except ValueError:  # no handshake yet
            own = None
        return (own,) if own else ()

    @property
    def between(self) -> int:
        """How many certificates stand between the peer's and the trusted one; 0 where that cannot be told.

        The method is private until Python 3.13 makes it public.
        """
        with suppress(AttributeError, ssl.SSLError, TypeError):
            return max(0, len(self.tls._sslobj.get_verified_chain()) - 2)  # type: ignore[attr-defined] # noqa: SLF001
        return 0

    async def handshake(self) -> None:
        """Shake hands.

        Raises:
            TlsBroken: it failed.
        """
        while True:
            try:
                self.tls.do_handshake()
                await self._flush()
            except ssl.SSLWantReadError:
                await self._pull()
            except ssl.SSLError as error:
                broken = self._broken(error)
                with suppress(TlsBroken):
                    await self._flush()  # our alert, so that the peer's log says why
                raise broken from error
            else:
                return

    async def send(self, data: bytes) -> None:
        """Send everything; TlsBroken or OSError where the peer has gone."""
        try:
            self.tls.write(data)
        except ssl.SSLError as error:
            raise self._broken(error) from error
        await self._wire.send(self._outgoing.read())

    async def receive(self) -> bytes:
        """What came next; empty at the end, with or without close_notify.

        Raises:
            TlsBroken: the peer sent an alert, or what is no TLS.
            OSError: the connection broke.
        """
        while True:
            try:
                return self.tls.read(READ_SIZE)
            except ssl.SSLWantReadError:
                if self._ended:
                    return b""
                await self._flush()  # what the protocol itself has to say (a new key)
                self._feed(await self._wire.receive())
            except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
                return b""
            except ssl.SSLError as error:
                raise self._broken(error) from error

    async def first_word(self) -> None:
        """Wait for what the peer has to say about our certificate: a session ticket is consent, an alert is not.

        Raises:
            TlsBroken: it sent an alert.
            OSError: the connection broke.
        """
        while True:
            try:
                self.tls.read(READ_SIZE)
            except ssl.SSLWantReadError:
                if self.seen.ticket or self._ended:
                    return
                self._feed(await self._wire.receive())
            except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
                return
            except ssl.SSLError as error:
                raise self._broken(error) from error
            else:
                return

    async def _pull(self) -> None:
        await self._flush()
        if self._ended:
            raise TlsBroken("CLOSED", alert=self.seen.alert)
        try:
            data = await self._wire.receive()
        except OSError as error:
            raise _broken_wire(error, self.seen) from error
        self._feed(data)

    def _feed(self, data: bytes) -> None:
        if data:
            self._incoming.write(data)
        else:
            self._ended = True
            self._incoming.write_eof()

    async def _flush(self) -> None:
        if self._outgoing.pending:
            try:
                await self._wire.send(self._outgoing.read())
            except OSError as error:
                raise _broken_wire(error, self.seen) from error

    def _broken(self, error: ssl.SSLError) -> TlsBroken:
        if isinstance(error, (ssl.SSLEOFError, ssl.SSLZeroReturnError)):
            return TlsBroken("CLOSED", alert=self.seen.alert)
        verdict = None
        if isinstance(error, ssl.SSLCertVerificationError):
            verdict = (error.verify_code, error.verify_message)
        alert = self.seen.alert or _plain_alert(self.first)
        return TlsBroken(_reason(error), alert=alert, verify=verdict)


async def secured(wire: Wire, settings: TlsSettings) -> TlsStream:
    """Shake hands as the gateway does: where it verifies, the chain first and then, as nginx does, the name.

    Raises:
        TlsBroken: the handshake failed, or the certificate is not accepted.
        Unasked: the settings cannot be followed here.
    """
    stream = TlsStream(wire, settings, verify=settings.verify)
    await stream.handshake()
    if settings.verify and stream.between > settings.depth:
        raise TlsBroken("CERTIFICATE_VERIFY_FAILED", verify=TOO_LONG)
    if settings.verify and settings.verify_name is not None:
        leaf = read_certificate(stream.chain[0]) if stream.chain else None
        if leaf is None or not carries_name(leaf, settings.verify_name):
            raise TlsBroken("CERTIFICATE_VERIFY_FAILED", verify=HOSTNAME_MISMATCH)
    return stream


def _broken_wire(error: OSError, seen: Seen) -> TlsBroken:
    return TlsBroken(errnos.errorcode.get(error.errno or 0, "CLOSED"), alert=seen.alert, errno=error.errno)


def _reason(error: ssl.SSLError) -> str:
    reason = cast("str | None", error.reason)  # None where OpenSSL's queue of errors was empty
    return reason or str(error)


def _plain_alert(first: bytes) -> int | None:
    """The alert where it is the very first record: level and description, unencrypted."""
    is_alert = len(first) >= 7 and first[0] == _ALERT and first[1] == 3 and first[3:5] == b"\0\2"
    return first[6] if is_alert else None


def _watch(context: ssl.SSLContext, seen: Seen) -> None:
    """See the messages of the handshake, also the encrypted ones.

    The hook exists since Python 3.8 and is private. Without it the chain has one certificate, a wish for a client
    certificate stays unseen until it is refused, and an alert is known only where it came first and unencrypted.
    """

    def note(_: object, direction: str, version: int, content_type: int, message_type: int, data: bytes) -> None:
        if direction == "read":
            seen.note(int(content_type), int(message_type), version == _TLS13, data)

    with suppress(AttributeError, TypeError):
        context._msg_callback = note  # type: ignore[attr-defined] # noqa: SLF001
