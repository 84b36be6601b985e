"""The lines that would let the gateway speak as its upstream does, or hold what it answers: as edits, never made here.

Owns the checks `speech` and `buffer`. May not know why the two sides differ.
"""

from __future__ import annotations

from wizard.checks.address import required
from wizard.checks.directives import chain_to
from wizard.checks.edits import inserted_after, replaced
from wizard.checks.peer import peer
from wizard.checks.registry import Asker, Edit, Finding, Scope, Subject, Value, check
from wizard.checks.reply import reply
from wizard.checks.survey import survey
from wizard.gateways.nginx.tree import Configuration
from wizard.host.questions import FileStat, Stat
from wizard.model import ActionKind, Route
from wizard.text import one_line

_INCLUDES = {"fastcgi_pass": ("fastcgi.conf", "fastcgi_params"), "uwsgi_pass": ("uwsgi_params",)}
_SPOKEN_BY = {
    "speaks-fastcgi": "fastcgi_pass",
    "speaks-uwsgi": "uwsgi_pass",
    "speaks-http": "proxy_pass",
    "speaks-http-not-uwsgi": "proxy_pass",
}
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


@check(
    "buffer",
    Scope.SERVER,
    {
        "editable": ("edit", "size"),
        "two-lines": ("edit", "second", "size"),
        "three-lines": ("edit", "second", "third", "size"),
        "elsewhere": (),
    },
)
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
    edits = _buffers(configuration, route, kind, size)
    if not edits:
        return Finding("elsewhere", "Buffers are set in lines that cannot be changed one by one.")
    word = ("editable", "two-lines", "three-lines")[len(edits) - 1]
    values: dict[str, Value] = {"size": size, **dict(zip(("edit", "second", "third"), edits, strict=False))}
    return Finding(word, f"A buffer of {size >> 10} kB would hold this header.", values)


def _size_for(header_bytes: object) -> int | None:
    """Twice the header, as a power of two, within what a gateway should hold for one response."""
    if not isinstance(header_bytes, int):
        return None
    size = _SMALLEST
    while size < header_bytes * 2 and size < _LARGEST:
        size *= 2
    return size if size > header_bytes else None


def _buffers(configuration: Configuration, route: Route, kind: str, size: int) -> tuple[Edit, ...]:
    """The edits that give the header a buffer: a new line, or one for each line of the location that sets one.

    The three settings belong together: a busy buffer may not be smaller than the first, nor than all but one. What the
    location does not set itself is written beside the first that it does.
    """
    kilobytes = size >> 10
    wanted = {
        f"{kind}_buffer_size": (f"{kilobytes}k",),
        f"{kind}_buffers": ("8", f"{kilobytes}k"),
        f"{kind}_busy_buffers_size": (f"{kilobytes * 2}k",),
    }
    around = chain_to(configuration, route.location.at)
    block = around[-1].block or [] if around else []
    own = {one.name: one for one in block if one.name in wanted}
    missing = " ".join(f"{name} {' '.join(words)};" for name, words in wanted.items() if name not in own)
    if not own:
        edit = inserted_after(configuration, route.location.at, missing)
        return (edit,) if edit is not None else ()
    if len({(one.file, one.line) for one in own.values()}) < len(own):
        return ()
    edits: list[Edit] = []
    for name, directive in own.items():
        more = f" {missing}" if missing and not edits else ""
        old = f"{name} {' '.join(directive.args)};"
        edit = replaced(configuration, directive.at, old, f"{name} {' '.join(wanted[name])};{more}")
        if edit is None:
            return ()
        edits.append(edit)
    return tuple(edits)
