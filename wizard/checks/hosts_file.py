"""A name that the hosts file and DNS know by different addresses: which of them serves?

Owns the check `hosts-file`. May not know why the gateway's connection fails. nginx looks a literal name up as the system
does, hosts file first; an old line there hides what DNS says (hosts(5), nsswitch.conf(5)).
"""

from __future__ import annotations

from msgspec.structs import replace

from wizard.checks.address import (
    gateway_view,
    is_local,
    join_port,
    lookup,
    nameservers,
    parse_address,
    required,
    resolves_at_run_time,
    split_port,
)
from wizard.checks.connect import connect, deadline_of
from wizard.checks.registry import UNKNOWN, Asker, Edit, Finding, Scope, Subject, Value, check
from wizard.host.questions import HERE, AskDns, Connect, Connected, DnsAnswered, FileRead, NotAnswered, ReadFile, Why
from wizard.text import one_line

_PATH = "/etc/hosts"
_AROUND = 2
_VALUES = ("name", "held", "addresses")


@check(
    "hosts-file",
    Scope.SERVER,
    {"not-asked": (), "agrees": (), "differs": _VALUES, "shadows": (*_VALUES, "edit")},
    bad=("differs", "shadows"),
)
async def hosts_file(subject: Subject, asker: Asker) -> Finding:
    """Where the connection fails to an address of the hosts file, try the one that DNS gives for the name."""
    route, server = required(subject)
    if server.name is None or resolves_at_run_time(route, server):
        return Finding("not-asked", "The hosts file does not matter here.")
    if (await connect(subject, asker)).outcome in {"connected", "falls-back", UNKNOWN}:
        return Finding("not-asked", "The connection does not fail.")
    name = server.name.rstrip(".").lower()
    read = (await asker.ask(ReadFile(_PATH))).answer
    lines = read.content.decode("utf-8", "replace").splitlines() if isinstance(read, FileRead) else []
    index, held = next(
        ((at, words[0]) for at, line in enumerate(lines) if name in (words := _words(line))[1:]), (-1, "")
    )
    found = await lookup(subject, asker)
    if index < 0 or held not in {split_port(one)[0].strip("[]") for one in found.addresses}:
        return Finding("agrees", f"{_PATH} does not decide what {one_line(name)} is.")
    answered = await _by_dns(name, asker)
    if not answered or held in answered:
        return Finding("agrees", f"DNS says nothing else of {one_line(name)}.")
    said = (
        f"{_PATH}:{index + 1} says that {one_line(name)} is {one_line(held)}; DNS says {one_line(', '.join(answered))}."
    )
    values: dict[str, Value] = {"name": name, "held": held, "addresses": answered}
    _, port = split_port(server.address)
    ours, theirs = (parse_address(join_port(one, port)) for one in (held, answered[0]))
    if ours is not None and theirs is not None and await is_local(ours, asker) and not await is_local(theirs, asker):
        # A line that keeps a name on this host is written on purpose, more often than not.
        return Finding("differs", said, values, by_hand=f"getent ahosts {name}")
    tried = Connect(join_port(answered[0], port), gateway_view(route.gateway), deadline_of(subject))
    there = (await asker.ask(tried)).answer
    if isinstance(there, NotAnswered) and there.why is Why.DENIED:
        there = (await asker.ask(replace(tried, view=HERE))).answer
    if not isinstance(there, Connected):
        return Finding("differs", said, values, by_hand=f"getent ahosts {name}")
    said += f" There a connection to port {port} succeeds."
    return Finding("shadows", said, {**values, "edit": _without(lines, index, name)}, by_hand=f"getent ahosts {name}")


async def _by_dns(name: str, asker: Asker) -> tuple[str, ...]:
    for one in (await nameservers(asker))[:2]:
        host, port = split_port(one)
        answer = (await asker.ask(AskDns(host.strip("[]"), name, "A", port or 53, seconds=1.0))).answer
        if isinstance(answer, DnsAnswered):
            return answer.addresses
    return ()


def _words(line: str) -> list[str]:
    """The address and the names of a line, in lower case; one empty word where it has none."""
    return line.partition("#")[0].lower().split() or [""]


def _without(lines: list[str], index: int, name: str) -> Edit:
    """The edit that takes a name out of its line; a line that holds no other name becomes a comment."""
    line = lines[index]
    kept = [word for word in line.partition("#")[0].split() if word.lower() != name]
    return Edit(
        file=_PATH,
        line=index + 1,
        before=line,
        after="\t".join(kept) if len(kept) > 1 else f"# {line}",
        above=tuple(lines[max(0, index - _AROUND) : index]),
        below=tuple(lines[index + 1 : index + 1 + _AROUND]),
    )
