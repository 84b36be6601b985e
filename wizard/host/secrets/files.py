"""Files that are secrets as a whole, or a list of accounts, as their paths tell.

Owns the names of such files. May not know what replaces a secret.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from wizard.host.secrets.names import A_MARK
from wizard.host.secrets.spans import Span

_PUBLIC = re.compile(r"/etc/passwd-?|/etc/pam\.d/.*|/proc/.*|.*\.(?:pub|crt|cer|csr)", re.IGNORECASE)
_ACCOUNTS = re.compile(r"(?:.*/)?[^/]*(?:htpasswd|htdigest|g?shadow-?|\.users|passwdfile)[^/]*", re.IGNORECASE)
_PGPASS = re.compile(r"(?:.*/)?\.?pgpass(?:\.conf)?", re.IGNORECASE)
_WHOLE = re.compile(
    r"(?:.*/)?(?:privkey[^/]*\.pem|[^/]*[-_.](?:key|privkey)\.pem|[^/]*\.(?:key|p12|pfx|jks|keystore|kdbx|ppk|keytab)"
    r"|id_(?:rsa|dsa|ecdsa|ed25519)(?:_sk)?|[^/]*(?:password|passwd|passphrase|\.pass|\.pwd|secret)s?(?:\.txt)?"
    r"|\.vault-token)|/run/(?:secrets|credentials)/.*|/(?:.*/)?private/.*\.pem",
    re.IGNORECASE,
)
_ACCOUNT = re.compile(rb"(?m)^(?![#\s])[^:\r\n]{1,256}:([^:\r\n]+)")
_DIGEST_ACCOUNT = re.compile(rb"(?m)^[^:\r\n]{1,256}:[^:\r\n]{1,256}:([0-9a-f]{32,128}|REDACTED-[0-9]{1,9})\r?$")
_DATABASE_ACCOUNT = re.compile(rb"(?m)^(?!#)(?:[^:\r\n]{0,256}:){4}([^\r\n]+)")
_BORDER = re.compile(rb"-----(?:BEGIN|END) [A-Z0-9 ]{1,64}-----")
_LINE = re.compile(rb"[^\r\n\0]+")
_LOCKED = {b"*", b"!", b"x", b"!!", b"!*", b"*LK*", b"*NP*"}


def secrets_of_file(path: str, content: bytes) -> list[Span]:
    """What the path alone tells to be secret; the content is to be read as any text afterwards."""
    if _PUBLIC.fullmatch(path):
        return []
    if _PGPASS.fullmatch(path):
        return _unmarked(content, _DATABASE_ACCOUNT.finditer(content))
    if _ACCOUNTS.fullmatch(path):
        digests = list(_DIGEST_ACCOUNT.finditer(content))
        return _unmarked(content, digests or _ACCOUNT.finditer(content))
    if _WHOLE.fullmatch(path):
        return _unmarked(content, (line for line in _LINE.finditer(content) if not _BORDER.fullmatch(line[0].strip())))
    return []


def _unmarked(content: bytes, found: Iterable[re.Match[bytes]]) -> list[Span]:
    spans = (Span(*match.span(match.lastindex or 0)) for match in found)
    return [
        span
        for span in spans
        if (text := content[span.start : span.end].strip()) and not A_MARK.fullmatch(text) and text not in _LOCKED
    ]
