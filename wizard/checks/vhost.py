"""The virtual host that takes the request, and whether another one was meant to.

Owns the check `vhost`. May not know what the chosen virtual host does with the request. A default server that takes a
name which nobody lists is at its work; it is not where the same name stands on another listener, in a file that is not
included, in a second server block, or one slip of the pen away.
"""

from __future__ import annotations

import fnmatch
import ipaddress
from urllib.parse import urlsplit

from wizard.checks.directives import without
from wizard.checks.edits import replaced
from wizard.checks.registry import UNKNOWN, Asker, Finding, Scope, Subject, Value, check
from wizard.checks.survey import survey
from wizard.gateways.nginx.connection import matches_host
from wizard.gateways.nginx.names import ServerNames
from wizard.gateways.nginx.octets import octets
from wizard.gateways.nginx.route import route as route_of
from wizard.gateways.nginx.servers import Bound, Server, http
from wizard.gateways.nginx.syntax import parse
from wizard.gateways.nginx.tree import Configuration, every
from wizard.host.questions import DirList, FileRead, FilesRead, ListDir, ReadFile, ReadGlob
from wizard.model import Route
from wizard.text import one_line

_COPIES = ("*.bak", "*.bak[0-9]*", "*.old", "*.orig", "*.save", "*~", "*.copy", "*.backup", "*.dpkg-*", "*.rpmsave", "*.rpmnew", "*-old", "*-backup", "*.20[0-9][0-9]*")  # fmt: skip
_MAX_FILES = 40
_LEAST_LABEL, _LEAST_SWAPPED = 5, 3

_TAKEN = ("name", "place")


@check(
    "vhost",
    Scope.ROUTE,
    {
        "named": _TAKEN,
        "catch-all": _TAKEN,
        "fallen-through": _TAKEN,
        "near-name": (*_TAKEN, "host", "meant", "meant_place", "edit"),
        "other-listener": (*_TAKEN, "host", "listens", "meant_place"),
        "not-enabled": (*_TAKEN, "host", "file", "enable", "disable"),
        "listed-twice": (*_TAKEN, "host", "meant_place"),
        "copy-comes-first": (*_TAKEN, "host", "meant_place", "file", "aside"),
    },
    bad=("near-name", "other-listener", "not-enabled", "listed-twice", "copy-comes-first"),
)
async def vhost(subject: Subject, asker: Asker) -> Finding:
    """Look whether the virtual host that takes the request is the one that its name was meant for."""
    route = subject.route
    gateway = (await survey(asker)).gateway_of(route.gateway) if route else None
    configuration = gateway.configuration if gateway else None
    bound = _bound(configuration, route) if configuration is not None and route is not None else None
    if route is None or configuration is None or bound is None:
        return Finding(UNKNOWN, "The virtual hosts of this listener could not be read.")
    host = (urlsplit(route.url).hostname or "").rstrip(".")
    taken = route.virtual_host
    name, place = taken.name or "(no name)", str(taken.at)
    values: dict[str, Value] = {"name": name, "place": place, "host": host}
    if taken.matched != "default":
        return _twice(configuration, route, bound, values)
    if not _is_site(host) or subject.behind is not None:
        return Finding("catch-all", f"{one_line(name)} ({one_line(place)}) takes what comes to this listener.", values)
    chosen = next((one for one in bound.servers if one.at == taken.at), None)
    real = chosen is not None and any(_is_site(one.lstrip("*.").lower()) for one in chosen.names)
    found = (
        _elsewhere(configuration, bound, host, values, own_door=not real and not _usual(route, bound))
        or _near(configuration, bound, host, values)
        or await _not_enabled(configuration, route, host, values, asker)
    )
    if found is not None:
        return found
    if bound.default is None and len(bound.servers) > 1 and real:
        words = f"No virtual host lists {one_line(host)}; the first one, {one_line(name)}, takes it."
        return Finding("fallen-through", words, values)
    return Finding("catch-all", f"{one_line(name)} ({one_line(place)}) takes what no other virtual host lists.", values)


def _bound(configuration: Configuration, route: Route) -> Bound | None:
    bounds = http(configuration).bound.values()
    return next((one for one in bounds if one.listen.shown().address == route.listener.address), None)


def _is_site(host: str) -> bool:
    """Whether a host is a name that a site could have, and no address or name of the machine itself."""
    if "." not in host or host.startswith("~"):
        return False
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return True
    return False


def _takes(server: Server, host: str) -> bool:
    names: ServerNames[Server] = ServerNames()
    names.add([one for one in server.names if one], server)
    asked = octets(host)
    return bool(server.names) and names.find(asked, lambda source: matches_host(source, asked)) is not None


def _usual(route: Route, bound: Bound) -> bool:
    """Whether a visitor of any site comes to this listener: the usual port of the scheme, and not on loopback only."""
    port = 443 if route.url.startswith("https:") else 80
    return bound.address.port == port and not bound.address.ip.startswith("127.")


def _elsewhere(
    configuration: Configuration, bound: Bound, host: str, values: dict[str, Value], *, own_door: bool
) -> Finding | None:
    """A server that lists the name and does not listen on the address that the request came to.

    `own_door` says that the listener has a virtual host without a name to itself: it is not meant for names.
    """
    for server in http(configuration).servers if not own_door else ():
        if server in bound.servers or not _takes(server, host):
            continue
        if all(one.tls is not bound.listen.tls for one in server.listens):
            continue
        listens = ", ".join(one.shown().address for one in server.listens)
        words = (
            f"{one_line(host)} is listed at {one_line(str(server.at))}, which listens on {one_line(listens)} and not on "
            f"{one_line(bound.listen.shown().address)}."
        )
        return Finding("other-listener", words, {**values, "listens": listens, "meant_place": str(server.at)})
    return None


def _near(configuration: Configuration, bound: Bound, host: str, values: dict[str, Value]) -> Finding | None:
    for server in bound.servers:
        for directive in server.directive.all("server_name"):
            for name in directive.args:
                if not _is_site(name) or not is_slip(host, name.lower()):
                    continue
                edit = replaced(configuration, directive.at, name, f"{name} {host}")
                if edit is None:
                    continue
                words = f"No virtual host lists {one_line(host)}; {one_line(str(directive.at))} lists {one_line(name)}."
                found = {**values, "meant": name, "meant_place": str(directive.at), "edit": edit}
                return Finding("near-name", words, found)
    return None


def is_slip(one: str, other: str) -> bool:
    """Whether two host names are the same but for `www.` or for one slip of the pen in one label.

    Digits are no slip (`web1` and `web2` are two hosts), and short labels only where two letters are swapped
    (`api` and `app` are two names).
    """
    if one.removeprefix("www.") == other.removeprefix("www."):
        return True
    ours, theirs = one.split("."), other.split(".")
    if len(ours) != len(theirs):
        return False
    differing = [(mine, yours) for mine, yours in zip(ours, theirs, strict=True) if mine != yours]
    return len(differing) == 1 and _one_slip(*differing[0])


def _one_slip(one: str, other: str) -> bool:
    start = 0
    while start < min(len(one), len(other)) and one[start] == other[start]:
        start += 1
    end = 0
    while end < min(len(one), len(other)) - start and one[-1 - end] == other[-1 - end]:
        end += 1
    old, new = one[start : len(one) - end], other[start : len(other) - end]
    if any(character.isdigit() for character in old + new):
        return False
    if len(old) == len(new) == 2 and old == new[::-1]:
        return len(one) >= _LEAST_SWAPPED
    return len(old) <= 1 and len(new) <= 1 and min(len(one), len(other)) >= _LEAST_LABEL


def _twice(configuration: Configuration, route: Route, bound: Bound, values: dict[str, Value]) -> Finding:
    """Whether a second server of the same address and name is ignored, and would send the request elsewhere."""
    taken = route.virtual_host
    named = Finding("named", f"{one_line(taken.name)} ({one_line(str(taken.at))}) lists the name.", values)
    if bound.names is None:
        route_of(configuration, route.gateway, route.url)
    ignored = bound.names.ignored if bound.names is not None else []
    second = next((one for name, one in ignored if name.lower() == taken.name.lower() and one.at != taken.at), None)
    if second is None:
        return named
    meant = route_of(without(configuration, taken.at), route.gateway, route.url)
    if meant is None or meant.virtual_host.at != second.at or _sends(meant) == _sends(route):
        return named
    words = (
        f"{one_line(taken.name)} is listed at {one_line(str(taken.at))} and at {one_line(str(second.at))}; "
        "the first one counts."
    )
    found: dict[str, Value] = {**values, "meant_place": str(second.at)}
    aside = _out_of_the_way(configuration, taken.at.file)
    if aside is not None:
        return Finding("copy-comes-first", words, {**found, "file": taken.at.file, "aside": aside})
    return Finding("listed-twice", words, found)


def _sends(route: Route) -> object:
    return route.action.kind, route.action.to, route.action.status, route.upstream and route.upstream.servers


def _out_of_the_way(configuration: Configuration, file: str) -> str | None:
    """Where a copy that an editor or a person left among the included files can lie unread; None for no such copy."""
    name = file.rpartition("/")[2]
    if not any(fnmatch.fnmatchcase(name, pattern) for pattern in _COPIES):
        return None
    aside = f"{configuration.conf_prefix.rstrip('/')}/{name}"
    if aside == file or any(fnmatch.fnmatchcase(aside, one.pattern) for one in configuration.includes):
        return None
    return aside


async def _not_enabled(
    configuration: Configuration, route: Route, host: str, values: dict[str, Value], asker: Asker
) -> Finding | None:
    """A file beside the included ones that lists the name and is not read."""
    within = route.gateway.within
    for include in configuration.includes:
        folder, _, pattern = include.pattern.rpartition("/")
        if "*" not in pattern:
            continue
        for file in await _beside(configuration, folder, within, asker):
            if not _lists(file, host):
                continue
            name = file.path.rpartition("/")[2]
            enable: tuple[str, ...]
            disable: tuple[str, ...]
            if file.path.startswith(f"{folder}/"):
                stem = next((name.removesuffix(end) for end in (".disabled", ".off") if name.endswith(end)), None)
                to = f"{folder}/{stem}"
                enable = ("mv", file.path, to)
                disable = ("mv", to, file.path)
                if stem is None:
                    continue
            else:
                to = f"{folder}/{name}"
                enable = ("ln", "-s", file.path, to)
                disable = ("rm", to)
            if not fnmatch.fnmatchcase(to, include.pattern) or to in configuration.files:
                continue
            words = f"{one_line(host)} is listed in {one_line(file.path)}, which is not included."
            found = {**values, "file": file.path, "enable": enable, "disable": disable}
            return Finding("not-enabled", words, found)
    return None


async def _beside(configuration: Configuration, folder: str, within: int | None, asker: Asker) -> tuple[FileRead, ...]:
    known = {one.real for one in configuration.files.values()} | set(configuration.files)
    found: list[FileRead] = []
    if folder.endswith("-enabled"):
        pattern = f"{folder.removesuffix('-enabled')}-available/*"
        answer = (await asker.ask(ReadGlob(pattern, max_files=_MAX_FILES, within=within))).answer
        found += answer.files if isinstance(answer, FilesRead) else ()
    listed = (await asker.ask(ListDir(folder, within=within))).answer
    for entry in listed.entries[:_MAX_FILES] if isinstance(listed, DirList) else ():
        if entry.path.endswith((".disabled", ".off")) and entry.path not in known:
            read = (await asker.ask(ReadFile(entry.path, within=within))).answer
            found += (read,) if isinstance(read, FileRead) else ()
    return tuple(one for one in found if one.real not in known and one.path not in known)


def _lists(file: FileRead, host: str) -> bool:
    names: ServerNames[str] = ServerNames()
    tree = parse(file.content, file.path).directives
    for directive in every(tree, "server_name"):
        names.add([one for one in directive.args if one and one != "_"], file.path)
    asked = octets(host)
    return names.find(asked, lambda source: matches_host(source, asked)) is not None
