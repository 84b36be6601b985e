"""Why a configuration takes no request for a URL: no address for it, no TLS there, or a port that speaks no HTTP.

Owns the sentence. May not decide who takes a request (see `route`), and may not ask the machine anything.
"""

from __future__ import annotations

from collections.abc import Iterator

from wizard.gateways.nginx.listen import Listen, listens
from wizard.gateways.nginx.servers import Bound, http
from wizard.gateways.nginx.tree import Configuration
from wizard.gateways.nginx.uri import BadUrlError, Target, target
from wizard.text import one_line

MAX_NAMED = 6
_OTHER_BLOCKS = {"stream": "passes bytes on and reads no HTTP", "mail": "speaks the protocols of mail"}


def untaken(configuration: Configuration, url: str) -> str:
    """Why no listener of a configuration takes a URL; the empty text where one does, or where it is no URL."""
    try:
        to = target(url)
    except BadUrlError:
        return ""
    here = http(configuration).on_port(to.port)
    if not here:
        return _on_no_port(configuration, to)
    if to.ip is not None and not any(bound.address.wildcard or bound.address.ip == to.ip for bound in here):
        return f"it listens on port {to.port} of {_named(here)} only"
    if to.tls and not any(bound.listen.tls for bound in here):
        return f"{_named(here)} has no TLS ({here[0].listen.at}): a URL for it begins with http://"
    return ""


def _on_no_port(configuration: Configuration, to: Target) -> str:
    for block, what in _OTHER_BLOCKS.items():
        for listen in _of_block(configuration, block):
            if listen.address.port == to.port:
                return f"port {to.port} belongs to its {block} block, which {what} ({listen.at})"
    bound = list(http(configuration).bound.values())
    if not bound:
        return "no server of it listens anywhere"
    return f"nothing in it listens on port {to.port}; it listens on {_named(bound)}"


def _of_block(configuration: Configuration, name: str) -> Iterator[Listen]:
    for block in configuration.all(name):
        for server in block.all("server"):
            for directive in server.all("listen"):
                if "udp" not in directive.args:
                    yield from listens(directive)


def _named(bound: list[Bound]) -> str:
    shown = [one_line(str(one.address)) for one in bound]
    more = f" and {len(shown) - MAX_NAMED} more" if len(shown) > MAX_NAMED else ""
    return ", ".join(shown[:MAX_NAMED]) + more
