"""The hop from connection to protected connection: does the handshake succeed with the gateway's own settings?

Owns the check `tls`. May not know HTTP. nginx sends no server name and verifies nothing unless it is told to; so a
handshake that succeeds in a browser proves little. Verify codes are OpenSSL's X509_V_ERR numbers (verify(1)).
"""

from __future__ import annotations

import shlex
from urllib.parse import urlsplit

from msgspec.structs import replace

from wizard.checks.address import gateway_view, not_as_gateway, required
from wizard.checks.connect import located
from wizard.checks.registry import UNKNOWN, Asker, Finding, Gap, Scope, Subject, Value, check
from wizard.checks.reply import tls_of
from wizard.host.questions import HERE, NotAnswered, TlsFailed, TlsHandshake, TlsSettings, TlsShaken, View, Why
from wizard.model import Proxying
from wizard.text import one_line

_EXPIRED, _NOT_YET, _NAME = {10}, {9}, {62, 63, 64}
_CHAIN_TOO_LONG = 22
_ALERT_CERTIFICATE = 116  # RFC 8446, 6.2
_ALERTS_OF_CERTIFICATES = {
    42: "it calls it bad",
    43: "it does not support its kind",
    44: "it is revoked",
    45: "it has expired",
    46: "it does not accept it",
    48: "it does not know who issued it",
}
_REFUSED = frozenset({"expired", "not-yet-valid", "untrusted", "other-name"})
_PATIENCE = 3.0
_OLDER = ("TLSv1", "TLSv1.1")  # given up by RFC 8996, and spoken by old machines all the same
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
        "client-certificate-refused": _VALUES,
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
        "client-certificate-refused",
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
        if outcome in _REFUSED and (name := await _better_name(answer, address, settings, view, asker)):
            outcome, said = (
                "wants-server-name",
                f"{one_line(address)} shows another certificate to who asks for {name}.",
            )
            values["server_name"] = name
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
        if settings.verify_name in (leaf.names if leaf else ()):
            values["wanted"] = f"{settings.verify_name} as a name, and it is an address there"
        return "other-name", said, values
    if answer.verify_code == _CHAIN_TOO_LONG:
        values["between"] = max(len(answer.chain) - 1, settings.depth + 1)
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
    if settings.client_certificate and answer.client_certificate_wanted and answer.alert in _ALERTS_OF_CERTIFICATES:
        said = f"{where} refuses the gateway's client certificate: {_ALERTS_OF_CERTIFICATES[answer.alert]}."
        values["reason"] = _ALERTS_OF_CERTIFICATES[answer.alert]
        return Finding("client-certificate-refused", said, values)
    for name in _names(proxying, host):
        if name != settings.server_name and await _takes(address, _changed(settings, server_name=name), view, asker):
            sent = (
                f"none that names {one_line(settings.server_name)}" if settings.server_name else "none without a name"
            )
            said = f"{where} takes a handshake that names {one_line(name)}, and {sent}."
            return Finding("wants-server-name", said, {**values, "server_name": name})
    other = replace(_changed(settings), protocols=(), ciphers=None)
    shaken = (await asker.ask(TlsHandshake(address, other, view, _PATIENCE))).answer
    if isinstance(shaken, TlsShaken) and (settings.protocols or settings.ciphers):
        said = f"{where} takes {one_line(shaken.version)}; the gateway offers {one_line(', '.join(settings.protocols) or 'other ciphers')}."
        return Finding("version", said, {**values, "peer": shaken.version})
    older = replace(_changed(settings), protocols=_OLDER, ciphers="DEFAULT@SECLEVEL=0")
    spoken = (await asker.ask(TlsHandshake(address, older, view, _PATIENCE))).answer
    if isinstance(spoken, TlsShaken) and not isinstance(shaken, TlsShaken):
        said = f"{where} takes {one_line(spoken.version)} at most, which the gateway does not offer."
        return Finding("version", said, {**values, "peer": spoken.version})
    if isinstance(shaken, TlsFailed) and shaken.alert == _ALERT_CERTIFICATE:
        return Finding("wants-client-certificate", f"{where} asks for a client certificate.", values)
    return Finding("refused", f"TLS with {where} failed: {reason}.", values)


def _changed(settings: TlsSettings, *, server_name: str | None = None) -> TlsSettings:
    """The same settings without verification, with another name."""
    name = server_name if server_name is not None else settings.server_name
    return replace(settings, server_name=name, verify=False, verify_name=None, trusted=None, depth=1, revoked=None)


async def _better_name(shaken: TlsShaken, address: str, settings: TlsSettings, view: View, asker: Asker) -> str | None:
    """The name that a peer with several certificates has to be asked for; None where its certificate is the only one.

    A server shows its default certificate to who asks for no name, or for one that it does not know.
    """
    name = settings.verify_name or ""
    if name == settings.server_name or not is_site(name) or shaken.verify_code in {None, 0}:
        return None
    answer = (await asker.ask(TlsHandshake(address, replace(settings, server_name=name), view, _PATIENCE))).answer
    return name if isinstance(answer, TlsShaken) and not answer.verify_code and not answer.verify_error else None


def _names(proxying: Proxying, host: str) -> tuple[str, ...]:
    """The names that the upstream may be known by: what the gateway verifies, its Host header, the visitor's host."""
    given = (proxying.verify_name or "", proxying.host.rpartition(":")[0] or proxying.host, host)
    return tuple(dict.fromkeys(one for one in given if is_site(one)))


def is_site(name: str) -> bool:
    """Whether a text is a name that a server may be asked for, and no address or word."""
    return "." in name and ":" not in name and not name.replace(".", "").isdigit()


async def _takes(address: str, settings: TlsSettings, view: View, asker: Asker) -> bool:
    answer = (await asker.ask(TlsHandshake(address, settings, view, _PATIENCE))).answer
    return isinstance(answer, TlsShaken)
