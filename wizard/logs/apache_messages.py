"""The table of Apache's messages about proxying, its start and its limits.

Owns the rows (modules/proxy, modules/ssl, server/mpm of 2.2 and 2.4). May not know how a line is split. A message comes
without its errno and AH number; `errnos` here also hold APR's own numbers: 70007 a deadline, 70014 end of file,
20014 an error of another library (TLS).
"""

from __future__ import annotations

from wizard.logs.signatures import Signature, row
from wizard.model import Phase

_TIMED_OUT = (70007, 110)
_RESET = (104, 103, 32)
_CLOSED = (70014, 20014)
_ANY_CONNECT = (
    "upstream-not-listening",
    "upstream-service-stopped",
    "upstream-wrong-port",
    "firewall-rejects-upstream",
    "firewall-drops-upstream",
    "unix-socket-missing",
    "unix-socket-permission",
    "host-down",
    "route-missing",
)
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
_START = ("gateway-failed-start", "gateway-reload-failed")

_CONNECTING = Phase.CONNECTING
_HEADER = Phase.READING_HEADER

# Each row with the AH numbers under which 2.4 prints it (2.2 prints none).
_ROWS: tuple[tuple[str, Signature], ...] = (
    (
        "AH00957 AH02454",
        row(
            "connect-failed",
            "attempt to connect to ",
            "Apache could not connect to the upstream.",
            phase=_CONNECTING,
        ),
    ),
    (
        "AH01114 AH01079 AH10101 AH00896 AH02452",
        row(
            "connect-failed",
            "failed to make connection to backend",
            "Apache has no connection to the upstream; the reason stands in the line before.",
            *_ANY_CONNECT,
            phase=_CONNECTING,
            pattern=r"backend(?:: ?(?P<target>[^\s:]+))?",
        ),
    ),
    (
        "AH00897",
        row(
            "no-pong",
            "cping/cpong failed",
            "The upstream took the connection and did not answer the ping of AJP.",
            "upstream-hung",
            "upstream-workers-exhausted",
            phase=_CONNECTING,
        ),
    ),
    (
        "AH00959",
        row(
            "upstream-disabled",
            "disabling worker for",
            "Apache leaves this upstream out for a while; the reason stands in the line before.",
            "gateway-upstream-marked-down",
            phase=_CONNECTING,
        ),
    ),
    (
        "AH00940",
        row(
            "upstream-disabled",
            "disabled connection for",
            "The upstream is still left out after an earlier failure; nothing was tried.",
            "gateway-upstream-marked-down",
            phase=_CONNECTING,
        ),
    ),
    (
        "AH01167 AH01170",
        row(
            "no-live-upstreams",
            "All workers are in error state",
            "Every member of the balancer is left out after failures; nothing was tried.",
            "gateway-upstream-marked-down",
            phase=_CONNECTING,
        ),
    ),
    (
        "AH01171",
        row(
            "no-live-upstreams",
            "No workers in balancer",
            "The balancer has no member.",
            "gateway-upstream-marked-down",
            phase=_CONNECTING,
        ),
    ),
    (
        "AH00934",
        row(
            "no-live-upstreams",
            "all workers are busy",
            "No member of the balancer can be used.",
            "gateway-upstream-marked-down",
            "gateway-upstream-max-conns",
            phase=_CONNECTING,
        ),
    ),
    (
        "AH00941",
        row(
            "pool-exhausted",
            "failed to acquire connection for",
            "All connections that Apache may hold to this upstream are in use.",
            "gateway-upstream-max-conns",
            "upstream-slow-response",
            phase=_CONNECTING,
        ),
    ),
    (
        "",
        row(
            "name-not-resolved",
            "DNS lookup failure for",
            "The name of the upstream does not resolve.",
            "dns-nxdomain",
            "dns-resolver-down",
            phase=Phase.RESOLVING,
            pattern=r"failure for: ?(?P<target>\S+)?",
        ),
    ),
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
        ),
    ),
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
    (
        "AH00161 AH00484 AH00286 AH10159",
        row(
            "connections-exhausted",
            "server reached Max",
            "Apache has no worker left for a request; clients wait in the queue.",
            "gateway-worker-connections",
            pattern=r"reached Max(?:RequestWorkers|Clients)",
        ),
    ),
    (
        "AH03490",
        row(
            "connections-exhausted",
            "scoreboard is full",
            "Apache has no worker left for a request; clients wait in the queue.",
            "gateway-worker-connections",
        ),
    ),
    (
        "AH01146 AH01145 AH01149",
        row(
            "worker-shared",
            "because of worker sharing",
            "Two ProxyPass lines share one worker; with unix sockets the second one then goes to the first socket.",
            "gateway-apache-worker-collision",
        ),
    ),
    (
        "AH01145 AH01149",
        row(
            "worker-shared",
            "Sharing worker",
            "Two ProxyPass lines share one worker; with unix sockets the second one then goes to the first socket.",
            "gateway-apache-worker-collision",
        ),
    ),
    (
        "AH00956 AH00938",
        row(
            "source-address-unusable",
            "failed to bind socket to local address",
            "The address from which Apache is told to connect cannot be used.",
            "gateway-source-address-invalid",
            phase=_CONNECTING,
        ),
    ),
    (
        "",
        row(
            "proxy-loop",
            "Max-Forwards has reached zero",
            "The request went through the proxy more often than Max-Forwards allows.",
            "gateway-proxy-loop",
        ),
    ),
    (
        "AH00072",
        row(
            "port-in-use",
            "could not bind to address",
            "Another process holds the address on which Apache is to listen.",
            "port-owned-by-other-process",
            "gateway-failed-start",
            errnos=(98,),
            pattern=r"address (?P<target>\S+)",
        ),
    ),
    (
        "AH00072",
        row(
            "listen-failed",
            "could not bind to address",
            "Apache cannot listen on this address.",
            "gateway-failed-start",
            "port-owned-by-other-process",
            pattern=r"address (?P<target>\S+)",
        ),
    ),
    (
        "AH00015 AH00016 AH00451",
        row(
            "start-failed",
            "Unable to open logs",
            "Apache cannot open its log files or its addresses and does not start.",
            "gateway-failed-start",
        ),
    ),
    (
        "AH00526",
        row(
            "configuration-refused",
            "Syntax error on line",
            "The configuration is wrong at this place; Apache refuses to start or to reload.",
            *_START,
            pattern=r"line (?P<target>\d+ of [^\s:]+)",
        ),
    ),
    (
        "",
        row(
            "module-missing",
            "Invalid command '",
            "The configuration holds a word that no loaded module knows.",
            "gateway-failed-start",
            "gateway-reload-failed",
            "gateway-missing-module",
            pattern=r"command '(?P<target>[^']*)'",
        ),
    ),
)

MESSAGES: tuple[Signature, ...] = tuple(signature for _, signature in _ROWS)


def _numbered() -> dict[str, tuple[Signature, ...]]:
    numbered: dict[str, tuple[Signature, ...]] = {
        # ap_proxyerror prints every kind of failure under one number: only the text tells them apart.
        "AH00898": (),
    }
    for numbers, signature in _ROWS:
        for number in numbers.split():
            numbered[number] = (*numbered.get(number, ()), signature)
    return numbered


BY_NUMBER = _numbered()
