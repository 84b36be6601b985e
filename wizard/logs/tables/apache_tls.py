"""Apache's messages about TLS to an upstream.

Owns the rows, each with the AH numbers under which 2.4 prints it (2.2 prints none). May not know how a line is split.
"""

from __future__ import annotations

from wizard.logs.signatures import Numbered, row
from wizard.model import Phase

_TLS = (
    "tls-https-to-plain-http",
    "tls-cert-expired",
    "tls-cert-name-mismatch",
    "tls-cert-untrusted",
    "tls-version-or-cipher-mismatch",
    "tls-sni-missing",
    "tls-client-cert-required",
)

TLS: Numbered = (
    (
        "",
        row(
            "tls-failed",
            "Error during SSL Handshake with remote server",
            "The TLS handshake with the upstream failed, or its certificate was refused; Apache answers 500.",
            *_TLS,
            phase=Phase.HANDSHAKING,
        ),
    ),
    (
        "AH02039",
        row(
            "certificate-expired",
            "Certificate Verification: Error (",
            "The upstream's certificate is not valid at this time.",
            "tls-cert-expired",
            phase=Phase.HANDSHAKING,
            pattern=r"Error \((?:9|10|13|14)\)",
        ),
    ),
    (
        "AH02039",
        row(
            "certificate-untrusted",
            "Certificate Verification: Error (",
            "The upstream's certificate does not lead to an authority that Apache trusts.",
            "tls-cert-untrusted",
            phase=Phase.HANDSHAKING,
            pattern=r"Error \(\d+\)",
        ),
    ),
    (
        "AH02040",
        row(
            "certificate-untrusted",
            "Certificate Verification: Certificate Chain too long",
            "The chain of the upstream's certificate is longer than SSLProxyVerifyDepth allows.",
            "tls-cert-untrusted",
            phase=Phase.HANDSHAKING,
        ),
    ),
    (
        "AH02411 AH02005",
        row(
            "certificate-name",
            "SSL Proxy: Peer certificate ",
            "The upstream's certificate is for another name.",
            "tls-cert-name-mismatch",
            phase=Phase.HANDSHAKING,
            pattern=r"does not match|CN mismatch",
        ),
    ),
    (
        "AH02004",
        row(
            "certificate-expired",
            "SSL Proxy: Peer certificate is expired",
            "The upstream's certificate has expired.",
            "tls-cert-expired",
            phase=Phase.HANDSHAKING,
        ),
    ),
    (
        "AH02003",
        row(
            "tls-failed",
            "SSL Proxy connect failed",
            "The TLS handshake with the upstream failed.",
            *_TLS,
            phase=Phase.HANDSHAKING,
        ),
    ),
    (
        "AH02268",
        row(
            "tls-client-certificate-wanted",
            "wanted client certificate but none are configured",
            "The upstream wants a client certificate, and Apache has none to send.",
            "tls-client-cert-required",
            phase=Phase.HANDSHAKING,
        ),
    ),
    (
        "AH00961",
        row(
            "module-missing",
            "failed to enable ssl support",
            "Apache is told to use TLS to the upstream, and SSLProxyEngine is off or mod_ssl is not loaded.",
            "gateway-missing-module",
            phase=Phase.HANDSHAKING,
        ),
    ),
    (
        "AH01144",
        row(
            "module-missing",
            "No protocol handler was valid for the URL",
            "No loaded module speaks the protocol of this target; Apache answers 500.",
            "gateway-missing-module",
            pattern=r"URL (?P<target>\S+)",
        ),
    ),
)
