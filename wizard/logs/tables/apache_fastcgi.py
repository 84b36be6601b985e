"""Apache's messages about FastCGI and uwsgi applications (mod_proxy_fcgi, mod_proxy_uwsgi).

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
_SLOW = ("upstream-slow-response", "upstream-hung", "upstream-workers-exhausted", "gateway-timeout-too-short")
_HEADER = Phase.READING_HEADER

FASTCGI: Numbered = (
    (
        "AH01075",
        row(
            "response-timeout",
            "Error dispatching request to",
            "The FastCGI application took the request and sent no header before the deadline.",
            *_SLOW,
            "protocol-mismatch-fastcgi-http",
            phase=_HEADER,
            errnos=_TIMED_OUT,
        ),
    ),
    (
        "AH01075",
        row(
            "closed-early",
            "Error dispatching request to",
            "The FastCGI application closed the connection before it had answered.",
            *_DIED,
            phase=_HEADER,
            errnos=(*_RESET, *_CLOSED),
        ),
    ),
    (
        "AH01075",
        row(
            "not-fastcgi",
            "Error dispatching request to",
            "What the upstream sent is no FastCGI.",
            "protocol-mismatch-fastcgi-http",
            phase=_HEADER,
            errnos=(22,),
        ),
    ),
    (
        "AH01075",
        row(
            "dispatch-failed",
            "Error dispatching request to",
            "The request could not be handed to the FastCGI application; the reason stands in the line before.",
            phase=_HEADER,
        ),
    ),
    (
        "AH01067",
        row(
            "closed-early",
            "Failed to read FastCGI header",
            "The FastCGI application closed the connection before it had answered.",
            *_DIED,
            phase=_HEADER,
        ),
    ),
    (
        "AH01071",
        row(
            "script-not-found",
            "Got error 'Primary script unknown",
            "PHP cannot open the script that SCRIPT_FILENAME names; it answers 404.",
            "php-script-not-found",
        ),
    ),
    (
        "AH01071",
        row(
            "script-denied",
            "Got error 'Access to the script",
            "PHP refuses this file name (security.limit_extensions); it answers 403.",
            "php-script-not-found",
        ),
    ),
    (
        "AH01071",
        row(
            "application-stderr",
            "Got error '",
            "The application wrote to its error stream; this alone fails no request.",
        ),
    ),
    (
        "AH01068 AH01069",
        row(
            "not-fastcgi",
            "Got bogus ",
            "What the upstream sent is no FastCGI.",
            "protocol-mismatch-fastcgi-http",
            phase=_HEADER,
        ),
    ),
    (
        "AH01070",
        row(
            "header-invalid",
            "Error parsing script headers",
            "The header of the FastCGI application's answer is not valid.",
            "upstream-invalid-header",
            "protocol-mismatch-fastcgi-http",
            phase=_HEADER,
        ),
    ),
    (
        "AH10294",
        row(
            "empty-reply",
            "Unexpected empty data reading uw",
            "The uWSGI application sent no answer at all.",
            "upstream-app-exception-empty-reply",
            "upstream-crashed-mid-request",
            phase=_HEADER,
        ),
    ),
    (
        "AH01073 AH01074",
        row(
            "request-rejected",
            "ailed ",
            "The FastCGI application closed the connection while the request was being sent.",
            "upstream-crashed-mid-request",
            "request-body-rejected-early",
            phase=Phase.SENDING_REQUEST,
            pattern=r"Failed (?:W|w)riting (?:Request|Environment) to ",
        ),
    ),
    (
        "AH10098",
        row(
            "request-rejected",
            "sending data to ",
            "The uWSGI application closed the connection while the request was being sent.",
            "uwsgi-buffer-size",
            "upstream-crashed-mid-request",
            phase=Phase.SENDING_REQUEST,
        ),
    ),
    (
        "AH10259",
        row(
            "request-too-large",
            "packet size too large",
            "The request's variables are larger than the uwsgi protocol can carry.",
            "uwsgi-buffer-size",
            phase=Phase.SENDING_REQUEST,
        ),
    ),
)
