"""The request of a visitor on this host, as a question and as a command.

Owns where it is sent and what it carries. May not know what comes back.
"""

from __future__ import annotations

import shlex
from urllib.parse import urlsplit

from wizard.checks.address import Address, join_port, parse_address
from wizard.checks.registry import TIMEOUT
from wizard.host.questions import HERE, Request, TlsSettings, View
from wizard.model import Route

PATIENCE = 6.0


def entrance(route: Route) -> Address | None:
    """The address by which a client on this host reaches a route's listener."""
    written = route.reached_at or route.listener.address
    address = parse_address(written)
    if address is None or address.ip is None:
        return address
    if address.ip.is_unspecified:
        host = "127.0.0.1" if address.ip.version == 4 else "::1"
        return parse_address(join_port(host, address.port))
    return address


def request_for(route: Route, timeout: float = TIMEOUT) -> Request | None:
    """The request of a visitor for the route's URL, as a question; None where the listener has no address.

    It waits no longer than half of what a walk may take, so that there is time left to find out why nothing comes.
    """
    address = entrance(route)
    if address is None:
        return None
    parts = urlsplit(route.url)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    within = route.gateway.within if route.gateway.elsewhere or address.path is not None else None
    return Request(
        endpoint=address.text,
        target=target,
        headers=(("Host", parts.netloc.rpartition("@")[2]), ("Accept", "*/*")),
        tls=TlsSettings(server_name=parts.hostname) if route.listener.tls else None,
        preamble=b"PROXY UNKNOWN\r\n" if route.listener.proxy_protocol else b"",
        view=View(within=within) if within is not None else HERE,
        connect_seconds=3.0,
        seconds=min(PATIENCE, timeout / 2),
    )


def curl(route: Route) -> str:
    """The same request as an admin would type it."""
    parts = urlsplit(route.url)
    address = entrance(route)
    words = ["curl", "-sS", "-o", "/dev/null", "-w", r"%{http_code}\n"]
    if route.listener.tls:
        words.append("-k")
    if route.listener.proxy_protocol:
        words.append("--haproxy-protocol")
    if address is not None and address.path is not None:
        words += ["--unix-socket", address.path]
    elif address is not None and parts.hostname not in {str(address.ip), f"[{address.ip}]"}:
        port = parts.port or (443 if parts.scheme == "https" else 80)
        words += ["--connect-to", f"{parts.hostname}:{port}:{join_port(str(address.ip), address.port)}"]
    return shlex.join([*words, route.url])
