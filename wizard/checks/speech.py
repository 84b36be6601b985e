"""The lines that would let the gateway speak as its upstream does, or hold what it answers: as edits, never made here.

Owns the checks `speech` and `buffer`. May not know why the two sides differ.
"""

from __future__ import annotations

from wizard.checks.address import required
from wizard.checks.edits import inserted_after, replaced
from wizard.checks.peer import peer
from wizard.checks.registry import Asker, Edit, Finding, Scope, Subject, check
from wizard.checks.reply import reply
from wizard.checks.survey import survey
from wizard.gateways.nginx.tree import Configuration
from wizard.host.questions import FileStat, Stat
from wizard.model import ActionKind, Route
from wizard.text import one_line

_INCLUDES = {"fastcgi_pass": ("fastcgi.conf", "fastcgi_params"), "uwsgi_pass": ("uwsgi_params",)}
_SPOKEN_BY = {"speaks-fastcgi": "fastcgi_pass", "speaks-uwsgi": "uwsgi_pass", "speaks-http": "proxy_pass"}
_SMALLEST = 16 << 10
_LARGEST = 1 << 20


def _address(route: Route) -> str:
    server = route.upstream.servers[0].address if route.upstream and route.upstream.servers else ""
    return route.upstream.name if route.upstream is not None and route.upstream.name else server


@check("speech", Scope.SERVER, {"editable": ("edit", "directive"), "elsewhere": ()})
async def speech(subject: Subject, asker: Asker) -> Finding:
    """Find the directive that passes requests on, and the one that the upstream would understand."""
    route, _ = required(subject)
    spoken = await peer(subject, asker)
    wanted = _SPOKEN_BY.get(spoken.outcome)
    gateway = (await survey(asker)).gateway_of(route.gateway)
    configuration = gateway.configuration if gateway else None
    if wanted is None or configuration is None or route.action.at is None:
        return Finding("elsewhere", "No line of the configuration would repair this.")
    target = _address(route)
    line = configuration.line_text(route.action.at).strip()
    new = f"proxy_pass http://{target};" if wanted == "proxy_pass" else f"{wanted} {target};"
    if wanted in _INCLUDES:
        included = await _include(configuration, _INCLUDES[wanted], asker)
        if included is None:
            return Finding("elsewhere", f"The parameters that {wanted} needs are not installed.")
        new = f"include {included}; {new}"
    edit = replaced(configuration, route.action.at, line.partition(";")[0] + ";", new)
    if edit is None or not line.split(" ", 1)[0].endswith("_pass"):
        return Finding("elsewhere", "The directive does not stand in a line of its own.")
    said = f"{one_line(edit.file)}:{edit.line} passes requests on with another directive than {wanted}."
    return Finding("editable", said, {"edit": edit, "directive": wanted})


async def _include(configuration: Configuration, names: tuple[str, ...], asker: Asker) -> str | None:
    for name in names:
        if isinstance((await asker.ask(Stat(configuration.conf_path(name)))).answer, FileStat):
            return name
    return None


@check("buffer", Scope.SERVER, {"editable": ("edit", "size"), "elsewhere": ()})
async def buffer(subject: Subject, asker: Asker) -> Finding:
    """Find where a larger buffer for the response header can be set, and how large it has to be."""
    route, _ = required(subject)
    answered = await reply(subject, asker)
    gateway = (await survey(asker)).gateway_of(route.gateway)
    configuration = gateway.configuration if gateway else None
    size = _size_for(answered.values.get("header_bytes"))
    if configuration is None or size is None:
        return Finding("elsewhere", "How large the buffer has to be could not be seen.")
    kind = (
        "fastcgi"
        if route.action.kind is ActionKind.FASTCGI
        else "uwsgi"
        if route.action.kind is ActionKind.UWSGI
        else "proxy"
    )
    edit = _buffers(configuration, route, kind, size)
    if edit is None:
        return Finding("elsewhere", "Buffers are set in more than one line; they have to be changed together.")
    return Finding("editable", f"A buffer of {size >> 10} kB would hold this header.", {"edit": edit, "size": size})


def _size_for(header_bytes: object) -> int | None:
    """Twice the header, as a power of two, within what a gateway should hold for one response."""
    if not isinstance(header_bytes, int):
        return None
    size = _SMALLEST
    while size < header_bytes * 2 and size < _LARGEST:
        size *= 2
    return size if size > header_bytes else None


def _buffers(configuration: Configuration, route: Route, kind: str, size: int) -> Edit | None:
    """The three settings belong together: a busy buffer may not be smaller than the first, nor than all but one."""
    near = configuration.lines(route.location.at.file)
    lines = [line.strip() for line in near[route.location.at.line - 1 : route.location.at.line + 40]]
    if any(line.startswith((f"{kind}_buffer", f"{kind}_busy_buffers")) for line in lines):
        return None
    kilobytes = f"{size >> 10}k"
    new = f"{kind}_buffer_size {kilobytes}; {kind}_buffers 8 {kilobytes}; {kind}_busy_buffers_size {(size >> 10) * 2}k;"
    return inserted_after(configuration, route.location.at, new)
