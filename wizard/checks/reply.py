"""The hop from connection to answer: what the upstream says when it is asked directly, as the gateway asks it.

Owns the check `reply`. May not know units, logs or firewalls. The request is a GET with the gateway's Host, target and
version; it proves what this one safe request meets, not what a visitor's POST would.
"""

from __future__ import annotations

import shlex

from wizard.checks.address import gateway_view, not_as_gateway, parse_address, required
from wizard.checks.connect import located
from wizard.checks.registry import UNKNOWN, Asker, Finding, Gap, Scope, Subject, Value, check
from wizard.host.questions import (
    BODY_DEFECTS,
    HERE,
    NotAnswered,
    NotReplied,
    Protocol,
    Replied,
    Request,
    TlsSettings,
    View,
    Why,
)
from wizard.model import ActionKind, Proxying, Route
from wizard.text import one_line

PATIENCE = 4.0

_SPOKEN = {ActionKind.FASTCGI: Protocol.FASTCGI, ActionKind.UWSGI: Protocol.UWSGI}
_NO_SCRIPT = (b"Primary script unknown", b"Unable to open primary script", b"Access to the script")
_STATUS = ("address", "status", "seconds")
_ENDED = ("address", "seconds")
_SENT_BY_US = frozenset({"host", "connection", "user-agent", "content-length", "transfer-encoding"})


def tls_of(proxying: Proxying) -> TlsSettings | None:
    """How the gateway shakes hands with its upstream; None where it speaks plainly."""
    if not proxying.tls:
        return None
    return TlsSettings(
        server_name=proxying.server_name,
        protocols=proxying.protocols,
        ciphers=proxying.ciphers,
        verify=proxying.verify,
        verify_name=proxying.verify_name,
        trusted=proxying.trusted,
        client_certificate=proxying.client_certificate,
        client_key=proxying.client_key,
        depth=proxying.verify_depth,
        revoked=proxying.revoked,
    )


def question_for(route: Route, endpoint: str, view: View = HERE) -> Request:
    """The gateway's own request to an upstream address, made safe."""
    proxying = route.proxying or Proxying()
    protocol = _SPOKEN.get(route.action.kind, Protocol.HTTP)
    headers = (
        ("Host", proxying.host or "localhost"),
        *((name, value) for name, value in proxying.headers if name.lower() not in _SENT_BY_US and value),
    )
    return Request(
        endpoint=endpoint,
        target=proxying.uri or "/",
        headers=headers if protocol is Protocol.HTTP else (),
        version=proxying.version if proxying.version in {"1.0", "1.1"} else "1.1",
        tls=tls_of(proxying),
        protocol=protocol,
        params=(*proxying.params, *_least_params(proxying)) if protocol is not Protocol.HTTP else (),
        preamble=b"PROXY UNKNOWN\r\n" if proxying.send_proxy_protocol else b"",
        view=view,
        connect_seconds=max(0.5, min(proxying.connect_timeout, 3.0)),
        seconds=max(1.0, min(proxying.read_timeout + 1.0, PATIENCE)),
    )


def _least_params(proxying: Proxying) -> tuple[tuple[str, str], ...]:
    given = {name for name, _ in proxying.params}
    least = (("REQUEST_METHOD", "GET"), ("REQUEST_URI", proxying.uri or "/"), ("SERVER_PROTOCOL", "HTTP/1.1"))
    return tuple(pair for pair in least if pair[0] not in given)


@check(
    "reply",
    Scope.SERVER,
    {
        "answers": _STATUS,
        "client-error": _STATUS,
        "script-unknown": (*_STATUS, "script"),
        "server-error": _STATUS,
        "bad-gateway": _STATUS,
        "header-too-big": (*_STATUS, "header_bytes", "buffer_size"),
        "header-invalid": (*_STATUS, "defect"),
        "broken-body": (*_STATUS, "defect"),
        "closed": _ENDED,
        "reset": _ENDED,
        "silent": _ENDED,
        "not-http": (*_ENDED, "speaks"),
        "http2": _ENDED,
        "handshake-failed": (*_ENDED, "reason"),
    },
    bad=(
        "script-unknown",
        "server-error",
        "bad-gateway",
        "header-too-big",
        "header-invalid",
        "broken-body",
        "closed",
        "reset",
        "silent",
        "not-http",
        "http2",
        "handshake-failed",
    ),
    speaks=True,
)
async def reply(subject: Subject, asker: Asker) -> Finding:
    """Ask the upstream directly for what the gateway would ask it."""
    route, _ = required(subject)
    found = await located(subject, asker)
    if not found.addresses:
        return Finding(UNKNOWN, "There is no address to ask.")
    if route.action.kind in {ActionKind.SCGI, ActionKind.GRPC, ActionKind.AJP}:
        return Finding(UNKNOWN, f"{route.action.kind} is not spoken by this program.")
    address = found.addresses[0]
    question = question_for(route, address, gateway_view(route.gateway))
    by_hand = curl_direct(question)
    gaps: tuple[Gap, ...] = ()
    answer = (await asker.ask(question)).answer
    if isinstance(answer, NotAnswered) and answer.why is Why.DENIED and question.view != HERE:
        gaps = (not_as_gateway(route.gateway, answer.detail),)
        answer = (await asker.ask(question_for(route, address))).answer
    if isinstance(answer, NotAnswered):
        return Finding(
            UNKNOWN, f"The upstream could not be asked: {one_line(answer.detail)}.", gaps=gaps, by_hand=by_hand
        )
    values: dict[str, Value] = {"address": address, "seconds": round(answer.seconds, 3)}
    if isinstance(answer, NotReplied):
        return _without_header(answer, question, values, gaps, by_hand)
    return _with_header(answer, route, address, values, gaps, by_hand)


def _without_header(
    answer: NotReplied, question: Request, values: dict[str, Value], gaps: tuple[Gap, ...], by_hand: str
) -> Finding:
    where = one_line(question.endpoint)
    if answer.phase == "connecting":
        return Finding(UNKNOWN, f"There was no connection to {where} to ask on.", values, gaps, by_hand)
    if answer.ending == "tls":
        reason = one_line(answer.detail)
        return Finding(
            "handshake-failed", f"TLS with {where} failed: {reason}.", {**values, "reason": reason}, gaps, by_hand
        )
    if answer.ending == "timed-out":
        return Finding(
            "silent", f"{where} took the request and said nothing for {answer.seconds:.1f} s.", values, gaps, by_hand
        )
    if answer.ending == "not-protocol":
        speaks = recognise(answer.received)
        if speaks == "HTTP" and question.protocol is Protocol.HTTP:
            line = one_line(answer.received.split(b"\r")[0].split(b"\n")[0], limit=60)
            defect = f"its status line is malformed: {line}"
            found = {**values, "status": 0, "defect": defect}
            return Finding("header-invalid", f"{where} answers, and {defect}.", found, gaps, by_hand)
        if speaks == "HTTP/2":
            return Finding("http2", f"{where} answers in HTTP/2 to a request in HTTP/1.", values, gaps, by_hand)
        return Finding("not-http", f"{where} answers with {speaks}.", {**values, "speaks": speaks}, gaps, by_hand)
    if answer.ending == "reset":
        return Finding("reset", f"{where} reset the connection before a header.", values, gaps, by_hand)
    return Finding("closed", f"{where} closed the connection without an answer.", values, gaps, by_hand)


def _with_header(
    answer: Replied, route: Route, address: str, values: dict[str, Value], gaps: tuple[Gap, ...], by_hand: str
) -> Finding:
    where = one_line(address)
    values = {**values, "status": answer.status, "seconds": round(answer.seconds_to_header, 3)}
    buffer_size = route.proxying.buffer_size if route.proxying else 4096
    if answer.header_bytes > buffer_size:
        values |= {"header_bytes": answer.header_bytes, "buffer_size": buffer_size}
        return Finding(
            "header-too-big",
            f"{where} answers {answer.status} with a header of {answer.header_bytes} bytes; the gateway's buffer holds {buffer_size}.",
            values,
            gaps,
            by_hand,
        )
    in_body = tuple(one for one in answer.defects if one.startswith(BODY_DEFECTS))
    in_header = tuple(one for one in answer.defects if one not in in_body)
    if in_header:
        defect = one_line("; ".join(in_header))
        return Finding(
            "header-invalid", f"{where} answers {answer.status}; {defect}.", {**values, "defect": defect}, gaps, by_hand
        )
    if answer.ending in {"closed", "reset"}:
        how = "the connection was reset" if answer.ending == "reset" else "the connection was closed"
        words = "; ".join(in_body)
        defect = one_line(words or f"{how} after {answer.body_bytes} bytes, before its announced end")
        broken = f"{where} answers {answer.status} and breaks off within the body: {defect}."
        return Finding("broken-body", broken, {**values, "defect": defect}, gaps, by_hand)
    said = f"{where} answers {answer.status} after {answer.seconds_to_header:.2f} s."
    if answer.status in {403, 404} and answer.stderr.startswith(_NO_SCRIPT):
        script = _script(route)
        return Finding(
            "script-unknown",
            f"{where} answers {answer.status}: it does not find the script {one_line(script)}.",
            {**values, "script": script},
            gaps,
            by_hand,
        )
    if answer.status in {502, 503, 504}:
        return Finding("bad-gateway", said, values, gaps, by_hand)
    if answer.status >= 500:
        return Finding("server-error", said, values, gaps, by_hand)
    return Finding("client-error" if answer.status >= 400 else "answers", said, values, gaps, by_hand)


def _script(route: Route) -> str:
    """The file that the gateway names to the upstream."""
    params = dict(route.proxying.params) if route.proxying else {}
    return params.get("SCRIPT_FILENAME", "")


def recognise(received: bytes) -> str:
    """What protocol the first bytes of a peer look like, in words."""
    if received.startswith(b"SSH-"):
        return "an SSH banner"
    if received[:1] in {b"\x15", b"\x16"} and received[1:2] == b"\x03":
        return "TLS"
    if received.startswith((b"HTTP/2", b"PRI ")) or (
        len(received) >= 9 and received[3:4] == b"\x04" and received[0:1] == b"\x00"
    ):
        return "HTTP/2"
    if received.startswith(b"HTTP/"):
        return "HTTP"
    if received[:2] == b"\x01\x03" or received[:2] == b"\x01\x06":
        return "FastCGI"
    if received.startswith((b"-ERR", b"+OK", b"-NOAUTH")):
        return "Redis or a mail protocol"
    if received[3:5] == b"\x00\x0a":
        return "MySQL"
    if received.startswith((b"220 ", b"220-")):
        return "SMTP or FTP"
    return f"bytes that are no HTTP ({one_line(received[:40])})"


def curl_direct(question: Request) -> str:
    """The direct request as an admin would type it."""
    if question.protocol is not Protocol.HTTP:
        address = parse_address(question.endpoint)
        place = address.path if address and address.path else question.endpoint
        tool = "cgi-fcgi -bind -connect" if question.protocol is Protocol.FASTCGI else "uwsgi_curl"
        return f"{tool} {shlex.quote(place)}"
    address = parse_address(question.endpoint)
    scheme = "https" if question.tls else "http"
    words = ["curl", "-sS", "-o", "/dev/null", "-w", r"%{http_code}\n", "-m", "5"]
    host = next((value for name, value in question.headers if name.lower() == "host"), "")
    if address is not None and address.path is not None:
        words += ["--unix-socket", address.path]
        return shlex.join([*words, f"{scheme}://{host or 'localhost'}{question.target}"])
    if question.tls:
        words.append("-k")
    if host and host != question.endpoint:
        words += ["-H", f"Host: {host}"]
    return shlex.join([*words, f"{scheme}://{question.endpoint}{question.target}"])
