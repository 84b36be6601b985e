"""A second look at a peer that took the connection and did not answer as asked: what does it want instead?

Owns the checks `peer` and `process`. May not know causes. Each probe is one more safe request; none is made where an
accept queue is full, and none where the first answer was an answer.
"""

from __future__ import annotations

import asyncio

from wizard.checks.address import gateway_view, parse_address, required
from wizard.checks.connect import located
from wizard.checks.listen import takes
from wizard.checks.registry import UNKNOWN, Asker, Finding, Scope, Subject, Value, check
from wizard.checks.reply import question_for, recognise, tls_of
from wizard.host.questions import (
    HERE,
    NotAnswered,
    NotReplied,
    Processes,
    ProcessTable,
    Protocol,
    Replied,
    Request,
    Sockets,
    SocketTable,
    TlsHandshake,
    TlsSettings,
    TlsShaken,
    View,
)
from wizard.model import ActionKind, Proxying
from wizard.text import one_line

_PATIENCE = 1.0
_BAD_REQUEST = 400
_UNREADABLE = frozenset({_BAD_REQUEST, 405, 408, 414, 431, 501, 505})  # to a request that is none (RFC 9110 section 15)
_NOTHING = "/robots.txt"  # a file that every server is asked for, whether it has one or not


@check(
    "peer",
    Scope.SERVER,
    {
        "speaks-tls": ("address",),
        "speaks-http": ("address", "status"),
        "speaks-http-not-uwsgi": ("address", "status"),
        "speaks-plainly": ("address", "status"),
        "speaks-fastcgi": ("address",),
        "speaks-uwsgi": ("address",),
        "wants-proxy-header": ("address", "status"),
        "wants-server-name": ("address", "server_name"),
        "answers-trivial": ("address", "status"),
        "nothing-else": ("address",),
    },
    bad=(
        "speaks-tls",
        "speaks-http",
        "speaks-http-not-uwsgi",
        "speaks-plainly",
        "speaks-fastcgi",
        "speaks-uwsgi",
        "wants-proxy-header",
        "wants-server-name",
    ),
    speaks=True,
)
async def peer(subject: Subject, asker: Asker) -> Finding:
    """Try the few other ways in which a server at such an address may want to be spoken to."""
    route, _ = required(subject)
    found = await located(subject, asker)
    if not found.addresses:
        return Finding(UNKNOWN, "There is no address to ask.")
    address = found.addresses[0]
    view = await _view(subject, address, asker)
    values: dict[str, Value] = {"address": address}
    where_ = one_line(address)
    spoken = question_for(route, address, view)
    if route.action.kind is ActionKind.GRPC:
        return await _behind_grpc(spoken, route.proxying or Proxying(), values, view, asker)
    if route.action.kind in {ActionKind.SCGI, ActionKind.AJP}:
        return Finding(UNKNOWN, f"{route.action.kind} is not spoken by this program.")
    if spoken.protocol is not Protocol.HTTP:
        return await _behind_gateway_protocol(spoken, values, view, asker)
    proxying = route.proxying or Proxying()
    if proxying.tls:
        return await _behind_tls(spoken, proxying, values, view, asker)
    # A plain answer to the plainest request comes first: whoever gives one wants no other way of speaking.
    target = _other_than(spoken.target)
    status = await _http(Request(address, target, (("Host", _host(spoken)),), view=view, seconds=_PATIENCE), asker)
    plain = Finding(
        "answers-trivial", f"{where_} answers {status} to a plain GET {target}.", {**values, "status": status or 0}
    )
    if status is not None and status != _BAD_REQUEST:
        return plain
    other = await _otherwise(spoken, proxying, values, view, asker)
    if other is not None or status is None:
        said = f"{where_} answers neither TLS nor a PROXY header, FastCGI or uwsgi."
        return other or Finding("nothing-else", said, values)
    return plain


async def _behind_gateway_protocol(spoken: Request, values: dict[str, Value], view: View, asker: Asker) -> Finding:
    """A server that is asked in FastCGI or uwsgi: does it answer a request for nothing, or HTTP?"""
    address = spoken.endpoint
    where_ = one_line(address)
    # Whoever says nothing lets both wait for their deadline, so they are tried side by side.
    trivial, status = await asyncio.gather(
        _trivial(spoken.protocol, address, view, asker),
        _http(Request(address, "/", (("Host", "localhost"),), view=view, seconds=_PATIENCE), asker),
    )
    if trivial is not None:
        said = f"{where_} answers {trivial} to a {spoken.protocol} request for nothing."
        return Finding("answers-trivial", said, {**values, "status": trivial})
    if status is not None:
        word = "speaks-http-not-uwsgi" if spoken.protocol is Protocol.UWSGI else "speaks-http"
        return Finding(word, f"{where_} answers HTTP ({status}).", {**values, "status": status})
    return Finding("nothing-else", f"{where_} does not answer HTTP either.", values)


async def _behind_grpc(
    spoken: Request, proxying: Proxying, values: dict[str, Value], view: View, asker: Asker
) -> Finding:
    """A server that is asked in HTTP/2: does it want TLS, or none? Its first frame tells, whatever it is asked."""
    where_ = one_line(spoken.endpoint)
    if not proxying.tls:
        if await _shakes_hands(spoken.endpoint, TlsSettings(alpn=("h2",)), view, asker):
            return Finding("speaks-tls", f"{where_} takes a TLS handshake.", values)
        return Finding("nothing-else", f"{where_} takes no TLS handshake.", values)
    plain = Request(spoken.endpoint, "/", (("Host", _host(spoken)),), view=view, seconds=_PATIENCE)
    answer = (await asker.ask(plain)).answer
    if isinstance(answer, Replied):
        said = f"{where_} answers {answer.status} without TLS."
        return Finding("speaks-plainly", said, {**values, "status": answer.status})
    if isinstance(answer, NotReplied) and recognise(answer.received) == "HTTP/2":
        return Finding("speaks-plainly", f"{where_} speaks HTTP/2 without TLS.", {**values, "status": 0})
    return Finding("nothing-else", f"{where_} says nothing without TLS.", values)


async def _otherwise(
    spoken: Request, proxying: Proxying, values: dict[str, Value], view: View, asker: Asker
) -> Finding | None:
    """The way of speaking, other than plain HTTP, in which a server answers."""
    address = spoken.endpoint
    where_ = one_line(address)
    with_header = Request(
        address, "/", spoken.headers, version="1.1", preamble=b"PROXY UNKNOWN\r\n", view=view, seconds=_PATIENCE
    )
    # Whoever says nothing lets every one of these wait for its deadline, so they are tried side by side.
    shaken, announced, fastcgi, uwsgi = await asyncio.gather(
        _shakes_hands(address, TlsSettings(server_name=_name(spoken)), view, asker),
        _http(with_header, asker),
        _speaks(Protocol.FASTCGI, address, view, asker),
        _speaks(Protocol.UWSGI, address, view, asker),
    )
    if shaken:
        return Finding("speaks-tls", f"{where_} takes a TLS handshake.", values)
    if announced is not None and not proxying.send_proxy_protocol and announced != _BAD_REQUEST:
        said = f"{where_} answers {announced} after a PROXY header, and nothing without one."
        return Finding("wants-proxy-header", said, {**values, "status": announced})
    if fastcgi or uwsgi:
        protocol = Protocol.FASTCGI if fastcgi else Protocol.UWSGI
        return Finding(f"speaks-{protocol}", f"{where_} answers {protocol}.", values)
    return None


async def _behind_tls(
    spoken: Request, proxying: Proxying, values: dict[str, Value], view: View, asker: Asker
) -> Finding:
    address = spoken.endpoint
    where_ = one_line(address)
    status = await _http(
        Request(address, spoken.target, spoken.headers, version="1.1", view=view, seconds=_PATIENCE), asker
    )
    if status is not None and status != 400:
        return Finding("speaks-plainly", f"{where_} answers {status} without TLS.", {**values, "status": status})
    settings = tls_of(proxying)
    if settings is not None and settings.server_name is None:
        name = proxying.verify_name or _name(spoken)
        if name and await _shakes_hands(address, TlsSettings(server_name=name), view, asker):
            return Finding(
                "wants-server-name",
                f"{where_} takes a handshake that names {one_line(name)}, and none without a name.",
                {**values, "server_name": name},
            )
    return Finding("nothing-else", f"{where_} takes no other handshake, and no plain HTTP.", values)


async def _view(subject: Subject, address: str, asker: Asker) -> View:
    """The gateway's view where the wizard may take it, else its own."""
    route, _ = required(subject)
    view = gateway_view(route.gateway)
    answer = (await asker.ask(question_for(route, address, view))).answer
    return HERE if isinstance(answer, NotAnswered) else view


def _host(question: Request) -> str:
    return next((value for name, value in question.headers if name.lower() == "host"), "localhost")


def _name(question: Request) -> str:
    host = _host(question)
    return host if parse_address(host) else host.rpartition(":")[0] or host


async def _http(question: Request, asker: Asker) -> int | None:
    answer = (await asker.ask(question)).answer
    return answer.status if isinstance(answer, Replied) else None


async def _shakes_hands(address: str, settings: TlsSettings, view: View, asker: Asker) -> bool:
    answer = (await asker.ask(TlsHandshake(address, settings, view, _PATIENCE))).answer
    return isinstance(answer, TlsShaken)


async def _trivial(protocol: Protocol, address: str, view: View, asker: Asker) -> int | None:
    """The status of a request that asks for as little as can be: a script that does not exist, or no page."""
    script = (("SCRIPT_FILENAME", _NOTHING),) if protocol is Protocol.FASTCGI else ()
    question = Request(
        address, _NOTHING, protocol=protocol, params=(*_params(_NOTHING), *script), view=view, seconds=_PATIENCE
    )
    return await _http(question, asker)


def _other_than(target: str) -> str:
    """A cheap target that is not the one that was asked for: what hangs there may be that page alone."""
    return "/" if target.partition("?")[0] not in {"", "/"} else _NOTHING


def _params(target: str) -> tuple[tuple[str, str], ...]:
    return (
        ("REQUEST_METHOD", "GET"),
        ("REQUEST_URI", target),
        ("SCRIPT_NAME", target),
        ("PATH_INFO", target),
        ("SERVER_PROTOCOL", "HTTP/1.1"),
        ("QUERY_STRING", ""),
        ("SERVER_NAME", "localhost"),
        ("SERVER_PORT", "80"),
    )


async def _speaks(protocol: Protocol, address: str, view: View, asker: Asker) -> bool:
    question = Request(address, "/", protocol=protocol, params=_params("/"), view=view, seconds=_PATIENCE)
    answer = (await asker.ask(question)).answer
    if isinstance(answer, Replied):
        # uWSGI answers in HTTP's own words, so an HTTP server that refuses what it cannot read looks the same.
        return protocol is not Protocol.UWSGI or answer.status not in _UNREADABLE
    return isinstance(answer, NotReplied) and bool(answer.received[:1] == b"\x01")


@check(
    "process",
    Scope.SERVER,
    {
        "stopped": ("pid", "program", "state", "pids"),
        "waiting-on-disk": ("pid", "program", "state"),
        "other": ("pid", "program", "state"),
        "unseen": (),
    },
    bad=("stopped", "waiting-on-disk"),
)
async def process(subject: Subject, asker: Asker) -> Finding:
    """Look at the state of the process that listens at the address (proc_pid_stat(5), field 3)."""
    found = await located(subject, asker)
    sockets = (await asker.ask(Sockets())).answer
    table = (await asker.ask(Processes())).answer
    if not isinstance(sockets, SocketTable) or not isinstance(table, ProcessTable) or not found.addresses:
        return Finding(UNKNOWN, "Sockets and processes could not be listed.")
    address = parse_address(found.addresses[0])
    if address is None:
        return Finding(UNKNOWN, "There is no address to look for.")
    pids = {pid for one in sockets.listening if takes(one, address) for pid in one.pids}
    owners = sorted((one for one in table.processes if one.pid in pids), key=lambda one: one.pid)
    if not owners:
        return Finding("unseen", "Which process listens there cannot be seen.")
    for letter, word, said in (
        ("T", "stopped", "is stopped by a signal"),
        ("D", "waiting-on-disk", "waits for a disk"),
    ):
        stuck = [one for one in owners if one.state.startswith(letter)]
        if stuck and len(stuck) == len(owners):
            first = stuck[0]
            return Finding(
                word,
                f"{one_line(first.name)} (pid {first.pid}) {said}.",
                {
                    "pid": first.pid,
                    "program": first.name,
                    "state": first.state,
                    "pids": tuple(str(one.pid) for one in stuck),
                },
                by_hand=f"ps -o pid,stat,wchan,args -p {first.pid}",
            )
    first = owners[0]
    return Finding(
        "other",
        f"{one_line(first.name)} (pid {first.pid}) is in state {one_line(first.state)}.",
        {"pid": first.pid, "program": first.name, "state": first.state},
        by_hand=f"ps -o pid,stat,wchan,args -p {first.pid}",
    )
