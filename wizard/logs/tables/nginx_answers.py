"""nginx's messages about what an upstream sent: headers, lengths, protocols.

Owns the rows. May not know how a line is split.
"""

from __future__ import annotations

from wizard.logs.signatures import row, rows
from wizard.model import Phase

ANSWERS = rows(
    row(
        "header-too-big",
        "upstream sent too big header",
        "The header of the upstream's answer is larger than one buffer.",
        "upstream-header-too-big",
        phase=Phase.READING_HEADER,
    ),
    row(
        "header-invalid",
        "upstream sent invalid header",
        "The upstream sent a header line that is not allowed.",
        "upstream-invalid-header",
        phase=Phase.READING_HEADER,
        pattern=r'header: "?(?P<target>[^"]*)|header',
    ),
    row(
        "header-invalid",
        "upstream sent ",
        "The upstream sent a status that is not allowed.",
        "upstream-invalid-header",
        "upstream-not-http",
        phase=Phase.READING_HEADER,
        pattern=r"upstream sent (?:invalid|no|unexpected|duplicate) :?\"?[Ss]tatus\b",
    ),
    row(
        "not-http",
        "upstream sent no valid HTTP/1.",
        "What the upstream sent is no HTTP; nginx passes the bytes on as they are.",
        "upstream-not-http",
        "protocol-http1-vs-http2",
        "tls-plain-http-to-https",
        phase=Phase.READING_HEADER,
    ),
    row(
        "length-conflict",
        "upstream sent duplicate header line",
        "The upstream sent a second length (or encoding) of its answer; nginx refuses it since 1.23.0.",
        "upstream-conflicting-length",
        phase=Phase.READING_HEADER,
        pattern=r'line: "(?i:content-length|transfer-encoding)',
    ),
    row(
        "length-conflict",
        'upstream sent "Content-Length" and "Transfer-Encoding"',
        "The upstream framed its answer in two ways at once; nginx refuses it since 1.23.0.",
        "upstream-conflicting-length",
        phase=Phase.READING_HEADER,
    ),
    row(
        "length-conflict",
        'upstream sent "Transfer-Encoding" and "Content-Length"',
        "The upstream framed its answer in two ways at once; nginx refuses it since 1.23.0.",
        "upstream-conflicting-length",
        phase=Phase.READING_HEADER,
    ),
    row(
        "length-conflict",
        'upstream sent unknown "Transfer-Encoding"',
        "The upstream named a transfer encoding that nginx does not know; it refuses it since 1.23.0.",
        "upstream-conflicting-length",
        phase=Phase.READING_HEADER,
    ),
    row(
        "length-conflict",
        'upstream sent invalid "Content-Length"',
        "The upstream sent a length that is no number.",
        "upstream-conflicting-length",
        phase=Phase.READING_HEADER,
    ),
    row(
        "more-than-announced",
        "upstream sent more data than specified in",
        "The upstream sent more than it had announced; the request itself succeeds.",
        "upstream-conflicting-length",
    ),
    row(
        "more-than-announced",
        "upstream sent response body larger",
        "The upstream sent more than it had announced; the answer is cut there.",
        "upstream-conflicting-length",
        "response-truncated",
    ),
    row(
        "stream-rejected",
        "upstream rejected request with error ",
        "The upstream reset the HTTP/2 stream instead of answering.",
        "upstream-crashed-mid-request",
        "protocol-http1-vs-http2",
        phase=Phase.READING_HEADER,
    ),
    row(
        "stream-rejected",
        "upstream sent goaway with error ",
        "The upstream closed the HTTP/2 connection with an error instead of answering.",
        "protocol-http1-vs-http2",
        "upstream-crashed-mid-request",
    ),
    row(
        "chunk-invalid",
        "upstream sent invalid chunked response",
        "The upstream's chunked encoding is broken; the answer is cut there.",
        "response-truncated",
        "upstream-conflicting-length",
    ),
    row(
        "http1-to-http2",
        "upstream sent too large http2 frame: 4740180",
        "The upstream answered HTTP/1 where nginx speaks HTTP/2 or gRPC.",
        "protocol-http1-vs-http2",
        phase=Phase.READING_HEADER,
    ),
    row(
        "http2-invalid",
        "http2",
        "The upstream's HTTP/2 is not understood.",
        "protocol-http1-vs-http2",
        pattern=r"upstream sent .{0,80}(?:http2|frame)",
    ),
    row(
        "not-fastcgi",
        "FastCGI",
        "What the upstream sent is no FastCGI.",
        "protocol-mismatch-fastcgi-http",
        phase=Phase.READING_HEADER,
        pattern=r"upstream sent (?:unexpected|unsupported|invalid) FastCGI",
    ),
    row(
        "script-not-found",
        'FastCGI sent in stderr: "Primary script unknown',
        "PHP cannot open the script that SCRIPT_FILENAME names; it answers 404.",
        "php-script-not-found",
    ),
    row(
        "script-not-found",
        'FastCGI sent in stderr: "Unable to open primary script',
        "PHP cannot open the script that SCRIPT_FILENAME names.",
        "php-script-not-found",
    ),
    row(
        "script-denied",
        'FastCGI sent in stderr: "Access to the script',
        "PHP refuses this file name (security.limit_extensions); it answers 403.",
        "php-script-not-found",
    ),
    row(
        "application-stderr",
        "FastCGI sent in stderr:",
        "The application wrote to its error stream; this alone fails no request.",
    ),
    row(
        "unexpected-reply",
        "upstream sent unexpected",
        "The upstream answered in a way that its protocol does not allow.",
        "upstream-not-http",
        "protocol-http1-vs-http2",
        pattern=r"unexpected (?!F|h|:|$)",
    ),
)
