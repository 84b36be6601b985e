"""The TLS context that a gateway's settings ask for.

Owns protocols, ciphers, trusted and own certificates. May not know the connection that it is used for.

The security level is the library's own unless the gateway's cipher list states one (`@SECLEVEL=0`): a gateway that
lists TLSv1 without it cannot speak TLSv1 with OpenSSL 3 either, and a probe that could would hide just that.
"""

from __future__ import annotations

import ssl
import warnings
from contextlib import suppress
from itertools import pairwise

from wizard.host.live.network.unasked import Unasked
from wizard.host.questions import NotAnswered, TlsSettings, Why

_VERSIONS = {
    "TLSv1": ssl.TLSVersion.TLSv1,
    "TLSv1.0": ssl.TLSVersion.TLSv1,
    "TLSv1.1": ssl.TLSVersion.TLSv1_1,
    "TLSv1.2": ssl.TLSVersion.TLSv1_2,
    "TLSv1.3": ssl.TLSVersion.TLSv1_3,
}
_WITHOUT = {
    ssl.TLSVersion.TLSv1_1: ssl.OP_NO_TLSv1_1,
    ssl.TLSVersion.TLSv1_2: ssl.OP_NO_TLSv1_2,
}


def context_for(settings: TlsSettings, *, verify: bool) -> ssl.SSLContext:
    """A client context as the settings ask for; `verify` makes the handshake fail where the chain is not trusted.

    Raises:
        Unasked: the settings cannot be followed here (an unreadable file, no such protocol, no such cipher).
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_REQUIRED if verify else ssl.CERT_NONE
    try:
        context.set_ciphers(settings.ciphers or "DEFAULT")
    except (ssl.SSLError, ValueError) as error:
        raise _unusable("the cipher list", settings.ciphers or "", error) from error
    _limit_versions(context, settings.protocols)
    if settings.alpn:
        with suppress(ssl.SSLError, ValueError):
            context.set_alpn_protocols(list(settings.alpn))
    if verify:
        _trust(context, settings.trusted)
        _ask_revocations(context, settings.revoked)
    if settings.client_certificate:
        try:
            # Without a password OpenSSL would ask for one on the terminal.
            context.load_cert_chain(settings.client_certificate, settings.client_key, password=lambda: "")
        except (OSError, ValueError) as error:
            raise _unusable("the client certificate or its key", settings.client_certificate, error) from error
    return context


def _limit_versions(context: ssl.SSLContext, protocols: tuple[str, ...]) -> None:
    wanted = sorted({_VERSIONS[name] for name in protocols if name in _VERSIONS})
    if not wanted:
        if protocols:
            raise Unasked(
                NotAnswered(Why.UNSUPPORTED, f"{' '.join(protocols)} cannot be spoken by {ssl.OPENSSL_VERSION}")
            )
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # old protocols are what is asked for here
        context.minimum_version, context.maximum_version = ssl.TLSVersion.MINIMUM_SUPPORTED, wanted[-1]
        context.minimum_version = wanted[0]
        for lower, higher in pairwise(wanted):
            for version, option in _WITHOUT.items():
                if lower < version < higher:
                    context.options |= option


def _trust(context: ssl.SSLContext, trusted: str | None) -> None:
    try:
        if trusted is None:
            context.set_default_verify_paths()
        else:
            context.load_verify_locations(cafile=trusted)
    except (OSError, ValueError) as error:
        raise _unusable("the trusted certificates", trusted or "", error) from error


def _ask_revocations(context: ssl.SSLContext, revoked: str | None) -> None:
    """Refuse what a list revokes, and every certificate of the chain whose issuer has none, as nginx does (ngx_ssl_crl)."""
    if revoked is None:
        return
    try:
        context.load_verify_locations(cafile=revoked)
    except (OSError, ValueError) as error:
        raise _unusable("the revocation lists", revoked, error) from error
    context.verify_flags |= ssl.VERIFY_CRL_CHECK_CHAIN


def _unusable(what: str, name: str, error: Exception) -> Unasked:
    if isinstance(error, PermissionError):
        return Unasked(NotAnswered(Why.DENIED, f"{what} {name} may not be read", error.errno, f"read access to {name}"))
    if isinstance(error, FileNotFoundError):
        return Unasked(NotAnswered(Why.MISSING, f"{what}: {name} is not there", error.errno))
    reason = error.reason if isinstance(error, ssl.SSLError) and error.reason else str(error)
    return Unasked(NotAnswered(Why.FAILED, f"{what} {name} cannot be used: {reason}"))
