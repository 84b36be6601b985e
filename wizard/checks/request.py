"""The symptom: the request itself, sent to the gateway's own listener on this host, as a visitor's would arrive.

Owns the checks `request` and `gateway-listener`. May not know why the gateway answers what it answers: a status is
the gateway's word for a fault, not the fault.
"""

from __future__ import annotations

from wizard.checks.address import ROOT_GRANT, parse_address
from wizard.checks.listen import named_owner, socket_table, takes
from wizard.checks.registry import UNKNOWN, Asker, Finding, Gap, Scope, Subject, Value, check
from wizard.checks.visitor import curl, entrance, request_for
from wizard.host.questions import NotAnswered, NotReplied, Replied, Request
from wizard.model import Route
from wizard.text import one_line

_BAD_REQUEST = 400

_BY_STATUS = {500: "server-error", 502: "bad-gateway", 503: "unavailable", 504: "gateway-timeout"}
_STATUS = ("status", "sender", "seconds")
_NONE = ("seconds",)


def sender_of(reply: Replied) -> str:
    """Who wrote an answer, as far as its page and Server header tell.

    nginx's own error page ends in `<center>nginx` (ngx_http_special_response.c); a page that says so and comes from
    an application behind it is told apart by the checks of the upstream.
    """
    server = next((value for name, value in reply.headers if name.lower() == "server"), "")
    body = reply.body.lower()
    if b"<center>nginx" in body or b"<center>openresty" in body:
        return "nginx on this host"
    if reply.status >= 400 and server:
        return f"something behind {one_line(server, limit=40)}"
    return one_line(server, limit=40) or "unknown"


@check(
    "request",
    Scope.ROUTE,
    {
        "ok": _STATUS,
        "client-error": _STATUS,
        **dict.fromkeys((*_BY_STATUS.values(), "other-error"), _STATUS),
        "not-connected": _NONE,
        "no-answer": _NONE,
        "closed": _NONE,
        "not-http": _NONE,
        "handshake-failed": _NONE,
        "waiting": _NONE,
    },
    bad=(
        *_BY_STATUS.values(),
        "other-error",
        "not-connected",
        "no-answer",
        "closed",
        "not-http",
        "handshake-failed",
        "waiting",
    ),
)
async def request(subject: Subject, asker: Asker) -> Finding:
    """Send the visitor's request to the gateway and see what comes back."""
    route = subject.route
    question = request_for(route, asker.timeout) if route else None
    if route is None or question is None:
        return Finding(UNKNOWN, "There is no listener to send the request to.")
    by_hand = curl(route)
    answer = (await asker.ask(question)).answer
    if isinstance(answer, NotAnswered):
        gaps = (Gap("the request itself", one_line(answer.detail), answer.grant),) if answer.grant else ()
        return Finding(
            UNKNOWN, f"The request could not be made: {one_line(answer.detail)}.", gaps=gaps, by_hand=by_hand
        )
    if isinstance(answer, NotReplied):
        if route.listener.http2 and not route.listener.tls and answer.ending == "not-protocol":
            said = "This listener speaks HTTP/2 without TLS, in which this program asks nothing."
            return Finding(UNKNOWN, said, by_hand=by_hand)
        return _without_reply(answer, question, by_hand)
    sender = sender_of(answer)
    values: dict[str, Value] = {
        "status": answer.status,
        "sender": sender,
        "seconds": round(answer.seconds_to_header, 3),
    }
    if answer.status < 400:
        outcome = "ok"
    elif answer.status < 500:
        outcome = "other-error" if _about_handshake(answer, route) else "client-error"
    else:
        outcome = _BY_STATUS.get(answer.status, "other-error")
    if outcome == "ok" and answer.ending in {"closed", "reset"}:
        return Finding(
            "closed",
            f"{answer.status} came, and its body broke off after {answer.body_bytes} bytes.",
            values,
            by_hand=by_hand,
        )
    return Finding(
        outcome, f"{answer.status} after {answer.seconds_to_header:.2f} s, from {sender}.", values, by_hand=by_hand
    )


def _about_handshake(answer: Replied, route: Route) -> bool:
    """Whether a 400 is a complaint of the upstream about the gateway's own handshake, or its lack of one.

    nginx answers so (ngx_http_special_response.c, errors 494 to 497), and a visitor who came plainly shows no certificate.
    """
    plain = b"The plain HTTP request was sent to HTTPS port"
    certificate = (b"No required SSL certificate was sent", b"The SSL certificate error")
    if answer.status != _BAD_REQUEST or route.proxying is None:
        return False
    return plain in answer.body or (not route.listener.tls and any(one in answer.body for one in certificate))


def _without_reply(answer: NotReplied, question: Request, by_hand: str) -> Finding:
    values: dict[str, Value] = {"seconds": round(answer.seconds, 3)}
    where = one_line(question.endpoint)
    if answer.phase == "connecting":
        if answer.ending == "timed-out":
            return Finding("no-answer", f"{where} did not answer a connection.", values, by_hand=by_hand)
        return Finding(
            "not-connected",
            f"{where} does not take connections ({one_line(answer.detail or 'refused')}).",
            values,
            by_hand=by_hand,
        )
    if answer.ending == "tls":
        return Finding(
            "handshake-failed", f"TLS with {where} failed: {one_line(answer.detail)}.", values, by_hand=by_hand
        )
    if answer.ending == "timed-out":
        return Finding("waiting", f"No answer within {answer.seconds:.1f} s.", values, by_hand=by_hand)
    if answer.ending == "not-protocol":
        return Finding("not-http", "What came back is no HTTP.", values, by_hand=by_hand)
    return Finding("closed", "The gateway closed the connection without an answer.", values, by_hand=by_hand)


@check(
    "gateway-listener",
    Scope.ROUTE,
    {
        "listening": ("address",),
        "absent": ("address",),
        "other-process": ("address", "program", "pid"),
    },
    bad=("absent", "other-process"),
)
async def gateway_listener(subject: Subject, asker: Asker) -> Finding:
    """Find out whether the gateway itself listens where its configuration says."""
    route = subject.route
    address = parse_address(route.listener.address) if route else None
    if route is None or address is None:
        return Finding(UNKNOWN, "There is no listener to look for.")
    by_hand = f"ss -Hltnp 'sport = :{address.port}'"
    table = await socket_table(subject, asker)
    if isinstance(table, NotAnswered):
        return Finding(
            UNKNOWN, f"The listening sockets could not be listed: {one_line(table.detail)}.", by_hand=by_hand
        )
    door = entrance(route) or address
    matching = tuple(one for one in table.listening if takes(one, door))
    values: dict[str, Value] = {"address": address.text}
    if not matching:
        return Finding("absent", f"Nobody listens on {one_line(address.text)}.", values, by_hand=by_hand)
    pids = {pid for one in matching for pid in one.pids}
    own = {route.gateway.pid, *route.gateway.workers} - {None}
    if not pids or pids & own:
        gaps = () if pids else (Gap("which process owns the listener", "not all processes can be seen", ROOT_GRANT),)
        return Finding(
            "listening", f"{route.gateway.name} listens on {one_line(address.text)}.", values, gaps, by_hand=by_hand
        )
    program, pid = await named_owner(matching, asker)
    return Finding(
        "other-process",
        f"{one_line(program)} (pid {pid}) listens on {one_line(address.text)}, not {route.gateway.kind}.",
        {**values, "program": program, "pid": pid},
        by_hand=by_hand,
    )
