"""Routing a URL on a machine: the same as `route`, with the files that matter looked up on the way.

Owns which files are asked for: those that a route turned out to depend on, until it no longer does. May not decide
anything itself.
"""

from __future__ import annotations

from collections.abc import Mapping

from wizard.gateways.nginx.load import Asks
from wizard.gateways.nginx.route import route
from wizard.gateways.nginx.tree import Configuration
from wizard.host.questions import NotAnswered, Stat, Why
from wizard.model import Instance, Route

MAX_FILES = 60
MAX_ROUNDS = 12


async def route_on_host(
    ask: Asks,
    configuration: Configuration,
    instance: Instance,
    url: str,
    *,
    address: str | None = None,
    method: str = "GET",
    headers: Mapping[str, str] | None = None,
    client: str | None = None,
    internal: bool = False,
) -> Route | None:
    """The way of one request on this machine (see `route`); asks whether files are there, at most `MAX_FILES`."""
    known: dict[str, bool | None] = {}
    for _ in range(MAX_ROUNDS):
        wanted: dict[str, None] = {}

        def exists(path: str, wanted: dict[str, None] = wanted) -> bool | None:
            if path not in known:
                wanted[path] = None
            return known.get(path)

        made = route(
            configuration,
            instance,
            url,
            address=address,
            method=method,
            headers=headers,
            client=client,
            exists=exists,
            internal=internal,
        )
        room = MAX_FILES - len(known)
        if made is None or not wanted or room <= 0:
            return made
        for path in list(wanted)[:room]:
            known[path] = await _is_there(ask, path, instance.within)
    return made


async def _is_there(ask: Asks, path: str, within: int | None) -> bool | None:
    answer = (await ask.ask(Stat(path.rstrip("/") or "/", within=within))).answer
    if isinstance(answer, NotAnswered):
        return False if answer.why is Why.MISSING else None
    return (answer.kind == "dir") is path.endswith("/")
