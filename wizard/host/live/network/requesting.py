"""The answer to a request: connect, shake hands where the gateway would, send, read the reply.

Owns the order of the phases and which requests may be sent at all: GET and HEAD, no body, nothing that ends a line
early. May not know what a status or a defect means.
"""

from __future__ import annotations

import asyncio
import os

import msgspec.structs

from wizard.host.live.network.connecting import NotOpened, open_socket
from wizard.host.live.network.fastcgi import Output, fastcgi_request
from wizard.host.live.network.http import USER_AGENT, http_request
from wizard.host.live.network.replies import STREAM_ERRORS, NoReply, Style, Terms, no_reply, read_reply
from wizard.host.live.network.streams import Stream, Wire
from wizard.host.live.network.tls import secured
from wizard.host.live.network.unasked import Unasked
from wizard.host.live.network.uwsgi import uwsgi_request
from wizard.host.questions import NotAnswered, NotReplied, Protocol, Replied, Request, Why
from wizard.text import one_line

_SAFE_METHODS = frozenset({"GET", "HEAD"})
_PROXY_V1, _PROXY_V2 = b"PROXY ", b"\r\n\r\n\0\r\nQUIT\n"
_LONGEST_PREAMBLE = 536  # of version 1 it is 107, and 536 is what version 2 says every receiver takes


async def answer_request(question: Request) -> Replied | NotReplied | NotAnswered:
    """Send one safe request and read its reply; `seconds` bounds the whole, `connect_seconds` the connection.

    `seconds_to_header` counts from the start of the connection, as nginx's $upstream_header_time does. Where TLS
    verifies, nothing is sent to a peer that is not accepted.
    """
    forbidden = _forbidden(question)
    if forbidden is not None:
        return NotAnswered(Why.REFUSED, forbidden)
    try:
        payload = _payload(question)
    except ValueError as error:
        return NotAnswered(Why.FAILED, str(error))
    loop = asyncio.get_running_loop()
    deadline = loop.time() + question.seconds
    try:
        opened = await open_socket(question.endpoint, question.view, min(question.connect_seconds, question.seconds))
    except NotOpened as failure:
        code = failure.errno
        cause = TimeoutError() if code is None else OSError(code, os.strerror(code))
        return no_reply("connecting", cause).answer(b"", failure.seconds)
    except Unasked as unasked:
        return unasked.answer
    with Wire(opened.sock) as wire:
        begun = loop.time() - opened.seconds  # without the start of a process that sits in another place
        terms = Terms(question.method, _STYLES[question.protocol], question.max_bytes, begun, deadline)
        try:
            return await _exchange(wire, question, payload, terms)
        except NoReply as failure:
            return failure.answer(wire.first, loop.time() - begun)
        except Unasked as unasked:
            return unasked.answer


_STYLES = {Protocol.HTTP: Style.HTTP, Protocol.UWSGI: Style.EITHER, Protocol.FASTCGI: Style.CGI}


async def _exchange(wire: Wire, question: Request, payload: bytes, terms: Terms) -> Replied:
    unsent: NoReply | None = None
    stream = await _prepared(wire, question, terms.deadline)
    output = Output(stream) if question.protocol is Protocol.FASTCGI else None
    try:
        async with asyncio.timeout_at(terms.deadline):
            await stream.send(payload)
    except STREAM_ERRORS as error:
        unsent = no_reply("sending-request", error)
        if unsent.ending == "timed-out":
            raise unsent from error
    try:
        reply = await read_reply(output or stream, terms)
    except NoReply as failure:
        if unsent is not None and not wire.first:
            raise unsent from failure
        if output is not None:
            failure.detail = _with_stderr(failure.detail, output)
        raise
    return reply if output is None else msgspec.structs.replace(reply, stderr=output.stderr)


def _with_stderr(detail: str, output: Output) -> str:
    if output.ended and not detail:
        detail = "FastCGI's END_REQUEST came without a header"
    return f"{detail}; stderr: {one_line(output.stderr)}".removeprefix("; ") if output.stderr else detail


async def _prepared(wire: Wire, question: Request, deadline: float) -> Stream:
    """Send the PROXY protocol's header, which comes before everything else, and shake hands."""
    try:
        async with asyncio.timeout_at(deadline):
            if question.preamble:
                await wire.send(question.preamble)
            return wire if question.tls is None else await secured(wire, question.tls)
    except STREAM_ERRORS as error:
        raise no_reply("sending-request" if question.tls is None else "handshaking", error) from error


def _forbidden(question: Request) -> str | None:
    """Why a request may not be sent; None where it may."""
    if question.method not in _SAFE_METHODS:
        return f"only GET and HEAD are sent, not {question.method!r}"
    if question.version.removeprefix("HTTP/") not in {"1.0", "1.1"}:
        return f"HTTP/{question.version} is not spoken here"
    texts = [question.target, *(text for header in question.headers for text in header)]
    if any(character in text for text in texts for character in "\r\n\0"):
        return "a line break in the target or in a header would make another request of it"
    if any(not name or ":" in name for name, _ in question.headers):
        return "a header without a name, or with a colon in it"
    if any(name.lower() in {"content-length", "transfer-encoding"} for name, _ in question.headers):
        return "a request with a body is not sent"
    if not _is_proxy_header(question.preamble):
        return "only a PROXY protocol header may come before a request"
    params = dict(question.params)
    if params.get("REQUEST_METHOD", "GET") not in _SAFE_METHODS:
        return f"only GET and HEAD are sent, not {params['REQUEST_METHOD']!r}"
    if params.get("CONTENT_LENGTH", "") not in {"", "0"}:
        return "a request with a body is not sent"
    return None


def _is_proxy_header(preamble: bytes) -> bool:
    if not preamble:
        return True
    if len(preamble) > _LONGEST_PREAMBLE:
        return False
    if preamble.startswith(_PROXY_V1):
        return preamble.endswith(b"\r\n") and preamble.count(b"\n") == 1
    is_whole = len(preamble) >= 16 and len(preamble) == 16 + int.from_bytes(preamble[14:16], "big")
    return preamble.startswith(_PROXY_V2) and is_whole


def _payload(question: Request) -> bytes:
    if question.protocol is Protocol.HTTP:
        return http_request(question)
    params = _own_params(question)
    return fastcgi_request(params) if question.protocol is Protocol.FASTCGI else uwsgi_request(params)


def _own_params(question: Request) -> tuple[tuple[str, str], ...]:
    """The parameters as given, with the wizard's name, and with the few that every server needs where they lack."""
    target = question.target or "/"
    path, _, query = target.partition("?")
    given = dict(question.params)
    needed = {
        "REQUEST_METHOD": question.method,
        "REQUEST_URI": target,
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "SERVER_PROTOCOL": f"HTTP/{question.version.removeprefix('HTTP/')}",
        "HTTP_USER_AGENT": USER_AGENT,
    }
    if question.protocol is Protocol.FASTCGI:
        del needed["PATH_INFO"]  # PHP derives it; a second opinion changes which script runs
    kept = [(name, value) for name, value in question.params if name != "HTTP_USER_AGENT"]
    return (*kept, *((name, value) for name, value in needed.items() if name not in given or name == "HTTP_USER_AGENT"))
