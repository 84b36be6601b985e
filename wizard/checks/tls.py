"""The hop from connection to protected connection: does the handshake succeed with the gateway's own settings?

Owns the check `tls`. May not know HTTP. nginx sends no server name and verifies nothing unless it is told to; so a
handshake that succeeds in a browser proves little. Verify codes are OpenSSL's X509_V_ERR numbers (verify(1)).
"""

from __future__ import annotations

import shlex
from urllib.parse import urlsplit

from wizard.checks.address import gateway_view, not_as_gateway, required
from wizard.checks.connect import located
from wizard.checks.edits import inserted_after, replaced
from wizard.checks.registry import UNKNOWN, Asker, Edit, Finding, Gap, Scope, Subject, Value, check
from wizard.checks.reply import tls_of
from wizard.checks.survey import survey
from wizard.host.questions import HERE, NotAnswered, TlsFailed, TlsHandshake, TlsSettings, TlsShaken, View, Why
from wizard.model import Proxying
from wizard.text import one_line

_EXPIRED, _NOT_YET, _NAME = {10}, {9}, {62, 63, 64}
_ALERT_HANDSHAKE, _ALERT_VERSION, _ALERT_CERTIFICATE, _ALERT_NAME = 40, 70, 116, 112
_PATIENCE = 3.0
_VALUES = ("address", "reason")


@check(
    "tls",
    Scope.SERVER,
    {
        "not-used": (),
        "shaken": ("address", "version"),
        "expired": (*_VALUES, "subject"),
        "not-yet-valid": (*_VALUES, "subject"),
        "untrusted": (*_VALUES, "subject", "issuer"),
        "other-name": (*_VALUES, "wanted", "names"),
        "wants-server-name": (*_VALUES, "server_name"),
        "wants-client-certificate": _VALUES,
        "version": (*_VALUES, "peer"),
        "peer-speaks-plainly": _VALUES,
        "refused": _VALUES,
    },
    bad=(
        "expired",
        "not-yet-valid",
        "untrusted",
        "other-name",
        "wants-server-name",
        "wants-client-certificate",
        "version",
        "peer-speaks-plainly",
        "refused",
    ),
    speaks=True,
)
async def tls(subject: Subject, asker: Asker) -> Finding:
    """Shake hands as the gateway does, and where that fails find out what the peer would have taken."""
    route, _ = required(subject)
    proxying = route.proxying
    settings = tls_of(proxying) if proxying else None
    if proxying is None or settings is None:
        return Finding("not-used", "The gateway speaks plainly to this upstream.")
    found = await located(subject, asker)
    if not found.addresses:
        return Finding(UNKNOWN, "There is no address to shake hands with.")
    address = found.addresses[0]
    name = settings.server_name
    by_hand = f"openssl s_client -connect {address} " + (
        f"-servername {shlex.quote(name)}" if name else "-noservername"
    )
    gaps: tuple[Gap, ...] = ()
    view = gateway_view(route.gateway)
    answer = (await asker.ask(TlsHandshake(address, settings, view, _PATIENCE))).answer
    if isinstance(answer, NotAnswered) and answer.why is Why.DENIED and view != HERE:
        gaps = (not_as_gateway(route.gateway, answer.detail),)
        view = HERE
        answer = (await asker.ask(TlsHandshake(address, settings, view, _PATIENCE))).answer
    if isinstance(answer, NotAnswered):
        return Finding(
            UNKNOWN, f"The handshake could not be tried: {one_line(answer.detail)}.", gaps=gaps, by_hand=by_hand
        )
    if isinstance(answer, TlsShaken):
        outcome, said, values = _shaken(answer, address, settings)
        if outcome == "shaken" and answer.client_certificate_wanted and not settings.client_certificate:
            outcome, said = "wants-client-certificate", f"{one_line(address)} asks for a client certificate."
            values["reason"] = "a client certificate is wanted"
        return Finding(outcome, said, values, gaps, by_hand)
    finding = await _failed(answer, address, settings, proxying, view, asker, urlsplit(route.url).hostname or "")
    return Finding(finding.outcome, finding.summary, finding.values, gaps, by_hand)


def _shaken(answer: TlsShaken, address: str, settings: TlsSettings) -> tuple[str, str, dict[str, Value]]:
    where = one_line(address)
    leaf = answer.chain[0] if answer.chain else None
    values: dict[str, Value] = {
        "address": address,
        "version": answer.version,
        "reason": answer.verify_error or "",
        "subject": leaf.subject if leaf else "",
        "issuer": leaf.issuer if leaf else "",
        "wanted": settings.verify_name or "",
        "names": ", ".join(leaf.names) if leaf else "",
    }
    if not settings.verify or (answer.verify_code == 0 and not answer.verify_error):
        return "shaken", f"{where} shook hands ({one_line(answer.version)}).", values
    reason = one_line(answer.verify_error or f"code {answer.verify_code}")
    if answer.verify_code in _EXPIRED:
        return "expired", f"The certificate of {where} has expired ({one_line(leaf.subject if leaf else '')}).", values
    if answer.verify_code in _NOT_YET:
        return "not-yet-valid", f"The certificate of {where} is not valid yet.", values
    if answer.verify_code in _NAME:
        said = f"The certificate of {where} is for {one_line(str(values['names']))}, not for {one_line(settings.verify_name or '')}."
        return "other-name", said, values
    return "untrusted", f"The certificate of {where} is not trusted: {reason}.", values


async def _failed(
    answer: TlsFailed,
    address: str,
    settings: TlsSettings,
    proxying: Proxying,
    view: View,
    asker: Asker,
    host: str = "",
) -> Finding:
    where, reason = one_line(address), one_line(answer.reason or "closed")
    values: dict[str, Value] = {"address": address, "reason": reason}
    if answer.phase == "connecting":
        return Finding(UNKNOWN, f"There was no connection to {where} to shake hands on.", values)
    if "WRONG_VERSION_NUMBER" in answer.reason or answer.received[:5] in {b"HTTP/", b"<html"}:
        return Finding("peer-speaks-plainly", f"{where} answers a handshake with something that is no TLS.", values)
    if answer.alert == _ALERT_CERTIFICATE:
        return Finding("wants-client-certificate", f"{where} asks for a client certificate.", values)
    if settings.server_name is None:
        for name in _names(proxying, host):
            if await _takes(address, _changed(settings, server_name=name), view, asker):
                return Finding(
                    "wants-server-name",
                    f"{where} takes a handshake that names {one_line(name)}, and none without a name.",
                    {**values, "server_name": name},
                )
    other = _changed(settings, protocols=(), ciphers=None)
    shaken = (await asker.ask(TlsHandshake(address, other, view, _PATIENCE))).answer
    if isinstance(shaken, TlsShaken) and (settings.protocols or settings.ciphers):
        said = f"{where} takes {one_line(shaken.version)}; the gateway offers {one_line(', '.join(settings.protocols) or 'other ciphers')}."
        return Finding("version", said, {**values, "peer": shaken.version})
    if isinstance(shaken, TlsFailed) and shaken.alert == _ALERT_CERTIFICATE:
        return Finding("wants-client-certificate", f"{where} asks for a client certificate.", values)
    return Finding("refused", f"TLS with {where} failed: {reason}.", values)


def _changed(
    settings: TlsSettings,
    *,
    server_name: str | None = None,
    protocols: tuple[str, ...] | None = None,
    ciphers: str | None = None,
) -> TlsSettings:
    """The same settings without verification, with another name or other protocols."""
    return TlsSettings(
        server_name=server_name if server_name is not None else settings.server_name,
        protocols=settings.protocols if protocols is None else protocols,
        ciphers=ciphers,
        alpn=settings.alpn,
        client_certificate=settings.client_certificate,
        client_key=settings.client_key,
    )


def _names(proxying: Proxying, host: str) -> tuple[str, ...]:
    """The names that the upstream may be known by: what the gateway verifies, its Host header, the visitor's host."""
    given = (proxying.verify_name or "", proxying.host.rpartition(":")[0] or proxying.host, host)
    names = (one for one in given if "." in one and not one.replace(".", "").isdigit() and ":" not in one)
    return tuple(dict.fromkeys(names))


async def _takes(address: str, settings: TlsSettings, view: View, asker: Asker) -> bool:
    answer = (await asker.ask(TlsHandshake(address, settings, view, _PATIENCE))).answer
    return isinstance(answer, TlsShaken)


@check("tls-repair", Scope.SERVER, {"editable": ("edit", "why"), "none": ()})
async def tls_repair(subject: Subject, asker: Asker) -> Finding:
    """Find the line that would let the gateway's handshake succeed without giving up verification."""
    finding = await tls(subject, asker)
    route, _ = required(subject)
    gateway = (await survey(asker)).gateway_of(route.gateway)
    configuration = gateway.configuration if gateway else None
    edit: Edit | None = None
    why = ""
    if finding.outcome == "wants-server-name":
        name = str(finding.values.get("server_name", ""))
        edit = replaced(configuration, route.action.at, "proxy_ssl_server_name off", "proxy_ssl_server_name on")
        edit = edit or inserted_after(configuration, route.location.at, _server_name_lines(route.proxying, name))
        why = f"Sends {one_line(name)} as server name."
    elif finding.outcome == "other-name":
        names = [one for one in str(finding.values.get("names", "")).split(", ") if one and "*" not in one]
        wanted = str(finding.values.get("wanted", ""))
        candidates = [one for one in names if one == (route.proxying.host if route.proxying else "")] or names[:1]
        if candidates and candidates[0] != wanted and _is_address_or_pool(wanted, subject):
            edit = inserted_after(configuration, route.location.at, f"proxy_ssl_name {candidates[0]};")
            why = f"Expects the name that the certificate carries, {one_line(candidates[0])}."
    if edit is None:
        return Finding("none", "No line of the gateway's configuration would repair this.")
    return Finding("editable", why, {"edit": edit, "why": why})


def _server_name_lines(proxying: Proxying | None, name: str) -> str:
    lines = ["proxy_ssl_server_name on;"]
    if proxying is None or (proxying.verify_name or "") != name:
        lines.append(f"proxy_ssl_name {name};")
    return " ".join(lines)


def _is_address_or_pool(wanted: str, subject: Subject) -> bool:
    """Whether the expected name is no name of a site at all, but an address or the name of an upstream block."""
    route, _ = required(subject)
    pool = route.upstream.name if route.upstream else None
    return wanted in {"", pool or "", "localhost"} or wanted.replace(".", "").replace(":", "").isdigit()
