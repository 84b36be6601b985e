"""The lines of the gateway's configuration that would let its handshake succeed, without giving up verification.

Owns the check `tls-repair`. May not know how a handshake is made. A version that is given up everywhere is not offered.
"""

from __future__ import annotations

from msgspec.structs import replace

from wizard.checks.address import required
from wizard.checks.directives import chain_to
from wizard.checks.edits import inserted_after, replaced
from wizard.checks.registry import Asker, Edit, Finding, Scope, Subject, Value, check
from wizard.checks.survey import survey
from wizard.checks.tls import is_site, tls
from wizard.gateways.nginx.tree import Configuration
from wizard.model import ActionKind, Proxying, Route
from wizard.text import one_line

_SOUND = ("TLSv1.2", "TLSv1.3")  # what came before is given up (RFC 8996)


@check("tls-repair", Scope.SERVER, {"editable": ("edit", "why", "second"), "none": ()})
async def tls_repair(subject: Subject, asker: Asker) -> Finding:
    """Find the line that would let the gateway's handshake succeed without giving up verification."""
    finding = await tls(subject, asker)
    route, _ = required(subject)
    gateway = (await survey(asker)).gateway_of(route.gateway)
    configuration = gateway.configuration if gateway else None
    if configuration is None or route.proxying is None:
        return Finding("none", "The configuration could not be read.")
    wanted, why = _wanted(finding, subject, route.proxying)
    edits = [_set(configuration, route, f"{_kind(route)}_{name}", value) for name, value in wanted]
    if not edits or None in edits:
        return Finding("none", "No line of the gateway's configuration would repair this.")
    kept = _joined([one for one in edits if one is not None])
    if kept is None:
        return Finding("none", "The lines that would repair this have to be changed by hand.")
    values: dict[str, Value] = {"edit": kept[0], "why": why}
    if len(kept) > 1:
        values["second"] = kept[1]
    return Finding("editable", why, values)


def _wanted(finding: Finding, subject: Subject, proxying: Proxying) -> tuple[list[tuple[str, str]], str]:
    """The directives (without their protocol's prefix) that would repair a handshake, and why."""
    if finding.outcome == "wants-server-name":
        name = str(finding.values.get("server_name", ""))
        wanted = [] if proxying.server_name is not None else [("ssl_server_name", "on")]
        wanted += [] if (proxying.verify_name or "") == name else [("ssl_name", name)]
        return wanted, f"Sends {one_line(name)} as server name."
    if finding.outcome == "other-name":
        names = [one for one in str(finding.values.get("names", "")).split(", ") if is_site(one) and "*" not in one]
        expected = str(finding.values.get("wanted", ""))
        candidates = [one for one in names if one == proxying.host] or names[:1]
        if candidates and candidates[0] != expected and _is_address_or_pool(expected, subject):
            return [("ssl_name", candidates[0])], f"Expects the name that the certificate carries, {candidates[0]}."
    if finding.outcome == "untrusted" and finding.values.get("between"):
        between = finding.values["between"]
        return [
            ("ssl_verify_depth", str(between))
        ], f"Allows {between} certificates between this one and a trusted one."
    if finding.outcome == "version":
        return _common(finding, proxying)
    return [], ""


def _common(finding: Finding, proxying: Proxying) -> tuple[list[tuple[str, str]], str]:
    """What would let both sides find something in common; a version that is given up everywhere is not offered."""
    peer = str(finding.values.get("peer", ""))
    if peer not in _SOUND:
        return [], ""
    if peer not in proxying.protocols:
        offered = " ".join(sorted({*proxying.protocols, peer} & set(_SOUND)))
        return [("ssl_protocols", offered)], f"Offers {peer} too, which the server takes."
    return [("ssl_ciphers", "DEFAULT")], "Offers the ciphers of the library, of which the server takes one."


def _kind(route: Route) -> str:
    return {ActionKind.UWSGI: "uwsgi", ActionKind.GRPC: "grpc"}.get(route.action.kind, "proxy")


def _set(configuration: Configuration, route: Route, name: str, value: str) -> Edit | None:
    """The edit that sets a directive for a location: its own line written anew, or a line that goes before those around."""
    around = chain_to(configuration, route.location.at)
    own = around[-1].last(name) if around else None
    if own is None:
        return inserted_after(configuration, route.location.at, f"{name} {value};")
    return replaced(configuration, own.at, f"{name} {' '.join(own.args)}", f"{name} {value}")


def _joined(edits: list[Edit]) -> list[Edit] | None:
    """The edits one after another; two that add a line at one place are made one. None for two changes of one line."""
    if len(edits) < 2:
        return edits
    first, second = edits
    if (first.file, first.line) != (second.file, second.line):
        return edits if first.after.count("\n") == second.after.count("\n") == 0 else None
    head, _, added = second.after.partition("\n")
    return [replace(first, after=f"{first.after} {added.strip()}")] if head == first.before else None


def _is_address_or_pool(wanted: str, subject: Subject) -> bool:
    """Whether the expected name is no name of a site at all, but an address or the name of an upstream block."""
    route, _ = required(subject)
    pool = route.upstream.name if route.upstream else None
    return wanted in {"", pool or "", "localhost"} or wanted.replace(".", "").replace(":", "").isdigit()
