"""Apache's messages about applications behind AJP, SCGI, mod_fcgid, mod_fastcgi and mod_wsgi.

Owns the rows, each with the AH numbers under which 2.4 prints it (2.2 prints none). May not know how a line is split.
`errnos` also hold APR's own numbers: 70007 a deadline, 70014 end of file, 20014 an error of another library (TLS).
"""

from __future__ import annotations

from wizard.logs.signatures import Numbered, row
from wizard.model import Phase

_TIMED_OUT = (70007, 110)
_DIED = (
    "upstream-crashed-mid-request",
    "upstream-oom-killed",
    "upstream-worker-killed-by-timeout",
)
_SLOW = ("upstream-slow-response", "upstream-hung", "upstream-workers-exhausted", "gateway-timeout-too-short")
_HEADER = Phase.READING_HEADER
_AJP_RECEIVING = r"ajp_ilink_receive\(\) (?:can't receive header|error while receiving)|ajp_ilink_receive failed"

MODULES: Numbered = (
    (
        "AH01030 AH00992 AH01032 AH00878 AH01012",
        row(
            "response-timeout",
            "rece",
            "The AJP application took the request and sent nothing before the deadline.",
            *_SLOW,
            phase=_HEADER,
            errnos=_TIMED_OUT,
            pattern=_AJP_RECEIVING,
        ),
    ),
    (
        "AH00878",
        row(
            "response-timeout",
            "read response failed from ",
            "The AJP application took the request and sent nothing before the deadline.",
            *_SLOW,
            phase=_HEADER,
            errnos=_TIMED_OUT,
        ),
    ),
    (
        "AH01030 AH00992 AH01032 AH01012",
        row(
            "closed-early",
            "rece",
            "The AJP application closed the connection before it had answered.",
            *_DIED,
            "keepalive-race",
            phase=_HEADER,
            pattern=_AJP_RECEIVING,
        ),
    ),
    (
        "AH00878 AH00893",
        row(
            "closed-early",
            " from ",
            "The AJP application closed the connection before it had answered.",
            *_DIED,
            "keepalive-race",
            phase=_HEADER,
            pattern=r"read response failed from ",
        ),
    ),
    (
        "AH00893",
        row(
            "closed-early",
            "dialog to ",
            "The exchange with the AJP application broke off.",
            *_DIED,
            "keepalive-race",
            phase=_HEADER,
            pattern=r"dialog to .{1,200}failed",
        ),
    ),
    (
        "AH01029 AH00868 AH00876",
        row(
            "request-rejected",
            " failed",
            "The AJP application closed the connection while the request was being sent.",
            "upstream-crashed-mid-request",
            "keepalive-race",
            phase=Phase.SENDING_REQUEST,
            pattern=r"ajp_ilink_send\(\): send failed|(?:request|send) failed to ",
        ),
    ),
    (
        "AH01031 AH01080",
        row(
            "not-ajp",
            "ajp_",
            "What the upstream sent is no AJP.",
            "upstream-not-http",
            "upstream-wrong-port",
            phase=_HEADER,
            pattern=r"received bad header|got bad signature",
        ),
    ),
    (
        "AH00860",
        row(
            "closed-early",
            "error reading response headers from ",
            "The SCGI application closed the connection before it had answered.",
            *_DIED,
            phase=_HEADER,
        ),
    ),
    (
        "",
        row(
            "response-timeout",
            "read data timeout in ",
            "The FastCGI application took the request and sent nothing before the deadline (FcgidIOTimeout).",
            *_SLOW,
            phase=_HEADER,
            pattern=r"mod_fcgid: read data timeout in \d+ seconds",
        ),
    ),
    (
        "",
        row(
            "response-timeout",
            "aborted: idle timeout",
            "The FastCGI application took the request and sent nothing before the deadline (-idle-timeout).",
            *_SLOW,
            phase=_HEADER,
            pattern=r"FastCGI: comm with .{0,20}server ",
        ),
    ),
    (
        "",
        row(
            "response-timeout",
            "Timeout when reading response headers from daemon process",
            "The processes of mod_wsgi took the request and sent no header before the deadline.",
            *_SLOW,
            phase=_HEADER,
        ),
    ),
    (
        "",
        row(
            "closed-early",
            "eaders ",
            "The application's process sent no complete header: it died, or its header is too long.",
            *_DIED,
            "upstream-header-too-big",
            phase=_HEADER,
            pattern=r"Truncated or oversized response headers received from daemon process",
        ),
    ),
    (
        "",
        row(
            "closed-early",
            "mod_fcgid: error reading data from FastCGI server",
            "The application ended before it had sent a complete header.",
            *_DIED,
            phase=_HEADER,
        ),
    ),
    (
        "",
        row(
            "closed-early",
            "FastCGI: incomplete headers (",
            "The application ended before it had sent a complete header.",
            *_DIED,
            phase=_HEADER,
        ),
    ),
    (
        "",
        row(
            "closed-early",
            " headers: ",
            "The application ended before it had sent a complete header.",
            *_DIED,
            phase=_HEADER,
            pattern=r"^(?:Premature end of script|End of script output before) headers: ",
        ),
    ),
)
