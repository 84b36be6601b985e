"""One HTTP/1 request over a connection of our own.

Owns the bytes of the request. They are written by hand, and neither by httpx nor by h11, because a diagnosis must
send what the gateway sends: httpx cannot speak HTTP/1.0 (nginx's default towards an upstream), rewrites targets and
joins headers; it hides the errno of a failed connection, stops at the first malformed header with one exception,
and does not tell how many bytes a header had on the wire. Importing it costs more than the whole exchange. May not
know whom the request goes to.
"""

from __future__ import annotations

from wizard import __version__
from wizard.host.questions import Request

USER_AGENT = f"gateway-wizard/{__version__}"


def http_request(question: Request) -> bytes:
    """The request as it goes over the wire: target verbatim, headers in order, then the wizard's own.

    A User-Agent among the headers is replaced; `Connection: close` is added unless a Connection header is given.
    """
    version = question.version.removeprefix("HTTP/")
    headers = [(name, value) for name, value in question.headers if name.lower() != "user-agent"]
    headers.append(("User-Agent", USER_AGENT))
    if not any(name.lower() == "connection" for name, _ in headers):
        headers.append(("Connection", "close"))
    lines = [f"{question.method} {question.target} HTTP/{version}", *(f"{name}: {value}" for name, value in headers)]
    return "".join(f"{line}\r\n" for line in (*lines, "")).encode("utf-8", "surrogateescape")
