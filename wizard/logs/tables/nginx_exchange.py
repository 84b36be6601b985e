"""nginx's messages about the exchange with an upstream: deadlines and lost connections.

Owns the rows. May not know how a line is split.
"""

from __future__ import annotations

from wizard.logs.signatures import row, rows
from wizard.model import Phase

_HEADER = (Phase.READING_HEADER,)
_BODY = (Phase.READING_BODY,)
_SENDING = (Phase.SENDING_REQUEST,)
_SHAKING = (Phase.HANDSHAKING,)
_ANSWERING = (Phase.READING_HEADER, Phase.SENDING_REQUEST)

_CLOSED = (
    "upstream-crashed-mid-request",
    "upstream-oom-killed",
    "upstream-worker-killed-by-timeout",
    "upstream-app-exception-empty-reply",
    "keepalive-race",
    "tls-plain-http-to-https",
    "proxy-protocol-mismatch",
    "upstream-deploy-window",
    "upstream-worker-recycling",
    "protocol-mismatch-uwsgi-http",
)
_CUT_BODY = ("response-truncated", "upstream-crashed-mid-request", "upstream-oom-killed")

DEADLINES = rows(
    row(
        "connect-timeout",
        "upstream timed out",
        "Nothing answered the attempt to connect in time.",
        during=(Phase.CONNECTING,),
    ),
    row(
        "handshake-timeout",
        "upstream timed out",
        "The upstream took the connection and did not finish the TLS handshake.",
        "tls-https-to-plain-http",
        "firewall-drops-upstream",
        "upstream-hung",
        "mtu-blackhole",
        during=_SHAKING,
    ),
    row(
        "response-timeout",
        "upstream timed out",
        "The upstream took the request and sent no header before the deadline.",
        "upstream-slow-response",
        "upstream-hung",
        "upstream-workers-exhausted",
        "upstream-dependency-down",
        "gateway-timeout-too-short",
        "protocol-mismatch-fastcgi-http",
        "protocol-mismatch-uwsgi-http",
        "cpu-or-io-saturation",
        "memory-pressure",
        "mtu-blackhole",
        "docker-userland-proxy-dead-backend",
        during=_HEADER,
    ),
    row(
        "send-timeout",
        "upstream timed out",
        "The upstream stopped reading the request.",
        "upstream-hung",
        "request-body-rejected-early",
        "mtu-blackhole",
        during=_SENDING,
    ),
    row(
        "body-timeout",
        "upstream timed out",
        "The upstream stopped sending in the middle of its answer.",
        "response-truncated",
        "upstream-slow-response",
        "upstream-hung",
        "upstream-not-http",
        "mtu-blackhole",
        during=_BODY,
    ),
    row("timed-out", "upstream timed out", "A deadline passed; the line does not say which one."),
)
LOST = rows(
    row(
        "closed-early",
        "prematurely",
        "The application ended its answer before it had sent a complete header.",
        "upstream-crashed-mid-request",
        "upstream-oom-killed",
        "upstream-worker-killed-by-timeout",
        "upstream-app-exception-empty-reply",
        during=_ANSWERING,
        pattern=r"upstream (?:prematurely closed|closed prematurely) (?:FastCGI|stream)",
    ),
    row(
        "body-cut",
        "prematurely",
        "The upstream ended its answer in the middle.",
        *_CUT_BODY,
        phase=Phase.READING_BODY,
        during=_BODY,
        pattern=r"upstream (?:prematurely closed|closed prematurely) (?:FastCGI|stream)",
    ),
    row(
        "closed-early",
        "upstream prematurely closed connection",
        "The upstream took the request and closed the connection before it had sent a complete header.",
        *_CLOSED,
        during=_ANSWERING,
    ),
    row(
        "body-cut",
        "upstream prematurely closed connection",
        "The upstream closed the connection in the middle of its answer.",
        *_CUT_BODY,
        during=_BODY,
    ),
    row(
        "body-cut",
        "upstream prematurely closed connection",
        "The upstream closed the connection while its answer was being passed on.",
        *_CUT_BODY,
        phase=Phase.READING_BODY,
        during=(Phase.NONE,),
    ),
    row(
        "closed-early",
        "upstream prematurely closed connection",
        "The upstream closed the connection; the line does not say in which phase.",
    ),
    row(
        "closed-early",
        "SSL_read() failed",
        "The upstream broke the TLS connection off before it had sent a complete header.",
        *_CLOSED,
        during=_HEADER,
        pattern=r"unexpected eof while reading",
    ),
    row(
        "body-cut",
        "SSL_read() failed",
        "The upstream broke the TLS connection off in the middle of its answer.",
        *_CUT_BODY,
        during=_BODY,
        pattern=r"unexpected eof while reading|decryption failed or bad record mac",
    ),
    row(
        "reset-early",
        "SSL_read() failed (",
        "The upstream reset the connection before it had sent a complete header.",
        *_CLOSED,
        "upstream-allowlist-drops",
        during=_HEADER,
        errnos=(104, 32, 103),
    ),
    row(
        "connect-refused",
        "recv() failed (",
        "Nothing listens at the upstream's UDP port: the datagram came back as refused.",
        "upstream-not-listening",
        "upstream-service-stopped",
        "upstream-wrong-port",
        "firewall-rejects-upstream",
        during=_BODY,
        errnos=(111,),
    ),
    row(
        "reset-early",
        "recv() failed (",
        "The upstream reset the connection before it had sent a complete header.",
        *_CLOSED,
        "docker-userland-proxy-dead-backend",
        "container-bound-to-loopback",
        "upstream-allowlist-drops",
        "protocol-mismatch-fastcgi-http",
        "uwsgi-buffer-size",
        during=_HEADER,
        errnos=(104, 32, 103),
    ),
    row(
        "request-rejected",
        "() failed (",
        "The upstream closed the connection while the request was being sent.",
        "request-body-rejected-early",
        "upstream-crashed-mid-request",
        "keepalive-race",
        during=_SENDING,
        errnos=(104, 32, 103),
    ),
    row(
        "body-reset",
        "() failed (",
        "The upstream reset the connection in the middle of its answer.",
        *_CUT_BODY,
        during=_BODY,
        errnos=(104, 32, 103),
    ),
)
