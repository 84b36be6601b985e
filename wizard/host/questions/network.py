"""What is asked over the network: one connection, one handshake, one request, each from a view of the host.

May not know which gateway would do the same.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

from wizard.host.questions.asking import HERE, Answer, Ask, View


class Connected(Answer, frozen=True, tag="connected"):
    """The connection was made (and closed again without a byte sent)."""

    local: str = ""
    seconds: float = 0.0


class ConnectFailed(Answer, frozen=True, tag="connect-failed"):
    """The connection was not made: the errno that the kernel gave, or None where nothing came before the deadline."""

    errno: int | None
    seconds: float = 0.0


class Connect(Ask[Connected | ConnectFailed], frozen=True, tag="connect"):
    """Connect to `host:port` (an IP literal, IPv6 in brackets) or `unix:/path`."""

    endpoint: str
    view: View = HERE
    seconds: float = 3.0
    source: str | None = None  # local address to bind, as by nginx's proxy_bind


class TlsSettings(msgspec.Struct, frozen=True):
    """How a gateway shakes hands: the server name it sends (None: no SNI), its protocols, and what it verifies."""

    server_name: str | None = None
    protocols: tuple[str, ...] = ()  # TLSv1, TLSv1.1, TLSv1.2, TLSv1.3; empty: the library's default
    ciphers: str | None = None
    verify: bool = False
    verify_name: str | None = None  # the name that the certificate must carry
    trusted: str | None = None  # path of the CA file; None: the system's store
    alpn: tuple[str, ...] = ()
    client_certificate: str | None = None
    client_key: str | None = None
    depth: int = 1  # how many certificates may stand between the peer's and a trusted one
    revoked: str | None = None  # path of the file with revocation lists; None: they are not asked


class Certificate(msgspec.Struct, frozen=True):
    """What a certificate says; times in seconds since the epoch."""

    subject: str
    issuer: str
    names: tuple[str, ...]
    not_before: float
    not_after: float
    self_signed: bool = False


class TlsShaken(Answer, frozen=True, tag="tls"):
    """The handshake was made. `verify_error` is what verification would say (OpenSSL's code and text), if asked."""

    version: str
    cipher: str
    alpn: str | None
    chain: tuple[Certificate, ...]
    verify_code: int = 0
    verify_error: str | None = None
    client_certificate_wanted: bool = False
    seconds: float = 0.0


class TlsFailed(Answer, frozen=True, tag="tls-failed"):
    """The handshake was not made: where it ended, OpenSSL's reason, the alert, and the first bytes of the peer."""

    phase: str  # connecting or handshaking
    errno: int | None
    reason: str
    alert: int | None = None
    received: bytes = b""
    seconds: float = 0.0
    client_certificate_wanted: bool = False  # the peer had asked for one before it gave up


class TlsHandshake(Ask[TlsShaken | TlsFailed], frozen=True, tag="tls-handshake"):
    """Connect and shake hands as the gateway would; nothing is sent after the handshake."""

    endpoint: str
    settings: TlsSettings
    view: View = HERE
    seconds: float = 3.0


class Protocol(StrEnum):
    """What is spoken to an upstream."""

    HTTP = "http"
    FASTCGI = "fastcgi"
    UWSGI = "uwsgi"


BODY_DEFECTS = ("broken chunk", "more body than", "the body ended with")  # how a defect of the body begins


class Replied(Answer, frozen=True, tag="replied"):
    """The peer answered with a header in the protocol that was spoken.

    `header_bytes` is the size of status line and headers on the wire; `ending` says how the body ended:
    complete, closed (before its announced length), reset, timed-out, or not-read.
    `stderr` is FastCGI's second stream.
    """

    status: int
    reason: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    body_bytes: int
    header_bytes: int
    ending: str
    seconds_to_header: float
    seconds: float
    version: str = ""
    stderr: bytes = b""
    defects: tuple[str, ...] = ()  # what a strict reader objects to, in words


class NotReplied(Answer, frozen=True, tag="not-replied"):
    """No header in that protocol came: the phase, how it ended, and the first bytes of what did come.

    `phase` is connecting, handshaking, sending-request or reading-header.
    `ending` is closed (FIN), reset (RST), timed-out, not-protocol (bytes came that are no such header),
    tls (the handshake failed), or error.
    """

    phase: str
    ending: str
    errno: int | None
    received: bytes
    seconds: float
    detail: str = ""


class Request(Ask[Replied | NotReplied], frozen=True, tag="request"):
    """Send one safe request (GET or HEAD) and read its answer up to `max_bytes` of body.

    `target` is the request target as sent; `headers` are sent in order, the Host header among them.
    The User-Agent is always the wizard's own. `preamble` is the PROXY protocol line where the gateway sends one.
    FastCGI and uwsgi take `params` instead of headers. `turn` tells a request from the same one made again later in
    one attempt.
    """

    endpoint: str
    target: str
    headers: tuple[tuple[str, str], ...] = ()
    method: str = "GET"
    version: str = "1.1"
    tls: TlsSettings | None = None
    protocol: Protocol = Protocol.HTTP
    params: tuple[tuple[str, str], ...] = ()
    preamble: bytes = b""
    view: View = HERE
    connect_seconds: float = 3.0
    seconds: float = 10.0
    max_bytes: int = 65536
    turn: int = 0
