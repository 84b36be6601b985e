"""nginx's messages about TLS to an upstream, and about its own certificates.

Owns the rows. May not know how a line is split.
"""

from __future__ import annotations

from wizard.logs.signatures import row, rows
from wizard.model import Phase

_SHAKING = (Phase.HANDSHAKING,)
_CLOSED = (
    "tls-https-to-plain-http",
    "tls-sni-missing",
    "tls-version-or-cipher-mismatch",
    "firewall-rejects-upstream",
    "upstream-crashed-mid-request",
)
_UPSTREAM = (Phase.SENDING_REQUEST, Phase.READING_HEADER, Phase.READING_BODY)

TLS = rows(
    row(
        "tls-not-tls",
        "SSL_do_handshake() failed",
        "The upstream answered the TLS handshake with something that is no TLS: it speaks plain HTTP there.",
        "tls-https-to-plain-http",
        during=_SHAKING,
        pattern=r"(?i)wrong[ _]version[ _]number|http[ _]request|packet[ _]length[ _]too[ _]long|record layer failure"
        r"|SSL23_GET_SERVER_HELLO:unknown protocol",
    ),
    row(
        "tls-name-unknown",
        "SSL_do_handshake() failed",
        "The upstream does not know the server name that nginx sent (or nginx sent none).",
        "tls-sni-missing",
        during=_SHAKING,
        pattern=r"(?i)unrecognized[ _]name|alert number 112\b",
    ),
    row(
        "tls-version",
        "SSL_do_handshake() failed",
        "nginx and the upstream have no TLS version, cipher or signature in common.",
        "tls-version-or-cipher-mismatch",
        during=_SHAKING,
        pattern=r"(?i)protocol[ _]version|alert number 70\b|unsupported[ _]protocol|no protocols available|legacy sigalg"
        r"|no shared cipher|dh[ _]key[ _]too[ _]small|ee[ _]key[ _]too[ _]small|unsafe legacy renegotiation"
        r"|wrong ssl version|insufficient security|alert number 71\b|wrong signature type|no ciphers available"
        r"|unknown protocol|wrong curve|unknown cipher|bad signature type",
    ),
    row(
        "tls-refused",
        "SSL_do_handshake() failed",
        "The upstream refused the TLS handshake: no server name was sent, it wants a client certificate, or nothing "
        "fits both sides.",
        "tls-sni-missing",
        "tls-client-cert-required",
        "tls-version-or-cipher-mismatch",
        during=_SHAKING,
        pattern=r"(?i)alert[ _]handshake[ _]failure|alert number 40\b|alert[ _]internal[ _]error|alert number 80\b",
    ),
    row(
        "tls-client-certificate-wanted",
        "SSL_",
        "The upstream wants a client certificate, and nginx sent none that it accepts.",
        "tls-client-cert-required",
        during=(*_SHAKING, *_UPSTREAM),
        pattern=r"certificate required|alert number 116\b|alert bad certificate|alert number 42\b"
        r"|alert certificate unknown|alert number 46\b|alert unknown ca|alert number 48\b",
    ),
    row(
        "tls-closed",
        "SSL_do_handshake() failed",
        "The upstream closed the connection during the TLS handshake.",
        *_CLOSED,
        during=_SHAKING,
        pattern=r"unexpected eof while reading|\(104: |\(32: ",
    ),
    row(
        "certificate-untrusted",
        "certificate verify failed",
        "The upstream's certificate is not one that nginx trusts.",
        "tls-cert-untrusted",
        "tls-cert-expired",
        during=_SHAKING,
    ),
    row(
        "tls-failed",
        "SSL_do_handshake() failed",
        "The TLS handshake with the upstream failed.",
        "tls-version-or-cipher-mismatch",
        "tls-sni-missing",
        "tls-client-cert-required",
        during=_SHAKING,
    ),
    row(
        "tls-closed",
        "peer closed connection in SSL handshake",
        "The upstream closed the connection during the TLS handshake.",
        *_CLOSED,
        during=_SHAKING,
    ),
    row(
        "certificate-expired",
        "upstream SSL certificate verify error",
        "The upstream's certificate is not valid at this time.",
        "tls-cert-expired",
        phase=Phase.HANDSHAKING,
        pattern=r"\((?:9|10|13|14):",
    ),
    row(
        "certificate-untrusted",
        "upstream SSL certificate verify error",
        "The upstream's certificate does not lead to an authority that nginx trusts.",
        "tls-cert-untrusted",
        phase=Phase.HANDSHAKING,
        pattern=r"\(\d+:",
    ),
    row(
        "certificate-name",
        "upstream SSL certificate does not match",
        "The upstream's certificate is for another name than the one that nginx expects.",
        "tls-cert-name-mismatch",
        phase=Phase.HANDSHAKING,
        pattern=r'match "(?P<target>[^"]*)',
    ),
    row(
        "certificate-missing",
        "upstream SSL certificate",
        "The upstream presented no certificate that nginx accepts.",
        "tls-cert-untrusted",
        phase=Phase.HANDSHAKING,
        pattern=r"no (?:upstream )?SSL certificate|upstream sent no",
    ),
    row(
        "tls-key-unreadable",
        "cannot load certificate",
        "A certificate or key of the configuration cannot be read.",
        "tls-keys-unreadable",
        "gateway-failed-start",
        "gateway-reload-failed",
        pattern=r'certificate(?: key)? "(?P<target>[^"]*)"',
    ),
    row(
        "tls-key-unreadable",
        ") failed (SSL:",
        "A certificate or key of the configuration cannot be used.",
        "tls-keys-unreadable",
        "gateway-failed-start",
        "gateway-reload-failed",
        pattern=r'^(?:BIO_new_file|PEM_read_\w+|SSL_CTX_use_\w+|SSL_CTX_load_verify_locations)\("(?P<target>/[^"]*)"',
    ),
)
