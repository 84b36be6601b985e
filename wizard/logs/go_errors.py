"""The texts of Go's net, crypto/tls and net/http, which Caddy, Traefik and Docker print as they are.

Owns the wording of the standard library since Go 1.4. May not know which program printed it.
"""

from __future__ import annotations

import re

import msgspec

from wizard.logs.connecting import connect_failure
from wizard.logs.errnos import errno_of
from wizard.logs.signatures import find, row, rows
from wizard.logs.upstreams import endpoint
from wizard.model import Phase

_HEADER = Phase.READING_HEADER
_SHAKING = Phase.HANDSHAKING

_LOOKUP = re.compile(r"dial (?:tcp[46]?|udp): lookup ([^\s:]+)(?: on (\S+?))?: (.+)", re.ASCII)
_DIAL = re.compile(r"dial (?:tcp[46]? (\S+:\d+)|unix (\S+)): (?:connect: |connectex: )?([a-z/ ]+)", re.ASCII)
_RESOLVER = re.compile(
    r"server misbehaving|i/o timeout|refused|unreachable|no answer|no route|failure in name|deadline|cannot unmarshal|lame"
)
_MOVED = re.compile(
    r"(?:(?:read|write|readfrom) (?:tcp[46]?|unix) )+(\S+?)->(\S+?): (?:.{0,200}?(read|write): )?([a-z/ ]+)", re.ASCII
)

_CLOSED_EARLY = (
    "upstream-crashed-mid-request",
    "upstream-oom-killed",
    "upstream-worker-killed-by-timeout",
    "keepalive-race",
    "protocol-http1-vs-http2",
    "tls-https-to-plain-http",
    "tls-plain-http-to-https",
    "protocol-mismatch-fastcgi-http",
    "proxy-protocol-mismatch",
)

TEXTS = rows(
    row("client-left", "context canceled", "The client ended the request; the upstream is not at fault."),
    row(
        "response-timeout",
        "timeout awaiting response headers",
        "The upstream took the request and sent no header before the deadline.",
        "upstream-slow-response",
        "upstream-hung",
        "upstream-workers-exhausted",
        "gateway-timeout-too-short",
        phase=_HEADER,
    ),
    row(
        "handshake-timeout",
        "TLS handshake timeout",
        "The upstream took the connection and did not finish the TLS handshake.",
        "tls-https-to-plain-http",
        "upstream-hung",
        "firewall-drops-upstream",
        phase=_SHAKING,
    ),
    row(
        "certificate-expired",
        "x509: certificate has expired",
        "The upstream's certificate is not valid at this time.",
        "tls-cert-expired",
        phase=_SHAKING,
    ),
    row(
        "certificate-name",
        "x509: certificate is ",
        "The upstream's certificate is for another name.",
        "tls-cert-name-mismatch",
        phase=_SHAKING,
        pattern=r"certificate is (?:valid for|not valid for any names)(?:.*, not (?P<target>\S+))?",
    ),
    row(
        "certificate-name",
        "because it doesn't contain any IP SANs",
        "The upstream's certificate does not name the IP address that is asked for.",
        "tls-cert-name-mismatch",
        phase=_SHAKING,
    ),
    row(
        "certificate-name",
        "relies on legacy Common Name field",
        "The upstream's certificate names its host only in the old Common Name field.",
        "tls-cert-name-mismatch",
        phase=_SHAKING,
    ),
    row(
        "certificate-untrusted",
        "x509: ",
        "The upstream's certificate does not lead to an authority that the gateway trusts.",
        "tls-cert-untrusted",
        phase=_SHAKING,
        pattern=r"x509: (?:certificate signed by unknown authority|certificate specifies|issuer |too many intermediates"
        r"|certificate is not (?:authorized|standards)|failed to load system roots|invalid signature)",
    ),
    row(
        "tls-client-certificate-wanted",
        "remote error: tls: ",
        "The upstream wants a client certificate, and the gateway sent none that it accepts.",
        "tls-client-cert-required",
        phase=_SHAKING,
        pattern=r"certificate required|bad certificate|unknown certificate authority|unknown certificate",
    ),
    row(
        "tls-name-unknown",
        "remote error: tls: unrecognized name",
        "The upstream does not know the server name that the gateway sent.",
        "tls-sni-missing",
        phase=_SHAKING,
    ),
    row(
        "tls-version",
        "remote error: tls: ",
        "The gateway and the upstream have no TLS version or cipher in common.",
        "tls-version-or-cipher-mismatch",
        phase=_SHAKING,
        pattern=r"protocol version|insufficient security",
    ),
    row(
        "tls-refused",
        "remote error: tls: ",
        "The upstream refused the TLS handshake.",
        "tls-client-cert-required",
        "tls-sni-missing",
        "tls-version-or-cipher-mismatch",
        phase=_SHAKING,
        pattern=r"tls: (?:handshake failure|internal error|unexpected message|illegal parameter|access denied|de\w+ error"
        r"|no application protocol|missing extension|unsupported|bad record MAC|unknown|error decoding|error decrypting)",
    ),
    row(
        "tls-not-tls",
        "first record does not look like a TLS handshake",
        "The upstream answered the TLS handshake with something that is no TLS.",
        "tls-https-to-plain-http",
        phase=_SHAKING,
    ),
    row(
        "tls-not-tls",
        "server gave HTTP response to HTTPS client",
        "The upstream speaks plain HTTP where the gateway speaks TLS.",
        "tls-https-to-plain-http",
        phase=_SHAKING,
    ),
    row(
        "tls-version",
        "tls: ",
        "The gateway and the upstream have no TLS version or cipher in common.",
        "tls-version-or-cipher-mismatch",
        phase=_SHAKING,
        pattern=r"tls: (?:server selected unsupported|no supported versions|protocol version|handshake failure)",
    ),
    row(
        "length-conflict",
        "cannot contain multiple Content-Length headers",
        "The upstream sent two lengths of one answer.",
        "upstream-conflicting-length",
        phase=_HEADER,
    ),
    row(
        "length-conflict",
        "unsupported transfer encoding",
        "The upstream named a transfer encoding that is not known.",
        "upstream-conflicting-length",
        phase=_HEADER,
    ),
    row(
        "length-conflict",
        "bad Content-Length",
        "The upstream sent a length that is no number.",
        "upstream-conflicting-length",
        phase=_HEADER,
    ),
    row(
        "header-invalid",
        "malformed MIME header",
        "The upstream sent a header line that is not allowed, or broke off in its header.",
        "upstream-invalid-header",
        "upstream-not-http",
        "upstream-crashed-mid-request",
        phase=_HEADER,
    ),
    row(
        "header-invalid",
        "invalid header field",
        "A header line is not allowed.",
        "upstream-invalid-header",
        phase=_HEADER,
    ),
    row(
        "http1-to-http2",
        "malformed HTTP response",
        "The upstream answered in HTTP/2 where the gateway speaks HTTP/1.",
        "protocol-http1-vs-http2",
        "upstream-not-http",
        phase=_HEADER,
        pattern=r'malformed HTTP response \\?"(?:\\+x00\\+x00|PRI )',
    ),
    row(
        "tls-plain",
        "malformed HTTP response",
        "The upstream answered with TLS where the gateway speaks plain HTTP.",
        "tls-plain-http-to-https",
        "upstream-not-http",
        phase=_HEADER,
        pattern=r'malformed HTTP response \\?"\\+x1[56]\\+x03',
    ),
    row(
        "not-http",
        "malformed HTTP ",
        "What the upstream sent is no HTTP.",
        "upstream-not-http",
        "protocol-http1-vs-http2",
        "tls-plain-http-to-https",
        "upstream-invalid-header",
        phase=_HEADER,
        pattern=r'malformed HTTP (?:response \\?"(?:.{9}|[^"]*")|status code|version)',
    ),
    row(
        "header-too-big",
        "server response headers exceeded",
        "The header of the upstream's answer is larger than the gateway takes.",
        "upstream-header-too-big",
        phase=_HEADER,
    ),
    row(
        "http1-to-http2",
        "looked like an HTTP/1.1 header",
        "The upstream answered HTTP/1 where the gateway speaks HTTP/2.",
        "protocol-http1-vs-http2",
        phase=_HEADER,
    ),
    row(
        "http1-to-http2",
        "http2: ",
        "The upstream's HTTP/2 is not understood, or it speaks HTTP/1 there.",
        "protocol-http1-vs-http2",
        phase=_HEADER,
        pattern=r"http2: (?:frame too large|failed reading|unexpected ALPN|server sent)",
    ),
    row(
        "idle-closed",
        "server closed idle connection",
        "The upstream closed a kept connection while a request was being sent on it.",
        "keepalive-race",
        "upstream-crashed-mid-request",
        phase=_HEADER,
    ),
    row(
        "closed-early",
        "EOF",
        "The upstream closed the connection before it had sent a complete header.",
        *_CLOSED_EARLY,
        phase=_HEADER,
        pattern=r"(?:^|[:=\" ])(?:unexpected )?EOF(?:$|[\"\\ ,])",
    ),
)


class GoError(msgspec.Struct, frozen=True):
    """A text of Go understood."""

    symptom: str
    meaning: str
    phase: Phase
    causes: tuple[str, ...]
    errno: int | None = None
    upstream: str | None = None
    target: str | None = None


def go_error(text: str) -> GoError | None:
    """What an error text of Go means, or None where it is not known.

    Args:
        text: such as `dial tcp 127.0.0.1:9001: connect: connection refused`; other words may stand around it.
    """
    if "dial " in text:
        if found := _LOOKUP.search(text):
            return _lookup(found[1], found[3])
        if found := _DIAL.search(text):
            return _dial(found[1] or f"unix:{found[2]}", found[3].strip())
    match = find(TEXTS, text)
    if (match is None or match.row.symptom == "closed-early") and "->" in text and (found := _MOVED.search(text)):
        return _moved(text, endpoint(found[2]), found[3] or "read", found[4].strip())
    if match is None:
        return None
    row_ = match.row
    moved = _MOVED.search(text) if "->" in text else None
    return GoError(
        row_.symptom,
        row_.meaning,
        row_.phase or Phase.NONE,
        row_.causes,
        upstream=endpoint(moved[2]) if moved is not None else None,
        target=match.groups.get("target"),
    )


def _lookup(name: str, wording: str) -> GoError:
    if "no such host" in wording:
        return GoError(
            "name-not-found",
            "The resolver says that this name does not exist.",
            Phase.RESOLVING,
            ("dns-nxdomain", "container-not-running", "container-different-network"),
            target=name,
        )
    if _RESOLVER.search(wording) is None:
        return GoError(
            "name-not-resolved", "The name of the upstream does not resolve.", Phase.RESOLVING, (), target=name
        )
    return GoError(
        "resolver-failed",
        "The resolver did not answer, or answered with a failure.",
        Phase.RESOLVING,
        ("dns-resolver-down",),
        errno=errno_of(None, wording.rpartition(": ")[2]),
        target=name,
    )


def _dial(address: str, wording: str) -> GoError:
    upstream = endpoint(address)
    errno = errno_of(None, wording)
    expired = wording.startswith(("i/o timeout", "operation was canceled", "context deadline exceeded"))
    known = connect_failure(110 if expired else errno, upstream)
    return GoError(known.symptom, known.meaning, Phase.CONNECTING, known.causes, errno, upstream)


def _moved(text: str, upstream: str | None, direction: str, wording: str) -> GoError | None:
    errno = errno_of(None, wording)
    if direction == "write" and errno in {104, 32}:
        return GoError(
            "request-rejected",
            "The upstream closed the connection while the request was being sent.",
            Phase.SENDING_REQUEST,
            ("request-body-rejected-early", "upstream-crashed-mid-request", "keepalive-race"),
            errno,
            upstream,
        )
    if errno in {104, 32, 103}:
        reset = (
            *_CLOSED_EARLY,
            "upstream-allowlist-drops",
            "docker-userland-proxy-dead-backend",
            "container-bound-to-loopback",
        )
        meaning = "The upstream reset the connection before it had sent a complete header."
        return GoError("reset-early", meaning, _HEADER, reset, errno, upstream)
    if "i/o timeout" in text:
        causes = ("upstream-slow-response", "upstream-hung", "gateway-timeout-too-short")
        meaning = "The upstream took the request and sent nothing before the deadline."
        return GoError("response-timeout", meaning, _HEADER, causes, errno, upstream)
    return None
