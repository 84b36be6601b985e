"""Apache's messages about the exchange with an HTTP upstream (mod_proxy_http).

Owns the rows, each with the AH numbers under which 2.4 prints it (2.2 prints none). May not know how a line is split.
`errnos` also hold APR's own numbers: 70007 a deadline, 70014 end of file, 20014 an error of another library (TLS).
"""

from __future__ import annotations

from wizard.logs.signatures import Numbered, row
from wizard.model import Phase

_TIMED_OUT = (70007, 110)
_RESET = (104, 103, 32)
_CLOSED = (70014, 20014)
_DIED = (
    "upstream-crashed-mid-request",
    "upstream-oom-killed",
    "upstream-worker-killed-by-timeout",
)
_CLOSED_EARLY = (*_DIED, "keepalive-race", "tls-plain-http-to-https", "proxy-protocol-mismatch")
_SLOW = ("upstream-slow-response", "upstream-hung", "upstream-workers-exhausted", "gateway-timeout-too-short")
_TLS = (
    "tls-https-to-plain-http",
    "tls-cert-expired",
    "tls-cert-name-mismatch",
    "tls-cert-untrusted",
    "tls-version-or-cipher-mismatch",
    "tls-sni-missing",
    "tls-client-cert-required",
)
_HEADER = Phase.READING_HEADER

HTTP: Numbered = (
    (
        "AH01102",
        row(
            "response-timeout",
            "error reading status line from remote server",
            "The upstream took the request and sent no header before the deadline; Apache answers 502.",
            *_SLOW,
            phase=_HEADER,
            errnos=_TIMED_OUT,
        ),
    ),
    (
        "AH01102",
        row(
            "reset-early",
            "error reading status line from remote server",
            "The upstream reset the connection before it had sent a header.",
            *_CLOSED_EARLY,
            "upstream-allowlist-drops",
            "docker-userland-proxy-dead-backend",
            "container-bound-to-loopback",
            "protocol-mismatch-fastcgi-http",
            phase=_HEADER,
            errnos=_RESET,
        ),
    ),
    (
        "AH01102",
        row(
            "closed-early",
            "error reading status line from remote server",
            "The upstream closed the connection before it had sent a header.",
            *_CLOSED_EARLY,
            "tls-client-cert-required",
            "protocol-http1-vs-http2",
            "protocol-mismatch-uwsgi-http",
            phase=_HEADER,
            errnos=_CLOSED,
        ),
    ),
    (
        "AH01102",
        row(
            "not-http",
            "error reading status line from remote server",
            "What the upstream sent is no HTTP.",
            "upstream-not-http",
            "protocol-http1-vs-http2",
            phase=_HEADER,
            errnos=(22,),
        ),
    ),
    (
        "AH01102",
        row(
            "closed-early",
            "error reading status line from remote server",
            "The upstream sent no header; the line does not say how the connection ended.",
            *_CLOSED_EARLY,
            phase=_HEADER,
        ),
    ),
    (
        "",
        row(
            "no-response",
            "Error reading from remote server",
            "The upstream sent no usable answer; the reason stands in the line before.",
            *_CLOSED_EARLY,
            "upstream-slow-response",
            "upstream-hung",
            phase=_HEADER,
        ),
    ),
    (
        "",
        row(
            "not-http",
            "Corrupt status line returned by remote server",
            "The first line of the upstream's answer is no valid status line.",
            "upstream-not-http",
            "upstream-header-too-big",
            phase=_HEADER,
        ),
    ),
    (
        "AH10124",
        row(
            "header-too-big",
            "header size is over the limit allowed by",
            "One header line of the upstream's answer is longer than ResponseFieldSize; the errno text before it does "
            "not mean a full disk.",
            "upstream-header-too-big",
            phase=_HEADER,
        ),
    ),
    (
        "AH01106",
        row(
            "header-invalid",
            "header returned by",
            "The header of the upstream's answer cannot be used; the reason stands in the line before.",
            "upstream-header-too-big",
            "upstream-invalid-header",
            "upstream-crashed-mid-request",
            phase=_HEADER,
            pattern=r"bad HTTP/[\d.]+ header returned by",
        ),
    ),
    (
        "AH10404",
        row(
            "header-invalid",
            "Error reading headers from backend",
            "The upstream sent a header that is not allowed.",
            "upstream-invalid-header",
            phase=_HEADER,
            errnos=(22,),
        ),
    ),
    (
        "AH10404",
        row(
            "closed-early",
            "Error reading headers from backend",
            "The upstream closed the connection in the middle of its header.",
            *_DIED,
            phase=_HEADER,
        ),
    ),
    (
        "AH02429 AH02428 AH02430",
        row(
            "header-invalid",
            "Response header ",
            "The upstream sent a header that is not allowed; Apache answers 500.",
            "upstream-invalid-header",
            phase=_HEADER,
            pattern=r"Response header (?:name|value|'|.{0,200}?(?:invalid|contains))",
        ),
    ),
    (
        "",
        row(
            "unexpected-upgrade",
            "Unexpected Upgrade: ",
            "The upstream switched protocols without being asked.",
            "websocket-upgrade-mismatch",
            phase=_HEADER,
        ),
    ),
    (
        "AH01084",
        row(
            "request-rejected",
            "pass request body failed to",
            "The upstream closed the connection while the request was being sent.",
            "request-body-rejected-early",
            "upstream-crashed-mid-request",
            "keepalive-race",
            phase=Phase.SENDING_REQUEST,
            errnos=_RESET,
        ),
    ),
    (
        "AH01084",
        row(
            "tls-failed",
            "pass request body failed to",
            "The request could not be sent because the TLS handshake with the upstream failed.",
            *_TLS,
            phase=Phase.HANDSHAKING,
            errnos=(20014,),
        ),
    ),
    (
        "AH01084",
        row(
            "send-timeout",
            "pass request body failed to",
            "The upstream stopped reading the request.",
            "upstream-hung",
            "request-body-rejected-early",
            phase=Phase.SENDING_REQUEST,
            errnos=_TIMED_OUT,
        ),
    ),
    (
        "AH01084 AH01097",
        row(
            "request-rejected",
            "pass request body failed to",
            "The request could not be sent to the upstream; the reason stands in the line before.",
            "request-body-rejected-early",
            *_TLS,
            phase=Phase.SENDING_REQUEST,
        ),
    ),
    (
        "AH01085 AH01086 AH01095 AH01096 AH02608",
        row(
            "request-invalid",
            "request body",
            "The client's request is bad or was cut; the upstream is not at fault.",
            pattern=r"prefetch request body failed|read request body failed|chunked body|client failed to",
        ),
    ),
    (
        "AH01085 AH01086",
        row(
            "request-invalid",
            "could not parse request Content-Length",
            "The client's request is bad; the upstream is not at fault.",
        ),
    ),
    (
        "AH01089 AH01090 AH01091",
        row(
            "temp-disk-full",
            "temporary file",
            "Apache cannot write a request to a temporary file.",
            "gateway-temp-disk-full",
            "gateway-temp-dir-permission",
            pattern=r"temporary file|creation of temporary",
        ),
    ),
    (
        "AH01089",
        row(
            "temp-disk-full",
            "search for temporary directory failed",
            "Apache finds no folder for temporary files.",
            "gateway-temp-dir-permission",
            "gateway-temp-disk-full",
        ),
    ),
    (
        "AH01110",
        row(
            "body-cut",
            "error reading response",
            "The upstream's answer broke off in the middle.",
            "response-truncated",
            "upstream-crashed-mid-request",
            phase=Phase.READING_BODY,
            pattern=r"error reading response(?! headers)",
        ),
    ),
)
