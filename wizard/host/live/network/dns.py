"""One question to one DNS server.

Owns the exchange over UDP, and over TCP where the answer was cut. dnspython makes and reads the messages; its
`dns.query` is left aside, because importing it pulls in an HTTP client for DNS over HTTPS, and because a connected
socket of our own shows the errno of an ICMP refusal. May not know which resolver a gateway uses.

The query is like nginx's: recursion desired, no EDNS.
"""

from __future__ import annotations

import asyncio
import errno
import os
from typing import TYPE_CHECKING

from wizard.host.live.network.connecting import NotOpened, open_socket, readable
from wizard.host.live.network.endpoints import is_address
from wizard.host.live.network.streams import Wire
from wizard.host.live.network.threads import in_thread
from wizard.host.live.network.unasked import Unasked
from wizard.host.questions import AskDns, DnsAnswered, NotAnswered, Why

if TYPE_CHECKING:
    from dns.message import Message

_LONGEST_CHAIN = 16
_LONGEST_DATAGRAM = 65535


class _Unreadable(Exception):  # noqa: N818 - an observation about the server
    """The server answered with something that is no DNS message."""


async def answer_dns(question: AskDns) -> DnsAnswered | NotAnswered:
    """Ask one server. The query is repeated once, after half of the time, so that one lost datagram is no finding.

    `NotAnswered` carries errno 111 where nobody listens on the server's port (ICMP), and TIMED_OUT for silence.
    For kinds other than A and AAAA `addresses` holds the records' data as text.
    """
    if is_address(question.server) is None or not 0 < question.port < 65536:
        return NotAnswered(Why.FAILED, f"{question.server!r} port {question.port} is no address of a server")
    where = f"{question.server} port {question.port}"
    try:
        query = await in_thread(lambda: _query(question.name, question.kind))
        async with asyncio.timeout(question.seconds):
            answer = await _over_udp(question, query)
            if _is_cut(answer):
                answer = await _over_tcp(question, query)
    except TimeoutError:
        return NotAnswered(Why.TIMED_OUT, f"no answer from {where} in {question.seconds:g} s")
    except (OSError, NotOpened) as error:
        code = error.errno
        why = Why.TIMED_OUT if code in {None, errno.ETIMEDOUT} else Why.FAILED
        return NotAnswered(why, f"{where}: {os.strerror(code) if code else 'no connection over TCP'}", code)
    except _Unreadable as error:
        return NotAnswered(Why.FAILED, f"{where} answered with what is no DNS message: {error}")
    except ValueError as error:
        return NotAnswered(Why.FAILED, str(error))
    except Unasked as unasked:
        return unasked.answer
    return _told(answer)


def _query(name: str, kind: str) -> Message:
    """The query. The first call imports dnspython's messages (about 0.1 s), which is why it runs in a thread."""
    import dns.exception  # noqa: PLC0415 - costs a tenth of a second, and only a walk that meets a name needs it
    import dns.message  # noqa: PLC0415 - the same

    try:
        return dns.message.make_query(name, kind, use_edns=False)
    except (dns.exception.DNSException, UnicodeError) as error:
        raise ValueError(f"{name!r} {kind} cannot be asked for: {type(error).__name__}") from error


async def _over_udp(question: AskDns, query: Message) -> Message:
    loop = asyncio.get_running_loop()
    opened = await open_socket(_endpoint(question), question.view, question.seconds, datagram=True)
    with opened.sock as sock:
        packet = query.to_wire()
        repeat_at = loop.time() + question.seconds / 2
        sock.send(packet)
        while True:
            try:
                async with asyncio.timeout_at(repeat_at):
                    await readable(sock)
            except TimeoutError:
                repeat_at = float("inf")
                sock.send(packet)
                continue
            try:
                answer = _read(sock.recv(_LONGEST_DATAGRAM), query)
            except BlockingIOError:
                continue
            if answer is not None:
                return answer


def _endpoint(question: AskDns) -> str:
    host = f"[{question.server}]" if ":" in question.server else question.server
    return f"{host}:{question.port}"


async def _over_tcp(question: AskDns, query: Message) -> Message:
    opened = await open_socket(_endpoint(question), question.view, question.seconds)
    with Wire(opened.sock) as wire:
        packet = query.to_wire()
        await wire.send(len(packet).to_bytes(2, "big") + packet)
        data = b""
        while len(data) < 2 or len(data) < 2 + int.from_bytes(data[:2], "big"):
            more = await wire.receive()
            if not more:
                raise ConnectionResetError(errno.ECONNRESET, "closed before the answer was complete")
            data += more
        answer = _read(data[2 : 2 + int.from_bytes(data[:2], "big")], query)
    if answer is None:
        raise _Unreadable("it belongs to another query")
    return answer


def _read(packet: bytes, query: Message) -> Message | None:
    """The answer to the query; None where it answers another one (a forged or late datagram)."""
    import dns.exception  # noqa: PLC0415 - loaded by now
    import dns.message  # noqa: PLC0415 - the same

    if packet[:2] != query.id.to_bytes(2, "big"):
        return None
    try:
        answer = dns.message.from_wire(packet, ignore_trailing=True, raise_on_truncation=False)
        return answer if query.is_response(answer) else None
    except (dns.exception.DNSException, ValueError, IndexError, KeyError, TypeError) as error:
        raise _Unreadable(type(error).__name__) from error


def _is_cut(answer: Message) -> bool:
    import dns.flags  # noqa: PLC0415 - loaded by now

    return bool(answer.flags & dns.flags.TC)


def _told(answer: Message) -> DnsAnswered:
    import dns.rcode  # noqa: PLC0415 - loaded by now
    import dns.rdatatype  # noqa: PLC0415 - the same

    asked = answer.question[0]
    aliases = {s.name: s for s in answer.answer if s.rdtype == dns.rdatatype.CNAME and len(s)}
    name, chain, ttls = asked.name, list[str](), list[int]()
    if asked.rdtype != dns.rdatatype.CNAME:
        while name in aliases and len(chain) < _LONGEST_CHAIN:
            ttls.append(aliases[name].ttl)
            name = aliases[name][0].target
            chain.append(name.to_text(omit_final_dot=True))
    addresses: list[str] = []
    for records in answer.answer:
        if records.name == name and records.rdtype == asked.rdtype:
            ttls.append(records.ttl)
            addresses += [record.to_text() for record in records]
    rcode = dns.rcode.to_text(answer.rcode())
    return DnsAnswered(rcode, tuple(addresses), min(ttls) if ttls else None, tuple(chain))
